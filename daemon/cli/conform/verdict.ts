/** What a report means for whoever called: how it is written, which findings are known, the exit code. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Finding, Severity } from '../../api/conformance.ts';
import { REPORTERS } from '../../conformance/reporters/reporters.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';

/** How the report is written: a reporter, or `events`, which writes no report. */
export function reporterOf({ flags, json }: CommandContext): string {
  const reporter = json ? 'json' : (flags.text('reporter') ?? 'pretty');
  if (reporter === 'events' || Object.hasOwn(REPORTERS, reporter)) return reporter;
  throw usageError(
    `There is no reporter \`${reporter}\`.`,
    `There are ${[...Object.keys(REPORTERS), 'events'].join(', ')}.`,
    'Give one of them.',
  );
}

/** The severity from which on the exit code is 1. */
export function failOnOf({ flags }: CommandContext): Severity {
  const failOn = flags.text('fail-on') ?? 'error';
  if (failOn === 'error' || failOn === 'warning' || failOn === 'note') return failOn;
  throw usageError(`--fail-on \`${failOn}\` is not a severity.`, 'It is error, warning or note.', 'Give one of them.');
}

/** Ids of requirements and of findings that are known: a JSON array. */
export function baselineOf({ flags, cwd }: CommandContext): ReadonlySet<string> {
  const file = flags.text('baseline');
  if (file === undefined) return new Set();
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(resolve(cwd, file), 'utf8'));
  } catch (error) {
    throw usageError(
      `The baseline ${file} cannot be read.`,
      error instanceof Error ? error.message : String(error),
      'Give a JSON array of requirement ids or finding ids; --write-baseline writes one.',
    );
  }
  if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return new Set(list);
  throw usageError(
    `The baseline ${file} is no list of ids.`,
    'It is JSON, but no array of strings.',
    'Give a JSON array of requirement ids or finding ids; --write-baseline writes one.',
  );
}

/** Writes the ids of these findings as a baseline. */
export function writeBaseline({ cwd }: CommandContext, file: string, findings: readonly Finding[]): void {
  writeFileSync(resolve(cwd, file), `${JSON.stringify([...new Set(findings.map(({ id }) => id))].sort(), null, 2)}\n`);
}

const RANK: Readonly<Record<Severity, number>> = { note: 0, warning: 1, error: 2 };

/** The findings that count: severe enough, not known, and shown again (what is flaky is never held against a server). */
export function counted(findings: readonly Finding[], failOn: Severity, known: ReadonlySet<string>): readonly Finding[] {
  return findings.filter(
    ({ severity, requirement, id, flaky }) => !flaky && RANK[severity] >= RANK[failOn] && !known.has(requirement) && !known.has(id),
  );
}
