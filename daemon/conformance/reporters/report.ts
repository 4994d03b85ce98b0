/** What every reporter gets. */
import type { Finding, Summary } from '../../api/conformance.ts';

/** A run that has ended. */
export interface Report {
  readonly summary: Summary;
  readonly findings: readonly Finding[];
}
