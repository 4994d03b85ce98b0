/** Holds one SQLite database: opens it with every layer, runs one statement at a time. */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { type ErrorCode, SignalboxError } from '../../../../daemon/api/errors.ts';
import { mask } from '../../guard/mask.ts';
import { columnRule, type Policy, restricts } from '../../guard/policy.ts';
import { refusal } from '../../guard/refusal.ts';
import { makeAuthorizer, type Notes } from '../../guard/sqlite/authorizer.ts';
import { checkJoins, checkMasked, checkSqliteText, checkTail, insertedSelect } from '../../guard/sqlite/statement.ts';
import type { Access, Bindable, Params } from '../engine.ts';
import type { Question, Reply, Rows, Start } from './protocol.ts';
import { sizeOf, toJson, toSqlite } from './values.ts';

/** Longest single value: `zeroblob(1e9)` and the like must not eat the memory. */
const MAX_VALUE_BYTES = 16 * 1024 * 1024;

interface Open {
  readonly database: DatabaseSync;
  /** Sets with what access the next statement is compiled; undefined for our own. */
  expect(access: Access | undefined): Notes;
  readonly policy: Policy;
  readonly start: Start;
}

/** Answers questions until the parent goes. */
export function serveDatabase(start: Start): void {
  let open: Open | undefined;
  const reply = (message: Reply): void => void process.send?.(message);
  process.on('message', (question: Question) => {
    try {
      open ??= openDatabase(start);
      reply({ id: question.id, rows: run(open, question) });
    } catch (thrown) {
      const error = thrown instanceof SignalboxError ? thrown : failure(thrown, 'SBX_DB_CONNECTION', start);
      reply({ id: question.id, error: { code: error.code, message: error.message, why: error.why, fix: error.fix } });
    }
  });
  process.on('disconnect', () => process.exit(0));
  // Word that it listens; no question has this number.
  process.send?.({ id: 0 });
}

function openDatabase(start: Start): Open {
  const { layers } = start;
  const reading = start.access === 'read';
  const policy: Policy = { ...start.policy, columns: new Map(start.policy.columns) };
  const memory = start.file === undefined;
  const database = new DatabaseSync(start.file ?? ':memory:', {
    readOnly: reading && layers.readOnly && !memory,
    allowExtension: false,
    defensive: layers.pragmas,
    enableDoubleQuotedStringLiterals: false,
    timeout: 2000,
    limits: { length: MAX_VALUE_BYTES, sqlLength: 1024 * 1024, attach: 0, triggerDepth: 100 },
  });
  if (start.seed !== undefined) database.exec(start.seed);
  database.exec('PRAGMA temp_store = 2; PRAGMA cell_size_check = 1;');
  if (layers.pragmas) database.exec('PRAGMA trusted_schema = 0;');
  if (layers.pragmas && reading) database.exec('PRAGMA query_only = 1;');
  if (!reading) database.exec('PRAGMA foreign_keys = 1;');
  let notes: Notes = { denied: undefined, reads: [], near: new Set(), wrote: false, defined: false };
  let access: Access | undefined;
  const judges = {
    read: makeAuthorizer('read', policy, () => notes),
    write: makeAuthorizer('write', policy, () => notes),
    admin: makeAuthorizer('admin', policy, () => notes),
  };
  if (layers.authorizer) {
    database.setAuthorizer((action, first, second, room, inside) =>
      access === undefined ? 0 : judges[access](action, first, second, room, inside),
    );
  }
  return {
    database,
    policy,
    start,
    expect: (next) => {
      access = next;
      notes = { denied: undefined, reads: [], near: new Set(), wrote: false, defined: false };
      return notes;
    },
  };
}

