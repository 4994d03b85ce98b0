/** One client request as the router gets it, and who stands behind it. */
import type { Origin } from '../api/sessions.ts';
import type { Era } from '../protocol/eras.ts';
import type { JsonObject, Notification, Outcome, Request, RequestId } from '../protocol/message.ts';

/** Who is calling: the credential and, in the legacy era, the session. `clientInfo` decides nothing. */
export interface Caller {
  /** The credential: client name × endpoint path. Visibility, limits and sealed state are bound to it. */
  readonly principal: string;
  /** Name of the client as wired (`claude-code`), the key of its policy in the configuration. */
  readonly client: string;
  /** Legacy sessions only. */
  readonly session?: CallerSession;
}

/** How one question is to be asked. */
export interface AskOptions {
  /** Aborted when the question is taken back. */
  readonly signal?: AbortSignal;
  /** The client's own request it belongs to: it goes out on that stream. */
  readonly related?: RequestId;
  /** Receives the client's progress on its answer; the caller puts its own token back. */
  readonly onProgress?: (params: JsonObject) => void;
}

/** A legacy session that can be asked. */
export interface CallerSession {
  readonly id: string;
  /** What the client declared in `initialize`. */
  readonly capabilities: JsonObject;
  /** Level of `logging/setLevel`, if the client set one. */
  readonly level: string | undefined;
  /** Sends a request to the client and waits for its answer. Rejects when it is taken back or the client is gone. */
  ask(method: string, params: JsonObject | undefined, options: AskOptions): Promise<Outcome>;
  /** Sends a notification to the client. */
  tell(notification: Notification, related?: RequestId): void;
}

/** A request as it reached an endpoint. */
export interface ClientCall {
  readonly request: Request;
  readonly era: Era;
  readonly caller: Caller;
  /** Waits for the client's turn at a server, where it has limits; what it gives is called when the server is done. */
  readonly admit?: ((signal: AbortSignal) => Promise<() => void>) | undefined;
  /** The request as the tap knows it; handed along to whatever is sent for it. */
  readonly origin?: Origin | undefined;
  /** Aborted when the client cancels. */
  readonly signal: AbortSignal;
  /** Sends a notification that belongs to this request (progress, log). */
  readonly notify: (notification: Notification) => void;
}
