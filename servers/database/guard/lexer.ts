/** Reads SQL into tokens, for SQLite and MySQL. It resolves nothing: the engines decide, this explains and refuses what they cannot see. */
import { refusal } from './refusal.ts';

/** A token. `name` is a quoted identifier, `word` a bare word (keyword or identifier). */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'symbol' | 'variable' | 'hint';
  /** Without quotes; symbols as they stand. */
  readonly text: string;
  /** Lower-case text of words and names. */
  readonly lower: string;
  readonly start: number;
  readonly end: number;
}
/** Whose comments and quotes are read. */
export type Dialect = 'sqlite' | 'mysql';

/** ASCII only: the servers read every other blank as a letter of a name. SQLite also passes over a byte order mark. */
const BLANK = /[\t-\r \uFEFF]/u;
/** What makes `--` a comment for MySQL when it follows: blanks and control characters, nothing beyond ASCII. */
const AFTER_DASHES = /[\u0000-\u0020\u007f]/u;
const WORD = /[\p{L}\p{N}_$\u0080-\u{10FFFF}]/u;

/**
 * @throws SignalboxError `SBX_DB_REFUSED` for executable comments (`/*!`), an unfinished string or comment
 */
export function tokenize(sql: string, dialect: Dialect): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: Token['kind'], text: string, start: number, end: number): void => {
    tokens.push({ kind, text, lower: text.toLowerCase(), start, end });
    at = end;
  };
  while (at < sql.length) {
    const char = sql.charAt(at);
    const next = sql.charAt(at + 1);
    if (BLANK.test(char) && (char !== '\uFEFF' || dialect === 'sqlite')) {
      at++;
    } else if (char === '-' && next === '-' && (dialect === 'sqlite' || at + 2 >= sql.length || AFTER_DASHES.test(sql.charAt(at + 2)))) {
      at = lineEnd(sql, at);
    } else if (dialect === 'mysql' && char === '#') {
      at = lineEnd(sql, at);
    } else if (char === '/' && next === '*') {
      const close = sql.indexOf('*/', at + 2);
      if (close < 0 && dialect === 'mysql') throw refusal('A comment does not end.');
      const end = close < 0 ? sql.length : close + 2;
      if (dialect === 'mysql') {
        // The server runs what stands in these, depending on its version: no reader of the text can know which.
        if (/^\/\*M?!/iu.test(sql.slice(at, at + 4))) throw refusal('It contains a comment the server would execute (/*! or /*M!).');
        if (sql.charAt(at + 2) === '+') push('hint', sql.slice(at + 3, end - 2), at, end);
      }
      at = end;
    } else if (char === "'" || char === '"' || char === '`' || (char === '[' && dialect === 'sqlite')) {
      const { text, end } = quoted(sql, at, dialect);
      const isName = char === '`' || char === '[' || (char === '"' && dialect === 'sqlite');
      push(isName ? 'name' : 'string', text, at, end);
    } else if (char === '@' || ((char === ':' || char === '?') && dialect === 'sqlite')) {
      const found = /^(?:@@?|[:?])(?:[\p{L}\p{N}_$.]+)?/u.exec(sql.slice(at, at + 300))?.[0] ?? char;
      // @`name` and @'name' are variables too: the quotes stand as tokens of their own behind it.
      push('variable', found, at, at + found.length);
    } else if (/[0-9]/u.test(char) || (char === '.' && /[0-9]/u.test(next) && !endsName(tokens, at))) {
      const rest = sql.slice(at, at + 2000);
      const found = /^(?:0[xX][0-9a-fA-F]+|0b[01]+|(?:[0-9][0-9_]*)?\.?[0-9]*(?:[eE][+-]?[0-9]+)?)/u.exec(rest)?.[0] ?? char;
      // `1.INTO` is a number and a keyword for MySQL, `1INTO` a name: whoever writes that hides something.
      if (WORD.test(String.fromCodePoint(sql.codePointAt(at + found.length) ?? 32))) throw refusal('A number runs into a word.');
      push('number', found, at, at + found.length);
    } else if (WORD.test(String.fromCodePoint(sql.codePointAt(at) ?? 0))) {
      let end = at;
      while (end < sql.length) {
        const point = String.fromCodePoint(sql.codePointAt(end) ?? 0);
        if (!WORD.test(point)) break;
        end += point.length;
      }
      push('word', sql.slice(at, end), at, end);
    } else push('symbol', char, at, at + 1);
  }
  return tokens;
}

function endsName(tokens: readonly Token[], at: number): boolean {
  const last = tokens.at(-1);
  return last !== undefined && last.end === at && (last.kind === 'word' || last.kind === 'name');
}

function lineEnd(sql: string, from: number): number {
  const end = sql.indexOf('\n', from);
  return end < 0 ? sql.length : end + 1;
}

function quoted(sql: string, start: number, dialect: Dialect): { text: string; end: number } {
  const open = sql.charAt(start);
  const close = open === '[' ? ']' : open;
  let text = '';
  for (let at = start + 1; at < sql.length; at++) {
    const char = sql.charAt(at);
    if (dialect === 'mysql' && char === '\\' && open !== '`') {
      text += sql.charAt(at + 1);
      at++;
    } else if (char === close) {
      if (open === '[' || sql.charAt(at + 1) !== close) return { text, end: at + 1 };
      text += char;
      at++;
    } else text += char;
  }
  throw refusal('A quoted text does not end.');
}

/** Splits tokens at top-level semicolons; empty statements fall away. */
export function statements(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const found: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === 'symbol' && token.text === ';') found.push([]);
    else found.at(-1)?.push(token);
  }
  return found.filter((statement) => statement.length > 0);
}
