/** The daemon's memory over restarts: small JSON values in one SQLite file, `<state>/state.db`. Held by the one daemon; nobody else opens it. */
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { StateStore, StateTable } from '../api/state.ts';
import { parseJson } from '../protocol/json.ts';

/** Of the layout of the file; a file of another one is set aside. */
const LAYOUT = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Opens the store, making the file (0600) if it is not there.
 *
 * Write-ahead log with `synchronous = NORMAL`: what `set` wrote survives the death of the process, however it dies; a power cut may take
 * the last moments. A file that cannot be read is renamed to `<file>.broken-<time>` and an empty one begun: everything in it can be learnt again.
 * A store that cannot be written at all goes on in memory. After `close` it reads as empty and writes nothing.
 *
 * @param file path, or `:memory:`
 * @param log told what was set aside or could not be written
 */
export function openStateStore(file: string, log: (level: 'warn' | 'error', message: string) => void = () => {}): StateStore {
  return new SqliteStore(file, log);
}

interface Statements {
  readonly db: DatabaseSync;
  readonly get: StatementSync;
  readonly set: StatementSync;
  readonly delete: StatementSync;
  readonly entries: StatementSync;
}

class SqliteStore implements StateStore {
  readonly #file: string;
  readonly #log: (level: 'warn' | 'error', message: string) => void;
  #open: Statements | undefined;
  #failed = false;

  constructor(file: string, log: (level: 'warn' | 'error', message: string) => void) {
    this.#file = file;
    this.#log = log;
    this.#open = this.#openFile();
  }

  get<T>(table: StateTable, key: string): T | undefined {
    const row = this.#try(({ get }) => get.get(table, key)) as { value: string } | undefined;
    return row === undefined ? undefined : (parsed(row.value) as T | undefined);
  }

  set(table: StateTable, key: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) return this.delete(table, key);
    this.#try(({ set }) => set.run(table, key, text));
  }

  delete(table: StateTable, key: string): void {
    this.#try((statements) => statements.delete.run(table, key));
  }

  entries<T>(table: StateTable, prefix = ''): readonly (readonly [key: string, value: T])[] {
    const rows = (this.#try(({ entries }) => entries.all(table, prefix, `${prefix}\u{10FFFF}`)) ?? []) as { key: string; value: string }[];
    return rows.flatMap(({ key, value }) => {
      const found = parsed(value) as T | undefined;
      return found === undefined ? [] : [[key, found] as const];
    });
  }

  close(): void {
    this.#open?.db.close();
    this.#open = undefined;
  }

  /** Runs one statement. A file found broken is replaced and the statement run again; another failure is said once and costs only what was to be kept. */
  #try<R>(use: (statements: Statements) => R): R | undefined {
    if (this.#open === undefined) return undefined;
    try {
      return use(this.#open);
    } catch (error) {
      if (isBroken(error) && this.#file !== ':memory:') {
        this.#open.db.close();
        this.#setAside(error);
        this.#open = this.#openFile();
        return use(this.#open);
      }
      if (!this.#failed) this.#log('error', `The state file ${this.#file} cannot be used: ${String(error)}`);
      this.#failed = true;
      return undefined;
    }
  }

  #openFile(): Statements {
    try {
      return open(this.#file);
    } catch (error) {
      if (isBroken(error)) {
        this.#setAside(error);
        try {
          return open(this.#file);
        } catch (again) {
          this.#log('error', `The state file ${this.#file} cannot be made: ${String(again)}`);
        }
      } else {
        this.#log('error', `The state file ${this.#file} cannot be opened: ${String(error)}; nothing will be remembered over a restart.`);
      }
      return open(':memory:');
    }
  }

  #setAside(error: unknown): void {
    const aside = `${this.#file}.broken-${Date.now()}`;
    this.#log('error', `The state file ${this.#file} is broken (${String(error)}); it is now ${aside} and a new one was begun.`);
    try {
      renameSync(this.#file, aside);
      // The log belongs to the broken file; beside a new one SQLite would read it as that one's.
      for (const suffix of ['-wal', '-shm']) rmSync(`${this.#file}${suffix}`, { force: true });
    } catch (failure) {
      this.#log('error', `It could not be set aside: ${String(failure)}`);
    }
  }
}

function open(file: string): Statements {
  // SQLite makes files by the umask, and its -wal and -shm files like the main one: so the main one is made first.
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const db = new DatabaseSync(file);
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000');
    const { user_version: layout } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (layout !== 0 && layout !== LAYOUT) throw new BrokenState(`its layout is ${layout}, this version reads ${LAYOUT}`);
    const { quick_check: verdict } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (verdict !== 'ok') throw new BrokenState(verdict);
    db.exec(
      `PRAGMA user_version = ${LAYOUT};
       CREATE TABLE IF NOT EXISTS state (tab TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tab, key)) WITHOUT ROWID`,
    );
    return {
      db,
      get: db.prepare('SELECT value FROM state WHERE tab = ? AND key = ?'),
      set: db.prepare('INSERT INTO state VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
      delete: db.prepare('DELETE FROM state WHERE tab = ? AND key = ?'),
      // Keys are compared as UTF-8 bytes: nothing with the prefix is after the prefix and the last code point there is.
      entries: db.prepare('SELECT key, value FROM state WHERE tab = ? AND key >= ? AND key <= ? ORDER BY key'),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

class BrokenState extends Error {}

function isBroken(error: unknown): boolean {
  if (error instanceof BrokenState) return true;
  // The low byte is the primary code; the rest says which kind.
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** A value somebody edited by hand into no JSON is no value. */
function parsed(text: string): unknown {
  try {
    return parseJson(text); // what servers list may hold numbers beyond JavaScript's
  } catch {
    return undefined;
  }
}
