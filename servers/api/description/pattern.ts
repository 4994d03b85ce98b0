/**
 * Which patterns of a description may be checked here. JavaScript's engine tries every way a pattern can match: `a?a?…aa…`, `(a|a)(a|a)…` or
 * `a*[a]*b` take longer than anybody waits, and nothing ends a match under way. So the ways are counted before.
 */

/** Ways that do not grow with the text. */
const MAX_WAYS = 200;
/** Characters up to which a pattern whose ways grow with the square of the text is checked. */
const MAX_SQUARE = 2000;
const TOKEN = /\\[bBdDsSwW]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|\(\?[:=!<]?|\{(\d+)(,(\d*))?\}|[\s\S]/gu;

/** Whether a pattern compiles and surely ends soon. @param maxLength of the texts it is applied to */
export function isSafePattern(pattern: string, maxLength = Number.POSITIVE_INFINITY): boolean {
  if (pattern.length > 500 || /\\[1-9k]|\(\?(?!:)/u.test(pattern)) return false;
  try {
    new RegExp(pattern, 'u').test('');
  } catch {
    return false;
  }
  let ways = 1;
  let unbounded = 0;
  /** Alternatives of the groups that are open, the pattern itself first. */
  const open = [1];
  let closed = false;
  for (const match of pattern.matchAll(TOKEN)) {
    const [token, from, range, to] = match;
    const afterGroup = closed;
    closed = false;
    if (token.startsWith('(')) open.push(1);
    else if (token === '|') open.push((open.pop() ?? 1) + 1);
    else if (token === ')') {
      ways *= open.pop() ?? 1;
      closed = true;
    } else if (token === '*' || token === '+' || (range !== undefined && to === '')) {
      // What is repeated as a whole can be cut in many ways.
      if (afterGroup) return false;
      unbounded++;
    } else if (token === '?') ways *= 2;
    else if (from !== undefined) {
      if (afterGroup) return false;
      if (range !== undefined) ways *= Number(to) - Number(from) + 1;
    }
  }
  const anchored = pattern.startsWith('^') && open[0] === 1;
  const degree = unbounded + (anchored ? 0 : 1);
  return ways <= MAX_WAYS && (degree <= 1 || (degree === 2 && maxLength <= MAX_SQUARE));
}
