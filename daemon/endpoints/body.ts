/** Reads a request body under the one message limit. */
import type { IncomingMessage } from 'node:http';
import { SignalboxError } from '../api/errors.ts';

/**
 * The whole body as text.
 * @param limit bytes
 * @throws SBX_MESSAGE_TOO_LARGE as soon as the limit is passed; the rest is read away so that the connection lives on
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > limit) {
    throw new SignalboxError('SBX_MESSAGE_TOO_LARGE', `The message has ${size} bytes.`, {
      why: `limits.messageBytes is ${limit}.`,
      fix: 'Send less, or raise limits.messageBytes in the configuration.',
    });
  }
  return Buffer.concat(chunks).toString('utf8');
}
