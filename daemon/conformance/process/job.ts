/** What a runner process is told on its standard input and what it says on its standard output: one JSON document a line, both ways. */
import type { ConformanceSettings, ConformEvent, Finding, PropertyInfo, Target } from '../../api/conformance.ts';
import type { ErrorShape } from '../../api/errors.ts';
import type { Era } from '../../protocol/eras.ts';
import type { Replay } from '../replay.ts';

/** The first line: what to do. It holds secrets (headers, environment), which is why it is no argument. */
export type Job =
  | { readonly kind: 'discover' }
  | RunJob
  | {
      readonly kind: 'replay';
      readonly finding: Finding;
      readonly target: Target;
      readonly settings: Omit<ConformanceSettings, 'tokens'>;
      /** Milliseconds a request may take. */
      readonly limitMs: number;
    };

/** A run. */
export interface RunJob {
  readonly kind: 'run';
  readonly target: Target;
  readonly eras?: readonly Era[];
  readonly seed: number;
  /** Generated cases for each property. */
  readonly runs: number;
  readonly only?: readonly string[];
  readonly settings: Omit<ConformanceSettings, 'tokens'>;
  readonly limitMs: number;
  /** The run waits for an {@link Order} after each list of tools it wants to call that has a name the last did not have. */
  readonly ask?: boolean;
  /** What a watched server was like before: the properties to run first. */
  readonly first?: { readonly properties: readonly string[]; readonly surface: Readonly<Record<string, string>> };
}

/** Every later line. */
export type Order =
  /** Ends the run after the case that is under way; what was not reached is reported as not exercised. */
  | { readonly order: 'cancel' }
  /** The answer to a list of tools. `false`: none is called. */
  | { readonly order: 'tools'; readonly call: boolean };

/** What the process says. The last line is `end`, `failed`, `properties` or `replayed`. */
export type JobEvent =
  | ConformEvent
  | { readonly type: 'failed'; readonly error: ErrorShape }
  | { readonly type: 'properties'; readonly properties: readonly PropertyInfo[] }
  | { readonly type: 'replayed'; readonly replay: Replay };
