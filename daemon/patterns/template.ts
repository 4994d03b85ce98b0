/** Templates of patterns: JSON in which `{"$from": "<JSON pointer>"}` stands for what the pointer finds. Pure. */
import type { FromPointer } from '../api/config.ts';
import { isObject } from '../protocol/message.ts';
import { findPointer } from './pointer.ts';

/** A pointer that found nothing and was not optional. */
export class NothingFound extends Error {
  readonly pointer: string;

  constructor(pointer: string) {
    super(`${JSON.stringify(pointer)} finds nothing`);
    this.pointer = pointer;
  }
}

/** A reference in a template as written, and where it stands. */
export interface Reference {
  readonly at: readonly (string | number)[];
  readonly written: Readonly<Record<string, unknown>>;
}

/** Every object of a template that has a `$from`. */
export function references(template: unknown, at: readonly (string | number)[] = []): readonly Reference[] {
  if (Array.isArray(template)) return template.flatMap((item, index) => references(item, [...at, index]));
  if (!isObject(template)) return [];
  if (Object.hasOwn(template, '$from')) return [{ at, written: template }];
  return Object.entries(template).flatMap(([key, item]) => references(item, [...at, key]));
}

/**
 * A template with its references replaced, as new values; what they find is not copied and not looked at again.
 * @returns undefined only when the whole template is an optional reference that finds nothing
 * @throws NothingFound
 */
export function expand(template: unknown, context: object): unknown {
  if (Array.isArray(template)) return template.map((item) => expand(item, context)).filter((item) => item !== undefined);
  if (!isObject(template)) return template;
  if (!isReference(template)) {
    const entries = Object.entries(template).map(([key, item]) => [key, expand(item, context)] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  }
  const found = findPointer(context, template.$from);
  if (found === undefined && template.optional !== true) throw new NothingFound(template.$from);
  return found;
}

function isReference(template: object): template is FromPointer {
  return Object.hasOwn(template, '$from') && typeof (template as { $from: unknown }).$from === 'string';
}
