/** What differs between two JSON values, by place. */
import type { ReplayChange } from '../../api/recordings.ts';
import { isRawNumber, parseJson } from '../../protocol/json.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { placeholderMatches } from '../redaction/placeholder.ts';
import { align } from './array-alignment.ts';
import { canonical, canonicalBy } from './canonical.ts';
import { childPointer, type PlaceTest } from './pointer.ts';
import { masked, volatility } from './volatile.ts';

/** What counts. All tests get pointers from the root of what is compared; those into a JSON text go on behind the pointer of the text. */
export interface PlaceRules {
  /** Whether there are any rules by place. */
  readonly places: boolean;
  /** Not looked at, whether there or not. */
  readonly ignored: PlaceTest;
  /** Why the value of a place does not count though it must be there; undefined where it counts. */
  readonly volatile: (pointer: string) => string | undefined;
  /** Counts even where it looks like an id or a time. */
  readonly exact: PlaceTest;
}

/** A difference that does not count, and why. */
export interface Ignored {
  readonly pointer: string;
  readonly why: string;
}

/** What differs. */
export interface Differences {
  readonly changes: readonly ReplayChange[];
  readonly ignored: readonly Ignored[];
}

/** Depth from which values are compared as texts: deeper ones are no data but an attack on whoever recurses. */
const DEEPEST = 400;

/**
 * Compares two JSON values. Numbers count by their digits where JavaScript cannot hold them. A string that is JSON (an object or an array) in
 * both is compared as JSON.
 *
 * A change with both `before` and `after` is a changed value, one with `before` alone is missing in the second, with `after` alone extra. The
 * pointer of what is changed or missing leads through the first value, that of what is extra through the second.
 */
export function differences(before: unknown, after: unknown, rules: PlaceRules): Differences {
  const comparison = new Comparison(rules);
  comparison.compare(before, after, { pointer: '', other: '', name: '', depth: 0 });
  return comparison;
}

/** A place in both values: its pointer in the first and in the second. */
interface Place {
  readonly pointer: string;
  readonly other: string;
  readonly name: string;
  readonly depth: number;
  /** Pointer of the JSON text it is inside, in the first value. */
  readonly text?: string;
}

class Comparison implements Differences {
  readonly changes: ReplayChange[] = [];
  readonly ignored: Ignored[] = [];
  readonly #rules: PlaceRules;

  constructor(rules: PlaceRules) {
    this.#rules = rules;
  }

  compare(before: unknown, after: unknown, place: Place): void {
    if (before === after) return;
    const whole = whereOf(place);
    if (this.#rules.ignored(whole)) return this.#pass(whole, 'ignored by a rule');
    if (Array.isArray(before) && Array.isArray(after) && place.depth < DEEPEST) return this.#arrays(before, after, place);
    if (isObject(before) && isObject(after) && place.depth < DEEPEST) return this.#objects(before, after, place);
    if (same(before, after)) return;
    if (redacted(before, after) || redacted(after, before)) return this.#pass(whole, 'redacted');
    const named = kindOf(before) === kindOf(after) ? this.#rules.volatile(whole) : undefined;
    if (named !== undefined) return this.#pass(whole, named);
    if (typeof before === 'string' && typeof after === 'string' && this.#texts(before, after, place)) return;
    const why = this.#rules.exact(whole) ? undefined : volatility(place.name, before, after);
    if (why === undefined) this.changes.push({ ...located(place), before, after });
    else this.#pass(whole, why);
  }

  #arrays(before: readonly unknown[], after: readonly unknown[], place: Place): void {
    const text = (element: unknown): string =>
      this.#rules.places ? canonicalBy(element, `${whereOf(place)}/-`, this.#rules) : canonical(element);
    for (const { before: left, after: right } of align(before, after, text)) {
      if (left === undefined && right !== undefined) this.#extra(after[right], child(place, right));
      else if (right === undefined && left !== undefined) this.#missing(before[left], child(place, left));
      else if (left !== undefined && right !== undefined)
        // The member an array stands in names its elements too.
        this.compare(before[left], after[right], { ...child(place, left, right), name: place.name });
    }
  }

  #objects(before: JsonObject, after: JsonObject, place: Place): void {
    const left = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
    const right = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
    const renamed = left.length === 0 || right.length === 0 ? NONE : renamedKeys(left, right);
    for (const [name, value] of Object.entries(before)) {
      const other = renamed.get(name) ?? name;
      if (other !== name) this.#pass(whereOf(child(place, name)), 'a name that is an id or a time');
      if (Object.hasOwn(after, other)) this.compare(value, after[other], child(place, name, other));
      else this.#missing(value, child(place, name));
    }
    const taken = new Set(renamed.values());
    for (const name of right) if (!taken.has(name)) this.#extra(after[name], child(place, name));
  }

  #missing(before: unknown, place: Place): void {
    if (this.#rules.ignored(whereOf(place))) this.#pass(whereOf(place), 'ignored by a rule');
    else this.changes.push({ ...located(place), before });
  }

  #extra(after: unknown, place: Place): void {
    const here = { ...place, pointer: place.other };
    if (this.#rules.ignored(whereOf(here))) this.#pass(whereOf(here), 'ignored by a rule');
    else this.changes.push({ ...located(here), after });
  }

  /** Texts that are both JSON are compared as that. */
  #texts(before: string, after: string, place: Place): boolean {
    if (place.text !== undefined) return false;
    const [one, other] = [jsonText(before), jsonText(after)];
    if (one === undefined || other === undefined) return false;
    this.compare(one, other, { ...place, pointer: '', other: '', text: place.pointer, name: '', depth: place.depth + 1 });
    return true;
  }

  #pass(pointer: string, why: string): void {
    this.ignored.push({ pointer, why });
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

/** Members whose names differ only in what changes from run to run, in their order. */
function renamedKeys(before: readonly string[], after: readonly string[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  const left = new Set(after);
  for (const name of before) {
    const text = masked(name);
    const other = text === name ? undefined : [...left].find((one) => masked(one) === text);
    if (other === undefined) continue;
    left.delete(other);
    pairs.set(name, other);
  }
  return pairs;
}

function child(place: Place, token: string | number, other = token): Place {
  return {
    ...place,
    pointer: childPointer(place.pointer, token),
    other: childPointer(place.other, other),
    name: String(token),
    depth: place.depth + 1,
  };
}

/** The pointer rules see. */
function whereOf({ pointer, text }: Place): string {
  return text === undefined ? pointer : `${text}${pointer}`;
}

function located({ pointer, text }: Place): { readonly pointer: string; readonly inside?: string } {
  return text === undefined ? { pointer } : { pointer: text, inside: pointer };
}

function same(before: unknown, after: unknown): boolean {
  const deep = typeof before === 'object' && before !== null && typeof after === 'object' && after !== null;
  return deep && JSON.stringify(before) === JSON.stringify(after);
}

/** What redaction took out of a recorded value equals what stands there now. */
function redacted(recorded: unknown, value: unknown): boolean {
  return typeof recorded === 'string' && recorded !== value && placeholderMatches(recorded, value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : isRawNumber(value) ? 'number' : typeof value;
}

/** The object or array a text holds; undefined when it holds none. */
function jsonText(text: string): unknown {
  const trimmed = text.trim();
  if (!/^[{[]/.test(trimmed) || !/[}\]]$/.test(trimmed)) return undefined;
  try {
    return parseJson(trimmed);
  } catch {
    return undefined; // prose in brackets
  }
}
