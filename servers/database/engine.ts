/**
 * The engine process: one SQLite database, read-only, one statement at a time. It is a process because nothing else stops a running query:
 * a worker's `terminate()` waits for it (design/guards.md). Argument: the file. Talks over the IPC channel, ends with its parent.
 */
import { DatabaseSync } from 'node:sqlite';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { readOnlyAuthorizer } from './guard/authorizer.ts';
import type { Answer, Question, Row, Rows } from './guard/protocol.ts';
import { checkTail, checkText } from './guard/statement.ts';

/** Longest single value: `zeroblob(1e9)` and the like must not eat the memory. */
const MAX_VALUE_BYTES = 16 * 1024 * 1024;
const BLOB_PREVIEW_BYTES = 256;

let denied: string | undefined;

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file, {
    readOnly: true,
    allowExtension: false,
    defensive: true,
    timeout: 2000,
    limits: { length: MAX_VALUE_BYTES, sqlLength: 1024 * 1024, attach: 0, triggerDepth: 10 },
  });
  database.exec('PRAGMA query_only = 1; PRAGMA trusted_schema = 0; PRAGMA cell_size_check = 1; PRAGMA temp_store = 2;');
  database.setAuthorizer(
    readOnlyAuthorizer((what) => {
      denied ??= what;
    }),
  );
  return database;
}

function ask(database: DatabaseSync, question: Question): Rows {
  checkText(question.sql);
  denied = undefined;
  try {
    const statement = database.prepare(question.sql);
    checkTail(question.sql, statement.sourceSQL);
    statement.setReturnArrays(true);
    statement.setReadBigInts(true);
    const columns = statement.columns().map((column) => column.name);
    const rows: Row[] = [];
    let bytes = 0;
    const { params } = question;
    const found = (
      Array.isArray(params) ? statement.iterate(...params) : statement.iterate(params as Record<string, never>)
    ) as Iterable<unknown>;
    for (const values of found) {
      const row = (values as readonly unknown[]).map(plain);
      bytes += JSON.stringify(row).length;
      if (rows.length >= question.maxRows || bytes > question.maxBytes) return { columns, rows, truncated: true };
      rows.push(row);
    }
    return { columns, rows, truncated: false };
  } catch (thrown) {
    if (thrown instanceof SignalboxError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (denied !== undefined) {
      throw new SignalboxError('SBX_DB_REFUSED', 'The statement was refused: this connection only reads.', {
        why: `It needs ${denied}, which is not allowed.`,
        fix: 'Send a SELECT with ordinary functions.',
      });
    }
    if (/readonly|read-only|not authorized|load_extension/iu.test(why)) {
      throw new SignalboxError('SBX_DB_REFUSED', 'The statement was refused: this connection only reads.', { why, fix: 'Send a SELECT.' });
    }
    throw new SignalboxError('SBX_DB_SQL', 'SQLite could not run the statement.', {
      why,
      fix: 'Correct the statement; list_tables and describe_table show the names.',
    });
  }
}

/** JSON form of a value: integers beyond 2^53 as text, blobs as their size and beginning. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Uint8Array) {
    return { blobBytes: value.length, base64: Buffer.from(value.subarray(0, BLOB_PREVIEW_BYTES)).toString('base64') };
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

const file = process.argv[2];
if (file === undefined || process.send === undefined) throw new Error('The engine is started by the database plugin.');
const reply = (answer: Answer): void => void process.send?.(answer);
let database: DatabaseSync | undefined;
process.on('message', (question: Question) => {
  try {
    database ??= open(file);
    reply({ id: question.id, rows: ask(database, question) });
  } catch (thrown) {
    const error =
      thrown instanceof SignalboxError
        ? thrown
        : new SignalboxError('SBX_DB_CONNECTION', `The database ${file} cannot be opened.`, {
            why: thrown instanceof Error ? thrown.message : String(thrown),
            fix: 'Check the file and the permissions; a WAL database needs a writable folder or an existing -shm file.',
          });
    reply({ id: question.id, error: { code: error.code, message: error.message, why: error.why, fix: error.fix } });
  }
});
process.on('disconnect', () => process.exit(0));
