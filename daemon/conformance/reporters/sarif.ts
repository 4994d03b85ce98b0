/** The report for code scanning: SARIF 2.1.0 (OASIS). */
import { REQUIREMENTS, specificationUrl } from '../requirements.ts';
import { clip } from '../transports/wire.ts';
import type { Report } from './report.ts';

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
