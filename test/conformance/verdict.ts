/** What a route may differ in from the server asked directly: nothing but what expected-failures.json argues for, line by line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Way } from './routes.ts';
import type { Eras } from './server/http.ts';
import type { Check, Leg, Status } from './suite.ts';

/** A line of expected-failures.json. */
export interface Expected {
  /** Where it holds: ways, the eras the server speaks, and legs of the suite. */
  readonly ways: readonly Way[];
  readonly eras: readonly Eras[];
  readonly legs: readonly Leg['name'][];
  readonly scenario: string;
  readonly check: string;
  /** Why it is right, or not ours to mend. */
  readonly why: string;
  /** It depends on the load of the machine: the line is not stale when the check passes. */
  readonly sometimes?: boolean;
}

/** The whole file. */
export const EXPECTED = JSON.parse(readFileSync(join(import.meta.dirname, 'expected-failures.json'), 'utf8')) as readonly Expected[];

/** What passes is worth most; a check that is gone or only informs says that something was not seen. */
const WORTH: Readonly<Record<Status | 'absent', number>> = { SUCCESS: 3, INFO: 2, SKIPPED: 2, absent: 2, WARNING: 1, FAILURE: 0 };

/**
 * What is worse than it was.
 * @param before the run to compare with; without one, every failure and every warning counts
 */
export function worse(checks: readonly Check[], before: readonly Check[] | undefined): readonly Check[] {
  if (before === undefined) return checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  const now = index(checks);
  const old = index(before);
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    if (WORTH[is?.status ?? 'absent'] >= WORTH[was?.status ?? 'absent']) return [];
    const known = is ?? was;
    return known === undefined ? [] : [{ ...known, ...(is === undefined && { status: 'SKIPPED' as const, message: 'not seen' }) }];
  });
}

/** Splits what is worse into what nobody argued for, and the lines of the file that were not needed. */
export function judge(
  found: readonly Check[],
  at: { readonly way: Way; readonly eras: Eras; readonly leg: Leg['name'] },
): { readonly unexpected: readonly Check[]; readonly stale: readonly string[] } {
  const lines = EXPECTED.filter(({ ways, eras, legs }) => ways.includes(at.way) && eras.includes(at.eras) && legs.includes(at.leg));
  const meets = (line: Expected, check: Check): boolean => line.scenario === check.scenario && line.check === check.id;
  return {
    unexpected: found.filter((check) => !lines.some((line) => meets(line, check))),
    stale: lines
      .filter((line) => line.sometimes !== true && !found.some((check) => meets(line, check)))
      .map(({ scenario, check }) => `${scenario} ${check}`),
  };
}

function index(checks: readonly Check[]): ReadonlyMap<string, Check> {
  return new Map(checks.map((check) => [`${check.scenario} ${check.id}`, check]));
}
