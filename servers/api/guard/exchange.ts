/** One request and its answer, guarded: known origins only, checked headers, redirects by hand on the same origin, a cap, a deadline. */
import { cacheStores, type Dispatcher, interceptors, request } from 'undici';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { PrivateHosts } from './address.ts';
import { guardedAgent, type Resolve } from './dialer.ts';
import { checkHeader } from './headers.ts';
import { receive, single } from './receive.ts';
import { strictUrl } from './target.ts';

const MAX_REDIRECTS = 5;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']);
/** A cached answer at most, and all of them together, in bytes as received. */
const CACHE = { maxEntrySize: 4 * 1024 * 1024, maxSize: 32 * 1024 * 1024, maxCount: 512 };

/** How a guard is made. */
export interface GuardOptions {
  /** The origins that may be asked at all (`https://api.example.com`), from the description or the settings. */
  readonly origins: readonly string[];
  /** `host:port` entries that may be dialled although they are not on the public internet. */
  readonly allowPrivate: readonly string[];
  /** Milliseconds for one request with its redirects and its body. */
  readonly timeoutMs: number;
  /** Keep answers by the rules of RFC 9111, in memory. */
  readonly cache: boolean;
  readonly resolve?: Resolve;
  readonly ca?: string;
}
/** One request. */
export interface GuardedRequest {
  readonly method: string;
  readonly url: string;
  /** Set by the settings of the server: everything but framing. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Set by arguments of a call: neither framing nor credentials nor routing. */
  readonly argumentHeaders?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}
/** What came back. */
export interface Fetched {
  readonly status: number;
  readonly url: string;
  /** Lower-case names; a repeated header joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly body: Buffer;
  /** The body was longer than the cap. */
  readonly truncated: boolean;
}
/** A guard: everything that goes to the network goes through one. */
export interface Guard {
  /** @throws SignalboxError `SBX_API_REFUSED`, `SBX_API_INPUT`, `SBX_API_TLS`, `SBX_API_TIMEOUT`, `SBX_API_FAILED` */
  exchange(asked: GuardedRequest): Promise<Fetched>;
  close(): Promise<void>;
}

/** Opens a guard. */
export function openGuard(options: GuardOptions): Guard {
  const agent = guardedAgent({
    privateHosts: new PrivateHosts(options.allowPrivate),
    timeoutMs: options.timeoutMs,
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const store = new cacheStores.MemoryCacheStore(CACHE);
  const cached = options.cache ? agent.compose(interceptors.cache({ store, methods: ['GET', 'HEAD'], type: 'private' })) : agent;
  const origins = new Set(options.origins.map((origin) => new URL(origin).origin));
  return {
    exchange: (asked) => exchange(asked, cached, origins, options.timeoutMs),
    close: () => agent.destroy(),
  };
}

async function exchange(asked: GuardedRequest, dispatcher: Dispatcher, origins: ReadonlySet<string>, timeoutMs: number): Promise<Fetched> {
  const url = strictUrl(asked.url);
  if (typeof url === 'string') throw refused('The address of the request cannot be used.', url, 'Correct the address.');
  if (!origins.has(url.origin)) {
    const why = `It is none of the hosts of this API: ${[...origins].join(', ')}.`;
    throw refused(`${url.origin} may not be reached.`, why, 'Use the hosts of the description, or set "hosts" in the settings.');
  }
  if (!METHODS.has(asked.method))
    throw refused(`The method ${JSON.stringify(asked.method)} is not sent.`, 'It is no method of an API.', '');
  for (const [name, value] of Object.entries(asked.headers ?? {})) checkHeader(name, value, 'settings');
  for (const [name, value] of Object.entries(asked.argumentHeaders ?? {})) checkHeader(name, value, 'argument');
  const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await follow(url, asked, dispatcher, signal);
  } catch (thrown) {
    throw explained(thrown, url, asked.signal, timeoutMs);
  }
}

async function follow(first: URL, asked: GuardedRequest, dispatcher: Dispatcher, signal: AbortSignal): Promise<Fetched> {
  const headers = merged(asked);
  let { method, body } = asked;
  let target = first;
  for (let redirects = 0; ; redirects++) {
    const response = await request(target.href, {
      method: method as Dispatcher.HttpMethod,
      dispatcher,
      headers,
      signal,
      ...(body === undefined ? {} : { body }),
    });
    // Destroying an unread body emits an error; without a listener that would end the process.
    response.body.on('error', () => undefined);
    const location = single(response.headers['location']);
    if (![301, 302, 303, 307, 308].includes(response.statusCode) || location === undefined) {
      const received = await receive(response, asked.maxBytes, signal);
      const flat = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), single(value) ?? '']));
      return { status: response.statusCode, url: target.href, headers: flat, contentType: flat['content-type'] ?? '', ...received };
    }
    response.body.destroy();
    target = redirectTarget(target, location, redirects);
    const keeps = method === 'GET' || method === 'HEAD' || response.statusCode === 307 || response.statusCode === 308;
    if (!keeps) {
      method = 'GET';
      body = undefined;
      headers.delete('content-type');
    }
  }
}

