/** One case after another on real connections: the kept one, fresh ones, liveness after each. */
import type { TraceLine } from '../../api/conformance.ts';
import { SpareProcesses } from '../transports/spare.ts';
import type { WireListener } from '../transports/wire.ts';
import { Patience, type SessionOptions } from './exchange.ts';
import type { Violation } from './judge.ts';
import type { Property, Trial } from './property.ts';
import { Session } from './session.ts';
import type { Subject } from './subject.ts';

/** Longest a case may take, in milliseconds; only a net, requests have their own limits. */
const CASE_MS = 60_000;

/** Milliseconds a server has to end by itself once nothing more is asked of it. */
const HURRY_MS = 500;

/** What one case (or several on one connection) broke, and the whole trace. */
export interface TrialOutcome {
  readonly violations: readonly Violation[];
  readonly trace: readonly TraceLine[];
}

/** Runs cases and counts them. */
export class Trials {
  /** Times each requirement was looked at. */
  readonly exercised = new Map<string, number>();
  cases = 0;
  readonly #subject: Subject;
  readonly #before: ((moment: 'property' | 'case') => Promise<void>) | undefined;
  /** Connections on their way out; nobody waits for them but the end of the run. */
  readonly #leaving = new Map<Session, Promise<unknown>>();
  readonly #spares: SpareProcesses | undefined;
  readonly #patience = new Patience();
  #shared: Session | undefined;

  /** @param before called before each case: the reset hook */
  constructor(subject: Subject, before?: (moment: 'property' | 'case') => Promise<void>) {
    this.#subject = subject;
    this.#before = before;
    // a reset between cases must come before the start of a process
    this.#spares = subject.target.kind === 'stdio' && before === undefined ? new SpareProcesses(subject.target) : undefined;
  }

  /** Ends every connection and what it started. */
  async close(): Promise<void> {
    if (this.#shared !== undefined) this.#leave(this.#shared);
    this.#shared = undefined;
    // closed a second time: those that still wait for something have little time left
    const hurried = [...this.#leaving.keys()].map((session) => session.close(HURRY_MS));
    await Promise.all([this.#spares?.close(), ...hurried, ...this.#leaving.values()]);
  }

  /** A connection of the search, which learns not to wait for what never comes. */
  async #openImpatient(more: Partial<SessionOptions> = {}): Promise<Session> {
    return this.#open({ ...more, patience: this.#patience });
  }

  /** A connection, with a process that may have started already. */
  async #open(more: Partial<SessionOptions> = {}): Promise<Session> {
    const spares = this.#spares;
    const process = spares === undefined ? {} : { process: (listener: WireListener) => spares.take(listener) };
    return Session.open({ ...this.#subject.options(this.exercised), ...process, ...more });
  }

  /** Closes without waiting: what a server does after its last case is no part of it. */
  #leave(session: Session): void {
    this.#leaving.set(
      session,
      session.close().finally(() => this.#leaving.delete(session)),
    );
  }

  /** One case on the kept connection (or a fresh one), with liveness after it. */
  async evaluate(property: Property, input: unknown): Promise<TrialOutcome> {
    this.cases++;
    if (property.fresh === true) return this.#alone(property, input, await this.#openImpatient(property.connection));
    if (this.#shared === undefined || this.#shared.ended !== undefined) {
      if (this.#shared !== undefined) this.#leave(this.#shared);
      this.#shared = await this.#openImpatient();
    }
    const session = this.#shared;
    const outcome = await this.#trial(property, input, session);
    session.judge.violations = [];
    return outcome;
  }

  /** One case on a fresh connection, which is closed afterwards; every request has its whole time. */
  async once(property: Property, input: unknown): Promise<TrialOutcome> {
    return this.#alone(property, input, await this.#open(property.connection));
  }

  async #alone(property: Property, input: unknown, session: Session): Promise<TrialOutcome> {
    try {
      return await this.#trial(property, input, session);
    } finally {
      this.#leave(session);
    }
  }

  /** Several cases on one fresh connection, as `once`. */
  async sequence(property: Property, inputs: readonly unknown[]): Promise<TrialOutcome> {
    const session = await this.#open(property.connection);
    const violations: Violation[] = [];
    try {
      for (const input of inputs) {
        if (session.ended !== undefined) break;
        violations.push(...(await this.#trial(property, input, session)).violations);
      }
      return { violations, trace: session.transcript.lines };
    } finally {
      this.#leave(session);
    }
  }

  async #trial(property: Property, input: unknown, session: Session): Promise<TrialOutcome> {
    await this.#before?.('case');
    const opened: Session[] = [];
    const trial: Trial = {
      subject: this.#subject,
      session,
      open: async (options: Partial<SessionOptions> = {}) => {
        const made = await this.#open(options);
        opened.push(made);
        return made;
      },
    };
    session.begin();
    let timer: NodeJS.Timeout | undefined;
    const net = new Promise<'late'>((done) => {
      timer = setTimeout(() => done('late'), CASE_MS);
    });
    try {
      const first = await Promise.race([property.run(trial, input), net]);
      if (first === 'late') session.judge.check('ROB-LATENCY', false, `a case ends within ${CASE_MS} ms`, 'it did not');
      else if (session.ended === undefined) await session.barrier(property.phase === 'malformed' ? 'malformed' : 'request');
      else if (!session.ended.includes('tester')) session.judge.check('ROB-NO-CRASH', false, 'the server lives', session.ended);
    } finally {
      clearTimeout(timer);
      for (const other of opened) this.#leave(other);
    }
    const violations = [session, ...opened].flatMap(({ judge }) => judge.violations);
    return { violations, trace: [session, ...opened].flatMap(({ transcript }) => transcript.lines) };
  }
}
