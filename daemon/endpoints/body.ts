/** Reads a request body under the one message limit. */
import type { IncomingMessage } from 'node:http';
import { SignalboxError } from '../api/errors.ts';

const EMPTY = Buffer.alloc(0);

/**
 * The whole body. Most arrive in one piece and are not copied.
 * @param limit bytes
 * @throws SBX_MESSAGE_TOO_LARGE when the limit was passed; the rest is read away so that the connection lives on
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let first: Buffer = EMPTY;
    let more: Buffer[] | undefined;
    let size = 0;
    // No async iterator: one costs more than everything else done to a small body.
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) more = [];
      else if (first.length === 0) first = chunk;
      else if (more === undefined) more = [first, chunk];
      else more.push(chunk);
    });
    request.once('end', () => {
      if (size > limit) reject(tooLarge(size, limit));
      else resolve(more === undefined ? first : Buffer.concat(more, size));
    });
    // A client that goes away in the middle is an error of the stream too.
    request.once('error', reject);
  });
}

function tooLarge(size: number, limit: number): SignalboxError {
  return new SignalboxError('SBX_MESSAGE_TOO_LARGE', `The message has ${size} bytes.`, {
    why: `limits.messageBytes is ${limit}.`,
    fix: 'Send less, or raise limits.messageBytes in the configuration.',
  });
}
