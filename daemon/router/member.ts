/** One server inside an endpoint: its latest snapshot, kept fresh by its own notifications. */
import type { ResolvedServer } from '../api/config.ts';
import { type ErrorShape, errorShape } from '../api/errors.ts';
import type { Notification } from '../protocol/message.ts';
import type { Connection } from '../upstreams/connection.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { EMPTY, type ListName, listsOf, readList, type Snapshot } from './snapshot.ts';

/** Milliseconds the first lists wait for a server that is starting; healthy ones are there long before. */
const PATIENCE_MS = 6000;
const ALL: readonly ListName[] = ['tools', 'prompts', 'resources', 'templates'];

/** Reacts to what happens at a member. */
export interface MemberListener {
  /** The named lists were read anew. */
  changed(lists: readonly ListName[]): void;
  /** The server said something else. */
  notified(notification: Notification): void;
}

/** A server as seen by one endpoint. */
export class Member {
  readonly server: ResolvedServer;
  readonly upstream: Upstream;
  readonly #listener: MemberListener;
  readonly #dispose: (() => void)[];
  #snapshot: Snapshot = EMPTY;
  #loaded = false;
  #loading: Promise<void> | undefined;
  #error: ErrorShape | undefined;
  #patience: Promise<void> | undefined;

  constructor(server: ResolvedServer, upstream: Upstream, listener: MemberListener) {
    this.server = server;
    this.upstream = upstream;
    this.#listener = listener;
    this.#dispose = [
      upstream.onReady((connection) => this.#reload(connection, ALL)),
      upstream.onNotification((notification) => this.#notified(notification)),
    ];
    if (upstream.connection !== undefined) this.#reload(upstream.connection, ALL);
  }

  get alias(): string {
    return this.server.alias;
  }
  /** The lists as last read. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }
  /** Whether the lists have been read at least once. */
  get loaded(): boolean {
    return this.#loaded;
  }
  /** Why the lists could not be read. */
  get error(): ErrorShape | undefined {
    return this.#error;
  }

  /** Starts the server if needed and reads the lists once. Never rejects: a failure is in {@link error}. */
  async load(): Promise<void> {
    if (this.#loaded) {
      this.#wake();
      return;
    }
    try {
      await this.upstream.ready();
      await this.#loading;
    } catch (error) {
      this.#error = errorShape(error);
    }
  }

  /** {@link load}, but waits for a slow server once and for a limited time only. */
  patience(): Promise<void> {
    if (this.#loaded) return this.load();
    if (this.upstream.state === 'down') {
      // It has failed before: try again, but nobody waits for it.
      void this.load();
      return Promise.resolve();
    }
    this.#patience ??= new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      void this.load().finally(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#patience;
  }

  /** Stops listening; the upstream belongs to its host. */
  dispose(): void {
    for (const dispose of this.#dispose) dispose();
  }

  /** A server that died is brought back by whoever looks at its lists; they do not wait for it. */
  #wake(): void {
    if (this.upstream.connection === undefined) void this.upstream.ready().catch(() => undefined);
  }

  #reload(connection: Connection, lists: readonly ListName[]): void {
    // One after the other, so that an older answer never replaces a newer one.
    const before = this.#loading ?? Promise.resolve();
    const loading = before.then(() => this.#read(connection, lists));
    this.#loading = loading;
  }

  async #read(connection: Connection, lists: readonly ListName[]): Promise<void> {
    try {
      const read = await Promise.all(lists.map(async (list) => [list, await readList(connection, list, this.server.name)] as const));
      const next = { ...this.#snapshot, ...Object.fromEntries(read) } as Snapshot;
      const changed = lists.filter((list) => JSON.stringify(next[list]) !== JSON.stringify(this.#snapshot[list]));
      this.#snapshot = next;
      this.#loaded = true;
      this.#error = undefined;
      this.#listener.changed(changed);
    } catch (error) {
      this.#error = errorShape(error);
    }
  }

  #notified(notification: Notification): void {
    const lists = listsOf(notification.method);
    if (lists.length > 0 && this.upstream.connection !== undefined) this.#reload(this.upstream.connection, lists);
    else this.#listener.notified(notification);
  }
}
