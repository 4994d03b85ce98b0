/** Search by content, in a worker: every nth file of the tree, so that several workers share it without asking each other. */
import { isAscii, isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Area, Located } from '../guard/area.ts';
import { type Place, systemCode } from '../guard/beneath.ts';
import { openContent } from '../guard/content.ts';
import type { Glob } from '../guard/glob.ts';
import { globsOf, matchesAny } from './filters.ts';
import { compilePattern, type Pattern } from './regex.ts';
import { decode } from './text.ts';
import { type Found, walk } from './walk.ts';

/** What to look for: plain data, from the tool to the worker. */
export interface ContentQuery {
  readonly path: string;
  readonly pattern: string;
  readonly literal: boolean;
  readonly ignoreCase: boolean;
  readonly glob: readonly string[];
  readonly exclude: readonly string[];
  readonly includeIgnored: boolean;
  /** Lines before and after each match. */
  readonly context: number;
  /** A worker ends after so many matching lines. */
  readonly maxMatches: number;
  readonly maxFileBytes: number;
}

/** One matching line. */
export interface ContentMatch {
  /** Position of the file in the walk: puts the answers of several workers into one order. */
  readonly file: number;
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Where the match begins, from 1. */
  readonly column: number;
  readonly text: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
}

/** What one worker found. */
export interface ContentResult {
  readonly matches: readonly ContentMatch[];
  readonly files: number;
  readonly skippedLarge: number;
  readonly engine: string;
  readonly ended: boolean;
}

/** What a search is told from outside. */
export interface Share {
  readonly part: number;
  readonly parts: number;
  cancelled(): boolean;
  progress(files: number): void;
}

const MAX_LINE = 500;
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
let buffer = Buffer.allocUnsafe(256 * 1024);

/** Searches this worker's share of the tree. */
export function searchContent(area: Area, query: ContentQuery, share: Share): ContentResult {
  const pattern = compilePattern(query.pattern, query);
  // Other characters than ASCII have other bytes in every encoding.
  const needle = pattern.literal === undefined || /[^\x00-\x7f]/.test(pattern.literal) ? undefined : Buffer.from(pattern.literal, 'utf8');
  const globs = globsOf(query.glob);
  const matches: ContentMatch[] = [];
  const state = { file: 0, files: 0, skippedLarge: 0 };
  const start = area.locate(query.path, 'read');
  try {
    const look = (data: Buffer, path: string): void => {
      state.files++;
      const wide = (data[0] === 0xff && data[1] === 0xfe) || (data[0] === 0xfe && data[1] === 0xff);
      if (!wide && needle !== undefined && data.indexOf(needle) < 0) return;
      if (!wide && data.subarray(0, 8192).includes(0)) return;
      linesOf(textOf(data, wide), pattern, query, (match) =>
        matches.push({ ...match, file: state.file, path: area.shown(start.root, path) }),
      );
    };
    if (start.place.stat?.isDirectory() !== true) {
      if (share.part === 0) look(readOne(area, start, query.maxFileBytes), start.place.path);
    } else {
      for (const found of walk(area, start, { exclude: globsOf(query.exclude), includeIgnored: query.includeIgnored, share })) {
        if (!isWanted(found, globs)) continue;
        state.file = found.index;
        if (share.cancelled()) break;
        const data = readFound(area, start, found, query.maxFileBytes, state);
        if (data !== undefined) look(data, found.path);
        if (state.files % 500 === 0) share.progress(state.files);
        if (matches.length >= query.maxMatches) return { ...state, matches, engine: pattern.engine, ended: false };
      }
    }
  } finally {
    start.place.close();
  }
  return { ...state, matches, engine: pattern.engine, ended: true };
}

/** As read_text_file reads it: UTF-16 by its mark, UTF-8 where it is valid, else one byte per character. */
function textOf(data: Buffer, wide: boolean): string {
  if (wide) return decode(data, data[0] === 0xff ? 'utf-16le' : 'utf-16be');
  // ASCII is the same in both, and one byte per character is the faster way.
  return decode(data, !isAscii(data) && isUtf8(data) ? 'utf-8' : 'latin1');
}

function isWanted({ entry, below }: Found, globs: readonly Glob[]): boolean {
  return entry.isFile() && (globs.length === 0 || matchesAny(globs, below));
}

/**
 * Reads a file of a pinned folder in one open: O_NOFOLLOW keeps links out, O_NONBLOCK keeps a FIFO that has just been put there from holding
 * us up. (`openContent` looks before it opens, which costs three more system calls for each of 20 000 files.)
 * @returns a view that is valid until the next call
 */
export function readFound(
  area: Area,
  start: Located,
  found: Found,
  maxBytes: number,
  counts: { skippedLarge: number },
): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(`${found.folder.ref}/${found.entry.name}`, FLAGS);
  } catch (thrown) {
    // Unreadable, or gone since: not a result.
    if (systemCode(thrown) === undefined) throw thrown;
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    if (stat.size > maxBytes) {
      counts.skippedLarge++;
      return undefined;
    }
    if (stat.nlink > 1 && !mayRead(area, start, found)) return undefined;
    if (buffer.length <= stat.size) buffer = Buffer.allocUnsafe(stat.size * 2);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got) {
      got = readSync(fd, buffer, length, buffer.length - length, null);
      if (length + got >= stat.size) {
        length += got;
        break;
      }
    }
    return buffer.subarray(0, length);
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function mayRead(area: Area, start: Located, { folder, entry }: Found): boolean {
  const place: Place | undefined = folder.child(entry.name);
  if (place === undefined) return false;
  try {
    area.checkLinks({ ...start, place });
    return true;
  } catch {
    // A name that is not proved is not read; the tool says so when it is asked for by name.
    return false;
  } finally {
    place.close();
  }
}

function readOne(area: Area, located: Located, maxBytes: number): Buffer {
  area.checkLinks(located);
  const file = openContent(located.place);
  try {
    return file.read(0, Math.min(file.stat.size, maxBytes));
  } finally {
    file.close();
  }
}

type Line = Omit<ContentMatch, 'file' | 'path'>;

/** The matching lines of a text. */
function linesOf(text: string, pattern: Pattern, query: ContentQuery, add: (match: Line) => void): void {
  // Over the whole text at once: most files have no match, and this says so fastest.
  if (!pattern.test(text)) return;
  const lines = text.split('\n');
  let count = 0;
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (index === lines.length - 1 && line === '') break;
    const column = pattern.find(line);
    if (column < 0) continue;
    add({
      line: index + 1,
      column: column + 1,
      text: cut(line, column),
      ...(query.context === 0
        ? {}
        : {
            before: lines.slice(Math.max(0, index - query.context), index).map((other) => cut(other, 0)),
            after: lines.slice(index + 1, index + 1 + query.context).map((other) => cut(other, 0)),
          }),
    });
    if (++count >= query.maxMatches) return;
  }
}

/** At most {@link MAX_LINE} characters, with the match in them. */
function cut(line: string, column: number): string {
  if (line.length <= MAX_LINE) return line.replace(/\r$/, '');
  const from = Math.max(0, Math.min(column - 100, line.length - MAX_LINE));
  return `${from > 0 ? '…' : ''}${line.slice(from, from + MAX_LINE)}…`.toWellFormed();
}
