/** What a recording shows: rows of its timeline, the sessions in it. In bounded memory, however long it is. */
import type { RecordingLine } from '../../api/recordings.ts';
import type { SessionInfo, TapEvent, TrafficQuery, TrafficRow } from '../../api/sessions.ts';
import { isFailure } from '../tap/frame.ts';
import { wanted } from '../tap/query.ts';
import { TrafficRows } from '../tap/rows.ts';
import { LineEvents, type RecordedGap } from './line-events.ts';
import type { RecordingReader } from './reader.ts';

/** Rows of one answer where the query does not say, and at most. */
const LIMIT = 500;
const LIMIT_MAX = 10_000;
/** Frames read before the point asked for, so that answers there find their requests. */
const LEAD = 5000;
/** Bytes of messages in one answer; a page that would be larger is cut. */
const PAGE_BYTES = 16 * 1024 * 1024;

/** An answer. */
export interface RecordingView {
  readonly sessions: readonly SessionInfo[];
  readonly rows: readonly TrafficRow[];
  readonly more: boolean;
}

/**
 * The rows a query asks for, in the order of time: those after `after` (default: from the beginning), or the last ones before `before`.
 * `seq` of a frame's row is its `n`; what is no frame has a fraction.
 */
export async function showRecording(reader: RecordingReader, query: TrafficQuery): Promise<RecordingView> {
  const limit = Math.max(1, Math.min(LIMIT_MAX, query.limit ?? LIMIT));
  const backwards = query.before !== undefined && query.after === undefined;
  const point = Math.floor(query.after ?? (backwards && !isNarrow(query) ? (query.before ?? 0) - 2 * limit : 0));
  const sessions = new Sessions();
  const rows = new TrafficRows({ redact: (message) => message, who: (id) => sessions.who(id) });
  const events = new LineEvents(reader);
  let found: TrafficRow[] = [];
  let more = false;
  let bytes = 0;
  for await (const line of reader.lines({ from: Math.max(0, point - LEAD) })) {
    const event = await eventOf(events, line);
    if (event === undefined) continue;
    if (event.kind !== 'gap') sessions.see(event);
    if (query.before !== undefined && event.seq >= query.before) break;
    const row = event.kind === 'gap' ? gapRow(event) : rows.row(event, query.messages === true);
    if (event.seq <= (query.after ?? 0) && query.after !== undefined) continue;
    const message = event.kind === 'frame' ? event.message : undefined;
    if (!fits(row, query) || !wanted(row, query, () => message)) continue;
    found.push(row);
    bytes += query.messages === true ? (row.bytes ?? 0) : 0;
    if (found.length <= limit && (bytes <= PAGE_BYTES || found.length === 1)) continue;
    more = true;
    if (!backwards) {
      found.pop();
      break;
    }
    if (found.length >= 2 * limit) found = found.slice(-limit);
    while (bytes > PAGE_BYTES && found.length > 1) bytes -= found.shift()?.bytes ?? 0;
  }
  return { sessions: sessions.infos(), rows: found.slice(-limit), more };
}

async function eventOf(events: LineEvents, line: RecordingLine): Promise<TapEvent | RecordedGap | undefined> {
  try {
    return await events.event(line);
  } catch (error) {
    // a side file is missing: the rest can still be read
    const text = error instanceof Error ? error.message : String(error);
    return line.k === 'frame' ? { kind: 'gap', seq: line.n, time: 0, text } : undefined;
  }
}

function isNarrow({ session, client, endpoint, server, search, edge, method, errors, workspace }: TrafficQuery): boolean {
  return [session, client, endpoint, server, search, edge, method, workspace].some((part) => part !== undefined) || errors === true;
}

/** What belongs to whom; `wanted` of the tap looks at the rest. */
function fits(row: TrafficRow, { session, client, endpoint, workspace, server }: TrafficQuery): boolean {
  return (
    row.kind === 'gap' ||
    ((session === undefined || row.session === session) &&
      (client === undefined || row.client === client) &&
      (endpoint === undefined || row.endpoint === endpoint) &&
      (workspace === undefined || row.workspace === workspace) &&
      (server === undefined || row.server === server))
  );
}

function gapRow({ seq, time, text }: RecordedGap): TrafficRow {
  return { seq, time, kind: 'gap', edge: 'client', text };
}

/** The sessions that went by. */
class Sessions {
  readonly #known = new Map<string, { -readonly [K in keyof SessionInfo]: SessionInfo[K] } & { last: number }>();

  who(id: string): { readonly client: string; readonly endpoint: string; readonly workspace?: string } | undefined {
    return this.#known.get(id);
  }

  see(event: TapEvent): void {
    if (event.kind === 'stderr') return;
    const { connection } = event;
    if (connection.edge !== 'client' || connection.session === undefined) return;
    let info = this.#known.get(connection.session);
    if (info === undefined) {
      const at = new Date(event.time).toISOString();
      info = {
        last: event.time,
        id: connection.session,
        client: connection.client ?? '',
        endpoint: connection.endpoint ?? '',
        transport: connection.transport,
        openedAt: at,
        lastAt: at,
        frames: 0,
        calls: 0,
        errors: 0,
        dropped: 0,
        recordings: [],
        ...(connection.workspace === undefined ? {} : { workspace: connection.workspace }),
      };
      this.#known.set(info.id, info);
    }
    info.last = event.time;
    if (event.kind === 'close') info.endedAt = new Date(event.time).toISOString();
    if (event.kind !== 'frame') return;
    const { message, direction, era } = event;
    info.frames += 1;
    if (era !== undefined) info.era ??= era;
    const { method, id, params } = message as { method?: unknown; id?: unknown; params?: { clientInfo?: SessionInfo['clientInfo'] } };
    if (direction === 'in' && method !== undefined && id !== undefined) info.calls += 1;
    if (direction === 'out' && method === undefined && isFailure(message)) info.errors += 1;
    if (method === 'initialize' && params?.clientInfo !== undefined) info.clientInfo = params.clientInfo;
  }

  infos(): readonly SessionInfo[] {
    return [...this.#known.values()].map(({ last, ...info }) => ({ ...info, lastAt: new Date(last).toISOString() }));
  }
}
