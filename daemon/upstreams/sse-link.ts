/** A server behind HTTP+SSE, the transport of 2024-11-05: a GET stream names the endpoint messages are posted to, and carries all it says. */
import type { Pool } from 'undici';
import { SignalboxError } from '../api/errors.ts';
import { byteLength, encode, readFrame } from '../protocol/frame.ts';
import { idAtEdge, isRequest, type Message, type RequestId } from '../protocol/message.ts';
import type { StreamEvent } from './event-stream.ts';
import { type Answer, Exchange } from './http-exchange.ts';
import { configuredHeaders, connections, type HttpLinkOptions } from './http-link.ts';
import type { Link, LinkListener } from './link.ts';
import { httpFailure, tooLarge, unreachable } from './link-errors.ts';

/** Speaks HTTP+SSE. The stream is opened at once; what is sent before the endpoint is known waits. When the stream ends, so does the link. */
export class SseLink implements Link {
  readonly kind = 'sse';
  readonly #listener: LinkListener;
  readonly #options: HttpLinkOptions;
  readonly #pool: Pool;
  readonly #headers: readonly string[];
  readonly #stream: Exchange;
  readonly #posts = new Set<Exchange>();
  readonly #refusal: SignalboxError | undefined;
  #waiting: Message[] = [];
  #endpoint: string | undefined;
  #closed = false;

  /** @param refusal why Streamable HTTP failed: told instead of our own failure, for that is what the user configured */
  constructor(listener: LinkListener, options: HttpLinkOptions, refusal?: SignalboxError) {
    this.#listener = listener;
    this.#options = options;
    this.#refusal = refusal;
    this.#pool = connections(options.url);
    const { accept: _accept, 'content-type': _type, ...configured } = configuredHeaders(options);
    this.#headers = Object.entries(configured).flat();
    this.#stream = new Exchange(
      {
        event: (event) => this.#event(event),
        oversize: (bytes, head, tail) => listener.fault(tooLarge(options.server, bytes, options.messageBytes), idAtEdge(head, tail)),
        ended: ({ status, body }) =>
          this.#end(
            body === undefined
              ? unreachable(options.server, options.url, 'It closed the event stream, and with it the session.')
              : httpFailure(options.server, status, body),
          ),
        broken: (error) => this.#end(unreachable(options.server, options.url, error.message, error)),
      },
      options.messageBytes,
    );
    const { pathname, search } = new URL(options.url);
    this.#dispatch('GET', pathname + search, ['accept', 'text/event-stream', ...this.#headers], this.#stream);
  }

  send(message: Message): number | undefined {
    if (this.#closed) return 0;
    if (this.#endpoint !== undefined) return this.#post(this.#endpoint, message);
    this.#waiting.push(message);
    return undefined;
  }

  abandon(id: RequestId): void {
    this.#waiting = this.#waiting.filter((message) => !(isRequest(message) && message.id === id));
  }

  agreed(): void {}

  close(): Promise<void> {
    this.#end(unreachable(this.#options.server, this.#options.url, 'The link was closed.'));
    return this.#pool.destroy();
  }

  #event({ type = 'message', data }: StreamEvent): void {
    if (type === 'endpoint') return this.#found(data.toString('utf8'));
    if (type !== 'message' || data.length === 0) return;
    let message: Message;
    try {
      message = readFrame(data);
    } catch (error) {
      this.#listener.fault(error as SignalboxError);
      return;
    }
    this.#listener.message(message, undefined, data.length);
  }

  /** The endpoint must be of the stream's own origin: our headers (a token, perhaps) go there. */
  #found(reference: string): void {
    const { url, server } = this.#options;
    const endpoint = URL.parse(reference, url);
    if (endpoint?.origin !== new URL(url).origin) {
      this.#end(
        new SignalboxError('SBX_SERVER_PROTOCOL', `Server "${server}" names an endpoint of another origin.`, {
          why: `It wants messages posted to ${JSON.stringify(reference)}; only ${new URL(url).origin} is configured.`,
          fix: 'Correct the public address in the configuration of the server (or of the proxy before it).',
        }),
      );
      return;
    }
    this.#endpoint = endpoint.pathname + endpoint.search;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#post(this.#endpoint, message);
  }

  #post(path: string, message: Message): number {
    const { server, url, messageBytes } = this.#options;
    const id = isRequest(message) ? message.id : undefined;
    const frame = encode(message);
    const size = byteLength(frame);
    if (size > messageBytes) {
      this.#listener.fault(tooLarge(server, size, messageBytes), id);
      return 0;
    }
    const over = (error?: SignalboxError): void => {
      this.#posts.delete(exchange);
      if (error !== undefined && !this.#closed) this.#listener.fault(error, id);
    };
    const exchange = new Exchange(
      {
        event() {},
        oversize() {},
        ended: ({ status, body }: Answer) => over(status < 300 ? undefined : httpFailure(server, status, body)),
        broken: (error) => over(unreachable(server, url, error.message, error)),
      },
      messageBytes,
    );
    this.#posts.add(exchange);
    const body = typeof frame === 'string' ? frame : Buffer.concat(frame, size);
    this.#dispatch('POST', path, ['content-type', 'application/json', ...this.#headers], exchange, body);
    return size;
  }

  #dispatch(method: 'GET' | 'POST', path: string, headers: readonly string[], exchange: Exchange, body?: string | Buffer): void {
    try {
      this.#pool.dispatch({ path, method, headers: headers as string[], ...(body === undefined ? {} : { body }) }, exchange);
    } catch (error) {
      const { server, url } = this.#options;
      queueMicrotask(() => this.#end(unreachable(server, url, error instanceof Error ? error.message : String(error), error)));
    }
  }

  #end(error: SignalboxError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.#stream.abort();
    for (const post of this.#posts) post.abort();
    void this.#pool.destroy();
    this.#listener.closed(this.#endpoint === undefined ? (this.#refusal ?? error) : error);
  }
}
