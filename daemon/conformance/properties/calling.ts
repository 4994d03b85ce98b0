/** Which tools are called, how, and for how long. */
import fc from 'fast-check';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import type { Session } from '../engine/session.ts';
import type { Role, Subject, Tool } from '../engine/subject.ts';

/** Tools looked at with many cases. */
export const MANY = 24;

/** A call that takes longer can be given up while it runs. */
export const SLOW_MS = 80;

/** Whether a tool answered soon when it was looked at. */
export function quick(subject: Subject, tool: Tool): boolean {
  return (subject.roles.find((one) => one.tool.name === tool.name)?.ms ?? Number.POSITIVE_INFINITY) < 300;
}

/** A tool that was slow when it was looked at gets its time. */
export function slow(subject: Subject, tool: string): { limitMs?: number } {
  const role = subject.roles.find((one) => one.tool.name === tool);
  return role !== undefined && role.ms > 500 ? { limitMs: Math.max(subject.limitMs, role.ms * 4) } : {};
}

/** The smallest sample that has every property, so that each of them can be broken. */
export function fullSample(tool: Tool): unknown {
  if (typeof tool.values === 'string') return tool.sample;
  const samples = fc.sample(tool.values, { numRuns: 60, seed: 11 }).filter(isObject);
  const most = Math.max(...samples.map((one) => Object.keys(one).length));
  return samples
    .filter((one) => Object.keys(one).length === most)
    .sort((one, other) => hollows(one) - hollows(other) || JSON.stringify(one).length - JSON.stringify(other).length)[0];
}

/** How many arrays and objects of a value have nothing in them: nothing in them can be broken. */
function hollows(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value);
  return inner.length === 0 ? 1 : inner.reduce<number>((sum, one) => sum + hollows(one), 0);
}

/** The quickest tool that reports progress. */
export const reporting = (subject: Subject): Role | undefined =>
  subject.roles.filter(({ progress, failed }) => progress && !failed).sort((one, other) => one.ms - other.ms)[0];

/** The quickest of the tools that take their time. */
export const slowest = (subject: Subject): Role | undefined =>
  [...subject.roles]
    .filter(({ failed, asks }) => !failed && !asks)
    .sort((one, other) => one.ms - other.ms)
    .find(({ ms }) => ms > SLOW_MS);

/** Skips a server without such a tool. */
export const noProgress = (subject: Subject): string | undefined =>
  reporting(subject) === undefined ? 'no tool that may be called reports progress' : undefined;

/** Skips a server without such a tool. */
export const noSlow = (subject: Subject): string | undefined =>
  slowest(subject) === undefined ? `no tool that may be called takes long enough (${SLOW_MS} ms)` : undefined;

/** Calls a tool with its sample, and gives it its time. */
export async function call(
  session: Session,
  role: Role,
  meta: JsonObject,
  more: { id?: unknown; provoked?: boolean; until?: Promise<unknown> } = {},
): Promise<Answer> {
  return session.request(
    'tools/call',
    { name: role.tool.name, arguments: role.tool.sample ?? {} },
    { meta, limitMs: role.ms * 4 + 5000, ...more },
  );
}
