/** Runs properties against a server: phases, budgets in cases, shrinking over real connections, confirmation, liveness. */
import fc from 'fast-check';
import type { ConformEvent, Finding, TraceLine } from '../../api/conformance.ts';
import { requirementOf } from '../requirements.ts';
import { SpareProcess } from '../transports/spare.ts';
import type { WireListener } from '../transports/wire.ts';
import type { SessionOptions } from './exchange.ts';
import { findingOf } from './finding.ts';
import { RANK, type Violation, worst } from './judge.ts';
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
  /** Names of the properties that run before the others. */
  readonly first?: ReadonlySet<string>;
  /** Called before each property and each case: the reset hook. */
  readonly before?: (moment: 'property' | 'case') => Promise<void>;
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
const SHRINKS = 150;
/** Findings of one property after which it is given up. */
const FINDINGS_PER_PROPERTY = 12;
/** Times a requirement may be reported without showing again before it is left alone. */
const FLAKY_KEPT = 2;
/** Inputs kept that went before on the same connection. */
const HISTORY = 60;
/** Longest a case may take, in milliseconds; only a net, requests have their own limits. */
const CASE_MS = 60_000;

/** Runs every property that applies. */
export async function runProperties(subject: Subject, properties: readonly Property[], options: RunOptions): Promise<SubjectReport> {
  const run = new Run(subject, options);
  const skipped: SubjectReport['skipped'][number][] = [];
  const phased = PHASES.flatMap((phase) => properties.filter((property) => property.phase === phase));
  const early = phased.filter(({ name }) => options.first?.has(name));
  const ordered = [...early, ...phased.filter((property) => !early.includes(property))];
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

/** What a case costs of the budget for shrinking: one that waits for an answer that does not come costs more than one. */
function cost(began: number): number {
  return Math.max(1, Math.round((performance.now() - began) / 250));
}

class Run {
  readonly findings: Finding[] = [];
  readonly exercised = new Map<string, number>();
  cases = 0;
  readonly #subject: Subject;
  readonly #options: RunOptions;
  /** The worst finding of each requirement, and how often it did not show again. */
  readonly #known = new Map<string, { readonly rank: number; readonly flaky: number }>();
  /** Connections on their way out; nobody waits for them but the end of the run. */
  readonly #closing = new Set<Promise<unknown>>();
  readonly #spare: SpareProcess | undefined;
  #shared: Session | undefined;

  constructor(subject: Subject, options: RunOptions) {
    this.#subject = subject;
    this.#options = options;
    // a reset between cases must come before the start of a process
    this.#spare = subject.target.kind === 'stdio' && options.before === undefined ? new SpareProcess(subject.target) : undefined;
  }

  async close(): Promise<void> {
    await this.#shared?.close();
    this.#shared = undefined;
    await Promise.all([this.#spare?.close(), ...this.#closing]);
  }

  /** A connection, with a process that may have started already. */
  async #open(more: Partial<SessionOptions> = {}): Promise<Session> {
    const spare = this.#spare;
    const process = spare === undefined ? {} : { process: (listener: WireListener) => spare.take(listener) };
    return Session.open({ ...this.#subject.options(this.exercised), ...process, ...more });
  }

  /** Closes without waiting: what a server does after its last case is no part of it. */
  #leave(session: Session): void {
    const closing: Promise<unknown> = session.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Runs a property until nothing new is found: each round looks for one requirement that is not known to be broken yet. */
  async property(property: Property): Promise<void> {
    await this.#options.before?.('property');
    const { boundaries = [], arbitrary } = property.cases(this.#subject);
    const history: unknown[] = [];
    let broken = 0;
    for (const input of boundaries) {
      if (this.#options.signal.aborted) return;
      history.push(input);
      for (const violation of this.#news((await this.#evaluate(property, input)).violations)) {
        const { smallest, shrinks } = await this.#shrink(property, violation, input);
        await this.#found(property, violation, smallest, history, shrinks, undefined);
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
    for (const violation of violations) {
      const { id } = violation;
      const [known, seen] = [this.#known.get(id), fresh.get(id)];
      const rank = RANK[violation.severity];
      // a worse way to break a rule is news, and so is one that did not show again, up to a point
      if (known !== undefined && (known.flaky === 0 || known.flaky >= FLAKY_KEPT ? rank <= known.rank : false)) continue;
      if (seen === undefined || rank > RANK[seen.severity]) fresh.set(id, violation);
    }
    return [...fresh.values()];
  }

  async #fuzz(
    property: Property,
    arbitrary: fc.Arbitrary<unknown>,
    history: unknown[],
  ): Promise<{ violation: Violation; input: unknown; shrinks: number; path: string } | undefined> {
    let focus: Violation | undefined;
    let smallest: unknown;
    let [shrinks, spent] = [0, 0];
    const predicate = fc.asyncProperty(arbitrary, async (input: unknown) => {
      if (this.#options.signal.aborted) return;
      // out of budget: everything counts as good, which ends the shrinking where it is
      if (focus !== undefined && (++shrinks > SHRINKS || spent > SHRINKS)) return;
      if (focus === undefined) history.push(input);
      const began = performance.now();
      const { violations } = await this.#evaluate(property, input);
      if (focus !== undefined) spent += cost(began);
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

  /** The smallest value like a given input that breaks the same rule, for properties that can say which values still mean the same. */
  async #shrink(property: Property, violation: Violation, input: unknown): Promise<{ smallest: unknown; shrinks: number }> {
    let [smallest, shrinks, spent] = [input, 0, 0];
    if (property.smaller === undefined) return { smallest, shrinks };
    for (let candidates = property.smaller(this.#subject, smallest); ; candidates = property.smaller(this.#subject, smallest)) {
      let better: unknown;
      for (const candidate of candidates) {
        if (spent > SHRINKS || this.#options.signal.aborted) return { smallest, shrinks };
        const began = performance.now();
        const { violations } = await this.#evaluate(property, candidate);
        spent += cost(began);
        if (!violations.some(({ id, severity }) => id === violation.id && severity === violation.severity)) continue;
        better = candidate;
        break;
      }
      if (better === undefined) return { smallest, shrinks };
      [smallest, shrinks] = [better, shrinks + 1];
    }
  }

  /** One case on the kept connection (or a fresh one), with liveness after it. */
  async #evaluate(property: Property, input: unknown): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    this.cases++;
    if (property.fresh === true) return this.once(property, input);
    if (this.#shared === undefined || this.#shared.ended !== undefined) {
      if (this.#shared !== undefined) this.#leave(this.#shared);
      this.#shared = await this.#open();
    }
    const session = this.#shared;
    const outcome = await this.#trial(property, input, session);
    session.judge.violations = [];
    return outcome;
  }

  /** One case on a fresh connection, which is closed afterwards. */
  async once(property: Property, input: unknown): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    const session = await this.#open(property.connection);
    try {
      return await this.#trial(property, input, session);
    } finally {
      this.#leave(session);
    }
  }

  /** Several cases on one fresh connection. */
  async sequence(
    property: Property,
    inputs: readonly unknown[],
  ): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    const session = await this.#open(property.connection);
    const violations: Violation[] = [];
    try {
      for (const input of inputs) {
        if (session.ended !== undefined) break;
        violations.push(...(await this.#trial(property, input, session)).violations);
      }
      return { violations, trace: session.trace };
    } finally {
      this.#leave(session);
    }
  }

  async #trial(
    property: Property,
    input: unknown,
    session: Session,
  ): Promise<{ violations: readonly Violation[]; trace: readonly TraceLine[] }> {
    await this.#options.before?.('case');
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
    let confirmed = 0;
    let trace: readonly TraceLine[] = [];
    let seen = violation;
    const look = (again: { violations: readonly Violation[]; trace: readonly TraceLine[] }): boolean => {
      const hit = worst(again.violations.filter(({ id }) => id === violation.id));
      if (hit !== undefined) seen = hit;
      if (hit !== undefined || trace.length === 0) trace = again.trace;
      return hit !== undefined;
    };
    for (let round = 0; round < 2; round++) if (look(await this.once(property, input))) confirmed++;
    let needs: readonly unknown[] | undefined;
    if (confirmed < 2 && history.length > 1 && look(await this.sequence(property, history.slice(-HISTORY))))
      needs = history.slice(-HISTORY);
    // what an earlier property did may be a part of it: then it shows on the kept connection, every time
    if (confirmed < 2 && needs === undefined && property.fresh !== true) {
      let kept = 0;
      for (let round = 0; round < 2; round++) if (look(await this.#evaluate(property, input))) kept++;
      if (kept === 2) needs = history.slice(-HISTORY);
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
    const known = this.#known.get(violation.id);
    const rank = flaky ? 0 : RANK[finding.severity];
    this.#known.set(violation.id, { rank: Math.max(rank, known?.rank ?? 0), flaky: flaky ? (known?.flaky ?? 0) + 1 : 0 });
    const worse = this.findings.findIndex(({ requirement }) => requirement === finding.requirement);
    if (worse >= 0) this.findings.splice(worse, 1, finding);
    else this.findings.push(finding);
    this.#options.emit({ type: 'finding', finding });
  }
}
