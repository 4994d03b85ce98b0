/** What the connections of a replay share. */
import type { ReplayRules } from '../../api/recordings.ts';
import type { Findings } from '../compare/findings.ts';
import type { RequestRules } from '../compare/rules.ts';
import type { Accepted } from './acceptance.ts';
import type { Substitution } from './substitution.ts';
import type { Survey } from './survey.ts';

/** What all parties of a replay share. */
export interface PlayContext {
  readonly survey: Survey;
  readonly findings: Findings;
  readonly rules: ReplayRules;
  readonly rulesFor: (method: string, target?: string) => RequestRules;
  readonly substitution: Substitution;
  readonly allowWrites: boolean;
  readonly timeoutMs: number;
  readonly accepted: Accepted | undefined;
  /** A request of the recording has had its turn. */
  step(): void;
}
