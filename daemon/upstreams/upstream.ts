/** One configured server: the eras it speaks, a leg for each, its limits, and its end. */
import type { ResolvedServer } from '../api/config.ts';
import type { ServerState } from '../api/control.ts';
import { type ErrorShape, errorFromShape, type SignalboxError } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import type { StateStore } from '../api/state.ts';
import { MAY_ASK } from '../protocol/asking.ts';
import type { Era } from '../protocol/eras.ts';
import type { JsonObject, Notification, Outcome } from '../protocol/message.ts';
import { abortable } from './abortable.ts';
import type { Connection } from './connection.ts';
import { EraVerdict } from './era-verdict.ts';
import type { Identity } from './handshake.ts';
import type { CallScope, Lease } from './lease.ts';
import { Leg, type NotificationSource } from './leg.ts';
import { Limiter } from './limiter.ts';
import type { OpenLink } from './link.ts';
import { endOf, interrupted, notRunning } from './outage.ts';
import { unsupported } from './questions.ts';
import type { Question, RequestOptions } from './request.ts';
import { RunningCalls } from './running-calls.ts';
import { ServerFacts } from './server-facts.ts';
import { type SourceWatch, watchSources } from './source-watch.ts';

/** What an upstream needs from its owner. */
export interface UpstreamOptions {
  readonly identity: Identity;
  readonly openLink: OpenLink;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  /** Called at every change of state. */
  readonly onState: () => void;
  /** Where what is learnt of the server is kept, and its key there. Absent = it is learnt anew each time. */
  readonly state?: StateStore;
  readonly key?: string;
  /** Workspace folder: what the server is told when it asks for roots. */
  readonly folder?: string;
  /** Our daemon's id, for servers that are a Signalbox. */
  readonly hop?: string;
  /** Milliseconds running calls get when the server is removed or its sources changed. Default 10 000. */
  readonly graceMs?: number;
  /** Milliseconds a connection of one client's own may be idle. Default 5 minutes. */
  readonly ownIdleMs?: number;
}

const GRACE_MS = 10_000;
const refuse = async ({ method }: Question): Promise<Outcome> => ({ error: unsupported(method) });
const ERAS: readonly Era[] = ['legacy', 'modern'];
/** Who calls when nobody in particular does. */
const NOBODY = '';

/** A supervised server. */
export class Upstream {
  readonly server: ResolvedServer;
  readonly #options: UpstreamOptions;
  readonly #facts: ServerFacts;
  readonly #legs: Readonly<Record<Era, Leg>>;
  readonly #verdict: EraVerdict;
  readonly #limiter: Limiter | undefined;
  readonly #running = new RunningCalls();
  #questions = 0;
  readonly #listeners = new Set<(notification: Notification, source: NotificationSource) => void>();
  readonly #readyListeners = new Set<(connection: Connection, era: Era) => void>();
  /** Set while a restart waits for running calls: new ones wait for it. */
  #gate: Promise<void> | undefined;
  #sources: SourceWatch | undefined;
  #stopped = false;
  /** Nothing is started any more, whoever still waits for a start. */
  #ended = false;

  constructor(server: ResolvedServer, options: UpstreamOptions) {
    this.server = server;
    this.#options = options;
    const { limits } = server.entry;
    this.#limiter = limits === undefined ? undefined : new Limiter(limits, `Server "${server.name}"`);
    this.#facts = new ServerFacts(options.state, options.key ?? server.name);
    this.#legs = { legacy: this.#leg('legacy'), modern: this.#leg('modern') };
    const { entry } = server;
    // HTTP+SSE ended with 2024-11-05.
    this.#verdict = new EraVerdict(this.#facts, this.#legs, 'url' in entry && entry.type === 'sse' ? 'legacy' : undefined);
  }

  /** Questions its clients have not answered yet. */
  get questions(): number {
    return this.#questions;
  }

  /** Counts a question of the server's as open until there is an answer. */
  async whileAsking<T>(answer: Promise<T>): Promise<T> {
    this.#questions += 1;
    this.#options.onState();
    try {
      return await answer;
    } finally {
      this.#questions -= 1;
      this.#options.onState();
    }
  }

