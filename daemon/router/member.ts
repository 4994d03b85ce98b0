/** One server inside an endpoint: its latest snapshot, kept fresh by its own notifications. */
import type { ResolvedServer } from '../api/config.ts';
import { type ErrorShape, errorShape } from '../api/errors.ts';
import type { Notification } from '../protocol/message.ts';
import type { Connection } from '../upstreams/connection.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { EMPTY, type ListName, listsOf, readList, type Snapshot } from './snapshot.ts';

/** Milliseconds the first lists wait for a server that is starting; healthy ones are there long before. */
const PATIENCE_MS = 6000;
/** Milliseconds between two readings of a server's lists. */
const PAUSE_MS = 250;
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
  /** Lists to be read, or read again because the last reading failed. */
  readonly #wanted = new Set<ListName>();
  readonly #failed = new Set<ListName>();
  readonly #firstRead = Promise.withResolvers<void>();
  #reading: Promise<void> | undefined;
  #readAt = 0;
  #error: ErrorShape | undefined;
  #patience: Promise<void> | undefined;

  constructor(server: ResolvedServer, upstream: Upstream, listener: MemberListener) {
    this.server = server;
    this.upstream = upstream;
    this.#listener = listener;
    this.#dispose = [upstream.onReady(() => this.#reload(ALL)), upstream.onNotification((notification) => this.#notified(notification))];
    if (upstream.connection !== undefined) this.#reload(ALL);
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
      await this.#firstRead.promise;
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

  /** A server that died is brought back, and a list that could not be read is tried again, by whoever looks; nobody waits for it. */
  #wake(): void {
    if (this.upstream.connection === undefined) void this.upstream.ready().catch(() => undefined);
    else if (this.#failed.size > 0) this.#reload([...this.#failed]);
  }

  #reload(lists: readonly ListName[]): void {
    for (const list of lists) this.#wanted.add(list);
    this.#reading ??= this.#drain().finally(() => {
      this.#reading = undefined;
    });
  }

  /** One reading at a time with a pause between: a server that announces a change at every reading must not keep us busy for ever. */
  async #drain(): Promise<void> {
    while (this.#wanted.size > 0) {
      const pause = this.#readAt + PAUSE_MS - Date.now();
      if (pause > 0) await new Promise<void>((resolve) => setTimeout(resolve, pause).unref());
      const { connection } = this.upstream;
      const lists = [...this.#wanted];
      this.#wanted.clear();
      if (connection === undefined) return; // the next connection reads everything
      this.#readAt = Date.now();
      await this.#read(connection, lists);
    }
  }

  /** What could be read counts, whatever else failed. */
  async #read(connection: Connection, lists: readonly ListName[]): Promise<void> {
    const answers = await Promise.allSettled(lists.map((list) => readList(connection, list, this.server.name)));
    const next: { [list in ListName]: Snapshot[ListName] } = { ...this.#snapshot };
    this.#error = undefined;
    lists.forEach((list, index) => {
      const answer = answers[index];
      if (answer?.status === 'fulfilled') {
        next[list] = answer.value;
        this.#failed.delete(list);
      } else {
        this.#failed.add(list);
        this.#error = errorShape(answer?.reason);
      }
    });
    const changed = lists.filter((list) => JSON.stringify(next[list]) !== JSON.stringify(this.#snapshot[list]));
    this.#snapshot = next;
    this.#loaded = true;
    this.#firstRead.resolve();
    this.#listener.changed(changed);
  }

  #notified(notification: Notification): void {
    const lists = listsOf(notification.method);
    if (lists.length > 0 && this.upstream.connection !== undefined) this.#reload(lists);
    else this.#listener.notified(notification);
  }
}
