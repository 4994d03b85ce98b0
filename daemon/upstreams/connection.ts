/** One live, initialized connection to a server: ids, progress tokens, time-outs and cancellation. */
import { SignalboxError } from '../api/errors.ts';
import { RPC } from '../protocol/codes.ts';
import { type Era, LEGACY_LATEST, LEGACY_VERSIONS, MODERN_VERSION, refusesLegacy, withEnvelope } from '../protocol/eras.ts';
import {
  isNotification,
  isObject,
  isRequest,
  type JsonObject,
  type Message,
  metaOf,
  type Notification,
  type Outcome,
  type RequestId,
} from '../protocol/message.ts';
import type { Link, LinkListener, OpenLink } from './link.ts';

/** Who we are towards servers. */
export interface Identity {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

/** What a connection needs to know. */
export interface ConnectionOptions {
  /** Name for errors. */
  readonly server: string;
  readonly identity: Identity;
  /** Milliseconds a handshake may take. */
  readonly startTimeoutMs: number;
  /** Milliseconds a request may stay without answer or progress. */
  readonly timeoutMs: number;
  /** Gives up a handshake that is under way. */
  readonly signal?: AbortSignal;
  /** Anything the server says outside a request. */
  readonly onNotification: (notification: Notification) => void;
  /** Something that is no message arrived. */
  readonly onFault: (error: SignalboxError) => void;
  /** The connection is gone. */
  readonly onClosed: (error: SignalboxError) => void;
}

/** How one request is to be carried. */
export interface RequestOptions {
  /** Aborting cancels the request at the server. */
  readonly signal?: AbortSignal;
  /** Receives the params of `notifications/progress` for this request; the caller puts its own token back. */
  readonly onProgress?: (params: JsonObject) => void;
  /** Milliseconds without answer or progress; 0 = no limit. */
  readonly timeoutMs?: number;
  /** Client capabilities of this request (modern servers). */
  readonly capabilities?: JsonObject;
}

interface Pending {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((params: JsonObject) => void) | undefined;
  readonly touch: () => void;
}

/** What the handshake agreed on. */
interface Agreement {
  readonly era: Era;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
}

/** A connection to one server. Open one with {@link Connection.open}. */
export class Connection implements LinkListener {
  readonly #options: ConnectionOptions;
  readonly #pending = new Map<RequestId, Pending>();
  #link: Link | undefined;
  #agreement: Agreement = { era: 'legacy', capabilities: {}, instructions: undefined };
  #next = 1;
  #closedWith: SignalboxError | undefined;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * Opens the link and shakes hands: `initialize` first, because every legacy server must see it first and dual-era
   * servers accept it; a server that refuses it as too old is spoken to in the modern era over a fresh link.
   * @throws SBX_SERVER_* when the server cannot be started, does not answer in time, or refuses both eras.
   */
  static async open(openLink: OpenLink, options: ConnectionOptions): Promise<Connection> {
    const legacy = await Connection.#linked(openLink, options);
    try {
      const refused = await legacy.#initialize();
      if (!refused) return legacy;
    } catch (error) {
      await legacy.close();
      throw error;
    }
    await legacy.close();
    const modern = await Connection.#linked(openLink, options);
    try {
      await modern.#discover();
    } catch (error) {
      await modern.close();
      throw error;
    }
    return modern;
  }

