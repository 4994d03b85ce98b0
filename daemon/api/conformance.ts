/** Conformance: the event stream of a run (one JSON object a line: what the daemon, the editor and the reporters read), and its part of the control channel. */
import type { ErrorShape } from './errors.ts';

/** Era of the protocol. */
type Era = 'legacy' | 'modern';

/** Severity of a broken requirement: MUST is an error, SHOULD a warning, a rule without a keyword (DERIVED) a note. */
export type Severity = 'error' | 'warning' | 'note';

/** What is tested. */
export type Target =
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly cwd?: string;
      readonly env?: Readonly<Record<string, string>>;
      /** A document each process finds on its descriptor 3, as plugins do. */
      readonly settings?: Readonly<Record<string, unknown>>;
    }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Tokens of a protected server. */
      readonly tokens?: Tokens;
    };

/** Bearer tokens (RFC 6750) for a protected server; only `valid` is needed. Secrets: they are in no event and no stored case. */
export interface Tokens {
  /** What every request carries. */
  readonly valid: string;
  /** Of another principal, valid too. */
  readonly second?: string;
  readonly expired?: string;
  /** Well formed and in date, for another resource (RFC 8707). */
  readonly otherAudience?: string;
  /** Valid, with fewer scopes than the tools of the server need. */
  readonly narrow?: string;
}

/** What a server's tools are good for, by the word of whoever knows it. A tool named here may be called. */
export type ToolRole = 'slow' | 'logs' | 'progress' | 'changes' | 'asks' | 'mutates';

/** How a server is to be treated while it is tested: `conformance` of a server's entry, or `.signalbox/conformance.jsonc`. */
export interface ConformanceSettings {
  /** Tools that may be called with valid arguments though they do not say that they are read-only; `*` for all. */
  readonly allow?: readonly string[];
  /** Tools by what they do, where it does not show by itself. */
  readonly roles?: Readonly<Partial<Record<ToolRole, string | readonly string[]>>>;
  /** Arguments a tool is called with, and no others: a dry run. */
  readonly arguments?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Puts the server's world back. */
  readonly reset?: ResetHook;
  /** Tokens of a protected server. They are in no event and no stored case. */
  readonly tokens?: Partial<Tokens>;
}

/** A command line or a call that puts the server's world back, and how often: before the run (default), each property or each case. */
export type ResetHook = { readonly before?: 'run' | 'property' | 'case' } & (
  | { readonly command: readonly string[]; readonly cwd?: string }
  | { readonly tool: string; readonly arguments?: Readonly<Record<string, unknown>> }
);

/** One line of the trace of a connection. */
export interface TraceLine {
  readonly direction: '>' | '<' | '!';
  readonly channel: string;
  readonly text: string;
}

/** A broken requirement with all that is needed to see it again. */
export interface Finding {
  /** Stable: same requirement, property, transport and input, same id. */
  readonly id: string;
  readonly requirement: string;
  readonly level: string;
  readonly severity: Severity;
  readonly area: string;
  readonly statement: string;
  readonly specification: string;
  readonly property: string;
  readonly era: Era;
  readonly transport: 'stdio' | 'http';
  /** The smallest input found. */
  readonly input: unknown;
  readonly expected: string;
  readonly got: string;
  /** It did not show again on fresh connections. */
  readonly flaky: boolean;
  /** Inputs that must go before on the same connection, when the smallest alone does not show it. */
  readonly history?: readonly unknown[];
  readonly seed: number;
  /** fast-check's path to the counterexample. */
  readonly path?: string;
  readonly shrinks: number;
  readonly target: Target;
  /** Name of the server of the configuration it was found on; a replay takes its entry as it is then. */
  readonly configured?: string;
  /** The settings it was found with, where there were any. */
  readonly settings?: ConformanceSettings;
  /** Tools that were called; a replay calls no others. */
  readonly called: readonly string[];
  readonly trace: readonly TraceLine[];
}

/**
 * Adds a finding to those of a run. A run tells of a requirement again when it finds a worse way to break it: the later one takes
 * the place of the earlier.
 */
export function addFinding(findings: Finding[], finding: Finding): void {
  const earlier = findings.findIndex(({ requirement }) => requirement === finding.requirement);
  if (earlier < 0) findings.push(finding);
  else findings[earlier] = finding;
}

