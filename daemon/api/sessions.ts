/**
 * What passes at the daemon's two edges, and what people may ask of it. The tap (daemon/sessions) sees every frame as it is received or
 * sent; endpoints and upstreams know it by the interfaces here.
 */

/** Between a client and the daemon, or between the daemon and a server. */
export type Edge = 'client' | 'server';
/** Seen from the daemon. */
export type Direction = 'in' | 'out';
/** How a connection carries its frames. */
export type TapTransport = 'bridge' | 'http' | 'sse' | 'stdio' | 'pattern' | 'recording' | 'control';
/** A JSON-RPC id. */
export type RpcId = string | number | null;

/** Who stands at the other end of a connection. */
export interface TapPeer {
  readonly edge: Edge;
  readonly transport: TapTransport;
  /** Workspace id; absent = the user's own. */
  readonly workspace?: string;
  /** Client edge: name of the credential (`claude-code`) and path of the endpoint. */
  readonly client?: string;
  readonly endpoint?: string;
  /** Client edge: the session's own name where the transport has one (legacy HTTP), so that a session that comes back is the same. */
  readonly session?: string;
  /** Server edge: name in the configuration, and the process of a stdio server. */
  readonly server?: string;
  readonly pid?: number;
}

/** A connection at one edge, from its opening to its end. */
export interface TapConnection extends TapPeer {
  /** Unique while the daemon runs. */
  readonly id: string;
  /** Session the connection belongs to (client edge; at the server edge only a connection that is one session's own). */
  readonly session?: string;
}

/** Where something began: the client's request a frame at the server edge belongs to. Handed along with the call, never looked into. */
export interface Origin {
  readonly seq: number;
  readonly session: string | undefined;
}

/** What is known of a frame beside its message. */
export interface FrameFacts {
  /** Bytes as they came or went; where nobody counted, they are counted when somebody looks. */
  readonly bytes?: number | undefined;
  /** Client edge, modern HTTP: the era of a frame that cannot say so itself. */
  readonly era?: 'legacy' | 'modern' | undefined;
  /** Id of the request on whose stream it passed (HTTP). */
  readonly stream?: RpcId | undefined;
  /** The client's request it belongs to. */
  readonly origin?: Origin | undefined;
}

/** One connection as the edges see it. Neither throws nor waits; what it is given is kept by reference and not changed. */
export interface TapChannel {
  /** A frame came. */
  in(message: object, facts?: FrameFacts): Origin;
  /** A frame went. */
  out(message: object, facts?: FrameFacts): Origin;
  /** Something happened that is no message; `origin` where it is known which request it concerns. */
  fault(why: string, origin?: Origin): void;
  /** The connection is over. */
  close(why?: string): void;
}

/** The tap as the edges see it. */
export interface Tap {
  open(peer: TapPeer): TapChannel;
  /** A line a server wrote to standard error, already free of secrets. */
  stderr(server: string, workspace: string | undefined, line: string): void;
}

/**
 * Why of a fault that is a cancellation: a modern client closed the stream of its request (2026-07-28, "Cancellation"). A part of the
 * recording format: a replay as a client closes its stream there too.
 */
export const STREAM_CLOSED_BY_CLIENT = 'The client closed the stream: the request is cancelled.';

/** A frame as it is kept in memory. */
export interface TapFrame extends Origin {
  readonly kind: 'frame';
  /** Counts every event of the daemon, upwards; gaps in one session are other sessions' events. */
  readonly seq: number;
  /** Milliseconds since 1970 with fractions, from a clock that never goes back. */
  readonly time: number;
  readonly connection: TapConnection;
  readonly direction: Direction;
  readonly era: 'legacy' | 'modern' | undefined;
  readonly stream: RpcId | undefined;
  /** `seq` of the client's request it belongs to; of that request itself: its own. */
  readonly call: number | undefined;
  /** The JSON-RPC message; may parse itself when looked into. Unredacted: it leaves the process only through the redactor. */
  readonly message: object;
  readonly bytes: number;
}
/** Everything the tap tells. */
export type TapEvent =
  | TapFrame
  | { readonly kind: 'open'; readonly seq: number; readonly time: number; readonly connection: TapConnection }
  | { readonly kind: 'close'; readonly seq: number; readonly time: number; readonly connection: TapConnection; readonly why?: string }
  | {
      readonly kind: 'fault';
      readonly seq: number;
      readonly time: number;
      readonly connection: TapConnection;
      readonly why: string;
      /** As of a frame. */
      readonly session?: string;
      readonly call?: number;
    }
  | {
      readonly kind: 'stderr';
      readonly seq: number;
      readonly time: number;
      readonly server: string;
      readonly workspace: string | undefined;
      readonly line: string;
    };

/** What belongs to whom: every given member must fit. A filter by session, client or endpoint also takes what its calls caused at servers. */
export interface TapFilter {
  readonly session?: string;
  readonly client?: string;
  /** Path of an endpoint. */
  readonly endpoint?: string;
  readonly workspace?: string;
  readonly server?: string;
}

