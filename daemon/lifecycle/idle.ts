/** Idle stop: the daemon ends some minutes after the last client, control connection, recording and run (ARCHITECTURE section 2). */

/** The timers it needs; a test brings its own. */
export interface IdleClock {
  /** Calls back once after `ms` milliseconds; returns the function that prevents it. */
  after(ms: number, callback: () => void): () => void;
}

const systemClock: IdleClock = {
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    timer.unref(); // waiting to stop is no reason to live
    return () => clearTimeout(timer);
  },
};

/** Counts what keeps the daemon alive and calls back when nothing has for long enough. */
export class IdleStop {
  readonly #delayMs: number;
  readonly #onIdle: () => void;
  readonly #clock: IdleClock;
  readonly #holders = new Map<symbol, string>();
  #cancel: (() => void) | undefined;
  #stopped = false;

  /**
   * Starts waiting at once: a daemon nobody ever comes to ends too.
   *
   * @param minutes minutes without a holder; 0 means never
   * @param onIdle called at most once
   */
  constructor(minutes: number, onIdle: () => void, clock: IdleClock = systemClock) {
    this.#delayMs = minutes * 60_000;
    this.#onIdle = onIdle;
    this.#clock = clock;
    this.#arm();
  }

  /** What keeps it alive now, for `status`. */
  get holders(): readonly string[] {
    return [...this.#holders.values()];
  }

  /**
   * Keeps the daemon alive until the returned function is called (once; again does nothing).
   *
   * @param reason for `status`, e.g. `client claude-code`
   */
  hold(reason: string): () => void {
    const key = Symbol(reason);
    this.#holders.set(key, reason);
    this.#disarm();
    return () => {
      if (this.#holders.delete(key) && this.#holders.size === 0) this.#arm();
    };
  }

  /** Never calls back any more; for a shutdown that began for another reason. */
  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  #arm(): void {
    if (this.#stopped || this.#delayMs <= 0) return;
    this.#disarm();
    this.#cancel = this.#clock.after(this.#delayMs, () => {
      this.stop();
      this.#onIdle();
    });
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
