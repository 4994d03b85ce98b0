/** Reports of a replay as a client: for a terminal, for machines. */
import type { ReplayChange, ReplayDifference, ReplayReport } from '../../api/recordings.ts';
import { escaped } from '../../conformance/reporters/markup.ts';

/** Characters of a value that are shown. */
const SHOWN = 160;
/** Changes of one answer that are shown. */
const CHANGES = 40;

/** The reporters by name. */
export const REPLAY_REPORTERS: Readonly<Record<string, (report: ReplayReport) => string>> = {
  pretty: prettyReport,
  json: (report) => JSON.stringify(report, null, 2),
  junit: junitReport,
};

/** For people: a difference a paragraph, then what did not count and why, then the figures. */
export function prettyReport(report: ReplayReport): string {
  const { recording, against, equal, differences, skipped, ignored, updated, ms } = report;
  const sent = differences.filter(({ kind }) => kind !== 'skipped');
  const held = differences.filter(({ kind }) => kind === 'skipped');
  const counts = [
    `${equal} equal`,
    ...(['changed', 'missing', 'extra', 'slower'] as const).flatMap((kind) => {
      const count = differences.filter((one) => one.kind === kind).length;
      return count === 0 ? [] : [`${count} ${kind}`];
    }),
    ...(skipped === 0 ? [] : [`${skipped} not sent`]),
  ];
  return [
    ...sent.flatMap((one) => [differenceText(one), '']),
    ...(held.length === 0 ? [] : ['Not sent:', ...grouped(held), '']),
    ...(ignored.length === 0
      ? []
      : [
          'Differs and does not count:',
          ...ignored
            .slice(0, CHANGES)
            .map(
              ({ method, target, pointer, why, count }) =>
                `  ${[method, target].filter(Boolean).join(' ')} ${pointer || '/'}: ${why}${count > 1 ? `, ${count} times` : ''}`,
            ),
          ...(ignored.length > CHANGES ? [`  and ${ignored.length - CHANGES} more`] : []),
          '',
        ]),
    ...(updated === undefined ? [] : [`${updated.accepted} answers accepted: ${updated.path}. As it was: ${updated.old}`]),
    `${recording} against ${against}: ${counts.join(', ')}, in ${(ms / 1000).toFixed(1)} s.`,
  ].join('\n');
}

/** One difference. */
function differenceText({ kind, request, method, target, changes, ms, why }: ReplayDifference): string {
  const subject = [method, target].filter(Boolean).join(' ');
  const time = ms === undefined ? '' : `: ${ms.before} ms → ${ms.after} ms`;
  return [
    `${kind.toUpperCase()} ${subject}${request === undefined ? '' : ` (message ${request})`}${time}${why === undefined ? '' : `\n  ${why}`}`,
    ...changes.slice(0, CHANGES).map((change) => `  ${changeText(change)}`),
    ...(changes.length > CHANGES ? [`  and ${changes.length - CHANGES} more places`] : []),
  ].join('\n');
}

function changeText({ pointer, inside, ...values }: ReplayChange): string {
  const place = `${pointer || '/'}${inside === undefined ? '' : ` (JSON) ${inside || '/'}`}`;
  if (!Object.hasOwn(values, 'after')) return `- ${place}: ${short(values.before)}`;
  if (!Object.hasOwn(values, 'before')) return `+ ${place}: ${short(values.after)}`;
  return `~ ${place}: ${short(values.before)} → ${short(values.after)}`;
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text;
}

/** The same reason for the same tool is one line. */
function grouped(differences: readonly ReplayDifference[]): readonly string[] {
  const groups = Map.groupBy(differences, ({ method, target, why }) => `  ${[method, target].filter(Boolean).join(' ')}: ${why ?? ''}`);
  return [...groups].map(([text, { length }]) => (length === 1 ? text : `${text} (${length} times)`));
}

/** JUnit XML: a test for each request that differs or was not sent, and one for all that are equal. */
export function junitReport({ recording, against, equal, differences, ms }: ReplayReport): string {
  const failing = (kind: ReplayDifference['kind']): boolean => kind !== 'slower' && kind !== 'skipped';
  const cases = differences.map((one) => {
    const name = escaped(`${[one.method, one.target].filter(Boolean).join(' ')}${one.request === undefined ? '' : ` #${one.request}`}`);
    const text = differenceText(one);
    const inner =
      one.kind === 'skipped'
        ? `<skipped message="${escaped(one.why ?? '')}"/>`
        : one.kind === 'slower'
          ? `<system-out>${escaped(text)}</system-out>`
          : `<failure message="${escaped(one.kind)}">${escaped(text)}</failure>`;
    return `<testcase classname="${escaped(recording)}" name="${name}">${inner}</testcase>`;
  });
  const equals = Array.from({ length: equal }, (_none, index) => `<testcase classname="${escaped(recording)}" name="equal ${index + 1}"/>`);
  const count = differences.filter(({ kind }) => failing(kind)).length;
  const skipped = differences.filter(({ kind }) => kind === 'skipped').length;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="signalbox replay" time="${ms / 1000}">
<testsuite name="${escaped(`${recording} against ${against}`)}" tests="${cases.length + equals.length}" failures="${count}" skipped="${skipped}" time="${ms / 1000}">
${[...cases, ...equals].join('\n')}
</testsuite>
</testsuites>
`;
}
