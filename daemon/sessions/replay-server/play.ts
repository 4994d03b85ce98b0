/** One exchange being played to one client: what the server says in it, step by step, the questions it asks, its answer. */
import { unsupportedBy } from '../../protocol/asking.ts';
import { RPC } from '../../protocol/codes.ts';
import { bridgeOutcome, dressedTool, type Era, META } from '../../protocol/eras.ts';
import {
  isObject,
  isRequest,
  type JsonObject,
  metaOf,
  type Notification,
  type Outcome,
  type Request,
  type RequestId,
  type Response,
  type RpcError,
  response,
} from '../../protocol/message.ts';
import type { Handles } from './handles.ts';
import type { ServerFace } from './handshake.ts';
import { acknowledged } from './listens.ts';
import { cannotAsk, inputRequests, isQuestion, keyOf, lacking, legacyQuestion, pagesOf, questionsFrom } from './questions.ts';
import type { Rounds } from './rounds.ts';
import type { Schedule } from './schedule.ts';
import type { Exchange, Frame } from './script.ts';
import type { Send } from './send.ts';

/** What a play needs of its session. */
export interface Stage {
  readonly schedule: Schedule;
  readonly handles: Handles;
  /** What the client must come back with to go on with what. */
  readonly rounds: Rounds<Play>;
  readonly face: ServerFace;
  /** What the client said it can be asked. */
  capabilities(request: Request): JsonObject;
  /** Asks the client; `answered` gets what it says. Returns the id of the question. */
  ask(question: Request, send: Send, answered: (answer: Response) => void): RequestId;
  /** The client's frame happened: what follows it may be said. */
  happened(frame: Frame): void;
  /** A play goes on with the recording of another request. */
  wentOn(exchange: Exchange): void;
  /** The client answered something else than it did in the recording. */
  compare(recorded: Frame | undefined, answer: unknown): void;
  /** There is no answer in the recording. */
  unanswered(exchange: Exchange, why: 'unanswered' | 'round'): Outcome;
  over(play: Play): void;
}

/** What is played to whom. */
export interface PlayParts {
  readonly exchange: Exchange;
  readonly request: Request;
  /** The client's. */
  readonly era: Era;
  readonly send: Send;
  /** It was played before in this session: nothing of the others is waited for. */
  readonly again: boolean;
  readonly renamed?: { readonly recorded: string; readonly instance: string };
  /** Changes the recorded result. */
  readonly patch?: (result: JsonObject) => JsonObject;
}

/** A play under way. */
export class Play {
  readonly #stage: Stage;
  readonly #parts: PlayParts;
  readonly #answers = new Set<Frame>();
  /** Ids the recorded questions have this time. */
  readonly #asked = new Map<Frame, RequestId>();
  readonly #again: boolean;
  #exchange: Exchange;
  #request: Request;
  #send: Send;
  #at = 0;
  /** The last frame said: what was before it has happened, or is not waited for. */
  #said: Frame;
  #over = false;

  constructor(stage: Stage, parts: PlayParts) {
    this.#stage = stage;
    this.#parts = parts;
    this.#exchange = parts.exchange;
    this.#request = parts.request;
    this.#send = parts.send;
    this.#again = parts.again;
    this.#said = parts.exchange.opener;
  }

  get exchange(): Exchange {
    return this.#exchange;
  }
  /** The client's request. */
  get request(): Request {
    return this.#request;
  }

  /** Begins to play. */
  begin(): void {
    this.#step(this.#exchange.opener);
  }