/** A session as people see it. */
export interface SessionInfo {
  readonly id: string;
  readonly client: string;
  readonly endpoint: string;
  readonly workspace?: string;
  readonly transport: TapTransport;
  readonly era?: 'legacy' | 'modern';
  /** `clientInfo` as the client gave it: a claim, shown and never trusted. */
  readonly clientInfo?: { readonly name?: string; readonly version?: string };
  readonly openedAt: string;
  readonly endedAt?: string;
  readonly lastAt: string;
  readonly frames: number;
  readonly calls: number;
  readonly errors: number;
  /** Frames that fell out of the ring. */
  readonly dropped: number;
  /** Recordings it is being written to. */
  readonly recordings: readonly string[];
}

/** A row of the timeline: one event, told apart without its message. */
export interface TrafficRow {
  readonly seq: number;
  readonly time: number;
  readonly kind: TapEvent['kind'] | 'gap';
  readonly edge: Edge;
  readonly direction?: Direction;
  readonly connection?: string;
  readonly transport?: TapTransport;
  readonly era?: 'legacy' | 'modern';
  readonly session?: string;
  readonly client?: string;
  readonly endpoint?: string;
  readonly workspace?: string;
  readonly server?: string;
  /** `seq` of the client's request it belongs to. */
  readonly call?: number;
  readonly type?: 'request' | 'response' | 'notification';
  readonly id?: RpcId;
  /** Of a response: the method it answers. */
  readonly method?: string;
  /** Tool, prompt or URI the request is about. */
  readonly target?: string;
  /** Of a response: `seq` of the request on the same connection, and milliseconds since. */
  readonly answers?: number;
  readonly ms?: number;
  /** Of a response; `tool-error` is a result with `isError`. */
  readonly status?: 'ok' | 'error' | 'tool-error' | 'input-required';
  readonly bytes?: number;
  /** `_meta["claudecode/toolUseId"]`: joins it to Claude Code's transcript. */
  readonly toolUseId?: string;
  /** stderr line, fault, reason of a close, or what a gap lost. */
  readonly text?: string;
  /** The message, redacted unless `reveal` was asked for; only where messages were asked for. */
  readonly message?: object;
}

/** What rows are wanted, beside {@link TapFilter}. */
export interface TrafficQuery extends TapFilter {
  /** Rows after this event. */
  readonly after?: number;
  /** Rows before this event, the last ones first found. */
  readonly before?: number;
  readonly limit?: number;
  /** Text that must occur (not case-sensitive) in the method, target, server, text or message. */
  readonly search?: string;
  readonly edge?: Edge;
  readonly method?: string;
  readonly errors?: boolean;
  readonly messages?: boolean;
  /** Unredacted. A local person's explicit choice; never a default. */
  readonly reveal?: boolean;
}

/** Statistics of one tool (or method, where it is no tool call). Milliseconds and bytes. */
export interface ToolStatistics {
  readonly server?: string;
  readonly name: string;
  readonly count: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the requests. */
  readonly bytesIn: number;
  /** Of the answers. */
  readonly bytesOut: number;
  /** Estimate of what its answers cost a model: characters of the content / 4. */
  readonly tokens: number;
}

/** What a list (tools, prompts, resources) costs: its last pages together. */
export interface ListStatistics {
  readonly server?: string;
  readonly method: string;
  readonly bytes: number;
  /** Estimate of what it costs a model: characters / 4. */
  readonly tokens: number;
}

/** The live part of the control channel. */
export interface SessionMethods {
  /** `workspace` is a folder or an id, here and in every query. */
  'sessions/list': { params: { ended?: boolean; workspace?: string }; result: { sessions: readonly SessionInfo[] } };
  /** Rows in the order of time; `more` says that the limit cut, `dropped` how many events of what was asked for fell out of the ring. */
  'sessions/rows': { params: TrafficQuery; result: { rows: readonly TrafficRow[]; more: boolean; dropped: number } };
  /** One event with its message, and what belongs to it: the request, its answer and what it caused at servers. */
  'sessions/event': { params: { seq: number; reveal?: boolean }; result: { event: TrafficRow; related: readonly TrafficRow[] } };
  'sessions/statistics': {
    params: TapFilter;
    result: { tools: readonly ToolStatistics[]; lists: readonly ListStatistics[] };
  };
  /**
   * Sends `traffic` events to this connection from now on. At most 2 000 rows are on the way unacknowledged; what comes meanwhile waits in a
   * queue of 20 000, beyond that it is counted in `dropped` instead.
   */
  'sessions/tail': { params: TrafficQuery; result: { tail: string } };
  'sessions/ack': { params: { tail: string; seq: number }; result: Record<string, never> };
  'sessions/untail': { params: { tail: string }; result: Record<string, never> };
  /** Any request through an endpoint, as the control client: what "resend" does. The answer is the whole JSON-RPC response. */
  'sessions/send': {
    params: { endpoint?: string; workspace?: string; method: string; params?: Record<string, unknown> };
    result: { response: Record<string, unknown> };
  };
}
/** Events of the live part. */
export interface SessionEvents {
  traffic: { readonly tail: string; readonly rows: readonly TrafficRow[]; readonly dropped: number };
}
