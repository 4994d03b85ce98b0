/** A server behind Streamable HTTP, in either era (2025-11-25 and 2026-07-28, "Streamable HTTP"). */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import type { SignalboxError } from '../api/errors.ts';
import { MODERN_VERSION, modernHeaders } from '../protocol/eras.ts';
import { byteLength, encode, type Frame } from '../protocol/frame.ts';
import { InFlight } from '../protocol/in-flight.ts';
import { isRequest, type JsonObject, type Message, metaOf, type Request, type RequestId } from '../protocol/message.ts';
import { Exchange } from './http-exchange.ts';
import { HttpPost, type PostOwner } from './http-post.ts';
import type { Link, LinkListener } from './link.ts';
import { tooLarge, unreachable } from './link-errors.ts';
import { ParamMirror } from './param-mirror.ts';
import { StandingStream } from './standing-stream.ts';

/** What an HTTP link needs to know. */
export interface HttpLinkOptions {
  /** Name for errors. */
  readonly server: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Largest message in bytes, both directions. */
  readonly messageBytes: number;
  /** Id of this daemon where the server is another one: said in `Via` (RFC 9110 section 7.6.3), so that a circle is seen. */
  readonly hop?: string;
}

/**
 * Connections are as many as there are requests at once; idle ones are closed after this many milliseconds. Node and uvicorn close theirs
 * after 5 s, uvicorn without saying so, and a call that meets a closing connection cannot be told from one that was run.
 */
const IDLE_MS = 4000;
/** Milliseconds the goodbye to a session may take. */
const GOODBYE_MS = 2000;

/** The connections to an origin: no limit of time on an answer, that is the caller's. */
export function connections(url: string): Pool {
  return new Pool(new URL(url).origin, { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: IDLE_MS });
}

/** The headers of every request to a server, by lower-case name. */
export function configuredHeaders({ headers, hop }: HttpLinkOptions): Record<string, string> {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return hop === undefined ? lower : { ...lower, via: [lower['via'], `1.1 signalbox-${hop}`].filter(Boolean).join(', ') };
}

/**
 * Speaks Streamable HTTP. Nothing is sent before the first message.
 * @param tooOld gets an `initialize` the server refused as one that knows only HTTP+SSE does, and that refusal
 */
export class HttpLink implements Link, PostOwner {
  readonly kind = 'http';
  readonly listener: LinkListener;
  readonly options: HttpLinkOptions;
  readonly tooOld: ((message: Message, refusal: SignalboxError) => void) | undefined;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #configured: Record<string, string>;
  readonly #mirror = new ParamMirror();
  readonly #open = new InFlight<RequestId, HttpPost>();
  #common: readonly string[] = [];
  #session: string | undefined;
  #revision: string | undefined;
  #standing: StandingStream | undefined;
  #closed = false;

  constructor(listener: LinkListener, options: HttpLinkOptions, tooOld?: (message: Message, refusal: SignalboxError) => void) {
    this.listener = listener;
    this.options = options;
    this.tooOld = tooOld;
    this.#pool = connections(options.url);
    const { pathname, search } = new URL(options.url);
    this.#path = pathname + search;
    this.#configured = configuredHeaders(options);
    this.#dress();
  }

  get session(): string | undefined {
    return this.#session;
  }
  /** Whether a stream that broke off may be taken up again: sessions only, the modern era has none (2026-07-28, "Streamable HTTP"). */
  get resumable(): boolean {
    return !this.#closed && this.#revision !== MODERN_VERSION;
  }

