/** What people ask of what is kept: rows by a query, and one event with all that belongs to it. */
import type { TapEvent, TapFilter, TrafficQuery, TrafficRow } from '../../api/sessions.ts';
import { isObject } from '../../protocol/message.ts';
import { CONTENT_BYTES, resultMember } from './frame.ts';
import type { TapHub } from './hub.ts';
import { type Gap, keptEvent, keptEvents } from './kept.ts';
import { TrafficRows, type TrafficRowsOptions } from './rows.ts';

/** Rows of one answer where the query does not say. */
const LIMIT = 500;
/** Rows of one answer at most. */
const LIMIT_MAX = 10_000;
/** Bytes of a message beyond which it is not searched: only its row is. */
export const SEARCHED_BYTES = 1024 * 1024;
/** Bytes of the messages in one answer. */
const ANSWER_BYTES = 16 * 1024 * 1024;
/** Milliseconds of reading after which calls get their turn. */
const SLICE_MS = 8;

/** An answer to a query. */
export interface QueryAnswer {
  readonly rows: readonly TrafficRow[];
  readonly more: boolean;
  readonly dropped: number;
}

/** How rows are made, with and without taking out what is secret. */
export interface RowMaking {
  readonly who: NonNullable<TrafficRowsOptions['who']>;
  readonly redact: (message: object) => object;
}

/** The maker of rows for a query. */
export function rowsFor(query: Pick<TrafficQuery, 'reveal'>, { who, redact }: RowMaking): TrafficRows {
  return new TrafficRows({ who, redact: query.reveal === true ? (message) => message : redact });
}

