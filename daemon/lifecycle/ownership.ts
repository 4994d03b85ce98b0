/** The election: one daemon per user, decided by an exclusive SQLite transaction held for life (ARCHITECTURE section 2). */
import { randomInt } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { ensurePrivateDir } from './private-file.ts';

/** The proof that this process is the daemon; the operating system takes it back when the process dies, however it dies. */
export interface Ownership {
  /** Gives it up; a second call does nothing. */
  release(): void;
}

/** A connection nobody refers to is closed by the garbage collector, and the lock with it: whoever drops an {@link Ownership} must still own. */
const held = new Set<DatabaseSync>();

const SQLITE_BUSY = 5;
const TRIES = 8;

/**
 * Tries to become the one daemon of this state directory.
 *
 * Nothing else may open `owner.db` in this process: POSIX drops a process's locks when any descriptor of the file closes.
 *
 * @returns `undefined` when another process is the owner
 * @throws SignalboxError `SBX_STATE_INSECURE` when the state directory cannot be used
 */
export function acquireOwnership(paths: Pick<Paths, 'stateDir' | 'ownerDb'>): Ownership | undefined {
  ensurePrivateDir(paths.stateDir);
  // Two contenders that both hold SHARED refuse each other EXCLUSIVE, and both would lose: so "busy" is asked again, at random moments.
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const ownership = attemptOwnership(paths.ownerDb);
    if (ownership !== undefined) return ownership;
    if (attempt < TRIES) pause(randomInt(2, 5 + attempt * 6));
  }
  return undefined;
}

function attemptOwnership(file: string): Ownership | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    if (isBusy(error)) return undefined;
    throw new SignalboxError('SBX_STATE_INSECURE', `The election file ${file} cannot be used.`, {
      why: error instanceof Error ? error.message : String(error),
      fix: 'Check that the disk is not full or read-only. If no daemon runs (`signalbox status`), delete the file and start again.',
      cause: error,
    });
  }
  const connection = db;
  held.add(connection);
  return {
    release: () => {
      if (held.delete(connection)) connection.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  // the low byte is the primary code; the rest says which kind of busy
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY;
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
