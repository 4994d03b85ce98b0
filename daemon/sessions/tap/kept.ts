/** Reading what is kept: the rings of a hub as one sequence. */
import type { TapEvent, TapFilter } from '../../api/sessions.ts';
import { matcher } from './filter.ts';
import type { Home } from './home.ts';
import type { TapHub } from './hub.ts';

/** Events that are not there any more. */
export interface Gap {
  readonly kind: 'gap';
  /** Of the last one that is missing. */
  readonly seq: number;
  readonly lost: number;
  /** When what follows it happened. */
  readonly time: number;
  /** Whose they were; undefined: of sessions that are forgotten. */
  readonly home: Home | undefined;
}

/**
 * What is kept now of what a filter takes, in the order of `seq`, with a gap where a ring lost its beginning. A snapshot: what falls out
 * while it is read is still there.
 * @param after only what comes after this event
 */
export function keptEvents(hub: TapHub, filter: TapFilter, after = 0): readonly (TapEvent | Gap)[] {
  const matches = matcher(filter, () => hub.sessions());
  const found: (TapEvent | Gap)[] = [];
  const { events: lost, last, time } = hub.forgotten;
  if (lost > 0 && last > after && filter.session === undefined) found.push({ kind: 'gap', seq: last, lost, time, home: undefined });
  for (const home of hub.homes()) {
    if (!mayHold(home, filter, hub)) continue;
    const { ring } = home;
    if (ring.lastDropped > after)
      found.push({ kind: 'gap', seq: ring.lastDropped, lost: ring.dropped, time: ring.at(0)?.time ?? hub.now(), home });
    for (let index = ring.after(after); index < ring.size; index++) {
      const event = ring.at(index);
      if (event !== undefined && matches(event, home)) found.push(event);
    }
  }
  // Sorted runs, one after another: what sorting does best.
  return found.sort((a, b) => a.seq - b.seq);
}

/** The event of that number, if it is still kept. */
export function keptEvent(hub: TapHub, seq: number): { readonly event: TapEvent; readonly home: Home } | undefined {
  for (const home of hub.homes()) {
    const event = home.ring.at(home.ring.after(seq - 1));
    if (event?.seq === seq) return { event, home };
  }
  return undefined;
}

/** A server's place holds something for every session that called it. */
function mayHold(home: Home, filter: TapFilter, hub: TapHub): boolean {
  if (home.kind === 'session') return home.fits(filter);
  if (filter.server !== undefined && filter.server !== home.server) return false;
  if (filter.workspace !== undefined && filter.workspace !== home.workspace) return false;
  if (filter.session === undefined && filter.client === undefined && filter.endpoint === undefined) return true;
  return hub.sessions().some((session) => session.servers.has(home.key) && session.fits(filter));
}
