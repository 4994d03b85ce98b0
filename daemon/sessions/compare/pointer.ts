/** JSON pointers (RFC 6901), and patterns of them. */

/** Every pointer that begins in a place. */
export function childPointer(pointer: string, token: string | number): string {
  return `${pointer}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The reference tokens of a pointer, unescaped. */
export function tokensOf(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Tells whether a place fits a pattern. */
export type PlaceTest = (pointer: string) => boolean;

/**
 * Compiles patterns: pointers in which a `*` stands for any one token and `**` for any number of them. A pattern also fits everything below
 * the place it names.
 */
export function placeTest(patterns: readonly string[]): PlaceTest {
  if (patterns.length === 0) return () => false;
  const compiled = patterns.map(tokensOf);
  return (pointer) => {
    const tokens = tokensOf(pointer);
    return compiled.some((pattern) => fits(pattern, 0, tokens, 0));
  };
}

function fits(pattern: readonly string[], at: number, tokens: readonly string[], from: number): boolean {
  if (at === pattern.length) return true;
  const token = pattern[at];
  if (token === '**') {
    for (let skip = from; skip <= tokens.length; skip++) if (fits(pattern, at + 1, tokens, skip)) return true;
    return false;
  }
  return from < tokens.length && (token === '*' || token === tokens[from]) && fits(pattern, at + 1, tokens, from + 1);
}
