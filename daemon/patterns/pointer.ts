/** JSON pointers (RFC 6901). Pure. */

/** The tokens of a pointer, `~1` and `~0` read; undefined when it is none (section 3: empty, or beginning with `/`, no other `~`). */
export function pointerTokens(pointer: string): readonly string[] | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What a pointer finds in a value: own members and elements only (section 4). Undefined when it finds nothing; JSON has no undefined. */
export function findPointer(value: unknown, pointer: string): unknown {
  let here = value;
  for (const token of pointerTokens(pointer) ?? [undefined]) {
    if (token === undefined || typeof here !== 'object' || here === null) return undefined;
    if (Array.isArray(here)) here = /^(?:0|[1-9]\d*)$/.test(token) ? (here[Number(token)] as unknown) : undefined;
    else here = Object.hasOwn(here, token) ? (here as Record<string, unknown>)[token] : undefined;
  }
  return here;
}
