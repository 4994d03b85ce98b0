/** The report for reading: one HTML file without scripts or outside resources, with the transcript of every finding. */
import type { Finding, TraceLine } from '../../api/conformance.ts';
import { clip } from '../transports/wire.ts';
import { areaRows, VERDICTS } from './areas.ts';
import { escaped } from './markup.ts';
import type { Report } from './report.ts';

const STYLE = `:root{color-scheme:light dark;--text:#1b2733;--ground:#fff;--box:#f2f5f8;--line:#d8dfe6;--error:#b3261e;--warning:#8a5a00;--note:#4a5a6a;--good:#1e6b34;--link:#0b5cad}
@media(prefers-color-scheme:dark){:root{--text:#dde6ee;--ground:#10202b;--box:#0a151d;--line:#2a3d4c;--error:#ff8a80;--warning:#ffc46b;--note:#a9b8c6;--good:#7fd69a;--link:#8cc4ff}}
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:var(--text);background:var(--ground)}
a{color:var(--link)}pre,code{font:12px/1.45 ui-monospace,monospace}pre{background:var(--box);padding:.7rem;overflow:auto;max-height:32rem;white-space:pre-wrap;overflow-wrap:anywhere}
code{overflow-wrap:anywhere}table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.15rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}section{border-top:1px solid var(--line);margin-top:1.5rem}h2{font-size:1.05rem}
.error,.failed{color:var(--error)}.warning{color:var(--warning)}.note{color:var(--note)}.passed{color:var(--good)}
.out{color:var(--link)}.in{color:var(--text)}.remark{color:var(--note)}
@media print{details{display:block}}`;

const KINDS = { '>': 'out', '<': 'in', '!': 'remark' } as const;
const ORDER = { error: 0, warning: 1, note: 2 } as const;

/** The report. Nothing of the server's text is markup: it is a hostile text until it is escaped. */
export function htmlReport({ summary, findings }: Report): string {
  const title = `Conformance of ${summary.server || 'a server'}`;
  const sorted = [...findings].sort((one, other) => ORDER[one.severity] - ORDER[other.severity]);
  const counts = VERDICTS.map((verdict) => `<span class="${verdict}">${summary.counts[verdict]} ${verdict.replace('-', ' ')}</span>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p>${escaped(summary.eras.join(' and '))} over ${escaped(summary.transport)}, ${summary.cases} cases in ${(summary.ms / 1000).toFixed(1)} s, seed ${summary.seed}, ${summary.runs} generated cases for each property.</p>
<p>${counts.join(', ')}.</p>
${areas({ summary, findings })}
<h2>${sorted.length === 0 ? 'No findings' : `${sorted.length} findings`}</h2>
${sorted.map(section).join('\n')}
<section><details><summary>Every requirement</summary><table><thead><tr><th>requirement</th><th>area</th><th>verdict</th><th>why</th></tr></thead><tbody>
${summary.outcomes.map(({ requirement, area, verdict, reason }) => `<tr><td>${escaped(requirement)}</td><td>${escaped(area)}</td><td class="${verdict}">${verdict}</td><td>${escaped(reason ?? '')}</td></tr>`).join('\n')}
</tbody></table></details></section>
</body></html>
`;
}

function areas({ summary }: Report): string {
  const head = VERDICTS.map((verdict) => `<th>${verdict.replace('-', ' ')}</th>`).join('');
  const rows = areaRows(summary).map(({ revision, area, counts }) => {
    const cells = VERDICTS.map((verdict) => `<td class="n${counts[verdict] > 0 ? ` ${verdict}` : ''}">${counts[verdict] || '·'}</td>`);
    return `<tr><td>${revision}</td><td>${escaped(area)}</td>${cells.join('')}</tr>`;
  });
  return `<table><thead><tr><th>revision</th><th>area</th>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function section(finding: Finding): string {
  const { id, severity, requirement, level, flaky, statement, specification, property, era, transport, input, history, expected, got } =
    finding;
  const rows: readonly (readonly [string, string])[] = [
    ['input', JSON.stringify(input) ?? 'none'],
    ...(history === undefined ? [] : ([['after', `${history.length - 1} other inputs on the same connection`]] as const)),
    ['expected', expected],
    ['got', got],
    ['property', `${property}, ${era}, ${transport}, seed ${finding.seed}`],
    ['again', `signalbox conform --replay ${id}`],
  ];
  return `<section id="${escaped(id)}"><h2 class="${severity}">${escaped(requirement)} <small>${escaped(level)}, ${severity}${flaky ? ', flaky: it did not show again' : ''}</small></h2>
<p>${escaped(statement)} <a href="${escaped(specification)}">specification</a></p>
<table>${rows.map(([name, value]) => `<tr><th>${name}</th><td><code>${escaped(clip(value, 4000))}</code></td></tr>`).join('')}</table>
<details><summary>Transcript, ${finding.trace.length} lines</summary><pre>${finding.trace.map(line).join('\n')}</pre></details></section>`;
}

function line({ direction, channel, text }: TraceLine): string {
  return `<span class="${KINDS[direction]}">${escaped(`${direction} ${channel} ${clip(text, 4000)}`)}</span>`;
}
