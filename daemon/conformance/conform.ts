/** A whole run: which eras the server speaks, every property in each of them, and a verdict on every requirement. */

import {
  addFinding,
  type ConformanceSettings,
  type ConformEvent,
  type Finding,
  type Outcome,
  type ResetHook,
  type Summary,
  type Target,
  type Verdict,
} from '../api/conformance.ts';
import type { Era } from '../protocol/eras.ts';
import { unimplementedReason } from './coverage.ts';
import { withoutSecrets } from './engine/finding.ts';
import { at } from './engine/judge.ts';
import type { Property } from './engine/property.ts';
import { runProperties, type SubjectReport } from './engine/runner.ts';
import { stumbling } from './engine/stumbling.ts';
import { discover, type Safety, type Subject } from './engine/subject.ts';
import { REQUIREMENTS, type Requirement } from './requirements.ts';
import { resetter } from './reset.ts';
import { earlier, selected } from './selection.ts';
import { authorized, scrubber } from './tokens.ts';

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
  /** Only these properties: names, parts of names, ids of requirements. */
  readonly only?: string | readonly string[];
  /** Puts the server's world back. */
  readonly reset?: ResetHook;
  /** Says whether these tools may be called; all may without it. */
  readonly agree?: (called: readonly string[]) => Promise<boolean>;
  /** What a watched server was like before: these properties, and those of areas that differ, run first. */
  readonly first?: { readonly properties: readonly string[]; readonly surface: Readonly<Record<string, string>> };
  readonly signal: AbortSignal;
  readonly emit: (event: ConformEvent) => void;
}

/** The end of a run. */
export interface ConformReport {
  readonly summary: Summary;
  readonly findings: readonly Finding[];
}

/** Tests a server. One that gives no result to the handshake of any era is told what is wrong there; one that is silent gives a report without eras. */
export async function conform(options: ConformOptions): Promise<ConformReport> {
  const began = performance.now();
  const { seed, runs, safety, signal } = options;
  const target = authorized(options.target);
  const kept = keptSettings(options);
  const scrub = scrubber(target);
  const findings: Finding[] = [];
  const emit = (event: ConformEvent): void => {
    if (event.type !== 'finding') return options.emit(event);
    const finding = scrub({ ...event.finding, ...kept });
    addFinding(findings, finding);
    options.emit({ type: 'finding', finding });
  };
  emit({ type: 'start', target: withoutSecrets(target), seed, runs });
  const properties = selected(options.only);
  const reports: { subject: Subject; report: SubjectReport }[] = [];
  const refused: Era[] = [];
  for (const era of options.eras ?? (['modern', 'legacy'] as const)) {
    if (signal.aborted) break;
    const reset = resetter({ ...safety, ...(options.reset === undefined ? {} : { reset: options.reset }) }, { ...options, target, era });
    await reset('run');
    let surface: Readonly<Record<string, string>> = {};
    const subject = await discover({
      target,
      era,
      limitMs: options.limitMs,
      safety,
      announce: async (called, left, digests) => {
        surface = digests;
        emit({ type: 'tools', era, called, left, surface });
        return called.length === 0 || (await options.agree?.(called)) !== false;
      },
    });
    if (typeof subject === 'string') {
      if (subject === 'refused') refused.push(era);
      continue;
    }
    const first = earlier(properties, options.first, surface);
    const report = await runProperties(subject, properties, {
      seed,
      runs,
      signal,
      emit,
      first,
      ...(options.reset === undefined ? {} : { before: reset }),
    });
    reports.push({ subject, report });
  }
  if (reports.length === 0 && refused.length > 0 && !signal.aborted) {
    const stumbled = await stumbling({ target, limitMs: options.limitMs }, refused);
    if (stumbled !== undefined) {
      const { subject, property } = stumbled;
      const own = properties.filter(({ name }) => name === property);
      const report = await runProperties(subject, own, { seed, runs, signal, emit });
      // nothing wrong the second time: it was not there when it was asked first
      if (report.findings.some(({ flaky }) => !flaky)) reports.push({ subject, report });
    }
  }
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

/** What a finding keeps of the settings: a replay needs them. */
function keptSettings({ safety, reset }: ConformOptions): { settings?: ConformanceSettings } {
  const settings = { ...safety, ...(reset === undefined ? {} : { reset }) };
  const said = Object.entries(settings).filter(([, value]) => value !== undefined && (!Array.isArray(value) || value.length > 0));
  return said.length === 0 ? {} : { settings: Object.fromEntries(said) };
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
