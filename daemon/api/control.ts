/** The control channel: JSON-RPC 2.0 over the WebSocket `/control`, for the CLI and the extension. Bearer = the control token. */
import type { CallEvents, CallMethods } from './calls.ts';
import type { ConfigProblem, ResolvedEndpoint, WorkspaceInfo } from './config.ts';
import type { ConformanceEvents, ConformanceMethods } from './conformance.ts';
import type { FaultInfo, FaultMethods } from './faults.ts';
import type { RecordingEvents, RecordingMethods, ServedReplay } from './recordings.ts';
import type { SessionEvents, SessionMethods } from './sessions.ts';

/** Control protocol versions this build speaks. A daemon serves N and N−1. */
export const CONTROL_PROTOCOL: readonly [min: number, max: number] = [1, 1];

/** `starting → ready → degraded/down`; `idle` is configured, not started yet. */
export type ServerState = 'idle' | 'starting' | 'ready' | 'degraded' | 'down' | 'disabled';

/** A server as people see it. */
export interface ServerStatus {
  readonly name: string;
  readonly alias: string;
  readonly workspace?: string;
  readonly kind: 'plugin' | 'stdio' | 'http' | 'pattern' | 'recording';
  readonly state: ServerState;
  /** Questions its clients have not answered yet; absent when there are none. */
  readonly asking?: number;
  readonly era?: 'legacy' | 'modern';
  readonly pid?: number;
  /** Live connections (stdio: processes), when it is not just one: shared by clients, and a single client's own. */
  readonly connections?: { readonly shared: number; readonly own: number };
  /** Why it is degraded or down. */
  readonly reason?: { readonly code: string; readonly message: string; readonly cause: string; readonly fix: string };
  /** What should be known of it though it works: definitions that changed or were left out. */
  readonly problems?: readonly { readonly code: string; readonly message: string; readonly cause: string; readonly fix: string }[];
  readonly tools: number;
  readonly resources: number;
  readonly prompts: number;
}
/** An endpoint as people see it. */
export interface EndpointStatus {
  readonly name: string;
  readonly workspace?: string;
  readonly url: string;
  readonly servers: readonly string[];
  /** The namespaces it serves, in order, each with its servers. */
  readonly namespaces?: readonly { readonly name: string; readonly servers: readonly string[] }[];
}
/** The whole picture. */
export interface DaemonStatus {
  readonly version: string;
  readonly build: string;
  readonly pid: number;
  readonly node: string;
  readonly port: number;
  /** Set when the remembered port was taken by a stranger and another is used. */
  readonly portNote?: string;
  readonly startedAt: string;
  readonly stateDir: string;
  readonly configFile: string;
  readonly endpoints: readonly EndpointStatus[];
  readonly servers: readonly ServerStatus[];
  readonly workspaces: readonly WorkspaceInfo[];
  readonly problems: readonly ConfigProblem[];
  readonly sessions: number;
  /** What goes wrong on purpose. */
  readonly faults?: readonly FaultInfo[];
  /** Recordings served as servers. */
  readonly replays?: readonly ServedReplay[];
}
/** A tool of the endpoint (the MCP `Tool` object, names already exposed), with its server; also where clients have to search for it. */
export interface ToolInfo {
  readonly server: string;
  readonly tool: {
    readonly name: string;
    readonly title?: string;
    readonly description?: string;
    readonly inputSchema: object;
    readonly [key: string]: unknown;
  };
}
/** A client × endpoint credential. */
export interface ClientCredential {
  readonly client: string;
  readonly endpoint: string;
  readonly workspace?: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}
/** Where to find an endpoint: name, and the workspace folder or id it belongs to. */
export interface EndpointRef {
  readonly endpoint?: string;
  /** Folder or workspace id; absent = the user's own. */
  readonly workspace?: string;
}

