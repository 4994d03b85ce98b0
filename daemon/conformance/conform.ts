/** A whole run: which eras the server speaks, every property in each of them, and a verdict on every requirement. */

import type { ConformEvent, Finding, Outcome, Summary, Target, Verdict } from '../api/conformance.ts';
import type { Era } from '../protocol/eras.ts';
import { unimplementedReason } from './coverage.ts';
import { at } from './engine/judge.ts';
import type { Property } from './engine/property.ts';
import { runProperties, type SubjectReport } from './engine/runner.ts';
import { discover, type Safety, type Subject } from './engine/subject.ts';
import { PROPERTIES } from './properties/properties.ts';
import { REQUIREMENTS, type Requirement } from './requirements.ts';

/** Settings of a run. */
export interface ConformOptions {
  readonly target: Target;
  /** The eras to test; those the server answers in without it. */
  readonly eras?: readonly Era[];
  readonly seed: number;
  /** Generated cases for each property. */
  readonly runs: number;
  readonly safety: Safety;
  /** Milliseconds a request may take. */
  readonly limitMs: number;
  /** Only properties whose name contains this, or that look at the requirement of this id. */
  readonly only?: string;
  readonly signal: AbortSignal;
  readonly emit: (event: ConformEvent) => void;
}

/** The end of a run. */
export interface ConformReport {
  readonly summary: Summary;
  readonly findings: readonly Finding[];
}

/** Tests a server. A server that answers in no era gives a report without eras. */
export async function conform(options: ConformOptions): Promise<ConformReport> {
  const began = performance.now();
  const { target, seed, runs, safety, signal, emit } = options;
  emit({ type: 'start', target, seed, runs });
  const properties = PROPERTIES.filter(
    ({ name, stems }) => options.only === undefined || name.includes(options.only) || stems.includes(options.only.replace(/^[LM]-/, '')),
  );
  const reports: { subject: Subject; report: SubjectReport }[] = [];
  for (const era of options.eras ?? (['modern', 'legacy'] as const)) {
    if (signal.aborted) break;
    const subject = await discover({
      target,
      era,
      limitMs: options.limitMs,
      safety,
      announce: (called, left) => emit({ type: 'tools', era, called, left }),
    });
    if (subject === undefined) continue;
    const report = await runProperties({ ...subject, limitMs: options.limitMs }, properties, { seed, runs, signal, emit });
    reports.push({ subject, report });
  }
  const findings = reports.flatMap(({ report }) => report.findings);
  const outcomes = reports.flatMap(({ subject, report }) => outcomesOf(subject, report, properties));
  const counts: Record<Verdict, number> = { passed: 0, failed: 0, warning: 0, note: 0, 'not-applicable': 0, 'not-exercised': 0 };
  for (const { verdict } of outcomes) counts[verdict]++;
  const info = reports
    .map(({ subject }) => at(subject.handshake, 'serverInfo') ?? at(subject.handshake, '_meta', 'io.modelcontextprotocol/serverInfo'))
    .find((one) => one !== undefined);
  const summary: Summary = {
    seed,
    runs,
    eras: reports.map(({ subject }) => subject.era),
    transport: target.kind,
    server: [at(info, 'name'), at(info, 'version')].filter((word) => typeof word === 'string').join(' '),
    cases: reports.reduce((sum, { report }) => sum + report.cases, 0),
    ms: Math.round(performance.now() - began),
    counts,
    outcomes,
  };
  emit({ type: 'end', summary });
  return { summary, findings };
}

/** A verdict on every requirement of the subject's revision: nothing passes that was not looked at. */
function outcomesOf(subject: Subject, report: SubjectReport, properties: readonly Property[]): readonly Outcome[] {
  const revision = subject.era === 'legacy' ? '2025-11-25' : '2026-07-28';
  return REQUIREMENTS.filter((requirement) => requirement.revision === revision).map((requirement) => {
    const { id, area } = requirement;
    const finding = report.findings.find((one) => one.requirement === id);
    if (finding !== undefined)
      return {
        requirement: id,
        area,
        verdict: finding.severity === 'error' ? 'failed' : finding.severity,
        reason: `finding ${finding.id}`,
      };
    if ((report.exercised.get(id) ?? 0) > 0) return { requirement: id, area, verdict: 'passed' };
    return { requirement: id, area, ...notLookedAt(requirement, subject, report, properties) };
  });
}

function notLookedAt(
  requirement: Requirement,
  subject: Subject,
  report: SubjectReport,
  properties: readonly Property[],
): { verdict: Verdict; reason: string } {
  if (requirement.applies !== 'both' && requirement.applies !== subject.transport)
    return { verdict: 'not-applicable', reason: `it is about ${requirement.applies}` };
  const missing = unimplementedReason(requirement);
  if (missing !== undefined) return { verdict: 'not-exercised', reason: missing };
  const stem = requirement.id.slice(2);
  const skipped = report.skipped.find(({ stems }) => stems.includes(stem));
  if (skipped !== undefined)
    return { verdict: skipped.reason.startsWith('the run') ? 'not-exercised' : 'not-applicable', reason: skipped.reason };
  const about = properties.some(({ stems }) => stems.includes(stem));
  return { verdict: 'not-exercised', reason: about ? 'nothing came up that this rule is about' : 'its property was not selected' };
}
