/** Keeps the daemon alive while requests come, without a timer for each of them. */

/** Milliseconds after the last request during which the daemon is held: longer than the pause between two requests of a busy client. */
const LINGER_MS = 5000;

/** Counts requests and holds the daemon while there are any, and a moment longer. */
export class Activity {
  readonly #hold: () => () => void;
  #running = 0;
  #release: (() => void) | undefined;
  #look: NodeJS.Timeout | undefined;
  #busy = false;

  /** @param hold keeps the daemon alive until what it returns is called */
  constructor(hold: () => () => void) {
    this.#hold = hold;
  }

  /** A request came. */
  begin(): void {
    this.#running += 1;
    this.#busy = true;
    if (this.#release !== undefined) return;
    this.#release = this.#hold();
    this.#look = setInterval(() => this.#rest(), LINGER_MS).unref();
  }

  /** It is over. Bound, so that it can be handed out. */
  readonly end = (): void => {
    this.#running -= 1;
  };

  /** Gives the daemon up once nothing came since the last look. */
  #rest(): void {
    if (this.#running === 0 && !this.#busy) {
      clearInterval(this.#look);
      this.#release?.();
      this.#release = undefined;
    }
    this.#busy = false;
  }
}
