/** The recordings there are: those of the state directory, and exported files by their path. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { SignalboxError } from '../../api/errors.ts';
import type { RecordingInfo } from '../../api/recordings.ts';
import { IMPORTING } from './layout.ts';
import { openRecording, type RecordingReader, unknownRecording } from './reader.ts';
import type { Recorder } from './recorder.ts';
import { type LeftOpen, recover } from './recovery.ts';
import { infoOf, readSummary } from './summary.ts';

/** A recording left open this many milliseconds ago by a daemon that ended is gone on with: a restart takes seconds. */
const RESUME_MS = 5 * 60_000;
/** Where a workspace keeps exported recordings. */
const WORKSPACE_FOLDER = join('.signalbox', 'recordings');

/** Lists, finds and removes. */
export class RecordingStore {
  readonly #folder: string;
  readonly #recorder: Recorder;
  readonly #log: (level: 'info' | 'warn' | 'error', message: string) => void;
  readonly #ready: Promise<void>;

  /**
   * Takes care of what the last daemon left open, in the background: everything else here waits for it.
   * @param folder `Paths.recordingsDir`
   */
  constructor(folder: string, recorder: Recorder, log: (level: 'info' | 'warn' | 'error', message: string) => void) {
    this.#folder = folder;
    this.#recorder = recorder;
    this.#log = log;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#ready = this.#recover();
  }

  /** Resolves when what was left open is in order. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /**
   * Every recording, the newest first.
   * @param workspace folder of a workspace whose exported recordings are wanted too
   */
  async list(workspace?: string): Promise<readonly RecordingInfo[]> {
    await this.#ready;
    const kept = await Promise.all(
      readdirSync(this.#folder)
        .filter(isId)
        .map(async (id) => this.#info(join(this.#folder, id), id)),
    );
    const shared = workspace === undefined ? undefined : join(workspace, WORKSPACE_FOLDER);
    const files = shared !== undefined && existsSync(shared) ? readdirSync(shared).filter((file) => isExported(join(shared, file))) : [];
    const exported = await Promise.all(files.map(async (file) => this.#info(join(shared ?? '', file))));
    return [...kept, ...exported].flatMap((info) => info ?? []).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  }

  /**
   * Opens a recording by id, name (the newest of that name) or path.
   * @param workspace folder whose exported recordings may be meant by name, and which relative paths start from
   * @throws SBX_RECORDING_UNKNOWN, SBX_RECORDING_VERSION, SBX_RECORDING_DAMAGED
   */
  async open(recording: string, workspace?: string): Promise<RecordingReader> {
    const path = await this.path(recording, workspace);
    const live = this.#recorder.ids.find((id) => path === join(this.#folder, id));
    if (live !== undefined) await this.#recorder.info(live); // everything up to now is on the disk
    return openRecording(path, { live: live !== undefined });
  }

  /** Where a recording is; see {@link open}. */
  async path(recording: string, workspace?: string): Promise<string> {
    await this.#ready;
    const own = isId(recording) ? join(this.#folder, recording) : undefined;
    if (own !== undefined && existsSync(own)) return own;
    const named = (await this.list(workspace)).find(({ name, id }) => name === recording || id === recording);
    if (named !== undefined) return named.path;
    const path = isAbsolute(recording) ? recording : workspace === undefined ? undefined : resolve(workspace, recording);
    if (path !== undefined && statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
    throw unknownRecording(recording);
  }

  /** Id of a recording that is being written, by id or name. */
  async liveId(recording: string): Promise<string> {
    await this.#ready;
    if (this.#recorder.ids.includes(recording)) return recording;
    const named = (await this.list()).filter(({ id, name }) => name === recording || id === recording);
    const live = named.find((each) => each.live);
    if (live !== undefined) return live.id;
    if (named.length === 0) throw unknownRecording(recording);
    throw new SignalboxError('SBX_RECORDING_UNKNOWN', `The recording ${JSON.stringify(recording)} is not being written.`, {
      why: 'It was stopped before.',
      fix: 'See `signalbox record list` for those that are being written.',
    });
  }

  /**
   * Removes a recording of the state directory. Files of a workspace are the user's own: they are not touched.
   * @returns whether there was one
   * @throws SBX_RECORDING_LIVE while it is being written
   */
  async remove(recording: string): Promise<boolean> {
    await this.#ready;
    const found = (await this.list()).find(({ id, name }) => id === recording || name === recording);
    if (found === undefined) return false;
    if (found.live)
      throw new SignalboxError('SBX_RECORDING_LIVE', `The recording ${found.id} is being written.`, {
        why: 'It was not stopped.',
        fix: `Stop it first: \`signalbox record stop ${found.id}\`.`,
      });
    rmSync(found.path, { recursive: true });
    return true;
  }

  async #info(path: string, id?: string): Promise<RecordingInfo | undefined> {
    try {
      if (id !== undefined && this.#recorder.ids.includes(id)) return await this.#recorder.info(id);
      const summary = id === undefined ? undefined : readSummary(path);
      const info = summary === undefined ? await (await openRecording(path)).info() : infoOf(summary, path, false);
      const problem = id === undefined ? undefined : this.#recorder.failure(id);
      return problem === undefined ? info : { ...info, problem };
    } catch (error) {
      if (id === undefined || existsSync(path)) this.#log('warn', `${path}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  async #recover(): Promise<void> {
    for (const id of readdirSync(this.#folder)) {
      if (id.startsWith(IMPORTING)) rmSync(join(this.#folder, id), { recursive: true, force: true });
      const folder = join(this.#folder, id);
      if (!isId(id) || !statSync(folder).isDirectory()) continue;
      try {
        const left = await recover(folder);
        if (left !== undefined) await this.#takeUp(left);
      } catch (error) {
        this.#log('warn', `The recording in ${folder}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  /** A restart does not end a recording; but one of a session ends with the session, and nobody expects one from yesterday to go on. */
  async #takeUp({ summary, writtenAt }: LeftOpen): Promise<void> {
    const why =
      'The daemon ended while this was being recorded: what it had not written yet (the last 10 ms at most, when it was killed) and what passed until it was back is missing.';
    this.#recorder.resume(summary, why);
    const { id, filter } = summary.header;
    if (filter.session !== undefined || Date.now() - writtenAt > RESUME_MS) await this.#recorder.stop(id);
  }
}

/** A workspace's folder comes from anywhere: what is no file there may have no end. */
function isExported(path: string): boolean {
  return path.endsWith('.jsonl') && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(text);
}
