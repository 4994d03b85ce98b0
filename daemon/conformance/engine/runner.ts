/** Runs properties against a server: phases, budgets in cases, shrinking over real connections, confirmation, liveness. */
import fc from 'fast-check';
import type { ConformEvent, Finding, TraceLine } from '../../api/conformance.ts';
import { requirementOf } from '../requirements.ts';
import type { SessionOptions } from './exchange.ts';
import { findingOf } from './finding.ts';
import type { Violation } from './judge.ts';
import { PHASES, type Property, type Trial } from './property.ts';
import { Session } from './session.ts';
import type { Subject } from './subject.ts';

/** Settings of a run against one subject. */
export interface RunOptions {
  readonly seed: number;
  /** Generated cases for each property. */
  readonly runs: number;
  readonly signal: AbortSignal;
  readonly emit: (event: ConformEvent) => void;
}

/** What a run against one subject found out. */
export interface SubjectReport {
  readonly findings: readonly Finding[];
  /** Times each requirement was looked at. */
  readonly exercised: ReadonlyMap<string, number>;
  readonly cases: number;
  /** Why properties did not run: name and reason. */
  readonly skipped: readonly { readonly property: string; readonly stems: readonly string[]; readonly reason: string }[];
}

/** Cases a shrink may cost. */
const SHRINKS = 80;
/** Findings of one property after which it is given up. */
const FINDINGS_PER_PROPERTY = 12;
/** Longest a case may take, in milliseconds; only a net, requests have their own limits. */
const CASE_MS = 60_000;

/** Runs every property that applies. */
export async function runProperties(subject: Subject, properties: readonly Property[], options: RunOptions): Promise<SubjectReport> {
  const run = new Run(subject, options);
  const skipped: SubjectReport['skipped'][number][] = [];
  const ordered = PHASES.flatMap((phase) => properties.filter((property) => property.phase === phase));
  try {
    for (const [index, property] of ordered.entries()) {
      const reason = options.signal.aborted ? 'the run was ended before' : reasonToSkip(subject, property);
      if (reason !== undefined) skipped.push({ property: property.name, stems: property.stems, reason });
      else await run.property(property);
      options.emit({
        type: 'progress',
        done: index + 1,
        total: ordered.length,
        property: property.name,
        era: subject.era,
        cases: run.cases,
      });
    }
  } finally {
    await run.close();
  }
  return { findings: run.findings, exercised: run.exercised, cases: run.cases, skipped };
}

function reasonToSkip(subject: Subject, property: Property): string | undefined {
  if (property.eras !== undefined && !property.eras.includes(subject.era)) return `it is about the ${property.eras.join(', ')} era`;
  if (property.transports !== undefined && !property.transports.includes(subject.transport))
    return `it is about ${property.transports.join(', ')}`;
  if (!property.stems.some((stem) => requirementOf(stem, subject.era) !== undefined)) return 'this revision has no such rule';
  return property.skip?.(subject);
}

/**
 * Runs one stored case on a fresh connection, with what must go before it.
 * @returns what it broke, and the whole trace
 */
export async function runCase(
  subject: Subject,
  property: Property,
  input: unknown,
  history: readonly unknown[],
): Promise<{ readonly violations: readonly Violation[]; readonly trace: readonly TraceLine[] }> {
  const run = new Run(subject, { seed: 0, runs: 0, signal: new AbortController().signal, emit: () => {} });
  try {
    return history.length === 0 ? await run.once(property, input) : await run.sequence(property, [...history, input]);
  } finally {
    await run.close();
  }
}

class Run {
  readonly findings: Finding[] = [];
  readonly exercised = new Map<string, number>();
  cases = 0;
  readonly #subject: Subject;
  readonly #options: RunOptions;
  readonly #known = new Set<string>();
  #shared: Session | undefined;