/** Each name once, the settings first; with the names as they were given. */
function merged(asked: GuardedRequest): Map<string, string> {
  const headers = new Map([
    ['accept', 'application/json, text/*;q=0.9, */*;q=0.1'],
    ['accept-encoding', 'gzip, deflate, br'],
    ['user-agent', 'signalbox'],
  ]);
  for (const [name, value] of Object.entries(asked.argumentHeaders ?? {})) headers.set(name.toLowerCase(), value);
  for (const [name, value] of Object.entries(asked.headers ?? {})) headers.set(name.toLowerCase(), value);
  return headers;
}

function redirectTarget(from: URL, location: string, count: number): URL {
  const absolute = URL.canParse(location, from.href) ? new URL(location, from).href : location;
  const odd = /[\u0000-\u0020\u007f\\]/u.test(location) || /^[a-z][a-z0-9+.-]*:(?!\/\/)/iu.test(location);
  const to = odd ? 'It is not spelled as an address.' : strictUrl(absolute);
  const why =
    typeof to === 'string'
      ? `The address ${JSON.stringify(location.slice(0, 200))} cannot be used: ${to}`
      : to.origin !== from.origin
        ? `It leads from ${from.origin} to ${to.origin}; headers with keys must not follow.`
        : count >= MAX_REDIRECTS
          ? `More than ${MAX_REDIRECTS} redirects.`
          : undefined;
  if (typeof to !== 'string' && why === undefined) return to;
  throw refused(
    'The API answered with a redirect that is not followed.',
    why ?? '',
    'If the API has moved, correct "baseUrl" in the settings.',
  );
}

function refused(message: string, why: string, fix: string): SignalboxError {
  return new SignalboxError('SBX_API_REFUSED', message, { why, fix: fix === '' ? 'Use another tool.' : fix });
}

const TLS = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|EPROTO|DEPTH_ZERO/u;

function explained(thrown: unknown, url: URL, cancelled: AbortSignal, timeoutMs: number): unknown {
  let code = '';
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof SignalboxError) return error;
    if (code === '' && 'code' in error) code = String(error.code);
  }
  if (cancelled.aborted) return thrown;
  const why =
    thrown instanceof Error ? `${thrown.message}${code === '' || thrown.message.includes(code) ? '' : ` (${code})`}` : String(thrown);
  if ((thrown instanceof Error && thrown.name === 'TimeoutError') || /^UND_ERR_(?:HEADERS|BODY|CONNECT)_TIMEOUT$/u.test(code)) {
    return new SignalboxError('SBX_API_TIMEOUT', `${url.origin} did not answer in time.`, {
      why: `It took longer than ${timeoutMs} ms.`,
      fix: 'Ask for less (a smaller page, a narrower search), try again later, or raise "timeoutMs" in the settings.',
      cause: thrown,
    });
  }
  if (TLS.test(code)) {
    return new SignalboxError('SBX_API_TLS', `The certificate or TLS of ${url.origin} is not good.`, {
      why,
      fix: 'Do not try again: a person has to look at the certificate; a private authority goes into "ca" in the settings.',
      cause: thrown,
    });
  }
  return new SignalboxError('SBX_API_FAILED', `${url.origin} could not be reached or broke off its answer.`, {
    why,
    fix: 'Try once more in a moment; if it stays so, check that the API runs and that "baseUrl" in the settings is right.',
    cause: thrown,
  });
}
