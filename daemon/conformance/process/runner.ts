/** The runner as seen by whoever starts it, the daemon or the command line: a child process, its events and its end. */
import type { Readable, Writable } from 'node:stream';
import { SignalboxError } from '../../api/errors.ts';
import { readLines } from '../../protocol/lines.ts';
import type { Job, JobEvent, Order } from './job.ts';

/** The part of a child process the runner needs; a child of the lifecycle's registry has it. */
export interface RunnerChild {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Ends it and everything it started. */
  end(): Promise<void>;
}

/** A runner at work. */
export interface Runner {
  /** Settles when the process and all it started have ended. Rejects when it ended without its last event. */
  readonly done: Promise<void>;
  /** Sends an order; one to a runner that has ended is lost. */
  tell(order: Order): void;
  /** Asks it to end, and ends it when it does not. */
  cancel(): void;
}

/** Milliseconds a cancelled run has for the case under way and the ends of its servers. */
const GRACE_MS = 6000;
/** Characters of its standard error that are kept for the error of a runner that died. */
const WORDS_KEPT = 2000;
const LAST: ReadonlySet<JobEvent['type']> = new Set(['end', 'failed', 'properties', 'replayed']);

/**
 * Gives a started runner its job and reads what it says.
 * @param hear called for each event, in order; the last is `end`, `failed`, `properties` or `replayed`
 */
export function direct(child: RunnerChild, job: Job, hear: (event: JobEvent) => void): Runner {
  let over = false;
  let cancelled = false;
  let words = '';
  const say = (line: Job | Order): void => void (child.stdin.writable && child.stdin.write(`${JSON.stringify(line)}\n`));
  child.stdin.on('error', () => {}); // it ended: `exited` says so
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-WORDS_KEPT);
  });
  let broke: { readonly error: unknown } | undefined;
  const { closed: read } = readLines(child.stdout, (line) => {
    if (over) return;
    try {
      const event = JSON.parse(line) as JobEvent;
      over = LAST.has(event.type);
      hear(event);
    } catch (error) {
      // a full disk under the cases, a library that prints: it belongs to this run and to nobody else
      broke = { error };
      over = true;
      void child.end();
    }
  });
  say(job);
  const finish = async (): Promise<void> => {
    const [{ code, signal }] = await Promise.all([child.exited, read]);
    // whatever its servers left behind ends with its group
    await child.end();
    if (broke !== undefined) throw broke.error;
    if (over) return;
    throw new SignalboxError(
      'SBX_CONFORM_RUNNER',
      cancelled ? 'The conformance run was ended.' : 'The conformance run ended before its report.',
      {
        why: cancelled
          ? 'It was cancelled, and the case under way did not end in time.'
          : `Its process ended with ${signal ?? `exit code ${code}`}. ${words.trim() === '' ? 'It said nothing on stderr.' : `Its last words: ${words.trim()}`}`,
        fix: cancelled ? 'Run it again.' : 'Run it again; if it stays, report it with the seed and the server.',
      },
    );
  };
  return {
    done: finish(),
    tell: say,
    cancel() {
      if (cancelled) return;
      cancelled = true;
      say({ order: 'cancel' });
      const late = setTimeout(() => void child.end(), GRACE_MS);
      void child.exited.then(() => clearTimeout(late));
    },
  };
}
