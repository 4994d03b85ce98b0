/** Lists as bytes: what a thousand tools look like on the wire is worked out once, not for every client that lists them. */
import { RawOutcome } from '../protocol/frame.ts';
import type { JsonObject } from '../protocol/message.ts';

const encoded = new WeakMap<readonly JsonObject[], Buffer>();

/**
 * A result with nothing but a list in it; add the rest with `withMembers`.
 * @param field of the result the list stands in; an array of definitions always stands in the same one
 */
export function listOutcome(field: string, items: readonly JsonObject[]): RawOutcome {
  const key = `${JSON.stringify(field)}:`;
  const known = encoded.get(items);
  const bytes = known ?? Buffer.from(`${key}${JSON.stringify(items)}`);
  if (known === undefined) encoded.set(items, bytes);
  return new RawOutcome(bytes, [{ key: field, start: 0, value: Buffer.byteLength(key), end: bytes.length }]);
}
