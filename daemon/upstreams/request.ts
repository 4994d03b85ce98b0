/** What goes with one request to a server, and what the server may ask in the middle of it. */
import type { Origin } from '../api/sessions.ts';
import type { JsonObject, Notification, Outcome } from '../protocol/message.ts';

/** One question: `elicitation/create`, `sampling/createMessage`, `roots/list`, or something newer. */
export interface Question {
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** Aborted when the server takes it back or the call it belongs to is over. */
  readonly signal: AbortSignal;
  /** Passes the client's progress on its answer to the server, under the server's token. Absent when the server gave none. */
  readonly onProgress?: (params: JsonObject) => void;
}

/** How one request is to be carried. */
export interface RequestOptions {
  /** Aborting cancels the request at the server. */
  readonly signal?: AbortSignal;
  /** Receives the params of `notifications/progress` for this request; the caller puts its own token back. */
  readonly onProgress?: (params: JsonObject) => void;
  /** Milliseconds without answer or progress; 0 = no limit. Stands still while a question of this request is open. */
  readonly timeoutMs?: number;
  /** Client capabilities of this request (modern servers). */
  readonly capabilities?: JsonObject;
  /** Log level of this request (modern servers). */
  readonly logLevel?: string;
  /** Hops the request has come through already. */
  readonly hops?: readonly string[];
  /** Answers what a legacy server asks in the middle of this request. */
  readonly onQuestion?: (question: Question) => Promise<Outcome>;
  /** Requests with the same key belong to one client: a question that may belong to any of them is that client's for certain. */
  readonly asker?: string;
  /** The client's request it is sent for, as the tap knows it; of a call of several rounds, the present one. */
  readonly origin?: () => Origin | undefined;
  /** Receives notifications that belong to this request (log messages). */
  readonly onNotification?: (notification: Notification) => void;
}
