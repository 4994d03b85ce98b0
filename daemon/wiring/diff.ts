/** A unified diff of two texts that differ in one place, which is all a wiring ever does to a file. */

const CONTEXT = 3;

/**
 * One-hunk unified diff: the lines between the common beginning and the common end, with three lines of context.
 * @param before old text; `undefined` when the file does not exist
 * @param after new text; `undefined` when the file is removed
 * @returns the empty string when the texts are equal
 */
export function unifiedDiff(file: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const old = lines(before);
  const now = lines(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;

  const start = Math.max(0, head - CONTEXT);
  const trailing = Math.min(CONTEXT, tail);
  const removed = old.slice(head, old.length - tail);
  const added = now.slice(head, now.length - tail);
  const hunk = [
    ...old.slice(start, head).map((line) => ` ${line}`),
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
    ...old.slice(old.length - tail, old.length - tail + trailing).map((line) => ` ${line}`),
  ];
  const range = (first: number, count: number): string => `${count === 0 ? first : first + 1},${count}`;
  const common = head - start + trailing;
  return [
    `--- ${before === undefined ? '/dev/null' : file}`,
    `+++ ${after === undefined ? '/dev/null' : file}`,
    `@@ -${range(start, common + removed.length)} +${range(start, common + added.length)} @@`,
    ...hunk,
    '',
  ].join('\n');
}

/** Lines without their ends; a last line without one is marked the way `diff` does, so that adding the newline shows. */
function lines(text: string | undefined): string[] {
  if (text === undefined || text === '') return [];
  const all = text.split('\n');
  if (all.at(-1) === '') return all.slice(0, -1);
  const last = all.pop() ?? '';
  return [...all, `${last}\n\\ No newline at end of file`];
}
