/** What one server offers, in both eras, remembered over restarts: shared by every endpoint the server is in. */
import { createHash } from 'node:crypto';
import { type ErrorShape, errorShape } from '../api/errors.ts';
import type { StateStore } from '../api/state.ts';
import type { Era } from '../protocol/eras.ts';
import type { Notification } from '../protocol/message.ts';
import type { Connection } from '../upstreams/connection.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { LegLists } from './leg-lists.ts';
import { ALL_LISTS, announcesChanges, type ListName, listsOf, type Snapshot } from './snapshot.ts';

/** Age in milliseconds at which a remembered snapshot is refreshed in the background when it is listed. */
const STALE_MS = 24 * 60 * 60_000;
/** Milliseconds between two background refreshes of a server that cannot be reached. */
const RETRY_MS = 10 * 60_000;
/** Milliseconds a list may be old when its server never says that it changed. */
const SILENT_MS = 30_000;
/** Characters of a row that is still kept over a restart. */
const SIZE_LIMIT = 16 * 1024 * 1024;
const ERAS: readonly Era[] = ['legacy', 'modern'];

/** Reacts to what happens at a server. */
export interface ServerListsListener {
  /** The named lists are not what they were. */
  changed(lists: readonly ListName[]): void;
  /** The server said something else. */
  notified(notification: Notification): void;
  /** What is wrong with the server's definitions where the listener uses them. */
  problems(): readonly ErrorShape[];
}

/** What remembering needs. */
export interface ServerListsParts {
  /** Key of the server instance in the table `snapshots`; the era is appended. */
  readonly key: string;
  readonly state: StateStore | undefined;
  /** Version of Signalbox: another one reads everything anew. */
  readonly version: string;
  /** Our daemon's id. */
  readonly own: string;
}

/** A row of the table `snapshots`: key = workspace, name, digest and era, one a line. */
interface Row {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Eras of clients that are answered from it: a server of one era answers both. */
  readonly answers: readonly Era[];
  readonly snapshot: Snapshot;
  readonly faults: readonly ErrorShape[];
}

/** The lists of one server. */
export class ServerLists {
  readonly #upstream: Upstream;
  readonly #parts: ServerListsParts;
  readonly #listeners = new Set<ServerListsListener>();
  readonly #legs: Readonly<Record<Era, LegLists>>;
  /** Client's era → era of the leg that answers it, once it is known. */
  readonly #answers = new Map<Era, Era>();
  readonly #rows = new Map<Era, Row>();
  /** What was last written of a row. */
  readonly #kept = new Map<Era, { readonly digest: string; readonly at: number }>();
  readonly #errors = new Map<Era, ErrorShape>();
  readonly #loading = new Map<Era, Promise<void>>();
  #triedAt = 0;

