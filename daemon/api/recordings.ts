/** Recordings: the lines of their files (docs/recording-format.md), and what the control channel does with them. */
import type { ErrorShape } from './errors.ts';
import type {
  Direction,
  Edge,
  ListStatistics,
  RpcId,
  SessionInfo,
  TapFilter,
  TapTransport,
  ToolStatistics,
  TrafficQuery,
  TrafficRow,
} from './sessions.ts';

/** Version of the format this build writes; it reads this and older ones. */
export const RECORDING_VERSION = 1;

/** First line of a recording and of each of its segments. */
export interface RecordingHeader {
  readonly signalbox: 'recording';
  readonly version: number;
  readonly id: string;
  readonly name?: string;
  /** ISO 8601; times of lines are milliseconds since then. */
  readonly createdAt: string;
  /** Number of the segment, from 1. */
  readonly segment: number;
  readonly writer: { readonly name: string; readonly version: string };
  readonly filter: TapFilter;
  /** What was taken out; placeholders begin with `prefix`. */
  readonly redaction: { readonly rules: readonly string[]; readonly prefix: string };
}
/** A connection begins (or goes on in a new segment). */
export interface OpenLine {
  readonly k: 'open';
  readonly t: number;
  /** Name of the connection in this recording. */
  readonly c: string;
  readonly edge: Edge;
  readonly transport: TapTransport;
  readonly session?: string;
  readonly client?: string;
  readonly endpoint?: string;
  readonly workspace?: string;
  readonly server?: string;
}
/** A frame. `m` is the message; `blob` is there instead when the message is kept in a side file. */
export interface FrameLine {
  readonly k: 'frame';
  /** Counts upwards over the recording. */
  readonly n: number;
  readonly t: number;
  readonly c: string;
  readonly d: Direction;
  readonly era?: 'legacy' | 'modern';
  readonly bytes: number;
  /** `n` of the client's request it belongs to. */
  readonly call?: number;
  /** Id of the request on whose stream it passed. */
  readonly stream?: RpcId;
  readonly m?: object;
  /** `sha256-<hex>` of the side file `blobs/<hex>.json`. */
  readonly blob?: string;
}
/** Anything else: the end of a connection, what is no message, a line of standard error, something missing, the end. */
export type OtherLine =
  | { readonly k: 'close'; readonly t: number; readonly c: string; readonly why?: string }
  | { readonly k: 'fault'; readonly t: number; readonly c: string; readonly why: string; readonly call?: number }
  | { readonly k: 'stderr'; readonly t: number; readonly server: string; readonly line: string }
  /** Something is missing before this line: `lost` events if known. Written by the writer, or made by a reader of a torn file. */
  | { readonly k: 'gap'; readonly t: number; readonly lost?: number; readonly why: string }
  | { readonly k: 'end'; readonly t: number; readonly frames: number };
/** Any line after the header. */
export type RecordingLine = OpenLine | FrameLine | OtherLine;

/** A recording as people see it. */
export interface RecordingInfo {
  readonly id: string;
  readonly name?: string;
  /** Folder (state directory) or file (exported). */
  readonly path: string;
  readonly createdAt: string;
  readonly endedAt?: string;
  /** Being written now. */
  readonly live: boolean;
  readonly frames: number;
  readonly bytes: number;
  readonly clients: readonly string[];
  readonly servers: readonly string[];
  readonly eras: readonly ('legacy' | 'modern')[];
  readonly gaps: number;
  readonly filter: TapFilter;
  /** Why it stopped by itself. */
  readonly problem?: ErrorShape;
}

/**
 * A place that differs (RFC 6901). With `before` and `after` it is changed, with `before` alone missing, with `after` alone extra. Pointers of
 * what is changed or missing lead through the recorded message, those of what is extra through the new one.
 */
export interface ReplayChange {
  readonly pointer: string;
  /** The text at `pointer` is JSON in both: the place inside it. */
  readonly inside?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}
/** What became of one request in a comparison. */
export interface ReplayDifference {
  readonly kind: 'changed' | 'missing' | 'extra' | 'slower' | 'skipped';
  /** `n` of the recorded request. */
  readonly request?: number;
  readonly method: string;
  readonly target?: string;
  readonly changes: readonly ReplayChange[];
  readonly before?: object;
  readonly after?: object;
  /** Milliseconds to the answer, of what became slower. */
  readonly ms?: { readonly before: number; readonly after: number };
  readonly why?: string;
}
/** Something that differs and does not count: an id, a time, what a rule names. */
export interface IgnoredDifference {
  readonly method: string;
  readonly target?: string;
  /** Of the first one; the same in other messages and elements is counted. */
  readonly pointer: string;
  readonly why: string;
  readonly count: number;
}
/** The end of a replay as a client, or of a comparison of two recordings. */
export interface ReplayReport {
  readonly recording: string;
  readonly against: string;
  readonly equal: number;
  /** What the equal ones were about; where there are very many, the rest is only counted in `equal`. */
  readonly same: readonly { readonly method: string; readonly target?: string; readonly count: number }[];
  readonly differences: readonly ReplayDifference[];
  /** Requests not sent: they may change something. */
  readonly skipped: number;
  readonly ignored: readonly IgnoredDifference[];
  /** `update` was asked for: the recording that has the accepted answers, and where the old ones are. */
  readonly updated?: { readonly path: string; readonly old: string; readonly accepted: number };
  readonly ms: number;
}

