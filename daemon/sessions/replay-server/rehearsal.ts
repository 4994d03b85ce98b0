/** A recording ready to be played to any number of clients: what is shared by their sessions, and the report of what became of it. */
import { randomBytes } from 'node:crypto';
import type { ReplayChange } from '../../api/recordings.ts';
import type { Era } from '../../protocol/eras.ts';
import type { Request, RpcError } from '../../protocol/message.ts';
import { differences } from '../compare/difference.ts';
import { Redactor } from '../redaction/redactor.ts';
import { faceOf, HANDSHAKE, type ServerFace } from './handshake.ts';
import { type Exhausted, Groups, type IgnoreRule, type Lanes, type MatchStrategy, targetOf } from './matching.ts';
import { type Miss, missError, missText, nearestOf } from './miss.ts';
import type { Pace } from './schedule.ts';
import type { Exchange, Frame, Party, Script } from './script.ts';

/** How a recording is played. */
export interface ReplayOptions {
  /** Default `params`. */
  readonly match?: MatchStrategy;
  readonly ignore?: readonly IgnoreRule[];
  /** Default `last`. */
  readonly exhausted?: Exhausted;
  /** Recorded pauses are multiplied by it. Default 0: no pauses. */
  readonly speed?: number;
  /** Only the eras it was recorded in; the other one is refused as the recorded server would. Default: both. */
  readonly recordedErasOnly?: boolean;
  /** Milliseconds to wait, for the sake of the order, for what the client did meanwhile in the recording. Default 250. */
  readonly patienceMs?: number;
  /** Takes secrets out of what clients say, before it is reported: reports and logs are files. Default: names and shapes of secrets. */
  readonly redact?: (message: object) => object;
  /** A line about what could not be answered. */
  readonly onMiss?: (text: string, miss: Miss) => void;
}

/** What became of a replay. */
export interface ReplayServerReport {
  /** Recorded requests that were played, each counted once. */
  readonly played: number;
  readonly misses: readonly Miss[];
  /** Recorded requests nobody made. */
  readonly unplayed: readonly { readonly request: number; readonly method: string; readonly target?: string }[];
  /** Answers of the client to questions that were others in the recording. */
  readonly answers: readonly { readonly request: number; readonly method: string; readonly changes: readonly ReplayChange[] }[];
}

const PATIENCE_MS = 250;
/** Misses and answers kept for the report. */
const KEPT = 1000;
const EXACT = { ignored: () => false, volatile: () => undefined, exact: () => false, places: false };

/** A script with everything that its sessions share. */
export class Rehearsal {
  readonly script: Script;
  readonly face: ServerFace;
  readonly pace: Pace;
  readonly #groups: Groups;
  readonly #redact: (message: object) => object;
  readonly #options: ReplayOptions;
  readonly #played = new Set<Exchange>();
  readonly #misses: Miss[] = [];
  readonly #answers: ReplayServerReport['answers'][number][] = [];
  readonly #claims: Record<Era, number> = { legacy: 0, modern: 0 };
  readonly #methods: readonly string[];
  /** What a session plays in the recorded order. */
  readonly #stories = new Map<string, readonly Exchange[]>();

  constructor(script: Script, options: ReplayOptions = {}) {
    this.script = script;
    this.face = faceOf(script);
    this.pace = { speed: options.speed ?? 0, patienceMs: options.patienceMs ?? PATIENCE_MS };
    this.#options = options;
    const redactor = new Redactor({ key: randomBytes(32), secrets: [], rules: {} });
    this.#redact = options.redact ?? ((message) => redactor.redact(message));
    this.#groups = new Groups(script, options.match ?? 'params', options.ignore ?? []);
    this.#methods = [...new Set(this.#groups.all.map(({ method }) => method))].filter((method) => !HANDSHAKE.has(method));
  }

  /** Whether clients of that era are served. */
  speaks(era: Era): boolean {
    return this.#options.recordedErasOnly !== true || this.face.eras.size === 0 || this.face.eras.has(era);
  }

  /** Whether a list was asked for in the recording. */
  listed(method: string): boolean {
    return this.#groups.ofMethod(method).length > 0;
  }

