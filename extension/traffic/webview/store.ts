/** The rows the page holds, as frames and as calls. No DOM. */
import type { TrafficRow } from '../../../daemon/api/sessions.ts';

/** `calls`: a request with its answer and what it caused in one line. `frames`: every event a line. */
export type Mode = 'calls' | 'frames';

/** A line. */
export interface Entry {
  readonly row: TrafficRow;
  /** Of a request: its answer, when it has come. */
  answer?: TrafficRow;
  /** Servers its call went to. */
  servers: readonly string[];
  /** Frames of its call beside request and answer. */
  steps: number;
}

/** What is held at most; beyond it the oldest tenth goes. */
export const CAPACITY = 200_000;

/** Holds rows in the order they come. */
export class RowStore {
  readonly #capacity: number;
  readonly #bySeq = new Map<number, Entry>();
  #frames: Entry[] = [];
  #calls: Entry[] = [];
  #errors = 0;
  /** Events that were lost on the way here. */
  dropped = 0;
  /** Rows that were let go because there were too many. */
  released = 0;

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  get errors(): number {
    return this.#errors;
  }

  /** The lines of a mode. */
  lines(mode: Mode): readonly Entry[] {
    return mode === 'calls' ? this.#calls : this.#frames;
  }

  /** Number of frames held. */
  get size(): number {
    return this.#frames.length;
  }

  clear(): void {
    this.#bySeq.clear();
    this.#frames = [];
    this.#calls = [];
    this.#errors = 0;
    this.dropped = 0;
    this.released = 0;
  }

  get(seq: number): Entry | undefined {
    return this.#bySeq.get(seq);
  }

  /** The line of `calls` in which the event is shown. */
  callOf(row: TrafficRow): Entry | undefined {
    const parent = row.call === undefined ? undefined : this.#bySeq.get(row.call);
    return parent ?? (row.answers === undefined ? undefined : this.#bySeq.get(row.answers)) ?? this.#bySeq.get(row.seq);
  }

  /** Takes rows; one that is held already is passed over. */
  add(rows: readonly TrafficRow[], dropped: number): void {
    this.dropped += dropped;
    for (const row of rows) this.#addRow(row);
    if (this.#frames.length > this.#capacity) this.#release();
  }

  /** Lines a server wrote to standard error between two events. */
  stderr(servers: readonly string[], from: number, to: number): readonly TrafficRow[] {
    const found: TrafficRow[] = [];
    for (let index = this.#firstAfter(from); index < this.#frames.length; index++) {
      const row = this.#frames[index]?.row;
      if (row === undefined || row.seq > to) break;
      if (row.kind === 'stderr' && row.server !== undefined && servers.includes(row.server)) found.push(row);
    }
    return found;
  }

  #addRow(row: TrafficRow): void {
    if (this.#bySeq.has(row.seq)) return;
    const entry: Entry = { row, servers: row.server === undefined ? [] : [row.server], steps: 0 };
    this.#bySeq.set(row.seq, entry);
    this.#frames.push(entry);
    if (isFailure(row)) this.#errors++;
    const asked = row.answers === undefined ? undefined : this.#bySeq.get(row.answers);
    if (asked !== undefined) asked.answer = row;
    const parent = row.call === undefined || row.call === row.seq ? undefined : this.#bySeq.get(row.call);
    if (parent === undefined) {
      if (asked === undefined) this.#calls.push(entry);
      return;
    }
    if (row.edge === 'server' && row.server !== undefined && !parent.servers.includes(row.server))
      parent.servers = [...parent.servers, row.server];
    if (asked !== parent) parent.steps++;
  }

  #release(): void {
    const gone = this.#frames.splice(0, Math.ceil(this.#capacity / 10));
    for (const { row } of gone) {
      this.#bySeq.delete(row.seq);
      if (isFailure(row)) this.#errors--;
    }
    this.released += gone.length;
    const first = this.#frames[0]?.row.seq ?? 0;
    this.#calls.splice(0, firstFrom(this.#calls, first));
  }

  #firstAfter(seq: number): number {
    return firstFrom(this.#frames, seq);
  }
}

/** Whether people would call it one. */
export function isFailure(row: TrafficRow): boolean {
  return row.status === 'error' || row.status === 'tool-error' || row.kind === 'fault';
}

/** Index of the first line whose `seq` is not below. */
export function firstFrom(lines: readonly Entry[], seq: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lines[middle]?.row.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
