/** One parked call: its open questions, and the outcome of each round. */
import { randomUUID } from 'node:crypto';
import { questionDigest, toInputRequest, unsupportedBy } from '../protocol/asking.ts';
import { RPC } from '../protocol/codes.ts';
import { META } from '../protocol/eras.ts';
import { isObject, type JsonObject, metaOf, type Outcome } from '../protocol/message.ts';
import type { Connection } from '../upstreams/connection.ts';
import { unsupported } from '../upstreams/questions.ts';
import type { Question } from '../upstreams/request.ts';
import type { ClientCall } from './call.ts';

/** A question that was answered. */
export interface Answered {
  readonly digest: string;
  readonly response: JsonObject;
}

/** What a run of the upstream call may use. */
export interface Rounds {
  /** Aborted when the client cancels, or stays away. */
  readonly signal: AbortSignal;
  readonly onQuestion: (question: Question) => Promise<Outcome>;
  /** The client's request of the present round: progress and log go to it. */
  readonly current: () => ClientCall;
  /** Says which connection the call runs on. */
  readonly on: (connection: Connection) => void;
}
/** Issues the upstream call once; the outcome is already in the client's form. */
export type Run = (rounds: Rounds) => Promise<Outcome>;

/** Milliseconds questions that come together are waited for, so that they travel in one round. */
const GATHER_MS = 8;
/** Milliseconds the outcome of a round is kept for a client that sends the same request twice. */
const AFTERLIFE_MS = 60_000;

/** What a parked call is made with. */
export interface ParkOptions {
  readonly principal: string;
  readonly journal: readonly Answered[];
  readonly round: number;
  readonly lifeMs: number;
  readonly keep: (park: Park) => boolean;
  readonly forget: (park: Park) => void;
  readonly seal: (park: Park, questions: Readonly<Record<string, string>>, journal: readonly Answered[]) => string;
}
interface Open {
  readonly request: JsonObject;
  readonly digest: string;
  readonly answer: (outcome: Outcome) => void;
}

