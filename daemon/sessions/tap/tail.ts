/**
 * The live view of one reader: rows in batches, as fast as it takes them. A reader that falls behind is told what it missed; nobody waits
 * for it.
 */
import type { SessionEvents, TapEvent, TrafficQuery, TrafficRow } from '../../api/sessions.ts';
import type { TapHub } from './hub.ts';
import { type Gap, keptEvents } from './kept.ts';
import { filterOf, gapRow, type RowMaking, rowsFor, wanted } from './query.ts';
import type { TrafficRows } from './rows.ts';

/** Rows on the way that were not acknowledged. */
const UNACKNOWLEDGED = 2000;
/** Events that wait for the reader, and the bytes of their messages. */
const WAITING = 20_000;
const WAITING_BYTES = 64 * 1024 * 1024;
/** Milliseconds rows are gathered; a screen shows no more often. */
const GATHER_MS = 16;
/** Rows of a batch, and milliseconds making them may take before calls get their turn. */
const BATCH = 500;
const SLICE_MS = 6;
/** Bytes of the messages in a batch. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** Bytes the reader's connection may hold unread, and milliseconds until it is looked at again. */
const BACKLOG = 8 * 1024 * 1024;
const BACKLOG_MS = 100;

/** What a tail is made of. */
export interface TailParts {
  readonly id: string;
  readonly hub: TapHub;
  readonly query: TrafficQuery;
  readonly making: RowMaking;
  readonly send: (batch: SessionEvents['traffic']) => void;
  /** Bytes the reader has not read yet. */
  readonly backlog: () => number;
}

/** One live view. */
export class Tail {
  readonly #parts: TailParts;
  readonly #rows: TrafficRows;
  readonly #unlisten: () => void;
  #queue: (TapEvent | Gap)[] = [];
  #head = 0;
  #bytes = 0;
  /** Events left out since the last one that was queued. */
  #lost = 0;
  #lastLost = 0;
  /** `seq` of the rows on the way. */
  #sent: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: TailParts) {
    this.#parts = parts;
    const { hub, query, making } = parts;
    this.#rows = rowsFor(query, making);
    // What the first rows answer came before them. With `after`, the view goes on where the reader has come to.
    const from = query.after ?? Number.POSITIVE_INFINITY;
    for (const event of keptEvents(hub, filterOf(query))) {
      // What is there already is not dropped: the rings have bounds of their own.
      if (event.seq > from) this.#add(event);
      else if (event.kind !== 'gap') this.#rows.see(event);
    }
    this.#unlisten = hub.listen(filterOf(query), (event) => this.#take(event));
  }

  /** The reader has taken every row up to this one. */
  ack(seq: number): void {
    const taken = this.#sent.findIndex((sent) => sent > seq);
    this.#sent = taken === -1 ? [] : this.#sent.slice(taken);
    if (this.#waiting > 0 || this.#lost > 0) this.#soon(GATHER_MS);
  }

  /** Ends it. */
  close(): void {
    this.#closed = true;
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  get #waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Runs in the middle of a call: the event is only queued. */
  #take(event: TapEvent | Gap): void {
    if (this.#waiting >= WAITING || (this.#waiting > 0 && this.#bytes + this.#cost(event) > WAITING_BYTES)) {
      this.#lost += event.kind === 'gap' ? event.lost : 1;
      this.#lastLost = event.seq;
      return;
    }
    this.#markLost();
    this.#add(event);
  }

  #add(event: TapEvent | Gap): void {
    this.#queue.push(event);
    this.#bytes += this.#cost(event);
    this.#soon(GATHER_MS);
  }

  #cost(event: TapEvent | Gap): number {
    return event.kind === 'frame' && this.#parts.query.messages === true ? event.bytes : 0;
  }

  /** What was left out stands in the queue as a gap, at its place. */
  #markLost(): void {
    if (this.#lost === 0) return;
    this.#queue.push(new Missed(this.#lastLost, this.#lost, this.#parts.hub.now()));
    this.#lost = 0;
  }

  #soon(ms: number): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, ms).unref();
  }

  #flush(): void {
    const { id, query, send, backlog } = this.#parts;
    if (backlog() > BACKLOG) return this.#soon(BACKLOG_MS);
    const room = Math.min(BATCH, UNACKNOWLEDGED - this.#sent.length);
    if (room <= 0) return; // until the reader says that it has taken some
    const rows: TrafficRow[] = [];
    const began = performance.now();
    let dropped = 0;
    let bytes = 0;
    while (rows.length < room && bytes < BATCH_BYTES && performance.now() - began < SLICE_MS) {
      if (this.#waiting === 0) this.#markLost();
      const event = this.#queue[this.#head];
      if (event === undefined) break;
      this.#head += 1;
      if (event.kind === 'gap') {
        dropped += event.lost;
        rows.push(event instanceof Missed ? event.row() : gapRow(event));
        continue;
      }
      this.#bytes -= this.#cost(event);
      bytes += this.#cost(event);
      const row = this.#rows.row(event, false);
      const message = event.kind === 'frame' ? event.message : undefined;
      if (!wanted(row, query, () => (message === undefined ? undefined : this.#rows.message(message)))) continue;
      rows.push(query.messages === true && message !== undefined ? { ...row, message: this.#rows.message(message) } : row);
    }
    this.#compact();
    if (rows.length > 0) {
      for (const { seq } of rows) this.#sent.push(seq);
      send({ tail: id, rows, dropped });
    }
    if (this.#waiting > 0) this.#soon(GATHER_MS);
  }

  #compact(): void {
    if (this.#head === 0) return;
    if (this.#head < this.#queue.length && this.#head < 4096) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}

/** What this view missed, because it was slower than the traffic. */
class Missed implements Gap {
  readonly kind = 'gap';
  readonly seq: number;
  readonly lost: number;
  readonly time: number;
  readonly home = undefined;

  constructor(seq: number, lost: number, time: number) {
    this.seq = seq;
    this.lost = lost;
    this.time = time;
  }

  row(): TrafficRow {
    const { seq, lost, time } = this;
    const text = `${lost} ${lost === 1 ? 'event' : 'events'} left out: this view was slower than the traffic`;
    return { seq, time, kind: 'gap', edge: 'client', text };
  }
}
