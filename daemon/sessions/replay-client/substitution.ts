/**
 * What the live server calls things: ids, cursors, state and temporary folders of its answers take the place of the recorded ones in what is
 * sent next. Learned by laying each live answer beside the recorded one.
 */
import { parseJson } from '../../protocol/json.ts';
import { isObject } from '../../protocol/message.ts';
import { align } from '../compare/array-alignment.ts';
import { canonical } from '../compare/canonical.ts';
import { isNamedId, isRandom, masked, tokenPattern, volatility } from '../compare/volatile.ts';

/** Pairs kept; the oldest go first. */
const KEPT = 20_000;
const DEEPEST = 200;

/** What was recorded → what it is called now. */
export class Substitution {
  readonly #live = new Map<string, string>();
  readonly #recorded = new Map<string, string>();
  readonly #lost = new Set<string>();

  /** @param values what is sent in place of placeholders */
  constructor(values: Readonly<Record<string, string>> = {}) {
    for (const [placeholder, value] of Object.entries(values)) this.#live.set(placeholder, value);
  }

  /** Takes note of what the live answer calls what the recorded one has. */
  learn(recorded: unknown, live: unknown, name = '', depth = 0): void {
    if (recorded === live || depth > DEEPEST) return;
    if (typeof recorded === 'string' && typeof live === 'string') this.#texts(recorded, live, name, depth);
    else if (Array.isArray(recorded) && Array.isArray(live)) {
      for (const { before, after } of align(recorded, live, canonical))
        if (before !== undefined && after !== undefined) this.learn(recorded[before], live[after], name, depth + 1);
    } else if (isObject(recorded) && isObject(live))
      for (const [key, value] of Object.entries(recorded)) if (Object.hasOwn(live, key)) this.learn(value, live[key], key, depth + 1);
  }

  /** One pair. */
  pair(recorded: string, live: string): void {
    if (recorded === live) return;
    this.#live.set(recorded, live);
    this.#recorded.set(live, recorded);
    for (const map of [this.#live, this.#recorded]) {
      if (map.size <= KEPT) continue;
      // Many at once: finding the first entry of a map passes over all that were deleted before it.
      for (const key of [...map.keys()].slice(0, KEPT / 8)) map.delete(key);
    }
  }

  /** What the answer of a request that was not sent, or was answered otherwise, would have given to those after it. */
  lose(recorded: unknown, depth = 0): void {
    if (depth > DEEPEST) return;
    if (Array.isArray(recorded)) for (const item of recorded) this.lose(item, depth + 1);
    if (!isObject(recorded)) return;
    for (const [key, value] of Object.entries(recorded)) {
      if (typeof value === 'string' && isNamedId(key) && !this.#live.has(value)) this.#lost.add(value);
      this.lose(value, depth + 1);
    }
  }

  /** Whether a value needs something that was lost. */
  needsLost(value: unknown): boolean {
    if (this.#lost.size === 0) return false;
    if (typeof value === 'string') return this.#lost.has(value);
    if (Array.isArray(value)) return value.some((item) => this.needsLost(item));
    return isObject(value) && Object.values(value).some((item) => this.needsLost(item));
  }

  /** The value as the live server knows it. */
  toLive<T>(value: T): T {
    return this.#live.size === 0 ? value : (mapped(value, this.#live) as T);
  }

  /** A live value as the recording knows it. */
  toRecorded<T>(value: T): T {
    return this.#recorded.size === 0 ? value : (mapped(value, this.#recorded) as T);
  }

  #texts(recorded: string, live: string, name: string, depth: number): void {
    if (isNamedId(name)) return this.pair(recorded, live);
    const [one, two] = [jsonOf(recorded), jsonOf(live)];
    if (one !== undefined && two !== undefined) return this.learn(one, two, '', depth + 1);
    const [old, now] = [recorded.match(tokenPattern()) ?? [], live.match(tokenPattern()) ?? []];
    if (old.length > 0) {
      if (old.length === now.length) for (const [index, token] of old.entries()) this.#token(token, now[index] ?? token);
    } else if (isRandom(recorded) && volatility(name, recorded, live) !== undefined) this.pair(recorded, live);
  }

  #token(recorded: string, live: string): void {
    if (masked(recorded) === masked(live)) this.pair(recorded, live);
  }
}

function mapped(value: unknown, map: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return map.get(value) ?? value.replace(tokenPattern(), (token) => map.get(token) ?? token);
  if (Array.isArray(value)) return value.map((item) => mapped(item, map));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [map.get(key) ?? key, mapped(item, map)]));
}

function jsonOf(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined; // prose
  }
}
