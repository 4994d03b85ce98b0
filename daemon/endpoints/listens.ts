/** `subscriptions/listen` (2026-07-28, "Subscriptions"): acknowledged first with exactly what is honoured, then one notification per change. */
import { SignalboxError } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import { RPC, rpcError } from '../protocol/codes.ts';
import { META, modernResult } from '../protocol/eras.ts';
import { isObject, type JsonObject, metaOf, type Notification, type Outcome, type Request, type RequestId } from '../protocol/message.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/handshake.ts';
import type { Deliver } from './deliver.ts';
import { HeldSubscriptions } from './held-subscriptions.ts';

type Kind = 'tools' | 'prompts' | 'resources';
const KINDS: readonly Kind[] = ['tools', 'prompts', 'resources'];

interface Listen {
  readonly origin: Origin | undefined;
  readonly kinds: Set<Kind>;
  readonly resources: HeldSubscriptions;
  acknowledged: boolean;
}

/** What the subscriptions of one client need. */
export interface ListenParts {
  readonly view: EndpointView;
  readonly router: Router;
  readonly identity: Identity;
  readonly deliver: Deliver;
  readonly caller: { readonly client: string };
  readonly answer: (id: RequestId, outcome: Outcome, origin: Origin | undefined) => void;
}

/** The open subscriptions of one client. */
export class ListenSet {
  readonly #parts: ListenParts;
  readonly #open = new Map<RequestId, Listen>();
  #unlisten: (() => void) | undefined;

  constructor(parts: ListenParts) {
    this.#parts = parts;
  }

  /** Whether a subscription of that id is open. */
  has(id: RequestId): boolean {
    return this.#open.has(id);
  }

  /** The request that opened a subscription, as the tap knows it. */
  originOf(id: RequestId): Origin | undefined {
    return this.#open.get(id)?.origin;
  }

  /** Opens a subscription. */
  async begin(request: Request, origin?: Origin): Promise<void> {
    const { router, view, deliver, answer, caller } = this.#parts;
    const wanted = request.params?.['notifications'];
    if (!isObject(wanted)) return answer(request.id, { error: rpcError(noFilter(), RPC.invalidParams) }, origin);
    const resources = new HeldSubscriptions((uri, by) => router.subscribe(view, caller.client, 'modern', uri, by));
    const listen: Listen = { origin, kinds: new Set(), resources, acknowledged: false };
    this.#open.set(request.id, listen);
    this.#unlisten ??= view.listen(
      {
        listChanged: (kind, era) => {
          if (era === 'modern') this.#listChanged(kind);
        },
        notified: (notification) => this.#notified(notification),
        moved: (all) => {
          for (const { resources: held } of this.#open.values()) held.follow(all);
        },
      },
      caller.client,
    );
    // A change can only be told of a list that is known; a server that does not answer is not waited for.
    if (KINDS.some((kind) => wanted[`${kind}ListChanged`] === true)) await view.met(caller.client, 'modern');
    const honoured: JsonObject = {};
    for (const kind of KINDS) {
      if (wanted[`${kind}ListChanged`] !== true) continue;
      listen.kinds.add(kind);
      honoured[`${kind}ListChanged`] = true;
    }
    const given = wanted['resourceSubscriptions'];
    // An unknown or unreachable resource is simply not honoured.
    for (const uri of Array.isArray(given) ? given : []) if (typeof uri === 'string') await resources.add(uri, origin);
    if (resources.uris.length > 0) honoured['resourceSubscriptions'] = resources.uris;
    if (this.#open.get(request.id) !== listen) return resources.close();
    listen.acknowledged = true;
    deliver(
      stamped({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications: honoured } }, request.id),
      request.id,
    );
    if (Object.keys(honoured).length === 0) this.end(request.id, true);
  }

  /** Ends one subscription; gracefully with its answer. */
  end(id: RequestId, graceful: boolean): void {
    const listen = this.#open.get(id);
    if (listen === undefined) return;
    this.#open.delete(id);
    if (this.#open.size === 0) {
      this.#unlisten?.();
      this.#unlisten = undefined;
    }
    listen.resources.close();
    if (!graceful) return;
    const result = modernResult({ _meta: { [META.subscriptionId]: id } }, 'subscriptions/listen', { ...this.#parts.identity });
    this.#parts.answer(id, { result }, listen.origin);
  }

  /** Ends all of them. */
  close(graceful: boolean): void {
    for (const id of [...this.#open.keys()]) this.end(id, graceful);
  }

  #listChanged(kind: Kind): void {
    const notification: Notification = { jsonrpc: '2.0', method: `notifications/${kind}/list_changed` };
    for (const [id, listen] of this.#open)
      if (listen.acknowledged && listen.kinds.has(kind)) this.#parts.deliver(stamped(notification, id), id);
  }

  /** Progress and log belong to requests and never come here (2026-07-28, "Subscriptions"). */
  #notified(notification: Notification): void {
    if (notification.method !== 'notifications/resources/updated') return;
    const uri = String(notification.params?.['uri']);
    for (const [id, listen] of this.#open)
      if (listen.acknowledged && listen.resources.has(uri)) this.#parts.deliver(stamped(notification, id), id);
  }
}

function stamped(notification: Notification, id: RequestId): Notification {
  return { ...notification, params: { ...notification.params, _meta: { ...metaOf(notification.params), [META.subscriptionId]: id } } };
}

function noFilter(): SignalboxError {
  return new SignalboxError('SBX_MESSAGE_INVALID', 'subscriptions/listen has no notifications.', {
    why: 'params.notifications is required (2026-07-28).',
    fix: 'Name at least one kind of notification.',
  });
}
