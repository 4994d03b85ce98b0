/** The way to a client. */
import type { Origin } from '../api/sessions.ts';
import type { Message, RequestId } from '../protocol/message.ts';

/**
 * Sends one message to the client: an answer, a notification, or a request of ours. `related` is the client's request it belongs to,
 * `origin` the same as the tap knows it.
 */
export type Deliver = (message: Message, related?: RequestId, origin?: Origin) => void;
