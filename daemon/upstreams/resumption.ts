/** Where an event stream can be taken up again, and when (2025-11-25, "Resumability and Redelivery"; SEP-1699). */
import type { StreamEvent } from './event-stream.ts';

/** Milliseconds before the first attempt when the server names none. */
const RETRY_MS = 1000;
/** Longest wait between attempts that fail, milliseconds. */
const LONGEST_MS = 30_000;
/** Attempts in a row that bring no stream. */
const ATTEMPTS = 8;

/** The state of one stream over all its connections. */
export class Resumption {
  #lastEventId: string | undefined;
  #retryMs: number | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the connection now open is one that took the stream up. */
  resuming = false;

  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Takes note of an event. An empty id means there is none (HTML Living Standard). */
  heard({ id, retry }: StreamEvent): void {
    if (id !== undefined) this.#lastEventId = id === '' ? undefined : id;
    if (retry !== undefined) this.#retryMs = Math.min(retry, 0x7fffffff);
  }

  /** A stream has come: what failed before counts no more. */
  began(): void {
    this.#failures = 0;
  }

  /** Calls back when it is time for the next attempt; false when there were enough. */
  again(attempt: (lastEventId: string | undefined) => void): boolean {
    if (this.#failures >= ATTEMPTS) return false;
    const wait = Math.min((this.#retryMs ?? RETRY_MS) * 1.5 ** this.#failures, Math.max(LONGEST_MS, this.#retryMs ?? 0));
    this.#failures++;
    this.#timer = setTimeout(() => {
      this.resuming = true;
      attempt(this.#lastEventId);
    }, wait);
    this.#timer.unref();
    return true;
  }

  /** No further attempt. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
