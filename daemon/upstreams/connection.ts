/** One live, initialized connection to a server: ids, progress tokens, time-outs, cancellation, and what the server asks. */
import { SignalboxError } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import { type Era, META, withEnvelope } from '../protocol/eras.ts';
import { outcomeOf } from '../protocol/frame.ts';
import { HOPS_KEY } from '../protocol/hops.ts';
import { InFlight } from '../protocol/in-flight.ts';
import {
  isNotification,
  isRequest,
  type JsonObject,
  type Message,
  metaOf,
  type Notification,
  type Outcome,
  type Request,
  type RequestId,
  type Response,
  response,
} from '../protocol/message.ts';
import { askerOf, onlyListener, originOf } from './attribution.ts';
import { type Agreement, type HandshakeOptions, shakeHands } from './handshake.ts';
import type { Link, LinkListener, OpenLink } from './link.ts';
import { Questions } from './questions.ts';
import type { Question, RequestOptions } from './request.ts';

/** What a connection needs to know. */
export interface ConnectionOptions extends HandshakeOptions {
  /** Our daemon's id, added to the hops of every request (servers that are a Signalbox). */
  readonly hop?: string;
  /** Milliseconds a request may stay without answer or progress. */
  readonly timeoutMs: number;
  /** Anything the server says outside a request. */
  readonly onNotification: (notification: Notification) => void;
  /** What the server asks outside any call (`roots/list` after the handshake). Without it such a question is refused. */
  readonly onQuestion?: (question: Question) => Promise<Outcome>;
  /** The server asked its client something that has to do with the person behind it (not `ping`, not `roots/list`). */
  readonly onAsked?: () => void;
  /** Something that is no message arrived. */
  readonly onFault: (error: SignalboxError) => void;
  /** The connection is gone. */
  readonly onClosed: (error: SignalboxError) => void;
}

/** Requests given up of which is known what they were for. */
const LATE = 32;

interface Pending {
  readonly settle: (outcome: Outcome | undefined, error?: unknown) => void;
  readonly options: RequestOptions;
  readonly touch: () => void;
}