  /** The recorded client the next session plays: one after the other, and from the first again. */
  claim(era: Era): Party | undefined {
    const busy = this.script.parties.filter((party) =>
      party.frames.some(({ by, exchange }) => by === 'client' && exchange !== undefined && !HANDSHAKE.has(exchange.request.method)),
    );
    const same = busy.filter((party) => party.frames.some(({ exchange }) => exchange?.era === era));
    const parties = same.length > 0 ? same : busy.length > 0 ? busy : this.script.parties;
    return parties[this.#claims[era]++ % Math.max(1, parties.length)];
  }

  /** The exchange that answers a request. */
  find(
    lanes: Lanes,
    request: Request,
    place: { readonly era: Era; readonly party: string | undefined; readonly instance?: string },
  ): { readonly exchange: Exchange; readonly again: boolean } | { readonly miss: Miss } {
    const { match, exhausted = 'last' } = this.#options;
    const handshake = HANDSHAKE.has(request.method);
    const group =
      this.#groups.find(request) ?? (request.method === 'subscriptions/listen' ? this.#groups.ofMethod(request.method)[0] : undefined);
    if (group === undefined) return { miss: this.missOf(request, 'unknown') };
    if (match === 'order' && !handshake) {
      const next = this.#nextOf(lanes, place);
      const exchange = next.find((candidate) => this.#groups.groupOf(candidate) === group);
      if (exchange !== undefined) return { exchange, again: false };
      if (next[0] !== undefined) return { miss: this.missOf(request, 'order', next[0]) };
    }
    const picked = lanes.pick(group, { ...place, exhausted: handshake || group.method === 'subscriptions/listen' ? 'last' : exhausted });
    return picked ?? { miss: this.missOf(request, 'exhausted', group.exchanges.at(-1)) };
  }

  /** A miss with the recorded request it came nearest to. */
  missOf({ method, params }: Pick<Request, 'method' | 'params'>, why: Miss['why'], recorded?: Exchange): Miss {
    const request = this.#redact({ method, ...(params === undefined ? {} : { params }) }) as Pick<Request, 'method' | 'params'>;
    const target = targetOf(request);
    const near = recorded?.request;
    const about = near === undefined ? undefined : targetOf(near);
    const changes = near === undefined ? [] : differences(this.#groups.comparable(near), this.#groups.comparable(request), EXACT).changes;
    const nearest =
      recorded === undefined || near === undefined
        ? nearestOf(this.#groups, request)
        : { request: recorded.opener.n, method: near.method, ...(about === undefined ? {} : { target: about }), changes };
    return {
      method: request.method,
      ...(target === undefined ? {} : { target }),
      ...(request.params === undefined ? {} : { params: request.params }),
      why,
      ...(nearest === undefined ? {} : { nearest }),
    };
  }

  /** Counts a miss and makes the error for the client. */
  missed(miss: Miss): RpcError {
    if (this.#misses.length < KEPT) this.#misses.push(miss);
    this.#options.onMiss?.(missText(miss, this.#methods), miss);
    return missError(miss, this.#methods);
  }

  /** Counts an exchange as played. */
  played(exchange: Exchange): void {
    this.#played.add(exchange);
  }

  /** Compares what a client answers to a question with what was answered in the recording. */
  compare(recorded: Frame | undefined, answer: unknown, method?: string): void {
    if (recorded === undefined || this.#answers.length >= KEPT) return;
    const { result } = this.#redact({ result: method === undefined ? resultIn(answer) : answer }) as { result: unknown };
    const { changes } = differences(saidIn(recorded), result, EXACT);
    const question = recorded.question?.message;
    if (changes.length > 0)
      this.#answers.push({
        request: recorded.n,
        method: method ?? (question !== undefined && 'method' in question ? question.method : ''),
        changes,
      });
  }

  /** What became of it so far. */
  report(): ReplayServerReport {
    const unplayed = this.script.exchanges.filter((exchange) => !this.#played.has(exchange) && !HANDSHAKE.has(exchange.request.method));
    return {
      played: this.#played.size,
      misses: [...this.#misses],
      unplayed: unplayed.map(({ opener, request }) => {
        const target = targetOf(request);
        return { request: opener.n, method: request.method, ...(target === undefined ? {} : { target }) };
      }),
      answers: [...this.#answers],
    };
  }

  /** What may come next in the recorded order: the first that was not played, and what was asked before that one was answered. */
  #nextOf(lanes: Lanes, { party, era }: { readonly party: string | undefined; readonly era: Era }): readonly Exchange[] {
    const key = party ?? era;
    let story = this.#stories.get(key);
    if (story === undefined) {
      story = this.script.exchanges.filter(
        (exchange) =>
          !exchange.followUp &&
          !HANDSHAKE.has(exchange.request.method) &&
          (party === undefined ? exchange.era === era : exchange.opener.party.name === party),
      );
      this.#stories.set(key, story);
    }
    const next: Exchange[] = [];
    let horizon = Number.POSITIVE_INFINITY;
    for (let at = lanes.skip(key, story); at < story.length; at++) {
      const exchange = story[at];
      if (exchange === undefined || lanes.played(exchange)) continue;
      if (exchange.opener.n > horizon) break;
      next.push(exchange);
      horizon = Math.min(horizon, exchange.answer?.n ?? exchange.cancel?.n ?? Number.POSITIVE_INFINITY);
    }
    return next;
  }
}

function saidIn({ message, question }: Frame): unknown {
  if (question !== undefined) return resultIn(message);
  return 'params' in message ? message.params?.['inputResponses'] : undefined;
}

function resultIn(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  return 'result' in answer ? answer.result : 'error' in answer ? answer.error : answer;
}
