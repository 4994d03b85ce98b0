/** Takes secrets out of everything that leaves this server, also where an API gives one back, in the spellings it may come in. */

/** A shorter secret is only taken out where it stands alone: cutting `k1` out of every text would destroy answers. */
const MIN_LENGTH = 6;
const HIDDEN = '[secret]';
/** Bytes read beyond a limit, so that a secret across it is whole when it is looked for. */
export const SECRET_MARGIN = 4096;

/** Knows every secret of this server, also those that come later (access tokens). */
export class Secrets {
  readonly #plain = new Set<string>();
  #pattern: RegExp | undefined;
  #bytes: readonly Buffer[] = [];

  constructor(values: Iterable<string> = []) {
    this.add(...values);
  }

  /** Learns secrets. Of a header such as `Bearer abc` also the part behind the scheme. */
  add(...values: readonly string[]): void {
    for (const value of values) {
      if (value === '') continue;
      this.#plain.add(value);
      const [, credential] = /^(?:bearer|basic|token|apikey|bot)\s+(\S.*)$/iu.exec(value) ?? [];
      if (credential !== undefined) this.#plain.add(credential);
    }
    const spelled = new Set([...this.#plain].flatMap((value) => (value.length < MIN_LENGTH ? [] : spellings(value))));
    const sorted = [...spelled].sort((one, other) => other.length - one.length);
    this.#pattern =
      sorted.length === 0 ? undefined : new RegExp(sorted.map((each) => each.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')).join('|'), 'giu');
    this.#bytes = [...sorted.map((each) => Buffer.from(each)), ...sorted.map((each) => Buffer.from(each, 'utf16le'))];
  }

  /** A text without secrets. */
  text(text: string): string {
    if (this.#plain.has(text)) return HIDDEN;
    return this.#pattern === undefined ? text : text.replace(this.#pattern, HIDDEN);
  }

  /** Bytes without secrets, of the same length: a picture stays a picture. */
  bytes(bytes: Buffer): Buffer {
    let out = bytes;
    for (const secret of this.#bytes) {
      for (let at = out.indexOf(secret); at >= 0; at = out.indexOf(secret, at + secret.length)) {
        if (out === bytes) out = Buffer.from(bytes);
        out.fill('*', at, at + secret.length);
      }
    }
    return out;
  }

  /** JSON without secrets, in values and in keys. */
  value(value: unknown): unknown {
    if (this.#plain.size === 0) return value;
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number' && this.#plain.has(String(value)) && String(value).length >= MIN_LENGTH) return HIDDEN;
    if (Array.isArray(value)) return value.map((each) => this.value(each));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.value(each)]));
    return value;
  }
}

/** The spellings one value comes back in. */
function spellings(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const out = [
    value,
    json,
    json.replaceAll('/', '\\/'),
    encodeURIComponent(value),
    encodeURIComponent(value).replaceAll('%20', '+'),
    encodeURI(value),
    [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    bytes.toString('hex'),
    [...value].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ];
  // Base64 of a text that holds the secret anywhere: three alignments, without the characters that depend on the neighbours.
  for (const shift of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const middle = whole.slice(shift === 0 ? 0 : shift + 1, Math.floor(((shift + bytes.length) * 8) / 24) * 4);
    if (middle.length >= 8) out.push(middle, middle.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return out.filter((each) => each.length >= MIN_LENGTH);
}
