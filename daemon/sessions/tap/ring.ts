/** The last events of one session or server, within bounds. What falls out is counted, never lost in silence. */
import type { TapEvent } from '../../api/sessions.ts';

/** Bounds of one ring. */
export interface RingBounds {
  /** Events. */
  readonly events: number;
  /** Bytes of their messages. */
  readonly bytes: number;
}

const FIRST_SLOTS = 64;

/** A circular array that grows up to its bounds; events come in the order of their `seq`. */
export class Ring {
  readonly #bounds: RingBounds;
  #slots: (TapEvent | undefined)[] = new Array<TapEvent | undefined>(FIRST_SLOTS).fill(undefined);
  #costs: number[] = new Array<number>(FIRST_SLOTS).fill(0);
  #head = 0;
  #size = 0;
  #bytes = 0;
  #dropped = 0;
  #lastDropped = 0;

  constructor(bounds: RingBounds) {
    this.#bounds = bounds;
  }

  /** Events kept. */
  get size(): number {
    return this.#size;
  }
  /** Bytes their messages have. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Events that fell out. */
  get dropped(): number {
    return this.#dropped;
  }
  /** `seq` of the last one that fell out; 0 when none did. */
  get lastDropped(): number {
    return this.#lastDropped;
  }

  /**
   * Adds one event; the oldest make room.
   * @param cost bytes it counts for; one beyond the bound is kept until the next comes
   */
  push(event: TapEvent, cost: number): void {
    const { events, bytes } = this.#bounds;
    while (this.#size > 0 && (this.#size >= events || this.#bytes + cost > bytes)) this.drop();
    if (this.#size === this.#slots.length) this.#grow();
    const at = (this.#head + this.#size) & (this.#slots.length - 1);
    this.#slots[at] = event;
    this.#costs[at] = cost;
    this.#size += 1;
    this.#bytes += cost;
  }

  /** Lets the oldest event go. */
  drop(): void {
    const event = this.#slots[this.#head];
    if (event === undefined || this.#size === 0) return;
    this.#bytes -= this.#costs[this.#head] ?? 0;
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#size -= 1;
    this.#dropped += 1;
    this.#lastDropped = event.seq;
  }

  /** The event at a place, 0 = the oldest. */
  at(index: number): TapEvent | undefined {
    return index < 0 || index >= this.#size ? undefined : this.#slots[(this.#head + index) & (this.#slots.length - 1)];
  }

  /** Place of the first event after `seq`. */
  after(seq: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.at(middle)?.seq ?? 0) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Its length stays a power of two, so that a place is found by a mask. */
  #grow(): void {
    const slots = new Array<TapEvent | undefined>(this.#slots.length * 2).fill(undefined);
    const costs = new Array<number>(slots.length).fill(0);
    for (let index = 0; index < this.#size; index++) {
      const from = (this.#head + index) & (this.#slots.length - 1);
      slots[index] = this.#slots[from];
      costs[index] = this.#costs[from] ?? 0;
    }
    this.#slots = slots;
    this.#costs = costs;
    this.#head = 0;
  }
}
