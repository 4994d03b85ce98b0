/** How the router gets a connection for one call. */
import type { Era } from '../protocol/eras.ts';
import type { JsonObject, Notification } from '../protocol/message.ts';
import type { CallEnd } from './circuit-breaker.ts';
import type { Connection } from './connection.ts';

/** For whom a connection is wanted; decides which one it is. */
export interface CallScope {
  /** The client's era: a server that speaks both is spoken to in it. */
  readonly era: Era;
  /** The credential. Sticky balancing, limits and isolation go by it. */
  readonly principal: string;
  /** Legacy session of the client, if it has one. */
  readonly session?: {
    readonly id: string;
    /** What the client declared: a connection of its own is initialized with exactly this. */
    readonly capabilities: JsonObject;
    /** Level of `logging/setLevel`: a connection of the session's own that is opened later is told it. */
    readonly level?: string | undefined;
    /** Hears what the server says on a connection of the session's own that is meant for nobody else (its log). */
    readonly tell?: (notification: Notification) => void;
    /** Answers what the server asks outside any call (`roots/list`), on a connection of the session's own. */
    readonly ask: (
      method: string,
      params: JsonObject | undefined,
      options: { signal?: AbortSignal },
    ) => Promise<import('../protocol/message.ts').Outcome>;
  };
  /** Whether the call may lead to questions (tools/call, prompts/get, resources/read). */
  readonly mayAsk: boolean;
  /** Called when the call has to wait because the caller's other calls hold all connections it may have: these. */
  readonly onCrowded?: (held: readonly Connection[]) => void;
  /** Aborted when the client gives up: leaves the queue. */
  readonly signal: AbortSignal;
}

/** A connection lent for one call. */
export interface Lease {
  readonly connection: Connection;
  /**
   * Gives it back; says how it went, for the circuit breaker. Call once. `failed`: the server could not be reached, was lost or timed out (an
   * error or `isError` that it answered is `ok`); `cancelled`: the client gave up, which says nothing about the server.
   */
  release(outcome: CallEnd): void;
}
