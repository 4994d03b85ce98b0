/** The report for a terminal. */
import type { Finding, Summary } from '../../api/conformance.ts';
import { clip } from '../transports/wire.ts';
import { areaRows, VERDICTS } from './areas.ts';
import { plain } from './progress.ts';
import type { Report } from './report.ts';

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

/** The whole report. */
export function prettyReport(report: Report): string {
  return plain(whole(report));
}

function whole({ summary, findings }: Report): string {
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
  const line = (name: string, cells: readonly string[]): string => `${name.padEnd(28)}${cells.map((cell) => cell.padStart(10)).join('')}`;
  return [
    line('', ['passed', 'failed', 'warning', 'note', 'n/a', 'not run']),
    ...areaRows(summary).map(({ revision, area, counts }) =>
      line(
        `${revision} ${area}`,
        VERDICTS.map((verdict) => (counts[verdict] === 0 ? '·' : String(counts[verdict]))),
      ),
    ),
  ].join('\n');
}
