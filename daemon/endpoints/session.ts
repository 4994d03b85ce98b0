/** One client's side of an endpoint over any transport that carries single messages: both eras, message by message. */
import { randomUUID } from 'node:crypto';
import type { Origin } from '../api/sessions.ts';
import { idInUse } from '../protocol/codes.ts';
import { type Era, eraOf, negotiateLegacy } from '../protocol/eras.ts';
import { InFlight } from '../protocol/in-flight.ts';
import {
  isNotification,
  isObject,
  isRequest,
  type JsonObject,
  type Message,
  type Notification,
  type Outcome,
  type Request,
  type RequestId,
  type Response,
  response,
} from '../protocol/message.ts';
import type { AskOptions, Caller, CallerSession } from '../router/call.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import { reaches } from '../router/log-levels.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/handshake.ts';
import { Asks } from './asks.ts';
import type { Deliver } from './deliver.ts';
import { HeldSubscriptions } from './held-subscriptions.ts';
import { ListenSet } from './listens.ts';

/** What makes a legacy session; JSON, so that it can be kept over a restart. */
export interface SessionState {
  readonly protocolVersion: string;
  readonly capabilities: JsonObject;
  readonly clientInfo: JsonObject;
  readonly initialized: boolean;
  readonly level?: string;
  readonly subscribed: readonly string[];
}

/** What a session is built from. */
export interface SessionParts {
  readonly view: EndpointView;
  readonly router: Router;
  readonly identity: Identity;
  readonly deliver: Deliver;
  /** The credential: see {@link Caller}. */
  readonly caller: Omit<Caller, 'session'>;
  /** Name of a legacy session; made up where the transport has none. */
  readonly id?: string;
  /** The state it had before a restart. */
  readonly restored?: SessionState;
  /** Called when the state to be kept changes. */
  readonly onState?: (state: SessionState) => void;
}

/** What is broadcast to a legacy client that never set a level. */
const DEFAULT_LEVEL = 'info';
const SUBSCRIPTIONS: ReadonlySet<string> = new Set(['resources/subscribe', 'resources/unsubscribe']);