  get state(): ServerState {
    if (this.#stopped) return 'disabled';
    if (this.server.problem !== undefined) return 'down';
    const states = ERAS.map((era) => this.#legs[era].state).filter((state) => state !== 'idle');
    if (states.length === 2 && states.includes('down') && !states.includes('starting'))
      return states.every((state) => state === 'down') ? 'down' : 'degraded';
    return (['degraded', 'ready', 'starting', 'down'] as const).find((state) => states.includes(state)) ?? 'idle';
  }
  /** Why it is degraded or down. */
  get reason(): ErrorShape | undefined {
    if (this.server.problem !== undefined) return this.server.problem as ErrorShape;
    return this.#legs.legacy.reason ?? this.#legs.modern.reason;
  }
  /** The era it is spoken to in; the legacy one when it is both. */
  get era(): Era | undefined {
    return ERAS.find((era) => this.#legs[era].connection !== undefined);
  }
  get pid(): number | undefined {
    return this.#legs.legacy.connection?.pid ?? this.#legs.modern.connection?.pid;
  }
  /** Live connections over both eras: shared ones (replicas count each), and ones that are a single client's. */
  get connections(): { readonly shared: number; readonly own: number } {
    const { legacy, modern } = this.#legs;
    return { shared: legacy.connections.shared + modern.connections.shared, own: legacy.connections.own + modern.connections.own };
  }
  /** Whether a restart is under way that new calls wait for. */
  get restarting(): boolean {
    return this.#gate !== undefined;
  }
  /** Whether it was seen asking its clients something. */
  get asks(): boolean {
    return this.#facts.asks;
  }

  /** The live shared connection a client of this era is served from, if there is one now. */
  connection(era: Era = 'legacy'): Connection | undefined {
    return this.#legs[this.#verdict.now(era)].connection;
  }

  /** Notifications of the server that belong to no request. Returns the function that stops listening. */
  onNotification(listener: (notification: Notification, source: NotificationSource) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Called with each connection that lists are to be read from now. Returns the function that stops listening. */
  onReady(listener: (connection: Connection, era: Era) => void): () => void {
    this.#readyListeners.add(listener);
    return () => this.#readyListeners.delete(listener);
  }

  /**
   * The live shared connection for clients of this era, starting the server if needed. A server that speaks only the other era gives that one.
   * @throws the reason it is down, at once while it is in back-off, so that one broken server never holds anybody up
   */
  async ready(era: Era = 'legacy'): Promise<Connection> {
    while (this.#gate !== undefined) await this.#gate;
    this.#assertServing();
    this.#watch();
    return (await this.#verdict.settled(era)).ready();
  }

  /**
   * Lends a connection for one call, starting the server if needed.
   * @throws SBX_BUSY, SBX_RATE_LIMITED, SBX_CIRCUIT_OPEN, SBX_SERVER_DISABLED, the reason it is down, or the signal's reason
   */
  async lease(scope: CallScope): Promise<Lease> {
    this.#assertServing();
    const permit = await this.#limiter?.acquire(scope.principal, scope.signal);
    let running = false;
    const over = (): void => {
      permit?.();
      if (running) this.#running.end();
    };
    try {
      while (this.#gate !== undefined) await abortable(this.#gate, scope.signal);
      this.#assertServing();
      this.#running.begin();
      running = true;
      this.#watch();
      const leg = this.#legs[this.#verdict.now(scope.era)];
      const known = leg.connection !== undefined || (leg.isolates(scope) && this.#verdict.certain(leg.era));
      const chosen = known ? leg : await abortable(this.#verdict.settled(scope.era), scope.signal);
      return await chosen.lease(scope, over);
    } catch (error) {
      over();
      throw error;
    }
  }

  /** Sends one request as one call of nobody in particular: a question in the middle of it is refused. See {@link Connection.request}. */
  async request(
    method: string,
    params: JsonObject | undefined,
    { era = 'legacy', principal = NOBODY, ...options }: RequestOptions & { readonly era?: Era; readonly principal?: string } = {},
  ): Promise<Outcome> {
    const signal = options.signal ?? new AbortController().signal;
    const mayAsk = MAY_ASK.has(method);
    const lease = await this.lease({ era, principal, mayAsk, signal });
    try {
      // With an answer of its own, so that its question is never taken for another call's.
      const outcome = await lease.connection.request(method, params, mayAsk ? { onQuestion: refuse, ...options } : options);
      lease.release('ok');
      return outcome;
    } catch (error) {
      lease.release(endOf(error, signal.aborted));
      throw error;
    }
  }

  /** Counts a subscription to a resource of a client of this era; the first one subscribes at the server. */
  async subscribe(uri: string, era: Era = 'legacy', origin?: Origin): Promise<Outcome> {
    this.#assertServing();
    // Counted before the server starts where that is possible: then it is subscribed before the first call goes out.
    const leg = this.#legs[this.#verdict.now(era)];
    const known = leg.connection !== undefined || this.#verdict.certain(leg.era);
    return (known ? leg : await this.#verdict.settled(era)).subscribe(uri, origin);
  }
  /** Counts down; the last one unsubscribes at the server. */
  unsubscribe(uri: string, era: Era = 'legacy', origin?: Origin): Promise<Outcome> {
    return this.#legs[this.#verdict.now(era)].unsubscribe(uri, origin);
  }

  /** The live connection that is a legacy session's own, if it has one. */
  sessionConnection(id: string): Connection | undefined {
    return this.#legs.legacy.sessionConnection(id) ?? this.#legs.modern.sessionConnection(id);
  }

  /** A legacy session of a client is over: what it alone had here ends. */
  async endSession(id: string): Promise<void> {
    await Promise.all(ERAS.map((era) => this.#legs[era].endSession(id)));
  }

  /** Ends the server and starts it again at once; running calls are interrupted. */
  async restart(): Promise<void> {
    const eras = ERAS.filter((era) => this.#legs[era].connection !== undefined);
    await this.#end('The server was restarted.');
    await Promise.all((eras.length === 0 ? (['legacy'] as const) : eras).map((era) => this.ready(era)));
  }

  /** {@link restart}, but running calls may end first, for a limited time; new ones wait for the new server. */
  restartGently(): Promise<void> {
    const again = async (): Promise<void> => {
      await this.#drain();
      const eras = ERAS.filter((era) => this.#legs[era].state !== 'idle');
      try {
        await this.#end('Its sources changed and the server was restarted.');
      } finally {
        this.#gate = undefined;
      }
      await Promise.allSettled((this.#stopped ? [] : eras).map((era) => this.ready(era))); // the state says why it did not start
    };
    // One that still waits starts the server after this change too.
    this.#gate ??= again();
    return this.#gate;
  }

  /** Lets running calls end, for a limited time, takes no new ones, and ends the server for good. */
  async retire(): Promise<void> {
    this.#stopped = true;
    this.#limiter?.close(notRunning(this.server.name));
    await this.#drain();
    await this.stop();
  }

  /** Ends the server for good, now; running calls are interrupted. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ended = true;
    this.#limiter?.close(notRunning(this.server.name));
    this.#running.giveUp();
    await Promise.all([this.#end('The server was stopped.'), this.#sources?.close()]);
    this.#options.onState();
  }

  async #end(why: string): Promise<void> {
    const reason = interrupted(this.server.name, why);
    await Promise.all(ERAS.map((era) => this.#legs[era].end(reason)));
  }

  #drain(): Promise<void> {
    return this.#running.over(this.#options.graceMs ?? GRACE_MS);
  }

  #assertServing(): void {
    if (this.#stopped) throw notRunning(this.server.name);
    if (this.server.problem !== undefined) throw errorFromShape(this.server.problem as ErrorShape) satisfies SignalboxError;
  }

  #leg(era: Era): Leg {
    const { identity, openLink, log, onState, folder, hop, ownIdleMs } = this.#options;
    return new Leg({
      era,
      server: this.server,
      facts: this.#facts,
      identity,
      openLink: (listener, session) => (this.#ended ? Promise.reject(notRunning(this.server.name)) : openLink(listener, session)),
      folder,
      hop,
      ownIdleMs,
      log,
      onState,
      onNotification: (notification, source) => {
        for (const listener of this.#listeners) listener(notification, source);
      },
      onReady: (connection) => {
        const other: Era = era === 'legacy' ? 'modern' : 'legacy';
        if (!this.#verdict.certain(other)) this.#legs[other].forgive();
        for (const listener of this.#readyListeners) listener(connection, era);
      },
    });
  }

  /** From the first use on: before it there is nothing to restart. */
  #watch(): void {
    const { watch: globs, cwd = process.cwd() } = this.server.entry;
    if (this.#sources !== undefined || globs === undefined || globs.length === 0 || this.#stopped) return;
    const { log } = this.#options;
    this.#sources = watchSources({
      globs,
      cwd,
      onChange: () => {
        if (this.#stopped) return;
        log('info', `${this.server.name}: its sources changed; it is restarted.`);
        void this.restartGently();
      },
      onFault: (error) => log('warn', `${this.server.name}: its sources cannot be watched: ${String(error)}`),
    });
  }
}
