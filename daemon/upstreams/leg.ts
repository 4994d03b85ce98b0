/** One server in one era: its equal connections, who gets which, and what we subscribed to on it. */
import type { ResolvedServer } from '../api/config.ts';
import type { ServerState } from '../api/control.ts';
import type { ErrorShape, SignalboxError } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import type { Era } from '../protocol/eras.ts';
import type { Notification, Outcome } from '../protocol/message.ts';
import { abortable } from './abortable.ts';
import { balancer } from './balance.ts';
import type { Passage } from './circuit-breaker.ts';
import { answerForAll, sharedCapabilities } from './client-capabilities.ts';
import { Connection } from './connection.ts';
import type { Identity } from './handshake.ts';
import type { CallScope, Lease } from './lease.ts';
import type { OpenLink } from './link.ts';
import { circuitOpen } from './outage.ts';
import { OwnConnections, type Owner } from './own-connections.ts';
import type { ServerFacts } from './server-facts.ts';
import { Subscriptions } from './subscriptions.ts';
import { type Supervised, SupervisedConnection } from './supervised-connection.ts';

/** Where a notification came from. */
export interface NotificationSource {
  readonly era: Era;
  /** Set when it came over a session's own connection: it is meant for that session only. */
  readonly session?: string;
  /** Set when it came over a connection of that credential's own. */
  readonly principal?: string;
}

/** What a leg needs from its upstream. */
export interface LegOptions {
  readonly era: Era;
  readonly server: ResolvedServer;
  readonly facts: ServerFacts;
  readonly identity: Identity;
  readonly openLink: OpenLink;
  readonly folder: string | undefined;
  readonly hop: string | undefined;
  readonly ownIdleMs: number | undefined;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  readonly onState: () => void;
  readonly onNotification: (notification: Notification, source: NotificationSource) => void;
  /** Another connection is the one lists are read from. */
  readonly onReady: (connection: Connection) => void;
}

const CALL_TIMEOUT_MS = 60_000;
const FOR_ALL = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated)$/;

/** One era of one server. */
export class Leg {
  readonly era: Era;
  readonly #options: LegOptions;
  readonly #replicas: readonly SupervisedConnection[];
  readonly #own: OwnConnections;
  readonly #subscriptions: Subscriptions;
  readonly #choose: (candidates: readonly SupervisedConnection[], principal: string) => SupervisedConnection | undefined;
  /** The replica that lists are read from and subscriptions are made on. */
  #home: SupervisedConnection | undefined;

