/** A server behind Streamable HTTP, in either era (2025-11-25 and 2026-07-28, "Streamable HTTP"). */
import { Agent, request as httpRequest } from 'undici';
import { SignalboxError } from '../api/errors.ts';
import { MODERN_VERSION, modernHeaders } from '../protocol/eras.ts';
import { isRequest, type Message, parseMessage, type RequestId } from '../protocol/message.ts';
import { EventStreamReader } from './event-stream.ts';
import type { Link, LinkListener } from './link.ts';
import { tooLarge } from './stdio-link.ts';

/** What an HTTP link needs to know. */
export interface HttpLinkOptions {
  /** Name for errors. */
  readonly server: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Largest message in bytes, both directions. */
  readonly messageBytes: number;
}

/** Milliseconds before a dropped notification stream is opened again. */
const STREAM_RETRY_MS = 1000;

/** Opens a link; nothing is sent before the first message. */
export function httpLink(listener: LinkListener, options: HttpLinkOptions): Link {
  return new HttpLink(listener, options);
}

class HttpLink implements Link {
  readonly kind = 'http';
  readonly #listener: LinkListener;
  readonly #options: HttpLinkOptions;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 30_000 });
  readonly #open = new Map<RequestId, AbortController>();
  readonly #life = new AbortController();
  #session: string | undefined;
  #revision: string | undefined;
  #closed = false;

  constructor(listener: LinkListener, options: HttpLinkOptions) {
    this.#listener = listener;
    this.#options = options;
  }

  send(message: Message): void {
    void this.#post(message).catch((error: unknown) => this.#failed(message, error));
  }

  abandon(id: RequestId): void {
    this.#open.get(id)?.abort();
  }

  agreed(revision: string): void {
    this.#revision = revision;
    if (revision !== MODERN_VERSION) void this.#listen();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const session = this.#session;
    if (session !== undefined) {
      await httpRequest(this.#options.url, {
        method: 'DELETE',
        headers: this.#headers({}),
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(2000),
      })
        .then((answer) => answer.body.dump())
        .catch(() => undefined); // a server that is gone has ended its session already
    }
    this.#life.abort();
    await this.#agent.destroy();
    this.#listener.closed(this.#unreachable('The link was closed.'));
  }

  #headers(more: Record<string, string>): Record<string, string> {
    return {
      ...this.#options.headers,
      accept: 'application/json, text/event-stream',
      ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
      ...(this.#revision === undefined ? {} : { 'mcp-protocol-version': this.#revision }),
      ...more,
    };
  }

  async #post(message: Message): Promise<void> {
    const body = JSON.stringify(message);
    const { server, messageBytes, url } = this.#options;
    if (Buffer.byteLength(body) > messageBytes) throw tooLarge(server, Buffer.byteLength(body), messageBytes);
    const abort = new AbortController();
    const id = isRequest(message) ? message.id : undefined;
    if (id !== undefined) this.#open.set(id, abort);
    try {
      const modern = isRequest(message) && (this.#revision === MODERN_VERSION || message.method === 'server/discover');
      const answer = await httpRequest(url, {
        method: 'POST',
        body,
        headers: this.#headers({ 'content-type': 'application/json', ...(modern ? modernHeaders(message) : {}) }),
        dispatcher: this.#agent,
        signal: AbortSignal.any([abort.signal, this.#life.signal]),
      });
      const session = answer.headers['mcp-session-id'];
      if (typeof session === 'string') this.#session = session;
      const type = String(answer.headers['content-type'] ?? '');
      if (answer.statusCode === 404 && this.#session !== undefined) {
        await answer.body.dump();
        this.#lost(`The server ended session ${this.#session}.`);
        return;
      }
      if (type.startsWith('text/event-stream') && answer.statusCode < 300) await this.#stream(answer.body, id);
      else await this.#single(answer, type, id);
    } finally {
      if (id !== undefined) this.#open.delete(id);
    }
  }

  async #single(answer: { statusCode: number; body: AsyncIterable<Buffer> }, type: string, id: RequestId | undefined): Promise<void> {
    const { server, messageBytes } = this.#options;
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      size += chunk.length;
      if (size > messageBytes) throw tooLarge(server, size, messageBytes);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    if (type.startsWith('application/json') && text !== '') {
      const message = parseMessage(text);
      // An error of the transport has no id of ours: it answers the request that was posted.
      if ('error' in message && id !== undefined && message.id !== id) this.#listener.message({ ...message, id });
      else this.#listener.message(message);
      return;
    }
    if (answer.statusCode >= 400 || id !== undefined) {
      throw new SignalboxError('SBX_SERVER_HTTP', `Server "${server}" answered with HTTP ${answer.statusCode}.`, {
        why: text === '' ? 'It sent no body.' : `It said: ${text.slice(0, 300)}`,
        fix:
          answer.statusCode === 401 || answer.statusCode === 403
            ? 'Check the headers (token) of this server in the configuration.'
            : 'Check the url of this server in the configuration.',
      });
    }
  }

  async #stream(body: AsyncIterable<Buffer>, id: RequestId | undefined): Promise<void> {
    const { server, messageBytes } = this.#options;
    let answered = id === undefined;
    const reader = new EventStreamReader(
      messageBytes,
      (event) => {
        if (event.data === '') return;
        let message: Message;
        try {
          message = parseMessage(event.data);
        } catch (error) {
          this.#listener.fault(error as SignalboxError, id);
          return;
        }
        if ('id' in message && message.id === id && !('method' in message)) answered = true;
        this.#listener.message(message);
      },
      (bytes) => {
        answered = true;
        this.#listener.fault(tooLarge(server, bytes, messageBytes), id);
      },
    );
    for await (const chunk of body) reader.push(chunk);
    if (!answered) throw this.#unreachable('It closed the stream before its answer.');
  }

  /** The standing GET stream for what a legacy server says on its own. */
  async #listen(): Promise<void> {
    while (!this.#closed) {
      try {
        const answer = await httpRequest(this.#options.url, {
          method: 'GET',
          headers: this.#headers({ accept: 'text/event-stream' }),
          dispatcher: this.#agent,
          signal: this.#life.signal,
        });
        if (answer.statusCode !== 200) {
          await answer.body.dump();
          return; // 405: the server offers no such stream
        }
        await this.#stream(answer.body, undefined);
      } catch {
        if (this.#closed) return; // otherwise opened again below; a dead server shows at the next request
      }
      await new Promise<void>((resolve) => setTimeout(resolve, STREAM_RETRY_MS).unref());
    }
  }

  #failed(message: Message, error: unknown): void {
    if (this.#closed) return;
    const id = isRequest(message) ? message.id : undefined;
    if (error instanceof Error && error.name === 'AbortError') return;
    const known =
      error instanceof SignalboxError ? error : this.#unreachable(error instanceof Error ? error.message : String(error), error);
    this.#listener.fault(known, id);
  }

  #lost(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#life.abort();
    void this.#agent.destroy();
    this.#listener.closed(this.#unreachable(why));
  }

  #unreachable(why: string, cause?: unknown): SignalboxError {
    const { server, url } = this.#options;
    return new SignalboxError('SBX_SERVER_UNREACHABLE', `Server "${server}" cannot be reached at ${new URL(url).origin}.`, {
      why,
      fix: 'Check that it runs and that its url is right, then try again.',
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
