/** Secrets that are known: the values of the secret store, in every form they may take on the way. */

import { Trigrams } from './trigrams.ts';

/** Shorter values are left alone: replacing every "1" would destroy the text and hide nothing. */
const SHORTEST = 4;
/** Shorter pieces of base64 would be found where there is no secret. */
const SHORTEST_ENCODED = 8;

/** Finds known secrets in texts. */
export class KnownValues {
  readonly #owner = new Map<string, string>();
  readonly #values: ReadonlySet<string>;
  readonly #beginnings: Trigrams;
  /** All forms: `g` to replace, `y` to look at one place. */
  readonly #pattern: RegExp | undefined;
  readonly #here: RegExp | undefined;

  /** @param values the secrets; those under four characters are left alone */
  constructor(values: readonly string[]) {
    const kept = [...new Set(values)].filter((value) => value.length >= SHORTEST);
    this.#values = new Set(kept);
    // A plain value wins over another's encoded form.
    for (const value of kept) this.#owner.set(value, value);
    for (const value of kept) for (const form of formsOf(value)) if (!this.#owner.has(form)) this.#owner.set(form, value);
    // Longest first: a value may be part of another.
    const forms = [...this.#owner.keys()].sort((a, b) => b.length - a.length);
    this.#beginnings = new Trigrams(forms, false);
    const source = forms
      .map((form) => form.replace(/[^A-Za-z0-9]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`))
      .join('|');
    this.#pattern = source === '' ? undefined : new RegExp(source, 'g');
    this.#here = source === '' ? undefined : new RegExp(source, 'y');
  }

  /** What their forms begin with. */
  get beginnings(): Iterable<string> {
    return this.#owner.keys();
  }

  /** Whether one stands at this place. */
  at(text: string, at: number): boolean {
    if (this.#here === undefined) return false;
    this.#here.lastIndex = at;
    return this.#here.test(text);
  }

  /** Whether one is in the text (JSON text too). */
  in(text: string): boolean {
    return this.#beginnings.find(text, 0, (at) => this.at(text, at)) !== -1;
  }

  /** Whether the text is one. */
  has(text: string): boolean {
    return this.#values.has(text);
  }

  /** The text with every form of every secret replaced by what `hide` makes of the secret itself. */
  replace(text: string, hide: (secret: string) => string): string {
    if (this.#pattern === undefined || !this.in(text)) return text;
    return text.replace(this.#pattern, (form) => hide(this.#owner.get(form) ?? form));
  }
}

/** How a value looks inside JSON, nested JSON, URLs, forms, base64 at any offset, and hexadecimal. */
function formsOf(value: string): readonly string[] {
  const whole = value.toWellFormed();
  const bytes = Buffer.from(whole);
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(whole);
  const strict = url.replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const hex = bytes.toString('hex');
  return [
    json,
    JSON.stringify(json).slice(1, -1),
    json.replaceAll('/', '\\/'),
    ...[url, strict].flatMap((text) => [text, text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()), text.replaceAll('%20', '+')]),
    ...base64Forms(bytes),
    ...(hex.length >= 2 * SHORTEST_ENCODED ? [hex, hex.toUpperCase()] : []),
  ];
}

/** The characters of base64 that are the value's alone, at each of the three offsets it may stand in a longer text; both alphabets. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const from = Math.ceil((offset * 8) / 6);
    const till = Math.floor(((offset + bytes.length) * 8) / 6);
    const piece = text.slice(from, till);
    return piece.length < SHORTEST_ENCODED ? [] : [piece, piece.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
