/**
 * The tap: every frame at both edges of the daemon, kept for a while and told to whoever listens. It stands beside the calls, never in
 * their way: what it is given is kept by reference, nothing is written or parsed here, and a listener that fails is cut off.
 */
import { createHash, randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Tap, TapChannel, TapConnection, TapEvent, TapFilter, TapPeer } from '../../api/sessions.ts';
import { Channel, type ChannelHub } from './channel.ts';
import { type Matcher, matcher } from './filter.ts';
import { type Home, ServerHome, SessionHome, serverKey } from './home.ts';
import type { RingBounds } from './ring.ts';

/** How much is kept. */
export interface TapBounds {
  /** Of one session, and of what one server says outside sessions. */
  readonly ring: RingBounds;
  /** Of all together. */
  readonly total: RingBounds;
  /** Sessions that have ended. */
  readonly ended: number;
}

/** What a hub may be told. */
export interface TapHubOptions {
  readonly bounds?: TapBounds;
  /** Milliseconds without a frame after which a client without sessions of its own (modern HTTP) is thought to have gone. */
  readonly idleMs?: number;
  /** Called when a session began or ended. */
  readonly onSessions?: () => void;
  /** Called with a listener's failure; it hears nothing more. */
  readonly onFault?: (error: unknown) => void;
}

const MIB = 1024 * 1024;
const BOUNDS: TapBounds = {
  ring: { events: 4096, bytes: 16 * MIB },
  total: { events: 32_768, bytes: 64 * MIB },
  ended: 100,
};
const IDLE_MS = 10 * 60_000;
const SWEEP_MS = 30_000;
/** Servers with a place of their own; configurations have fewer. */
const SERVERS = 256;

interface Listener {
  readonly matches: Matcher;
  readonly sink: (event: TapEvent) => void;
}

/** The tap of a daemon. */
export class TapHub implements Tap, ChannelHub {
  readonly #options: TapHubOptions;
  readonly #bounds: TapBounds;
  readonly #sessions = new Map<string, SessionHome>();
  /** Sessions by the digest of their own name. */
  readonly #named = new Map<string, SessionHome>();
  readonly #servers = new Map<string, ServerHome>();
  readonly #sweep: NodeJS.Timeout;
  #listeners: readonly Listener[] = [];
  #seq = 0;
  #connections = 0;
  #events = 0;
  #bytes = 0;
  #forgotten = 0;
  #lastForgotten = 0;
  /** Time of the last one. */
  #forgottenAt = 0;

  constructor(options: TapHubOptions = {}) {
    this.#options = options;
    this.#bounds = options.bounds ?? BOUNDS;
    this.#sweep = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  open(peer: TapPeer): TapChannel {
    return new Channel(this, peer);
  }

