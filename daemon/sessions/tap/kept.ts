/** Reading what is kept: the rings of a hub as one sequence. */
import type { TapEvent, TapFilter } from '../../api/sessions.ts';
import { type Matcher, matcher } from './filter.ts';
import type { Home } from './home.ts';
import type { TapHub } from './hub.ts';

/** Events that are not there any more. */
export interface Gap {
  readonly kind: 'gap';
  /** Of the last one that is missing. */
  readonly seq: number;
  readonly lost: number;
  /** Whose they were; undefined: of sessions that are forgotten. */
  readonly home: Home | undefined;
}

/** What is kept of what a filter takes, in the order of `seq`, with a gap where a ring lost its beginning. */
export function* keptEvents(hub: TapHub, filter: TapFilter, after = 0): Generator<TapEvent | Gap> {
  const matches = matcher(filter, () => hub.sessions());
  const cursors = hub.homes().flatMap((home) => (mayHold(home, filter, hub) ? [new Cursor(home, after, matches)] : []));
  const { events: lost, last } = hub.forgotten;
  if (lost > 0 && last > after && filter.session === undefined) yield { kind: 'gap', seq: last, lost, home: undefined };
  for (;;) {
    let first: Cursor | undefined;
    for (const cursor of cursors) if (cursor.seq < (first?.seq ?? Number.POSITIVE_INFINITY)) first = cursor;
    if (first === undefined) return;
    const next = first.take();
    if (next !== undefined) yield next;
  }
}

/** A server's place holds something for every session that called it. */
function mayHold(home: Home, filter: TapFilter, hub: TapHub): boolean {
  if (home.kind === 'session') return home.fits(filter);
  if (filter.server !== undefined && filter.server !== home.server) return false;
  if (filter.workspace !== undefined && filter.workspace !== home.workspace) return false;
  if (filter.session === undefined && filter.client === undefined && filter.endpoint === undefined) return true;
  return hub.sessions().some((session) => session.servers.has(home.key) && session.fits(filter));
}

/**
 * Where reading one ring has come to. It goes by `seq`, so that it does not matter if the ring loses its beginning meanwhile: what is lost
 * under way is a gap as well.
 */
class Cursor {
  readonly #home: Home;
  readonly #matches: Matcher;
  #last: number;
  #next: TapEvent | undefined;

  constructor(home: Home, after: number, matches: Matcher) {
    this.#home = home;
    this.#matches = matches;
    this.#last = after;
    this.#advance();
  }

  /** Of what comes next; infinity at the end. */
  get seq(): number {
    const { ring } = this.#home;
    return this.#gapped ? ring.lastDropped : (this.#next?.seq ?? Number.POSITIVE_INFINITY);
  }

  take(): TapEvent | Gap | undefined {
    const { ring } = this.#home;
    if (this.#gapped) {
      const gap: Gap = { kind: 'gap', seq: ring.lastDropped, lost: ring.dropped, home: this.#home };
      this.#last = ring.lastDropped;
      this.#advance();
      return gap;
    }
    const event = this.#next;
    if (event === undefined) return undefined;
    this.#last = event.seq;
    this.#advance();
    return this.#matches(event, this.#home) ? event : undefined;
  }

  get #gapped(): boolean {
    return this.#home.ring.lastDropped > this.#last;
  }

  #advance(): void {
    const { ring } = this.#home;
    this.#next = ring.at(ring.after(this.#last));
  }
}
