/** Names of tools and properties that every client accepts. */

/** Leaves room for the alias in front of it: clients allow 64 characters. */
const MAX_TOOL = 48;

/** A tool name of `[A-Za-z0-9_-]`, at most 48 characters: the beginning and the end of a longer one, which tell more than the beginning alone. */
export function toolName(wanted: string, taken: Set<string>): string {
  const clean = wanted.replace(/[^A-Za-z0-9_-]+/gu, '_').replace(/^_+|_+$/gu, '') || 'operation';
  const base = clean.length <= MAX_TOOL ? clean : `${clean.slice(0, 27)}_${clean.slice(-20)}`;
  return unique(base, MAX_TOOL, taken);
}

/** A property name of `[A-Za-z0-9_.-]`, at most 60 characters. */
export function propertyName(wanted: string, taken: Set<string>): string {
  const base =
    wanted
      // `$select` of OData is `select`: `_select` is an argument of ours.
      .replace(/^\$+(?=.)/u, '')
      .replace(/[^A-Za-z0-9_.-]+/gu, '_')
      .replace(/(?<=.)_+$/u, '')
      .slice(0, 60) || 'value';
  return unique(base, 60, taken);
}

/** The arguments every tool has besides those of its operation. */
export const OWN_ARGUMENTS = ['_select', '_pages'] as const;

function unique(base: string, max: number, taken: Set<string>): string {
  let name = base;
  // A name every object inherits (`constructor`) is always there: for the SDK's table of tools and for whoever checks arguments.
  for (let count = 2; taken.has(name) || name in Object.prototype; count++)
    name = `${base.slice(0, max - 1 - String(count).length)}_${count}`;
  taken.add(name);
  return name;
}
