/** What a replay needs of a transport towards a live server: the links of `upstreams` have this shape, and are handed in. */
import type { SignalboxError } from '../../api/errors.ts';
import type { Message, RequestId } from '../../protocol/message.ts';

/** What a link tells. */
export interface LiveListener {
  /** A message came. `related` is our request on whose stream it came (HTTP only). */
  message(message: Message, related?: RequestId): void;
  /** Something came that is no message, or an answer that never will; with `id` it is about that request. */
  fault(error: SignalboxError, id?: RequestId): void;
  /** The link is gone. */
  closed(error: SignalboxError): void;
}

/** A raw connection to a live server. */
export interface LiveLink {
  readonly kind: 'stdio' | 'http' | 'sse';
  send(message: Message): void;
  /** Nobody waits for that answer any more (HTTP: ends its stream). */
  abandon(id: RequestId): void;
  /** The revision spoken from now on. */
  agreed(revision: string): void;
  close(): Promise<void>;
}

/** Opens a fresh connection: one for every recorded one. */
export type OpenLive = (listener: LiveListener) => Promise<LiveLink>;
