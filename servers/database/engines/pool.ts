/** A bounded pool of connections with a bounded queue, for the engines with a server. */
import { SignalboxError } from '../../../daemon/api/errors.ts';

/** How a pool makes and ends its connections. */
export interface Source<Link> {
  /** Opens one. Any error is passed on; the next attempts wait longer (back-off). */
  open(): Promise<Link>;
  end(link: Link): void;
  /** Whether a link can be used again. */
  alive(link: Link): boolean;
}
/** What {@link makePool} gives. */
export interface Pool<Link> {
  /**
   * Runs `job` with a link of its own. `job` says whether the link may be used again.
   * @throws SignalboxError `SBX_DB_BUSY` when the queue is full
   */
  use<Result>(job: (link: Link) => Promise<Result>, signal?: AbortSignal): Promise<Result>;
  readonly size: number;
  close(): void;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;
const IDLE_MS = 60_000;

/**
 * @param name of the database, for messages
 * @param limit links open at once
 * @param queue jobs that may wait
 */
export function makePool<Link>(name: string, source: Source<Link>, limit: number, queue: number): Pool<Link> {
  const idle: { link: Link; timer: NodeJS.Timeout }[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;
  let failures = 0;
  let notBefore = 0;
  let closed = false;

  const take = async (): Promise<Link> => {
    for (let entry = idle.pop(); entry !== undefined; entry = idle.pop()) {
      clearTimeout(entry.timer);
      if (source.alive(entry.link)) return entry.link;
      source.end(entry.link);
    }
    const wait = notBefore - Date.now();
    if (wait > 0) {
      throw new SignalboxError('SBX_DB_CONNECTION', `The database "${name}" cannot be reached.`, {
        why: `The last ${failures} attempts failed; the next one is made in ${Math.ceil(wait / 1000)} s.`,
        fix: 'Check that the server runs and that the address in the settings is right, then try again.',
      });
    }
    try {
      const link = await source.open();
      failures = 0;
      return link;
    } catch (thrown) {
      failures++;
      // The first failure may be a server that just restarted: the next call tries at once.
      notBefore = failures < 2 ? 0 : Date.now() + Math.min(FIRST_DELAY_MS * 2 ** (failures - 2), LONGEST_DELAY_MS);
      throw thrown;
    }
  };
  const give = (link: Link): void => {
    if (closed || !source.alive(link)) {
      source.end(link);
      return;
    }
    const timer = setTimeout(() => {
      const at = idle.findIndex((entry) => entry.link === link);
      if (at >= 0) idle.splice(at, 1);
      source.end(link);
    }, IDLE_MS);
    timer.unref();
    idle.push({ link, timer });
  };

  return {
    use: async (job, signal) => {
      signal?.throwIfAborted();
      if (busy >= limit) {
        if (waiting.length >= queue) {
          throw new SignalboxError('SBX_DB_BUSY', `The database "${name}" is busy.`, {
            why: `${limit} statements run and ${waiting.length} wait.`,
            fix: 'Wait for them, or raise "concurrency" or "queue" of the connection.',
          });
        }
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else busy++;
      // From here the place is ours: a waiting job was handed the place of the one that ended.
      const next = (): void => {
        const waiter = waiting.shift();
        if (waiter === undefined) busy--;
        else waiter();
      };
      try {
        signal?.throwIfAborted();
        const link = await take();
        try {
          return await job(link);
        } finally {
          give(link);
        }
      } finally {
        next();
      }
    },
    get size() {
      return idle.length + busy;
    },
    close: () => {
      closed = true;
      for (const { link, timer } of idle.splice(0)) {
        clearTimeout(timer);
        source.end(link);
      }
    },
  };
}
