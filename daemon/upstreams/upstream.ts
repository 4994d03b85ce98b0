/** One configured server under supervision: started on first use, restarted with back-off, its state visible. */
import type { ResolvedServer } from '../api/config.ts';
import type { ServerState } from '../api/control.ts';
import { type ErrorShape, errorShape, SignalboxError } from '../api/errors.ts';
import type { Era } from '../protocol/eras.ts';
import type { JsonObject, Notification, Outcome } from '../protocol/message.ts';
import { Connection, type Identity, type RequestOptions } from './connection.ts';
import type { OpenLink } from './link.ts';

/** What an upstream needs from its owner. */
export interface UpstreamOptions {
  readonly identity: Identity;
  readonly openLink: OpenLink;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  /** Called at every change of state. */
  readonly onState: () => void;
}

/** Back-off between failures, milliseconds: the first is forgiven, a crash loop is not. */
const BACKOFF_MS = [0, 1000, 2000, 5000, 15_000, 30_000];
/** A server that lived this long, milliseconds, has proved itself: its next failure is a first one. */
const PROVEN_MS = 10_000;
const START_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 60_000;

/** A supervised server. */
export class Upstream {
  readonly server: ResolvedServer;
  readonly #options: UpstreamOptions;
  readonly #listeners = new Set<(notification: Notification) => void>();
  readonly #readyListeners = new Set<(connection: Connection) => void>();
  readonly #subscribed = new Map<string, number>();
  #state: ServerState = 'idle';
  #reason: ErrorShape | undefined;
  #startFault: ErrorShape | undefined;
  #connection: Connection | undefined;
  #starting: Promise<Connection> | undefined;
  #failures = 0;
  #retryAt = 0;
  #readyAt = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #listening: AbortController | undefined;
  #giveUp: AbortController | undefined;
  #stopped = false;

  constructor(server: ResolvedServer, options: UpstreamOptions) {
    this.server = server;
    this.#options = options;
    if (server.problem !== undefined) this.#reason = server.problem as ErrorShape;
    if (server.problem !== undefined) this.#state = 'down';
  }

