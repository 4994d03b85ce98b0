/**
 * Takes secrets out of messages before they are shown or written. Most frames have none: they are told apart by one look over their JSON
 * text and left as they are; the others are walked through.
 */
import { isUtf8 } from 'node:buffer';
import type { RedactionRules } from '../../api/config.ts';
import { isRawNumber, parseJson } from '../../protocol/json.ts';
import { argumentWithout } from './commands.ts';
import { isOtherThanSecret } from './harmless.ts';
import { isSecretName } from './keys.ts';
import { KnownValues } from './known-values.ts';
import { isGrantSecret } from './oauth.ts';
import { isPlaceholder, PLACEHOLDER_PREFIX, Pseudonyms } from './placeholder.ts';
import { HINT_BEGINNINGS, isHint, mayHaveShapes, withoutScheme, withoutShapes } from './shapes.ts';
import { JsonScan } from './trigrams.ts';
import { UserRules } from './user-rules.ts';

/** What a redactor is made of. Plain data: it goes to the thread that writes. */
export interface RedactorOptions {
  /** 32 bytes; never leaves the machine. */
  readonly key: Uint8Array;
  /** Values of the secret store, former ones included. */
  readonly secrets: readonly string[];
  readonly rules: RedactionRules;
}

/** Nesting beyond which a message is not walked but taken out whole. */
const DEPTH = 400;
/** Longest text tried as JSON or base64 within a text. */
const NESTED = 64 * 1024 * 1024;
const BASE64 = /^[A-Za-z0-9+/_-]{16,}={0,2}$/;
/** Members of a pair: what it is called, and what it is worth; with the prefix some APIs give both (`ParameterKey`, `ParameterValue`). */
const LABEL = /^(?:[a-z]{0,20}name|[a-z]{0,20}key|label|header|field|variable|property|parameter|param|attribute|setting|option|env)$/i;
const VALUE = /^[a-z]{0,20}value$/i;
/** What a secret is worth in an object under its name: `{"secret": {"value": "…"}}`. A schema has no such member. */
const HELD = /^(?:(?:raw|secret|current|string|plain|new|old|text|actual)?_?value|(?:plain|clear)_?text)$/i;
/** Members of a token of a language, whose value is a word of a program. */
const SYNTAX = /^(?:range|loc|location|start|end|line|column|pos|position|offset)$/;
/** Where a list of arguments stands beside the program. */
const ARGUMENTS = /^(?:args|arguments|argv)$/;
/** Names of headers in a list of them (`Vary`, `Access-Control-Allow-Headers`). */
const HEADER_NAME =
  /^(?:(?:accept|access|cache|content|if|last|mcp|proxy|sec|set|user|x)-[a-z-]+|accept|age|authorization|connection|cookie|date|etag|host|origin|referer|vary)$/i;
/** RFC 2397. */
const DATA = ';base64,';
const DATA_URL = /(;base64,)([A-Za-z0-9+/_-]{16,}={0,2})/g;
/** An escape of a URL (RFC 3986 section 2.1). */
const ENCODED = /%[0-9A-Fa-f]{2}/;

/** Takes secrets out. */
export class Redactor {
  readonly #pseudonyms: Pseudonyms;
  readonly #known: KnownValues;
  readonly #rules: UserRules;
  readonly #scan: JsonScan;
  readonly #hide: (secret: string) => string;
  /** What it looks for, for the header of a recording. */
  readonly names: readonly string[];
  /** What placeholders begin with. */
  readonly prefix = PLACEHOLDER_PREFIX;

  /** @throws SBX_CONFIG_INVALID when a rule is no pointer or no regular expression */
  constructor({ key, secrets, rules }: RedactorOptions) {
    this.#pseudonyms = new Pseudonyms(key);
    this.#known = new KnownValues(secrets);
    this.#rules = new UserRules(rules);
    this.#scan = new JsonScan([...HINT_BEGINNINGS, ...this.#known.beginnings], (text, at) => isHint(text, at) || this.#known.at(text, at));
    this.#hide = (secret) => this.#pseudonyms.of(secret);
    // The patterns themselves may tell what they hide; how many there are does not.
    this.names = [
      'names',
      'shapes',
      'stored secrets',
      ...(rules.pointers ?? []).map((pointer) => `pointer ${pointer}`),
      ...(rules.fields ?? []).map((field) => `field ${field}`),
      ...(rules.patterns === undefined || rules.patterns.length === 0 ? [] : [`patterns (${rules.patterns.length})`]),
    ];
  }

