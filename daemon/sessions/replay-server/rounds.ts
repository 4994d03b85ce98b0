/** Calls that a client comes back to with answers: what it must say to go on with which. */
import type { Request } from '../../protocol/message.ts';
import { targetOf } from './matching.ts';
import type { Exchange } from './script.ts';

/** What a request goes on with. `Play` is a play under way. */
export type Continued<Play> =
  | { readonly kind: 'play'; readonly play: Play }
  /** The next recorded round of an exchange. */
  | { readonly kind: 'round'; readonly before: Exchange; readonly again: boolean }
  /** It has a state that nobody gave out. */
  | { readonly kind: 'unknown' };

/** Calls kept whose client never came back, of whoever serves for days. */
const UNFINISHED = 10_000;

/** The unfinished calls of a session. */
export class Rounds<Play> {
  readonly #parked = new Map<string, Play>();
  readonly #repeated = new Set<string>();
  readonly #expected = new Map<string, { readonly before: Exchange; readonly again: boolean }>();

  /** A play goes on with this state. */
  park(state: string, play: Play): void {
    this.#parked.set(state, play);
    forgetOldest(this.#parked);
  }

  /** With this state a request is made once more, as it was. */
  askAgain(state: string): void {
    this.#repeated.add(state);
    forgetOldest(this.#repeated);
  }

  /** An exchange was answered with questions; without a state the request itself is what they are known by. */
  expect(state: string | undefined, before: Exchange, again: boolean): void {
    this.#expected.set(state ?? callKey(before.request), { before, again });
    forgetOldest(this.#expected);
  }

  /** Whether this `requestState` was given out. */
  gave(state: string): boolean {
    return this.#parked.has(state) || this.#expected.has(state) || this.#repeated.has(state);
  }

  /** What a request goes on with; undefined when it is one of its own. */
  continued(request: Request): Continued<Play> | undefined {
    const state = request.params?.['requestState'];
    if (state === undefined && request.params?.['inputResponses'] === undefined) return undefined;
    const key = typeof state === 'string' ? state : callKey(request);
    if (this.#repeated.delete(key)) return undefined;
    const play = this.#parked.get(key);
    this.#parked.delete(key);
    if (play !== undefined) return { kind: 'play', play };
    const expected = this.#expected.get(key);
    if (expected !== undefined) return { kind: 'round', ...expected };
    return typeof state === 'string' ? { kind: 'unknown' } : undefined;
  }
}

function forgetOldest(kept: Map<string, unknown> | Set<string>): void {
  const [oldest] = kept.keys();
  if (kept.size > UNFINISHED && oldest !== undefined) kept.delete(oldest);
}

function callKey(request: Pick<Request, 'method' | 'params'>): string {
  return `call ${request.method} ${targetOf(request) ?? ''}`;
}