  /** The client took its request back. In the recording the server may have answered all the same. */
  cancelled(): void {
    const { cancel, own } = this.#exchange;
    if (cancel !== undefined && !this.#again) this.#stage.happened(cancel);
    if (cancel !== undefined && own.some(({ by, n }) => by === 'server' && n > cancel.n)) return;
    this.stop();
  }

  /** Nothing more is said. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    const { own } = this.#exchange;
    this.#stage.schedule.disarm((frame) => own.includes(frame));
    this.#stage.over(this);
  }

  /** Goes on after a modern client answered what a legacy server asked. */
  resume(request: Request, send: Send): void {
    this.#request = request;
    this.#send = send;
    const answers = request.params?.['inputResponses'];
    let last: Frame | undefined;
    for (let frame = this.#exchange.own[this.#at]; isQuestion(frame); frame = this.#exchange.own[this.#at]) {
      this.#at += 1;
      last = frame;
      const given = isObject(answers) ? answers[keyOf(frame)] : undefined;
      this.#answered(frame, { result: given });
    }
    this.#step(last ?? this.#exchange.opener);
  }

  #step(since: Frame): void {
    if (this.#over) return;
    const next = this.#exchange.own[this.#at];
    if (next === undefined) return this.#end();
    if (next.by === 'client') {
      // The server waited for this answer.
      if (!this.#answers.has(next)) return;
      this.#at += 1;
      return this.#step(next);
    }
    this.#stage.schedule.arm(next, since, this.#again ? undefined : this.#said, () => {
      if (this.#over) return;
      this.#said = next;
      if (isQuestion(next) && this.#parts.era === 'modern') return this.#askInAnswer();
      this.#at += 1;
      if (this.#say(next)) this.#step(next);
    });
  }

  /** Says one frame; false when the play does not go on by itself after it. */
  #say(frame: Frame): boolean {
    const { message } = frame;
    if (!('method' in message)) return this.#answer(message);
    if (isRequest(message)) this.#ask(frame, message);
    else this.#notify(message);
    return true;
  }

  #ask(frame: Frame, question: Request): void {
    const unable = unsupportedBy(this.#stage.capabilities(this.#request), question.method, question.params);
    // Who cannot be asked refuses at once, as a client of the recorded kind would not have.
    if (unable !== undefined) return this.#answered(frame, { error: { code: RPC.methodNotFound, message: `not supported: ${unable}` } });
    const id = this.#stage.ask(question, this.#send, (answer) => {
      this.#answered(frame, answer);
      const next = this.#exchange.own[this.#at];
      if (next?.question === frame) this.#step(next);
    });
    this.#asked.set(frame, id);
  }

  #answered(question: Frame, answer: unknown): void {
    const recorded = this.#exchange.own.find((frame) => frame.question === question);
    this.#stage.compare(recorded, answer);
    if (recorded === undefined) return;
    this.#answers.add(recorded);
    if (!this.#again) this.#stage.happened(recorded);
  }