  get state(): ServerState {
    return this.#state;
  }
  /** Why it is degraded or down. */
  get reason(): ErrorShape | undefined {
    return this.#reason;
  }
  get era(): Era | undefined {
    return this.#connection?.era;
  }
  get pid(): number | undefined {
    return this.#connection?.pid;
  }
  /** The live connection, if there is one now. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Notifications of the server that belong to no request. Returns the function that stops listening. */
  onNotification(listener: (notification: Notification) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Called with each new live connection. Returns the function that stops listening. */
  onReady(listener: (connection: Connection) => void): () => void {
    this.#readyListeners.add(listener);
    return () => this.#readyListeners.delete(listener);
  }

  /**
   * The live connection, starting the server if needed.
   * @throws the reason it is down, at once while it is in back-off, so that one broken server never holds anybody up
   */
  ready(): Promise<Connection> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    if (this.#starting !== undefined) return this.#starting;
    if (this.#stopped) return Promise.reject(this.#gone());
    if (this.server.problem !== undefined || Date.now() < this.#retryAt) return Promise.reject(this.#down());
    this.#starting = this.#start();
    // Everybody who waits sees the failure; nobody waiting is no error of the process.
    this.#starting.catch(() => undefined);
    return this.#starting;
  }

  /** Sends one request, starting the server if needed. See {@link Connection.request}. */
  async request(method: string, params: JsonObject | undefined, options: RequestOptions = {}): Promise<Outcome> {
    return (await this.ready()).request(method, params, options);
  }

  /** Counts a subscription to a resource; the first one subscribes at the server. */
  async subscribe(uri: string): Promise<Outcome> {
    const count = (this.#subscribed.get(uri) ?? 0) + 1;
    this.#subscribed.set(uri, count);
    if (count > 1) return { result: {} };
    const connection = await this.ready();
    if (connection.era === 'modern') {
      this.#listen(connection);
      return { result: {} };
    }
    const outcome = await connection.request('resources/subscribe', { uri });
    if ('error' in outcome) this.#subscribed.delete(uri);
    return outcome;
  }

  /** Counts down; the last one unsubscribes at the server. */
  async unsubscribe(uri: string): Promise<Outcome> {
    const count = (this.#subscribed.get(uri) ?? 0) - 1;
    if (count > 0) {
      this.#subscribed.set(uri, count);
      return { result: {} };
    }
    if (!this.#subscribed.delete(uri) || this.#connection === undefined) return { result: {} };
    if (this.#connection.era === 'modern') {
      this.#listen(this.#connection);
      return { result: {} };
    }
    return this.#connection.request('resources/unsubscribe', { uri });
  }

  /** Ends the server and starts it again at once. */
  async restart(): Promise<void> {
    await this.#end();
    this.#failures = 0;
    this.#retryAt = 0;
    await this.ready();
  }

  /** Ends the server for good. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#end();
    this.#set('disabled');
  }

  async #end(): Promise<void> {
    clearTimeout(this.#retryTimer);
    this.#listening?.abort();
    this.#giveUp?.abort(this.#gone());
    const starting = this.#starting;
    const connection = this.#connection ?? (await starting?.catch(() => undefined));
    this.#connection = undefined;
    await connection?.close();
    this.#set('idle');
  }

  async #start(): Promise<Connection> {
    clearTimeout(this.#retryTimer);
    this.#startFault = undefined;
    this.#set('starting');
    const { name, entry } = this.server;
    const giveUp = new AbortController();
    this.#giveUp = giveUp;
    try {
      const connection = await Connection.open(this.#options.openLink, {
        server: name,
        identity: this.#options.identity,
        startTimeoutMs: START_TIMEOUT_MS,
        signal: giveUp.signal,
        timeoutMs: entry.timeoutMs ?? CALL_TIMEOUT_MS,
        onNotification: (notification) => {
          for (const listener of this.#listeners) listener(notification);
        },
        onFault: (error) => this.#fault(error),
        onClosed: (error) => this.#lost(error),
      });
      this.#connection = connection;
      this.#readyAt = Date.now();
      // What it did wrong while it started still holds: it works, but not as it should.
      if (this.#startFault === undefined) this.#set('ready');
      else this.#set('degraded', this.#startFault);
      this.#resubscribe(connection);
      for (const listener of this.#readyListeners) listener(connection);
      return connection;
    } catch (error) {
      this.#failed(error);
      throw error;
    } finally {
      this.#starting = undefined;
    }
  }

  #resubscribe(connection: Connection): void {
    if (connection.era === 'modern') this.#listen(connection);
    else
      for (const uri of this.#subscribed.keys())
        void connection.request('resources/subscribe', { uri }).catch((error: unknown) => this.#fault(error));
  }

  /** One upstream `subscriptions/listen` with everything we want to hear (2026-07-28, "Subscriptions"). */
  #listen(connection: Connection): void {
    this.#listening?.abort();
    const abort = new AbortController();
    this.#listening = abort;
    const notifications = {
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: [...this.#subscribed.keys()],
    };
    void connection.request('subscriptions/listen', { notifications }, { signal: abort.signal, timeoutMs: 0 }).catch((error: unknown) => {
      if (!abort.signal.aborted && this.#connection === connection) this.#fault(error);
    });
  }

  #fault(error: unknown): void {
    const shape = errorShape(error);
    this.#options.log('warn', `${this.server.name}: ${shape.message} ${shape.cause}`);
    if (this.#state !== 'ready' && this.#state !== 'starting') return;
    this.#reason = shape;
    if (this.#state === 'starting') this.#startFault = shape;
    if (this.#state === 'ready') this.#set('degraded', shape);
  }

  #lost(error: SignalboxError): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    if (Date.now() - this.#readyAt > PROVEN_MS) this.#failures = 0;
    this.#failed(error);
    // It was in use: bring it back, so that its tools do not vanish until somebody asks.
    const wait = Math.max(0, this.#retryAt - Date.now());
    this.#retryTimer = setTimeout(() => void this.ready().catch(() => undefined), wait).unref();
  }

  #failed(error: unknown): void {
    const wait = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0;
    this.#failures += 1;
    this.#retryAt = Date.now() + wait;
    const shape = errorShape(error);
    this.#options.log('error', `${this.server.name}: ${shape.message} ${shape.cause} Next start in ${wait / 1000} s.`);
    this.#set('down', shape);
  }

  #set(state: ServerState, reason?: ErrorShape): void {
    this.#state = state;
    this.#reason = state === 'ready' || state === 'idle' ? undefined : (reason ?? this.#reason);
    this.#options.onState();
  }

  #down(): SignalboxError {
    const reason = this.#reason;
    return reason === undefined ? this.#gone() : new SignalboxError(reason.code, reason.message, { why: reason.cause, fix: reason.fix });
  }

  #gone(): SignalboxError {
    return new SignalboxError('SBX_SERVER_DISABLED', `Server "${this.server.name}" is not running.`, {
      why: 'It was disabled or removed from the configuration.',
      fix: `Enable it with \`signalbox servers enable ${this.server.name}\`.`,
    });
  }
}
