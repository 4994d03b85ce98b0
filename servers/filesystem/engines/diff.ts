/** Unified diffs, with a limit on the work. */
import { createTwoFilesPatch } from 'diff';

const MAX_MS = 2000;
const MAX_CHARS = 200_000;

/** The unified diff of two texts; '' when they are the same. */
export function diffOf(path: string, before: string, after: string): string {
  if (before === after) return '';
  const name = path.replace(/[\r\n\t]/g, ' ');
  const patch = createTwoFilesPatch(name, name, before, after, undefined, undefined, { context: 3, timeout: MAX_MS });
  if (patch === undefined) return `--- ${name}\n+++ ${name}\n[too different to show: ${before.length} characters became ${after.length}]\n`;
  const body = patch.replace(/^=+\n/, '');
  return body.length > MAX_CHARS ? `${body.slice(0, MAX_CHARS)}\n[diff cut]\n` : body;
}
