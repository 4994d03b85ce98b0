/**
 * Globs over paths with `/`: `*`, `?`, `**`, `[abc]`, `[!a-z]`, `{a,b}`. Our own because a deny list must also match names that begin with a
 * dot, and because a client's glob must not hang: matching is iterative, at most pattern × path steps, never a backtracking expression.
 */

/** A compiled glob. */
export type Glob = (path: string) => boolean;

/** Alternatives that braces may make. */
const MAX_ALTERNATIVES = 256;
const MAX_LENGTH = 500;

type Token = { readonly kind: 'char'; readonly char: string } | { readonly kind: 'any' | 'star' } | ClassToken;
interface ClassToken {
  readonly kind: 'class';
  readonly not: boolean;
  readonly ranges: readonly (readonly [number, number])[];
}
/** One name of the path; `undefined` stands for `**`. */
type Segment = readonly Token[] | undefined;

/**
 * Compiles one glob; case and Unicode form do not matter. A pattern without a slash matches at any depth.
 * @param options.subtree one that matches a folder also matches everything beneath it
 * @throws RangeError for a pattern that is too long or has too many alternatives
 */
export function compileGlob(pattern: string, { subtree = false }: { readonly subtree?: boolean } = {}): Glob {
  if (pattern.length > MAX_LENGTH) throw new RangeError(`The pattern "${pattern.slice(0, 60)}…" is longer than ${MAX_LENGTH} characters.`);
  const cleaned = foldPath(pattern)
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '');
  const alternatives = expandBraces(cleaned).map((one) => compileOne(one, subtree));
  return (path) => {
    const names = foldPath(path).split('/');
    return alternatives.some((segments) => matchSegments(segments, names));
  };
}

/**
 * The form in which paths are compared: case folded, NFC, and without the characters that some file systems ignore in names (HFS+ took
 * `.g\u200cit` for `.git`), so that no other spelling of a denied name gets through.
 */
export function foldPath(path: string): string {
  // Most paths are plain: one test instead of four passes (a listing of 10 000 names folds each).
  if (/^[\x20-\x7e]*$/.test(path)) return path.toLowerCase();
  return path
    .replace(/[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]|\u034f|[\ufe00-\ufe0f]/gu, '')
    .normalize('NFC')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFC');
}

function compileOne(pattern: string, subtree: boolean): readonly Segment[] {
  const names = pattern.split('/').filter((name) => name !== '');
  const segments: Segment[] = names.map((name) => (name === '**' ? undefined : tokens(name)));
  if (!pattern.includes('/') && segments[0] !== undefined) segments.unshift(undefined);
  if (subtree) segments.push(undefined);
  return segments;
}

function tokens(name: string): readonly Token[] {
  const out: Token[] = [];
  const chars = [...name];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const end = char === '[' ? chars.indexOf(']', at + 2) : -1;
    if (char === '*') {
      if (out.at(-1)?.kind !== 'star') out.push({ kind: 'star' });
    } else if (char === '?') out.push({ kind: 'any' });
    else if (end > 0) {
      out.push(classOf(chars.slice(at + 1, end)));
      at = end;
    } else if (char === '\\' && at + 1 < chars.length) out.push({ kind: 'char', char: chars[++at] ?? '' });
    else out.push({ kind: 'char', char });
  }
  return out;
}

function classOf(body: readonly string[]): ClassToken {
  const not = body[0] === '!' || body[0] === '^';
  const rest = not ? body.slice(1) : body;
  const ranges: [number, number][] = [];
  for (let at = 0; at < rest.length; at++) {
    const from = rest[at]?.codePointAt(0) ?? 0;
    const to = rest[at + 1] === '-' ? rest[at + 2]?.codePointAt(0) : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  return { kind: 'class', not, ranges };
}

/** Greedy with one point to return to: the last `**`. */
function matchSegments(segments: readonly Segment[], names: readonly string[]): boolean {
  let segment = 0;
  let name = 0;
  let star = -1;
  let resume = 0;
  while (name < names.length) {
    const wanted = segments[segment];
    if (segment < segments.length && wanted === undefined) {
      star = segment++;
      resume = name;
    } else if (wanted !== undefined && matchName(wanted, names[name] ?? '')) {
      segment++;
      name++;
    } else if (star >= 0) {
      segment = star + 1;
      name = ++resume;
    } else return false;
  }
  while (segment < segments.length && segments[segment] === undefined) segment++;
  return segment === segments.length;
}

function matchName(pattern: readonly Token[], name: string): boolean {
  const chars = /^[\x20-\x7e]*$/.test(name) ? name : [...name];
  let token = 0;
  let at = 0;
  let star = -1;
  let resume = 0;
  while (at < chars.length) {
    const wanted = pattern[token];
    if (wanted?.kind === 'star') {
      star = token++;
      resume = at;
    } else if (wanted !== undefined && matchChar(wanted, chars[at] ?? '')) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[token]?.kind === 'star') token++;
  return token === pattern.length;
}

function matchChar(token: Token, char: string): boolean {
  if (token.kind === 'char') return token.char === char;
  if (token.kind !== 'class') return true;
  const code = char.codePointAt(0) ?? 0;
  return token.ranges.some(([from, to]) => code >= from && code <= to) !== token.not;
}

function expandBraces(pattern: string): readonly string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0) {
    const one = open.pop() ?? '';
    const parts = innermost(one);
    if (parts === undefined) done.push(one);
    else for (const part of parts.body.split(',')) open.push(one.slice(0, parts.from) + part + one.slice(parts.to));
    if (done.length + open.length > MAX_ALTERNATIVES) throw new RangeError(`The pattern has more than ${MAX_ALTERNATIVES} alternatives.`);
  }
  return done;
}

function innermost(pattern: string): { from: number; to: number; body: string } | undefined {
  const close = pattern.indexOf('}');
  const from = close < 0 ? -1 : pattern.lastIndexOf('{', close);
  if (from < 0) return undefined;
  return { from, to: close + 1, body: pattern.slice(from + 1, close) };
}