/** Only what says what belongs to whom. */
export function filterOf({ session, client, endpoint, workspace, server }: TrafficQuery): TapFilter {
  return {
    ...(session === undefined ? {} : { session }),
    ...(client === undefined ? {} : { client }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(server === undefined ? {} : { server }),
  };
}

/** Whether a row is wanted, beside what the filter says. `message` is asked for only if it has to be searched. */
export function wanted(row: TrafficRow, query: TrafficQuery, message: () => object | undefined): boolean {
  if (row.kind === 'gap') return true;
  if (query.edge !== undefined && row.edge !== query.edge) return false;
  if (query.method !== undefined && row.method !== query.method) return false;
  if (query.errors === true && row.status !== 'error' && row.status !== 'tool-error' && row.kind !== 'fault') return false;
  if (query.search === undefined || query.search === '') return true;
  const text = query.search.toLowerCase();
  const shown = [row.method, row.target, row.server, row.text, row.toolUseId];
  if (shown.some((part) => part?.toLowerCase().includes(text) === true)) return true;
  const searched = (row.bytes ?? 0) > SEARCHED_BYTES ? undefined : message();
  return searched !== undefined && JSON.stringify(searched).toLowerCase().includes(text);
}

/** The row of a gap. */
export function gapRow({ seq, lost, time, home }: Gap): TrafficRow {
  const whose =
    home === undefined ? 'of sessions that ended long ago' : home.kind === 'session' ? `of session ${home.id}` : `of ${home.server}`;
  return {
    seq,
    time,
    kind: 'gap',
    edge: home?.kind === 'server' ? 'server' : 'client',
    ...(home?.kind === 'session' ? { session: home.id, client: home.client, endpoint: home.endpoint } : {}),
    ...(home?.kind === 'server' ? { server: home.server } : {}),
    ...(home?.workspace === undefined ? {} : { workspace: home.workspace }),
    text: `${lost} ${lost === 1 ? 'event' : 'events'} ${whose} no longer kept`,
  };
}

/**
 * The rows a query asks for, in the order of time: the first ones after `after`, or else the last ones (before `before`). Reads in
 * slices, so that calls go on meanwhile.
 */
export async function queryRows(hub: TapHub, query: TrafficQuery, making: RowMaking): Promise<QueryAnswer> {
  const limit = Math.max(1, Math.min(LIMIT_MAX, query.limit ?? LIMIT));
  const forwards = query.after !== undefined;
  const maker = rowsFor(query, making);
  const found: TrafficRow[] = [];
  let more = false;
  let dropped = 0;
  let slice = performance.now();
  // From the beginning, whatever is asked for: what a response answers stands before it.
  for (const event of keptEvents(hub, filterOf(query))) {
    if (query.before !== undefined && event.seq >= query.before) break;
    const row = event.seq <= (query.after ?? 0) ? maker.see(event) : event.kind === 'gap' ? gapRow(event) : maker.row(event);
    const message = event.kind === 'frame' ? event.message : undefined;
    if (row !== undefined && event.kind === 'gap') dropped += event.lost;
    if (row !== undefined && wanted(row, query, () => (message === undefined ? undefined : maker.message(message)))) {
      if (forwards && found.length === limit) {
        more = true;
        break;
      }
      found.push(query.messages === true && message !== undefined ? { ...row, message } : row);
      if (found.length > limit) {
        // The oldest are given up by the half: shifting each would cost more than reading.
        more = true;
        if (found.length >= limit * 2) found.splice(0, found.length - limit);
      }
    }
    if (performance.now() - slice > SLICE_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      slice = performance.now();
    }
  }
  const rows = withinBytes(found.slice(-limit), forwards);
  if (rows.length < Math.min(found.length, limit)) more = true;
  return { rows: rows.map((row) => (row.message === undefined ? row : { ...row, message: maker.message(row.message) })), more, dropped };
}

/** As many rows as one answer can carry with their messages, one at least: the first ones, or the last. */
function withinBytes(rows: readonly TrafficRow[], forwards: boolean): readonly TrafficRow[] {
  let bytes = 0;
  const order = forwards ? rows : rows.toReversed();
  const over = order.findIndex(({ message, bytes: own = 0 }, index) => {
    // of a very large message only the outline is there
    bytes += message === undefined || own > CONTENT_BYTES ? 0 : own;
    return index > 0 && bytes > ANSWER_BYTES;
  });
  if (over === -1) return rows;
  return forwards ? rows.slice(0, over) : rows.slice(rows.length - over);
}

/**
 * One event with its message, and what belongs to it: all of the same call, and of the calls it goes on from or that go on from it (a
 * question to a modern client is answered by another request, "Multi round-trip requests").
 */
export function queryEvent(
  hub: TapHub,
  seq: number,
  query: Pick<TrafficQuery, 'reveal'>,
  making: RowMaking,
): { readonly event: TrafficRow; readonly related: readonly TrafficRow[] } | undefined {
  const kept = keptEvent(hub, seq);
  if (kept === undefined) return undefined;
  const { event: found, home } = kept;
  const events = keptEvents(
    hub,
    home.kind === 'session'
      ? { session: home.id }
      : { server: home.server, ...(home.workspace === undefined ? {} : { workspace: home.workspace }) },
  );
  const calls = new Set<number>();
  if ((found.kind === 'frame' || found.kind === 'fault') && found.call !== undefined) calls.add(found.call);
  const rounds = roundsOf(events);
  for (const call of calls) for (const other of rounds.get(call) ?? []) calls.add(other);
  const maker = rowsFor(query, making);
  let event: TrafficRow | undefined;
  const related: TrafficRow[] = [];
  const pair = partnerOf(events, found);
  for (const each of events) {
    if (each.kind === 'gap') continue;
    const call = each.kind === 'frame' || each.kind === 'fault' ? each.call : undefined;
    if (each === found) event = maker.row(each, true);
    else if ((call !== undefined && calls.has(call)) || each === pair) related.push(maker.row(each));
    else maker.see(each);
  }
  return event && { event, related };
}

/** Request and answer of what belongs to no call (a handshake, a list the daemon reads for itself): the same id on the same connection. */
function partnerOf(events: readonly (TapEvent | Gap)[], found: TapEvent): TapEvent | undefined {
  if (found.kind !== 'frame' || found.call !== undefined || !('id' in found.message)) return undefined;
  const { id } = found.message;
  const answer = !('method' in found.message);
  const fits = (event: TapEvent | Gap): event is TapEvent =>
    event.kind === 'frame' &&
    event.connection.id === found.connection.id &&
    event.direction !== found.direction &&
    'id' in event.message &&
    event.message.id === id &&
    'method' in event.message === answer;
  return answer
    ? events.findLast((event): event is TapEvent => event.seq < found.seq && fits(event))
    : events.find((event): event is TapEvent => event.seq > found.seq && fits(event));
}

/** Calls that are rounds of one another: what an answer gave as `requestState` comes back with the next request. */
function roundsOf(events: readonly (TapEvent | Gap)[]): ReadonlyMap<number, readonly number[]> {
  const given = new Map<string, number>();
  const rounds = new Map<number, number[]>();
  const join = (a: number, b: number): void => {
    rounds.set(a, [...(rounds.get(a) ?? []), b]);
    rounds.set(b, [...(rounds.get(b) ?? []), a]);
  };
  for (const event of events) {
    if (event.kind !== 'frame' || event.call === undefined || event.connection.edge !== 'client' || event.era === 'legacy') continue;
    const state =
      'method' in event.message
        ? 'params' in event.message && isObject(event.message.params)
          ? event.message.params['requestState']
          : undefined
        : resultMember(event.message, 'requestState');
    if (typeof state !== 'string') continue;
    const other = given.get(state);
    if (event.direction === 'out') given.set(state, event.call);
    else if (other !== undefined) join(other, event.call);
  }
  return rounds;
}
