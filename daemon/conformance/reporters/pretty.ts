/** The report for a terminal. */
import type { Finding, Summary, Verdict } from '../../api/conformance.ts';
import { clip } from '../transports/wire.ts';

/** One finding, for people. */
export function findingText({
  id,
  requirement,
  level,
  severity,
  statement,
  specification,
  property,
  era,
  transport,
  input,
  expected,
  got,
  flaky,
  history,
}: Finding): string {
  return [
    `${severity.toUpperCase()} ${requirement} (${level}, ${era}, ${transport})${flaky ? ' FLAKY: it did not show again' : ''}`,
    `  ${statement}`,
    `  ${specification}`,
    `  input     ${clip(JSON.stringify(input) ?? 'none')}${history === undefined ? '' : ` after ${history.length - 1} others on the connection`}`,
    `  expected  ${clip(expected)}`,
    `  got       ${clip(got)}`,
    `  property  ${property}; again: signalbox conform --replay ${id}`,
  ].join('\n');
}

const VERDICTS: readonly Verdict[] = ['passed', 'failed', 'warning', 'note', 'not-applicable', 'not-exercised'];

/** The whole report. */
export function prettyReport({ summary, findings }: { readonly summary: Summary; readonly findings: readonly Finding[] }): string {
  const order = { error: 0, warning: 1, note: 2 };
  const sorted = [...findings].sort((one, other) => order[one.severity] - order[other.severity]);
  const eras = summary.eras.join(' and ') || 'no era';
  const head = `${summary.server || 'The server'}, ${summary.transport}, ${eras}: ${summary.cases} cases in ${(summary.ms / 1000).toFixed(1)} s, seed ${summary.seed}`;
  return [
    ...sorted.map(findingText),
    ...(sorted.length > 0 ? [''] : []),
    head,
    '',
    areaTable(summary),
    '',
    VERDICTS.map((verdict) => `${summary.counts[verdict]} ${verdict.replace('-', ' ')}`).join(', '),
  ].join('\n');
}

function areaTable(summary: Summary): string {
  const rows = new Map<string, Record<Verdict, number>>();
  for (const { requirement, area, verdict } of summary.outcomes) {
    const key = `${requirement.startsWith('L-') ? '2025-11-25' : '2026-07-28'} ${area}`;
    const row = rows.get(key) ?? { passed: 0, failed: 0, warning: 0, note: 0, 'not-applicable': 0, 'not-exercised': 0 };
    row[verdict]++;
    rows.set(key, row);
  }
  const line = (name: string, cells: readonly string[]): string => `${name.padEnd(28)}${cells.map((cell) => cell.padStart(10)).join('')}`;
  return [
    line('', ['passed', 'failed', 'warning', 'note', 'n/a', 'not run']),
    ...[...rows].map(([name, row]) =>
      line(
        name,
        VERDICTS.map((verdict) => (row[verdict] === 0 ? '·' : String(row[verdict]))),
      ),
    ),
  ].join('\n');
}
