/** What stands where a secret was: the same text for the same secret, so that requests still match, and a wildcard in a replay. */
import { createHmac } from 'node:crypto';
import { isRawNumber } from '../../protocol/json.ts';

/** Placeholders begin with this; `[redacted:` + 16 hex digits + `]`. */
export const PLACEHOLDER_PREFIX = '[redacted:';
const PLACEHOLDER = /\[redacted:[0-9a-f]{16}\]/;
const WHOLE = /^\[redacted:[0-9a-f]{16}\]$/;
/** Secrets whose placeholder is remembered: the HMAC costs 3 µs, most frames carry the same few. */
const REMEMBERED = 4096;

/** Whether a value is nothing but a placeholder. */
export function isPlaceholder(value: unknown): value is string {
  return typeof value === 'string' && WHOLE.test(value);
}

/** Whether a text has a placeholder in it. */
export function hasPlaceholder(text: string): boolean {
  return text.includes(PLACEHOLDER_PREFIX) && PLACEHOLDER.test(text);
}

/**
 * Whether a value may be what was recorded: a text is compared around its placeholders, each of which stands for any text; a value that is
 * nothing but a placeholder stands for any text or number.
 */
export function placeholderMatches(recorded: string, actual: unknown): boolean {
  if (WHOLE.test(recorded)) return typeof actual === 'string' || typeof actual === 'number' || isRawNumber(actual);
  if (typeof actual !== 'string') return false;
  const [first = '', ...rest] = recorded.split(PLACEHOLDER);
  const last = rest.pop();
  if (last === undefined) return first === actual;
  if (actual.length < first.length + last.length || !actual.startsWith(first) || !actual.endsWith(last)) return false;
  // Linear: the earliest place of each piece is as good as any later one.
  let at = first.length;
  for (const piece of rest) {
    const found = actual.indexOf(piece, at);
    if (found === -1 || found + piece.length > actual.length - last.length) return false;
    at = found + piece.length;
  }
  return true;
}

/** Makes placeholders. The key stays on this machine: without it nobody can try secrets against a placeholder. */
export class Pseudonyms {
  readonly #key: Uint8Array;
  readonly #made = new Map<string, string>();

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The placeholder of a secret: 64 bits of HMAC-SHA-256. */
  of(secret: string): string {
    const known = this.#made.get(secret);
    if (known !== undefined) return known;
    if (this.#made.size >= REMEMBERED) this.#made.clear();
    const made = `${PLACEHOLDER_PREFIX}${createHmac('sha256', this.#key).update(secret.toWellFormed()).digest('hex').slice(0, 16)}]`;
    this.#made.set(secret, made);
    return made;
  }
}