  constructor(upstream: Upstream, parts: ServerListsParts) {
    this.#upstream = upstream;
    this.#parts = parts;
    this.#legs = { legacy: this.#leg('legacy'), modern: this.#leg('modern') };
    for (const [era, { answers }] of this.#rows) for (const client of answers) this.#answers.set(client, era);
    upstream.onReady((connection) => this.#legs[connection.era].read());
    upstream.onNotification((notification) => this.#notified(notification));
  }

  /** Listens; returns the function that stops listening. */
  listen(listener: ServerListsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a client of this era is answered from; undefined when the server never answered. */
  snapshot(era: Era): Snapshot | undefined {
    return this.#legOf(era)?.snapshot;
  }

  /** The best known snapshot of any era, for people. */
  any(): Snapshot | undefined {
    return this.#legs.modern.snapshot ?? this.#legs.legacy.snapshot;
  }

  /** Whether the first list once waited for this server in vain, in this daemon or one before it. */
  slow(era: Era): boolean {
    return this.#parts.state?.get<unknown>('snapshots', this.#slowKey(era)) !== undefined;
  }
  /** The first list waited for it in vain: remembered, so that not every start of the daemon waits for it again. */
  wasSlow(era: Era): void {
    this.#parts.state?.set('snapshots', this.#slowKey(era), Date.now());
  }

  /** Whether a connection to the server lives that keeps the snapshot true. */
  live(era: Era): boolean {
    return this.#connection(this.#answers.get(era) ?? era) !== undefined;
  }

  /** Why the lists could not be read. */
  get error(): ErrorShape | undefined {
    return this.#legs.legacy.error ?? this.#legs.modern.error ?? this.#errors.get('legacy') ?? this.#errors.get('modern');
  }
  /** What a person should know of the server though it works, in any endpoint: definitions left out, definitions that changed. */
  problems(): readonly ErrorShape[] {
    const all = [...ERAS.flatMap((era) => this.#legs[era].faults), ...[...this.#listeners].flatMap((listener) => listener.problems())];
    return [...new Map(all.map((problem) => [`${problem.code} ${problem.message} ${problem.cause}`, problem])).values()];
  }

  /** Starts the server if nothing is known of it in this era and reads its lists. Never rejects: a failure is in {@link error}. */
  load(era: Era): Promise<void> {
    if (this.snapshot(era) !== undefined) return Promise.resolve();
    return this.#read(era);
  }

  /** Called when a client lists: what is old or failed is read again in the background; nobody waits, and no server is started but to refresh what is stale. */
  touch(era: Era): void {
    this.#follow(era);
    const leg = this.#legOf(era);
    if (leg === undefined) return;
    const now = Date.now();
    if (this.live(era)) {
      leg.retry();
      const { snapshot } = leg;
      if (snapshot === undefined) return;
      const due = ALL_LISTS.filter(
        (list) =>
          !announcesChanges(snapshot.capabilities, list) && now - leg.readAt > Math.max(SILENT_MS, snapshot.caching[list]?.ttlMs ?? 0),
      );
      if (due.length > 0) leg.read(due);
      return;
    }
    const row = this.#rows.get(this.#answers.get(era) ?? era);
    if (row !== undefined) {
      const stale = now - row.at > STALE_MS || row.version !== this.#parts.version;
      if (!stale || now - this.#triedAt < RETRY_MS) return;
      this.#triedAt = now;
    }
    void this.#read(era);
  }

  #read(era: Era): Promise<void> {
    const running = this.#loading.get(era);
    if (running !== undefined) return running;
    const read = (async () => {
      try {
        const connection = await this.#upstream.ready(era);
        this.#errors.delete(era);
        const known = this.#answers.get(era) === connection.era;
        this.#answers.set(era, connection.era);
        await this.#legs[connection.era].first();
        if (known) return;
        this.#keep(connection.era);
        // Clients of this era are answered from lists that were read for the other one: what was known of them is no longer true.
        for (const listener of this.#listeners) listener.changed(ALL_LISTS);
      } catch (error) {
        this.#errors.set(era, errorShape(error));
      } finally {
        this.#loading.delete(era);
      }
    })();
    this.#loading.set(era, read);
    return read;
  }

  /** A server that gave up an era (an older version, another build) answers its clients from the leg it has now. */
  #follow(era: Era): void {
    const serving = this.#upstream.connection(era)?.era;
    if (serving === undefined || serving === this.#answers.get(era) || this.#legs[serving].snapshot === undefined) return;
    const known = this.#answers.has(era);
    this.#answers.set(era, serving);
    this.#keep(serving);
    if (known) for (const listener of this.#listeners) listener.changed(ALL_LISTS);
  }

  /** The leg that answers a client of this era, as far as is known. */
  #legOf(era: Era): LegLists | undefined {
    const answered = this.#answers.get(era);
    if (answered !== undefined) return this.#legs[answered];
    return this.#legs[era].snapshot === undefined ? undefined : this.#legs[era];
  }

  #leg(era: Era): LegLists {
    const row = readRow(this.#parts.state?.get<unknown>('snapshots', this.#key(era)));
    if (row !== undefined) this.#rows.set(era, row);
    return new LegLists(
      {
        era,
        server: this.#upstream.server.name,
        own: this.#parts.own,
        connection: () => this.#connection(era),
        onRead: (changed) => {
          this.#answers.set(era, era);
          this.#keep(era);
          for (const listener of this.#listeners) listener.changed(changed);
        },
      },
      row,
    );
  }

  #connection(era: Era): Connection | undefined {
    const connection = this.#upstream.connection(era);
    return connection?.era === era ? connection : undefined;
  }

  #key(era: Era): string {
    return `${this.#parts.key}\n${era}`;
  }

  #slowKey(era: Era): string {
    return `${this.#key(era)}\nslow`;
  }

  /** Remembers a leg whose lists were all read. An unchanged row is written again only to move its date; a huge one is not kept over a restart. */
  #keep(era: Era): void {
    const { state, version } = this.#parts;
    const leg = this.#legs[era];
    if (!leg.complete || leg.snapshot === undefined) return;
    const answers = ERAS.filter((client) => this.#answers.get(client) === era);
    const row: Row = { version, at: Date.now(), answers, snapshot: leg.snapshot, faults: leg.faults };
    const text = JSON.stringify({ ...row, at: 0 });
    const before = this.#kept.get(era);
    this.#rows.set(era, row);
    if (before !== undefined && before.digest === digestOf(text) && row.at - before.at < STALE_MS / 24) return;
    this.#kept.set(era, { digest: digestOf(text), at: row.at });
    if (text.length <= SIZE_LIMIT) state?.set('snapshots', this.#key(era), row);
    else state?.delete('snapshots', this.#key(era));
  }

  #notified(notification: Notification): void {
    const lists = listsOf(notification.method);
    if (lists.length === 0) {
      for (const listener of this.#listeners) listener.notified(notification);
      return;
    }
    // A server of both eras has one set of lists behind them, and says so on either leg.
    for (const era of ERAS) if (this.#connection(era) !== undefined) this.#legs[era].read(lists);
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** A row of another layout is no row. */
function readRow(value: unknown): Row | undefined {
  const row = value as Partial<Row> | undefined;
  const snapshot = row?.snapshot;
  const lists = snapshot !== undefined && ALL_LISTS.every((list) => Array.isArray(snapshot[list]));
  const rest = Array.isArray(row?.answers) && Array.isArray(row.faults) && typeof row.at === 'number' && typeof row.version === 'string';
  return lists && rest ? (row as Row) : undefined;
}
