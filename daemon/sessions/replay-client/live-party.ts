/** One live connection in the place of a recorded one: what was sent on it, and what came. */
import type { SignalboxError } from '../../api/errors.ts';
import { LEGACY_LATEST, MODERN_VERSION } from '../../protocol/eras.ts';
import {
  isObject,
  isRequest,
  type JsonObject,
  type Message,
  metaOf,
  type Notification,
  type Request,
  type RequestId,
  type Response,
} from '../../protocol/message.ts';
import type { LiveLink, OpenLive } from './live-link.ts';
import { learnTools } from './survey.ts';

/** What became of a request. */
export type Fate = Answered | { readonly failure: SignalboxError };
/** An answer came, so many milliseconds after the request. */
export interface Answered {
  readonly message: Response;
  readonly ms: number;
}

/** A request on its way. */
export interface Sent {
  readonly id: RequestId;
  readonly method: string;
  readonly at: number;
  /** Progress of it, and what came on its stream; in order. */
  readonly notifications: Notification[];
  fate: Fate | undefined;
}

/** A question of the live server. */
export interface Question {
  readonly request: Request;
  readonly at: number;
}

const IDENTITY = { name: 'signalbox-replay', title: 'Signalbox replay', version: '1' };
/** Notifications kept of one request, and of what belongs to none: a server may send them for ever. */
const NOTIFICATIONS = 50_000;
/** Pages of a list that are read to find a tool. */
const PAGES = 200;

/** A live connection. */
export class LiveParty {
  /** Questions nobody has answered yet, in order. */
  readonly questions: Question[] = [];
  /** Notifications that belong to no request, in order; how many of each method. */
  readonly loose: Notification[] = [];
  readonly heard = new Map<string, number>();
  /** Why the connection is over. */
  closed: SignalboxError | undefined;
  /** When the server asked last. */
  lastQuestion = 0;
  /** Whether anything was ever answered. */
  answered = false;
  readonly #sent = new Map<RequestId, Sent>();
  readonly #tokens = new Map<unknown, Sent>();
  #link: LiveLink | undefined;
  #waiting: (() => void)[] = [];
  #own = 0;
  #agreed = false;
  #tools: Map<string, boolean> | undefined;
  #toolsWhole = false;