/** A client's session. */
export class Session implements CallerSession {
  readonly id: string;
  readonly #parts: SessionParts;
  readonly #running = new InFlight<RequestId, Running>();
  readonly #asks: Asks;
  readonly #listens: ListenSet;
  readonly #subscribed: HeldSubscriptions;
  #unlisten: (() => void) | undefined;
  #state: SessionState | undefined;
  #level: string | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.id = parts.id ?? randomUUID();
    const deliver: Deliver = (message, related) => parts.deliver(message, related, this.#originOf(related));
    this.#asks = new Asks(deliver);
    this.#listens = new ListenSet({ ...parts, deliver, answer: (id, outcome, origin) => this.#answer(id, outcome, origin) });
    this.#subscribed = new HeldSubscriptions((uri, origin) =>
      parts.router.subscribe(parts.view, parts.caller.client, 'legacy', uri, origin),
    );
    if (parts.restored === undefined) return;
    this.#state = parts.restored;
    this.#level = parts.restored.level;
    this.#begin();
    for (const uri of parts.restored.subscribed) this.#subscribed.resume(uri);
  }

  /** Requests being worked on, subscriptions not counted. */
  get busy(): number {
    return this.#running.size;
  }
  get capabilities(): JsonObject {
    return this.#state?.capabilities ?? {};
  }
  get level(): string | undefined {
    return this.#level;
  }
  /** Revision agreed on in the legacy handshake. */
  get protocolVersion(): string | undefined {
    return this.#state?.protocolVersion;
  }

  /**
   * Takes one message of the client; answers go through `deliver`.
   * @param origin the message as the tap knows it
   */
  receive(message: Message, origin?: Origin): void {
    if (isRequest(message)) void this.#request(message, origin);
    else if (isNotification(message)) this.#notification(message);
    else this.#asks.answered(message as Response);
  }

  /** The client's request that a message of it belongs to which is no request: what it cancels, tells the progress of, or answers. */
  originOf(message: Message): Origin | undefined {
    if (!('method' in message)) return this.#originOf(this.#asks.relatedOf(message.id));
    const { method, params } = message;
    if (method === 'notifications/cancelled') return this.#originOf(params?.['requestId'] as RequestId | undefined);
    if (method === 'notifications/progress')
      return this.#originOf(this.#asks.relatedOf(params?.['progressToken'] as RequestId | undefined));
    return undefined;
  }

  /** Asks the client; see {@link CallerSession.ask}. */
  ask(method: string, params: JsonObject | undefined, options: AskOptions): Promise<Outcome> {
    return this.#asks.ask(method, params, options);
  }

  /** Tells the client; see {@link CallerSession.tell}. */
  tell(notification: Notification, related?: RequestId): void {
    if (notification.method === 'notifications/message' && !reaches(notification.params, this.level ?? DEFAULT_LEVEL)) return;
    this.#parts.deliver(notification, related, this.#originOf(related));
  }

  /** Cancels one request, as `notifications/cancelled` does (modern HTTP: the stream was closed). */
  cancel(id: RequestId): void {
    this.#running.get(id)?.abort(new Error('cancelled by the client'));
    this.#listens.end(id, false);
  }

  /** Ends the session: running requests are cancelled, subscriptions given up. */
  dispose(): void {
    this.#unlisten?.();
    for (const controller of this.#running.values()) controller.abort(new Error('the client is gone'));
    this.#asks.close(new Error('the client is gone'));
    this.#listens.close(false);
    const { router, view } = this.#parts;
    this.#subscribed.close();
    router.sessionEnded(view, this.id);
  }

  /** The daemon is leaving: running requests are answered as interrupted, open subscriptions end gracefully. */
  farewell(): void {
    for (const [id, running] of this.#running) {
      running.abort(new Error('the daemon is leaving'));
      this.#answer(id, this.#parts.router.interrupted(running.request), running.origin);
    }
    this.#listens.close(true);
  }

  async #request(request: Request, origin: Origin | undefined): Promise<void> {
    const era = eraOf(request);
    if (this.#running.has(request.id) || this.#listens.has(request.id))
      return this.#answer(request.id, { error: idInUse(request.id) }, origin);
    if (era === 'modern' && request.method === 'subscriptions/listen') return this.#listens.begin(request, origin);
    const running = new Running(request, origin);
    this.#running.set(request.id, running);
    const outcome =
      era === 'legacy' && SUBSCRIPTIONS.has(request.method) ? await this.#subscription(running) : await this.#handle(running, era);
    this.#running.delete(request.id);
    // A cancelled request gets no answer (both eras, "Cancellation").
    if (running.signal.aborted) return;
    this.#remember(request, outcome);
    this.#answer(request.id, outcome, origin);
  }

  #handle({ request, signal, origin }: Running, era: Era): Promise<Outcome> {
    const { router, view, deliver } = this.#parts;
    const notify = (notification: Notification): void => deliver(notification, request.id, origin);
    return router.handle(view, { request, era, signal, caller: this.#caller(era), notify, origin });
  }

  #caller(era: Era): Caller {
    const { caller } = this.#parts;
    return era === 'legacy' ? { ...caller, session: this } : caller;
  }

  /** A subscription is the session's: another one asking for the same resource, or giving it up, changes nothing here. */
  async #subscription({ request: { method, params }, origin }: Running): Promise<Outcome> {
    const uri = String(params?.['uri']);
    const outcome = method === 'resources/subscribe' ? await this.#subscribed.add(uri, origin) : await this.#subscribed.remove(uri, origin);
    if (this.#state !== undefined) this.#keep({ ...this.#state, subscribed: this.#subscribed.uris });
    return outcome;
  }

  /** Everything of a legacy session that outlives its requests. */
  #remember({ method, params }: Request, outcome: Outcome): void {
    if ('error' in outcome) return;
    if (method === 'initialize') {
      const { capabilities, clientInfo, protocolVersion } = params ?? {};
      this.#keep({
        protocolVersion: negotiateLegacy(protocolVersion),
        capabilities: isObject(capabilities) ? capabilities : {},
        clientInfo: isObject(clientInfo) ? clientInfo : {},
        initialized: false,
        // A bridge that comes back says everything at once, and the handshake may be the last to be answered.
        ...(this.#level === undefined ? {} : { level: this.#level }),
        subscribed: this.#subscribed.uris,
      });
    } else if (method === 'logging/setLevel') {
      this.#level = String(params?.['level']);
      if (this.#state !== undefined) this.#keep({ ...this.#state, level: this.#level });
    }
  }

  #keep(state: SessionState): void {
    this.#state = state;
    this.#parts.onState?.(state);
  }

  #answer(id: RequestId, outcome: Outcome, origin: Origin | undefined): void {
    this.#parts.deliver(response(id, outcome), id, origin);
  }

  #originOf(related: RequestId | undefined): Origin | undefined {
    return related === undefined ? undefined : (this.#running.get(related)?.origin ?? this.#listens.originOf(related));
  }

  #notification(notification: Notification): void {
    const { method, params } = notification;
    if (method === 'notifications/initialized') {
      if (this.#state !== undefined && !this.#state.initialized) this.#keep({ ...this.#state, initialized: true });
      this.#begin();
    } else if (method === 'notifications/cancelled') {
      const id = params?.['requestId'];
      if (typeof id === 'string' || typeof id === 'number') this.cancel(id);
    } else if (method === 'notifications/progress') this.#asks.progress(params ?? {});
    else this.#parts.router.told(this.#parts.view, this.id, notification);
  }

  /** From the handshake on a legacy client hears what changes. */
  #begin(): void {
    const { view, caller } = this.#parts;
    this.#unlisten ??= view.listen(
      {
        listChanged: (kind, era) => {
          if (era === 'legacy') this.#parts.deliver({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` });
        },
        notified: (notification) => this.#notified(notification),
        moved: (all) => this.#subscribed.follow(all),
      },
      caller.client,
    );
  }

  #notified(notification: Notification): void {
    const { method, params } = notification;
    if (method === 'notifications/resources/updated') {
      if (this.#subscribed.has(String(params?.['uri']))) this.tell(notification);
    } else if (method === 'notifications/elicitation/complete') {
      if (this.#asks.opened(params?.['elicitationId'])) this.tell(notification);
    } else if (!method.startsWith('notifications/tasks')) this.tell(notification); // a task is one client's; it asks for its state
  }
}

/** A request under way, and what cancels it. */
class Running extends AbortController {
  readonly request: Request;
  readonly origin: Origin | undefined;

  constructor(request: Request, origin: Origin | undefined) {
    super();
    this.request = request;
    this.origin = origin;
  }
}
