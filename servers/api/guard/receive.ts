/** The body of an answer: one content-encoding, a cap on what is decoded, the deadline also for a body that trickles. */
import { once } from 'node:events';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { SignalboxError } from '../../../daemon/api/errors.ts';

/**
 * Reads and decodes a body up to a number of bytes.
 * @param maxBytes of the decoded body; one byte more marks it truncated and ends the transfer
 * @throws SignalboxError `SBX_API_REFUSED` for an encoding that is unknown or applied twice; whatever the connection throws
 */
export async function receive(
  response: Dispatcher.ResponseData,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ readonly body: Buffer; readonly truncated: boolean }> {
  const stream = await decoded(response.body, single(response.headers['content-encoding']));
  const onAbort = (): void => void stream.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) break;
    }
  } catch (error) {
    // The answer to HEAD, a 204 and an empty body may name an encoding of the nothing they carry.
    if (length > 0 || !('bytesWritten' in stream) || stream.bytesWritten !== 0 || signal.aborted || !isUnexpectedEnd(error)) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!response.body.readableEnded) response.body.destroy();
  }
  return { body: Buffer.concat(chunks).subarray(0, maxBytes), truncated: length > maxBytes };
}

async function decoded(body: Readable, encoding: string | undefined): Promise<Readable> {
  const name = (encoding ?? 'identity').trim().toLowerCase();
  const decoder = name === 'deflate' && (await isRawDeflate(body)) ? createInflateRaw() : decoderOf(name);
  if (decoder === undefined) return body;
  decoder.on('error', () => body.destroy());
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
    fix: 'Tell the owner of the API; the arguments are not at fault.',
  });
}

/** Some servers leave out the frame that RFC 9110 asks for; browsers look at the first byte too. */
async function isRawDeflate(body: Readable): Promise<boolean> {
  await Promise.race([once(body, 'readable'), once(body, 'end'), once(body, 'close')]);
  const first: unknown = body.read(1);
  if (!Buffer.isBuffer(first)) return false;
  body.unshift(first);
  return ((first[0] ?? 0) & 15) !== 8;
}

function isUnexpectedEnd(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
}

/** A header that may have come several times, as one text. */
export function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
