/** One rule of fault injection: what it holds for, and when it strikes. */

import { SignalboxError } from '../../api/errors.ts';
import { FAULT_KINDS, type FaultKind, type FaultRule } from '../../api/faults.ts';
import { isObject } from '../../protocol/message.ts';
import { nameFits } from '../compare/rules.ts';

/** What a rule may have, and how it is checked. */
const TEXTS = ['server', 'method', 'tool', 'message'] as const;
const NUMBERS: Readonly<Record<string, readonly [min: number, max: number, whole: boolean]>> = {
  nth: [1, 2 ** 31, true],
  times: [1, 2 ** 31, true],
  seed: [0, 2 ** 32 - 1, true],
  probability: [0, 1, false],
  ms: [1, 3_600_000, true],
  bytes: [0, 2 ** 31, true],
  code: [-(2 ** 31), 2 ** 31, true],
};

/**
 * Checks a rule that came from outside.
 * @param value JSON as it was given
 * @throws SBX_FAULT_RULE naming the key
 */
export function checkRule(value: unknown): FaultRule {
  if (!isObject(value)) throw wrong('a rule', 'is not an object');
  const { fault, lose } = value;
  if (!FAULT_KINDS.includes(fault as FaultKind)) throw wrong('`fault`', `is none of ${FAULT_KINDS.join(', ')}`);
  for (const [key, given] of Object.entries(value)) {
    if (key === 'fault') continue;
    const limits = Object.hasOwn(NUMBERS, key) ? NUMBERS[key] : undefined;
    if (limits !== undefined) {
      const [min, max, whole] = limits;
      if (typeof given !== 'number' || !(given >= min && given <= max) || (whole && !Number.isInteger(given)))
        throw wrong(`\`${key}\``, `is not a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    } else if ((TEXTS as readonly string[]).includes(key)) {
      if (typeof given !== 'string' || given === '') throw wrong(`\`${key}\``, 'is not a text');
    } else if (key === 'lose') {
      if (lose !== 'request' && lose !== 'answer') throw wrong('`lose`', 'is neither "request" nor "answer"');
    } else throw wrong(`\`${key}\``, `is no key of a rule; there are fault, ${[...TEXTS, ...Object.keys(NUMBERS), 'lose'].join(', ')}`);
  }
  if (fault === 'latency' && value['ms'] === undefined) throw wrong('`ms`', 'is missing: how long is the answer to wait?');
  return value as unknown as FaultRule;
}

function wrong(what: string, why: string): SignalboxError {
  return new SignalboxError('SBX_FAULT_RULE', 'The rule of a fault cannot be used.', {
    why: `${what} ${why}.`,
    fix: 'See `signalbox help faults` and docs/sessions.md.',
  });
}

/** A rule with its dice and its counts. */
export class ActiveRule {
  readonly rule: FaultRule;
  #seen = 0;
  #made = 0;
  #dice: number;

  constructor(rule: FaultRule) {
    this.rule = rule;
    this.#dice = (rule.seed ?? 1) >>> 0;
  }

  get seen(): number {
    return this.#seen;
  }
  get made(): number {
    return this.#made;
  }

  /** Whether it strikes this request; counts it if it fits. */
  strikes(server: string, method: string, target: string | undefined): boolean {
    const { rule } = this;
    if (
      !fits(rule.server, server) ||
      !fits(rule.method, method) ||
      (rule.tool !== undefined && (target === undefined || !fits(rule.tool, target)))
    )
      return false;
    this.#seen += 1;
    if (rule.nth !== undefined && this.#seen !== rule.nth) return false;
    // The dice are thrown for every request that fits, so that a rule that is spent leaves others as they would have been.
    const thrown = rule.probability === undefined ? 0 : this.#throw();
    if (rule.probability !== undefined && thrown >= rule.probability) return false;
    if (rule.times !== undefined && this.#made >= rule.times) return false;
    this.#made += 1;
    return true;
  }

  /** mulberry32: small, and the same everywhere. */
  #throw(): number {
    this.#dice = (this.#dice + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#dice ^ (this.#dice >>> 15), 1 | this.#dice);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

function fits(pattern: string | undefined, text: string): boolean {
  return pattern === undefined || nameFits(pattern, text);
}
