/**
 * Connections that are not shared: one per legacy session, and lanes for callers without one. On standard streams a server's question does not say
 * which call it belongs to; on a connection of one's own there is no doubt.
 */
import { SignalboxError } from '../api/errors.ts';
import { abortable } from './abortable.ts';
import { CircuitBreaker, type Passage } from './circuit-breaker.ts';
import type { Connection } from './connection.ts';
import type { CallScope, Lease } from './lease.ts';
import { Limiter } from './limiter.ts';
import { circuitOpen, interrupted } from './outage.ts';
import { type Supervised, SupervisedConnection, type SupervisionOptions } from './supervised-connection.ts';

/** Whose a connection is. */
export interface Owner {
  readonly principal: string;
  readonly session?: CallScope['session'];
}

/** What own connections need from their leg. */
export interface OwnConnectionsOptions extends Pick<SupervisionOptions, 'name' | 'log' | 'onState'> {
  readonly open: (owner: Owner, supervised: Supervised) => Promise<Connection>;
  /** Whether a caller without a session has a connection for itself while its call runs (a server that asks); otherwise its calls share one. */
  readonly exclusive: () => boolean;
  /** Milliseconds without a call after which one is ended. Default 5 minutes. */
  readonly idleMs?: number;
}

interface Own {
  readonly key: string;
  readonly supervised: SupervisedConnection;
  idle: NodeJS.Timeout | undefined;
}

const IDLE_MS = 5 * 60_000;
/** Lanes of one principal. */
export const LANES = 8;
/** Milliseconds between two looks whether a lane can be had from a call whose client is away. */
const CROWDED_MS = 1000;
/** Own connections of one server. */
export const OWN_LIMIT = 64;

/** The own connections of one leg. */
export class OwnConnections {
  readonly #options: OwnConnectionsOptions;
  /** In the order of their last use, longest ago first. */
  readonly #own = new Map<string, Own>();
  readonly #turns = new Map<string, Limiter>();
  readonly #breaker: CircuitBreaker;

