/** Whose is what a server says in the middle of calls: by the stream it came on, or because there is only one it could be for. Never a guess. */
import type { Origin } from '../api/sessions.ts';
import type { InFlight } from '../protocol/in-flight.ts';
import { isRequest, type Message, type Notification, type RequestId } from '../protocol/message.ts';
import type { Asker } from './questions.ts';
import type { RequestOptions } from './request.ts';

/** Our requests under way on one connection. */
export type UnderWay = InFlight<RequestId, { readonly options: RequestOptions }>;

/**
 * The request a question belongs to.
 * @param related our request on whose stream it came; absent where streams tell nothing (stdio)
 */
export function askerOf(underWay: UnderWay, method: string, related: RequestId | undefined): Asker {
  if (related !== undefined) {
    const certain = underWay.get(related);
    // A stream that belongs to nobody (any more), or to one who takes no questions, says for certain that it is no other client's.
    return certain?.options.onQuestion === undefined ? 'nobody' : { id: related, options: certain.options };
  }
  // Roots belong to the connection, whatever is under way on it.
  if (method === 'roots/list') return 'nobody';
  let found: { id: RequestId; options: RequestOptions } | undefined;
  for (const [id, { options }] of underWay) {
    // Our own requests (lists, handshakes) belong to no client; a client's that takes no questions may be the one asked about all the same.
    if (options.onQuestion === undefined && options.asker === undefined) continue;
    if (found !== undefined && (found.options.asker === undefined || found.options.asker !== options.asker)) return 'ambiguous';
    if (found?.options.onQuestion === undefined) found = { id, options };
  }
  return found ?? 'nobody';
}

/** Who wants the log, when that is one client for certain. Legacy sessions hear it as a broadcast and do not count. */
export function onlyListener(underWay: UnderWay): ((notification: Notification) => void) | undefined {
  let found: RequestOptions | undefined;
  for (const { options } of underWay.values()) {
    if (options.logLevel === undefined || options.onNotification === undefined) continue;
    if (found !== undefined && found.asker !== options.asker) return undefined;
    found ??= options;
  }
  return found?.onNotification;
}

/** The client's request that what a server says belongs to, as the tap knows it; undefined when it belongs to none, or that is not certain. */
export function originOf(underWay: UnderWay, message: Message, related: RequestId | undefined): Origin | undefined {
  if (!('method' in message)) return message.id === null ? undefined : underWay.get(message.id)?.options.origin?.();
  if (related !== undefined) return underWay.get(related)?.options.origin?.();
  const { method, params } = message;
  if (isRequest(message)) {
    const asker = askerOf(underWay, method, related);
    return typeof asker === 'string' ? undefined : asker.options.origin?.();
  }
  const token = method === 'notifications/progress' ? params?.['progressToken'] : undefined;
  if (typeof token === 'number') return underWay.get(token)?.options.origin?.();
  return method === 'notifications/message' ? onlyCaller(underWay) : undefined;
}

/** The one call that is under way, for a log that does not say whose it is. */
function onlyCaller(underWay: UnderWay): Origin | undefined {
  let found: RequestOptions | undefined;
  for (const { options } of underWay.values()) {
    if (options.origin === undefined) continue;
    if (found !== undefined) return undefined;
    found = options;
  }
  return found?.origin?.();
}
