/** From a recording on the disk to one that can be played. */
import { statSync } from 'node:fs';
import { SignalboxError } from '../../api/errors.ts';
import type { RecordingLine } from '../../api/recordings.ts';
import { openRecording } from '../recording/reader.ts';
import { Rehearsal, type ReplayOptions } from './rehearsal.ts';
import { readScript } from './script.ts';

/** What is played, and how. */
export interface LoadOptions extends ReplayOptions {
  /** The edge of this server; absent: what clients saw, or the only server where no client was recorded. */
  readonly server?: string;
  /** A line about what the recording lacks. */
  readonly onNote?: (text: string) => void;
}

/**
 * Reads a whole recording into memory (its messages, and about 2 kB more for each request) and makes it ready.
 * @param path folder or file
 * @throws SBX_RECORDING_UNKNOWN, SBX_RECORDING_VERSION, SBX_RECORDING_DAMAGED; SBX_REPLAY_EDGE when the server is not in it, SBX_REPLAY_NOTHING when
 *   nothing was asked in it
 */
export async function loadRehearsal(path: string, { server, onNote, ...options }: LoadOptions = {}): Promise<Rehearsal> {
  // One that is being written is played as far as it goes.
  const reader = await openRecording(path, { live: true });
  const lines: RecordingLine[] = [];
  let gaps = 0;
  let unread = 0;
  try {
    for await (const line of reader.lines()) {
      if (line.k === 'gap') gaps += 1;
      if (line.k !== 'frame' || line.m !== undefined) {
        lines.push(line);
        continue;
      }
      try {
        lines.push({ ...line, m: await reader.message(line) });
      } catch (error) {
        if (!(error instanceof SignalboxError)) throw error;
        unread += 1;
        onNote?.(`${error.message} ${error.why}`);
      }
    }
  } finally {
    await reader.close();
  }
  if (gaps > 0) onNote?.(`The recording has ${gaps} gap${gaps === 1 ? '' : 's'}: what was asked and answered there is not played.`);
  const script = readScript(lines, server);
  if (server !== undefined && !script.servers.includes(server)) throw noSuchServer(server, script.servers);
  if (script.exchanges.length === 0)
    throw new SignalboxError('SBX_REPLAY_NOTHING', `${path} has nothing that could be played.`, {
      why: unread > 0 ? 'None of its messages can be read.' : 'There is no request in it.',
      fix:
        script.servers.length > 0 ? `Name one of its servers: --server ${script.servers.join(', --server ')}.` : 'Record something first.',
    });
  return new Rehearsal(script, options);
}

/**
 * Loads a recording when it is needed, and again when it is another one by then: its sessions go on where those before them were.
 * @param locate where it is now
 */
export function reloaded(locate: () => string, options: LoadOptions): () => Promise<Rehearsal> {
  let known = '';
  let loaded: Promise<Rehearsal> | undefined;
  return () => {
    const path = locate();
    const { mtimeMs, size } = statSync(path);
    const now = `${path} ${mtimeMs} ${size}`;
    if (now === known && loaded !== undefined) return loaded;
    known = now;
    loaded = loadRehearsal(path, options);
    loaded.catch(() => {
      known = '';
    });
    return loaded;
  };
}

function noSuchServer(server: string, servers: readonly string[]): SignalboxError {
  return new SignalboxError('SBX_REPLAY_EDGE', `The recording has nothing of a server "${server}".`, {
    why:
      servers.length === 0
        ? 'It has no server in it: it was imported, or recorded towards clients only.'
        : `Its servers are: ${servers.join(', ')}.`,
    fix: servers.length === 0 ? 'Leave the server out: then what clients saw is played.' : 'Name one of them, or none.',
  });
}
