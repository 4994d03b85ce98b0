/** The search threads: made at the first search, kept for the next, ended with the server or when one does not listen. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, SignalboxError } from '../../../daemon/api/errors.ts';
import type { Handover } from '../guard/area.ts';
import type { Job, Report } from '../search-worker.ts';

/** A query without what the pool adds. */
export type Query = { [Kind in Job['kind']]: Pick<Extract<Job, { kind: Kind }>, 'kind' | 'query'> }[Job['kind']];

/** The threads of one server. */
export interface SearchPool {
  /**
   * Runs a query on every thread, each with its share.
   * @throws SignalboxError what a thread threw; the reason of the signal when it is aborted
   */
  run(query: Query, options: { readonly signal: AbortSignal; progress(files: number): void }): Promise<unknown[]>;
  /** Ends idle threads: the next search gets new ones, with the area as it is then. */
  renew(): void;
  close(): Promise<void>;
}

const MAX_THREADS = 4;
/** A thread that has been told to end and does not is ended. */
const GRACE_MS = 2000;
/** No search may take longer: the SDK's clients wait 60 s. */
const LIMIT_MS = 45_000;

/** @param script the file of the thread; @param handover the roots it opens again */
export function searchPool(script: URL, handover: () => Handover): SearchPool {
  let workers: Worker[] = [];
  let next = 0;
  const size = Math.max(1, Math.min(MAX_THREADS, availableParallelism()));
  const threads = (): Worker[] => {
    while (workers.length < size) {
      const worker = new Worker(script, { workerData: handover(), execArgv: ['--disable-warning=ExperimentalWarning'] });
      worker.unref();
      worker.setMaxListeners(0);
      worker.once('exit', () => (workers = workers.filter((other) => other !== worker)));
      workers.push(worker);
    }
    return workers;
  };
  const runOnce: SearchPool['run'] = async (query, { signal, progress }) => {
    const id = ++next;
    const cancel = new SharedArrayBuffer(4);
    const used = threads();
    const counts = used.map(() => 0);
    const stop = (): void => void Atomics.store(new Int32Array(cancel), 0, 1);
    let kill: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      stop();
      kill ??= setTimeout(() => void Promise.all(used.map((worker) => worker.terminate())), GRACE_MS);
    };
    let overdue = false;
    const limit = setTimeout(() => {
      overdue = true;
      onAbort();
    }, LIMIT_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const results = await Promise.all(
        used.map((worker, part) =>
          ask(worker, { ...query, id, part, parts: used.length, cancel }, (files) => {
            counts[part] = files;
            progress(counts.reduce((sum, count) => sum + count, 0));
          }),
        ),
      );
      signal.throwIfAborted();
      return results;
    } catch (thrown) {
      if (overdue && thrown instanceof Interrupted) throw ended(`It took longer than ${LIMIT_MS / 1000} seconds.`);
      throw thrown;
    } finally {
      stop();
      clearTimeout(limit);
      clearTimeout(kill);
      signal.removeEventListener('abort', onAbort);
    }
  };
  return {
    run: async (query, options) => {
      const again = async (thrown: unknown): Promise<unknown[]> => {
        if (!(thrown instanceof Interrupted)) throw thrown;
        options.signal.throwIfAborted();
        // The threads were ended for the sake of another search, which had been cancelled.
        return runOnce(query, options);
      };
      return runOnce(query, options)
        .catch(again)
        .catch((thrown: unknown) => {
          throw thrown instanceof Interrupted ? ended(thrown.message) : thrown;
        });
    },
    renew: () => {
      const old = workers;
      workers = [];
      for (const worker of old) void worker.terminate();
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** A thread has gone before it answered. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

function ask(worker: Worker, job: Job, progress: (files: number) => void): Promise<unknown> {
  return new Promise((done, failed) => {
    const end = (finish: () => void): void => {
      worker.off('message', onMessage);
      worker.off('exit', onExit);
      worker.off('error', onError);
      finish();
    };
    const onMessage = (report: Report): void => {
      if (report.id !== job.id) return;
      if ('progress' in report) progress(report.progress);
      else if ('result' in report) end(() => done(report.result));
      else end(() => failed(errorOf(report.error)));
    };
    const onExit = (): void => end(() => failed(new Interrupted('The search thread was ended.')));
    const onError = (error: Error): void => end(() => failed(ended(error.message)));
    worker.on('message', onMessage);
    worker.on('exit', onExit);
    worker.on('error', onError);
    worker.postMessage(job);
  });
}

function errorOf(error: Extract<Report, { error: unknown }>['error']): Error {
  if (error.code === undefined) return new Error(error.message);
  return new SignalboxError(error.code as ErrorCode, error.message, { why: error.why ?? '', fix: error.fix ?? '' });
}

function ended(why: string): SignalboxError {
  return new SignalboxError('SBX_FS_PATTERN', 'The search was ended.', { why, fix: 'Search a smaller folder, or with a simpler pattern.' });
}
