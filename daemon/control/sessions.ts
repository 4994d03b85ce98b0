/** The part of the control channel about sessions: thin calls into the parts. */
import type { EndpointRef } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';
import type { SessionInfo, SessionMethods, TrafficQuery } from '../api/sessions.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import { TrafficStatistics } from '../sessions/inspect/statistics.ts';
import type { TapHub } from '../sessions/tap/hub.ts';
import { keptEvents } from '../sessions/tap/kept.ts';
import { filterOf, queryEvent, queryRows, type RowMaking } from '../sessions/tap/query.ts';
import { Tail } from '../sessions/tap/tail.ts';
import type { ControlClient } from './control-client.ts';
import { endpointPath } from './endpoint-lookup.ts';

/** Milliseconds of reading after which calls get their turn. */
const SLICE_MS = 8;

/** What the handlers call. */
export interface SessionControlParts {
  readonly tap: TapHub;
  /** Takes out what is secret; see the recordings' redactor. */
  readonly redact: (message: object) => object;
  /** Recordings a session is being written to. */
  readonly recordingsOf: (session: SessionInfo) => readonly string[];
  /** Id of a workspace by its folder or id. */
  readonly workspaceId: (workspace: string | undefined) => string | undefined;
  /** @throws SBX_ENDPOINT_UNKNOWN */
  readonly view: (ref: EndpointRef) => EndpointView;
  readonly client: ControlClient;
}

/** Builds the handlers. */
export function sessionHandlers(parts: SessionControlParts): Pick<ControlHandlers, keyof SessionMethods> {
  const { tap, redact, recordingsOf, workspaceId } = parts;
  const tails = new Map<string, Tail>();
  let next = 1;
  const making: RowMaking = { redact, who: (session) => tap.sessionHome(session) };
  const asked = <Q extends TrafficQuery>(query: Q): Q => {
    const workspace = workspaceId(query.workspace);
    const { endpoint } = query;
    return {
      ...query,
      ...(workspace === undefined ? {} : { workspace }),
      ...(endpoint === undefined ? {} : { endpoint: endpointPath(endpoint, workspace) }),
    };
  };
  const tailOf = (id: string): Tail => {
    const tail = tails.get(id);
    if (tail !== undefined) return tail;
    throw new SignalboxError('SBX_TAIL_UNKNOWN', `There is no live view ${JSON.stringify(id)}.`, {
      why: 'It was ended, or belongs to another connection.',
      fix: 'Begin another with `sessions/tail`.',
    });
  };
  return {
    'sessions/list': async ({ ended, workspace }) => {
      const id = workspaceId(workspace);
      const homes = tap
        .sessions()
        .filter((home) => (ended === true || home.endedAt === undefined) && (id === undefined || home.workspace === id));
      // `clientInfo` is whatever the client says of itself
      return { sessions: homes.map((home) => redact(home.info(recordingsOf(home.info([])))) as SessionInfo) };
    },
    'sessions/rows': async (query) => queryRows(tap, asked(query), making),
    'sessions/event': async ({ seq, reveal }) => {
      const found = queryEvent(tap, seq, reveal === undefined ? {} : { reveal }, making);
      if (found !== undefined) return found;
      throw new SignalboxError('SBX_EVENT_UNKNOWN', `Event ${seq} is not there.`, {
        why: seq > tap.last ? 'It has not happened yet.' : 'It is no longer kept: the ring of its session had room for newer ones only.',
        fix: 'Record what has to be kept with `signalbox record start`.',
      });
    },
    'sessions/statistics': async (filter) =>
      redact(await statisticsOf(tap, asked(filter))) as SessionMethods['sessions/statistics']['result'],
    'sessions/tail': async (query, peer) => {
      const id = `tail-${next++}`;
      const tail = new Tail({
        id,
        hub: tap,
        query: asked(query),
        making,
        send: (batch) => peer.notify('traffic', batch),
        backlog: () => peer.backlog,
      });
      tails.set(id, tail);
      peer.gone.addEventListener('abort', () => {
        tail.close();
        tails.delete(id);
      });
      return { tail: id };
    },
    'sessions/ack': async ({ tail, seq }) => {
      tailOf(tail).ack(seq);
      return {};
    },
    'sessions/untail': async ({ tail }) => {
      tailOf(tail).close();
      tails.delete(tail);
      return {};
    },
    'sessions/send': async ({ method, params, ...ref }) => ({
      response: { ...JSON.parse(JSON.stringify(await parts.client.request(parts.view(ref), method, params))) },
    }),
  };
}

/** Counts what is kept, in slices, so that calls go on meanwhile. */
async function statisticsOf(tap: TapHub, query: TrafficQuery): Promise<SessionMethods['sessions/statistics']['result']> {
  const statistics = new TrafficStatistics({ server: query.server });
  let slice = performance.now();
  for (const event of keptEvents(tap, filterOf(query))) {
    if (event.kind !== 'frame') continue;
    const { seq: n, time, call, bytes, message, direction, connection } = event;
    const { edge, id, server } = connection;
    statistics.add({ edge, connection: id, toServer: (edge === 'client') === (direction === 'in'), n, call, time, bytes, message, server });
    if (performance.now() - slice < SLICE_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    slice = performance.now();
  }
  return statistics.result();
}
