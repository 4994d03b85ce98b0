/** One connection as an edge of the daemon sees it: makes an event of each frame. On the path of every call: no closure, no table. */
import type { Direction, FrameFacts, Origin, TapChannel, TapConnection, TapEvent, TapPeer } from '../../api/sessions.ts';
import { type Era, eraOf, META } from '../../protocol/eras.ts';
import { isObject, type JsonObject, metaOf } from '../../protocol/message.ts';
import { Frame, isFailure } from './frame.ts';
import type { Home, SessionHome } from './home.ts';

/** What a channel needs of the hub. */
export interface ChannelHub {
  /** Milliseconds since 1970 with fractions, from a clock that never goes back. */
  now(): number;
  /** The next number of an event. */
  next(): number;
  /**
   * Keeps an event and tells it to whoever listens.
   * @param told what they are told where that is more than what is kept
   */
  keep(event: TapEvent, home: Home, cost: number, told?: TapEvent): void;
  /** The session of that id. */
  sessionHome(id: string | undefined): SessionHome | undefined;
  /** A connection begins: names it and finds where its events are kept. */
  connect(peer: TapPeer, time: number): { readonly connection: TapConnection; readonly home: Home };
  /** A connection of that session is over. */
  disconnected(home: Home, time: number): void;
}

/** The channel of one connection; where a transport has no sessions (modern HTTP), of one connection after another. */
export class Channel implements TapChannel {
  readonly #hub: ChannelHub;
  readonly #peer: TapPeer;
  /** Frames are grouped into sessions by the pauses between them. */
  readonly #grouped: boolean;
  #connection: TapConnection | undefined;
  #home: Home | undefined;
  #era: Era | undefined;
  #lastCaller: Home | undefined;

  constructor(hub: ChannelHub, peer: TapPeer) {
    this.#hub = hub;
    this.#peer = peer;
    this.#grouped = peer.edge === 'client' && peer.session === undefined;
    if (!this.#grouped) this.#begin(hub.now());
  }

  in(message: object, facts?: FrameFacts): Origin {
    return this.#frame('in', message, facts);
  }

  out(message: object, facts?: FrameFacts): Origin {
    return this.#frame('out', message, facts);
  }

  fault(why: string, origin?: Origin): void {
    const hub = this.#hub;
    const time = hub.now();
    const { connection, home } = this.#place(time);
    const at = homeOf(origin, hub) ?? home;
    hub.keep(
      {
        kind: 'fault',
        seq: hub.next(),
        time,
        connection,
        why,
        ...(at.kind === 'session' ? { session: at.id } : {}),
        ...(origin === undefined ? {} : { call: origin.seq }),
      },
      at,
      why.length,
    );
  }

  close(why?: string): void {
    if (this.#connection === undefined || this.#home === undefined) return;
    const time = this.#hub.now();
    this.#end(this.#connection, this.#home, time, why);
    this.#connection = undefined;
  }

  #begin(time: number): { readonly connection: TapConnection; readonly home: Home } {
    const hub = this.#hub;
    const begun = hub.connect(this.#peer, time);
    this.#connection = begun.connection;
    this.#home = begun.home;
    hub.keep({ kind: 'open', seq: hub.next(), time, connection: begun.connection }, begun.home, 0);
    return begun;
  }

  #end(connection: TapConnection, home: Home, time: number, why: string | undefined): void {
    const hub = this.#hub;
    hub.keep({ kind: 'close', seq: hub.next(), time, connection, ...(why === undefined ? {} : { why }) }, home, 0);
    if (connection.edge === 'client') hub.disconnected(home, time);
  }

  #place(time: number): { readonly connection: TapConnection; readonly home: Home } {
    const connection = this.#connection;
    const home = this.#home;
    if (connection === undefined || home === undefined) return this.#begin(time);
    // Nobody said anything for long: what comes now is another session.
    if (this.#grouped && home.kind === 'session' && home.endedAt !== undefined) {
      this.#end(connection, home, time, 'Nothing was said for long.');
      return this.#begin(time);
    }
    return { connection, home };
  }

  #frame(direction: Direction, message: object, facts: FrameFacts | undefined): Frame {
    const hub = this.#hub;
    const time = hub.now();
    let connection = this.#connection;
    let home = this.#home;
    if (connection === undefined || home === undefined || (this.#grouped && home.kind === 'session' && home.endedAt !== undefined))
      ({ connection, home } = this.#place(time));
    const origin = facts?.origin;
    const at = origin === undefined ? home : (homeOf(origin, hub) ?? home);
    const seq = hub.next();
    const client = connection.edge === 'client';
    const request = 'method' in message && 'id' in message;
    const asks = client && request && direction === 'in';
    const era = facts?.era ?? this.#eraOf(message, request && direction === (client ? 'in' : 'out'), client ? origin : undefined);
    const call = asks ? (origin?.seq ?? seq) : origin?.seq;
    const frame = new Frame(seq, time, connection, direction, era, facts?.stream, call, at, message, facts?.bytes);
    if (at.kind === 'session') {
      at.frames += 1;
      at.lastAt = time;
      // A stream of its own outlives the pause after which it was thought to have gone.
      if (this.#grouped) at.endedAt = undefined;
      if (client) this.#count(at, frame, asks);
      else if (this.#lastCaller !== at) this.#called(at, connection);
    }
    const { kept } = frame;
    hub.keep(kept, at, kept.cost, frame);
    return frame;
  }

  #count(home: SessionHome, { message, era, direction }: Frame, asks: boolean): void {
    home.era ??= era;
    if (asks) {
      home.calls += 1;
      home.clientInfo ??= clientInfoOf(message);
    } else if (direction === 'out' && !('method' in message) && isFailure(message)) home.errors += 1;
  }

  #called(home: SessionHome, { server, workspace }: TapConnection): void {
    this.#lastCaller = home;
    if (server !== undefined) home.servers.add(`${workspace ?? ''}\n${server}`);
  }

  /** A request says its era; everything else is of the request it belongs to, or of the connection's last one. */
  #eraOf(message: object, tells: boolean, origin: Origin | undefined): Era | undefined {
    if (tells) {
      this.#era = (message as { method: string }).method === 'server/discover' ? 'modern' : eraOf(message as { params?: JsonObject });
      return this.#era;
    }
    return (origin instanceof Frame ? origin.era : undefined) ?? this.#era;
  }
}

function homeOf(origin: Origin | undefined, hub: ChannelHub): Home | undefined {
  return origin instanceof Frame ? origin.home : hub.sessionHome(origin?.session);
}

/** What a client says it is: in `initialize` (legacy) or in the envelope of each request (modern). */
function clientInfoOf(message: object): SessionHome['clientInfo'] {
  const { params } = message as { params?: JsonObject };
  const info = params?.['clientInfo'] ?? metaOf(params)?.[META.clientInfo];
  if (!isObject(info)) return undefined;
  const { name, version } = info;
  return { ...(typeof name === 'string' ? { name } : {}), ...(typeof version === 'string' ? { version } : {}) };
}
