/** What a finding says to people. No VS Code. */
import type { Finding, Outcome, PropertyInfo, Summary, TraceLine } from '../../daemon/api/conformance.ts';

/** The two sides of the diff a broken requirement is shown as: the same smallest input, what must follow and what did. */
export function sides(finding: Finding): { readonly expected: string; readonly actual: string } {
  const input = [
    `// ${finding.requirement}: ${finding.statement}`,
    `// the smallest input (${finding.shrinks} smaller steps, seed ${finding.seed}):`,
    JSON.stringify(finding.input, null, 2),
    ...(finding.history === undefined || finding.history.length === 0
      ? []
      : ['// after these on the same connection:', JSON.stringify(finding.history, null, 2)]),
    '',
  ].join('\n');
  return { expected: `${input}// expected\n${finding.expected}\n`, actual: `${input}// got\n${finding.got}\n` };
}

/** The sentence over the diff; its last line is how a command finds the finding again. */
export function sentence(finding: Finding): string {
  return [
    `${finding.requirement} (${finding.level}, ${finding.era}, ${finding.transport}): ${finding.statement}`,
    `expected ${finding.expected}, got ${finding.got}`,
    ...(finding.flaky ? ['It did not show again on fresh connections.'] : []),
    finding.specification,
    `finding ${finding.id}, seed ${finding.seed}`,
  ].join('\n');
}

/** The id {@link sentence} ends with. */
export function findingId(text: string): string | undefined {
  return /finding (\S+), seed -?\d+$/.exec(text)?.[1];
}

/** A trace as a document. */
export function transcript(finding: Finding): string {
  const width = Math.max(0, ...finding.trace.map(({ channel }) => channel.length));
  const line = ({ direction, channel, text }: TraceLine): string => `${direction} ${channel.padEnd(width)} ${text}`;
  return [
    `${finding.property}, ${finding.era}, ${finding.transport}, seed ${finding.seed}`,
    sentence(finding),
    '',
    '> sent   < received   ! happened',
    ...finding.trace.map(line),
    '',
  ].join('\n');
}

/** What became of a property. `passed` needs one requirement that was looked at and held. */
export function propertyVerdict(
  property: Pick<PropertyInfo, 'requirements'>,
  outcomes: ReadonlyMap<string, Outcome>,
): { readonly verdict: 'passed' | 'skipped'; readonly reason?: string } {
  const own = property.requirements.flatMap((id) => outcomes.get(id) ?? []);
  if (own.some(({ verdict }) => verdict !== 'not-applicable' && verdict !== 'not-exercised')) return { verdict: 'passed' };
  const reason = own.find((outcome) => outcome.reason !== undefined)?.reason;
  return { verdict: 'skipped', ...(reason === undefined ? {} : { reason }) };
}

/** A summary in one line. */
export function summaryLine({ server, counts, cases, ms, seed }: Summary): string {
  return `${server}: ${counts.passed} requirements hold, ${counts.failed} are broken, ${counts.warning} warnings, ${counts.note} notes, ${counts['not-applicable']} do not apply, ${counts['not-exercised']} were not reached; ${cases} cases in ${(ms / 1000).toFixed(1)} s, seed ${seed}`;
}

/** Lines for `appendOutput`, which wants `\r\n`. */
export function terminal(text: string): string {
  return `${text.replaceAll(/\r?\n/g, '\r\n')}\r\n`;
}
