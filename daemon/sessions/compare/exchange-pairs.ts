/** Which requests of two recordings are the same. */
import { diffArrays } from 'diff';
import type { IndexedExchange, IndexedParty } from './exchange-index.ts';

/** Two requests that belong together; where one is missing, only the other recording has it. */
export interface ExchangePair {
  readonly before?: IndexedExchange;
  readonly after?: IndexedExchange;
}

/** Edits after which the order is given up: requests are then paired by what they say, first come first served. */
const MOST_EDITS = 5000;

/** Pairs the parties of two recordings in their order by who they are, then their requests. */
export function pairParties(before: readonly IndexedParty[], after: readonly IndexedParty[]): readonly ExchangePair[] {
  const [one] = before;
  const [other] = after;
  // One session each: they are meant to be compared, whoever held them.
  if (one !== undefined && other !== undefined && before.length === 1 && after.length === 1)
    return pairExchanges(one.exchanges, other.exchanges);
  const pairs = matched(before, after, [({ label }) => label]);
  return pairs.flatMap(([left, right]) => pairExchanges(left?.exchanges ?? [], right?.exchanges ?? []));
}

/** Pairs requests: the same in the same order, then the same anywhere (what ran at once has no order), then other arguments to the same. */
export function pairExchanges(before: readonly IndexedExchange[], after: readonly IndexedExchange[]): readonly ExchangePair[] {
  const whole = ({ method, target, params }: IndexedExchange): string => JSON.stringify([method, target, params]);
  const about = ({ method, target }: IndexedExchange): string => JSON.stringify([method, target]);
  return matched(before, after, [whole, about]).map(([left, right]) => ({
    ...(left === undefined ? {} : { before: left }),
    ...(right === undefined ? {} : { after: right }),
  }));
}

type Matched<T> = readonly [before: T | undefined, after: T | undefined];

function matched<T>(before: readonly T[], after: readonly T[], keys: readonly ((item: T) => string)[]): readonly Matched<T>[] {
  const [key] = keys;
  if (key === undefined) return [...before.map((item) => [item, undefined] as const), ...after.map((item) => [undefined, item] as const)];
  const parts = diffArrays(before.map(key), after.map(key), { maxEditLength: MOST_EDITS });
  const pairs: Matched<T>[] = [];
  const rest = { before: [] as T[], after: [] as T[] };
  let [left, right] = [0, 0];
  for (const { value, added, removed } of parts ?? [
    { value: before, removed: true, added: false },
    { value: after, added: true, removed: false },
  ]) {
    for (let index = 0; index < value.length; index++) {
      if (added) rest.after.push(...after.slice(right, ++right));
      else if (removed) rest.before.push(...before.slice(left, ++left));
      else pairs.push([before[left++], after[right++]]);
    }
  }
  const waiting = new Map<string, T[]>();
  for (const item of rest.after) waiting.set(key(item), [...(waiting.get(key(item)) ?? []), item]);
  const unmatched = rest.before.filter((item) => {
    const other = waiting.get(key(item))?.shift();
    if (other !== undefined) pairs.push([item, other]);
    return other === undefined;
  });
  return [...pairs, ...matched(unmatched, [...waiting.values()].flat(), keys.slice(1))];
}
