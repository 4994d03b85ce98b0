/** Which recorded request a request is: by method and parameters without what changes every time, in order, or by what it is about only. */
import type { Era } from '../../protocol/eras.ts';
import { isObject, type JsonObject, type Request } from '../../protocol/message.ts';
import { childPointer, type PlaceTest, placeTest } from '../compare/pointer.ts';
import { hasPlaceholder, placeholderMatches } from '../redaction/placeholder.ts';
import { HANDSHAKE, resultOf } from './handshake.ts';
import type { Exchange, Script } from './script.ts';

/**
 * How requests are matched. `params`: by method and parameters, in any order. `order`: as `params`, and in the recorded order (what ran at the
 * same time may come in any). `target`: by method and tool, prompt or URI only, whatever the other parameters are.
 */
export type MatchStrategy = 'params' | 'order' | 'target';
/** What answers a request that was recorded, but not that often: the last answer again, the first one again, or a miss. */
export type Exhausted = 'last' | 'loop' | 'never';

/** Places of the parameters that do not count. */
export interface IgnoreRule {
  /** Only in requests of this method; absent: in all. */
  readonly method?: string;
  /** JSON pointer (RFC 6901) into `params`; a `*` stands for any one step, `**` for any number of them. */
  readonly pointer: string;
}

/** `_meta` keys that differ from one client, run or request to the next. */
const VOLATILE_META = /^(?:progressToken|traceparent|tracestate|baggage|io\.modelcontextprotocol\/|claudecode\/|dev\.signalbox\/)/;

/** Rules that were compiled: the places that do not count in requests of a method. */
export type Ignoring = (method: string) => PlaceTest | undefined;

/** Compiles rules. */
export function ignoring(rules: readonly IgnoreRule[]): Ignoring {
  const tests = new Map<string, PlaceTest | undefined>();
  return (method) => {
    if (!tests.has(method)) {
      const patterns = rules.filter((rule) => rule.method === undefined || rule.method === method).map(({ pointer }) => pointer);
      tests.set(method, patterns.length === 0 ? undefined : placeTest(patterns));
    }
    return tests.get(method);
  };
}

/** Parameters as they are compared: without volatile `_meta`, without what belongs to a round, without ignored places. */
export function comparable({ method, params }: Pick<Request, 'method' | 'params'>, ignored: Ignoring): JsonObject {
  if (HANDSHAKE.has(method)) return {};
  const { _meta, inputResponses: _responses, requestState: _state, ...rest } = params ?? {};
  const meta = isObject(_meta) ? Object.fromEntries(Object.entries(_meta).filter(([key]) => !VOLATILE_META.test(key))) : {};
  let kept: JsonObject = Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
  // An absent `arguments` means the same as an empty one.
  if (method === 'tools/call' && kept['arguments'] === undefined) kept = { ...kept, arguments: {} };
  const test = ignored(method);
  return test === undefined ? kept : (without(kept, '', test) as JsonObject);
}

