/** The answer to one modern request: plain JSON when only the response comes, an event stream as soon as something comes before it. */
import type { ServerResponse } from 'node:http';
import { RPC } from '../protocol/codes.ts';
import type { Message } from '../protocol/message.ts';
import { eventOf, openStream, writeEvent, writeJson } from './event-stream.ts';

/** 2026-07-28, "Sending messages": errors of the request itself have a status of their own; every other error is an answer like any. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [RPC.methodNotFound, 404],
  [RPC.headerMismatch, 400],
  [RPC.missingCapability, 400],
  [RPC.unsupportedVersion, 400],
]);

/** One request's answer. */
export class Exchange {
  readonly #response: ServerResponse;
  #streaming = false;

  /** @param standing the request stays open for long (`subscriptions/listen`): stream from the start */
  constructor(response: ServerResponse, standing = false) {
    this.#response = response;
    if (standing) this.#stream();
  }

  /** Sends a message; a response is the last one. */
  send(message: Message): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    const last = !('method' in message);
    if (last && !this.#streaming) return writeJson(this.#response, statusOf(message), message);
    this.#stream();
    writeEvent(this.#response, eventOf(message), last);
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
