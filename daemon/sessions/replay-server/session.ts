/** One client of a replayed server: its requests find what was recorded, and hear what was said around it. */
import { rpcError } from '../../protocol/codes.ts';
import { type Era, eraOf, META } from '../../protocol/eras.ts';
import {
  isNotification,
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
import { courtesy } from './courtesies.ts';
import { Handles, type Translated } from './handles.ts';
import { initializeResult, refusedEra, type ServerFace } from './handshake.ts';
import { Listens, withoutSubscription } from './listens.ts';
import { Lanes } from './matching.ts';
import { Play, type Stage } from './play.ts';
import type { Rehearsal } from './rehearsal.ts';
import { Rounds } from './rounds.ts';
import { Schedule } from './schedule.ts';
import { type Exchange, type Frame, idKey, type Party } from './script.ts';
import type { Send } from './send.ts';

/** One client's session. */
export class ReplaySession implements Stage {
  readonly schedule: Schedule;
  readonly handles = new Handles();
  readonly rounds = new Rounds<Play>();
  readonly #rehearsal: Rehearsal;
  /** Where goes what belongs to no request. */
  readonly #standing: Send;
  readonly #lanes = new Lanes();
  readonly #listens: Listens;
  readonly #running = new Map<string, Play>();
  readonly #questions = new Map<string, (answer: Response) => void>();
  #party: Party | undefined;
  #legacy = false;
  #capabilities: JsonObject = {};
  #cue = 0;
  #asked = 0;

  /** @param standing the way of what belongs to no request */
  constructor(rehearsal: Rehearsal, standing: Send) {
    this.#rehearsal = rehearsal;
    this.#standing = standing;
    this.schedule = new Schedule(rehearsal.pace);
    this.#listens = new Listens();
  }

  get face(): ServerFace {
    return this.#rehearsal.face;
  }

  /**
   * Takes one message of the client.
   * @param send the way its answer takes
   * @returns what plays, where something does: {@link abandon} takes it back
   */
  receive(message: Message, send: Send = this.#standing): Play | undefined {
    let play: Play | undefined;
    if (isRequest(message)) {
      try {
        play = this.#request(message, send);
      } catch (error) {
        // Parameters nested beyond any measure: this request fails, the server lives on.
        send(response(message.id, { error: rpcError(error) }));
      }
    } else if (isNotification(message)) this.#told(message);
    else this.#answered(message);
    this.schedule.run();
    return play;
  }

  /** The client left the stream of a request (modern HTTP: it took it back). */
  abandon(play: Play): void {
    this.#listens.end(play.request.id);
    play.cancelled();
    this.schedule.run();
  }

  /** The client is gone. */
  close(): void {
    this.schedule.close();
  }

  #request(request: Request, send: Send): Play | undefined {
    const { method, params, id } = request;
    const era: Era = method === 'initialize' ? 'legacy' : method === 'server/discover' ? 'modern' : eraOf(request);
    if (!this.#rehearsal.speaks(era)) {
      send(response(id, refusedEra(era, method, params?.['protocolVersion'])));
      return undefined;
    }
    if (method === 'initialize') {
      this.#legacy = true;
      this.#capabilities = isObject(params?.['capabilities']) ? params['capabilities'] : {};
    }
    // A client may ask for the other era first and begin after that.
    if (method !== 'server/discover') this.#follow(era);
    const goneOn = this.#goneOn(request, send, era);
    if (goneOn !== undefined) return goneOn === 'done' ? undefined : goneOn;
    const renamed = this.handles.translate(params);
    const found = this.#rehearsal.find(
      this.#lanes,
      { ...request, ...(renamed.params === undefined ? {} : { params: renamed.params }) },
      {
        era,
        party: this.#party?.name,
        ...(renamed.instance === undefined ? {} : { instance: renamed.instance }),
      },
    );
    if ('exchange' in found) return this.#play(found.exchange, found.again, request, send, era, renamed);
    const made = this.#unrecorded(request, era, send) ?? { error: this.#rehearsal.missed(found.miss) };
    if (made !== 'open') send(response(id, made));
    return undefined;
  }

  #play(exchange: Exchange, again: boolean, request: Request, send: Send, era: Era, renamed: Translated = { params: undefined }): Play {
    this.wentOn(exchange);
    const { method, params, id } = request;
    const { instance, recorded } = renamed;
    const play = new Play(this, {
      exchange,
      request,
      era,
      send,
      again,
      ...(instance === undefined || recorded === undefined ? {} : { renamed: { recorded, instance } }),
      ...(method === 'initialize' ? { patch: (result) => initializeResult(this.face, result, params?.['protocolVersion']) } : {}),
    });
    this.#running.set(idKey(id), play);
    if (exchange.listen) this.#listens.begin({ id, send, exchange, wanted: params?.['notifications'] });
    // Armed before what follows it, so that what came after the answer stays after it.
    play.begin();
    if (!again) this.happened(exchange.opener);
    return play;
  }

  /** What a handshake nobody recorded, a courtesy and a subscription are answered with; undefined = only the recording could know. */
  #unrecorded({ method, params, id }: Request, era: Era, send: Send): Outcome | 'open' | undefined {
    if (method === 'initialize') return { result: initializeResult(this.face, undefined, params?.['protocolVersion']) };
    if (method === 'subscriptions/listen') {
      const wanted = params?.['notifications'];
      this.#listens.begin({ id, send, exchange: undefined, wanted });
      this.#subscribed(wanted);
      const notifications = isObject(wanted) ? wanted : {};
      const _meta = { [META.subscriptionId]: id };
      send({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta } });
      return 'open';
    }
    return courtesy(this.#rehearsal, method, era);
  }

  /** What a legacy client subscribed to one by one, a modern one does here. */
  #subscribed(wanted: unknown): void {
    const uris: unknown = isObject(wanted) ? wanted['resourceSubscriptions'] : undefined;
    for (const { by, message, exchange } of this.#party?.frames ?? []) {
      if (by !== 'client' || exchange === undefined || !isRequest(message) || message.method !== 'resources/subscribe') continue;
      if (Array.isArray(uris) && uris.includes(message.params?.['uri']) && !this.schedule.wasSeen(exchange.opener))
        this.happened(exchange.opener);
    }
  }

  /** A request that goes on with an earlier one, after questions. */
  #goneOn(request: Request, send: Send, era: Era): Play | 'done' | undefined {
    const { method, params, id } = request;
    const goesOn = this.rounds.continued(request);
    if (goesOn === undefined) return undefined;
    if (goesOn.kind === 'play') {
      this.#running.set(idKey(id), goesOn.play);
      goesOn.play.resume(request, send);
      return goesOn.play;
    }
    if (goesOn.kind === 'unknown') {
      send(response(id, { error: this.#rehearsal.missed(this.#rehearsal.missOf(request, 'round')) }));
      return 'done';
    }
    const { before, again } = goesOn;
    const fresh = again ? undefined : before.rounds.find((exchange) => !this.#lanes.played(exchange));
    const exchange = fresh ?? before.rounds.at(-1);
    if (exchange !== undefined) {
      this.compare(exchange.opener, params?.['inputResponses'], method);
      return this.#play(exchange, fresh === undefined, request, send, era);
    }
    send(response(id, this.unanswered(before, 'round')));
    return 'done';
  }

  #told(notification: Notification): void {
    const { method, params } = notification;
    if (method === 'notifications/cancelled') {
      const id = params?.['requestId'] as RequestId;
      this.#listens.end(id);
      this.#running.get(idKey(id))?.cancelled();
      return;
    }
    // A legacy client hears what a modern one had to subscribe to.
    if (method === 'notifications/initialized')
      for (const { exchange, by } of this.#party?.frames ?? [])
        if (by === 'client' && exchange?.listen === true && !this.schedule.wasSeen(exchange.opener)) this.happened(exchange.opener);
    // The same thing said at this point of the recording, if it was.
    const { frames } = this.#party ?? { frames: [] };
    for (let at = this.#cue; at < frames.length; at++) {
      const frame = frames[at];
      if (frame?.by !== 'client' || !isNotification(frame.message) || frame.message.method !== method || this.schedule.wasSeen(frame))
        continue;
      this.#cue = at + 1;
      return this.happened(frame);
    }
  }

  #answered(answer: Response): void {
    const key = idKey(answer.id);
    const waiting = this.#questions.get(key);
    this.#questions.delete(key);
    waiting?.(answer);
  }

  #follow(era: Era): void {
    if (this.#party !== undefined) return;
    this.#party = this.#rehearsal.claim(era);
    for (const frame of this.#party?.first ?? []) this.schedule.arm(frame, undefined, undefined, () => this.#ambient(frame));
  }

  /** Something said outside of exchanges, or on a standing stream. */
  #ambient(frame: Frame): void {
    const { message, exchange } = frame;
    if (isRequest(message)) {
      const answer = frame.party.frames.find(({ question }) => question === frame);
      const over = (): void => {
        if (answer !== undefined) this.happened(answer);
      };
      // Modern clients cannot be asked outside a call: as if it had been answered.
      if (!this.#legacy) over();
      else this.ask(message, this.#standing, over);
    } else if (!('method' in message)) {
      const listening = exchange === undefined ? undefined : this.#listens.of(exchange);
      if (listening === undefined) return;
      this.#listens.end(listening.id);
      listening.send({ ...message, id: listening.id });
    } else if (this.#legacy) this.#standing(withoutSubscription(message));
    else this.#listens.tell(message, exchange);
  }

  // What plays need of their session.

  capabilities(request: Request): JsonObject {
    if (this.#legacy) return this.#capabilities;
    const declared = metaOf(request.params)?.[META.clientCapabilities];
    return isObject(declared) ? declared : {};
  }

  ask(question: Request, send: Send, answered: (answer: Response) => void): RequestId {
    this.#asked += 1;
    const id: RequestId = question.id === '' || this.#questions.has(idKey(question.id)) ? `replay-${this.#asked}` : question.id;
    this.#questions.set(idKey(id), answered);
    send({ ...question, id });
    return id;
  }

  happened(frame: Frame): void {
    this.schedule.seen(frame);
    for (const follower of frame.followers) this.schedule.arm(follower, frame, frame, () => this.#ambient(follower));
  }

  wentOn(exchange: Exchange): void {
    this.#lanes.mark(exchange);
    this.#rehearsal.played(exchange);
  }

  compare(recorded: Frame | undefined, answer: unknown, method?: string): void {
    this.#rehearsal.compare(recorded, answer, method);
  }

  unanswered(exchange: Exchange, why: 'unanswered' | 'round'): Outcome {
    return { error: this.#rehearsal.missed(this.#rehearsal.missOf(exchange.request, why, exchange)) };
  }

  over(play: Play): void {
    const key = idKey(play.request.id);
    if (this.#running.get(key) === play) this.#running.delete(key);
  }
}