function run(open: Open, question: Question): Rows {
  const { database, start } = open;
  const { sql } = question;
  const own = question.job === 'own';
  if (start.layers.text && !own) checkSqliteText(sql);
  let notes = open.expect(own ? undefined : question.access);
  try {
    let statement: StatementSync;
    try {
      statement = database.prepare(sql);
    } catch (thrown) {
      if (own || !/^(?:INSERT|UPDATE|DELETE) \(.*_(?:node|parent|rowid)\)$/u.test(notes.denied ?? '')) throw thrown;
      connectVirtual(open);
      notes = open.expect(question.access);
      statement = database.prepare(sql);
    }
    if (start.layers.text) checkTail(sql, statement.sourceSQL);
    if (notes.wrote) judgeCopied(open, sql, notes);
    const outputs = statement.columns();
    checkJoins(sql, notes.near);
    checkMasked(sql, notes.reads, outputs);
    const kind = notes.defined ? 'definition' : notes.wrote ? 'write' : 'select';
    if (question.job === 'check') return { columns: [], json: '[]', count: 0, truncated: false, affected: 0, kind };
    if (question.job === 'query' && notes.wrote) throw refusal('It writes: use the tool `write`.');
    if (question.job === 'write') return write(open, statement, question, kind);
    return { ...read(open, statement, question), affected: 0, kind };
  } catch (thrown) {
    if (thrown instanceof SignalboxError) throw thrown;
    throw explain(open, thrown, notes);
  } finally {
    // A statement compiled again after a schema change asks again: it must find the same judge. Our own come with undefined.
    open.expect('read');
  }
}

/**
 * `INSERT INTO a SELECT * FROM b` between tables of one shape copies pages, and SQLite then asks the authorizer nothing about b: the SELECT is compiled
 * once alone, so that it is asked.
 */
function judgeCopied({ database, policy }: Open, sql: string, notes: Notes): void {
  if (!restricts(policy)) return;
  const select = insertedSelect(sql);
  if (select === undefined) return;
  try {
    database.prepare(select);
  } catch (thrown) {
    // What cannot stand alone (… ON CONFLICT) is not copied by pages.
    if (notes.denied !== undefined) throw thrown;
  }
}

/** Virtual tables such as R*Tree compile their own writes when first used: done without a judge, so that a SELECT is not refused for it. */
function connectVirtual({ database, expect }: Open): void {
  expect(undefined);
  for (const { name } of database.prepare("SELECT name FROM main.sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'").all()) {
    try {
      database.prepare(`SELECT 1 FROM main."${String(name).replaceAll('"', '""')}"`);
    } catch {
      // A module this build does not have: whoever asks the table hears it.
    }
  }
}

function read(open: Open, statement: StatementSync, question: Question): Omit<Rows, 'affected' | 'kind'> {
  statement.setReturnArrays(true);
  // Numbers are a third faster than BigInts. Where one does not fit SQLite's binding throws, and a reading statement can be run again.
  if (question.job !== 'write') {
    statement.setReadBigInts(false);
    try {
      return readRows(open, statement, question);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== 'ERR_OUT_OF_RANGE') throw thrown;
    }
  }
  statement.setReadBigInts(true);
  return readRows(open, statement, question);
}

function readRows(open: Open, statement: StatementSync, question: Question): Omit<Rows, 'affected' | 'kind'> {
  const outputs = statement.columns();
  const columns = outputs.map((column) => ({ name: column.name, type: column.type }));
  const masks = outputs.map((column) =>
    column.table === null || column.column === null || question.job === 'own'
      ? undefined
      : columnRule(open.policy, column.database ?? undefined, column.table, column.column),
  );
  const rows: string[] = [];
  let bytes = 0;
  let passed = 0;
  const done = (truncated: Rows['truncated']): Omit<Rows, 'affected' | 'kind'> => ({
    columns,
    json: `[${rows.join(',')}]`,
    count: rows.length,
    truncated,
  });
  for (const found of iterate(statement, question.params)) {
    if (passed < question.skip) {
      passed++;
      continue;
    }
    if (rows.length >= question.maxRows) return done('rows');
    const values = found as unknown as SQLOutputValue[];
    for (const value of values) bytes += sizeOf(value);
    if (bytes > question.maxBytes) return done('bytes');
    const row: unknown[] = values;
    for (const [index, masking] of masks.entries()) {
      const value = toJson(values[index]);
      row[index] = masking === undefined ? value : mask(masking, value, open.policy.salt);
    }
    rows.push(JSON.stringify(row));
  }
  return done(false);
}

