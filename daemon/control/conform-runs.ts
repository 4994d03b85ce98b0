/** The conformance runs of the daemon: a runner process for each, its events to the connection that began it, its report kept. */
import { randomUUID } from 'node:crypto';
import { addFinding, type ConformEvent, type Finding, type Summary } from '../api/conformance.ts';
import { errorShape, SignalboxError } from '../api/errors.ts';
import type { Job, JobEvent } from '../conformance/process/job.ts';
import { direct, type Runner } from '../conformance/process/runner.ts';
import type { ControlPeer } from '../endpoints/control-server.ts';
import type { ManagedChild } from '../lifecycle/children.ts';

/** What runs need of the daemon. */
export interface RunParts {
  /** Starts a runner process, recorded with the daemon's other children. */
  readonly spawn: () => Promise<ManagedChild>;
  /** Keeps the daemon from stopping for idleness until it is called. */
  readonly hold: () => () => void;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** A run that has ended. */
export interface Ended {
  readonly summary: Summary;
  readonly findings: readonly Finding[];
}

/** Reports kept. */
const KEPT = 20;

/** The runs that go on and the reports of the last ones. */
export class ConformRuns {
  readonly #parts: RunParts;
  readonly #running = new Map<string, { cancelled: boolean; runner?: Runner }>();
  readonly #reports = new Map<string, Ended>();

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /**
   * Begins a run. It ends with the connection it was begun on.
   * @param about added to each finding before anybody hears of it
   * @param store called with each finding, redacted
   * @returns its id
   */
  begin(job: Job, peer: ControlPeer, about: Partial<Finding>, store: (finding: Finding) => void): string {
    const run = randomUUID();
    const findings: Finding[] = [];
    this.#running.set(run, { cancelled: false });
    // after the answer that names the run
    setImmediate(() => {
      void this.#work(job, run, peer, (event) => {
        if (event.type === 'properties' || event.type === 'replayed') return;
        const clean = this.#clean(event);
        const told = clean.type === 'finding' ? { ...clean, finding: { ...clean.finding, ...about } } : clean;
        if (told.type === 'finding') {
          addFinding(findings, told.finding);
          store(told.finding);
        }
        if (told.type === 'end') this.#keep(run, { summary: told.summary, findings });
        tell(peer, run, told);
      }).catch((error: unknown) => tell(peer, run, { type: 'failed', error: this.#clean(errorShape(error)) }));
    });
    return run;
  }

  /**
   * Does a job that answers with one event.
   * @returns that event, redacted
   * @throws what the job failed with
   */
  async ask(job: Job, peer: ControlPeer): Promise<JobEvent> {
    let last: JobEvent | undefined;
    await this.#work(job, randomUUID(), peer, (event) => {
      last = this.#clean(event);
    });
    if (last === undefined) throw new Error('the runner ended without a word');
    return last;
  }

  /** Ends a run after the case under way. */
  cancel(run: string): void {
    const state = this.#state(run);
    state.cancelled = true;
    state.runner?.cancel();
  }

  /** Answers a list of tools of a run. */
  answer(run: string, call: boolean): void {
    this.#state(run).runner?.tell({ order: 'tools', call });
  }

  /**
   * The report of a run that has ended.
   * @throws SBX_CONFORM_RUN
   */
  report(run: string): Ended {
    const found = this.#reports.get(run);
    if (found !== undefined) return found;
    throw unknownRun(run, this.#running.has(run) ? 'It goes on.' : 'It never began here, it failed, or it ended long ago.');
  }

  #state(run: string): { cancelled: boolean; runner?: Runner } {
    const state = this.#running.get(run);
    if (state === undefined) throw unknownRun(run, 'It has ended or never began here.');
    return state;
  }

  async #work(job: Job, run: string, peer: ControlPeer, hear: (event: JobEvent) => void): Promise<void> {
    const release = this.#parts.hold();
    const state = this.#running.get(run) ?? { cancelled: false };
    try {
      const runner = direct(await this.#parts.spawn(), job, hear);
      state.runner = runner;
      const cancel = (): void => runner.cancel();
      if (peer.gone.aborted || state.cancelled) cancel();
      peer.gone.addEventListener('abort', cancel);
      try {
        await runner.done;
      } finally {
        peer.gone.removeEventListener('abort', cancel);
      }
    } finally {
      this.#running.delete(run);
      release();
    }
  }

  #keep(run: string, ended: Ended): void {
    this.#reports.set(run, ended);
    for (const old of [...this.#reports.keys()].slice(0, -KEPT)) this.#reports.delete(old);
  }

  /** The same without secrets, in every text of it. */
  #clean<T>(value: T): T {
    const { redact } = this.#parts;
    const clean = (part: unknown): unknown =>
      typeof part === 'string'
        ? redact(part)
        : Array.isArray(part)
          ? part.map(clean)
          : typeof part === 'object' && part !== null
            ? Object.fromEntries(Object.entries(part).map(([key, item]) => [key, clean(item)]))
            : part;
    return clean(value) as T;
  }
}

function tell(peer: ControlPeer, run: string, event: ConformEvent | (JobEvent & { type: 'failed' })): void {
  // nobody is left to hear it
  if (!peer.gone.aborted) peer.notify('conform', { run, event });
}

function unknownRun(run: string, why: string): SignalboxError {
  return new SignalboxError('SBX_CONFORM_RUN', `There is no report of the conformance run ${run}.`, {
    why,
    fix: 'Wait for its `end` event, or run the tests again.',
  });
}
