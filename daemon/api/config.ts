/** The configuration after parsing and validation, before substitution of `${…}`. The JSON Schema beside the loader is its source of truth. */

import type { ConformanceSettings } from './conformance.ts';
import type { FaultRule } from './faults.ts';

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
  /** Equal connections (stdio: processes) calls are spread over. Default 1. */
  readonly replicas?: number;
  /** How calls are spread over replicas. Default `round-robin`. `sticky` goes by the client's credential. */
  readonly balance?: Balance;
  /** Name of the server whose tool of the same name answers when this one is down. */
  readonly fallback?: string;
  readonly limits?: ServerLimits;
  /**
   * Whether clients share a connection. `auto`: until the server asks its clients something, then each legacy session has its own;
   * `always`: never more than one per era; `never`: each legacy session and each modern credential has its own from the start.
   */
  readonly sharing?: 'auto' | 'always' | 'never';
  /** Tools that may be issued again after an interruption (the server's own names, `*` = all). */
  readonly replaySafe?: readonly string[];
  /** What goes wrong with its requests on purpose, for tests. Only in the user's own file, or on a recording. */
  readonly faults?: readonly FaultRule[];
  /** How it is treated while it is tested. */
  readonly conformance?: ConformanceSettings;
}
/** How calls are spread. */
export type Balance = 'round-robin' | 'least-busy' | 'sticky';
/** Limits of one server or one client. */
export interface ServerLimits {
  /** Calls at once; more wait in the queue. */
  readonly concurrency?: number;
  /** Calls that may wait; more are refused with SBX_BUSY. Default 256. */
  readonly queue?: number;
  /** Calls begun per minute; more are refused with SBX_RATE_LIMITED. */
  readonly callsPerMinute?: number;
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
/**
 * Where a value of a pattern comes from: a JSON pointer (RFC 6901) into `{input, steps: [{result, json}, …]}`. Anywhere in a template. `json` is
 * `result.structuredContent` or, without one, the first text block read as JSON.
 */
export interface FromPointer {
  readonly $from: string;
  /** true: where nothing is found the key is left out. Else that is an error. */
  readonly optional?: boolean;
}
/** One call inside a pattern. `arguments` is a template: `{"$from": "/input/path"}` is replaced wherever it stands. */
export interface PatternStep {
  readonly server: string;
  /** The server's own name of the tool. */
  readonly tool: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}
/** What every tool made by a pattern says of itself. */
interface PatternTool {
  readonly title?: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
}
/** Steps in order, the output of one the input of the next; `result` is a template for `structuredContent`, default the last step's result as it is. */
export interface ChainTool extends PatternTool {
  readonly steps: readonly PatternStep[];
  readonly result?: unknown;
}
/** Calls in parallel, answered as one; what failed is said beside what worked. */
export interface AggregateTool extends PatternTool {
  readonly calls: readonly PatternStep[];
}
/** A server made of other servers' tools: no process of its own. */
export interface PatternServer extends ServerCommon {
  readonly chain?: Readonly<Record<string, ChainTool>>;
  readonly aggregate?: Readonly<Record<string, AggregateTool>>;
}
/** A recording played as a server: no process of its own. */
export interface RecordingServer extends ServerCommon {
  readonly type?: 'recording';
  /** Path of an exported file (relative: to the workspace, or to the user's file), id or name. */
  readonly recording: string;
  /** Plays what this server said to the daemon instead of what the daemon said to its clients. */
  readonly server?: string;
  /** true: the recorded pauses; a number: so many times as long. Default: none. */
  readonly timing?: boolean | number;
  /** Default `params`. */
  readonly match?: 'params' | 'order' | 'target';
  /** JSON pointers into the parameters whose values do not count. */
  readonly ignore?: readonly string[];
  /** What answers a request made more often than it was recorded. Default `last`. */
  readonly repeat?: 'last' | 'loop' | 'never';
}
/** One MCP server as configured. */
export type ServerEntry = PluginServer | StdioServer | HttpServer | PatternServer | RecordingServer;

/** A server inside a namespace. */
export interface Binding {
  readonly server: string;
  readonly alias?: string;
  /** By the server's own name of the tool. */
  readonly tools?: Readonly<Record<string, ToolOverride>>;
  /** true: a tool whose definition changed is neither listed nor callable until `signalbox servers accept`. */
  readonly pin?: boolean;
}
/** What an endpoint says of a tool instead of its server. Holds for the definition it was made for: when that changes it is suspended. */
export interface ToolOverride {
  readonly hidden?: boolean;
  /** Exposed instead of the server's own name, after `alias__`. */
  readonly name?: string;
  readonly title?: string;
  readonly description?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
}
/** An endpoint: ordered namespaces. */
export interface EndpointEntry {
  readonly namespaces: readonly string[];
  /** `full`: every tool is listed; `search`: `find_tools`, `describe_tool` and `call_tool` stand for all of them. */
  readonly tools?: 'full' | 'search';
}
/** Policy of one client, by the name it was wired with. */
export interface ClientEntry {
  readonly endpoint?: string;
  /** Only servers of these namespaces are visible. Default: all of the endpoint. */
  readonly namespaces?: readonly string[];
  /** Globs (`*`) over exposed names (`fs__*`). What matches no `allow` or any `deny` does not exist for the client. */
  readonly tools?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  readonly limits?: ServerLimits;
}
/** What is taken out of traffic beside what is taken out anyway. */
export interface RedactionRules {
  /** JSON pointers (RFC 6901) into the message; `*` stands for any one member, `**` for any number: `/params/arguments/ssn`. */
  readonly pointers?: readonly string[];
  /** Regular expressions (RE2 syntax, linear time) over every text. With a group, only what the first group matched is taken out. */
  readonly patterns?: readonly string[];
  /** Names of fields, however written (`ssn`, `date-of-birth`), whose values are taken out. */
  readonly fields?: readonly string[];
}
/** A whole configuration file. */
export interface Config {
  readonly servers: Readonly<Record<string, ServerEntry>>;
  readonly namespaces: Readonly<Record<string, readonly (string | Binding)[]>>;
  readonly endpoints: Readonly<Record<string, EndpointEntry>>;
  readonly clients: Readonly<Record<string, ClientEntry>>;
  readonly limits: { readonly messageBytes: number };
  readonly daemon: { readonly port?: number; readonly idleStopMinutes: number };
  readonly redaction?: RedactionRules;
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
  /** Names of the namespaces of the endpoint it came in by. Absent = none known. */
  readonly namespaces?: readonly string[];
  /** Overrides of the binding, by the server's own name of the tool. */
  readonly overrides?: Readonly<Record<string, ToolOverride>>;
  readonly pin?: boolean;
  /** Servers this one needs (fallback, chain, aggregate), resolved, by name. They may be in no endpoint. */
  readonly uses?: Readonly<Record<string, ResolvedServer>>;
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
  /** Default `full`. */
  readonly tools?: 'full' | 'search';
  /** Folder of the workspace: what a server is told when it asks for roots. */
  readonly folder?: string;
  /** Policies by client name. */
  readonly clients?: Readonly<Record<string, ClientEntry>>;
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
