/** Every request of a recording with digests of what was said, so that two recordings of any size can be laid side by side. */
import { createHash } from 'node:crypto';
import type { FrameLine, OpenLine, RecordingLine } from '../../api/recordings.ts';
import { isRequest, type Message, metaOf } from '../../protocol/message.ts';
import { canonical } from './canonical.ts';
import { OpenRequests } from './open-requests.ts';

/** A recording that can be read more than once. */
export interface IndexedSource {
  /** The lines, or those from a frame on; the connections that are open there come first. */
  lines(query?: { readonly from?: number }): AsyncIterable<RecordingLine>;
  message(line: FrameLine): Promise<object>;
}

/** A request and its answer by number. */
export interface IndexedExchange {
  readonly request: number;
  readonly method: string;
  readonly target: string | undefined;
  /** Digest of the parameters without `_meta`. */
  readonly params: string;
  /** Digest of what was told before the answer, and of it. */
  answer: string;
  /** Number of the answer; undefined when there was none. */
  response: number | undefined;
  /** Numbers of notifications of its progress. */
  readonly notifications: number[];
  /** Number of the client's call it belongs to. */
  readonly call: number | undefined;
  /** The client took it back. */
  cancelled: boolean;
  ms: number;
}

/** What one client (or the daemon, towards one server) said. */
export interface IndexedParty {
  /** The same for the same client at the same endpoint, or the same server. */
  readonly label: string;
  readonly exchanges: IndexedExchange[];
}

/** What is looked at. */
export interface IndexOptions {
  /** The edge of that server; absent = what clients saw, or the servers' edge where no client was recorded. */
  readonly server?: string | undefined;
  readonly targetOf: (params: Readonly<Record<string, unknown>> | undefined) => string | undefined;
}

/** Reads a recording through. */
export async function indexRecording(source: IndexedSource, { server, targetOf }: IndexOptions): Promise<readonly IndexedParty[]> {
  const opens = new Map<string, OpenLine>();
  const readers = { client: new Map<string, PartyIndex>(), server: new Map<string, PartyIndex>() };
  for await (const line of source.lines()) {
    if (line.k === 'open') opens.set(line.c, line);
    if (line.k === 'fault' && line.call !== undefined) readers.client.get(keyOf(opens.get(line.c), line.c))?.gaveUp(line.call);
    const open = line.k === 'frame' ? opens.get(line.c) : undefined;
    if (line.k !== 'frame' || open === undefined || (server !== undefined && (open.edge !== 'server' || open.server !== server))) continue;
    const { edge } = open;
    const key = keyOf(open, line.c);
    const label = edge === 'client' ? `client ${open.client} ${open.endpoint}` : `server ${open.server}`;
    const known = readers[edge].get(key) ?? new PartyIndex(label, targetOf);
    readers[edge].set(key, known);
    known.add(line, (await source.message(line)) as Message, (line.d === 'in') === (edge === 'client'));
  }
  const clients = [...readers.client.values()];
  return (clients.length > 0 ? clients : [...readers.server.values()]).map(({ party }) => party);
}

interface OpenExchange {
  readonly exchange: IndexedExchange;
  readonly t: number;
  readonly told: string[];
}

/** What ids of requests are unique in. */
function keyOf(open: OpenLine | undefined, connection: string): string {
  return open?.edge === 'client' && open.session !== undefined ? `session ${open.session}` : `connection ${connection}`;
}

class PartyIndex {
  readonly party: IndexedParty;
  readonly #targetOf: IndexOptions['targetOf'];
  readonly #open = new OpenRequests<OpenExchange>();
  readonly #tokens = new Map<unknown, OpenExchange>();

  constructor(label: string, targetOf: IndexOptions['targetOf']) {
    this.party = { label, exchanges: [] };
    this.#targetOf = targetOf;
  }

  add(line: FrameLine, message: Message, toServer: boolean): void {
    if (isRequest(message)) {
      if (!toServer) return;
      const { _meta, ...params } = message.params ?? {};
      const exchange: IndexedExchange = {
        request: line.n,
        method: message.method,
        target: this.#targetOf(message.params),
        params: digest(params),
        answer: '',
        response: undefined,
        notifications: [],
        call: line.call,
        cancelled: false,
        ms: 0,
      };
      this.party.exchanges.push(exchange);
      const open = { exchange, t: line.t, told: [] };
      this.#open.add(message.id, line.call, open);
      const token = metaOf(message.params)?.['progressToken'];
      if (token !== undefined) this.#tokens.set(token, open);
      return;
    }
    if ('method' in message) {
      if (toServer && message.method === 'notifications/cancelled') this.#cancel(message.params?.['requestId'], line.call);
      const open = message.method === 'notifications/progress' ? this.#tokens.get(message.params?.['progressToken']) : undefined;
      if (open === undefined || toServer || open.exchange.response !== undefined) return;
      open.told.push(canonical(message.params));
      open.exchange.notifications.push(line.n);
      return;
    }
    const open = toServer ? undefined : this.#open.take(message.id, line.call);
    if (open === undefined) return;
    const { exchange, t, told } = open;
    exchange.response = line.n;
    exchange.ms = line.t - t;
    exchange.answer = digest([told, 'error' in message ? { error: message.error } : { result: message.result }]);
  }

  /** Something went wrong with a call: its client closed the stream, or it was refused. */
  gaveUp(call: number): void {
    for (const { exchange } of this.#open.values()) if (exchange.call === call) exchange.cancelled = true;
  }

  #cancel(id: unknown, call: number | undefined): void {
    const open = this.#open.get(id, call);
    if (open !== undefined) open.exchange.cancelled = true;
  }
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('base64url').slice(0, 22);
}