/** What became of one requirement. */
export type Verdict = 'passed' | 'failed' | 'warning' | 'note' | 'not-applicable' | 'not-exercised';

/** One requirement's verdict and why. */
export interface Outcome {
  readonly requirement: string;
  readonly area: string;
  readonly verdict: Verdict;
  readonly reason?: string;
}

/** The end of a run. */
export interface Summary {
  readonly seed: number;
  readonly runs: number;
  readonly eras: readonly Era[];
  readonly transport: 'stdio' | 'http';
  readonly server: string;
  readonly cases: number;
  readonly ms: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly outcomes: readonly Outcome[];
}

/** One event. */
export type ConformEvent =
  | { readonly type: 'start'; readonly target: Target; readonly seed: number; readonly runs: number }
  | {
      readonly type: 'tools';
      readonly era: Era;
      readonly called: readonly string[];
      readonly left: readonly string[];
      /** What the server has and declares, as a digest for each area: what differs from the last run was changed. */
      readonly surface: Readonly<Record<string, string>>;
    }
  | {
      readonly type: 'progress';
      readonly done: number;
      readonly total: number;
      readonly property: string;
      readonly era: Era;
      readonly cases: number;
    }
  | { readonly type: 'finding'; readonly finding: Finding }
  | { readonly type: 'end'; readonly summary: Summary };

/** A property as a list shows it. */
export interface PropertyInfo {
  /** `area/name`; what `--only` takes. */
  readonly name: string;
  readonly area: string;
  readonly title: string;
  readonly eras: readonly Era[];
  /** Ids of the requirements it looks at. */
  readonly requirements: readonly string[];
}

/** What a run is aimed at: a server of the configuration (a fresh private instance of it), or a target. */
export type ConformTarget = { readonly kind: 'server'; readonly server: string; readonly workspace?: string } | Target;

/** The part of the control channel about conformance. The runner is a process of its own. */
export interface ConformanceMethods {
  /** The areas and properties there are; which apply is known after a run. */
  'conform/discover': { params: Record<string, never>; result: { properties: readonly PropertyInfo[] } };
  /**
   * Begins a run; `conform` events tell what happens, the last is `end` or `failed`. `folder`: where cases are stored
   * (`.signalbox/conformance` below it). The run ends when the connection that began it does.
   */
  'conform/run': {
    params: {
      target: ConformTarget;
      eras?: readonly Era[];
      seed?: number;
      runs?: number;
      /** Names of properties, parts of names, ids of requirements; all properties without it. */
      only?: readonly string[];
      /** Tools to call though they do not say that they are read-only. */
      allow?: readonly string[];
      folder?: string;
      /** Milliseconds a request may take; 5000 without it. */
      limitMs?: number;
      /** Properties to run before the others, and what the server was like before: those of areas that are not so any more run first too. */
      first?: { readonly properties: readonly string[]; readonly surface?: Readonly<Record<string, string>> };
      /** The run waits for `conform/answer` after each `tools` event with names that were not agreed to yet. */
      ask?: boolean;
    };
    result: { run: string };
  };
  /** Answers a `tools` event of a run that asks; `call: false` goes on without calling a tool. */
  'conform/answer': { params: { run: string; call: boolean }; result: Record<string, never> };
  /** Ends a run after the case under way; its last event is `end` with what was not reached as not exercised, or `failed`. */
  'conform/cancel': { params: { run: string }; result: Record<string, never> };
  /** The stored cases of a folder. */
  'conform/findings': { params: { folder: string }; result: { findings: readonly Finding[] } };
  /** Sends a stored case again; `holds` when the requirement holds now. `finding`: the case with what was seen this time. */
  'conform/replay': { params: { id: string; folder: string }; result: { holds: boolean; finding?: Finding } };
  /** Writes a stored case as a test for `node --test`. */
  'conform/save': { params: { id: string; folder: string }; result: { file: string } };
  /** The report of a run that has ended: `html`, `junit`, `sarif` or `json`. */
  'conform/report': { params: { run: string; reporter: string }; result: { text: string } };
}
/** Events about conformance, to the connection that began the run. */
export interface ConformanceEvents {
  conform: { readonly run: string; readonly event: ConformEvent | { readonly type: 'failed'; readonly error: ErrorShape } };
}
