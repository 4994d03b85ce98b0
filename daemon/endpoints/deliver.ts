/** The way to a client. */
import type { Message, RequestId } from '../protocol/message.ts';

/** Sends one message to the client: an answer, a notification, or a request of ours. `related` is the client's request it belongs to. */
export type Deliver = (message: Message, related?: RequestId) => void;