  send(message: Message): number {
    if (this.#closed) return 0;
    const frame = encode(message);
    const { server, messageBytes } = this.options;
    const size = byteLength(frame);
    const id = isRequest(message) ? message.id : undefined;
    if (size > messageBytes) {
      this.listener.fault(tooLarge(server, size, messageBytes), id);
      return 0;
    }
    const post = new HttpPost(this, message, id, this.listener);
    if (id !== undefined) this.#open.set(id, post);
    this.post(message, post, frame);
    return size;
  }

  /** Posts a message, for the first or the second time. */
  post(message: Message, post: HttpPost, frame: Frame = encode(message)): void {
    if (this.#closed) return;
    const body = typeof frame === 'string' ? frame : Buffer.concat(frame);
    post.exchange = this.request('POST', this.#postHeaders(message), post, body);
  }

  /** A list of tools may say what their calls must mirror. */
  listed(bytes: Buffer, result: () => JsonObject): void {
    if (this.#revision === MODERN_VERSION && ParamMirror.concerns(bytes)) this.#mirror.learn(result());
  }

  /** Reads the tools of the server, so that what their calls must mirror is known. Rejects when it does not give them. */
  relearn({ id, params }: Request): Promise<void> {
    const { progressToken: _token, ...meta } = metaOf(params) ?? {};
    return this.#mirror.read(meta, (list) => this.#ask(list, id));
  }

  /** A request of our own, for the call `by`. */
  #ask(message: Request, by: RequestId): Promise<Message> {
    return new Promise((resolve, reject) => {
      const answered = (answer: Message): void => {
        this.listener.aside?.('in', answer, by);
        resolve(answer);
      };
      this.post(message, new HttpPost(this, message, message.id, { message: answered, fault: reject, closed: reject }));
      this.listener.aside?.('out', message, by);
    });
  }

  #postHeaders(message: Message): readonly string[] {
    const modern = 'method' in message && (this.#revision === MODERN_VERSION || message.method === 'server/discover');
    if (!modern) return [...this.#common, 'content-type', 'application/json'];
    const mirrored = [...Object.entries(modernHeaders(message as Request)).flat(), ...this.#mirror.headers(message as Request)];
    return [...this.#common, 'content-type', 'application/json', ...mirrored];
  }

  abandon(id: RequestId): void {
    this.#open.get(id)?.abandon();
    this.#open.delete(id);
  }

  agreed(revision: string): void {
    this.#revision = revision;
    if (revision === MODERN_VERSION) this.#session = undefined;
    this.#dress();
    if (revision === MODERN_VERSION || this.#closed) return;
    this.#standing = new StandingStream(this);
    this.#standing.open();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#end();
    if (this.#session !== undefined) await this.#goodbye();
    await this.#pool.destroy();
    this.listener.closed(unreachable(this.options.server, this.options.url, 'The link was closed.'));
  }

  /** Sends a request of any method with exactly these headers. */
  request(
    method: Dispatcher.HttpMethod,
    headers: readonly string[],
    listener: ConstructorParameters<typeof Exchange>[0],
    body?: string | Buffer,
  ): Exchange {
    const exchange = new Exchange(listener, this.options.messageBytes);
    try {
      this.#pool.dispatch({ path: this.#path, method, headers: headers as string[], ...(body === undefined ? {} : { body }) }, exchange);
    } catch (error) {
      // A header value of the configuration that HTTP does not allow.
      queueMicrotask(() => listener.broken(error instanceof Error ? error : new Error(String(error))));
    }
    return exchange;
  }

  /** A GET for an event stream, from after the event named if one is (2025-11-25, "Resumability and Redelivery"). */
  stream(listener: ConstructorParameters<typeof Exchange>[0], lastEventId: string | undefined): Exchange {
    const headers = ['accept', 'text/event-stream', ...this.#common.slice(2)];
    return this.request('GET', lastEventId === undefined ? headers : [...headers, 'last-event-id', lastEventId], listener);
  }

  /** A session may come with any answer to an `initialize`. */
  began(headers: IncomingHttpHeaders): void {
    const session = headers['mcp-session-id'];
    if (typeof session !== 'string' || session === this.#session || this.#revision !== undefined) return;
    this.#session = session;
    this.#dress();
  }

  finished(id: RequestId | undefined): void {
    if (id !== undefined) this.#open.delete(id);
  }

  /** The server knows the session no more: this link is of no use, the upstream opens another (2025-11-25, "Session Management"). */
  lost(why: string): void {
    if (this.#closed) return;
    this.#end();
    void this.#pool.destroy();
    this.listener.closed(unreachable(this.options.server, this.options.url, why));
  }

  /** Ends it without a word to the listener: another link takes over. */
  retire(): void {
    this.#end();
    void this.#pool.destroy();
  }

  #end(): void {
    this.#closed = true;
    this.#standing?.close();
    for (const post of this.#open.values()) post.abandon();
    this.#open.clear();
  }

  /** `accept` stands first: see {@link stream}. */
  #dress(): void {
    const { accept: _accept, 'content-type': _type, ...configured } = this.#configured;
    this.#common = Object.entries({
      accept: 'application/json, text/event-stream',
      ...configured,
      ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
      ...(this.#revision === undefined || this.#revision === MODERN_VERSION ? {} : { 'mcp-protocol-version': this.#revision }),
    }).flat();
  }

  #goodbye(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      // A server that is gone, or does not care, has ended its session already.
      const exchange = this.request('DELETE', this.#common, { event() {}, oversize() {}, ended: done, broken: done });
      const timer = setTimeout(() => {
        exchange.abort();
        resolve();
      }, GOODBYE_MS);
    });
  }
}
