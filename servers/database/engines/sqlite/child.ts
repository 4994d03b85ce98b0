/** One engine process as a link of the pool: asks it, ends it at the deadline or when the caller gives up. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ErrorCode, SignalboxError } from '../../../../daemon/api/errors.ts';
import type { Question, Reply, Rows, Start } from './protocol.ts';

/** A process that holds the database. */
export interface Child {
  readonly process: ChildProcess;
  ended: boolean;
}

/**
 * Starts an engine process and waits until it listens, so that no statement's time goes into the start.
 * @param script file of the engine process
 * @throws SignalboxError `SBX_DB_CONNECTION` when it ends at once
 */
export async function startChild(script: string, start: Start): Promise<Child> {
  // Standard output carries the protocol: the engine gets none of it.
  const child: Child = {
    process: fork(script, [JSON.stringify(start)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      execArgv: ['--no-warnings', '--max-old-space-size=512'],
    }),
    ended: false,
  };
  child.process.once('exit', () => {
    child.ended = true;
  });
  child.process.once('error', () => {
    child.ended = true;
  });
  await new Promise<void>((resolve, reject) => {
    const failed = (): void =>
      reject(
        new SignalboxError('SBX_DB_CONNECTION', 'The database engine could not be started.', {
          why: 'Its process ended before it listened.',
          fix: 'Look at the log of this server; the machine may be out of memory.',
        }),
      );
    child.process.once('exit', failed);
    child.process.once('message', () => {
      child.process.off('exit', failed);
      resolve();
    });
  });
  return child;
}

/** Bytes the process of one database may hold, a file mapped into it aside. */
const MAX_MEMORY_BYTES = 1024 * 1024 * 1024;
const LOOK_EVERY_MS = 50;
const PAGE_BYTES = 4096;

/** Resident bytes of a process where the system tells them (Linux: /proc); 0 elsewhere. */
function memoryOf(pid: number | undefined): number {
  if (process.platform !== 'linux' || pid === undefined) return 0;
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    // It has just ended.
    return 0;
  }
}

let lastId = 0;

/** @throws SignalboxError of the engine, `SBX_DB_DEADLINE`, or the reason of `signal` */
export function askChild(child: Child, question: Omit<Question, 'id'>, timeoutMs: number, signal: AbortSignal | undefined): Promise<Rows> {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const settle = (): void => {
      clearTimeout(timer);
      clearInterval(watch);
      child.process.off('message', hear);
      child.process.off('exit', gone);
      signal?.removeEventListener('abort', cancel);
    };
    const end = (error: unknown): void => {
      settle();
      child.ended = true;
      child.process.kill('SIGKILL');
      reject(error);
    };
    const hear = (reply: Reply): void => {
      if (reply.id !== id) return;
      settle();
      if ('rows' in reply) resolve(reply.rows);
      else {
        const { code, message, why, fix } = reply.error;
        reject(new SignalboxError(code as ErrorCode, message, { why, fix }));
      }
    };
    const gone = (): void =>
      end(
        new SignalboxError('SBX_DB_CONNECTION', 'The database engine ended during the query.', {
          why: 'Its process ended; the query may have used up the memory it may have (512 MB).',
          fix: 'Make the query smaller and try again; the engine is started anew.',
        }),
      );
    const cancel = (): void => end(signal?.reason);
    const timer = setTimeout(
      () =>
        end(
          new SignalboxError('SBX_DB_DEADLINE', `The query was ended after ${timeoutMs} ms.`, {
            why: 'It took longer than "timeoutMs" of the settings allows.',
            fix: 'Narrow it with WHERE or LIMIT, use an index, or raise "timeoutMs".',
          }),
        ),
      timeoutMs,
    );
    // SQLite sorts in memory, outside what JavaScript's own bound sees.
    const watch = setInterval(() => {
      if (memoryOf(child.process.pid) < MAX_MEMORY_BYTES) return;
      end(
        new SignalboxError('SBX_DB_LIMIT', 'The query was ended: it used too much memory.', {
          why: `The engine's process had more than ${MAX_MEMORY_BYTES / 2 ** 20} MiB.`,
          fix: 'Sort or group fewer or smaller values.',
        }),
      );
    }, LOOK_EVERY_MS);
    child.process.on('message', hear);
    child.process.once('exit', gone);
    signal?.addEventListener('abort', cancel);
    child.process.send({ ...question, id }, (error) => {
      if (error !== null) gone();
    });
  });
}
