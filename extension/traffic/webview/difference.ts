/** What the daemon changed between its two edges. No DOM. */
import { diffArrays } from 'diff';

/** A line of one side: the same on both, or only there. */
export interface DiffLine {
  readonly text: string;
  readonly changed: boolean;
}

/** A changed place. */
export interface Change {
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Lines shown of one message; the rest is in "Open as JSON". */
export const MOST_LINES = 2_000;
/** Steps the comparison of lines may take before it gives up and marks all. */
const MOST_EDITS = 2_000;
const MOST_CHANGES = 100;

/** A message as lines of indented JSON, its envelope in the usual order: where a peer puts `id` is no difference. */
export function jsonLines(message: unknown): readonly string[] {
  return (JSON.stringify(isContainer(message) && !Array.isArray(message) ? enveloped(message) : message, null, 2) ?? '').split('\n');
}

function enveloped(message: Record<string, unknown>): Record<string, unknown> {
  const first = ['jsonrpc', 'id', 'method'].filter((key) => Object.hasOwn(message, key));
  return Object.fromEntries([...first, ...Object.keys(message).filter((key) => !first.includes(key))].map((key) => [key, message[key]]));
}

/** Both texts with what differs marked. */
export function compareLines(before: readonly string[], after: readonly string[]): { before: DiffLine[]; after: DiffLine[] } {
  const [left, right] = [before.slice(0, MOST_LINES), after.slice(0, MOST_LINES)];
  const parts = diffArrays([...left], [...right], { maxEditLength: MOST_EDITS });
  if (parts === undefined)
    return { before: left.map((text) => ({ text, changed: true })), after: right.map((text) => ({ text, changed: true })) };
  const sides = { before: [] as DiffLine[], after: [] as DiffLine[] };
  for (const { value, added, removed } of parts) {
    if (!added) sides.before.push(...value.map((text) => ({ text, changed: removed })));
    if (!removed) sides.after.push(...value.map((text) => ({ text, changed: added })));
  }
  return sides;
}

/** The changed places, deepest first found; at most a hundred. */
export function changes(before: unknown, after: unknown): readonly Change[] {
  const found: Change[] = [];
  walk(before, after, '', found);
  return found;
}

function walk(before: unknown, after: unknown, pointer: string, found: Change[]): void {
  if (found.length >= MOST_CHANGES || Object.is(before, after)) return;
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (!Object.hasOwn(before, key)) found.push({ pointer: at, after: after[key] });
      else if (!Object.hasOwn(after, key)) found.push({ pointer: at, before: before[key] });
      else walk(before[key], after[key], at, found);
      if (found.length >= MOST_CHANGES) return;
    }
    return;
  }
  found.push({ pointer, before, after });
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
