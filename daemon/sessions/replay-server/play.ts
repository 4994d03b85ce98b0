/** One exchange being played to one client: what the server says in it, step by step, the questions it asks, its answer. */
import { toInputRequest, unsupportedBy } from '../../protocol/asking.ts';
import { RPC } from '../../protocol/codes.ts';
import { bridgeOutcome, dressedTool, type Era, META } from '../../protocol/eras.ts';
import {
  isObject,
  isRequest,
  type JsonObject,
  type Message,
  metaOf,
  type Notification,
  type Outcome,
  type Request,
  type RequestId,
  type Response,
  response,
} from '../../protocol/message.ts';
import type { Handles } from './handles.ts';
import type { ServerFace } from './handshake.ts';
import type { Schedule } from './schedule.ts';
import type { Exchange, Frame } from './script.ts';

/** Sends a message on the way a request's answer takes. */
export type Send = (message: Message) => void;

/** What a play needs of its session. */
export interface Stage {
  readonly schedule: Schedule;
  readonly handles: Handles;
  readonly face: ServerFace;
  /** What the client said it can be asked. */
  capabilities(request: Request): JsonObject;
  /** Asks the client; `answered` gets what it says. Returns the id of the question. */
  ask(question: Request, send: Send, answered: (answer: Response) => void): RequestId;
  /** The client's frame happened: what follows it may be said. */
  happened(frame: Frame): void;
  /** The client must come back with this state to go on with the play. */
  park(state: string, play: Play): void;
  /** The client may come back with this (its state, or the request itself) to go on with the next round of an exchange. */
  expect(state: string | undefined, exchange: Exchange, again: boolean): void;
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
  #over = false;

  constructor(stage: Stage, parts: PlayParts) {
    this.#stage = stage;
    this.#parts = parts;
    this.#exchange = parts.exchange;
    this.#request = parts.request;
    this.#send = parts.send;
    this.#again = parts.again;
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
    this.#stage.schedule.arm(next, since, this.#again ? undefined : this.#exchange.opener, () => {
      if (this.#over) return;
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
    const { own } = this.#exchange;
    const questions: Frame[] = [];
    for (let at = this.#at, frame = own[at]; isQuestion(frame); frame = own[++at]) questions.push(frame);
    const unable = questions.flatMap(
      ({ message }) =>
        unsupportedBy(this.#stage.capabilities(this.#request), (message as Request).method, (message as Request).params) ?? [],
    )[0];
    if (unable !== undefined) return this.#cannotAsk(unable);
    const state = this.#stage.handles.mint(`asked.${questions[0]?.n}`);
    const inputRequests = Object.fromEntries(
      questions.map((frame) => {
        const { method, params } = frame.message as Request;
        return [keyOf(frame), toInputRequest(method, params)];
      }),
    );
    this.#stage.park(state, this);
    const result = { resultType: 'input_required', inputRequests, requestState: state };
    this.#send(
      response(this.#request.id, bridgeOutcome({ result }, this.#request.method, 'legacy', 'modern', this.#stage.face.serverInfo)),
    );
  }

  #cannotAsk(capability: string): void {
    const [name = '', mode] = capability.split('.');
    const requiredCapabilities = { [name]: mode === undefined ? {} : { [mode]: {} } };
    const message = `The recorded server asks for ${capability} here, and the client does not support it.`;
    this.#send(response(this.#request.id, { error: { code: RPC.missingCapability, message, data: { requiredCapabilities } } }));
    this.stop();
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
    } else if (method === 'notifications/subscriptions/acknowledged') this.#acknowledge(notification);
    // Modern servers log for requests that ask for it (2026-07-28, "Logging").
    else if (method !== 'notifications/message' || this.#parts.era === 'legacy' || meta?.[META.logLevel] !== undefined)
      this.#send(notification);
  }

  /** Only what this client asked for is honoured. */
  #acknowledge(notification: Notification): void {
    const wanted = this.#request.params?.['notifications'];
    const honoured = notification.params?.['notifications'];
    const both = Object.entries(isObject(honoured) ? honoured : {}).filter(([kind]) => isObject(wanted) && Object.hasOwn(wanted, kind));
    const _meta = { ...metaOf(notification.params), [META.subscriptionId]: this.#request.id };
    this.#send({ ...notification, params: { ...notification.params, notifications: Object.fromEntries(both), _meta } });
  }

  #answer(answer: Response): boolean {
    const { era, patch, renamed } = this.#parts;
    const { method, id } = this.#request;
    if ('error' in answer) {
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
      this.#stage.expect(state, this.#exchange, this.#again);
    }
    if (method === 'tools/list' && this.#exchange.era !== era && Array.isArray(result['tools']))
      result = { ...result, tools: result['tools'].map((tool: unknown) => (isObject(tool) ? dressedTool(era, tool) : tool)) };
    this.#send(response(id, this.#bridged({ result })));
    return true;
  }

  #bridged(outcome: Outcome): Outcome {
    const { era } = this.#parts;
    const from = this.#exchange.era;
    return from === era ? outcome : bridgeOutcome(outcome, this.#request.method, from, era, this.#stage.face.serverInfo);
  }

  /** A modern server's questions to a legacy client: asked, and the recording goes on with the request that brought the answers. */
  #askOneByOne(result: JsonObject): false {
    const { inputRequests } = result;
    const questions = Object.values(isObject(inputRequests) ? inputRequests : {}).filter((question) => isObject(question));
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
      this.#at = 0;
      if (!this.#again) this.#stage.happened(next.opener);
      this.#step(next.opener);
    };
    if (open === 0) goOn();
    for (const { method, params } of questions) {
      const question: Request = {
        jsonrpc: '2.0',
        id: '',
        method: String(method),
        ...(isObject(params) ? { params: legacyParams(params) } : {}),
      };
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

function isQuestion(frame: Frame | undefined): frame is Frame {
  return frame?.by === 'server' && isRequest(frame.message);
}

function keyOf({ n }: Frame): string {
  return `q${n}`;
}

let elicitations = 0;

/** A question by URL has an id in the legacy era (2025-11-25, "Elicitation"). */
function legacyParams(params: JsonObject): JsonObject {
  if (params['mode'] !== 'url' || params['elicitationId'] !== undefined) return params;
  elicitations += 1;
  return { ...params, elicitationId: `replay-${elicitations}` };
}
