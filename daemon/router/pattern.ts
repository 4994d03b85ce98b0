/** Texts with gaps: globs over names and URI templates. Linear in the text, whatever somebody else wrote into the pattern. */

/**
 * Whether a text is the given literals in order, with gaps between them.
 * @param literals `gaps.length + 1` of them
 * @param gaps least number of characters of each gap
 */
function matches(literals: readonly string[], gaps: readonly number[], text: string): boolean {
  const first = literals[0] ?? '';
  if (gaps.length === 0) return text === first;
  const last = literals.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  // The leftmost place of each literal leaves the most for the rest, so there is nothing to try again.
  for (let gap = 0; gap < gaps.length - 1; gap++) {
    const literal = literals[gap + 1] ?? '';
    const found = text.indexOf(literal, at + (gaps[gap] ?? 0));
    if (found < 0) return false;
    at = found + literal.length;
  }
  return text.length - last.length >= at + (gaps.at(-1) ?? 0);
}

/** Whether a name matches a glob: `*` is anything, also nothing; everything else is itself. */
export function matchesGlob(glob: string, name: string): boolean {
  const literals = glob.split('*');
  return matches(
    literals,
    literals.slice(1).map(() => 0),
    name,
  );
}

/** Whether a glob matches any name that begins so. */
export function mayBegin(glob: string, beginning: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  return first.startsWith(beginning) || (rest.length > 0 && beginning.startsWith(first));
}

/**
 * Whether a URI can come from an RFC 6570 template: literals must be there, a plain expression is anything but nothing; one with an
 * operator (`{?page}`, `{/path}`, …) is nothing where its variables are undefined.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const literals = template.split(/\{[^{}]*\}/);
  const gaps = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, expression = '']) => (/^[?&#/.;+]/.test(expression) ? 0 : 1));
  return matches(literals, gaps, uri);
}
