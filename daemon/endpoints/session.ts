/** One client's side of an endpoint over any transport that carries single messages: both eras, message by message. */
import { errorShape, SignalboxError } from '../api/errors.ts';
import { idInUse, RPC, rpcError } from '../protocol/codes.ts';
import { eraOf, META, modernResult } from '../protocol/eras.ts';
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
} from '../protocol/message.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/connection.ts';

/** Sends one message to the client. `related` is the request it belongs to, where there is one. */
export type Deliver = (message: Message, related?: RequestId) => void;

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** A client's session. */
export class Session {
  readonly #view: EndpointView;
  readonly #router: Router;
  readonly #identity: Identity;
  readonly #deliver: Deliver;
  readonly #running = new Map<RequestId, AbortController>();
  readonly #listens = new Map<RequestId, Listen>();
  readonly #subscribed = new Set<string>();
  readonly #unlisten: () => void;
  #initialized = false;
  #level = 'info';

  constructor(parts: { view: EndpointView; router: Router; identity: Identity; deliver: Deliver }) {
    this.#view = parts.view;
    this.#router = parts.router;
    this.#identity = parts.identity;
    this.#deliver = parts.deliver;
    this.#unlisten = this.#view.listen({
      listChanged: (kind) => this.#listChanged(kind),
      notified: (notification) => this.#notified(notification),
    });
  }

  /** Requests being worked on, subscriptions not counted. */
  get busy(): number {
    return this.#running.size;
  }

  /** Takes one message of the client; answers go through `deliver`. */
  receive(message: Message): void {
    if (isRequest(message)) void this.#request(message);
    else if (isNotification(message)) this.#notification(message);
    // A response: we ask clients nothing yet, so it answers nothing.
  }

  /** Cancels one request, as `notifications/cancelled` does (modern HTTP: the stream was closed). */
  cancel(id: RequestId): void {
    this.#running.get(id)?.abort(new Error('cancelled by the client'));
    this.#endListen(id, false);
  }

  /** Ends the session: running requests are cancelled, subscriptions given up. */
  dispose(): void {
    this.#unlisten();
    for (const controller of this.#running.values()) controller.abort(new Error('the client is gone'));
    for (const id of [...this.#listens.keys()]) this.#endListen(id, false);
    for (const uri of this.#subscribed)
      void this.#router.handle(this.#view, {
        request: { jsonrpc: '2.0', id: 0, method: 'resources/unsubscribe', params: { uri } },
        era: 'legacy',
        signal: new AbortController().signal,
        notify: () => {},
      });
  }

  /** Ends open subscriptions gracefully (the daemon is leaving). */
  farewell(): void {
    for (const id of [...this.#listens.keys()]) this.#endListen(id, true);
  }

  async #request(request: Request): Promise<void> {
    const era = eraOf(request);
    if (this.#running.has(request.id) || this.#listens.has(request.id)) {
      this.#answer(request.id, { error: idInUse(request.id) });
      return;
    }
    if (era === 'modern' && request.method === 'subscriptions/listen') return this.#listen(request);
    const controller = new AbortController();
    this.#running.set(request.id, controller);
    const outcome = await this.#router.handle(this.#view, {
      request,
      era,
      signal: controller.signal,
      notify: (notification) => this.#deliver(notification, request.id),
    });
    this.#running.delete(request.id);
    // A cancelled request gets no answer (both eras, "Cancellation").
    if (controller.signal.aborted) return;
    this.#remember(request, outcome);
    this.#answer(request.id, outcome);
  }

  #remember(request: Request, outcome: Outcome): void {
    if ('error' in outcome) return;
    const uri = request.params?.['uri'];
    if (request.method === 'resources/subscribe' && typeof uri === 'string') this.#subscribed.add(uri);
    if (request.method === 'resources/unsubscribe' && typeof uri === 'string') this.#subscribed.delete(uri);
    if (request.method === 'logging/setLevel') this.#level = String(request.params?.['level']);
  }

  #answer(id: RequestId, outcome: Outcome): void {
    this.#deliver({ jsonrpc: '2.0', id, ...outcome }, id);
  }

  #notification(notification: Notification): void {
    if (notification.method === 'notifications/initialized') this.#initialized = true;
    if (notification.method === 'notifications/cancelled') {
      const id = notification.params?.['requestId'];
      if (typeof id === 'string' || typeof id === 'number') this.cancel(id);
    }
  }

  #listChanged(kind: 'tools' | 'prompts' | 'resources'): void {
    const method = `notifications/${kind}/list_changed`;
    if (this.#initialized) this.#deliver({ jsonrpc: '2.0', method });
    for (const [id, listen] of this.#listens) if (listen.kinds.has(kind)) this.#deliver(stamped({ jsonrpc: '2.0', method }, id), id);
  }

  #notified(notification: Notification): void {
    const uri = notification.params?.['uri'];
    if (notification.method === 'notifications/resources/updated' && typeof uri === 'string') {
      if (this.#subscribed.has(uri)) this.#deliver(notification);
      for (const [id, listen] of this.#listens) if (listen.uris.has(uri)) this.#deliver(stamped(notification, id), id);
    } else if (notification.method === 'notifications/message') {
      const level = LEVELS.indexOf(String(notification.params?.['level']));
      if (this.#initialized && level >= LEVELS.indexOf(this.#level)) this.#deliver(notification);
    } else if (this.#initialized) this.#deliver(notification);
  }

  /** `subscriptions/listen` (2026-07-28): acknowledged first with exactly what is honoured, then one notification per change. */
  async #listen(request: Request): Promise<void> {
    const wanted = request.params?.['notifications'];
    if (!isObject(wanted)) {
      this.#answer(request.id, {
        error: rpcError(
          new SignalboxError('SBX_MESSAGE_INVALID', 'subscriptions/listen has no notifications.', {
            why: 'params.notifications is required (2026-07-28).',
            fix: 'Name at least one kind of notification.',
          }),
          RPC.invalidParams,
        ),
      });
      return;
    }
    const listen: Listen = { kinds: new Set(), uris: new Map() };
    this.#listens.set(request.id, listen);
    const honoured: JsonObject = {};
    for (const kind of ['tools', 'prompts', 'resources'] as const) {
      if (wanted[`${kind}ListChanged`] !== true) continue;
      listen.kinds.add(kind);
      honoured[`${kind}ListChanged`] = true;
    }
    const uris = Array.isArray(wanted['resourceSubscriptions'])
      ? wanted['resourceSubscriptions'].filter((uri) => typeof uri === 'string')
      : [];
    for (const uri of uris) {
      try {
        listen.uris.set(uri, await this.#router.subscribe(this.#view, uri));
      } catch (error) {
        if (errorShape(error).code === 'SBX_INTERNAL') throw error; // an unknown or unreachable resource is simply not honoured
      }
    }
    if (listen.uris.size > 0) honoured['resourceSubscriptions'] = [...listen.uris.keys()];
    if (!this.#listens.has(request.id)) {
      for (const release of listen.uris.values()) release();
      return;
    }
    this.#deliver(
      stamped({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications: honoured } }, request.id),
      request.id,
    );
    if (Object.keys(honoured).length === 0) this.#endListen(request.id, true);
  }

  #endListen(id: RequestId, graceful: boolean): void {
    const listen = this.#listens.get(id);
    if (listen === undefined) return;
    this.#listens.delete(id);
    for (const release of listen.uris.values()) release();
    if (graceful)
      this.#answer(id, { result: modernResult({ _meta: { [META.subscriptionId]: id } }, 'subscriptions/listen', { ...this.#identity }) });
  }
}

interface Listen {
  readonly kinds: Set<'tools' | 'prompts' | 'resources'>;
  readonly uris: Map<string, () => void>;
}

function stamped(notification: Notification, id: RequestId): Notification {
  return { ...notification, params: { ...notification.params, _meta: { ...metaOf(notification.params), [META.subscriptionId]: id } } };
}
