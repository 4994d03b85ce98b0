/** The report for code scanning: SARIF 2.1.0 (OASIS). */
import type { Finding } from '../../api/conformance.ts';
import { REQUIREMENTS, type Requirement, severityOf, specificationUrl } from '../requirements.ts';
import { clip } from '../transports/wire.ts';
import type { Report } from './report.ts';

/** A server has no source lines: the place of a result is its stored case. */
export function sarifReport({ summary, findings }: Report): string {
  const used = REQUIREMENTS.filter(({ id }) => findings.some(({ requirement }) => requirement === id));
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'signalbox conform',
            informationUri: 'https://modelcontextprotocol.io/specification',
            rules: used.map(ruleOf),
          },
        },
        automationDetails: { id: `signalbox-conform/${summary.transport}/${summary.eras.join('+')}` },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) =>
          resultOf(
            finding,
            used.findIndex(({ id }) => id === finding.requirement),
          ),
        ),
        properties: { server: summary.server, seed: summary.seed, cases: summary.cases, counts: summary.counts },
      },
    ],
  };
  return `${JSON.stringify(sarif, null, 2)}\n`;
}

function ruleOf(requirement: Requirement): object {
  const { id, statement, area, level, revision } = requirement;
  return {
    id,
    shortDescription: { text: statement },
    helpUri: specificationUrl(requirement),
    defaultConfiguration: { level: severityOf(requirement) },
    properties: { area, level, revision, tags: ['mcp', area] },
  };
}

function resultOf(finding: Finding, ruleIndex: number): object {
  const { id, requirement, severity, expected, got, input, flaky, property, seed } = finding;
  return {
    ruleId: requirement,
    ruleIndex,
    level: severity,
    message: {
      text: `Expected ${expected}. Got ${clip(got, 1000)}. Input ${clip(JSON.stringify(input) ?? 'none', 1000)}. Again: signalbox conform --replay ${id}`,
    },
    partialFingerprints: { 'conform/v1': id },
    locations: [{ physicalLocation: { artifactLocation: { uri: `.signalbox/conformance/${id}.json` }, region: { startLine: 1 } } }],
    properties: { property, seed, flaky },
  };
}
