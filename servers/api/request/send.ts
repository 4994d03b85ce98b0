/** Sends a request with credentials, at the host's pace, and again where that is safe. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { isIdempotent } from '../description/operation.ts';
import type { Fetched, Guard } from '../guard/exchange.ts';
import type { Authenticator } from './auth.ts';
import type { BuiltRequest } from './build.ts';
import { Pace } from './pace.ts';

/** What sending needs. */
export interface Sender {
  readonly guard: Guard;
  readonly auth: Authenticator;
  /** Headers of the settings; they may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Origins that get credentials and those headers. */
  readonly trusted: ReadonlySet<string>;
  readonly paces: Map<string, Pace>;
  readonly rate: { readonly perSecond?: number; readonly burst?: number };
  /** Tries at most; 1: never again. */
  readonly tries: number;
  /** Milliseconds that all waiting of one call may take. */
  readonly maxWaitMs: number;
  /** Header that makes a write safe to repeat, such as `Idempotency-Key`. */
  readonly idempotencyHeader: string | undefined;
}
/** An answer, and how many requests it took. */
export interface Sent {
  readonly fetched: Fetched;
  readonly requests: number;
}

const AGAIN = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Sends a request.
 * @param key the same for every try of one call, for the idempotency header
 * @throws SignalboxError of the guard, `SBX_API_LIMITED`, `SBX_API_AUTH`
 */
export async function send(
  sender: Sender,
  built: BuiltRequest,
  options: { maxBytes: number; signal: AbortSignal; key: string },
): Promise<Sent> {
  const { origin } = built.url;
  const pace = paceOf(sender, origin);
  const writes = !isIdempotent(built.method);
  const repeatable = !writes || sender.idempotencyHeader !== undefined;
  let waited = 0;
  let renewed = false;
  for (let attempt = 1; ; attempt++) {
    await pace.turn(origin, sender.maxWaitMs - waited, options.signal);
    let fetched: Fetched | undefined;
    let failure: unknown;
    try {
      fetched = await once(sender, built, options);
    } catch (error) {
      failure = error;
    }
    if (fetched === undefined) {
      if (!repeatable || attempt >= sender.tries || options.signal.aborted || !isTransient(failure)) throw failure;
    } else {
      const asked = pace.learn(fetched.status, fetched.headers);
      if (fetched.status === 401 && !renewed && sender.trusted.has(origin) && sender.auth.renew()) {
        renewed = true;
        continue;
      }
      if (!repeatable || attempt >= sender.tries || !AGAIN.has(fetched.status)) return { fetched, requests: attempt };
      // The wait that was asked for is taken by the next turn; without one, a back-off of our own.
      if (asked !== undefined) {
        if (asked > sender.maxWaitMs - waited) return { fetched, requests: attempt };
        waited += asked;
        continue;
      }
    }
    const pause = Math.min(200 * 2 ** (attempt - 1), 5000) * (0.5 + Math.random() / 2);
    if (waited + pause > sender.maxWaitMs) {
      if (fetched !== undefined) return { fetched, requests: attempt };
      throw failure;
    }
    waited += pause;
    await sleep(pause, undefined, { signal: options.signal });
  }
}

async function once(
  sender: Sender,
  built: BuiltRequest,
  { maxBytes, signal, key }: { maxBytes: number; signal: AbortSignal; key: string },
): Promise<Fetched> {
  const trusted = sender.trusted.has(built.url.origin);
  const url = new URL(built.url);
  const headers: Record<string, string> = lower(built.headers);
  if (trusted) {
    const credentials = await sender.auth.credentials(signal);
    for (const [name, value] of credentials.query) {
      // Whatever came before of this name goes: a second key in the address is smuggling. The rest stays as it was written.
      const kept = url.search
        .slice(1)
        .split('&')
        .filter((pair) => pair !== '' && !new URLSearchParams(pair).has(name));
      url.search = [...kept, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join('&');
    }
    const { cookie, ...others } = credentials.headers;
    Object.assign(headers, lower(sender.headers), others);
    const cookies = [cookie, lower(sender.headers)['cookie'], lower(built.headers)['cookie']].filter((each) => each !== undefined);
    if (cookies.length > 0) headers['cookie'] = [...new Set(cookies)].join('; ');
  }
  if (sender.idempotencyHeader !== undefined && !isIdempotent(built.method)) headers[sender.idempotencyHeader.toLowerCase()] = key;
  return sender.guard.exchange({
    method: built.method,
    url: url.href,
    headers,
    argumentHeaders: built.argumentHeaders,
    maxBytes,
    signal,
    ...(built.body === undefined ? {} : { body: built.body }),
  });
}

function paceOf(sender: Sender, origin: string): Pace {
  let pace = sender.paces.get(origin);
  if (pace === undefined) {
    pace = new Pace(sender.rate.perSecond, sender.rate.burst);
    sender.paces.set(origin, pace);
  }
  return pace;
}

function isTransient(failure: unknown): boolean {
  return failure instanceof SignalboxError && failure.code === 'SBX_API_FAILED';
}

function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
