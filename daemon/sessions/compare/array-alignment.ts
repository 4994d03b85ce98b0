/** Which elements of two arrays belong together, so that one inserted tool is one difference. */
import { diffArrays } from 'diff';
import { isObject } from '../../protocol/message.ts';
import { masked } from './volatile.ts';

/** A pair of indexes; where one is missing, the element is only in the other array. In the order of both arrays. */
export interface Pair {
  readonly before?: number;
  readonly after?: number;
}

/** Members that name an element in a list of MCP or of anybody else, the best one first. */
const KEYS: readonly string[] = ['name', 'uri', 'uriTemplate', 'id', 'key', 'path'];
/** Edits after which it is not worth searching: elements are then paired by their place. */
const MOST_EDITS = 2000;

/**
 * Pairs the elements: by key where all have one, else by the longest common sequence, where what is left between is paired in order.
 * @param text one text for all elements that differ in nothing that counts
 */
export function align(before: readonly unknown[], after: readonly unknown[], text: (element: unknown) => string): readonly Pair[] {
  const key = KEYS.find((name) => isKey(name, before) && isKey(name, after));
  if (key === undefined && before.length === 1 && after.length === 1) return [{ before: 0, after: 0 }];
  const named = key === undefined ? text : (element: unknown): string => String((element as Record<string, unknown>)[key]);
  const [one, other] = [before.map(named), after.map(named)];
  // The same pairs whichever array comes first: the search prefers one side where there is a choice.
  const turned = one.length > other.length || (one.length === other.length && one.join('\n') > other.join('\n'));
  return turned ? search(other, one, key !== undefined).map(mirrored) : search(one, other, key !== undefined);
}

function mirrored({ before, after }: Pair): Pair {
  return { ...(after === undefined ? {} : { before: after }), ...(before === undefined ? {} : { after: before }) };
}

function search(before: readonly string[], after: readonly string[], keyed: boolean): readonly Pair[] {
  const parts = diffArrays([...before], [...after], { maxEditLength: MOST_EDITS });
  if (parts === undefined) return gap(0, before.length, 0, after.length, false);
  const pairs: Pair[] = [];
  let [left, right, removed, added] = [0, 0, 0, 0];
  const close = (): void => {
    pairs.push(...gap(left, removed, right, added, keyed));
    left += removed;
    right += added;
    [removed, added] = [0, 0];
  };
  for (const part of parts) {
    if (part.removed === true) removed += part.value.length;
    else if (part.added === true) added += part.value.length;
    else {
      close();
      for (let index = 0; index < part.value.length; index++) pairs.push({ before: left++, after: right++ });
    }
  }
  close();
  return pairs;
}

/** What stands between two common elements: other names are other things, anything else is paired in order. */
function gap(left: number, removed: number, right: number, added: number, keyed: boolean): readonly Pair[] {
  const paired = keyed ? 0 : Math.min(removed, added);
  const pairs: Pair[] = [];
  for (let index = 0; index < paired; index++) pairs.push({ before: left + index, after: right + index });
  for (let index = paired; index < removed; index++) pairs.push({ before: left + index });
  for (let index = paired; index < added; index++) pairs.push({ after: right + index });
  return pairs;
}

/** Whether every element has this member, each another value, none of them one that changes from run to run. */
function isKey(name: string, elements: readonly unknown[]): boolean {
  const seen = new Set<string>();
  for (const element of elements) {
    const value = isObject(element) && Object.hasOwn(element, name) ? element[name] : undefined;
    if (typeof value !== 'string' && typeof value !== 'number') return false;
    const text = String(value);
    if (seen.has(text) || masked(text) !== text) return false;
    seen.add(text);
  }
  return true;
}
