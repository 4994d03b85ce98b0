/** From the lines of a recording to what a server has to do to play them again: who said what, in answer to what, after what. */
import type { FrameLine, OpenLine, RecordingLine } from '../../api/recordings.ts';
import { MAY_ASK } from '../../protocol/asking.ts';
import { type Era, eraOf, META } from '../../protocol/eras.ts';
import {
  checkMessage,
  isNotification,
  isObject,
  isRequest,
  type JsonObject,
  type Message,
  metaOf,
  type Request,
  type RequestId,
  type Response,
} from '../../protocol/message.ts';
import { type KnownLists, knownLists } from './lists.ts';

/** One recorded frame of the edge that is played. */
export interface Frame {
  /** Place among the frames of its party, from 0. */
  readonly at: number;
  readonly party: Party;
  /** Its number in the recording. */
  readonly n: number;
  /** Milliseconds since the recording began. */
  readonly t: number;
  readonly by: 'client' | 'server';
  readonly message: Message;
  /** The exchange it belongs to; of a client's request: the one it opens. */
  exchange?: Exchange;
  /** Of an answer: the question. */
  question?: Frame;
  /** Of a client's frame: what the server said after it that belongs to no exchange, or comes on a standing stream. */
  readonly followers: Frame[];
}

/** A request of the client and everything that belongs to it. */
export interface Exchange {
  readonly opener: Frame;
  readonly request: Request;
  readonly era: Era;
  /** What the server said in it, and what the client answered in between, in order. */
  readonly own: Frame[];
  readonly listen: boolean;
  answer?: Frame;
  /** The client took it back. */
  cancel?: Frame;
  /** The requests with which the client went on after `input_required`. */
  readonly rounds: Exchange[];
  /** It goes on with an earlier one: nobody can ask it first. */
  followUp: boolean;
  /** Modern HTTP: it has no answer although the recording goes on: the client closed its stream. */
  abandoned: boolean;
}

/** One client (or one connection of the daemon) as it was recorded: what it did is in one order. */
export interface Party {
  readonly name: string;
  readonly frames: Frame[];
  /** What the server said before it heard anything. */
  readonly first: Frame[];
}

/** What a recording holds of one edge. */
export interface Script {
  readonly parties: readonly Party[];
  /** In the order of their requests. */
  readonly exchanges: readonly Exchange[];
  readonly eras: ReadonlySet<Era>;
  /** Of the servers at whose edge it was recorded, and whether there are frames of clients. */
  readonly servers: readonly string[];
  readonly clientEdge: boolean;
  /** What is known of lists that nobody asked for. */
  readonly known: KnownLists;
}

/**
 * Reads one edge of a recording.
 * @param lines in their order; with every message in place (side files read); frames without one are passed over
 * @param server the edge of that server; absent: what clients saw, or the only server where no client was recorded
 */
export function readScript(lines: Iterable<RecordingLine>, server?: string): Script {
  const all = [...lines];
  const opens = new Map<string, OpenLine>();
  for (const line of all) if (line.k === 'open') opens.set(line.c, line);
  const servers = [...new Set([...opens.values()].flatMap((open) => (open.edge === 'server' ? [open.server ?? ''] : [])))].sort();
  const clientEdge = [...opens.values()].some(({ edge }) => edge === 'client');
  const chosen = server ?? (clientEdge ? undefined : servers[0]);
  const readers = new Map<string, PartyReader>();
  for (const line of all) {
    if (line.k !== 'frame' || line.m === undefined || !isMessage(line.m)) continue;
    const open = opens.get(line.c);
    if (open === undefined || (chosen === undefined ? open.edge !== 'client' : open.edge !== 'server' || open.server !== chosen)) continue;
    const name = partyName(open);
    let reader = readers.get(name);
    if (reader === undefined) {
      reader = new PartyReader(name, open.transport === 'http');
      readers.set(name, reader);
    }
    reader.read(line, line.m, (line.d === 'in') === (open.edge === 'client') ? 'client' : 'server');
  }
  for (const reader of readers.values()) reader.end();
  const parties = [...readers.values()].map(({ party }) => party);
  const exchanges = [...readers.values()].flatMap((reader) => reader.exchanges).sort((a, b) => a.opener.n - b.opener.n);
  return { parties, exchanges, eras: new Set(exchanges.map(({ era }) => era)), servers, clientEdge, known: knownLists(all, opens, chosen) };
}

/** A file that people edit or send may hold anything. */
function isMessage(value: object): value is Message {
  try {
    checkMessage(value);
    return true;
  } catch {
    return false;
  }
}

/** What one client said is one story, whatever connections it took; towards a server each connection is one. */
function partyName(open: OpenLine): string {
  return open.edge === 'client' && open.session !== undefined ? `session ${open.session}` : `connection ${open.c}`;
}

/** One type and value of an id. */
export function idKey(id: RequestId | null | undefined): string {
  return `${typeof id}:${id}`;
}

class PartyReader {
  readonly party: Party;
  readonly exchanges: Exchange[] = [];
  /** Requests of the client without an answer yet, subscriptions too. */
  readonly #open = new Map<string, Exchange>();
  /** Questions of the server without an answer yet. */
  readonly #asked = new Map<string, Frame>();
  /** What was answered with `input_required`, by its state or by what was asked. */
  readonly #waiting = new Map<string, Exchange>();
  #last: Frame | undefined;

