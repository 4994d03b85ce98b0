/** The part of the control channel about recordings that are served: each at a URL of its own until it is stopped. */
import { randomBytes } from 'node:crypto';
import { SignalboxError } from '../api/errors.ts';
import type { RecordingMethods, ServedReplay } from '../api/recordings.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';
import { type ReplayListener, serveReplay } from '../endpoints/replay-listener.ts';
import { loadRehearsal } from '../sessions/replay-server/load.ts';
import { locateRecording } from '../sessions/replay-server/locate.ts';

/** What serving needs of the daemon. */
export interface ServedReplaysParts {
  readonly recordingsDir: string;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  /** Takes out of what clients say what is secret. */
  readonly redact: (message: object) => object;
  /** The daemon stays as long as something is served; returns what gives it free. */
  readonly hold: () => () => void;
}

interface Served {
  readonly info: ServedReplay;
  readonly listener: ReplayListener;
  readonly release: () => void;
}

/** The recordings being served. */
export class ServedReplays {
  readonly #parts: ServedReplaysParts;
  readonly #served = new Map<string, Served>();

  constructor(parts: ServedReplaysParts) {
    this.#parts = parts;
  }

  /** Every one. */
  list(): readonly ServedReplay[] {
    return [...this.#served.values()].map(({ info }) => info);
  }

  /** Builds the handlers. */
  handlers(): Pick<ControlHandlers, keyof RecordingMethods & ('replay/serve' | 'replay/stop')> {
    return {
      'replay/serve': async (params) => {
        const { id, url } = await this.#serve(params);
        return { id, url };
      },
      'replay/stop': async ({ id }) => {
        const served = this.#served.get(id);
        if (served === undefined) throw unknownReplay(id);
        await this.#stop(served);
        return {};
      },
    };
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#served.values()].map((served) => this.#stop(served)));
  }

  async #serve({ recording, server, timing, folder }: RecordingMethods['replay/serve']['params']): Promise<ServedReplay> {
    const { recordingsDir, log, hold, redact } = this.#parts;
    const id = randomBytes(4).toString('hex');
    const note = (text: string): void => log('warn', `Replay ${id}: ${text}`);
    const path = locateRecording(recording, { recordingsDir, ...(folder === undefined ? {} : { folder }) });
    const rehearsal = await loadRehearsal(path, {
      ...(server === undefined ? {} : { server }),
      speed: timing === true ? 1 : 0,
      redact,
      onNote: note,
      onMiss: note,
    });
    // Loopback is shared by all users of the machine: who was not told the path does not find it.
    const listener = await serveReplay({ rehearsal, port: 0, path: `/replay/${randomBytes(16).toString('base64url')}` });
    const info = { id, url: listener.url, recording, ...(server === undefined ? {} : { server }) };
    this.#served.set(id, { info, listener, release: hold() });
    return info;
  }

  async #stop({ info, listener, release }: Served): Promise<void> {
    if (!this.#served.delete(info.id)) return;
    await listener.close();
    release();
  }
}

function unknownReplay(id: string): SignalboxError {
  return new SignalboxError('SBX_REPLAY_UNKNOWN', `No recording is served as ${JSON.stringify(id)}.`, {
    why: 'It was stopped, or the daemon was restarted since.',
    fix: 'See `signalbox status` for what is served.',
  });
}