function iterate(statement: StatementSync, params: Params): Iterable<unknown> {
  if (Array.isArray(params)) return statement.iterate(...(params as readonly Bindable[]).map(toSqlite));
  return statement.iterate(
    Object.fromEntries(Object.entries(params as Readonly<Record<string, Bindable>>).map(([name, value]) => [name, toSqlite(value)])),
  );
}

/** Runs a write in a transaction that is kept only if it was asked for and changed as much as was agreed to. */
function write(open: Open, statement: StatementSync, question: Question, kind: string): Rows {
  if (kind === 'select') throw refusal('It writes nothing: use the tool `query`.');
  const { database } = open;
  const trusted = (sql: string): void => {
    open.expect(undefined);
    database.exec(sql);
    open.expect(question.access);
  };
  const counted = (): number => {
    open.expect(undefined);
    const row = database.prepare('SELECT total_changes() AS n').get();
    open.expect(question.access);
    return Number(row?.['n'] ?? 0);
  };
  trusted('BEGIN IMMEDIATE');
  try {
    const before = counted();
    const result = read(open, statement, question);
    const affected = kind === 'definition' ? 0 : counted() - before;
    if (affected > (question.maxAffected ?? 0)) {
      throw new SignalboxError('SBX_DB_LIMIT', 'The write was undone: it changes too many rows.', {
        why: `It would change ${affected} rows; ${question.maxAffected ?? 0} are allowed.`,
        fix: 'Narrow it with WHERE, or raise "maxAffected" of the connection.',
      });
    }
    if (question.expected !== undefined && question.expected !== affected) {
      throw new SignalboxError('SBX_DB_LIMIT', 'The write was undone: the data changed meanwhile.', {
        why: `${question.expected} rows were agreed to, now it would change ${affected}.`,
        fix: 'Call `write` again and look at the new number.',
      });
    }
    trusted(question.commit === true ? 'COMMIT' : 'ROLLBACK');
    return { ...result, affected, kind };
  } catch (thrown) {
    if (database.isTransaction) trusted('ROLLBACK');
    throw thrown;
  }
}

function explain(open: Open, thrown: unknown, notes: Notes): SignalboxError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  if (notes.denied !== undefined) {
    return new SignalboxError('SBX_DB_REFUSED', 'The statement was refused.', {
      why: `It needs ${notes.denied}, which is not allowed.`,
      fix: 'Send a SELECT with ordinary functions; `validate_query` says beforehand what is allowed.',
    });
  }
  if (/readonly|read-only|not authorized|may not be modified|unsafe use|load_extension|too many attached/iu.test(why)) {
    return new SignalboxError('SBX_DB_REFUSED', 'The statement was refused: this connection only reads.', { why, fix: 'Send a SELECT.' });
  }
  return failure(thrown, 'SBX_DB_SQL', open.start);
}

function failure(thrown: unknown, fallback: ErrorCode, start: Start): SignalboxError {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const number = (thrown as { errcode?: number } | null)?.errcode;
  const reason = number === undefined ? why : `${why} (SQLite error ${number})`;
  if (number !== undefined && [5, 6].includes(number & 0xff)) {
    return new SignalboxError('SBX_DB_BUSY', 'The database file is locked.', {
      why: `Another program writes to it, and did not end within 2 s: ${reason}`,
      fix: 'Try again when it has ended.',
    });
  }
  if (/too big|toobig/iu.test(why)) {
    return new SignalboxError('SBX_DB_LIMIT', 'One value of the answer is too large.', {
      why: `${reason}; a value may have ${MAX_VALUE_BYTES} bytes.`,
      fix: 'Select a part of it, for example with substr().',
    });
  }
  if (fallback === 'SBX_DB_CONNECTION' || (number !== undefined && [8, 10, 11, 14, 26].includes(number & 0xff))) {
    return new SignalboxError('SBX_DB_CONNECTION', `The database ${start.file ?? 'in memory'} cannot be read.`, {
      why: reason,
      fix: 'Check the file and the permissions; a WAL database needs a writable folder or an existing -shm file.',
    });
  }
  return new SignalboxError('SBX_DB_SQL', 'SQLite could not run the statement.', {
    why: reason,
    fix: 'Correct the statement; list_tables, describe_table and search_objects show the names.',
  });
}
