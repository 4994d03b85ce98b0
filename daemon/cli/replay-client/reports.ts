/** Reports of a replay as a client: for a terminal, for machines. */
import type { ReplayChange, ReplayDifference, ReplayReport } from '../../api/recordings.ts';
import { escaped } from '../../conformance/reporters/markup.ts';

/** Characters of a value that are shown. */
const SHOWN = 160;
/** Changes of one answer that are shown. */
const CHANGES = 40;

/** What fails beside what always does. */
export interface FailsOn {
  readonly slower?: boolean;
  readonly skipped?: boolean;
}
/** The reporters by name. */
export const REPLAY_REPORTERS: Readonly<Record<string, (report: ReplayReport, failsOn?: FailsOn) => string>> = {
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
  ]
    .join('\n')
    .replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '\ufffd'); // names come from servers: none commands the terminal
}

/** One difference. */
function differenceText(difference: ReplayDifference): string {
  const { kind, request, changes, ms, why } = difference;
  const time = ms === undefined ? '' : `: ${ms.before} ms → ${ms.after} ms`;
  return [
    `${kind.toUpperCase()} ${subjectOf(difference)}${request === undefined ? '' : ` (message ${request})`}${time}${why === undefined ? '' : `\n  ${why}`}`,
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
  const groups = Map.groupBy(differences, (one) => `  ${subjectOf(one)}: ${one.why ?? ''}`);
  return [...groups].map(([text, { length }]) => (length === 1 ? text : `${text} (${length} times)`));
}

/** JUnit XML: a test for each request that differs or was not sent, and one for each tool or method whose answers are equal. */
export function junitReport({ recording, against, same, differences, ms }: ReplayReport, failsOn: FailsOn = {}): string {
  const fatal = ({ kind }: ReplayDifference): boolean => (kind === 'slower' || kind === 'skipped' ? failsOn[kind] === true : true);
  const cases = differences.map((one) => {
    const name = `${subjectOf(one)}${one.request === undefined ? '' : ` #${one.request}`}`;
    const text = escaped(differenceText(one));
    if (one.kind === 'skipped' && !fatal(one)) return testcase(recording, name, `<skipped message="${escaped(one.why ?? '')}"/>`);
    if (one.kind === 'slower' && !fatal(one)) return testcase(recording, name, `<system-out>${text}</system-out>`);
    return testcase(recording, name, `<failure message="${escaped(one.kind)}">${text}</failure>`);
  });
  const equals = same.map((one) => testcase(recording, `${subjectOf(one)}: ${one.count} equal`, ''));
  const failures = differences.filter(fatal).length;
  const skipped = differences.filter((one) => one.kind === 'skipped' && !fatal(one)).length;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="signalbox replay" time="${ms / 1000}">
<testsuite name="${escaped(`${recording} against ${against}`)}" tests="${cases.length + equals.length}" failures="${failures}" skipped="${skipped}" time="${ms / 1000}">
${[...cases, ...equals].join('\n')}
</testsuite>
</testsuites>
`;
}

function testcase(recording: string, name: string, inner: string): string {
  return `<testcase classname="${escaped(recording)}" name="${escaped(name)}">${inner}</testcase>`;
}

function subjectOf({ method, target }: { readonly method: string; readonly target?: string }): string {
  return target === undefined ? method : `${method} ${target}`;
}