  readonly #streams: boolean;

  constructor(name: string, streams: boolean) {
    this.party = { name, frames: [], first: [] };
    this.#streams = streams;
  }

  /** Everything was read: what was left without an answer while the client went on was taken back by closing its stream. */
  end(): void {
    const last = this.party.frames.at(-1);
    for (const exchange of this.#open.values())
      exchange.abandoned = this.#streams && exchange.era === 'modern' && last !== undefined && last.exchange !== exchange;
  }

  read({ n, t, stream, era }: FrameLine, message: Message, by: Frame['by']): void {
    const frame: Frame = { at: this.party.frames.length, party: this.party, n, t, by, message, followers: [] };
    this.party.frames.push(frame);
    if (by === 'server') return this.#said(frame, stream);
    if (isRequest(message)) this.#opened(frame, message, era);
    else if (isNotification(message)) this.#told(frame, message.params);
    else this.#answered(frame, message);
    this.#last = frame;
  }

  #opened(frame: Frame, request: Request, era: Era | undefined): void {
    const exchange: Exchange = {
      opener: frame,
      request,
      era: era ?? (request.method === 'server/discover' ? 'modern' : eraOf(request)),
      own: [],
      listen: request.method === 'subscriptions/listen',
      rounds: [],
      followUp: false,
      abandoned: false,
    };
    frame.exchange = exchange;
    this.exchanges.push(exchange);
    this.#open.set(idKey(request.id), exchange);
    const { params } = request;
    if (params?.['requestState'] === undefined && params?.['inputResponses'] === undefined) return;
    const before = this.#waiting.get(roundKey(request.method, params, params['requestState']));
    if (before === undefined) return;
    before.rounds.push(exchange);
    exchange.followUp = true;
  }

  #told(frame: Frame, params: JsonObject | undefined): void {
    const id = params?.['requestId'];
    const { message } = frame;
    if (!('method' in message) || message.method !== 'notifications/cancelled' || (typeof id !== 'string' && typeof id !== 'number'))
      return;
    const exchange = this.#open.get(idKey(id));
    if (exchange === undefined) return;
    exchange.cancel = frame;
    frame.exchange = exchange;
  }

  #answered(frame: Frame, answer: Response): void {
    const question = this.#asked.get(idKey(answer.id));
    if (question === undefined) return;
    this.#asked.delete(idKey(answer.id));
    frame.question = question;
    if (question.exchange === undefined) return;
    frame.exchange = question.exchange;
    question.exchange.own.push(frame);
  }

  #said(frame: Frame, stream: RequestId | null | undefined): void {
    const { message } = frame;
    const exchange = this.#ownerOf(message, stream);
    if (exchange !== undefined) frame.exchange = exchange;
    if (isRequest(message)) this.#asked.set(idKey(message.id), frame);
    if (!('method' in message) && exchange !== undefined) {
      this.#open.delete(idKey(exchange.request.id));
      exchange.answer = frame;
      this.#mayGoOn(exchange, message);
    }
    const standing =
      exchange?.listen === true && !(isNotification(message) && message.method === 'notifications/subscriptions/acknowledged');
    if (exchange !== undefined && !standing) exchange.own.push(frame);
    // An answer to nothing that was recorded has nobody to go to.
    else if ('method' in message || exchange !== undefined) (this.#last?.followers ?? this.party.first).push(frame);
  }

  #mayGoOn({ request }: Exchange, message: Response): void {
    if (!('result' in message) || !isObject(message.result) || message.result['resultType'] !== 'input_required') return;
    const exchange = this.#exchangeOf(request);
    if (exchange !== undefined) this.#waiting.set(roundKey(request.method, request.params, message.result['requestState']), exchange);
  }

  #exchangeOf(request: Request): Exchange | undefined {
    return this.exchanges.findLast((exchange) => exchange.request === request);
  }

  #ownerOf(message: Message, stream: RequestId | null | undefined): Exchange | undefined {
    if (!('method' in message)) return this.#open.get(idKey(message.id));
    const { method, params } = message;
    const subscription = metaOf(params)?.[META.subscriptionId];
    if (subscription !== undefined) return this.#open.get(idKey(subscription as RequestId));
    if (method === 'notifications/progress') {
      const token = params?.['progressToken'];
      for (const exchange of this.#open.values())
        if (metaOf(exchange.request.params)?.['progressToken'] === token && token !== undefined) return exchange;
    }
    if (method === 'notifications/cancelled') return this.#asked.get(idKey(params?.['requestId'] as RequestId))?.exchange;
    if (stream !== undefined && stream !== null) {
      const found = this.#open.get(idKey(stream));
      if (found !== undefined) return found;
    }
    // Modern servers log for requests that asked for it (2026-07-28, "Logging"); on standard streams not saying for which.
    if (method === 'notifications/message')
      return [...this.#open.values()].findLast(({ request }) => metaOf(request.params)?.[META.logLevel] !== undefined);
    // On standard streams a question says not whose it is: the call that was begun last and may be asked about.
    if (!isRequest(message) || method === 'roots/list' || method === 'ping') return undefined;
    return [...this.#open.values()].findLast(({ request }) => MAY_ASK.has(request.method));
  }
}

function roundKey(method: string, params: JsonObject | undefined, state: unknown): string {
  return typeof state === 'string' ? `state ${state}` : `call ${method} ${String(params?.['name'] ?? params?.['uri'])}`;
}