  static async #linked(openLink: OpenLink, options: ConnectionOptions): Promise<Connection> {
    let live = true;
    const connection = new Connection({
      ...options,
      // Until the handshake is done nobody outside knows this connection.
      onClosed: (error) => live && connection.#established && options.onClosed(error),
    });
    connection.#link = await openLink(connection);
    connection.#retire = () => {
      live = false;
    };
    return connection;
  }

  #established = false;
  #retire: () => void = () => {};

  get era(): Era {
    return this.#agreement.era;
  }
  get capabilities(): JsonObject {
    return this.#agreement.capabilities;
  }
  get instructions(): string | undefined {
    return this.#agreement.instructions;
  }
  get pid(): number | undefined {
    return this.#link?.pid;
  }

  /**
   * Sends a request and waits for its outcome. A caller's `progressToken` is replaced by one of ours and progress comes back through `onProgress`.
   * @throws SBX_SERVER_TIMEOUT, SBX_SERVER_EXITED, SBX_MESSAGE_TOO_LARGE …; the signal's reason when aborted
   */
  request(method: string, params: JsonObject | undefined, options: RequestOptions = {}): Promise<Outcome> {
    const id = this.#next++;
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    return new Promise<Outcome>((resolve, reject) => {
      if (this.#closedWith !== undefined) return reject(this.#closedWith);
      if (options.signal?.aborted) return reject(options.signal.reason);
      let timer: NodeJS.Timeout | undefined;
      const done = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', abort);
        this.#pending.delete(id);
      };
      const giveUp = (reason: unknown, text: string): void => {
        done();
        this.#cancel(id, text);
        reject(reason);
      };
      const abort = (): void => giveUp(options.signal?.reason, 'The client cancelled the request.');
      const touch = (): void => {
        clearTimeout(timer);
        if (timeoutMs > 0) timer = setTimeout(() => giveUp(timedOut(this.#options.server, method, timeoutMs), 'Timed out.'), timeoutMs);
      };
      this.#pending.set(id, {
        resolve: (outcome) => {
          done();
          resolve(outcome);
        },
        reject: (error) => {
          done();
          reject(error);
        },
        onProgress: options.onProgress,
        touch,
      });
      options.signal?.addEventListener('abort', abort, { once: true });
      touch();
      const sent = this.#dress(method, params, id, options);
      this.#link?.send({ jsonrpc: '2.0', id, method, ...(sent === undefined ? {} : { params: sent }) });
    });
  }

  /** Sends a notification; lost if the connection is. */
  notify(method: string, params?: JsonObject): void {
    this.#link?.send({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) });
  }

  /** Ends the connection and what it started. */
  async close(): Promise<void> {
    this.#retire();
    await this.#link?.close();
  }

  #dress(method: string, params: JsonObject | undefined, id: number, options: RequestOptions): JsonObject | undefined {
    const meta = metaOf(params);
    const tokened = options.onProgress === undefined ? params : { ...params, _meta: { ...meta, progressToken: id } };
    if (this.era === 'legacy' && method !== 'server/discover') return tokened;
    return withEnvelope(tokened, { ...this.#options.identity }, options.capabilities ?? {});
  }

  #cancel(id: number, reason: string): void {
    if (this.era === 'legacy' || this.#link?.kind === 'stdio') this.notify('notifications/cancelled', { requestId: id, reason });
    this.#link?.abandon(id);
  }

  async #initialize(): Promise<boolean> {
    const outcome = await this.request(
      'initialize',
      { protocolVersion: LEGACY_LATEST, capabilities: {}, clientInfo: { ...this.#options.identity } },
      this.#handshake(),
    );
    if (refusesLegacy(outcome)) return true;
    if ('error' in outcome) throw this.#refused(outcome.error.message);
    const { protocolVersion, capabilities, instructions } = outcome.result;
    if (typeof protocolVersion !== 'string' || !LEGACY_VERSIONS.includes(protocolVersion))
      throw this.#refused(`It answered with revision ${JSON.stringify(protocolVersion)}.`);
    this.#establish({
      era: 'legacy',
      capabilities: isObject(capabilities) ? capabilities : {},
      instructions: typeof instructions === 'string' ? instructions : undefined,
    });
    this.#link?.agreed(protocolVersion);
    this.notify('notifications/initialized');
    return false;
  }

  async #discover(): Promise<void> {
    const outcome = await this.request('server/discover', {}, this.#handshake());
    if ('error' in outcome) throw this.#refused(outcome.error.message);
    const { supportedVersions, capabilities, instructions } = outcome.result;
    if (!Array.isArray(supportedVersions) || !supportedVersions.includes(MODERN_VERSION))
      throw this.#refused(`It supports only ${JSON.stringify(supportedVersions)}.`);
    this.#establish({
      era: 'modern',
      capabilities: isObject(capabilities) ? capabilities : {},
      instructions: typeof instructions === 'string' ? instructions : undefined,
    });
    this.#link?.agreed(MODERN_VERSION);
  }

  #handshake(): RequestOptions {
    const { startTimeoutMs, signal } = this.#options;
    return { timeoutMs: startTimeoutMs, ...(signal === undefined ? {} : { signal }) };
  }

  #establish(agreement: Agreement): void {
    this.#agreement = agreement;
    this.#established = true;
  }

  #refused(why: string): SignalboxError {
    return new SignalboxError('SBX_SERVER_PROTOCOL', `Server "${this.#options.server}" and Signalbox found no common protocol revision.`, {
      why,
      fix: `Signalbox speaks ${[MODERN_VERSION, ...LEGACY_VERSIONS].join(', ')}; update the server.`,
    });
  }

  message(message: Message): void {
    if (isRequest(message)) {
      // We declare no client capabilities, so a server may ask us nothing but ping (2025-11-25, lifecycle).
      const outcome: Outcome =
        message.method === 'ping'
          ? { result: {} }
          : {
              error: {
                code: RPC.methodNotFound,
                message: `Signalbox declared no capability for ${message.method} (SBX_QUESTION_UNSUPPORTED)`,
              },
            };
      this.#link?.send({ jsonrpc: '2.0', id: message.id, ...outcome });
      return;
    }
    if (isNotification(message)) {
      if (message.method === 'notifications/progress') this.#progress(message.params ?? {});
      else this.#options.onNotification(message);
      return;
    }
    const pending = message.id === null ? undefined : this.#pending.get(message.id);
    if (pending === undefined) return; // answer to a request given up: nobody waits for it
    pending.resolve('error' in message ? { error: message.error } : { result: isObject(message.result) ? message.result : {} });
  }

  fault(error: SignalboxError, id?: RequestId): void {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (pending !== undefined) pending.reject(error);
    else this.#options.onFault(error);
    // An oversized frame hides which request it answered: with one request open there is no doubt.
    if (id === undefined && error.code === 'SBX_MESSAGE_TOO_LARGE' && this.#pending.size === 1)
      for (const only of this.#pending.values()) only.reject(error);
  }

  closed(error: SignalboxError): void {
    if (this.#closedWith !== undefined) return;
    this.#closedWith = error;
    for (const pending of [...this.#pending.values()]) pending.reject(error);
    this.#options.onClosed(error);
  }

  #progress(params: JsonObject): void {
    const token = params['progressToken'];
    const pending = typeof token === 'number' ? this.#pending.get(token) : undefined;
    pending?.touch();
    pending?.onProgress?.(params);
  }
}

function timedOut(server: string, method: string, ms: number): SignalboxError {
  return new SignalboxError('SBX_SERVER_TIMEOUT', `Server "${server}" did not answer ${method} within ${ms / 1000} s.`, {
    why: 'It sent neither an answer nor progress; the request was cancelled at the server.',
    fix: 'Raise timeoutMs of the server in the configuration if it needs longer, or look at `signalbox servers logs`.',
  });
}
