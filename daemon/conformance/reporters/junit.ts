/** The report for CI systems: JUnit XML. */
import type { Finding, Outcome } from '../../api/conformance.ts';
import { clip } from '../transports/wire.ts';
import { escaped } from './markup.ts';
import type { Report } from './report.ts';

/** A test for each requirement, a suite for each area of each revision. What was not looked at is skipped, never passed. */
export function junitReport({ summary, findings }: Report): string {
  const suites = new Map<string, Outcome[]>();
  for (const outcome of summary.outcomes) {
    const name = `${outcome.requirement.startsWith('L-') ? '2025-11-25' : '2026-07-28'} ${outcome.area}`;
    suites.set(name, [...(suites.get(name) ?? []), outcome]);
  }
  const texts = [...suites].map(([name, outcomes]) => suite(name, outcomes, findings));
  const { failed, passed, warning, note } = summary.counts;
  const total = summary.outcomes.length;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="signalbox conform: ${escaped(summary.server)}" tests="${total}" failures="${failed}" errors="0" skipped="${total - failed - passed - warning - note}" time="${summary.ms / 1000}">
${texts.join('\n')}
</testsuites>
`;
}

function suite(name: string, outcomes: readonly Outcome[], findings: readonly Finding[]): string {
  const count = (...verdicts: readonly string[]): number => outcomes.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const cases = outcomes.map((outcome) => {
    const mine = findings.filter(({ requirement }) => requirement === outcome.requirement);
    return `<testcase classname="${escaped(name)}" name="${escaped(outcome.requirement)}">${inside(outcome, mine)}</testcase>`;
  });
  return `<testsuite name="${escaped(name)}" tests="${outcomes.length}" failures="${count('failed')}" errors="0" skipped="${count('not-applicable', 'not-exercised')}">
${cases.join('\n')}
</testsuite>`;
}

function inside({ verdict, reason }: Outcome, findings: readonly Finding[]): string {
  switch (verdict) {
    case 'passed':
      return '';
    case 'failed':
      return findings
        .slice(0, 1)
        .map(
          (first) =>
            `<failure type="${escaped(first.level)}" message="${escaped(first.statement)}">${findings.map(told).join('\n')}</failure>`,
        )
        .join('');
    case 'warning':
    case 'note':
      return `<system-out>${findings.map((finding) => `${verdict}${finding.flaky ? ' (flaky)' : ''}: ${told(finding)}`).join('\n')}</system-out>`;
    default:
      return `<skipped message="${escaped(`${verdict}: ${reason ?? ''}`)}"/>`;
  }
}

function told({ id, expected, got, input, specification }: Finding): string {
  return escaped(
    `expected ${expected}\ngot ${clip(got, 4000)}\ninput ${clip(JSON.stringify(input) ?? 'none', 4000)}\nagain signalbox conform --replay ${id}\n${specification}`,
  );
}
