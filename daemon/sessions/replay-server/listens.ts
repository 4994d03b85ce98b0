/** The open `subscriptions/listen` of a session (2026-07-28, "Subscriptions"): who hears what changes. */
import { META } from '../../protocol/eras.ts';
import { isObject, metaOf, type Notification, type Request, type RequestId } from '../../protocol/message.ts';
import { type Exchange, idKey } from './script.ts';
import type { Send } from './send.ts';

/** One open subscription. */
export interface Listening {
  readonly id: RequestId;
  readonly send: Send;
  /** The recorded one it plays; absent where none was recorded. */
  readonly exchange: Exchange | undefined;
  /** `params.notifications`: what the client wants to hear. */
  readonly wanted: unknown;
}

/** Subscriptions by the id of their request. */
export class Listens {
  readonly #open = new Map<string, Listening>();

  begin(listening: Listening): void {
    this.#open.set(idKey(listening.id), listening);
  }

  end(id: RequestId): void {
    this.#open.delete(idKey(id));
  }

  /** The one that plays a recorded subscription. */
  of(exchange: Exchange): Listening | undefined {
    return [...this.#open.values()].find((listening) => listening.exchange === exchange);
  }

  /** Tells whoever wants to hear it; the recorded subscription it came on first. */
  tell(notification: Notification, exchange: Exchange | undefined): void {
    const own = exchange === undefined ? undefined : this.of(exchange);
    for (const { id, send, wanted } of own === undefined ? this.#open.values() : [own]) {
      if (!wants(wanted, notification)) continue;
      send({ ...notification, params: { ...notification.params, _meta: { ...metaOf(notification.params), [META.subscriptionId]: id } } });
    }
  }
}

function wants(wanted: unknown, { method, params }: Notification): boolean {
  if (!isObject(wanted)) return false;
  const [, list] = /^notifications\/(tools|prompts|resources)\/list_changed$/.exec(method) ?? [];
  if (list !== undefined) return wanted[`${list}ListChanged`] === true;
  if (method === 'notifications/resources/updated')
    return Array.isArray(wanted['resourceSubscriptions']) && wanted['resourceSubscriptions'].includes(params?.['uri']);
  // Progress and log belong to requests; kinds nobody knows are for whoever asked for anything.
  return method !== 'notifications/message' && method !== 'notifications/progress';
}

/** A notification as a legacy client gets it. */
export function withoutSubscription(notification: Notification): Notification {
  const { [META.subscriptionId]: id, ...rest } = metaOf(notification.params) ?? {};
  if (id === undefined) return notification;
  const { _meta, ...params } = notification.params ?? {};
  return { ...notification, params: Object.keys(rest).length === 0 ? params : { ...params, _meta: rest } };
}

/** What a subscription honours: of what was honoured in the recording only what this client asks for. */
export function acknowledged(notification: Notification, { id, params }: Request): Notification {
  const wanted = params?.['notifications'];
  const honoured = notification.params?.['notifications'];
  const both = Object.entries(isObject(honoured) ? honoured : {}).filter(([kind]) => isObject(wanted) && Object.hasOwn(wanted, kind));
  const _meta = { ...metaOf(notification.params), [META.subscriptionId]: id };
  return { ...notification, params: { ...notification.params, notifications: Object.fromEntries(both), _meta } };
}