  /** A legacy server's questions to a modern client: they are an answer, and the client comes again with what it says to them. */
  #askInAnswer(): void {
    const questions = questionsFrom(this.#exchange, this.#at);
    const unable = lacking(this.#stage.capabilities(this.#request), questions);
    if (unable !== undefined) {
      this.#send(response(this.#request.id, { error: cannotAsk(unable) }));
      return this.stop();
    }
    const state = this.#stage.handles.mint(`asked.${questions[0]?.n}`);
    this.#stage.rounds.park(state, this);
    const result = { resultType: 'input_required', inputRequests: inputRequests(questions), requestState: state };
    this.#send(
      response(this.#request.id, bridgeOutcome({ result }, this.#request.method, 'legacy', 'modern', this.#stage.face.serverInfo)),
    );
  }

  #notify(notification: Notification): void {
    const { method, params } = notification;
    const meta = metaOf(this.#request.params);
    if (method === 'notifications/progress') {
      const progressToken = meta?.['progressToken'];
      if (progressToken !== undefined) this.#send({ ...notification, params: { ...params, progressToken } });
    } else if (method === 'notifications/cancelled') {
      const question = [...this.#asked.keys()].findLast(({ message }) => 'id' in message && message.id === params?.['requestId']);
      const requestId = question === undefined ? undefined : this.#asked.get(question);
      if (requestId !== undefined) this.#send({ ...notification, params: { ...params, requestId } });
    } else if (method === 'notifications/subscriptions/acknowledged') this.#send(acknowledged(notification, this.#request));
    // Modern servers log for requests that ask for it (2026-07-28, "Logging").
    else if (method !== 'notifications/message' || this.#parts.era === 'legacy' || meta?.[META.logLevel] !== undefined)
      this.#send(notification);
  }

  #answer(answer: Response): boolean {
    const { era, patch, renamed } = this.#parts;
    const { method, id } = this.#request;
    if ('error' in answer) {
      if (this.#visitFirst(answer.error)) return true;
      this.#send(response(id, this.#bridged({ error: answer.error })));
      return true;
    }
    const { handles } = this.#stage;
    let result = handles.give(isObject(answer.result) ? answer.result : {}, this.#again, renamed);
    if (patch !== undefined) result = patch(result);
    if (result['resultType'] === 'input_required') {
      if (era === 'legacy') return this.#askOneByOne(result);
      const state = typeof result['requestState'] === 'string' ? handles.unique(result['requestState']) : undefined;
      if (state !== undefined) result = { ...result, requestState: state };
      this.#stage.rounds.expect(state, this.#exchange, this.#again);
    }
    if (method === 'tools/list' && this.#exchange.era !== era && Array.isArray(result['tools']))
      result = { ...result, tools: result['tools'].map((tool: unknown) => (isObject(tool) ? dressedTool(era, tool) : tool)) };
    this.#send(response(id, this.#bridged({ result })));
    return true;
  }

  /** Where a legacy server says by an error what is to be visited first, a modern client is asked, and comes again. */
  #visitFirst(error: RpcError): boolean {
    const pages = this.#exchange.era === 'legacy' && this.#parts.era === 'modern' ? pagesOf(error) : undefined;
    if (pages === undefined) return false;
    const requestState = this.#stage.handles.mint(`visit.${this.#exchange.opener.n}`);
    this.#stage.rounds.askAgain(requestState);
    const result = { resultType: 'input_required', inputRequests: pages, requestState };
    this.#send(response(this.#request.id, this.#bridged({ result })));
    return true;
  }

  #bridged(outcome: Outcome): Outcome {
    const { era } = this.#parts;
    const from = this.#exchange.era;
    return from === era ? outcome : bridgeOutcome(outcome, this.#request.method, from, era, this.#stage.face.serverInfo);
  }

  /** A modern server's questions to a legacy client: asked, and the recording goes on with the request that brought the answers. */
  #askOneByOne(result: JsonObject): false {
    const asked: unknown = result['inputRequests'];
    const questions = Object.values(isObject(asked) ? asked : {}).filter((question) => isObject(question));
    let open = questions.length;
    const pages: unknown[] = [];
    const goOn = (): void => {
      // Legacy clients wait to be told that the page was visited (2025-11-25, "Elicitation").
      for (const elicitationId of pages)
        this.#send({ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId } });
      const [next] = this.#exchange.rounds;
      if (next === undefined) {
        this.#send(response(this.#request.id, this.#stage.unanswered(this.#exchange, 'round')));
        return this.stop();
      }
      this.#exchange = next;
      this.#said = next.opener;
      this.#at = 0;
      this.#stage.wentOn(next);
      if (!this.#again) this.#stage.happened(next.opener);
      this.#step(next.opener);
    };
    if (open === 0) goOn();
    for (const one of questions) {
      const question = legacyQuestion(one);
      if (question.params?.['elicitationId'] !== undefined) pages.push(question.params['elicitationId']);
      this.#stage.ask(question, this.#send, () => {
        open -= 1;
        if (open === 0 && !this.#over) goOn();
      });
    }
    return false;
  }

  #end(): void {
    const { answer, cancel, listen, abandoned } = this.#exchange;
    if (answer === undefined && !listen) {
      // As in the recording: it goes on until the client has enough.
      if (cancel !== undefined || abandoned) return;
      this.#send(response(this.#request.id, this.#stage.unanswered(this.#exchange, 'unanswered')));
    }
    if (!listen) this.stop();
  }
}
