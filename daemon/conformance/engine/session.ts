/** One connection to the server under test: asks, watches, and judges every frame. Not an SDK client: nothing is repaired or hidden. */

import { type Era, LEGACY_LATEST, MODERN_VERSION, modernHeaders } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { HttpWire } from '../transports/http-wire.ts';
import { StdioWire } from '../transports/stdio-wire.ts';
import type { Frame, HttpFacts, Sent, Wire } from '../transports/wire.ts';
import { type Answer, composed, IDENTITY, Patience, type RequestOptions, type SessionOptions } from './exchange.ts';
import { readFrame } from './frame-rules.ts';
import { checkHttp } from './http-rules.ts';
import { at, Judge, shown } from './judge.ts';
import { type Asked, keyOf, Model } from './model.ts';
import { paramHeaders } from './param-headers.ts';
import { Replies } from './replies.ts';
import { Transcript } from './transcript.ts';

/** Milliseconds a process may take to start, at least. */
const HELLO_MS = 10_000;

/** Milliseconds a server has, however often it was silent, to show that it lives. */
const ALIVE_MS = 1000;

/** A connection. */
export class Session {
  readonly era: Era;
  readonly judge: Judge;
  readonly model: Model;
  readonly wire: Wire;
  readonly transcript = new Transcript();
  /** Why the connection is over, once it is. */
  ended: string | undefined;
  sessionId: string | undefined;
  version: string;
  readonly #options: SessionOptions;
  readonly #waiting = new Map<Asked, (message: JsonObject) => void>();
  #frames: Frame[] = [];
  readonly #replies: Replies;
  #next = 1;
  #answered = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.era = options.era;
    this.version = options.version ?? (options.era === 'legacy' ? LEGACY_LATEST : MODERN_VERSION);
    this.judge = new Judge(options.era, options.target.kind, options.exercised);
    this.model = new Model(this.judge, options.capabilities ?? {});
    const listener = {
      frame: (frame: Frame) => this.#frame(frame),
      fault: (stem: string, expected: string, got: string) => void this.judge.check(stem, false, expected, got),
      closed: (why: string) => this.#closed(why),
      trace: (direction: '>' | '<', channel: string, text: string) => this.transcript.note(direction, channel, text),
    };
    this.wire =
      options.target.kind === 'http'
        ? new HttpWire(options.target, listener)
        : (options.process?.(listener) ?? new StdioWire(options.target, listener));
    this.#replies = new Replies(
      this.judge,
      options.respond,
      (message) => this.#send(message, {}),
      () => this.ended !== undefined,
    );
  }

  /** Opens a connection, with the handshake unless told otherwise. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    if (options.raw !== true) await session.start();
    return session;
  }

  /** Legacy: `initialize` and `initialized`. Modern: asks what the server can. */
  async start(): Promise<Answer> {
    if (this.era === 'modern') return this.request('server/discover');
    const answer = await this.initialize();
    if (answer.result === undefined) return answer;
    await this.notify('notifications/initialized', undefined, { settle: false });
    if (this.wire.kind === 'http') this.listen();
    return answer;
  }

  /** Legacy: the first request of a session. */
  async initialize(params: JsonObject = {}, options: RequestOptions = {}): Promise<Answer> {
    const answer = await this.request(
      'initialize',
      { protocolVersion: this.version, capabilities: this.model.clientCapabilities, clientInfo: IDENTITY, ...params },
      options,
    );
    const version = at(answer.result, 'protocolVersion');
    if (typeof version === 'string') this.version = version;
    const id = answer.http?.headers['mcp-session-id'];
    if (id !== undefined) this.sessionId = id;
    return answer;
  }

  /** Legacy HTTP: the standing stream of the GET. */
  listen(headers: Readonly<Record<string, string>> = {}): Sent {
    const sent = this.wire.send(Buffer.alloc(0), { method: 'GET', headers: { ...this.headers(), ...headers }, timeoutMs: 600_000 });
    if (headers['last-event-id'] !== undefined) this.model.resumed.add(sent.channel);
    return sent;
  }

  /** Headers every legacy HTTP message carries after the handshake. */
  headers(): Record<string, string> {
    if (this.era === 'modern') return { 'mcp-protocol-version': MODERN_VERSION };
    return {
      ...(this.sessionId === undefined ? {} : { 'mcp-session-id': this.sessionId }),
      ...(this.model.capabilities === undefined ? {} : { 'mcp-protocol-version': this.version }),
    };
  }

  /** A fresh request id. */
  freshId(): number {
    return this.#next++;
  }

  /** The message of a request as it will be sent, envelope and all. */
  compose(method: string, params: JsonObject | undefined, options: RequestOptions = {}): JsonObject {
    const id = Object.hasOwn(options, 'id') ? options.id : this.freshId();
    return composed(this.era, { id, method, params, capabilities: this.model.clientCapabilities }, options);
  }

  /** Asks and waits for the response, the end of the connection or the limit. */
  async request(method: string, params?: JsonObject, options: RequestOptions = {}): Promise<Answer> {
    this.model.phase = 'request';
    return this.ask(this.compose(method, params, options), options);
  }

  /** Sends a request as it is. Its response is waited for. */
  async ask(
    message: JsonObject,
    options: RequestOptions & { readonly text?: Buffer; readonly wellFormed?: boolean; readonly unsent?: boolean } = {},
  ): Promise<Answer> {
    const method = String(message['method']);
    const params = isObject(message['params']) ? message['params'] : undefined;
    const asked: Asked = {
      id: message['id'],
      method,
      params,
      wellFormed: options.wellFormed ?? true,
      provoked: options.provoked ?? false,
      channel: '',
      answers: 0,
      cancelled: false,
    };
    this.model.requests.set(keyOf(asked.id), asked);
    const before = this.#frames.length;
    const began = performance.now();
    // the first answer of a process waits for its start, which other load on the machine makes long
    const { limitMs, patience } = this.#options;
    const limit = Math.max(options.limitMs ?? patience?.limit(limitMs) ?? limitMs, this.#answered ? 0 : HELLO_MS);
    let timer: NodeJS.Timeout | undefined;
    const arrived = new Promise<JsonObject | undefined>((done) => {
      this.#waiting.set(asked, done);
      timer = setTimeout(() => done(undefined), limit);
      if (this.ended !== undefined) done(undefined);
      void options.until?.then(() => done(undefined));
    });
    // `unsent`: it travels inside the bytes of another message
    const sent =
      options.unsent === true
        ? { channel: 'out', abort: () => {} }
        : this.#send(message, { timeoutMs: limit + 500, ...options }, options.text);
    asked.channel = sent.channel;
    void sent.exchange?.then(() => setImmediate(() => this.#waiting.get(asked)?.(NOTHING)));
    const found = await arrived;
    await this.#replies.taken();
    if (found !== undefined && found !== NOTHING) this.#answered = true;
    const got = found === NOTHING ? undefined : found;
    const ms = performance.now() - began;
    clearTimeout(timer);
    this.#waiting.delete(asked);
    asked.givenUp = got === undefined;
    const http = await this.#exchange(sent, got !== undefined);
    if (http !== undefined) checkHttp(this.model, asked, http, got);
    // a server may answer what is wrong on purpose with a bare HTTP status; what is well formed has a response
    const limits = http !== undefined && LIMITS.has(http.status);
    if (asked.wellFormed && !asked.provoked && !asked.cancelled && !limits && (got !== undefined || this.ended === undefined)) {
      if (found === undefined && options.until === undefined) patience?.silence();
      this.judge.check(
        'RPC-ONE-RESPONSE',
        got !== undefined,
        'a response',
        () => `none to ${shown(message)}${http === undefined ? '' : `, HTTP status ${http.status}`}`,
      );
    }
    const others = this.#frames
      .slice(before)
      .filter((frame) => frame.value !== got && (sent.channel === 'out' || frame.channel === sent.channel));
    const [result, error] = [got?.['result'], got?.['error']];
    return {
      id: asked.id,
      message: got,
      result: isObject(result) ? result : undefined,
      error: isObject(error) ? error : undefined,
      others,
      http,
      ms,
    };
  }

  #send(message: JsonObject, options: RequestOptions, text?: Buffer): Sent {
    const bytes = text ?? Buffer.from(JSON.stringify(message));
    if (this.wire.kind === 'stdio') return this.wire.send(Buffer.concat([bytes, NEWLINE]), options);
    const mirrored = this.era === 'modern' && typeof message['method'] === 'string' ? this.#mirrored(message) : {};
    return this.wire.send(bytes, { ...options, headers: { ...this.headers(), ...mirrored, ...options.headers } });
  }

  #mirrored(message: JsonObject): Record<string, string> {
    const marked = message['method'] === 'tools/call' ? this.#options.marked?.get(String(at(message, 'params', 'name'))) : undefined;
    return { ...modernHeaders(message as never), ...paramHeaders(marked ?? [], at(message, 'params', 'arguments')) };
  }

  /** The end of an HTTP exchange; a stream that stays open after its response is cut after a grace period. */
  async #exchange(sent: Sent, answered: boolean): Promise<HttpFacts | undefined> {
    if (sent.exchange === undefined) return undefined;
    if (!answered) sent.abort();
    const patience = this.#options.patience ?? new Patience();
    const grace = setTimeout(() => {
      patience.lingering();
      sent.abort();
    }, patience.grace);
    const facts = await sent.exchange;
    clearTimeout(grace);
    return facts;
  }

  /**
   * Sends a notification. With `settle` (the default) a request behind it is the barrier: what came until its response is the reaction.
   */
  async notify(
    method: string,
    params?: JsonObject,
    options: RequestOptions & { readonly settle?: boolean } = {},
  ): Promise<HttpFacts | undefined> {
    if (method === 'notifications/initialized') this.model.initialized = true;
    const message: JsonObject = {
      jsonrpc: '2.0',
      method,
      ...(params === undefined && options.meta === undefined
        ? {}
        : { params: { ...params, ...(options.meta === undefined ? {} : { _meta: options.meta }) } }),
    };
    return this.tell(message, options);
  }

  /** Sends a message that is no request, as it is. */
  async tell(message: JsonObject, options: RequestOptions & { readonly settle?: boolean } = {}): Promise<HttpFacts | undefined> {
    this.model.phase = 'notification';
    const sent = this.#send(message, options);
    const http = await this.#exchange(sent, true);
    if (options.settle !== false) await this.barrier();
    return http;
  }

  /** Sends bytes that are no valid message, and reports what came back until the barrier. */
  async malformed(
    bytes: Buffer,
    options: RequestOptions & { readonly ids?: readonly unknown[] } = {},
  ): Promise<{ readonly frames: readonly Frame[]; readonly http: HttpFacts | undefined }> {
    this.model.phase = 'malformed';
    const before = this.#frames.length;
    let own = bytes;
    // an answer may come late, when the next case is under way: no two cases share an id that can be told apart
    const ids = (options.ids ?? []).map((id) => {
      if (typeof id !== 'string') return id;
      const unique = `${id}-${this.#next++}`;
      own = renamed(own, id, unique);
      return unique;
    });
    for (const id of ids)
      this.model.requests.set(keyOf(id), {
        id,
        method: '',
        params: undefined,
        wellFormed: false,
        provoked: true,
        channel: '',
        answers: 0,
        cancelled: false,
      });
    const sent =
      this.wire.kind === 'stdio'
        ? this.wire.send(Buffer.concat([own, NEWLINE]), options)
        : this.wire.send(own, { timeoutMs: 3000, ...options, headers: { ...this.headers(), ...options.headers } });
    const http = await this.#exchange(sent, true);
    const alive = await this.barrier('malformed');
    // a second barrier on a pipe: an answer made in a later turn of the server's event loop comes before it
    if (alive && this.wire.kind === 'stdio') await this.barrier('malformed');
    for (const id of ids) if (typeof id !== 'string') this.model.requests.delete(keyOf(id));
    const frames = this.#frames.slice(before).filter((frame) => sent.channel === 'out' || frame.channel === sent.channel);
    const mine = frames.filter((frame) => !this.#aside.has(at(frame.value, 'id')));
    for (const id of ids) if (typeof id === 'string') this.#aside.add(id);
    return { frames: mine, http };
  }

  /** Ids of barriers and of earlier malformed messages: an answer to them is no part of what comes back of another. */
  readonly #aside = new Set<unknown>();

  /** A cheap request whose answer says that what was sent before has been dealt with, and that the server lives. */
  async barrier(phase: 'request' | 'malformed' | 'notification' = this.model.phase): Promise<boolean> {
    this.model.phase = phase;
    const early = this.era === 'legacy' && this.model.capabilities === undefined;
    if (early) return this.ended === undefined;
    const message = this.compose(this.era === 'legacy' ? 'ping' : 'server/discover', undefined, { id: `barrier-${this.#next++}` });
    this.#aside.add(message['id']);
    const { limitMs, patience } = this.#options;
    const answer = await this.ask(message, { limitMs: Math.max(patience?.limit(limitMs) ?? limitMs, Math.min(limitMs, ALIVE_MS)) });
    const lives = answer.message !== undefined;
    const why = this.ended ?? 'no answer to the barrier';
    if (phase === 'malformed') this.judge.check('RPC-SURVIVE-GARBAGE', lives, 'the next valid request is answered', why);
    this.judge.check('ROB-NO-CRASH', lives || (phase !== 'malformed' && this.ended === undefined), 'the server lives', why);
    if (!lives && this.ended === undefined && phase !== 'malformed') this.judge.check('ROB-NO-CRASH', false, 'the server answers', why);
    if (!lives) this.ended ??= 'unanswered barrier';
    this.model.phase = 'request';
    return lives;
  }

  /** Ends the connection as a client should. */
  async close(limitMs = 3000): Promise<{ readonly code: number | null; readonly signal: string | null; readonly killed: boolean }> {
    this.ended ??= 'closed by the tester';
    return this.wire.close(limitMs);
  }

  /** Frames of this case that have come so far. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** Begins a case: frames and answered requests of earlier ones are forgotten, open ones are not. */
  begin(): void {
    this.#frames = [];
    if (this.model.requests.size < 500) return;
    const recent = [...this.model.requests].slice(-100);
    for (const [key, asked] of this.model.requests)
      if (asked.answers > 0 && !recent.some(([kept]) => kept === key)) this.model.requests.delete(key);
  }

  #closed(why: string): void {
    this.ended ??= why;
    this.transcript.note('!', '', why);
    for (const done of this.#waiting.values()) done(NOTHING);
  }

  #frame(frame: Frame): void {
    this.#frames.push(frame);
    const reading = readFrame(this.model, frame);
    if (reading.kind === 'response') {
      if (reading.asked !== undefined) this.#waiting.get(reading.asked)?.(reading.message);
      for (const [asked, message] of this.model.settled()) this.#waiting.get(asked)?.(message);
    } else if (reading.kind === 'request') this.#replies.answer(reading.message);
  }
}

/** Statuses by which an HTTP server keeps its limits (sizes, rates); no message needs to come with them. */
const LIMITS: ReadonlySet<number> = new Set([413, 414, 429, 431, 503]);
/** Stands for "nothing will come any more". */
const NOTHING: JsonObject = Object.freeze({});
const NEWLINE = Buffer.from('\n');

/** The bytes of a message with another id, if it says its id in so many words. */
function renamed(bytes: Buffer, id: string, unique: string): Buffer {
  const [old, fresh] = [Buffer.from(`"id":${JSON.stringify(id)}`), Buffer.from(`"id":${JSON.stringify(unique)}`)];
  const from = bytes.indexOf(old);
  return from < 0 ? bytes : Buffer.concat([bytes.subarray(0, from), fresh, bytes.subarray(from + old.length)]);
}