  constructor(options: LegOptions) {
    this.era = options.era;
    this.#options = options;
    const { server, log, onState, onNotification, era } = options;
    const { entry, name } = server;
    this.#choose = balancer(entry.balance ?? 'round-robin');
    const shared = { name, log, onState };
    this.#replicas = Array.from({ length: entry.replicas ?? 1 }, (_, index): SupervisedConnection => {
      const replica: SupervisedConnection = new SupervisedConnection({
        ...shared,
        index,
        revive: true,
        open: (supervised) => this.#open(undefined, supervised),
        onReady: (connection) => this.#replicaReady(replica, connection),
        onLost: () => this.#replicaLost(replica),
      });
      return replica;
    });
    this.#own = new OwnConnections({
      ...shared,
      open: (owner, supervised) => this.#open(owner, supervised),
      exclusive: () => era === 'legacy' && !this.#correlates,
      ...(options.ownIdleMs === undefined ? {} : { idleMs: options.ownIdleMs }),
    });
    this.#subscriptions = new Subscriptions({
      ready: () => this.ready(),
      own: () => this.#own.live,
      onFault: (error) => log('warn', `${name}: ${error instanceof Error ? error.message : String(error)}`),
      onNotification: (notification) => onNotification(notification, { era }),
    });
  }

  /** The live connection lists are read from, if there is one. */
  get connection(): Connection | undefined {
    return this.#home?.connection;
  }
  /** How many connections live: shared ones and own ones. */
  get connections(): { readonly shared: number; readonly own: number } {
    return { shared: this.#replicas.filter(({ connection }) => connection !== undefined).length, own: this.#own.live.length };
  }
  get state(): ServerState {
    const states = this.#replicas.map(({ state }) => state);
    const some = (...wanted: ServerState[]): boolean => states.some((state) => wanted.includes(state));
    if (some('ready', 'degraded'))
      return some('degraded', 'down') || (this.#circuitOpen ?? this.#own.circuitOpen) !== undefined ? 'degraded' : 'ready';
    if (some('starting')) return 'starting';
    if (some('down')) return 'down';
    if (this.#own.live.length === 0) return 'idle';
    return this.#own.circuitOpen === undefined ? 'ready' : 'degraded';
  }
  /** Why it is degraded or down. */
  get reason(): ErrorShape | undefined {
    if (this.state === 'ready' || this.state === 'idle') return undefined;
    const faulty = this.#replicas.find(({ reason }) => reason !== undefined);
    return faulty?.reason ?? (this.#circuitOpen ?? this.#own.circuitOpen)?.toJSON();
  }

  /**
   * A live connection, opening all replicas if none is: the first that is ready counts.
   * @param trial it is not certain that the server speaks this era: a failure is an answer, not a fault
   * @throws EraRefused, and why the server is down, at once while it is in back-off
   */
  ready(trial = false): Promise<Connection> {
    const { connection } = this;
    if (connection !== undefined) return Promise.resolve(connection);
    const [first] = this.#replicas;
    if (first !== undefined && (trial || this.#replicas.length === 1)) return first.ready(trial);
    return firstReady(this.#replicas);
  }

  /** Puts it into back-off: the other era, tried in its place, failed too. */
  fail(error: unknown): void {
    this.#replicas[0]?.fail(error);
  }

  /** Forgets that it was put into back-off: the other era works, and nothing is known against this one. */
  forgive(): void {
    for (const replica of this.#replicas) if (replica.state === 'down') replica.forgive();
  }

  /**
   * Whether a caller gets a connection of its own. HTTP says by its streams which call a question belongs to, and modern servers ask in their
   * results, so only a legacy server on standard streams (or on one event stream for all) needs it.
   */
  isolates({ mayAsk, session }: Pick<CallScope, 'mayAsk' | 'session'>): boolean {
    const { server, facts } = this.#options;
    const { entry } = server;
    if (entry.sharing === 'always') return false;
    if (entry.sharing === 'never') return true;
    if (this.era === 'modern' || !facts.asks || this.#correlates) return false;
    return session !== undefined || mayAsk;
  }

  /** Whether a question can be told apart by its stream. Until there is a connection, by the configuration: an URL may turn out to be HTTP+SSE. */
  get #correlates(): boolean {
    const { entry } = this.#options.server;
    return this.connection?.correlates ?? ('url' in entry && entry.type !== 'sse');
  }

  /**
   * Lends a connection for one call.
   * @param over called when the lease is given back
   * @throws SBX_CIRCUIT_OPEN, SBX_BUSY (own connections), and why it is down
   */
  async lease(scope: CallScope, over: () => void): Promise<Lease> {
    if (this.isolates(scope)) {
      const { connection, release } = await this.#own.lease(scope);
      return once(connection, (end) => {
        release(end);
        over();
      });
    }
    const { replica, connection, passage } = await this.#pick(scope);
    replica.busy += 1;
    return once(connection, (end) => {
      replica.busy -= 1;
      passage(end);
      over();
    });
  }

  /** Counts a subscription to a resource; the first one subscribes at the server. */
  subscribe(uri: string, origin?: Origin): Promise<Outcome> {
    return this.#subscriptions.add(uri, origin);
  }
  /** Counts down; the last one unsubscribes at the server. */
  unsubscribe(uri: string, origin?: Origin): Promise<Outcome> {
    return this.#subscriptions.remove(uri, origin);
  }

  /** The live connection that is a session's own, if it has one. */
  sessionConnection(id: string): Connection | undefined {
    return this.#own.sessionConnection(id);
  }
  /** Ends the own connection of a session. */
  endSession(id: string): Promise<void> {
    return this.#own.endSession(id);
  }

  /** Ends every connection; what runs fails with `reason`. A later {@link ready} opens it again. */
  async end(reason: SignalboxError): Promise<void> {
    this.#settle(undefined);
    await Promise.all([this.#own.end(reason), ...this.#replicas.map((replica) => replica.end(reason))]);
  }

  async #pick({ principal, signal }: CallScope): Promise<{ replica: SupervisedConnection; connection: Connection; passage: Passage }> {
    for (;;) {
      const replica = this.#candidate(principal);
      const connection = replica?.connection;
      const passage = replica?.breaker.pass();
      if (replica !== undefined && connection !== undefined && passage !== undefined) return { replica, connection, passage };
      // None can be called now. One that is only not there yet is waited for; open circuits and back-off are not.
      const startable = this.#replicas.filter((candidate) => candidate.connection === undefined && !candidate.inBackOff);
      const open = this.#circuitOpen;
      if (startable.length > 0) await abortable(firstReady(startable), signal);
      else if (open !== undefined) throw open;
      else await abortable(this.ready(), signal); // all are in back-off: throws why
    }
  }

  #candidate(principal: string): SupervisedConnection | undefined {
    const [only] = this.#replicas;
    if (this.#replicas.length === 1) return only;
    const able = this.#replicas.filter(({ connection, breaker }) => connection !== undefined && breaker.passable);
    return able.length === 0 ? undefined : this.#choose(able, principal);
  }

  /** Set while the circuit of a live replica is open: the error of calls that find no other. */
  get #circuitOpen(): SignalboxError | undefined {
    const open = this.#replicas.filter(({ breaker, connection }) => breaker.open && connection !== undefined);
    return open.length === 0 ? undefined : circuitOpen(this.#options.server.name, Math.min(...open.map(({ breaker }) => breaker.retryAt)));
  }

  #replicaReady(replica: SupervisedConnection, connection: Connection): void {
    const { facts } = this.#options;
    const { version } = connection.agreement.serverInfo;
    facts.meet(this.era, typeof version === 'string' ? version : undefined);
    for (const other of this.#replicas) if (other.state === 'idle') void other.ready().catch(() => undefined); // its state says why
    if (this.#home?.connection === undefined) this.#settle(replica);
  }

  #replicaLost(replica: SupervisedConnection): void {
    if (this.#home !== replica) return;
    this.#settle(this.#replicas.find(({ connection }) => connection !== undefined));
  }

  #settle(home: SupervisedConnection | undefined): void {
    this.#home = home;
    const connection = home?.connection;
    this.#subscriptions.attach(connection);
    if (connection !== undefined) this.#options.onReady(connection);
  }

  async #open(owner: Owner | undefined, supervised: Supervised): Promise<Connection> {
    const { era, server, identity, openLink, folder, hop, facts, onNotification } = this.#options;
    const { entry, name } = server;
    const session = owner?.session;
    const source: NotificationSource = {
      era,
      ...(session === undefined ? {} : { session: session.id }),
      ...(owner === undefined ? {} : { principal: owner.principal }),
    };
    const connection = await Connection.open((listener) => openLink(listener, session?.id), {
      ...supervised,
      server: name,
      identity,
      era,
      capabilities: session?.capabilities ?? sharedCapabilities(folder),
      ...(hop === undefined || !('url' in entry) || entry.type !== 'signalbox' ? {} : { hop }),
      timeoutMs: entry.timeoutMs ?? CALL_TIMEOUT_MS,
      onNotification: (notification) => {
        // What a server says of itself is for everybody, whatever connection it comes over; its log and the rest only for whose it is.
        if (owner === undefined || FOR_ALL.test(notification.method)) onNotification(notification, source);
        else session?.tell?.(notification);
      },
      onQuestion: session === undefined ? answerForAll(folder) : ({ method, params, signal }) => session.ask(method, params, { signal }),
      onAsked: () => facts.sawAsking(),
    });
    if (owner !== undefined) this.#subscriptions.copyTo(connection);
    if (era === 'legacy' && session?.level !== undefined && connection.capabilities['logging'] !== undefined)
      void connection.request('logging/setLevel', { level: session.level }).catch(() => undefined); // a wish; the session filters as well
    return connection;
  }
}

/** The first that is ready; when none is, why the first of them is not. */
async function firstReady(replicas: readonly SupervisedConnection[]): Promise<Connection> {
  try {
    return await Promise.any(replicas.map((replica) => replica.ready()));
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}

function once(connection: Connection, release: Lease['release']): Lease {
  let released = false;
  return {
    connection,
    release: (end) => {
      if (released) return;
      released = true;
      release(end);
    },
  };
}
