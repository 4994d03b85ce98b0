/** One place for a connection, kept under supervision: opened on first use, opened again with back-off, its state visible. */
import type { ServerState } from '../api/control.ts';
import { type ErrorShape, errorFromShape, errorShape, type SignalboxError } from '../api/errors.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
import { EraRefused } from './handshake.ts';

/** What opening needs from the supervisor. */
export type Supervised = Pick<ConnectionOptions, 'startTimeoutMs' | 'signal' | 'onFault' | 'onClosed'>;

/** What the supervisor needs from its owner. */
export interface SupervisionOptions {
  /** Number among equal ones. */
  readonly index: number;
  /** Name of the server, for the log. */
  readonly name: string;
  readonly open: (supervised: Supervised) => Promise<Connection>;
  /** Whether it is opened again by itself when it was lost. */
  readonly revive: boolean;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  readonly onState: () => void;
  readonly onReady: (connection: Connection) => void;
  /** It was live and is gone. */
  readonly onLost: () => void;
}

/** Back-off between failures, milliseconds: the first is forgiven, a crash loop is not. */
const BACKOFF_MS = [0, 1000, 2000, 5000, 15_000, 30_000];
/** A server that lived this long, milliseconds, has proved itself: its next failure is a first one. */
const PROVEN_MS = 10_000;
const START_TIMEOUT_MS = 30_000;
/** Milliseconds a trial of an era may stay silent. */
const TRIAL_TIMEOUT_MS = 5000;

/** A supervised connection. */
export class SupervisedConnection {
  readonly index: number;
  readonly breaker: CircuitBreaker;
  /** Calls under way. */
  busy = 0;
  readonly #options: SupervisionOptions;
  #state: ServerState = 'idle';
  #reason: ErrorShape | undefined;
  #startFault: ErrorShape | undefined;
  #connection: Connection | undefined;
  #starting: Promise<Connection> | undefined;
  #failures = 0;
  #retryAt = 0;
  #readyAt = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #giveUp: AbortController | undefined;

  constructor(options: SupervisionOptions) {
    this.#options = options;
    this.index = options.index;
    this.breaker = new CircuitBreaker(options.onState);
  }

  get state(): ServerState {
    return this.#state;
  }
  /** Why it is degraded or down. */
  get reason(): ErrorShape | undefined {
    return this.#reason;
  }
  /** The live connection, if there is one now. */
  get connection(): Connection | undefined {
    return this.#connection;
  }
  /** Whether {@link ready} would fail at once. */
  get inBackOff(): boolean {
    return this.#connection === undefined && this.#starting === undefined && Date.now() < this.#retryAt;
  }

  /**
   * The live connection, opening it if needed.
   * @param trial it is not certain that the server speaks this era: a failure is an answer, not a fault
   * @throws the reason it is down, at once while it is in back-off, so that one broken server never holds anybody up
   */
  ready(trial = false): Promise<Connection> {
    if (this.#connection !== undefined) return Promise.resolve(this.#connection);
    if (this.#starting !== undefined) return this.#starting;
    if (this.#reason !== undefined && Date.now() < this.#retryAt) return Promise.reject(errorFromShape(this.#reason));
    this.#starting = this.#start(trial);
    // Everybody who waits sees the failure; nobody waiting is no error of the process.
    this.#starting.catch(() => undefined);
    return this.#starting;
  }

  /** Puts it into back-off: what it was tried for did not work either. */
  fail(error: unknown): void {
    if (this.#connection === undefined && this.#starting === undefined) this.#failed(error);
  }

  /** Ends the connection, also one that is only starting. What runs on it fails with `reason`. A later {@link ready} opens it again. */
  async end(reason: SignalboxError): Promise<void> {
    this.#giveUp?.abort(reason);
    const connection = this.#connection ?? (await this.#starting?.catch(() => undefined));
    // Before it is closed: whoever asks from now on gets a new one.
    if (this.#connection === connection) this.#connection = undefined;
    if (this.#starting === undefined) this.forgive();
    await connection?.close(reason);
  }

  /** Forgets its failures: it may be opened at once. */
  forgive(): void {
    clearTimeout(this.#retryTimer);
    this.#failures = 0;
    this.#retryAt = 0;
    this.breaker.reset();
    if (this.#connection === undefined) this.#set('idle');
  }

  async #start(trial: boolean): Promise<Connection> {
    clearTimeout(this.#retryTimer);
    this.#startFault = undefined;
    this.#set('starting');
    const giveUp = new AbortController();
    this.#giveUp = giveUp;
    let opened: Connection | undefined;
    let closed: SignalboxError | undefined;
    try {
      const connection = await this.#options.open({
        startTimeoutMs: trial ? TRIAL_TIMEOUT_MS : START_TIMEOUT_MS,
        signal: giveUp.signal,
        onFault: (error) => this.#fault(error),
        onClosed: (error) => {
          closed = error;
          this.#lost(error, opened);
        },
      });
      // It may be gone again before this line is reached.
      if (closed !== undefined) throw closed;
      opened = connection;
      this.#connection = connection;
      this.#readyAt = Date.now();
      this.breaker.reset();
      // What it did wrong while it started still holds: it works, but not as it should.
      if (this.#startFault === undefined) this.#set('ready');
      else this.#set('degraded', this.#startFault);
      this.#options.onReady(connection);
      return connection;
    } catch (error) {
      if (trial || error instanceof EraRefused || giveUp.signal.aborted) this.#set('idle');
      else this.#failed(error);
      throw error;
    } finally {
      this.#starting = undefined;
    }
  }

  #fault(error: unknown): void {
    const shape = errorShape(error);
    this.#options.log('warn', `${this.#options.name}: ${shape.message} ${shape.cause}`);
    if (this.#state === 'starting') this.#startFault = shape;
    if (this.#state === 'ready') this.#set('degraded', shape);
  }

  #lost(error: SignalboxError, connection: Connection | undefined): void {
    if (connection === undefined || this.#connection !== connection) return;
    this.#connection = undefined;
    if (Date.now() - this.#readyAt > PROVEN_MS) this.#failures = 0;
    this.#failed(error);
    this.#options.onLost();
    if (!this.#options.revive) return;
    // It was in use: bring it back, so that its tools do not vanish until somebody asks.
    const wait = Math.max(0, this.#retryAt - Date.now());
    this.#retryTimer = setTimeout(() => void this.ready().catch(() => undefined), wait).unref();
  }

  #failed(error: unknown): void {
    const wait = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0;
    this.#failures += 1;
    this.#retryAt = Date.now() + wait;
    const shape = errorShape(error);
    this.#options.log('error', `${this.#options.name}: ${shape.message} ${shape.cause} Next start in ${wait / 1000} s.`);
    this.#set('down', shape);
  }

  #set(state: ServerState, reason?: ErrorShape): void {
    this.#state = state;
    this.#reason = state === 'ready' || state === 'idle' ? undefined : (reason ?? this.#reason);
    this.#options.onState();
  }
}