  stderr(server: string, workspace: string | undefined, line: string): void {
    const event: TapEvent = { kind: 'stderr', seq: this.next(), time: this.now(), server, workspace, line };
    this.keep(event, this.#server(server, workspace), line.length);
  }

  /**
   * Tells every event the filter takes from now on, at once and in order, until what it returns is called. The sink must not do much: it
   * runs in the middle of the call. One that throws is cut off.
   */
  listen(filter: TapFilter, sink: (event: TapEvent) => void): () => void {
    const listener = { matches: matcher(filter, () => this.#sessions.values()), sink };
    this.#listeners = [...this.#listeners, listener];
    return () => this.#unlisten(listener);
  }

  /** Sessions, those that have ended last; each in the order of its beginning. */
  sessions(): readonly SessionHome[] {
    this.sweep();
    return [...this.#sessions.values()];
  }

  /** The session of that id. */
  sessionHome(id: string | undefined): SessionHome | undefined {
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  /** Every place events are kept at. */
  homes(): readonly Home[] {
    return [...this.#sessions.values(), ...this.#servers.values()];
  }

  /** Events of sessions that are forgotten, and the last of them. */
  get forgotten(): { readonly events: number; readonly last: number; readonly time: number } {
    return { events: this.#forgotten, last: this.#lastForgotten, time: this.#forgottenAt };
  }

  /** Number of the last event. */
  get last(): number {
    return this.#seq;
  }

  /** What is kept now, for those who measure it. */
  get kept(): { readonly events: number; readonly bytes: number } {
    return { events: this.#events, bytes: this.#bytes };
  }

  /** Whether a session counts as over: those without an end of their own are over when they were idle for long. */
  sweep(): void {
    const old = this.now() - (this.#options.idleMs ?? IDLE_MS);
    for (const home of this.#sessions.values())
      if (home.connections === 0 && home.endedAt === undefined && home.lastAt < old) this.#ended(home, home.lastAt);
  }

  /** Forgets everything; nothing is told any more. */
  close(): void {
    clearInterval(this.#sweep);
    this.#listeners = [];
    this.#sessions.clear();
    this.#named.clear();
    this.#servers.clear();
  }

  now(): number {
    return performance.timeOrigin + performance.now();
  }

  next(): number {
    this.#seq += 1;
    return this.#seq;
  }

  keep(event: TapEvent, home: Home, cost: number, told = event): void {
    const { ring } = home;
    if (home.forgotten) {
      this.#forgotten += 1;
      this.#lastForgotten = event.seq;
      this.#forgottenAt = event.time;
    } else {
      const events = ring.size;
      const bytes = ring.bytes;
      ring.push(event, cost);
      this.#events += ring.size - events;
      this.#bytes += ring.bytes - bytes;
    }
    if (this.#events > this.#bounds.total.events || this.#bytes > this.#bounds.total.bytes) this.#makeRoom();
    if (this.#listeners.length > 0) this.#tell(told, home);
  }

  connect(peer: TapPeer, time: number): { readonly connection: TapConnection; readonly home: Home } {
    const { session: name, ...rest } = peer;
    const home = peer.edge === 'client' ? this.#begin(peer, time) : this.#server(peer.server ?? '', peer.workspace, name);
    this.#connections += 1;
    const session = home.kind === 'session' ? { session: home.id } : {};
    // A client without sessions has no connection whose end would end its session.
    if (home.kind === 'session' && peer.edge === 'client' && name !== undefined) home.connections += 1;
    return { connection: { ...rest, ...session, id: `${peer.edge === 'client' ? 'c' : 's'}${this.#connections}` }, home };
  }

  disconnected(home: Home, time: number): void {
    if (home.kind !== 'session') return;
    if (home.connections > 0) home.connections -= 1;
    if (home.connections === 0 && home.endedAt === undefined) this.#ended(home, time);
  }

  #begin(peer: TapPeer, time: number): SessionHome {
    const name = createHash('sha256')
      .update(peer.session ?? randomUUID())
      .digest('hex');
    const known = this.#named.get(name);
    if (known !== undefined) {
      known.endedAt = undefined;
      return known;
    }
    // The name of a session over HTTP opens it: people see a digest.
    const home = new SessionHome(this.#id(peer.client ?? 'client', name), peer, time, this.#bounds.ring);
    this.#sessions.set(home.id, home);
    this.#named.set(name, home);
    this.#options.onSessions?.();
    return home;
  }

  #id(client: string, digest: string): string {
    for (let length = 6; ; length += 2) {
      const id = `${client}-${digest.slice(0, length)}`;
      if (!this.#sessions.has(id)) return id;
    }
  }

  #ended(home: SessionHome, time: number): void {
    home.endedAt = time;
    const over = [...this.#sessions.values()].filter(({ endedAt }) => endedAt !== undefined);
    over.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
    for (const old of over.slice(0, Math.max(0, over.length - this.#bounds.ended))) this.#forget(old);
    this.#options.onSessions?.();
  }

  #forget(home: Home): void {
    home.forgotten = true;
    if (home.kind === 'session') {
      this.#sessions.delete(home.id);
      for (const [name, known] of this.#named) if (known === home) this.#named.delete(name);
    } else this.#servers.delete(home.key);
    const { ring } = home;
    this.#events -= ring.size;
    this.#bytes -= ring.bytes;
    this.#forgotten += ring.size + ring.dropped;
    const last = ring.at(ring.size - 1);
    this.#lastForgotten = Math.max(this.#lastForgotten, ring.lastDropped, last?.seq ?? 0);
    this.#forgottenAt = Math.max(this.#forgottenAt, last?.time ?? 0);
  }

  #server(server: string, workspace: string | undefined, session?: string): Home {
    const own = session === undefined ? undefined : this.#named.get(createHash('sha256').update(session).digest('hex'));
    if (own !== undefined) return own;
    const key = serverKey(server, workspace);
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#servers.values();
    if (this.#servers.size >= SERVERS && oldest !== undefined) this.#forget(oldest);
    const home = new ServerHome(server, workspace, this.#bounds.ring);
    this.#servers.set(key, home);
    return home;
  }

  /** All together hold too much: sessions that have ended give first, then whoever holds most. An eighth at once, so that it is seldom. */
  #makeRoom(): void {
    const { events, bytes } = this.#bounds.total;
    const homes = this.homes();
    const rest = (home: Home): number => (home.kind === 'session' && home.endedAt !== undefined ? 0 : 1);
    while (this.#events > events * 0.875 || this.#bytes > bytes * 0.875) {
      const share = ({ ring }: Home): number => ring.size / events + ring.bytes / bytes;
      const victim = homes.filter(({ ring }) => ring.size > 0).sort((a, b) => rest(a) - rest(b) || share(b) - share(a))[0];
      if (victim === undefined) return;
      const { ring } = victim;
      const [size, held] = [ring.size, ring.bytes];
      const until = size >> 1;
      while (ring.size > until) ring.drop();
      this.#events += ring.size - size;
      this.#bytes += ring.bytes - held;
    }
  }

  #tell(event: TapEvent, home: Home): void {
    for (const listener of this.#listeners) {
      try {
        if (listener.matches(event, home)) listener.sink(event);
      } catch (error) {
        this.#unlisten(listener);
        this.#options.onFault?.(error);
      }
    }
  }

  #unlisten(listener: Listener): void {
    this.#listeners = this.#listeners.filter((known) => known !== listener);
  }
}
