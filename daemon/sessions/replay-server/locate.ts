/** Where a recording is, for whoever has no store at hand: by path, id or name. */
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { unknownRecording } from '../recording/reader.ts';
import { readSummary } from '../recording/summary.ts';

/** Where to look. */
export interface Places {
  /** `Paths.recordingsDir`. */
  readonly recordingsDir: string;
  /** Folder that relative paths start from, and whose `.signalbox/recordings` has exported ones; absent: only absolute paths. */
  readonly folder?: string;
}

/**
 * The folder or file of a recording.
 * @param recording path, id, or name (the newest of that name)
 * @throws SBX_RECORDING_UNKNOWN
 */
export function locateRecording(recording: string, { recordingsDir, folder }: Places): string {
  const path = isAbsolute(recording) ? recording : folder === undefined ? undefined : resolve(folder, recording);
  if (path !== undefined && existsSync(path)) return path;
  const plain = /^[^\\/]+$/.test(recording) && !recording.startsWith('.');
  if (plain && existsSync(join(recordingsDir, recording))) return join(recordingsDir, recording);
  const shared = folder === undefined || !plain ? undefined : join(folder, '.signalbox', 'recordings', `${recording}.jsonl`);
  if (shared !== undefined && existsSync(shared)) return shared;
  const named = (existsSync(recordingsDir) ? readdirSync(recordingsDir) : []).flatMap((id) => {
    const header = readSummary(join(recordingsDir, id))?.header;
    return header?.name === recording ? [{ id, createdAt: header.createdAt }] : [];
  });
  const newest = named.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0];
  if (newest === undefined) throw unknownRecording(recording);
  return join(recordingsDir, newest.id);
}
