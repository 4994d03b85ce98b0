/** Where the members of a JSON object stand in its bytes, found without parsing what is in them. Pure. */

/** One member: `"key": value`. Offsets into the bytes that were scanned. */
export interface Member {
  /** The key, its escapes undone. */
  readonly key: string;
  /** Offset of the key's opening quote. */
  readonly start: number;
  /** Offset of the value. */
  readonly value: number;
  /** Offset after the value. */
  readonly end: number;
  /** The value, where it was looked into. */
  readonly inner?: ObjectSpan;
}
/** An object in the bytes. */
export interface ObjectSpan {
  /** In their order; no key twice. */
  readonly members: readonly Member[];
  /** Offset after its closing brace. */
  readonly end: number;
}

/** Members beyond which an object is not worth this. */
const MEMBERS_LIMIT = 256;
/** Bytes of a string looked at here before the native search takes over: short strings are not worth its call. */
const SHORT = 48;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_ARRAY = 0x5d;
const CLOSE_OBJECT = 0x7d;

/**
 * The object that begins at `from`. Undefined when there is none, when its braces, brackets and strings do not balance, when a key is
 * there twice, or when there are more than 256 members. What the values hold is not validated.
 * @param only keys it may have: another one makes it undefined at once
 * @param into the key whose value is to be looked into: its `inner` is set, and it must be an object as well
 */
export function objectAt(bytes: Buffer, from: number, only?: readonly string[], into?: string): ObjectSpan | undefined {
  if (bytes[from] !== OPEN_OBJECT) return undefined;
  const members: Member[] = [];
  let at = skipSpace(bytes, from + 1);
  if (bytes[at] === CLOSE_OBJECT) return { members, end: at + 1 };
  for (;;) {
    const start = at;
    if (bytes[at] !== QUOTE) return undefined;
    at = endOfString(bytes, at + 1);
    const key = at === -1 ? undefined : keyOf(bytes, start, at);
    if (key === undefined || only?.includes(key) === false) return undefined;
    if (members.length === MEMBERS_LIMIT || members.some((member) => member.key === key)) return undefined;
    at = skipSpace(bytes, at);
    if (bytes[at] !== COLON) return undefined;
    const value = skipSpace(bytes, at + 1);
    const inner = key === into ? objectAt(bytes, value) : undefined;
    const end = key === into ? inner?.end : endOfValue(bytes, value);
    if (end === undefined || end === -1) return undefined;
    members.push({ key, start, value, end, ...(inner && { inner }) });
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_OBJECT) return { members, end: at + 1 };
    if (bytes[at] !== COMMA) return undefined;
    at = skipSpace(bytes, at + 1);
  }
}

/** The offset after white space (RFC 8259 section 2). */
export function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d; byte = bytes[at]) at++;
  return at;
}

function keyOf(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('utf8', start + 1, end - 1);
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined; // a bad escape: the caller parses the whole and says so
  }
}

/** The offset after the value at `from`, or -1. */
function endOfValue(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return endOfString(bytes, from + 1);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return endOfNested(bytes, from);
  let at = from;
  for (let byte = bytes[at]; byte !== undefined && byte > 0x20 && byte !== COMMA && byte !== CLOSE_OBJECT; byte = bytes[at]) at++;
  return PRIMITIVE.test(bytes.toString('latin1', from, at)) ? at : -1;
}
const PRIMITIVE = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

function endOfNested(bytes: Buffer, from: number): number {
  const closers: number[] = [];
  const { length } = bytes;
  for (let at = from; at < length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1) - 1;
      if (at < 0) return -1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) closers.push(byte + 2);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (closers.pop() !== byte) return -1;
      if (closers.length === 0) return at + 1;
    }
  }
  return -1;
}

/** The offset after the closing quote of the string whose first character is at `from`, or -1. */
function endOfString(bytes: Buffer, from: number): number {
  const { length } = bytes;
  let at = from;
  for (;;) {
    for (const stop = Math.min(at + SHORT, length); at < stop; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) at++;
    }
    const quote = bytes.indexOf(QUOTE, at);
    if (quote === -1) return -1;
    let before = quote;
    while (before > at && bytes[before - 1] === BACKSLASH) before--;
    if ((quote - before) % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}
