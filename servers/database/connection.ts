/** One database: its engine process, started when first needed, ended at a deadline and started again for the next question. */
import { type ChildProcess, fork } from 'node:child_process';
import { statSync } from 'node:fs';
import { type ErrorCode, SignalboxError } from '../../daemon/api/errors.ts';
import type { Answer, Question, Rows } from './guard/protocol.ts';

/** A named database. */
export interface Connection {
  /**
   * Runs one reading statement. Questions of one connection run one after the other.
   * @throws SignalboxError `SBX_DB_REFUSED`, `SBX_DB_SQL`, `SBX_DB_DEADLINE`, `SBX_DB_CONNECTION`
   */
  ask(question: Omit<Question, 'id'>, signal?: AbortSignal): Promise<Rows>;
  close(): void;
}

/**
 * @param engine file of the engine process
 * @param file absolute path of the database
 * @param timeoutMs milliseconds a question may take
 */
export function openConnection(engine: string, file: string, timeoutMs: number): Connection {
  let child: ChildProcess | undefined;
  let lastId = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const start = (): ChildProcess => {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      throw new SignalboxError('SBX_DB_CONNECTION', `There is no database at ${file}.`, {
        why: 'The file does not exist or is not an ordinary file; a read-only connection creates none.',
        fix: 'Correct the address in "connections" of this server\'s settings.',
      });
    }
    // Standard output carries the protocol: the engine gets none of it.
    const started = fork(engine, [file], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      execArgv: ['--no-warnings'],
    });
    started.once('exit', () => {
      if (child === started) child = undefined;
    });
    return started;
  };

  const run = (question: Question, signal: AbortSignal | undefined): Promise<Rows> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      child ??= start();
      const engineProcess = child;
      const settle = (): void => {
        clearTimeout(timer);
        engineProcess.off('message', hear);
        engineProcess.off('exit', gone);
        signal?.removeEventListener('abort', cancel);
      };
      const end = (error: unknown): void => {
        settle();
        if (child === engineProcess) child = undefined;
        engineProcess.kill('SIGKILL');
        reject(error);
      };
      const hear = (answer: Answer): void => {
        if (answer.id !== question.id) return;
        settle();
        if ('rows' in answer) resolve(answer.rows);
        else {
          const { code, message, why, fix } = answer.error;
          reject(new SignalboxError(code as ErrorCode, message, { why, fix }));
        }
      };
      const gone = (): void => {
        end(
          new SignalboxError('SBX_DB_SQL', 'The database engine ended during the query.', {
            why: 'Its process ended; the query may have used up the memory.',
            fix: 'Make the query smaller and try again.',
          }),
        );
      };
      const cancel = (): void => end(signal?.reason);
      const timer = setTimeout(() => {
        end(
          new SignalboxError('SBX_DB_DEADLINE', `The query was ended after ${timeoutMs} ms.`, {
            why: 'It took longer than "timeoutMs" of the settings allows.',
            fix: 'Narrow it with WHERE or LIMIT, use an index, or raise "timeoutMs".',
          }),
        );
      }, timeoutMs);
      engineProcess.on('message', hear);
      engineProcess.once('exit', gone);
      signal?.addEventListener('abort', cancel);
      engineProcess.send(question);
    });

  return {
    ask: (question, signal) => {
      const answer = queue.then(() => run({ ...question, id: ++lastId }, signal));
      // The next question waits for this one, whether it succeeds or not.
      queue = answer.catch(() => undefined);
      return answer;
    },
    close: () => child?.kill('SIGKILL'),
  };
}
