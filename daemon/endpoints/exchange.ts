/** The answer to one modern request: plain JSON when only the response comes, an event stream as soon as something comes before it. */
import type { ServerResponse } from 'node:http';
import { type Origin, STREAM_CLOSED_BY_CLIENT, type TapChannel } from '../api/sessions.ts';
import { RPC } from '../protocol/codes.ts';
import type { Message, RequestId } from '../protocol/message.ts';
import { eventOf, messageSize, openStream, writeEvent, writeJson } from './event-stream.ts';

/** 2026-07-28, "Sending messages": errors of the request itself have a status of their own; every other error is an answer like any. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [RPC.methodNotFound, 404],
  [RPC.headerMismatch, 400],
  [RPC.missingCapability, 400],
  [RPC.unsupportedVersion, 400],
]);

/** How the tap sees one request's answer. */
export interface SeenExchange {
  readonly channel: TapChannel;
  readonly origin: Origin;
  /** Id of the request. */
  readonly stream: RequestId;
}

/** One request's answer. */
export class Exchange {
  readonly #response: ServerResponse;
  readonly #seen: SeenExchange | undefined;
  #streaming = false;

  /**
   * @param standing the request stays open for long (`subscriptions/listen`): stream from the start
   * @param seen shows it to the tap
   */
  constructor(response: ServerResponse, standing = false, seen?: SeenExchange) {
    this.#response = response;
    this.#seen = seen;
    if (standing) this.#stream();
  }

  /** Sends a message; a response is the last one. */
  send(message: Message): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    const last = !('method' in message);
    if (last && !this.#streaming) return this.#sent(message, writeJson(this.#response, statusOf(message), message));
    this.#stream();
    const event = eventOf(message);
    writeEvent(this.#response, event, last);
    this.#sent(message, messageSize(event));
  }

  /** The client went away before its answer: for a modern one that is a cancel. */
  gone(): void {
    this.#seen?.channel.fault(STREAM_CLOSED_BY_CLIENT, this.#seen.origin);
  }

  #sent(message: Message, bytes: number): void {
    const seen = this.#seen;
    seen?.channel.out(message, { bytes, era: 'modern', stream: seen.stream, origin: seen.origin });
  }

  #stream(): void {
    if (this.#streaming) return;
    this.#streaming = true;
    openStream(this.#response);
  }
}

function statusOf(message: Message): number {
  return 'error' in message ? (STATUS.get(message.error.code) ?? 200) : 200;
}