  constructor(options: OwnConnectionsOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.onState);
  }

  /** Connections there are now. */
  get size(): number {
    return this.#own.size;
  }
  /** Those that live. */
  get live(): readonly Connection[] {
    return [...this.#own.values()].flatMap(({ supervised }) => supervised.connection ?? []);
  }

  /** The error of calls while the circuit is open. */
  get circuitOpen(): SignalboxError | undefined {
    return this.#breaker.open ? circuitOpen(this.#options.name, this.#breaker.retryAt) : undefined;
  }

  /**
   * Lends the caller's own connection.
   * @throws SBX_BUSY when all lanes and the queue, or all places, are taken; SBX_CIRCUIT_OPEN; why it cannot be opened
   */
  async lease(scope: CallScope): Promise<Lease> {
    const { session, principal, signal } = scope;
    if (session !== undefined) return this.#lend(`session ${session.id}`, scope);
    if (!this.#options.exclusive()) return this.#lend(`principal ${principal}`, scope);
    const turns = this.#turns.get(principal) ?? new Limiter({ concurrency: LANES }, `Server "${this.#options.name}"`);
    this.#turns.set(principal, turns);
    const crowded = (): void => scope.onCrowded?.(lanesOf(principal).flatMap((key) => this.#own.get(key)?.supervised.connection ?? []));
    const wait = turns.running >= LANES;
    if (wait) crowded();
    const again = wait ? setInterval(crowded, CROWDED_MS).unref() : undefined;
    const permit = await turns.acquire(principal, signal).finally(() => clearInterval(again));
    const over = (): void => {
      permit();
      if (turns.running === 0 && turns.waiting === 0) this.#turns.delete(principal);
    };
    try {
      return await this.#lend(this.#freeLane(principal), scope, over);
    } catch (error) {
      over();
      throw error;
    }
  }

  /** The live connection of a session, if it has one. */
  sessionConnection(id: string): Connection | undefined {
    return this.#own.get(`session ${id}`)?.supervised.connection;
  }

  /** The session is over: its connection ends, what runs on it fails. */
  async endSession(id: string): Promise<void> {
    const own = this.#own.get(`session ${id}`);
    if (own !== undefined) await this.#end(own, interrupted(this.#options.name, 'The session of the client ended.'));
  }

  /** Ends all. */
  async end(reason: SignalboxError): Promise<void> {
    this.#breaker.reset();
    for (const turns of this.#turns.values()) turns.close(reason);
    this.#turns.clear();
    await Promise.all([...this.#own.values()].map((own) => this.#end(own, reason)));
  }

  /** With a permit in hand there is one: a lane that no call is on, or one that is not there yet. */
  #freeLane(principal: string): string {
    const lanes = lanesOf(principal);
    const free = (key: string): boolean => this.#own.get(key)?.supervised.busy === 0;
    return lanes.find(free) ?? lanes.find((key) => !this.#own.has(key)) ?? `lane 0 ${principal}`;
  }

  async #lend(key: string, scope: CallScope, over: () => void = () => {}): Promise<Lease> {
    const passage = this.#breaker.pass();
    if (passage === undefined) throw this.circuitOpen;
    let own: Own | undefined;
    try {
      own = this.#take(key, scope);
      const connection = await abortable(own.supervised.ready(), scope.signal);
      return this.#lent(own, connection, passage, over);
    } catch (error) {
      passage('cancelled'); // not being opened is the business of the back-off
      if (own !== undefined) this.#giveBack(own);
      throw error;
    }
  }

  #lent(own: Own, connection: Connection, passage: Passage, over: () => void): Lease {
    let released = false;
    return {
      connection,
      release: (end) => {
        if (released) return;
        released = true;
        passage(end);
        this.#giveBack(own);
        over();
      },
    };
  }

  #take(key: string, { principal, session }: CallScope): Own {
    const known = this.#own.get(key);
    const own = known ?? this.#make(key, session === undefined ? { principal } : { principal, session });
    this.#own.delete(key);
    this.#own.set(key, own);
    clearTimeout(own.idle);
    own.supervised.busy += 1;
    return own;
  }

  #giveBack(own: Own): void {
    own.supervised.busy -= 1;
    if (own.supervised.busy > 0 || this.#own.get(own.key) !== own) return;
    own.idle = setTimeout(
      () => void this.#end(own, interrupted(this.#options.name, 'It was idle.')),
      this.#options.idleMs ?? IDLE_MS,
    ).unref();
  }

  #make(key: string, owner: Owner): Own {
    if (this.#own.size >= OWN_LIMIT) this.#makeRoom();
    const { name, log, onState, open } = this.#options;
    const supervised = new SupervisedConnection({
      index: 0,
      name,
      log,
      onState,
      open: (given) => open(owner, given),
      revive: false, // whoever needs it next opens it
      onReady: () => {},
      onLost: () => {},
    });
    return { key, supervised, idle: undefined };
  }

  #makeRoom(): void {
    const idle = [...this.#own.values()].find(({ supervised }) => supervised.busy === 0);
    if (idle === undefined) {
      throw new SignalboxError('SBX_BUSY', `Server "${this.#options.name}" is busy.`, {
        why: `It asks its clients, so each has a connection of its own, and all ${OWN_LIMIT} are in use.`,
        fix: 'Call again when one is free, or set "sharing": "always" for this server.',
      });
    }
    void this.#end(idle, interrupted(this.#options.name, 'Its connection was given to another client.'));
  }

  async #end(own: Own, reason: SignalboxError): Promise<void> {
    clearTimeout(own.idle);
    if (this.#own.get(own.key) === own) this.#own.delete(own.key);
    await own.supervised.end(reason);
  }
}

function lanesOf(principal: string): readonly string[] {
  return Array.from({ length: LANES }, (_, index) => `lane ${index} ${principal}`);
}