  constructor(subject: Subject, options: RunOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  async close(): Promise<void> {
    await this.#shared?.close();
    this.#shared = undefined;
  }

  /** Runs a property until nothing new is found: each round looks for one requirement that is not known to be broken yet. */
  async property(property: Property): Promise<void> {
    const { boundaries = [], arbitrary } = property.cases(this.#subject);
    const history: unknown[] = [];
    let broken = 0;
    for (const input of boundaries) {
      if (this.#options.signal.aborted) return;
      history.push(input);
      for (const violation of this.#news((await this.#evaluate(property, input)).violations)) {
        await this.#found(property, violation, input, history, 0, undefined);
        if (++broken >= FINDINGS_PER_PROPERTY) return;
      }
    }
    if (arbitrary === undefined) return;
    while (broken < FINDINGS_PER_PROPERTY && !this.#options.signal.aborted) {
      const found = await this.#fuzz(property, arbitrary, history);
      if (found === undefined) return;
      await this.#found(property, found.violation, found.input, history, found.shrinks, found.path);
      broken++;
    }
  }

  #news(violations: readonly Violation[]): readonly Violation[] {
    const fresh = new Map<string, Violation>();
    for (const violation of violations) if (!this.#known.has(violation.id) && !fresh.has(violation.id)) fresh.set(violation.id, violation);
    return [...fresh.values()];
  }

  async #fuzz(
    property: Property,
    arbitrary: fc.Arbitrary<unknown>,
    history: unknown[],
  ): Promise<{ violation: Violation; input: unknown; shrinks: number; path: string } | undefined> {
    let focus: Violation | undefined;
    let smallest: unknown;
    let shrinks = 0;
    const predicate = fc.asyncProperty(arbitrary, async (input: unknown) => {
      // out of budget: everything counts as good, which ends the shrinking where it is
      if (focus !== undefined && ++shrinks > SHRINKS) return;
      if (focus === undefined) history.push(input);
      const { violations } = await this.#evaluate(property, input);
      const hit = focus === undefined ? this.#news(violations)[0] : violations.find(({ id }) => id === focus?.id);
      if (hit === undefined) return;
      focus = hit;
      smallest = input;
      throw new Error(hit.id);
    });
    const outcome = await fc.check(predicate, { seed: this.#options.seed, numRuns: this.#options.runs, endOnFailure: false });
    if (focus === undefined) return undefined;
    return { violation: focus, input: smallest, shrinks, path: outcome.counterexamplePath ?? '' };
  }

  /** One case on the kept connection (or a fresh one), with liveness after it. */
  async #evaluate(property: Property, input: unknown): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    this.cases++;
    if (property.fresh === true) return this.once(property, input);
    if (this.#shared === undefined || this.#shared.ended !== undefined) {
      await this.#shared?.close(500);
      this.#shared = await Session.open(this.#subject.options(this.exercised));
    }
    const session = this.#shared;
    const outcome = await this.#trial(property, input, session);
    session.judge.violations = [];
    return outcome;
  }

  /** One case on a fresh connection, which is closed afterwards. */
  async once(property: Property, input: unknown): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    const session = await Session.open({ ...this.#subject.options(this.exercised), ...property.connection });
    try {
      return await this.#trial(property, input, session);
    } finally {
      await session.close();
    }
  }

  /** Several cases on one fresh connection. */
  async sequence(
    property: Property,
    inputs: readonly unknown[],
  ): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    const session = await Session.open({ ...this.#subject.options(this.exercised), ...property.connection });
    const violations: Violation[] = [];
    try {
      for (const input of inputs) {
        if (session.ended !== undefined) break;
        violations.push(...(await this.#trial(property, input, session)).violations);
      }
      return { violations, trace: session.trace };
    } finally {
      await session.close();
    }
  }

  async #trial(
    property: Property,
    input: unknown,
    session: Session,
  ): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    const opened: Session[] = [];
    const trial: Trial = {
      subject: this.#subject,
      session,
      open: async (options: Partial<SessionOptions> = {}) => {
        const made = await Session.open({ ...this.#subject.options(this.exercised), ...options });
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
      for (const other of opened) await other.close();
    }
    const violations = [session, ...opened].flatMap(({ judge }) => judge.violations);
    return { violations, trace: [session, ...opened].flatMap(({ trace }) => trace) };
  }

  /** Confirms twice on fresh connections; if that fails, once more with everything the property sent before. */
  async #found(
    property: Property,
    violation: Violation,
    input: unknown,
    history: readonly unknown[],
    shrinks: number,
    path: string | undefined,
  ): Promise<void> {
    this.#known.add(violation.id);
    let confirmed = 0;
    let trace: readonly TraceLine[] = [];
    let seen = violation;
    for (let round = 0; round < 2; round++) {
      const again = await this.once(property, input);
      const hit = again.violations.find(({ id }) => id === violation.id);
      if (hit !== undefined) {
        confirmed++;
        seen = hit;
      }
      if (hit !== undefined || trace.length === 0) trace = again.trace;
    }
    let needs: readonly unknown[] | undefined;
    if (confirmed === 0) {
      const again = await this.sequence(property, history);
      if (again.violations.some(({ id }) => id === violation.id)) {
        needs = history;
        trace = again.trace;
      }
    }
    const flaky = confirmed < 2 && needs === undefined;
    const finding = findingOf(this.#subject, property, seen, {
      input,
      flaky,
      history: needs,
      seed: this.#options.seed,
      path,
      shrinks,
      trace,
    });
    this.findings.push(finding);
    this.#options.emit({ type: 'finding', finding });
  }
}
