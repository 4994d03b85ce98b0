/** The answer to one HTTP request: plain JSON when only the response comes, an event stream as soon as something comes before it. */
import type { ServerResponse } from 'node:http';
import type { Message } from '../protocol/message.ts';

/** Milliseconds between comments that keep a stream alive through proxies. */
const KEEP_ALIVE_MS = 15_000;

/** One request's answer. */
export class Exchange {
  readonly #response: ServerResponse;
  #streaming = false;
  #keepAlive: NodeJS.Timeout | undefined;

  /** @param standing the request stays open for long (`subscriptions/listen`): stream from the start */
  constructor(response: ServerResponse, { standing }: { standing: boolean }) {
    this.#response = response;
    response.once('close', () => clearInterval(this.#keepAlive));
    if (standing) this.#stream();
  }

  /** Sends a message; `last` is the response, after which the exchange is over. */
  send(message: Message, last: boolean): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    const text = JSON.stringify(message);
    if (last && !this.#streaming) {
      this.#response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
      return;
    }
    this.#stream();
    const event = `event: message\ndata: ${text}\n\n`;
    if (last) this.#response.end(event);
    else this.#response.write(event);
  }

  #stream(): void {
    if (this.#streaming) return;
    this.#streaming = true;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    this.#response.flushHeaders();
    this.#keepAlive = setInterval(() => this.#response.write(': keep-alive\n\n'), KEEP_ALIVE_MS).unref();
  }
}