function without(value: unknown, pointer: string, ignored: PlaceTest): unknown {
  const kept = <K extends string | number>(entries: readonly (readonly [K, unknown])[]): (readonly [K, unknown])[] =>
    entries.flatMap(([key, item]) => {
      const place = childPointer(pointer, key);
      return ignored(place) ? [] : [[key, without(item, place, ignored)] as const];
    });
  if (Array.isArray(value)) return kept(value.map((item, index) => [index, item as unknown] as const)).map(([, item]) => item);
  return isObject(value) ? Object.fromEntries(kept(Object.entries(value))) : value;
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const pairs = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

/** What a request is about: tool, prompt, URI, or nothing. */
export function targetOf({ params }: Pick<Request, 'params'>): string | undefined {
  const target = params?.['name'] ?? params?.['uri'] ?? params?.['taskId'];
  return typeof target === 'string' ? target : undefined;
}

/** Exchanges that are the same question. */
export interface Group {
  readonly method: string;
  readonly target: string | undefined;
  readonly params: JsonObject;
  readonly exchanges: Exchange[];
  /** Eras and parties it was asked in: `legacy`, `legacy session 1`. */
  readonly places: Set<string>;
}

/** The recorded questions of a script. */
export class Groups {
  readonly #strategy: MatchStrategy;
  readonly #ignored: Ignoring;
  readonly #exact = new Map<string, Group>();
  /** Groups with redacted places, by method. */
  readonly #loose = new Map<string, Group[]>();
  readonly #of = new Map<Exchange, Group>();
  readonly all: Group[] = [];

  constructor(script: Script, strategy: MatchStrategy, ignore: readonly IgnoreRule[]) {
    this.#strategy = strategy;
    this.#ignored = ignoring(ignore);
    for (const exchange of script.exchanges) {
      const { request, followUp } = exchange;
      // A refused handshake (a probe of the other era) is nothing to answer with.
      if (followUp || (HANDSHAKE.has(request.method) && resultOf(exchange) === undefined)) continue;
      const key = this.#key(request);
      let group = this.#exact.get(key);
      if (group === undefined) {
        group = {
          method: request.method,
          target: targetOf(request),
          params: comparable(request, this.#ignored),
          exchanges: [],
          places: new Set(),
        };
        this.#exact.set(key, group);
        this.all.push(group);
        if (strategy !== 'target' && hasPlaceholder(JSON.stringify(group.params))) {
          const same = this.#loose.get(request.method);
          if (same === undefined) this.#loose.set(request.method, [group]);
          else same.push(group);
        }
      }
      group.exchanges.push(exchange);
      for (const place of [exchange.era, exchange.opener.party.name, `${exchange.era} ${exchange.opener.party.name}`])
        group.places.add(place);
      this.#of.set(exchange, group);
    }
  }

  /** The group a request belongs to. */
  find(request: Pick<Request, 'method' | 'params'>): Group | undefined {
    const exact = this.#exact.get(this.#key(request));
    if (exact !== undefined) return exact;
    const loose = this.#loose.get(request.method);
    if (loose === undefined) return undefined;
    const params = comparable(request, this.#ignored);
    return loose.find((group) => fits(group.params, params));
  }

  /** The group an exchange is in; none where it goes on with another one. */
  groupOf(exchange: Exchange): Group | undefined {
    return this.#of.get(exchange);
  }

  /** Every group of a method. */
  ofMethod(method: string): readonly Group[] {
    return this.all.filter((group) => group.method === method);
  }

  /** The parameters as they are compared. */
  comparable(request: Pick<Request, 'method' | 'params'>): JsonObject {
    return comparable(request, this.#ignored);
  }

  #key(request: Pick<Request, 'method' | 'params'>): string {
    if (this.#strategy === 'target') return `${request.method}\n${targetOf(request) ?? ''}`;
    return `${request.method}\n${canonical(comparable(request, this.#ignored))}`;
  }
}

/** Whether what is asked is what was recorded, where redacted places may hold anything. */
export function fits(recorded: unknown, asked: unknown): boolean {
  if (typeof recorded === 'string') return recorded === asked || placeholderMatches(recorded, asked);
  if (Array.isArray(recorded))
    return Array.isArray(asked) && recorded.length === asked.length && recorded.every((item, index) => fits(item, asked[index]));
  if (isObject(recorded)) {
    if (!isObject(asked)) return false;
    const keys = Object.keys(recorded);
    return keys.length === Object.keys(asked).length && keys.every((key) => Object.hasOwn(asked, key) && fits(recorded[key], asked[key]));
  }
  return canonical(recorded) === canonical(asked);
}

/** Lanes kept of one group. */
const LANES = 1000;

/** What is left to play of one group in one session: an own place for each era and party, so that a session hears one story. */
export class Lanes {
  readonly #lanes = new Map<Group, Map<string, { readonly exchanges: readonly Exchange[]; at: number }>>();
  readonly #played = new Set<Exchange>();
  readonly #starts = new Map<string, number>();

  /** The first place of a story that was not played. */
  skip(key: string, story: readonly Exchange[]): number {
    let at = this.#starts.get(key) ?? 0;
    for (let first = story[at]; first !== undefined && this.#played.has(first); first = story[at]) at++;
    this.#starts.set(key, at);
    return at;
  }

  /** Whether it was played in this session. */
  played(exchange: Exchange): boolean {
    return this.#played.has(exchange);
  }

  /** Counts an exchange as played. */
  mark(exchange: Exchange): void {
    this.#played.add(exchange);
  }

  /**
   * The exchange to play for a group.
   * @param party the recorded client the session plays
   * @param instance of a handle that was given out again: it has a story of its own
   * @returns undefined when it was recorded less often and `exhausted` is `never`
   */
  pick(
    group: Group,
    { era, party, exhausted, instance = '' }: { era: Era; party: string | undefined; exhausted: Exhausted; instance?: string },
  ): { readonly exchange: Exchange; readonly again: boolean } | undefined {
    const sameEra = group.places.has(era);
    const own = party !== undefined && group.places.has(sameEra ? `${era} ${party}` : party);
    const key = `${sameEra ? era : ''}|${own ? party : ''}|${instance}`;
    let lanes = this.#lanes.get(group);
    if (lanes === undefined) {
      lanes = new Map();
      this.#lanes.set(group, lanes);
    }
    let lane = lanes.get(key);
    if (lane === undefined) {
      const exchanges = group.exchanges.filter(
        (exchange) => (!sameEra || exchange.era === era) && (!own || exchange.opener.party.name === party),
      );
      lane = { exchanges, at: 0 };
      lanes.set(key, lane);
      const [oldest] = lanes.keys();
      // Stories of handles end without a word: the oldest is forgotten.
      if (lanes.size > LANES && oldest !== undefined) lanes.delete(oldest);
    }
    if (instance === '')
      for (let next = lane.exchanges[lane.at]; next !== undefined && this.#played.has(next); next = lane.exchanges[lane.at]) lane.at++;
    const exchange = lane.exchanges[lane.at];
    if (exchange !== undefined) {
      lane.at++;
      return { exchange, again: instance !== '' };
    }
    if (exhausted === 'never') return undefined;
    const { length } = lane.exchanges;
    const again = exhausted === 'loop' ? lane.exchanges[lane.at++ % length] : lane.exchanges[length - 1];
    return again === undefined ? undefined : { exchange: again, again: true };
  }
}
