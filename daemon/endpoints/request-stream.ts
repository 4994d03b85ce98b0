/** The answer to one POST of a legacy session: plain JSON when only the response comes, a resumable event stream as soon as more does. */
import type { ServerResponse } from 'node:http';
import { isRequest, type Message } from '../protocol/message.ts';
import { openStream, writeJson } from './event-stream.ts';
import type { ResumableStream } from './resumable-stream.ts';

/** Milliseconds without an answer after which a client is given a stream it can come back to. */
const PRIME_AFTER_MS = 1000;

/** One request's answer. */
export class RequestStream {
  readonly #events: ResumableStream;
  readonly #primed: boolean;
  readonly #onStream: () => void;
  #response: ServerResponse | undefined;
  #streaming = false;
  #over = false;
  #prime: NodeJS.Timeout | undefined;

  /**
   * @param primed the client knows events with an id and no data (2025-11-25): a long call becomes a stream it can resume
   * @param onGone the client left and cannot come back
   * @param onStream it became a stream the client can come back to
   */
  constructor(parts: {
    readonly response: ServerResponse;
    readonly events: ResumableStream;
    readonly primed: boolean;
    readonly onGone: () => void;
    readonly onStream: () => void;
  }) {
    const { response, events, primed, onGone } = parts;
    this.#events = events;
    this.#onStream = parts.onStream;
    this.#primed = primed && events.resumable;
    this.#response = response;
    if (this.#primed) this.#prime = setTimeout(() => this.#stream(), PRIME_AFTER_MS).unref();
    response.once('close', () => {
      this.#response = undefined;
      clearTimeout(this.#prime);
      // A plain disconnect is not a cancel in the legacy era (2025-11-25, transports): the call runs on.
      if (!this.#over && !(this.#streaming && events.resumable)) onGone();
    });
  }

  /** Its events, if it became a stream that can be resumed. */
  get resumable(): ResumableStream | undefined {
    return this.#streaming && this.#events.resumable ? this.#events : undefined;
  }

  /**
   * Sends a message; a response is the last one.
   * @returns its bytes; 0 when it could not be sent
   */
  send(message: Message): number {
    if (this.#over) return 0;
    const last = !('method' in message);
    if (last) this.#end();
    if (last && !this.#streaming) return this.#response === undefined ? 0 : writeJson(this.#response, 200, message);
    this.#stream();
    return this.#events.send(message, last ? 'answer' : isRequest(message) ? 'request' : 'notification');
  }

  /** The client cancelled: there will be no answer, and nothing is left open for one. */
  cancelled(): void {
    if (this.#over) return;
    this.#end();
    if (!this.#streaming && this.#response !== undefined) {
      openStream(this.#response);
      this.#response.end();
    }
    this.#events.end();
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#prime);
  }

  #stream(): void {
    if (this.#streaming) return;
    this.#streaming = true;
    clearTimeout(this.#prime);
    if (this.#response === undefined) return;
    if (this.#events.resumable) this.#onStream();
    this.#events.attach(this.#response);
    if (this.#primed) this.#events.prime();
  }
}
