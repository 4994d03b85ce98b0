/**
 * Patterns of clients, matched in time linear in the text. Two engines:
 *  - V8's own, when V8 itself says that it can run the pattern in linear time (flag `l`): the fast compiled matcher, which V8 gives up for its
 *    linear one after some thousand steps back. `^(a+)+$` on 50 000 letters: 5 ms; without that, longer than anybody waits.
 *  - RE2JS (the JavaScript port of RE2) for the rest: counted repetitions, Unicode classes, ignored case beyond ASCII.
 * Look-around and back references, which no linear engine has, are refused.
 */
import { setFlagsFromString } from 'node:v8';
import { RE2JS } from 're2js';
import { SignalboxError } from '../../../daemon/api/errors.ts';

/** A compiled pattern. */
export interface Pattern {
  /** Whether the text (one line, or many) has a match; over many lines it may say yes when no single line has one. */
  test(text: string): boolean;
  /** Where the first match in a line begins, in UTF-16 units; -1 without one. */
  find(line: string): number;
  /** A text every match contains, when one is known: files without these bytes need not be decoded. */
  readonly literal: string | undefined;
  readonly engine: 'v8' | 're2';
}

/** How a pattern is to be read. */
export interface PatternOptions {
  readonly ignoreCase: boolean;
  /** A text, not an expression. */
  readonly literal: boolean;
}

const MAX_LENGTH = 2000;
let prepared = false;

/**
 * Compiles a pattern.
 * @throws SignalboxError `SBX_FS_PATTERN`
 */
export function compilePattern(source: string, { ignoreCase, literal }: PatternOptions): Pattern {
  if (source.length > MAX_LENGTH) throw unusable(`It is longer than ${MAX_LENGTH} characters.`);
  const expression = literal ? source.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : source;
  const known = ignoreCase ? undefined : literal ? source : requiredLiteral(source);
  const v8 = compileV8(ignoreCase ? foldAscii(expression) : expression);
  if (v8 !== undefined) return { test: (text) => v8.test(text), find: (line) => line.search(v8), literal: known, engine: 'v8' };
  let re2: RE2JS;
  try {
    re2 = RE2JS.compile(RE2JS.translateRegExp(expression), RE2JS.MULTILINE | (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0));
  } catch (cause) {
    throw unusable(cause instanceof Error ? cause.message : String(cause));
  }
  const find = (line: string): number => {
    const matcher = re2.matcher(line);
    return matcher.find() ? matcher.start() : -1;
  };
  // `\\A` and `\\z` mean the line, and CRLF ends one: only the lines themselves can tell.
  const byLine = /\\[Az]|\$/.test(expression);
  return { test: (text) => byLine || find(text) >= 0, find, literal: known, engine: 're2' };
}

/** The pattern for V8, if V8 can promise linear time for it. */
function compileV8(source: string | undefined): RegExp | undefined {
  // What V8 would take but what sees beyond a line, or what RE2 has not either.
  if (source === undefined || /\(\?<?[=!]/.test(source) || /[^\x00-\x7f]/.test(source) || differs(source)) return undefined;
  if (!prepared) {
    setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
    setFlagsFromString('--regexp-backtracks-before-fallback=20000');
    setFlagsFromString('--enable-experimental-regexp-engine');
    prepared = true;
  }
  try {
    // Throws what it cannot run in linear time; a V8 without the flag throws everything, and RE2JS does all.
    new RegExp(source, 'lm');
    return new RegExp(source, 'm');
  } catch {
    return undefined;
  }
}

/** Whether V8 would read something of RE2's syntax as plain letters: `\\A`, `\\z`, `\\Q`, `\\p{…}`, `[[:alpha:]]`, a class that begins with `]`. */
function differs(source: string): boolean {
  return /\\[^dDwWsSbBnrtfv\W_]|\[\[:|\[[^\]]+\[:|\[\^?\]/.test(source.replace(/\\\\/g, ''));
}

/** `[xX]` for every letter, because V8's linear engine does not ignore case; undefined where that is not simply possible. */
function foldAscii(source: string): string | undefined {
  let out = '';
  for (let at = 0; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === '\\') {
      // Escapes with letters behind them (\x41, \u0041, \cA, \p{…}, \k<…>) name characters in a way that is not taken apart here.
      if (/[xucpPk0-9]/.test(source.charAt(at + 1))) return undefined;
      out += source.slice(at, at + 2);
      at++;
    } else if (char === '[' || source.startsWith('(?', at)) return undefined;
    else out += /[a-z]/i.test(char) ? `[${char.toLowerCase()}${char.toUpperCase()}]` : char;
  }
  return out;
}

/** The longest run of plain characters that every match must have: outside groups and classes, not optional. */
export function requiredLiteral(source: string): string | undefined {
  let best = '';
  let run = '';
  const end = (): void => {
    if (run.length > best.length) best = run;
    run = '';
  };
  for (let at = 0; at < source.length; at++) {
    const char = source.charAt(at);
    let plain: string | undefined;
    if (char === '|' || /^\(\?(?!:|P?<)/.test(source.slice(at, at + 4))) return undefined;
    if (char === '(' || char === '[') {
      const close = closing(source, at);
      if (close === undefined) return undefined;
      end();
      at = close;
    } else if (char === '\\') {
      const next = source.charAt(++at);
      if (/[^a-z0-9]/i.test(next)) plain = next;
      else if (/[dDwWsSbBnrtfv]/.test(next)) end();
      // The others name characters, or quote what follows.
      else return undefined;
    } else if (/[.^$*+?{})\]]/.test(char)) end();
    else plain = char;
    const quantifier = source.charAt(at + 1);
    if (/[*?{]/.test(quantifier)) end();
    else if (plain !== undefined) run += plain;
    if (quantifier === '+') end();
    // A counted repetition is skipped whole: its digits are no text.
    if (quantifier === '{') at = Math.max(at, source.indexOf('}', at));
  }
  end();
  return best.length >= 2 ? best : undefined;
}

/** Index of the bracket that closes the one at `open`. */
function closing(source: string, open: number): number | undefined {
  let depth = 0;
  let inClass = false;
  for (let at = open; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === '\\') at++;
    else if (inClass) {
      if (char !== ']') continue;
      inClass = false;
      if (depth === 0) return at;
    } else if (char === '[') {
      inClass = true;
      // A bracket that comes first in a class is one of its characters.
      if (source.charAt(at + 1) === '^') at++;
      if (source.charAt(at + 1) === ']') at++;
    } else if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return at;
  }
  return undefined;
}

function unusable(why: string): SignalboxError {
  return new SignalboxError('SBX_FS_PATTERN', 'The pattern cannot be used.', {
    why,
    fix: 'Give a regular expression without look-around and back references (RE2 syntax), or set "literal": true for plain text.',
  });
}
