/** Values as texts, so that what differs in nothing that counts is the same text. */
import { isObject } from '../../protocol/message.ts';
import { childPointer } from './pointer.ts';
import { masked } from './volatile.ts';

/** What a text leaves out. */
export interface TextRules {
  readonly ignored: (pointer: string) => boolean;
  readonly volatile: (pointer: string) => string | undefined;
  readonly exact: (pointer: string) => boolean;
}

/** The value with its keys sorted and what changes from run to run masked. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, item: unknown) => (typeof item === 'string' ? masked(item) : isObject(item) ? sorted(item) : item)) ?? ''
  );
}

/** The same without what rules leave out. @param pointer where the value stands */
export function canonicalBy(value: unknown, pointer: string, rules: TextRules): string {
  const reduced = (item: unknown, at: string): unknown => {
    if (rules.ignored(at)) return undefined;
    if (rules.volatile(at) !== undefined) return typeof item;
    if (typeof item === 'string') return rules.exact(at) ? item : masked(item);
    if (Array.isArray(item)) return item.map((element, index) => reduced(element, childPointer(at, index)));
    if (!isObject(item)) return item;
    return sorted(Object.fromEntries(Object.entries(item).map(([key, member]) => [key, reduced(member, childPointer(at, key))])));
  };
  return JSON.stringify(reduced(value, pointer)) ?? '';
}

function sorted(value: object): object {
  const members = new Map<string, unknown>();
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    let name = masked(key);
    while (members.has(name)) name += '+';
    members.set(name, item);
  }
  return Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
