/** Limits of one server or one client: calls at once, calls that may wait, calls per minute. */
import type { ServerLimits } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';

/** Calls that may wait when the configuration says nothing. */
const QUEUE = 256;
const MINUTE_MS = 60_000;

/** Says that a call is over; calling it again does nothing. */
export type Permit = () => void;

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (error: unknown) => void;
}

const NOTHING: Permit = () => {};

/**
 * Lets calls in. First come, first served for one principal; between principals the queue goes round, so that one with a thousand waiting calls
 * holds up nobody else's one. Nothing in here grows without a bound: what the queue does not hold is refused.
 */
export class Limiter {
  readonly #subject: string;
  readonly #concurrency: number;
  readonly #queueLength: number;
  readonly #bucket: TokenBucket | undefined;
  /** Waiting calls by principal; the first principal is the next one whose turn it is. */
  readonly #queue = new Map<string, Set<Waiter>>();
  #running = 0;
  #waiting = 0;
  #closed: SignalboxError | undefined;

  /**
   * @param subject whose limits these are, at the beginning of a sentence: `Server "db"`
   * @param now clock in milliseconds, for tests
   */
  constructor(limits: ServerLimits, subject: string, now: () => number = Date.now) {
    this.#subject = subject;
    this.#concurrency = limits.concurrency ?? Number.POSITIVE_INFINITY;
    this.#queueLength = limits.queue ?? QUEUE;
    this.#bucket = limits.callsPerMinute === undefined ? undefined : new TokenBucket(limits.callsPerMinute, now);
  }

  /** Calls let in and not over yet. */
  get running(): number {
    return this.#running;
  }
  /** Calls waiting. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for its turn; at once when there is room.
   * @returns the function that says the call is over
   * @throws SBX_BUSY when the queue is full, SBX_RATE_LIMITED when there were too many calls this minute, the signal's reason when aborted
   */
  acquire(principal: string, signal: AbortSignal): Promise<Permit> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (signal.aborted) return Promise.reject(signal.reason);
    const full = this.#running >= this.#concurrency;
    if (full && this.#waiting >= this.#queueLength) return Promise.reject(this.#busy());
    const seconds = this.#bucket?.take() ?? 0;
    if (seconds > 0) return Promise.reject(this.#tooMany(seconds));
    if (!full) {
      this.#running += 1;
      return Promise.resolve(this.#permit());
    }
    return this.#enqueue(principal, signal);
  }

  /** Refuses what waits and what comes; what runs goes on. */
  close(error: SignalboxError): void {
    this.#closed = error;
    for (const waiters of [...this.#queue.values()]) for (const waiter of [...waiters]) waiter.refuse(error);
  }

  #enqueue(principal: string, signal: AbortSignal): Promise<Permit> {
    return new Promise<Permit>((resolve, reject) => {
      const waiters = this.#queue.get(principal) ?? new Set<Waiter>();
      this.#queue.set(principal, waiters);
      const leave = (): void => {
        signal.removeEventListener('abort', abort);
        this.#waiting -= 1;
        waiters.delete(waiter);
        if (waiters.size === 0) this.#queue.delete(principal);
      };
      const waiter: Waiter = {
        admit: () => {
          leave();
          this.#running += 1;
          resolve(this.#permit());
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const abort = (): void => waiter.refuse(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      waiters.add(waiter);
      this.#waiting += 1;
    });
  }

  #permit(): Permit {
    // Where nothing is counted there is nothing to give back.
    if (this.#concurrency === Number.POSITIVE_INFINITY) {
      this.#running -= 1;
      return NOTHING;
    }
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#running -= 1;
      this.#next();
    };
  }

  #next(): void {
    const [turn] = this.#queue;
    if (turn === undefined) return;
    const [principal, waiters] = turn;
    // To the end of the round, before `admit` drops it if nothing more of it waits.
    this.#queue.delete(principal);
    this.#queue.set(principal, waiters);
    const [first] = waiters;
    first?.admit();
  }

  #busy(): SignalboxError {
    return new SignalboxError('SBX_BUSY', `${this.#subject} is busy.`, {
      why: `${this.#running} calls are running and ${this.#waiting} are waiting; more would only wait longer.`,
      fix: 'Call again when some have ended, or raise limits.concurrency or limits.queue in the configuration.',
    });
  }

  #tooMany(seconds: number): SignalboxError {
    return new SignalboxError('SBX_RATE_LIMITED', `${this.#subject} was called too often.`, {
      why: `limits.callsPerMinute is ${this.#bucket?.capacity}.`,
      fix: `Call again in ${seconds} s, or raise limits.callsPerMinute in the configuration.`,
    });
  }
}

/** A bucket of `capacity` tokens that fills again evenly within a minute. */
class TokenBucket {
  readonly capacity: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor(capacity: number, now: () => number) {
    this.capacity = capacity;
    this.#now = now;
    this.#tokens = capacity;
    this.#at = now();
  }

  /** Takes one; answers the seconds until there is one again when there is none (0 = taken). */
  take(): number {
    const now = this.#now();
    this.#tokens = Math.min(this.capacity, this.#tokens + ((now - this.#at) / MINUTE_MS) * this.capacity);
    this.#at = now;
    if (this.#tokens < 1) return Math.max(1, Math.ceil(((1 - this.#tokens) * MINUTE_MS) / this.capacity / 1000));
    this.#tokens -= 1;
    return 0;
  }
}
