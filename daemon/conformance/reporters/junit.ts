/** The report for CI systems: JUnit XML. */
import { escaped } from './markup.ts';
import type { Report } from './report.ts';

/** JUnit XML: a test for each requirement, a suite for each area. What was not looked at is skipped, never passed. */
export function junitReport({ summary, findings }: Report): string {
  const areas = new Map<string, string[]>();
  const failures = new Map<string, number>();
  for (const { requirement, area, verdict, reason } of summary.outcomes) {
    const finding = findings.find((one) => one.requirement === requirement);
    const inner =
      verdict === 'failed' && finding !== undefined
        ? `<failure message="${escaped(finding.statement)}">${escaped(`expected ${finding.expected}\ngot ${finding.got}\ninput ${JSON.stringify(finding.input)}\n${finding.specification}`)}</failure>`
        : verdict === 'passed' || verdict === 'warning' || verdict === 'note'
          ? finding === undefined
            ? ''
            : `<system-out>${escaped(`${verdict}: expected ${finding.expected}, got ${finding.got}`)}</system-out>`
          : `<skipped message="${escaped(`${verdict}: ${reason ?? ''}`)}"/>`;
    areas.set(area, [
      ...(areas.get(area) ?? []),
      `<testcase classname="${escaped(area)}" name="${escaped(requirement)}">${inner}</testcase>`,
    ]);
    if (verdict === 'failed') failures.set(area, (failures.get(area) ?? 0) + 1);
  }
  const suites = [...areas].map(
    ([area, cases]) =>
      `<testsuite name="${escaped(area)}" tests="${cases.length}" failures="${failures.get(area) ?? 0}">\n${cases.join('\n')}\n</testsuite>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="signalbox conform" time="${summary.ms / 1000}">\n${suites.join('\n')}\n</testsuites>\n`;
}