/** A connection to one server. Open one with {@link Connection.open}. */
export class Connection implements LinkListener {
  readonly #options: ConnectionOptions;
  readonly #pending = new InFlight<RequestId, Pending>();
  readonly #questions: Questions;
  /** Requests given up lately: their answers may still come. */
  readonly #late: { readonly id: RequestId; readonly origin: RequestOptions['origin'] }[] = [];
  #link: Link | undefined;
  #agreement: Agreement | undefined;
  #next = 1;
  #closedWith: SignalboxError | undefined;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#questions = new Questions({
      server: options.server,
      reply: (id, outcome, origin) => void this.#link?.send(response(id, outcome), origin),
      progress: (params, origin) => this.notify('notifications/progress', params, origin),
      outside: options.onQuestion,
      onAsked: () => options.onAsked?.(),
    });
  }

  /**
   * Opens one link and shakes hands in the era asked for.
   * @throws EraRefused when the server answers but not in that era; other SBX_SERVER_* when it cannot be started or does not answer
   */
  static async open(openLink: OpenLink, options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    connection.#link = await openLink(connection);
    try {
      const agreement = await shakeHands(options, (method, params, how) => connection.request(method, params, how));
      connection.#agreement = agreement;
      connection.#link.agreed(agreement.revision);
      if (options.era === 'legacy') connection.notify('notifications/initialized');
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  get era(): Era {
    return this.#options.era;
  }
  /** What the handshake agreed on. */
  get agreement(): Agreement {
    if (this.#agreement === undefined) throw new TypeError('the handshake is not done');
    return this.#agreement;
  }
  get capabilities(): JsonObject {
    return this.#agreement?.capabilities ?? {};
  }
  /** `name`, `version`, … as the server gave them. */
  get serverInfo(): JsonObject {
    return this.#agreement?.serverInfo ?? {};
  }
  get instructions(): string | undefined {
    return this.#agreement?.instructions;
  }
  get pid(): number | undefined {
    return this.#link?.pid;
  }
  /** Whether a question can be told apart by the stream it comes on. */
  get correlates(): boolean {
    return this.#link?.kind === 'http';
  }
  /** Requests under way. */
  get busy(): number {
    return this.#pending.size;
  }

  /**
   * Sends a request and waits for its outcome. A caller's `progressToken` is replaced by one of ours and progress comes back through `onProgress`.
   * @throws SBX_SERVER_TIMEOUT, SBX_SERVER_EXITED, SBX_MESSAGE_TOO_LARGE …; the signal's reason when aborted
   */
  request(method: string, params: JsonObject | undefined, options: RequestOptions = {}): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      if (this.#closedWith !== undefined) return reject(this.#closedWith);
      const { signal } = options;
      if (signal?.aborted) return reject(signal.reason);
      const id = this.#next++;
      const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
      let timer: NodeJS.Timeout | undefined;
      const settle = (outcome: Outcome | undefined, error?: unknown): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#pending.delete(id);
        this.#questions.over(id);
        if (outcome !== undefined) resolve(outcome);
        else reject(error);
      };
      const giveUp = (reason: unknown, text: string): void => {
        settle(undefined, reason);
        this.#cancel(id, text, options.origin);
      };
      const abort = (): void => giveUp(signal?.reason, 'The client cancelled the request.');
      const touch = (): void => {
        if (timeoutMs === 0) return;
        if (timer !== undefined) {
          timer.refresh();
          return;
        }
        timer = setTimeout(() => {
          // A person thinks as long as it takes: the question has a limit of its own.
          if (this.#questions.openOf(id) > 0) timer?.refresh();
          else giveUp(timedOut(this.#options.server, method, timeoutMs), 'Timed out.');
        }, timeoutMs);
      };
      this.#pending.set(id, { settle, options, touch });
      signal?.addEventListener('abort', abort, { once: true });
      touch();
      this.#link?.send(this.#message(method, params, id, options), options.origin?.());
    });
  }

  /** Sends a notification; lost if the connection is. */
  notify(method: string, params?: JsonObject, origin?: Origin): void {
    this.#link?.send(params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params }, origin);
  }

  /** Ends the connection and what it started; requests under way fail with `reason` if there is one. */
  async close(reason?: SignalboxError): Promise<void> {
    if (reason !== undefined) this.closed(reason);
    await this.#link?.close();
  }

  #message(method: string, params: JsonObject | undefined, id: number, options: RequestOptions): Request {
    const { hop, era, identity } = this.#options;
    let dressed = params;
    if (options.onProgress !== undefined) dressed = { ...dressed, _meta: { ...metaOf(dressed), progressToken: id } };
    if (hop !== undefined) dressed = { ...dressed, _meta: { ...metaOf(dressed), [HOPS_KEY]: [...(options.hops ?? []), hop] } };
    if (era === 'modern') dressed = withEnvelope(dressed, { ...identity }, options.capabilities ?? {}, options.logLevel);
    return dressed === undefined ? { jsonrpc: '2.0', id, method } : { jsonrpc: '2.0', id, method, params: dressed };
  }

  #cancel(id: number, reason: string, origin: RequestOptions['origin']): void {
    if (this.era === 'legacy' || this.#link?.kind === 'stdio')
      this.notify('notifications/cancelled', { requestId: id, reason }, origin?.());
    this.#link?.abandon(id);
    if (origin === undefined) return;
    this.#late.push({ id, origin });
    if (this.#late.length > LATE) this.#late.shift();
  }

  originOf(message: Message, related?: RequestId): Origin | undefined {
    if (!('method' in message))
      return originOf(this.#pending, message, related) ?? this.#late.find(({ id }) => id === message.id)?.origin?.();
    if (message.method === 'notifications/cancelled') return this.#questions.originOf(message.params?.['requestId']);
    return originOf(this.#pending, message, related);
  }

  message(message: Message, related?: RequestId): void {
    if (isRequest(message)) this.#questions.asked(message, askerOf(this.#pending, message.method, related));
    else if (isNotification(message)) this.#notified(message, related);
    else this.#answered(message);
  }

  #answered(message: Response): void {
    const pending = message.id === null ? undefined : this.#pending.get(message.id);
    if (pending === undefined) return; // answer to a request given up: nobody waits for it
    pending.settle(outcomeOf(message));
  }

  #notified(notification: Notification, related: RequestId | undefined): void {
    if (notification.method === 'notifications/progress') return this.#progress(notification.params ?? {});
    if (notification.method === 'notifications/cancelled') return this.#questions.cancelled(notification.params ?? {});
    const certain = related === undefined ? undefined : this.#pending.get(related)?.options.onNotification;
    if (certain !== undefined) return certain(notification);
    if (notification.method === 'notifications/message') {
      onlyListener(this.#pending)?.(notification);
      // A modern server logs for the request that asked for it; nobody else hears it (2026-07-28, "Logging").
      if (this.era === 'modern') return;
    }
    // That our own subscription was taken is between the server and us, and so is its id.
    if (notification.method !== 'notifications/subscriptions/acknowledged') this.#options.onNotification(withoutSubscription(notification));
  }

  fault(error: SignalboxError, id?: RequestId): void {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (pending !== undefined) pending.settle(undefined, error);
    else this.#options.onFault(error);
    // An oversized frame hides which request it answered: with one request open there is no doubt.
    if (id === undefined && error.code === 'SBX_MESSAGE_TOO_LARGE' && this.#pending.size === 1)
      for (const only of this.#pending.values()) only.settle(undefined, error);
  }

  closed(error: SignalboxError): void {
    if (this.#closedWith !== undefined) return;
    this.#closedWith = error;
    for (const pending of [...this.#pending.values()]) pending.settle(undefined, error);
    this.#questions.close();
    // Until the handshake is done nobody outside knows this connection.
    if (this.#agreement !== undefined) this.#options.onClosed(error);
  }

  #progress(params: JsonObject): void {
    const token = params['progressToken'];
    const pending = typeof token === 'number' ? this.#pending.get(token) : undefined;
    pending?.touch();
    pending?.options.onProgress?.(params);
  }
}

function withoutSubscription(notification: Notification): Notification {
  const meta = metaOf(notification.params);
  if (meta === undefined || !(META.subscriptionId in meta)) return notification;
  const { [META.subscriptionId]: _id, ...rest } = meta;
  const { _meta, ...params } = notification.params ?? {};
  return { ...notification, params: Object.keys(rest).length > 0 ? { ...params, _meta: rest } : params };
}

function timedOut(server: string, method: string, ms: number): SignalboxError {
  return new SignalboxError('SBX_SERVER_TIMEOUT', `Server "${server}" did not answer ${method} within ${ms / 1000} s.`, {
    why: 'It sent neither an answer nor progress; the request was cancelled at the server.',
    fix: 'Raise timeoutMs of the server in the configuration if it needs longer, or look at `signalbox servers logs`.',
  });
}
