/** The recordings there are, as the daemon tells them, and what begins and ends one. */
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import type { TapFilter } from '../../daemon/api/sessions.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { TrafficParts } from '../traffic/parts.ts';
import type { TrafficTabs } from '../traffic/tabs.ts';

/** What everything about recordings works with. */
export interface RecordingParts extends TrafficParts {
  readonly recordings: Recordings;
  readonly tabs: TrafficTabs;
}

/** What the daemon finds a recording by: two exports of one have the same id, their files differ. */
export function reference({ id, path }: Pick<RecordingInfo, 'id' | 'path'>): string {
  return path.endsWith('.jsonl') ? path : id;
}

/** A recording that is being served as a server. */
export interface Serving {
  readonly id: string;
  readonly url: string;
}

const FILTERS = ['session', 'client', 'endpoint', 'workspace', 'server'] as const;

/** Keeps the list; fetched when somebody looks and again when the daemon says that it changed. */
export class Recordings {
  readonly #daemon: DaemonConnection;
  readonly #folders: () => readonly string[];
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  readonly #serving = new Map<string, Serving>();
  #all: readonly RecordingInfo[] = [];
  #known = false;
  #asked: Promise<void> | undefined;

  /** @param folders the window's folders: exported recordings live in `.signalbox/recordings` below them */
  constructor(daemon: DaemonConnection, folders: () => readonly string[]) {
    this.#daemon = daemon;
    this.#folders = folders;
    this.#unsubscribe = daemon.onChange((changes) => {
      if (changes.includes('connection') && daemon.state !== 'running') this.#forget();
      else if (changes.includes('recordings') || changes.includes('connection')) void this.refresh().catch(() => undefined);
    });
  }

  get all(): readonly RecordingInfo[] {
    return this.#all;
  }

  /** Being written now, the last begun first. */
  get live(): readonly RecordingInfo[] {
    return this.#all.filter((recording) => recording.live);
  }

  /** How a recording is being served, if it is. */
  serving({ path }: RecordingInfo): Serving | undefined {
    return this.#serving.get(path);
  }

  /** Calls `listener` after every change; returns the function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }

  /** The list, asked for at most once until it changes. Starts no daemon. */
  async list(): Promise<readonly RecordingInfo[]> {
    if (!this.#known && this.#daemon.state === 'running') await this.refresh();
    return this.#all;
  }

  /** Asks the daemon again. */
  refresh(): Promise<void> {
    this.#asked ??= this.#fetch().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  /** Begins a recording of what fits the filter; other members of a query, such as words, are no filter of a recording. */
  async start(filter: TapFilter, name?: string): Promise<RecordingInfo> {
    const wanted = Object.fromEntries(FILTERS.flatMap((key) => (filter[key] === undefined ? [] : [[key, filter[key]]])));
    const recording = await this.#daemon.call('record/start', { ...wanted, ...(name === undefined || name === '' ? {} : { name }) });
    await this.refresh();
    return recording;
  }

  /** Ends one recording, or the last begun. @returns what was ended, `undefined` when none was being written */
  async stop(id: string | undefined = this.live[0]?.id): Promise<RecordingInfo | undefined> {
    if (id === undefined) return undefined;
    const recording = await this.#daemon.call('record/stop', { recording: id });
    await this.refresh();
    return recording;
  }

  async remove(recording: RecordingInfo): Promise<void> {
    await this.#daemon.call('record/remove', { recording: reference(recording) });
    await this.refresh();
  }

  /** Serves it at a URL until {@link stopServing}. */
  async serve(recording: RecordingInfo, server?: string): Promise<Serving> {
    const serving = await this.#daemon.call('replay/serve', {
      recording: reference(recording),
      ...(server === undefined ? {} : { server }),
    });
    this.#serving.set(recording.path, serving);
    this.#tell();
    return serving;
  }

  async stopServing({ path }: RecordingInfo): Promise<void> {
    const serving = this.#serving.get(path);
    if (serving === undefined) return;
    await this.#daemon.call('replay/stop', { id: serving.id });
    this.#serving.delete(path);
    this.#tell();
  }

  async #fetch(): Promise<void> {
    const folders = this.#folders();
    const asked = folders.length === 0 ? [{}] : folders.map((folder) => ({ folder }));
    const lists = await Promise.all(asked.map((params) => this.#daemon.call('record/list', params)));
    const byPath = new Map(lists.flatMap(({ recordings }) => recordings.map((recording) => [recording.path, recording] as const)));
    this.#all = [...byPath.values()].toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
    this.#known = true;
    this.#tell();
  }

  #forget(): void {
    this.#all = [];
    this.#known = false;
    this.#serving.clear();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
