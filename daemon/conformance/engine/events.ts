/** The event stream of a run: one JSON object a line. What the daemon, the editor and the reporters read. */
import type { Era } from '../../protocol/eras.ts';
import type { Severity } from '../requirements.ts';
import type { Target } from '../transports/wire.ts';
import type { TraceLine } from './session.ts';

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
  /** Tools that were called; a replay calls no others. */
  readonly called: readonly string[];
  readonly trace: readonly TraceLine[];
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
  | { readonly type: 'tools'; readonly era: Era; readonly called: readonly string[]; readonly left: readonly string[] }
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