  /** The message without secrets; the same object when it has none. Fails closed: what cannot be walked is replaced whole. */
  redact(message: object): object {
    return this.#closed(message, () => this.#value(message, [], 0) as object);
  }

  /** JSON text in, JSON text out; the same text when there is nothing to take out. */
  json(text: string): string {
    if (!this.#suspicious(text)) return text;
    let message: object | undefined;
    try {
      message = parseJson(text) as object;
    } catch {
      return JSON.stringify(this.text(text));
    }
    const out = this.redact(message);
    return out === message ? text : JSON.stringify(out);
  }

  /** A text without secrets: a line of standard error, a name, a reason. */
  text(text: string): string {
    return this.#text(text, 0);
  }

  #closed(message: object, walk: () => object): object {
    try {
      return walk();
    } catch {
      const { jsonrpc, id, method } = message as { jsonrpc?: unknown; id?: unknown; method?: unknown };
      const kept = typeof id === 'number' ? { id } : typeof id === 'string' ? { id: this.text(id) } : {};
      const why = 'The message could not be looked through (nested too deeply?) and is left out.';
      return { jsonrpc, ...kept, ...(typeof method === 'string' ? { method: this.text(method) } : {}), redacted: why };
    }
  }

  /** Whether a JSON text must be walked. Escapes count: behind one anything may hide. */
  #suspicious(text: string): boolean {
    return this.#rules.always || this.#scan.finds(text);
  }

  #value(value: unknown, path: readonly string[], depth: number): unknown {
    if (typeof value === 'string') return this.#text(value, depth);
    if (typeof value === 'number') return this.#known.has(String(value)) ? this.#hide(String(value)) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (isRawNumber(value)) return this.#known.has(JSON.stringify(value)) ? this.#hide(JSON.stringify(value)) : value;
    if (depth > DEPTH) throw new RangeError('too deep');
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.#value(value.toJSON(), path, depth + 1);
    if (Array.isArray(value)) return this.#array(value, path, depth);
    return this.#object(value, path, depth);
  }

  #array(value: readonly unknown[], path: readonly string[], depth: number, program?: string): readonly unknown[] {
    let changed = false;
    const out = value.map((item, index) => {
      const at = this.#rules.hasPlaces ? [...path, String(index)] : path;
      const named = typeof item === 'string' && this.#names(value[index - 1]) && !HEADER_NAME.test(item);
      const argument = named || typeof item !== 'string' ? item : argumentWithout(value, index, program, this.#hide);
      const clean = named
        ? this.#secret(item, at, depth)
        : this.#isEntry(item)
          ? [this.#member(item[0], at, depth), this.#secret(item[1], at, depth)]
          : this.#member(argument, at, depth);
      changed ||= clean !== item;
      return clean;
    });
    return changed ? out : value;
  }

  /** An entry of a map: `["API_KEY", "…"]` in a list. Two words are two names: what has no digit and no sign stays. */
  #isEntry(item: unknown): item is readonly [string, string] {
    if (!Array.isArray(item) || item.length !== 2) return false;
    const [name, value] = item as readonly unknown[];
    return (
      typeof name === 'string' &&
      typeof value === 'string' &&
      /[^A-Za-z_]/.test(value) &&
      !HEADER_NAME.test(value) &&
      this.#secretName(name) &&
      !isOtherThanSecret(name, value)
    );
  }

  /** @param held whether it stands under a secret name */
  #object(value: object, path: readonly string[], depth: number, held = false): object {
    const entries = Object.entries(value);
    const worth = held && !entries.some(([member]) => SYNTAX.test(member));
    const program = 'command' in value && typeof value.command === 'string' ? value.command : undefined;
    // `{"name": "Authorization", "value": "…"}`: how HAR and many APIs write headers and variables.
    const pair = entries.some(([member, label]) => LABEL.test(member) && typeof label === 'string' && this.#secretName(label));
    let changed = false;
    const out = entries.map(([member, item]): [string, unknown] => {
      const named = this.#rules.field(member) || (isSecretName(member) && !isOtherThanSecret(member, item));
      const secret = named || (pair && VALUE.test(member)) || (worth && HELD.test(member)) || isGrantSecret(member, value);
      const at = this.#rules.hasPlaces ? [...path, member] : path;
      const listed = program !== undefined && Array.isArray(item) && ARGUMENTS.test(member);
      const clean = secret
        ? this.#secret(item, at, depth)
        : listed && !this.#rules.places(at)
          ? this.#array(item, at, depth + 1, program)
          : this.#member(item, at, depth);
      const called = this.#text(member, depth);
      changed ||= clean !== item || called !== member;
      return [called, clean];
    });
    return changed ? Object.fromEntries(out) : value;
  }

  /** Whether an element says that the next one is a secret: `["--password", "…"]`, `["X-Api-Key", "…"]`. Bare words are lists of names. */
  #names(item: unknown): boolean {
    return (
      typeof item === 'string' && /^(?:--?[a-z].*|[a-z0-9]+(?:-[a-z0-9]+)+|authorization|cookie)$/i.test(item) && this.#secretName(item)
    );
  }

  #member(item: unknown, path: readonly string[], depth: number): unknown {
    if (this.#rules.hasPlaces && this.#rules.places(path)) return this.#whole(item);
    return this.#value(item, path, depth + 1);
  }

  #secretName(name: string): boolean {
    return isSecretName(name) || this.#rules.field(name);
  }

  /** The value under a secret name. Objects are looked into: a JSON Schema has properties called `password`. */
  #secret(value: unknown, path: readonly string[], depth: number): unknown {
    if (this.#rules.hasPlaces && this.#rules.places(path)) return this.#whole(value);
    if (typeof value === 'string') return isPlaceholder(value) ? value : withoutScheme(value, this.#hide);
    if (typeof value === 'number' || isRawNumber(value)) return this.#hide(JSON.stringify(value));
    if (Array.isArray(value)) return value.map((item) => this.#secret(item, path, depth + 1));
    const plain = typeof value === 'object' && value !== null && !('toJSON' in value) && depth <= DEPTH;
    return plain ? this.#object(value, path, depth + 1, true) : this.#value(value, path, depth + 1);
  }

  /** A place that was named: whatever is there goes, except that nothing stays nothing. */
  #whole(value: unknown): unknown {
    if (value === null || value === undefined || isPlaceholder(value)) return value;
    return this.#hide(typeof value === 'string' ? value : JSON.stringify(value));
  }

  #text(text: string, depth: number): string {
    if (text.length < 4) return text;
    const inner = depth < DEPTH && text.length <= NESTED ? this.#inner(text, depth) : undefined;
    if (inner !== undefined && inner !== text) return inner;
    let out = this.#known.replace(text, this.#hide);
    if (depth < DEPTH && ENCODED.test(out)) out = out.replace(/[^\s&=?#"'<>]+/g, (piece) => this.#encoded(piece, depth));
    if (depth < DEPTH && out.includes(DATA))
      out = out.replace(DATA_URL, (_whole, before: string, data: string) => before + this.#base64(data, depth));
    if (mayHaveShapes(out)) out = withoutShapes(out, this.#hide);
    return this.#rules.text(out, this.#hide);
  }

  /** The text when it is JSON or base64 with something to take out in it; undefined when it is neither. */
  #inner(text: string, depth: number): string | undefined {
    if (/^\s*[[{"]/.test(text) && /[\]}"]\s*$/.test(text)) {
      let parsed: unknown;
      try {
        parsed = parseJson(text);
      } catch {
        return undefined;
      }
      const clean = this.#value(parsed, [], depth + 1);
      return clean === parsed ? text : JSON.stringify(clean, null, /^\s*[[{]\s*\n( +|\t)/.exec(text)?.[1]);
    }
    return text.length >= 16 && BASE64.test(text) ? this.#base64(text, depth) : undefined;
  }

  /** A piece of a URL, behind whose escapes a secret may be. */
  #encoded(piece: string, depth: number): string {
    if (!ENCODED.test(piece)) return piece;
    let plain: string;
    try {
      plain = decodeURIComponent(piece);
    } catch {
      return piece;
    }
    const clean = plain === piece ? piece : this.#text(plain, depth + 1);
    if (clean === plain) return piece;
    return encodeURIComponent(clean).replace(/%5Bredacted%3A([0-9a-f]{16})%5D/g, `${PLACEHOLDER_PREFIX}$1]`);
  }

  #base64(text: string, depth: number): string {
    const bytes = Buffer.from(text, 'base64');
    const known = isUtf8(bytes);
    const inner = bytes.toString(known ? 'utf8' : 'latin1');
    if (!known) return this.#known.in(inner) || /-----BEGIN [A-Z ]*PRIVATE KEY/.test(inner) ? this.#hide(text) : text;
    // Words are base64 too; what they decode to has control characters in it and is nobody's text.
    if (/[\x00-\x08\x0e-\x1f\x7f]/.test(inner) && !this.#known.in(inner)) return text;
    const clean = this.#text(inner, depth + 1);
    // Whole: half a base64 text would be no wildcard in a replay.
    return clean === inner ? text : this.#hide(text);
  }
}