/** What counts in the answers of some tools or methods. Places are JSON pointers into the message (`/result/…`); `*` is any token, `**` any number. */
export interface PlaceRuleSet {
  /** Not looked at, whether there or not. */
  readonly ignore?: readonly string[];
  /** Must be there and of the same type; its value does not count. */
  readonly volatile?: readonly string[];
  /** Counts even where it looks like an id, a time or anything else that changes from run to run. */
  readonly exact?: readonly string[];
  /** Slower is an answer that took more than `factor` times as long (3 unless told) and at least `floorMs` longer (200 unless told). */
  readonly slower?: { readonly factor?: number; readonly floorMs?: number };
}
/** `.signalbox/replay.jsonc`: what counts in a comparison. */
export interface ReplayRules extends PlaceRuleSet {
  /** Of which notifications a difference counts: those of a request (unless told), every one, or none. */
  readonly notifications?: 'requests' | 'all' | 'none';
  /** Tools (with `*`) that may be called though they do not say that they only read. */
  readonly allow?: readonly string[];
  /** What is sent in place of what redaction took out: placeholder → value. `${env:NAME}` is a variable of the environment. */
  readonly values?: Readonly<Record<string, string>>;
  /** By the name of a tool (with `*`), in addition. */
  readonly tools?: Readonly<Record<string, PlaceRuleSet>>;
  /** By method (with `*`), in addition. */
  readonly methods?: Readonly<Record<string, PlaceRuleSet>>;
}

/** What a replay as a client is aimed at: an endpoint of the daemon, one of its servers (a fresh private one), a command line or a URL. */
export type ReplayTarget =
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly workspace?: string }
  | { readonly kind: 'server'; readonly server: string; readonly workspace?: string }
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly cwd?: string;
      readonly env?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'http'; readonly url: string; readonly headers?: Readonly<Record<string, string>> };

/** A recording that is served. */
export interface ServedReplay {
  readonly id: string;
  readonly url: string;
  readonly recording: string;
  readonly server?: string;
}

/** The part of the control channel about recordings. `recording` is an id, a name, or the path of an exported file. */
export interface RecordingMethods {
  'record/start': { params: TapFilter & { name?: string; ring?: boolean }; result: RecordingInfo };
  'record/stop': { params: { recording: string }; result: RecordingInfo };
  'record/list': { params: { folder?: string }; result: { recordings: readonly RecordingInfo[] } };
  'record/show': {
    params: TrafficQuery & { recording: string };
    result: { info: RecordingInfo; sessions: readonly SessionInfo[]; rows: readonly TrafficRow[]; more: boolean };
  };
  'record/statistics': {
    params: { recording: string; server?: string };
    /** `problems`: what of a damaged recording could not be read and is not counted. */
    result: { tools: readonly ToolStatistics[]; lists: readonly ListStatistics[]; problems?: readonly ErrorShape[] };
  };
  /** Without `to` nothing is written and `preview` says what would be. Formats: `jsonl` (readable in a git diff), `har`, `plain`. */
  'record/export': {
    params: { recording: string; to?: string; format?: string };
    result: { file?: string; preview: readonly string[]; bytes: number; problems?: readonly ErrorShape[] };
  };
  'record/import': { params: { file: string; format?: string; name?: string }; result: RecordingInfo };
  'record/remove': { params: { recording: string }; result: { removed: boolean } };
  'record/compare': { params: { recording: string; with: string; server?: string; rules?: ReplayRules }; result: ReplayReport };
  /** Serves a recording as a server at a URL of the daemon until stopped. Names and relative paths may also be those of a workspace's `folder`. */
  'replay/serve': {
    params: { recording: string; server?: string; timing?: boolean; folder?: string };
    result: { id: string; url: string };
  };
  'replay/stop': { params: { id: string }; result: Record<string, never> };
  /** Plays the client side against a target and compares. Ends with the report; `replay` events tell how far it is. */
  'replay/run': {
    params: {
      recording: string;
      against: ReplayTarget;
      /** Plays what the daemon said to this server instead of what the clients said. */
      server?: string;
      allowWrites?: boolean;
      update?: boolean;
      rules?: ReplayRules;
      /** Longest wait for an answer, where the recorded one did not take longer; 30 000 unless told. */
      timeoutMs?: number;
    };
    result: ReplayReport;
  };
}
/** Events about recordings. */
export interface RecordingEvents {
  replay: { readonly recording: string; readonly done: number; readonly total: number };
}
