/** Stops calls to a server that does not carry them: after failures in a row they fail at once, and one at a time tries whether it is well again. */

/** How a call went. `cancelled` says nothing about the server. */
export type CallEnd = 'ok' | 'failed' | 'cancelled';
/** Ends a call's passage; call once. */
export type Passage = (end: CallEnd) => void;

/** Failures in a row that open the circuit. */
export const FAILURES = 5;
/** Milliseconds it stays open, the first time and each time the trial fails again. */
const OPEN_MS = [10_000, 20_000, 40_000, 60_000];

/**
 * One circuit. Closed: every call passes. Open: none does. When its time is over, one call passes as a trial; its success closes the circuit,
 * its failure opens it for longer.
 */
export class CircuitBreaker {
  readonly #now: () => number;
  readonly #onChange: () => void;
  #failures = 0;
  /** Times in a row it was opened. */
  #opened = 0;
  #until = 0;
  #trying = false;

  /**
   * @param onChange called when it opens or closes
   * @param now clock in milliseconds, for tests
   */
  constructor(onChange: () => void = () => {}, now: () => number = Date.now) {
    this.#onChange = onChange;
    this.#now = now;
  }

  /** Whether it is open (or on trial). */
  get open(): boolean {
    return this.#opened > 0;
  }
  /** When the next trial may pass, milliseconds since 1970. */
  get retryAt(): number {
    return this.#until;
  }
  /** Whether a call would pass now. */
  get passable(): boolean {
    return this.#opened === 0 || (!this.#trying && this.#now() >= this.#until);
  }

  /** Lets a call pass; undefined when it may not. */
  pass(): Passage | undefined {
    if (this.#opened === 0) return this.#closedPassage;
    if (!this.passable) return undefined;
    this.#trying = true;
    return (end) => {
      this.#trying = false;
      if (end === 'ok') this.reset();
      else if (end === 'failed') this.#open();
    };
  }

  /** Closes it: the server was started anew. */
  reset(): void {
    const before = this.#opened;
    this.#failures = 0;
    this.#opened = 0;
    this.#trying = false;
    if (before > 0) this.#onChange();
  }

  readonly #closedPassage: Passage = (end) => {
    // A call from before it opened says nothing about now.
    if (this.#opened > 0 || end === 'cancelled') return;
    this.#failures = end === 'ok' ? 0 : this.#failures + 1;
    if (this.#failures >= FAILURES) this.#open();
  };

  #open(): void {
    this.#until = this.#now() + (OPEN_MS[Math.min(this.#opened, OPEN_MS.length - 1)] ?? 0);
    this.#opened += 1;
    this.#failures = 0;
    this.#onChange();
  }
}