/** One call: its open questions, and the outcome of each round. */
export class Park {
  readonly id = randomUUID();
  readonly #options: ParkOptions;
  readonly #abort = new AbortController();
  readonly #open = new Map<string, Open>();
  /** Outcome of the round a state of that number leads to. */
  readonly #rounds = new Map<number, Promise<Outcome>>();
  readonly #answered: Answered[];
  /** Answers of a run before the restart that this one has not asked for yet. */
  readonly #replay: Answered[];
  round: number;
  /** What it runs on. */
  connection: Connection | undefined;
  #asked = 0;
  #askedAt = 0;
  #call: ClientCall | undefined;
  #waiter: PromiseWithResolvers<Outcome> | undefined;
  #final: Promise<Outcome> | undefined;
  #over = false;
  #kept = false;
  #gather: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ParkOptions) {
    this.#options = options;
    this.round = options.round;
    this.#answered = [...options.journal];
    this.#replay = [...options.journal];
  }

  get principal(): string {
    return this.#options.principal;
  }
  /** Since when it waits for its client (milliseconds since 1970); infinity while it does not. */
  get awaySince(): number {
    return this.#waiter === undefined && !this.#over ? this.#askedAt : Number.POSITIVE_INFINITY;
  }

  start(call: ClientCall, run: Run): Promise<Outcome> {
    const first = this.#wait(call);
    this.#final = run({
      signal: this.#abort.signal,
      onQuestion: (question) => this.#ask(question),
      current: () => this.#call ?? call,
      on: (connection) => {
        this.connection = connection;
      },
    });
    this.#final.then(
      (outcome) => this.#finished(() => this.#waiter?.resolve(outcome)),
      (error: unknown) => this.#finished(() => this.#waiter?.reject(error)),
    );
    return first;
  }

  resume(call: ClientCall, round: number, responses: JsonObject): Promise<Outcome> {
    const known = this.#rounds.get(round);
    if (known !== undefined) return known;
    clearTimeout(this.#timer);
    const next = this.#wait(call);
    this.#rounds.set(round, next);
    next.catch(() => undefined); // seen by whoever awaits it; a duplicate may come later
    if (this.#over) {
      this.#settle();
      return next;
    }
    for (const [key, response] of Object.entries(responses)) {
      const open = this.#open.get(key);
      if (open === undefined || !isObject(response)) continue; // unknown keys are ignored (2026-07-28)
      this.#open.delete(key);
      this.#answered.push({ digest: open.digest, response });
      open.answer({ result: response });
    }
    // What was not answered is asked again, together with what came meanwhile.
    if (this.#open.size > 0) this.#soon();
    return next;
  }

  giveUp(reason: Error): void {
    clearTimeout(this.#timer);
    this.#abort.abort(reason);
  }

  #ask(question: Question): Promise<Outcome> {
    const { method, params, signal } = question;
    const capabilities = metaOf(this.#call?.request.params)?.[META.clientCapabilities];
    if (unsupportedBy(isObject(capabilities) ? capabilities : {}, method, params) !== undefined)
      return Promise.resolve({ error: unsupported(method) });
    const digest = questionDigest(method, params);
    const replayed = this.#replay.findIndex((answer) => answer.digest === digest);
    const [answer] = replayed === -1 ? [] : this.#replay.splice(replayed, 1);
    if (answer !== undefined) return Promise.resolve({ result: answer.response });
    return new Promise<Outcome>((resolve) => {
      this.#asked += 1;
      const key = `${this.round}-${this.#asked}`;
      const takenBack = (): void => {
        if (this.#open.delete(key)) resolve({ error: { code: RPC.internal, message: 'The question was taken back.' } });
      };
      signal.addEventListener('abort', takenBack, { once: true });
      const answered = (outcome: Outcome): void => {
        signal.removeEventListener('abort', takenBack);
        resolve(outcome);
      };
      this.#open.set(key, { request: toInputRequest(method, params), digest, answer: answered });
      this.#soon();
    });
  }

  /** Questions that come at once travel in one round. */
  #soon(): void {
    this.#gather ??= setTimeout(() => {
      this.#gather = undefined;
      if (this.#open.size > 0) this.#request();
    }, GATHER_MS);
  }

  #request(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return; // the client is away: told with its next request
    if (!this.#kept && !this.#options.keep(this)) {
      for (const { answer } of this.#open.values())
        answer({ error: { code: RPC.internal, message: 'Too many calls wait for an answer (SBX_BUSY).' } });
      this.#open.clear();
      return;
    }
    this.#kept = true;
    const open = [...this.#open];
    const digests = Object.fromEntries(open.map(([key, { digest }]) => [key, digest]));
    const result = {
      resultType: 'input_required',
      inputRequests: Object.fromEntries(open.map(([key, { request }]) => [key, request])),
      requestState: this.#options.seal(this, digests, this.#answered),
    };
    this.round += 1;
    this.#waiter = undefined;
    this.#askedAt = Date.now();
    this.#timer = setTimeout(() => {
      this.#options.forget(this);
      this.giveUp(new Error('the client did not come back with its answer'));
    }, this.#options.lifeMs).unref();
    waiter.resolve({ result });
  }

  /** Waits for the outcome of this round; the client going away in it is a cancel. */
  #wait(call: ClientCall): Promise<Outcome> {
    const waiter = Promise.withResolvers<Outcome>();
    const cancel = (): void => this.#abort.abort(call.signal.reason);
    this.#call = call;
    this.#waiter = waiter;
    if (call.signal.aborted) cancel();
    call.signal.addEventListener('abort', cancel, { once: true });
    return waiter.promise.finally(() => call.signal.removeEventListener('abort', cancel));
  }

  #finished(settle: () => void): void {
    this.#over = true;
    clearTimeout(this.#gather);
    clearTimeout(this.#timer);
    settle();
    if (!this.#kept) return;
    // A client that is away has not heard it yet: it may stay away as long as its state is good.
    const keepMs = this.#waiter === undefined ? this.#options.lifeMs : AFTERLIFE_MS;
    setTimeout(() => this.#options.forget(this), keepMs).unref();
  }

  #settle(): void {
    this.#final?.then(this.#waiter?.resolve, this.#waiter?.reject);
  }
}
