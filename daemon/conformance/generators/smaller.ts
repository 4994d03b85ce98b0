/** Simpler values than a given one: how inputs are shrunk that fast-check did not draw. */
import { isObject } from '../../protocol/message.ts';

/** Simpler values, most daring first: emptier, shorter, nearer to zero. Each has the type of the value. */
export function* simpler(value: unknown): Generator<unknown> {
  if (typeof value === 'string') yield* simplerText(value);
  else if (typeof value === 'number') yield* simplerNumber(value);
  else if (value === true) yield false;
  else if (Array.isArray(value)) yield* simplerList(value);
  else if (isObject(value)) {
    for (const key of Object.keys(value)) yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
    for (const [key, member] of Object.entries(value)) for (const inner of simpler(member)) yield { ...value, [key]: inner };
  }
}

function* simplerText(text: string): Generator<string> {
  const letters = [...text];
  for (let size = 0; size < letters.length; size += Math.max(1, Math.ceil((letters.length - size) / 2)))
    yield letters.slice(0, size).join('');
  for (let size = 0; size < letters.length; size += Math.max(1, Math.ceil((letters.length - size) / 2)))
    if (size > 0) yield letters.slice(letters.length - size).join('');
  if (letters.length > 40) return;
  for (const [index, letter] of letters.entries()) if (letter !== 'a') yield letters.with(index, 'a').join('');
}

function* simplerNumber(number: number): Generator<number> {
  if (number === 0) return;
  if (!Number.isInteger(number)) yield Math.trunc(number);
  yield 0;
  const sign = Math.sign(number);
  // halving the distance to zero, then the last step
  for (let gap = Math.trunc(Math.abs(number) / 2); gap > 0; gap = Math.trunc(gap / 2)) yield number - sign * gap;
  if (sign < 0) yield -number;
}

function* simplerList(list: readonly unknown[]): Generator<readonly unknown[]> {
  if (list.length === 0) return;
  yield [];
  if (list.length > 2) yield list.slice(0, Math.ceil(list.length / 2));
  for (const index of list.keys()) yield list.toSpliced(index, 1);
  for (const [index, item] of list.entries()) for (const inner of simpler(item)) yield list.with(index, inner);
}
