/** SQLite's values as JSON. */
import type { Bindable } from '../engine.ts';

/** Integers beyond 2^53 as text, blobs as their size and content, infinities as text. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Uint8Array)
    return { bytes: value.length, base64: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') };
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value ?? null;
}

/** How many bytes a value takes in JSON, without writing it. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 3;
  if (value instanceof Uint8Array) return Math.ceil(value.length * 1.34) + 30;
  return 12;
}

/** An integer bound as a number becomes a REAL, which has no place in an index on INTEGER: it is bound as what it is. */
export function toSqlite(value: Bindable): string | number | bigint | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return value;
}
