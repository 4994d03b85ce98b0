/** Runs properties against a server: phases, budgets in cases, shrinking over real connections, confirmation, liveness. */
import fc from 'fast-check';
import { addFinding, type ConformEvent, type Finding, type TraceLine } from '../../api/conformance.ts';
import { requirementOf } from '../requirements.ts';
import { findingOf } from './finding.ts';
import { RANK, type Violation, worst } from './judge.ts';
import { PHASES, type Property } from './property.ts';
import type { Subject } from './subject.ts';
import { type TrialOutcome, Trials } from './trials.ts';

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
        cases: run.trials.cases,
      });
    }
  } finally {
    await run.trials.close();
  }
  return { findings: run.findings, exercised: run.trials.exercised, cases: run.trials.cases, skipped };
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
export async function runCase(subject: Subject, property: Property, input: unknown, history: readonly unknown[]): Promise<TrialOutcome> {
  const trials = new Trials(subject);
  try {
    return history.length === 0 ? await trials.once(property, input) : await trials.sequence(property, [...history, input]);
  } finally {
    await trials.close();
  }
}

/** What a case costs of the budget for shrinking: one that waits for an answer that does not come costs more than one. */
function cost(began: number): number {
  return Math.max(1, Math.round((performance.now() - began) / 250));
}

/** The search for what is broken: what is tried, what is news, how small it gets, whether it shows again. */
class Run {
  readonly findings: Finding[] = [];
  readonly trials: Trials;
  readonly #subject: Subject;
  readonly #options: RunOptions;
  /** The worst finding of each requirement, and how often it did not show again. */
  readonly #known = new Map<string, { readonly rank: number; readonly flaky: number }>();

  constructor(subject: Subject, options: RunOptions) {
    this.#subject = subject;
    this.#options = options;
    this.trials = new Trials(subject, options.before);
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
      for (const violation of this.#news((await this.trials.evaluate(property, input)).violations)) {
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
      const { violations } = await this.trials.evaluate(property, input);
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
        const { violations } = await this.trials.evaluate(property, candidate);
        spent += cost(began);
        if (!violations.some(({ id, severity }) => id === violation.id && severity === violation.severity)) continue;
        better = candidate;
        break;
      }
      if (better === undefined) return { smallest, shrinks };
      [smallest, shrinks] = [better, shrinks + 1];
    }
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
    const look = (again: TrialOutcome): boolean => {
      const hit = worst(again.violations.filter(({ id }) => id === violation.id));
      if (hit !== undefined) seen = hit;
      if (hit !== undefined || trace.length === 0) trace = again.trace;
      return hit !== undefined;
    };
    for (let round = 0; round < 2; round++) if (look(await this.trials.once(property, input))) confirmed++;
    let needs: readonly unknown[] | undefined;
    if (confirmed < 2 && history.length > 1 && look(await this.trials.sequence(property, history.slice(-HISTORY))))
      needs = history.slice(-HISTORY);
    // what an earlier property did may be a part of it: then it shows on the kept connection, every time
    if (confirmed < 2 && needs === undefined && property.fresh !== true) {
      let kept = 0;
      for (let round = 0; round < 2; round++) if (look(await this.trials.evaluate(property, input))) kept++;
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
    addFinding(this.findings, finding);
    this.#options.emit({ type: 'finding', finding });
  }
}
