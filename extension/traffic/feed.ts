/** Brings rows to a page: first what there is already, then what happens, never more than the page has taken. */
import type { ControlEvents } from '../../daemon/api/control.ts';
import type { TrafficQuery, TrafficRow } from '../../daemon/api/sessions.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import type { TrafficSource } from './source.ts';

/** The part of the connection a feed needs. */
export type FeedDaemon = Pick<DaemonConnection, 'call' | 'onEvent' | 'state'>;

/** Rows asked for at once. */
const PAGE = 2_000;
/** Rows loaded without being asked for more: what the page keeps. */
export const LOADED = 100_000;

/** What hears the rows. */
export interface FeedSink {
  clear(): void;
  /** Call {@link TrafficFeed.acknowledge} with `batch` when they are held. */
  rows(batch: number, rows: readonly TrafficRow[], dropped: number): void;
  /** `more` or `trouble` changed. */
  changed(): void;
}

/** One reader of one source. */
export class TrafficFeed {
  readonly #daemon: FeedDaemon;
  readonly #source: TrafficSource;
  readonly #sink: FeedSink;
  /** Whether a row is one of this window's. */
  readonly #own: (row: TrafficRow) => boolean;
  readonly #stopListening: () => void;
  #query: TrafficQuery = {};
  /** Counts the openings: what an older one still brings is thrown away. */
  #run = 0;
  #tail: string | undefined;
  #last = 0;
  #batch = 0;
  readonly #waiting = new Map<number, () => void>();
  /** Events that came while older rows are still being read. */
  #early: ControlEvents['traffic'][] | undefined;
  more = false;
  trouble: unknown;

  constructor(daemon: FeedDaemon, source: TrafficSource, sink: FeedSink, own: (row: TrafficRow) => boolean = () => true) {
    this.#daemon = daemon;
    this.#source = source;
    this.#sink = sink;
    this.#own = own;
    this.#stopListening = daemon.onEvent((event, params) => {
      if (event === 'traffic') this.#event(params as ControlEvents['traffic']);
    });
  }

  /** Begins anew with these filters. Resolves when what there was is with the page; a failure is in {@link trouble}. */
  async open(query: TrafficQuery): Promise<void> {
    this.#query = query;
    this.#last = 0;
    this.#sink.clear();
    await this.catchUp();
  }

  /** Reads what came since the last row (after a pause, or more of a long recording) and goes on from there. */
  async catchUp(): Promise<void> {
    const run = this.#leave();
    this.trouble = undefined;
    try {
      if (this.#source.live) {
        this.#early = [];
        const { tail } = await this.#daemon.call('sessions/tail', this.#query);
        if (run !== this.#run) return await this.#untail(tail);
        this.#tail = tail;
      }
      this.more = await this.#read(run);
      if (run !== this.#run) return;
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const event of early) this.#event(event);
    } catch (error) {
      if (run !== this.#run) return;
      this.#early = undefined;
      this.trouble = error;
    }
    this.#sink.changed();
  }

  /** Takes no more; {@link catchUp} goes on. */
  pause(): void {
    this.#leave();
  }

  /** The page holds the batch: the daemon may send more. */
  acknowledge(batch: number): void {
    this.#waiting.get(batch)?.();
    this.#waiting.delete(batch);
  }

  dispose(): void {
    this.#leave();
    this.#stopListening();
  }

  /** @returns whether there is more than was read */
  async #read(run: number): Promise<boolean> {
    for (let loaded = 0; ; ) {
      const { rows, more, dropped } = await this.#source.rows({ ...this.#query, after: this.#last, limit: PAGE });
      if (run !== this.#run) return false;
      loaded += rows.length;
      if (rows.length > 0 || dropped > 0) await this.#bring(rows, loaded === rows.length ? dropped : 0);
      if (run !== this.#run) return false;
      if (!more || rows.length === 0) return false;
      if (!this.#source.live && loaded >= LOADED) return true;
    }
  }

  /** Resolves when the page has them. */
  #bring(rows: readonly TrafficRow[], dropped: number): Promise<void> {
    const batch = ++this.#batch;
    this.#last = Math.max(this.#last, rows.at(-1)?.seq ?? 0);
    return new Promise((taken) => {
      this.#waiting.set(batch, taken);
      this.#sink.rows(
        batch,
        rows.filter((row) => this.#own(row)),
        dropped,
      );
    });
  }

  #event(event: ControlEvents['traffic']): void {
    if (this.#early !== undefined) {
      this.#early.push(event);
      return;
    }
    const { tail, rows, dropped } = event;
    if (tail !== this.#tail) return;
    const last = rows.at(-1);
    const news = rows.filter((row) => row.seq > this.#last);
    void this.#bring(news, dropped).then(() => {
      // Not after the daemon has gone: a call would start a new one.
      if (last !== undefined && tail === this.#tail && this.#daemon.state === 'running')
        this.#daemon.call('sessions/ack', { tail, seq: last.seq }).catch(() => undefined);
    });
  }

  /** Ends what is under way. @returns the number of the next opening */
  #leave(): number {
    const tail = this.#tail;
    this.#tail = undefined;
    this.#early = undefined;
    for (const taken of this.#waiting.values()) taken();
    this.#waiting.clear();
    if (tail !== undefined) void this.#untail(tail);
    return ++this.#run;
  }

  async #untail(tail: string): Promise<void> {
    // A connection that is lost has no tails any more, and a call would start a new daemon.
    if (this.#daemon.state === 'running') await this.#daemon.call('sessions/untail', { tail }).catch(() => undefined);
  }
}
