/** One statement and nothing after it; and masked columns only as bare output columns. */
import { type Token, tokenize } from '../lexer.ts';
import { checkText, refusal } from '../refusal.ts';
import type { ProtectedRead } from './authorizer.ts';

/**
 * Refuses text SQLite would read differently than we do.
 * @throws SignalboxError `SBX_DB_REFUSED` for a NUL character, a lone surrogate or nothing at all
 */
export function checkSqliteText(sql: string): void {
  checkText(sql);
  if (withoutComments(sql) === '') throw refusal('It is empty.');
}

/**
 * Refuses text after the first statement: `prepare` compiles the first one and silently drops the rest.
 * @param compiled the part SQLite compiled (`sourceSQL`)
 * @throws SignalboxError `SBX_DB_REFUSED`
 */
export function checkTail(sql: string, compiled: string): void {
  const tail = sql.startsWith(compiled) ? sql.slice(compiled.length) : sql;
  if (withoutComments(tail) !== '') throw refusal('A second statement follows the first.');
}

/** What is left of a text without blanks, semicolons and comments. */
function withoutComments(sql: string): string {
  let rest = sql;
  for (;;) {
    const next = rest.replace(/^[\s;\uFEFF]+/u, '').replace(/^(?:--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))/u, '');
    if (next === rest) return rest;
    rest = next;
  }
}

/** An output column as SQLite states its origin. */
export interface Output {
  readonly name: string;
  readonly table: string | null;
  readonly column: string | null;
}

/**
 * Lets protected columns stand only as bare columns of a simple, outermost SELECT list. The authorizer says how often each was read, SQLite which
 * output columns come from where, the text that nothing else names them: all three must agree.
 * @throws SignalboxError `SBX_DB_REFUSED`
 */
export function checkMasked(sql: string, reads: readonly ProtectedRead[], outputs: readonly Output[]): void {
  const [first] = reads;
  if (first === undefined) return;
  const say = (read: ProtectedRead, why: string): Error => refusal(`The protected column ${read.table}.${read.column} ${why}.`);
  const inView = reads.find((read) => read.inside !== null);
  if (inView !== undefined) throw say(inView, `is read inside ${inView.inside}: ask the table itself`);
  const tokens = tokenize(sql, 'sqlite').filter((token) => token.text !== ';');
  const list = selectList(tokens);
  if (list === undefined)
    throw say(first, 'may only be a bare column of a simple SELECT: no DISTINCT, UNION, GROUP BY, WITH, EXPLAIN or write');
  for (const name of new Set(reads.map((read) => read.column))) {
    const mine = reads.filter((read) => read.column === name);
    const bare = list.items.filter((item) => item.column === name);
    const mentions = tokens.filter((token) => token.kind !== 'number' && token.kind !== 'symbol' && token.lower === name).length;
    const shown = outputs.filter(
      (output) => output.column?.toLowerCase() === name && mine.some((read) => read.table === output.table?.toLowerCase()),
    );
    const [read = first] = mine;
    if (mine.length !== bare.length || mentions !== bare.length || shown.length !== bare.length)
      throw say(read, 'may only be a bare column of the SELECT list: not "*", not in an expression, a condition or an order');
    for (const item of bare) {
      if (item.alias === undefined) continue;
      if (tokens.filter((token) => token.lower === item.alias).length > 1)
        throw say(read, `may not be used again by its name "${item.alias}"`);
    }
  }
  if (list.ordinals) throw say(first, 'could be ordered by its position: name the column');
}

/**
 * Refuses joins that compare protected columns: SQLite's authorizer is not asked about the columns of NATURAL and USING.
 * @param secrets protected columns of the tables the statement touches
 * @throws SignalboxError `SBX_DB_REFUSED`
 */
export function checkJoins(sql: string, secrets: ReadonlySet<string>): void {
  if (secrets.size === 0) return;
  const tokens = tokenize(sql, 'sqlite');
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word') continue;
    if (token.lower === 'natural') throw refusal('NATURAL JOIN compares every common column, and some are protected.');
    if (token.lower !== 'using' || tokens[index + 1]?.text !== '(') continue;
    for (let at = index + 2; at < tokens.length && tokens[at]?.text !== ')'; at++)
      if (secrets.has(tokens[at]?.lower ?? '')) throw refusal(`The protected column ${tokens[at]?.text} may not be joined on.`);
  }
}

/** The SELECT of an `INSERT INTO … SELECT …`; undefined for every other statement. */
export function insertedSelect(sql: string): string | undefined {
  const tokens = tokenize(sql, 'sqlite');
  if (!/^(?:insert|replace)$/u.test(tokens.find((token) => token.text !== ';')?.lower ?? '')) return undefined;
  const select = tokens.find((token) => token.kind === 'word' && token.lower === 'select');
  return select === undefined ? undefined : sql.slice(select.start);
}

interface List {
  readonly items: readonly { column: string; alias: string | undefined }[];
  readonly ordinals: boolean;
}

function selectList(tokens: readonly Token[]): List | undefined {
  if (tokens[0]?.lower !== 'select' || tokens[0].kind !== 'word') return undefined;
  let depth = 0;
  let from = tokens.length;
  let order = -1;
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'symbol' && token.text === '(') depth++;
    else if (token.kind === 'symbol' && token.text === ')') depth--;
    else if (token.kind === 'word') {
      if (/^(?:natural|using)$/u.test(token.lower)) return undefined;
      if (depth > 0) continue;
      if (/^(?:distinct|union|intersect|except|group|having|window|returning|values)$/u.test(token.lower)) return undefined;
      if (token.lower === 'from' && from === tokens.length) from = index;
      if (token.lower === 'order') order = index;
    }
  }
  const items: { column: string; alias: string | undefined }[] = [];
  let item: Token[] = [];
  depth = 0;
  const end = (): void => {
    const parsed = bareItem(item);
    if (parsed !== undefined) items.push(parsed);
    item = [];
  };
  for (const token of tokens.slice(1, from)) {
    if (token.kind === 'symbol' && token.text === '(') depth++;
    if (token.kind === 'symbol' && token.text === ')') depth--;
    if (token.kind === 'symbol' && token.text === ',' && depth === 0) end();
    else item.push(token);
  }
  end();
  // `ORDER BY +1` and `(1)` are positions too: any number in the order is one too many.
  const tail = order < 0 ? [] : tokens.slice(order);
  const stop = tail.findIndex((token) => token.kind === 'word' && token.lower === 'limit');
  return { items, ordinals: (stop < 0 ? tail : tail.slice(0, stop)).some((token) => token.kind === 'number') };
}

/** `column`, `table.column`, `schema.table.column`, each with or without `[AS] alias`. */
function bareItem(tokens: readonly Token[]): { column: string; alias: string | undefined } | undefined {
  let at = 0;
  let column: string | undefined;
  for (;;) {
    const token = tokens[at];
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'name')) return undefined;
    column = token.lower;
    at++;
    if (tokens[at]?.kind === 'symbol' && tokens[at]?.text === '.') at++;
    else break;
  }
  const rest = tokens.slice(at);
  if (rest.length === 0) return { column, alias: undefined };
  const named = rest[0]?.kind === 'word' && rest[0].lower === 'as' ? rest.slice(1) : rest;
  const [alias] = named;
  if (named.length !== 1 || alias === undefined || alias.kind === 'symbol' || alias.kind === 'number') return undefined;
  return { column, alias: alias.lower };
}
