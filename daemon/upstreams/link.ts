/** A byte transport towards one server, and what opening one needs from the rest of the daemon. */
import type { Readable, Writable } from 'node:stream';
import type { SignalboxError } from '../api/errors.ts';
import type { Direction, Origin } from '../api/sessions.ts';
import type { Message, RequestId } from '../protocol/message.ts';

/** What a link reports. Set once, before anything is sent. */
export interface LinkListener {
  /**
   * A message arrived. `related` is our request on whose stream it came (HTTP only): it belongs to that request for certain.
   * @param bytes it had on the wire, where there is a wire
   */
  message(message: Message, related?: RequestId, bytes?: number): void;
  /** Something arrived that is no message; the link lives on. With `id`, it was the answer to that request. */
  fault(error: SignalboxError, id?: RequestId): void;
  /** The link is gone; called once. */
  closed(error: SignalboxError): void;
  /** The client's request that a message just arrived (and not handed over yet) or the answer to our request `id` belongs to. */
  originOf?(message: Message, related?: RequestId): Origin | undefined;
  /**
   * The link said or heard something on its own account (a request sent again, a list read for it), for whoever watches.
   * @param request our request it is about
   */
  aside?(direction: Direction, message: Message, request: RequestId | undefined): void;
}

/** A transport towards one server. */
export interface Link {
  /** `http` tells on whose stream a message came, `stdio` and `sse` (HTTP+SSE) do not. */
  readonly kind: 'stdio' | 'http' | 'sse';
  /** Process id of a stdio server. */
  readonly pid?: number;
  /**
   * Sends one message; failures are reported to the listener.
   * @param origin the client's request it belongs to
   * @returns its bytes; 0 when it is not sent, undefined when nobody counts them
   */
  send(message: Message, origin?: Origin): number | undefined;
  /** Gives up waiting for the answer to `id` (HTTP: ends its stream). */
  abandon(id: RequestId): void;
  /** Called after the handshake with the revision agreed on (HTTP headers and the notification stream depend on it). */
  agreed(revision: string): void;
  /** Ends the link and what it started. */
  close(): Promise<void>;
}

/** Opens a link, for one client's session alone if that is named; throws a {@link SignalboxError} when the server cannot be started or reached. */
export type OpenLink = (listener: LinkListener, session?: string | undefined) => Promise<Link>;

/** A child process as the lifecycle hands it out: own process group, known to the guardian. */
export interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Descriptors from 3 on. */
  readonly pipes: readonly (Readable & Writable)[];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** stdin EOF, then SIGTERM, then SIGKILL to the group. */
  end(): Promise<void>;
}
/** Starts a child process. */
export type SpawnChild = (options: {
  command: string;
  args: readonly string[];
  env: Record<string, string>;
  cwd: string;
  extraPipes: number;
}) => Promise<Child>;