/** Every request of the control channel: params and result. The first must be `hello`. */
export interface ControlMethods extends CallMethods, SessionMethods, RecordingMethods, ConformanceMethods, FaultMethods {
  hello: {
    params: { protocol: readonly [number, number]; client: { name: string; version: string; kind: 'cli' | 'extension' } };
    result: { protocol: number; version: string; build: string; pid: number };
  };
  status: { params: Record<string, never>; result: DaemonStatus };
  'servers/list': { params: { workspace?: string }; result: { servers: readonly ServerStatus[] } };
  'servers/add': { params: { name: string; entry: Record<string, unknown>; workspace?: string }; result: { file: string; name: string } };
  'servers/remove': { params: { name: string; workspace?: string }; result: { file: string } };
  'servers/enable': { params: { name: string; enabled: boolean; workspace?: string }; result: { file: string } };
  'servers/restart': { params: { name: string; workspace?: string }; result: Record<string, never> };
  /** Accepts definitions that changed since an override or a pin was made for them; `tool` is the server's own name of one. */
  'servers/accept': { params: { name: string; tool?: string; workspace?: string }; result: { accepted: readonly string[] } };
  /** Where it stands in the configuration; lines and columns from 1. */
  'servers/where': { params: { name: string; workspace?: string }; result: { file: string; line: number; column: number } };
  'servers/logs': { params: { name: string; lines?: number; workspace?: string }; result: { lines: readonly string[] } };
  'endpoint/describe': { params: EndpointRef; result: ResolvedEndpointStatus };
  'tools/list': {
    params: EndpointRef;
    result: {
      tools: readonly ToolInfo[];
      errors: readonly { server: string; code: string; message: string; cause: string; fix: string }[];
    };
  };
  'tools/call': { params: EndpointRef & { name: string; arguments: Record<string, unknown> }; result: Record<string, unknown> };
  'resources/list': {
    params: EndpointRef;
    result: { resources: readonly Record<string, unknown>[] /** Of each, the server it comes from. */; servers: readonly string[] };
  };
  'resources/read': { params: EndpointRef & { uri: string }; result: Record<string, unknown> };
  'prompts/list': {
    params: EndpointRef;
    result: { prompts: readonly Record<string, unknown>[] /** Of each, the server it comes from. */; servers: readonly string[] };
  };
  'prompts/get': { params: EndpointRef & { name: string; arguments: Record<string, string> }; result: Record<string, unknown> };
  'workspace/open': { params: { folder: string }; result: WorkspaceInfo & { preview: readonly string[] } };
  'workspace/trust': { params: { folder: string; trusted: boolean }; result: WorkspaceInfo };
  'clients/list': { params: Record<string, never>; result: { clients: readonly ClientCredential[] } };
  /** Creates the credential if there is none; `rotate` replaces it. The token is returned and is also in its 0600 file. */
  'clients/token': { params: EndpointRef & { client: string; rotate?: boolean }; result: { url: string; token: string } };
  'clients/revoke': { params: EndpointRef & { client: string }; result: { revoked: number } };
  'secrets/list': { params: Record<string, never>; result: { secrets: readonly { name: string; grants: readonly string[] }[] } };
  'secrets/set': { params: { name: string; value: string }; result: Record<string, never> };
  'secrets/remove': { params: { name: string }; result: { removed: boolean } };
  /** Grants a secret to a server (and, for an HTTP server, to its origin). */
  'secrets/grant': { params: { name: string; server: string; workspace?: string }; result: Record<string, never> };
  'logs/tail': { params: { lines: number }; result: { lines: readonly string[] } };
  'daemon/stop': { params: Record<string, never>; result: Record<string, never> };
}
/** What `endpoint/describe` answers: no secrets, no entries. */
export interface ResolvedEndpointStatus extends EndpointStatus {
  readonly path: ResolvedEndpoint['path'];
}
/** Notifications from the daemon. */
export interface ControlEvents extends CallEvents, SessionEvents, RecordingEvents, ConformanceEvents {
  /** Servers, endpoints, workspaces or sessions changed: fetch `status` again. Debounced. */
  changed: {
    readonly what: readonly ('servers' | 'endpoints' | 'workspaces' | 'sessions' | 'tools' | 'problems' | 'recordings' | 'clients')[];
  };
  log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly message: string; readonly time: string };
  /** The daemon is leaving. */
  stopping: Record<string, never>;
}
/** Name of a control request. */
export type ControlMethod = keyof ControlMethods;
