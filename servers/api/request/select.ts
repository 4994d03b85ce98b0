/** Parts of an answer: JSON pointer (RFC 6901) or JMESPath. */
import { search } from '@jmespath-community/jmespath';
import { badInput } from '../guard/target.ts';

const MAX_EXPRESSION = 2000;
/** Values and characters of a selected part at most: `[@,@]|[@,@]|…` doubles with every step. */
const MAX_SIZE = 64 * 1024 * 1024;

/**
 * A part of a JSON value. An expression that begins with `/` (or is empty) is a JSON pointer, all else JMESPath.
 * @throws SignalboxError `SBX_API_INPUT` for an expression that cannot be read
 */
export function selected(value: unknown, expression: string): unknown {
  if (expression.length > MAX_EXPRESSION) throw badInput('_select', `It is longer than ${MAX_EXPRESSION} characters.`);
  if (expression === '' || expression.startsWith('/')) {
    const found = pointed(value, expression);
    return found === undefined ? null : found;
  }
  if (/\bpad_(?:left|right)\b/u.test(expression)) throw badInput('_select', 'pad_left and pad_right are not available.');
  try {
    const found: unknown = search(value as never, expression);
    if (sizeOf(found) > MAX_SIZE) throw new RangeError('what it selects is too large');
    // A name such as `constructor` finds what every object inherits; that is no part of an answer.
    return found === undefined || typeof found === 'function' ? null : found;
  } catch (error) {
    throw badInput('_select', `JMESPath cannot apply it: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`);
  }
}

/** Values and characters in a JSON value, counted no further than {@link MAX_SIZE}; a part that stands in two places counts twice. */
function sizeOf(value: unknown): number {
  const waiting: unknown[] = [value];
  let size = 0;
  while (waiting.length > 0 && size <= MAX_SIZE) {
    const node = waiting.pop();
    size += typeof node === 'string' ? node.length + 8 : 8;
    if (typeof node === 'object' && node !== null) for (const each of Object.values(node) as unknown[]) waiting.push(each);
  }
  return size;
}

/** What a JSON pointer names; undefined for nothing. */
export function pointed(value: unknown, pointer: string): unknown {
  let node = value;
  for (const raw of pointer === '' ? [] : pointer.slice(1).split('/')) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined;
    node = (node as Readonly<Record<string, unknown>>)[key];
  }
  return node;
}
