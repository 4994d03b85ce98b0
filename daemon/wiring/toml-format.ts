/**
 * TOML, changed one table at a time: a table of ours is a block of lines at the end of the file. No library writes TOML and keeps comments and
 * layout, so the text is edited and a parser says whether exactly the wanted change came out of it.
 */
import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'smol-toml';
import type { KeyPath, TextFormat } from './text-format.ts';
import { unreadable } from './unreadable.ts';

type Table = { [key: string]: unknown };

/** TOML 1.0. Values that are set must be tables. */
export const tomlFormat: TextFormat = {
  empty: '',
  check: (file, text) => void tableOf(file, text),
  valueAt: (file, text, path) => valueIn(file, tableOf(file, text), path),
  textWith: (file, text, path, value) => {
    const before = tableOf(file, text);
    if (value === undefined && valueIn(file, before, path) === undefined) return text;
    const without = withoutTable(text, path);
    const changed = value === undefined ? without : withTable(without, path, value);
    const wanted = expected(before, path, value);
    const came = tableOf(file, changed);
    // `[mcp_servers]` with nothing else in it stays where somebody wrote it out.
    if (!isDeepStrictEqual(came, wanted) && !(value === undefined && isDeepStrictEqual(expected(came, path, undefined), wanted)))
      throw unreadable(
        file,
        `"${path.join('.')}" or the table it is in is written in a way that cannot be changed without touching other lines (an inline table, or dotted keys).`,
      );
    return changed;
  },
};

function tableOf(file: string, text: string): Table {
  try {
    // Through text: the parser's tables have no prototype and its dates are objects of its own.
    return JSON.parse(JSON.stringify(parse(text, { integersAsBigInt: 'asNeeded' }), bigAsText)) as Table;
  } catch (cause) {
    throw unreadable(file, cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? cause.message) : String(cause), cause);
  }
}

function bigAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function valueIn(file: string, root: Table, path: KeyPath): unknown {
  let value: unknown = root;
  for (const [index, key] of path.entries()) {
    if (!isTable(value)) throw unreadable(file, `"${path.slice(0, index).join('.')}" is not a table.`);
    if (!Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** What the file must mean after the change. A parent that only our table made is gone with it. */
function expected(before: Table, path: KeyPath, value: unknown): Table {
  const [key = '', ...rest] = path;
  const copy = { ...before };
  if (rest.length === 0) {
    if (value === undefined) delete copy[key];
    else copy[key] = value;
    return copy;
  }
  const inner = expected(isTable(copy[key]) ? copy[key] : {}, rest, value);
  if (Object.keys(inner).length === 0 && value === undefined) delete copy[key];
  else copy[key] = inner;
  return copy;
}

/** The text without the lines from the header of the table (or of one inside it) to the next other header. */
function withoutTable(text: string, path: KeyPath): string {
  const kept: string[] = [];
  let ours = false;
  let found = false;
  // Headers inside multi-line strings look the same; then what comes out does not mean what it should and the change is refused.
  for (const line of text.split(/(?<=\n)/)) {
    const header = headerOf(line);
    if (header !== undefined) {
      ours = header.length >= path.length && path.every((key, index) => header[index] === key);
      // The blank line before it is ours as well.
      if (ours && !found && kept.at(-1)?.trim() === '' && kept.length > 1) kept.pop();
      found ||= ours;
    }
    if (!ours) kept.push(line);
  }
  return kept.join('');
}

function withTable(text: string, path: KeyPath, value: unknown): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const nested = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const block = stringify(nested).trim().split('\n').join(eol);
  const gap = text === '' ? '' : text.endsWith('\n') ? eol : `${eol}${eol}`;
  return `${text}${gap}${block}${eol}`;
}

/** The keys of a `[table.header]` line; `undefined` for any other line. An array of tables (`[[x]]`) is a header of somebody else. */
function headerOf(line: string): readonly string[] | undefined {
  if (!/^\s*\[/.test(line)) return undefined;
  try {
    const keys: string[] = [];
    let table: unknown = parse(line);
    while (isTable(table) && Object.keys(table).length === 1) {
      const [key = ''] = Object.keys(table);
      keys.push(key);
      table = table[key];
    }
    return keys;
  } catch {
    return undefined; // a line of an array
  }
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
