/** One GET: redirects by hand on the same origin, one content-encoding, a cap on what is decoded, a deadline. */
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { type Dispatcher, request } from 'undici';
import { SignalboxError } from '../../../daemon/api/errors.ts';

const MAX_REDIRECTS = 5;

/** How to fetch. */
export interface FetchOptions {
  readonly agent: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}
/** What came back. */
export interface Fetched {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** The body was longer than the cap. */
  readonly truncated: boolean;
}

/**
 * Fetches a URL.
 * @throws SignalboxError `SBX_API_REFUSED` (address, redirect, encoding), `SBX_API_FAILED` (network, deadline)
 */
export async function guardedGet(url: URL, options: FetchOptions): Promise<Fetched> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const headers = {
    accept: 'application/json, text/*;q=0.9, */*;q=0.1',
    'accept-encoding': 'gzip',
    'user-agent': 'signalbox',
    ...options.headers,
  };
  try {
    let target = url;
    for (let redirects = 0; ; redirects++) {
      const response = await request(target.href, { method: 'GET', dispatcher: options.agent, headers, signal });
      // Destroying an unread body emits an error; without a listener that would end the process.
      response.body.on('error', () => undefined);
      const location = single(response.headers['location']);
      if (![301, 302, 303, 307, 308].includes(response.statusCode) || location === undefined)
        return await receive(response, options.maxBytes, signal);
      response.body.destroy();
      target = redirectTarget(target, location, redirects);
    }
  } catch (thrown) {
    throw explained(thrown, url, options);
  }
}

function redirectTarget(from: URL, location: string, count: number): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const why =
    to === undefined
      ? `The address "${location.slice(0, 200)}" is not a URL.`
      : to.origin !== from.origin || to.username !== '' || to.password !== ''
        ? `It leads from ${from.origin} to ${to.origin}; headers with keys must not follow.`
        : count >= MAX_REDIRECTS
          ? `More than ${MAX_REDIRECTS} redirects.`
          : undefined;
  if (to !== undefined && why === undefined) return to;
  throw new SignalboxError('SBX_API_REFUSED', 'The API answered with a redirect that is not followed.', {
    why: why ?? 'It is not valid.',
    fix: 'If the API has moved, correct "baseUrl" in the settings.',
  });
}

async function receive(response: Dispatcher.ResponseData, maxBytes: number, signal: AbortSignal): Promise<Fetched> {
  const stream = decoded(response.body, single(response.headers['content-encoding']));
  const onAbort = (): void => void stream.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal.addEventListener('abort', onAbort, { once: true });
  const chunks: Buffer[] = [];
  let length = 0;
  let truncated = false;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) {
        truncated = true;
        break;
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    response.body.destroy();
  }
  return {
    status: response.statusCode,
    contentType: single(response.headers['content-type']) ?? '',
    body: Buffer.concat(chunks).subarray(0, maxBytes),
    truncated,
  };
}

function decoded(body: Readable, encoding: string | undefined): Readable {
  const decoder = decoderOf((encoding ?? 'identity').trim().toLowerCase());
  if (decoder === undefined) return body;
  decoder.on('error', () => undefined);
  body.on('error', (error) => decoder.destroy(error));
  return body.pipe(decoder);
}

function decoderOf(encoding: string): Transform | undefined {
  if (encoding === 'identity' || encoding === '') return undefined;
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  if (encoding === 'deflate') return createInflate();
  if (encoding === 'br') return createBrotliDecompress();
  if (encoding === 'zstd') return createZstdDecompress();
  throw new SignalboxError('SBX_API_REFUSED', 'The answer of the API cannot be decoded.', {
    why: `Its content-encoding is "${encoding.slice(0, 100)}"; one of gzip, deflate, br, zstd is accepted, and only one.`,
    fix: 'Ask the owner of the API.',
  });
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function explained(thrown: unknown, url: URL, options: FetchOptions): unknown {
  for (let error = thrown; error instanceof Error; error = error.cause) if (error instanceof SignalboxError) return error;
  if (options.signal.aborted) return thrown;
  const late = thrown instanceof Error && thrown.name === 'TimeoutError';
  return new SignalboxError('SBX_API_FAILED', `${url.origin} did not answer${late ? ' in time' : ''}.`, {
    why: late ? `It took longer than ${options.timeoutMs} ms.` : thrown instanceof Error ? thrown.message : String(thrown),
    fix: 'Check that the API runs and that "baseUrl" is right.',
    cause: thrown,
  });
}