  /** Opens the connection. @throws what the link throws when the server cannot be started or reached */
  static async open(open: OpenLive): Promise<LiveParty> {
    const party = new LiveParty();
    party.#link = await open({
      message: (message, related) => party.#message(message, related),
      fault: (error, id) => party.#fault(error, id),
      closed: (error) => party.#gone(error),
    });
    return party;
  }

  /** Whether the transport tells on whose stream a notification came. */
  get streams(): boolean {
    return this.#link?.kind === 'http';
  }

  /** Requests without an answer. */
  get open(): readonly Sent[] {
    return [...this.#sent.values()];
  }

  /** Sends a request; its id is as given unless that one is under way. */
  request(message: Request): Sent {
    const id = this.#sent.has(message.id) ? this.#freshId() : message.id;
    const sent: Sent = { id, method: message.method, at: performance.now(), notifications: [], fate: undefined };
    const token = metaOf(message.params)?.['progressToken'];
    if (token !== undefined) this.#tokens.set(token, sent);
    if (this.closed !== undefined) {
      sent.fate = { failure: this.closed };
      return sent;
    }
    this.#sent.set(id, sent);
    if (metaOf(message.params)?.['io.modelcontextprotocol/protocolVersion'] !== undefined && message.method !== 'server/discover')
      this.#agree(MODERN_VERSION);
    this.#link?.send(id === message.id ? message : { ...message, id });
    return sent;
  }

  /** Sends a notification or an answer. */
  tell(message: Notification | Response): void {
    if (this.closed === undefined) this.#link?.send(message);
  }

  /** Takes a request back: nobody waits for its answer any more. */
  giveUp(sent: Sent): void {
    this.#sent.delete(sent.id);
    this.#link?.abandon(sent.id);
  }

  /** The legacy handshake, where the recording began after it. */
  async greet(timeoutMs: number): Promise<void> {
    const capabilities = { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } };
    const params = { protocolVersion: LEGACY_LATEST, capabilities, clientInfo: IDENTITY };
    await this.settled(this.request({ jsonrpc: '2.0', id: this.#freshId(), method: 'initialize', params }), timeoutMs);
    this.tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  /** Whether the live server says that a tool only reads; undefined when it lists none of that name. @param like a request whose `_meta` fits */
  async readsOnly(tool: string, like: JsonObject | undefined, timeoutMs: number): Promise<boolean | undefined> {
    const known = this.#tools?.get(tool);
    if (known !== undefined || this.#toolsWhole) return known;
    const tools = new Map<string, boolean>();
    let cursor: unknown;
    for (let page = 0; page < PAGES; page++) {
      const { progressToken: _token, ...meta } = metaOf(like) ?? {};
      const params = { ...(cursor === undefined ? {} : { cursor }), ...(Object.keys(meta).length > 0 ? { _meta: meta } : {}) };
      const sent = this.request({ jsonrpc: '2.0', id: this.#freshId(), method: 'tools/list', params });
      const fate = await this.settled(sent, timeoutMs);
      const result = fate !== undefined && 'message' in fate && 'result' in fate.message ? fate.message.result : undefined;
      if (result === undefined) return undefined;
      learnTools(tools, result);
      cursor = result['nextCursor'];
      if (typeof cursor !== 'string') break;
    }
    this.#tools = tools;
    this.#toolsWhole = true;
    return tools.get(tool);
  }

  /** Waits for the answer; undefined when it did not come in time, and nobody waits for it any more. */
  async settled(sent: Sent, timeoutMs: number): Promise<Fate | undefined> {
    await this.until(() => sent.fate !== undefined, timeoutMs);
    if (sent.fate === undefined) this.giveUp(sent);
    return sent.fate;
  }

  /** Waits until something holds, at most so long. Looked at whenever something came, and by the clock. */
  async until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    while (!holds()) {
      const rest = end - performance.now();
      if (rest <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(rest, 250));
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#link?.close();
  }

  #freshId(): string {
    this.#own += 1;
    return `signalbox-replay-${this.#own}`;
  }

  #agree(revision: string): void {
    if (this.#agreed) return;
    this.#agreed = true;
    this.#link?.agreed(revision);
  }

  #message(message: Message, related: RequestId | undefined): void {
    if (isRequest(message) && message.method === 'ping') this.tell({ jsonrpc: '2.0', id: message.id, result: {} });
    else if (isRequest(message)) {
      this.lastQuestion = performance.now();
      this.questions.push({ request: message, at: this.lastQuestion });
    } else if ('method' in message) this.#notification(message, related);
    else if (message.id !== null) {
      const sent = this.#sent.get(message.id);
      if (sent !== undefined) this.#settle(sent, { message, ms: performance.now() - sent.at });
    }
    this.#wake();
  }

  #notification(message: Notification, related: RequestId | undefined): void {
    this.heard.set(message.method, (this.heard.get(message.method) ?? 0) + 1);
    if (message.method === 'notifications/tools/list_changed') {
      this.#tools = undefined;
      this.#toolsWhole = false;
    }
    const progress = message.method === 'notifications/progress' ? this.#tokens.get(message.params?.['progressToken']) : undefined;
    const sent = progress ?? (related === undefined ? undefined : this.#sent.get(related));
    const list = sent === undefined || sent.method === 'subscriptions/listen' ? this.loose : sent.notifications;
    if (list.length < NOTIFICATIONS) list.push(message);
  }

  #settle(sent: Sent, fate: Fate): void {
    this.#sent.delete(sent.id);
    sent.fate = fate;
    if (!('message' in fate)) return;
    this.answered = true;
    if (!('result' in fate.message)) return;
    const { result } = fate.message;
    if (sent.method === 'initialize' && isObject(result) && typeof result['protocolVersion'] === 'string')
      this.#agree(result['protocolVersion']);
    if (sent.method === 'tools/list') {
      this.#tools ??= new Map();
      learnTools(this.#tools, result);
    }
  }

  #fault(error: SignalboxError, id: RequestId | undefined): void {
    const sent = id === undefined ? undefined : this.#sent.get(id);
    if (sent !== undefined) this.#settle(sent, { failure: error });
    this.#wake();
  }

  #gone(error: SignalboxError): void {
    this.closed ??= error;
    for (const sent of [...this.#sent.values()]) this.#settle(sent, { failure: error });
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
