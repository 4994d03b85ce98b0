/** The report for reading: one HTML file. */
import { clip } from '../transports/wire.ts';
import { escaped } from './markup.ts';
import type { Report } from './report.ts';

const STYLE =
  'body{font:14px/1.5 system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b2733;background:#fff}pre{background:#f2f5f8;padding:.7rem;overflow:auto;max-height:30rem}table{border-collapse:collapse}td,th{padding:.15rem .7rem;border-bottom:1px solid #d8dfe6;text-align:left}.error{color:#b3261e}.warning{color:#8a5a00}.note{color:#4a5a6a}@media(prefers-color-scheme:dark){body{background:#10202b;color:#dde6ee}pre{background:#0a151d}td,th{border-color:#2a3d4c}.error{color:#ff8a80}.warning{color:#ffc46b}}';

/** One HTML file without scripts or outside resources, with the transcript of every finding. */
export function htmlReport({ summary, findings }: Report): string {
  const sections = findings.map(
    (
      finding,
    ) => `<section id="${finding.id}"><h2 class="${finding.severity}">${escaped(finding.requirement)} <small>${finding.severity}${finding.flaky ? ', flaky' : ''}</small></h2>
<p>${escaped(finding.statement)} <a href="${escaped(finding.specification)}">specification</a></p>
<table><tr><th>input</th><td><code>${escaped(JSON.stringify(finding.input) ?? '')}</code></td></tr><tr><th>expected</th><td>${escaped(finding.expected)}</td></tr><tr><th>got</th><td>${escaped(finding.got)}</td></tr><tr><th>again</th><td><code>signalbox conform --replay ${finding.id}</code></td></tr></table>
<details><summary>Transcript (${finding.trace.length} lines)</summary><pre>${escaped(finding.trace.map(({ direction, channel, text }) => `${direction} ${channel} ${clip(text, 4000)}`).join('\n'))}</pre></details></section>`,
  );
  const outcomes = summary.outcomes.map(
    ({ requirement, area, verdict, reason }) =>
      `<tr><td>${escaped(requirement)}</td><td>${escaped(area)}</td><td>${verdict}</td><td>${escaped(reason ?? '')}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Conformance of ${escaped(summary.server)}</title><style>${STYLE}</style>
<h1>Conformance of ${escaped(summary.server)}</h1>
<p>${escaped(summary.eras.join(' and '))} over ${summary.transport}, ${summary.cases} cases, seed ${summary.seed}: ${Object.entries(
    summary.counts,
  )
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(', ')}.</p>
${sections.join('\n')}
<details><summary>Every requirement</summary><table>${outcomes.join('\n')}</table></details></html>
`;
}
