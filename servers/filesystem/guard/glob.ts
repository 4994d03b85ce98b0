/**
 * Globs over paths with `/`: `*`, `?`, `**`, `[abc]`, `{a,b}`. Our own because a deny list must also match names that begin with a dot,
 * which shells, and Node's `path.matchesGlob`, leave out.
 */

/** A compiled glob. */
export type Glob = (path: string) => boolean;

/** Above this many wildcards a hostile pattern could make matching slow. */
const MAX_WILDCARDS = 16;

/**
 * Compiles one glob. A pattern without a slash matches at any depth; one that matches a folder also matches everything beneath it when
 * `subtree` is set.
 * @throws RangeError for a pattern too long or with too many wildcards
 */
export function compileGlob(pattern: string, { subtree = false }: { readonly subtree?: boolean } = {}): Glob {
  const folded = foldPath(pattern.replace(/^\.?\/+/, '').replace(/\/+$/, ''));
  if (folded.length > 200 || (folded.match(/\*+/g)?.length ?? 0) > MAX_WILDCARDS) {
    throw new RangeError(`The pattern "${pattern.slice(0, 60)}" is too long or has more than ${MAX_WILDCARDS} wildcards.`);
  }
  const anywhere = folded.includes('/') ? '' : '(?:.*/)?';
  const expression = new RegExp(`^${anywhere}${source(folded)}${subtree ? '(?:/.*)?' : ''}$`, 'su');
  return (path) => expression.test(foldPath(path));
}

/** The form in which paths are compared: NFC and lower case, so that no other spelling of a denied name gets through. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function source(pattern: string): string {
  let out = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (pattern.startsWith('**/', at)) {
      out += '(?:.*/)?';
      at += 2;
    } else if (pattern.startsWith('**', at)) {
      out += '.*';
      at += 1;
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '{') {
      depth++;
      out += '(?:';
    } else if (char === '}' && depth > 0) {
      depth--;
      out += ')';
    } else if (char === ',' && depth > 0) out += '|';
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) out += '\\[';
      else {
        const body = pattern.slice(at + 1, end).replace(/[\\\]^[]/g, '\\$&');
        out += body.startsWith('!') ? `[^/${body.slice(1)}]` : `[${body}]`;
        at = end;
      }
    } else out += char.replace(/[\\^$.*+?()[\]{}|/-]/u, (special) => (special === '-' ? '-' : `\\${special}`));
  }
  return out + ')'.repeat(depth);
}
