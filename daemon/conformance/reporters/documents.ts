/** Reports for machines and for reading: JUnit, SARIF, one HTML file. */
import type { Finding, Summary } from '../../api/conformance.ts';
import { REQUIREMENTS, specificationUrl } from '../requirements.ts';
import { clip } from '../transports/wire.ts';

interface Report {
  readonly summary: Summary;
  readonly findings: readonly Finding[];
}

/** Text safe inside XML and HTML: escaped, and without the characters XML 1.0 does not know. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

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

/** SARIF 2.1.0. A server has no source lines: the location is its command or URL. */
export function sarifReport({ findings }: Report): string {
  const used = REQUIREMENTS.filter(({ id }) => findings.some(({ requirement }) => requirement === id));
  const rules = used.map((requirement) => ({
    id: requirement.id,
    shortDescription: { text: requirement.statement },
    helpUri: specificationUrl(requirement),
    properties: { area: requirement.area, level: requirement.level },
  }));
  const results = findings.map((finding) => ({
    ruleId: finding.requirement,
    level: finding.severity,
    message: { text: `Expected ${finding.expected}. Got ${clip(finding.got)}. Input ${clip(JSON.stringify(finding.input) ?? 'none')}.` },
    partialFingerprints: { conform: finding.id },
    locations: [{ physicalLocation: { artifactLocation: { uri: `.signalbox/conformance/${finding.id}.json` } } }],
  }));
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'signalbox conform', rules } }, results }],
  };
  return `${JSON.stringify(sarif, null, 2)}\n`;
}

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
