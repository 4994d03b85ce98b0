/** How fast one host may be asked: a rate of the settings, and what its answers say (`Retry-After`, rate headers). */
import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxError } from '../../../daemon/api/errors.ts';

type Headers = Readonly<Record<string, string>>;

/** The pace of one host. Times in milliseconds since the epoch. */
export class Pace {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filled = Date.now();
  #blockedUntil = 0;

  /** @param perSecond requests per second in the long run; @param burst as many at once */
  constructor(perSecond = Number.POSITIVE_INFINITY, burst = Math.max(1, Math.ceil(perSecond))) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /**
   * Waits until the next request may be sent.
   * @param maxMs as long at most
   * @throws SignalboxError `SBX_API_LIMITED` when it would be longer, at once
   */
  async turn(host: string, maxMs: number, signal: AbortSignal): Promise<void> {
    const now = Date.now();
    if (Number.isFinite(this.#perSecond)) {
      this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filled) / 1000) * this.#perSecond);
      this.#filled = now;
    }
    const forToken = Number.isFinite(this.#perSecond) && this.#tokens < 1 ? ((1 - this.#tokens) / this.#perSecond) * 1000 : 0;
    const wait = Math.max(forToken, this.#blockedUntil - now);
    if (wait > maxMs) throw limited(host, wait);
    this.#tokens -= 1;
    if (wait > 0) await sleep(wait, undefined, { signal });
  }

  /** Learns from an answer; how long the host asks to wait, in milliseconds, if it does. */
  learn(status: number, headers: Headers): number | undefined {
    const wait = waitOf(status, headers, Date.now());
    if (wait !== undefined) this.#blockedUntil = Math.max(this.#blockedUntil, Date.now() + wait);
    return wait;
  }
}

/**
 * What the headers of an answer ask to wait, in milliseconds. Dates count from the host's own clock (`Date`), so a wrong clock here does no harm.
 */
export function waitOf(status: number, headers: Headers, now: number): number | undefined {
  const theirNow = Date.parse(headers['date'] ?? '');
  const clock = Number.isNaN(theirNow) ? now : theirNow;
  const asked = headers['retry-after'];
  if (asked !== undefined && (status === 429 || status === 503 || status === 403 || (status >= 300 && status < 400))) {
    if (/^\s*\d+(?:\.\d+)?\s*$/u.test(asked)) return bounded(Number(asked) * 1000);
    const date = Date.parse(asked);
    if (!Number.isNaN(date)) return bounded(date - clock);
  }
  const remaining =
    first(headers, ['x-ratelimit-remaining', 'x-rate-limit-remaining', 'ratelimit-remaining']) ?? structured(headers['ratelimit'], 'r');
  if (remaining === undefined || Number(remaining) > 0 || Number.isNaN(Number(remaining))) return undefined;
  const reset = first(headers, ['x-ratelimit-reset', 'x-rate-limit-reset', 'ratelimit-reset']) ?? structured(headers['ratelimit'], 't');
  const seconds = Number(reset);
  if (reset === undefined || Number.isNaN(seconds)) return undefined;
  // GitHub gives seconds since the epoch, the draft gives seconds from now, some give milliseconds since the epoch.
  return bounded(seconds > 1e12 ? seconds - clock : seconds > 1e9 ? seconds * 1000 - clock : seconds * 1000);
}

function limited(host: string, waitMs: number): SignalboxError {
  const seconds = Math.ceil(waitMs / 1000);
  return new SignalboxError('SBX_API_LIMITED', `${host} may not be asked for another ${seconds} s.`, {
    why: 'Its rate limit (or that of the settings) is used up.',
    fix: `Do something else and try again in ${seconds} s; ask for more in one request where the tool allows it.`,
  });
}

/** Not in the past, and not beyond a day: what asks for more is broken. */
function bounded(ms: number): number {
  return Math.min(Math.max(ms, 0), 24 * 3_600_000);
}

function first(headers: Headers, names: readonly string[]): string | undefined {
  return names.map((name) => headers[name]).find((value) => value !== undefined);
}

/** A parameter of the draft's `RateLimit: "default";r=0;t=30`. */
function structured(header: string | undefined, key: string): string | undefined {
  return new RegExp(`(?:^|[;,\\s])${key}=(\\d+)`, 'u').exec(header ?? '')?.[1];
}
