/**
 * Names a server gives out and gets back: task ids, `requestState`. They are given out as they were recorded, so that what comes back is found;
 * what is given out a second time gets a name of its own, so that two plays of one exchange are two stories. Cursors need none: a list has no
 * story, the same cursor has the same page.
 */
import { isObject, type JsonObject } from '../../protocol/message.ts';

/** Where such names stand in a result, and in the params they come back in. */
const RESULT_PLACES: readonly (readonly string[])[] = [['taskId'], ['task', 'taskId']];
const PARAM_PLACES = ['taskId'];
/** Names kept: whoever serves for days forgets the oldest. */
const KEPT = 10_000;

/** A request with the names of the recording in it. */
export interface Translated {
  readonly params: JsonObject | undefined;
  /** The name it came with, where it is one of a second play. */
  readonly instance?: string;
  readonly recorded?: string;
}

/** The names of one session. */
export class Handles {
  readonly #given = new Set<string>();
  readonly #recorded = new Map<string, string>();
  #next = 0;

  /** A name nobody has. */
  mint(base: string): string {
    this.#next += 1;
    return `${base}.replay-${this.#next}`;
  }

  /** The name to give out for a recorded one: itself, unless it was given out before. */
  unique(recorded: string): string {
    if (!this.#given.has(recorded)) {
      this.#given.add(recorded);
      return recorded; // as many as were recorded, not more
    }
    return this.mint(recorded);
  }

  /** Params as they would have been recorded. */
  translate(params: JsonObject | undefined): Translated {
    for (const place of PARAM_PLACES) {
      const instance = params?.[place];
      const recorded = typeof instance === 'string' ? this.#recorded.get(instance) : undefined;
      if (recorded !== undefined && typeof instance === 'string') return { params: { ...params, [place]: recorded }, instance, recorded };
    }
    return { params };
  }

  /**
   * A result as it is given out.
   * @param again its exchange was played before: the names in it become new ones
   * @param renamed recorded name and the one this story has
   */
  give(result: JsonObject, again: boolean, renamed?: { readonly recorded: string; readonly instance: string }): JsonObject {
    let given = renamed === undefined ? result : (replaced(result, renamed.recorded, renamed.instance) as JsonObject);
    if (!again) return given;
    for (const place of RESULT_PLACES) {
      const [outer = '', inner] = place;
      const holder: unknown = inner === undefined ? given : given[outer];
      const name = isObject(holder) ? holder[inner ?? outer] : undefined;
      // A task asked about again keeps the name of its story.
      if (!isObject(holder) || typeof name !== 'string' || name === renamed?.instance) continue;
      const minted = this.mint(name);
      this.#recorded.set(minted, name);
      const [oldest] = this.#recorded.keys();
      if (this.#recorded.size > KEPT && oldest !== undefined) this.#recorded.delete(oldest);
      given = inner === undefined ? { ...given, [outer]: minted } : { ...given, [outer]: { ...holder, [inner]: minted } };
    }
    return given;
  }
}

function replaced(value: unknown, from: string, to: string): unknown {
  if (value === from) return to;
  if (Array.isArray(value)) return value.map((item) => replaced(item, from, to));
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, from, to)])) : value;
}
