/** The configuration after parsing and validation, before substitution of `${…}`. The JSON Schema beside the loader is its source of truth. */

/** `read` ⊂ `write` ⊂ `admin`. */
export type Access = 'read' | 'write' | 'admin';

/** Keys every server entry may have. */
interface ServerCommon {
  readonly enabled?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Globs; a change restarts the server. */
  readonly watch?: readonly string[];
  /** Milliseconds before a call without progress fails. Default 60 000. */
  readonly timeoutMs?: number;
}
/** A bundled plugin by name, a folder (`./x`, `/x`), or an npm package. */
export interface PluginServer extends ServerCommon {
  readonly plugin: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}
/** A command speaking MCP on its standard streams. */
export interface StdioServer extends ServerCommon {
  readonly type?: 'stdio';
  readonly command: string;
  readonly args?: readonly string[];
}
/** A Streamable HTTP URL. */
export interface HttpServer extends ServerCommon {
  readonly type?: 'http' | 'streamable-http' | 'sse' | 'signalbox';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}
/** One MCP server as configured. */
export type ServerEntry = PluginServer | StdioServer | HttpServer;

/** A server inside a namespace. */
export interface Binding {
  readonly server: string;
  readonly alias?: string;
  readonly tools?: Readonly<Record<string, { readonly hidden?: boolean }>>;
}
/** An endpoint: ordered namespaces. */
export interface EndpointEntry {
  readonly namespaces: readonly string[];
  readonly tools?: 'full';
}
/** Policy of one client. */
export interface ClientEntry {
  readonly endpoint?: string;
}
/** A whole configuration file. */
export interface Config {
  readonly servers: Readonly<Record<string, ServerEntry>>;
  readonly namespaces: Readonly<Record<string, readonly (string | Binding)[]>>;
  readonly endpoints: Readonly<Record<string, EndpointEntry>>;
  readonly clients: Readonly<Record<string, ClientEntry>>;
  readonly limits: { readonly messageBytes: number };
  readonly daemon: { readonly port?: number; readonly idleStopMinutes: number };
}

/** A place in a file, for an error a person can click on. Lines and columns from 1. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** JSON path, e.g. `servers.db.settings`. */
  readonly path: string;
  readonly code:
    | 'SBX_CONFIG_SYNTAX'
    | 'SBX_CONFIG_INVALID'
    | 'SBX_CONFIG_RESERVED'
    | 'SBX_ALIAS_INVALID'
    | 'SBX_WORKSPACE_WIDENS'
    | 'SBX_CONFIG_READ';
  readonly message: string;
  readonly fix: string;
}

/** One server ready to be started: substituted, aliased, with the secrets it was granted. */
export interface ResolvedServer {
  /** Key in the configuration. */
  readonly name: string;
  readonly alias: string;
  readonly entry: ServerEntry;
  /** Digest of the substituted entry: same digest, same running server. */
  readonly digest: string;
  /** Tools hidden by the binding. */
  readonly hidden: readonly string[];
  /** Set when the server cannot be started as configured (missing secret, unknown variable): its lists stay empty, its calls fail with this. */
  readonly problem?: { readonly code: string; readonly message: string; readonly cause: string; readonly fix: string };
}
/** One endpoint ready to be served. */
export interface ResolvedEndpoint {
  readonly name: string;
  /** Workspace slug, or undefined for the user's own endpoints. */
  readonly workspace?: string;
  /** Path under the listener: `/mcp/<endpoint>` or `/mcp/<workspace>/<endpoint>`. */
  readonly path: string;
  /** Deterministic order: namespace order, then binding order. */
  readonly servers: readonly ResolvedServer[];
}
/** State of a workspace. */
export type TrustState = 'trusted' | 'untrusted' | 'changed' | 'none';
/** A workspace folder the daemon knows. */
export interface WorkspaceInfo {
  /** Real path of the folder. */
  readonly folder: string;
  /** slug + short hash. */
  readonly id: string;
  /** `none`: the folder has no `.signalbox/config.jsonc`. */
  readonly trust: TrustState;
}
