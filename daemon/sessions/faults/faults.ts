/** The faults in force: which of them strike a request. */
import { randomBytes } from 'node:crypto';
import type { FaultInfo, FaultJudge, FaultRule, FaultVerdict } from '../../api/faults.ts';
import { nameFits } from '../compare/rules.ts';
import { ActiveRule } from './rule.ts';

/** The rules in the entry of one server. */
export interface ConfiguredFaults {
  /** Names this one server among all, of every workspace. */
  readonly key: string;
  readonly server: string;
  readonly rules: readonly FaultRule[];
}

/** A rule that was set, and when it goes. */
interface SetRule {
  readonly id: string;
  readonly active: ActiveRule;
  readonly until: number;
}

const SPARED: ReadonlySet<string> = new Set(['initialize', 'server/discover', 'ping', 'subscriptions/listen']);

/**
 * Makes a judge of rules alone.
 * @param server name that `server` of a rule is compared with
 */
export function judge(server: string, rules: readonly ActiveRule[]): FaultJudge {
  return (request) => verdictOf(server, rules, request);
}

function verdictOf(server: string, rules: Iterable<ActiveRule>, { method, params }: Parameters<FaultJudge>[0]): FaultVerdict | undefined {
  let ms = 0;
  let other: FaultRule | undefined;
  const target = params?.['name'] ?? params?.['uri'];
  for (const active of rules) {
    // Without it nothing works, and nothing is learnt: only a rule that names it strikes.
    if (SPARED.has(method) && active.rule.method !== method) continue;
    if (other !== undefined && active.rule.fault !== 'latency') continue;
    if (!active.strikes(server, method, typeof target === 'string' ? target : undefined)) continue;
    if (active.rule.fault === 'latency') ms += active.rule.ms ?? 0;
    else other = active.rule;
  }
  return ms === 0 && other === undefined ? undefined : { ms, rule: other };
}

/** Every fault of the daemon: those set for now, and those of the configuration, which come and go with their servers. */
export class FaultBook {
  readonly #set = new Map<string, SetRule>();
  readonly #configured = new Map<string, { readonly text: string; readonly rules: readonly ActiveRule[] }>();
  readonly #onChange: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange called when there are others than before */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** Sets a rule for some minutes. */
  set(rule: FaultRule, minutes: number): FaultInfo {
    const set: SetRule = { id: randomBytes(3).toString('hex'), active: new ActiveRule(rule), until: Date.now() + minutes * 60_000 };
    this.#set.set(set.id, set);
    this.#changed();
    return info(set);
  }

  /** Clears one rule that was set, or all of them. Returns how many. */
  clear(id?: string): number {
    const { size } = this.#set;
    if (id === undefined) this.#set.clear();
    else this.#set.delete(id);
    const cleared = size - this.#set.size;
    if (cleared > 0) this.#changed();
    return cleared;
  }

  /** The rules of the entries in force from now on. What stays the same keeps its counts. */
  configure(entries: Iterable<ConfiguredFaults>): void {
    const before = new Map(this.#configured);
    this.#configured.clear();
    for (const { key, server, rules } of entries) {
      const text = JSON.stringify(rules);
      const same = before.get(key);
      // A rule in an entry is about that server.
      if (rules.length > 0)
        this.#configured.set(key, same?.text === text ? same : { text, rules: rules.map((rule) => new ActiveRule({ ...rule, server })) });
    }
  }

  /** Everything in force. */
  list(): readonly FaultInfo[] {
    this.#expire();
    const configured = [...this.#configured.values()].flatMap(({ rules }) => rules);
    return [
      ...[...this.#set.values()].map(info),
      ...configured.map(
        ({ rule, seen, made }, index): FaultInfo => ({ id: `config-${index + 1}`, rule, from: 'configuration', seen, made }),
      ),
    ];
  }

  /** The rules that may strike a server. */
  about(server: string): readonly FaultInfo[] {
    return this.list().filter(({ rule }) => rule.server === undefined || nameFits(rule.server, server));
  }

  /**
   * The judge of one server.
   * @param key as in {@link ConfiguredFaults}
   */
  judge(key: string, server: string): FaultJudge {
    return (request) => {
      if (this.#set.size === 0 && !this.#configured.has(key)) return undefined;
      this.#expire();
      const set = [...this.#set.values()].map(({ active }) => active);
      return verdictOf(server, [...set, ...(this.#configured.get(key)?.rules ?? [])], request);
    };
  }

  /** Gives its timer back. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #expire(): void {
    const now = Date.now();
    for (const { id, until } of this.#set.values()) if (until <= now) this.#set.delete(id);
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#onChange();
    const next = Math.min(...[...this.#set.values()].map(({ until }) => until));
    if (!Number.isFinite(next)) return;
    const over = (): void => {
      this.#expire();
      this.#changed();
    };
    this.#timer = setTimeout(over, Math.min(2 ** 31 - 1, Math.max(0, next - Date.now()))).unref();
  }
}

function info({ id, active: { rule, seen, made }, until }: SetRule): FaultInfo {
  return { id, rule, from: 'set', seen, made, until: new Date(until).toISOString() };
}
