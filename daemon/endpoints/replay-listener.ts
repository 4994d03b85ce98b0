/** A replayed server over Streamable HTTP, both eras on one URL, on loopback only. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignalboxError } from '../api/errors.ts';
import type { FaultJudge } from '../api/faults.ts';
import { RPC, refusal, rpcError } from '../protocol/codes.ts';
import { LEGACY_VERSIONS, META, MODERN_VERSION, MODERN_VERSIONS } from '../protocol/eras.ts';
import { readFrame } from '../protocol/frame.ts';
import { inboundRoute } from '../protocol/inbound.ts';
import { isRequest, type Message, metaOf, type Request } from '../protocol/message.ts';
import { faultyWay, type Way } from '../sessions/faults/answers.ts';
import type { Rehearsal } from '../sessions/replay-server/rehearsal.ts';
import { ReplaySession } from '../sessions/replay-server/session.ts';
import { placeFault } from './admission.ts';
import { readBody } from './body.ts';
import { eventOf, openStream, writeEvent, writeJson } from './event-stream.ts';
import { Exchange } from './exchange.ts';
import { refuseMessage, refuseSession, refuseWith } from './refusal.ts';

/** Bytes of a request. */
const MESSAGE_BYTES = 64 * 1024 * 1024;
/** Sessions at once, and what is kept for a client that does not listen. */
const SESSIONS = 256;
const UNHEARD = 1000;

/** What is served where. */
export interface ReplayListenerOptions {
  readonly rehearsal: Rehearsal;
  /** 0 = any free one. */
  readonly port: number;
  /** Path of the URL. Who knows it may use it: one that must stay private cannot be guessed. */
  readonly path: string;
  readonly faults?: FaultJudge;
}
/** A replayed server that is being served. */
export interface ReplayListener {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a recording until it is closed.
 * @throws SBX_PORT_TAKEN
 */
export async function serveReplay(options: ReplayListenerOptions): Promise<ReplayListener> {
  const endpoint = new ReplayEndpoint(options);
  const server = createServer((request, answer) => endpoint.handle(request, answer));
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${options.path}`,
    close: async () => {
      endpoint.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new SignalboxError('SBX_PORT_TAKEN', `Port ${port} cannot be used.`, {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Take another port, or none: then a free one is taken.',
      cause,
    });
  }
}

class ReplayEndpoint {
  readonly #options: ReplayListenerOptions;
  readonly #sessions = new Map<string, HttpReplaySession>();
  /** Modern clients have no sessions: who says the same of itself is one, until it discovers the server anew. */
  readonly #modern = new Map<string, ReplaySession>();

  constructor(options: ReplayListenerOptions) {
    this.#options = options;
  }

  handle(request: IncomingMessage, answer: ServerResponse): void {
    const fault = placeFault(request);
    if (fault !== undefined)
      return void refuseWith(answer, 403, null, { code: RPC.invalidRequest, message: `${fault.message} ${fault.fix}`, data: fault });
    if ((request.url ?? '').split('?', 1)[0] !== this.#options.path) return void answer.writeHead(404).end();
    if (request.method === 'POST') {
      readBody(request, MESSAGE_BYTES)
        .then((body) => this.#post(readFrame(body), request, answer))
        .catch((error: unknown) => refuseMessage(answer, error));
    } else if (request.method === 'GET') this.#find(request, answer, null)?.listen(answer);
    else if (request.method === 'DELETE') this.#delete(request, answer);
    else answer.writeHead(405, { allow: 'GET, POST, DELETE' }).end();
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
    for (const session of this.#modern.values()) session.close();
    this.#modern.clear();
  }

  #post(message: Message, request: IncomingMessage, answer: ServerResponse): void {
    const id = 'id' in message ? message.id : null;
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    const headers = { version: header('mcp-protocol-version'), method: header('mcp-method'), name: header('mcp-name') };
    const route = inboundRoute(message, headers);
    if (route.kind === 'refused') return void refuseWith(answer, 400, id, refusal(route.code, route.why, route.data));
    if (route.kind === 'legacy') return this.#legacy(message, request, answer);
    if (!isRequest(message)) return void answer.writeHead(202).end();
    if (route.revision !== MODERN_VERSION) {
      const data = { supported: [...MODERN_VERSIONS], requested: route.revision };
      return void refuseWith(answer, 400, id, refusal(RPC.unsupportedVersion, `The request names revision ${route.revision}.`, data));
    }
    const exchange = new Exchange(answer, message.method === 'subscriptions/listen');
    let answered = false;
    const send = this.#way(message, answer, (out) => {
      if (!('method' in out)) answered = true;
      exchange.send(out);
    });
    const session = this.#modernSession(message);
    const play = send && session.receive(message, send);
    answer.once('close', () => {
      if (play !== undefined && !answered) session.abandon(play);
    });
  }

  #modernSession({ method, params }: Request): ReplaySession {
    const state = params?.['requestState'];
    // Whoever goes on with something does so where it began.
    const begun = typeof state === 'string' ? [...this.#modern.values()].find((session) => session.rounds.gave(state)) : undefined;
    if (begun !== undefined) return begun;
    const client = JSON.stringify(metaOf(params)?.[META.clientInfo] ?? null);
    const known = method === 'server/discover' ? undefined : this.#modern.get(client);
    if (known !== undefined) return known;
    const before = this.#modern.get(client);
    // Requests that still run, and questions, belong to the story before: it stays a while under another name.
    if (before !== undefined) this.#modern.set(`${client} ${randomUUID()}`, before);
    const session = new ReplaySession(this.#options.rehearsal, () => {});
    this.#modern.set(client, session);
    const [oldest] = this.#modern;
    if (this.#modern.size > SESSIONS && oldest !== undefined) {
      this.#modern.delete(oldest[0]);
      oldest[1].close();
    }
    return session;
  }

  #legacy(message: Message, request: IncomingMessage, answer: ServerResponse): void {
    if (isRequest(message) && message.method === 'initialize') {
      this.#makeRoom();
      const opened = new HttpReplaySession(this.#options.rehearsal);
      this.#sessions.set(opened.id, opened);
      answer.setHeader('mcp-session-id', opened.id);
      return this.#serve(opened, message, answer);
    }
    const session = this.#find(request, answer, 'id' in message ? message.id : null);
    if (session === undefined) return;
    const revision = request.headers['mcp-protocol-version'];
    if (typeof revision === 'string' && !LEGACY_VERSIONS.includes(revision)) {
      const unsupported = new SignalboxError('SBX_PROTOCOL_VERSION', `Protocol revision ${revision} is not supported.`, {
        why: 'MCP-Protocol-Version must be the revision that initialize agreed on.',
        fix: `Use one of ${LEGACY_VERSIONS.join(', ')}.`,
      });
      return void refuseWith(answer, 400, 'id' in message ? message.id : null, rpcError(unsupported, RPC.invalidRequest));
    }
    if (isRequest(message)) return this.#serve(session, message, answer);
    session.replay.receive(message);
    answer.writeHead(202).end();
  }

  #serve(session: HttpReplaySession, request: Request, answer: ServerResponse): void {
    const legacy = new LegacyAnswer(answer);
    const send = this.#way(request, answer, (message) => legacy.send(message));
    if (send !== undefined) session.replay.receive(request, send);
  }

  /** Where the answer to a request goes, faults included; undefined when there is none. */
  #way(request: Request, answer: ServerResponse, send: Way['send']): Way['send'] | undefined {
    const { faults } = this.#options;
    if (faults === undefined) return send;
    const cut = (text: string): void => {
      if (!answer.headersSent) answer.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      else text = `event: message\ndata: ${text}\n\n`;
      answer.end(text);
    };
    return faultyWay(request, { send, cut, disconnect: () => void answer.destroy() }, faults);
  }

  #delete(request: IncomingMessage, answer: ServerResponse): void {
    const session = this.#find(request, answer, null);
    if (session === undefined) return;
    this.#sessions.delete(session.id);
    session.close();
    answer.writeHead(204).end();
  }

  #find(request: IncomingMessage, answer: ServerResponse, id: Parameters<typeof refuseSession>[1]): HttpReplaySession | undefined {
    const name = request.headers['mcp-session-id'];
    if (request.method === 'GET' && name === undefined) {
      answer.writeHead(405, { allow: 'POST' }).end();
      return undefined;
    }
    const session = typeof name === 'string' ? this.#sessions.get(name) : undefined;
    if (session === undefined) refuseSession(answer, id, name === undefined);
    return session;
  }

  #makeRoom(): void {
    const [oldest] = this.#sessions.values();
    if (this.#sessions.size < SESSIONS || oldest === undefined) return;
    this.#sessions.delete(oldest.id);
    oldest.close();
  }
}

/** A legacy session and its standing stream. */
class HttpReplaySession {
  readonly id = randomUUID();
  readonly replay: ReplaySession;
  readonly #unheard: Message[] = [];
  #stream: ServerResponse | undefined;

  constructor(rehearsal: Rehearsal) {
    this.replay = new ReplaySession(rehearsal, (message) => this.#say(message));
  }

  listen(answer: ServerResponse): void {
    this.#stream?.end();
    this.#stream = answer;
    openStream(answer);
    for (const message of this.#unheard.splice(0)) writeEvent(answer, eventOf(message));
  }

  close(): void {
    this.replay.close();
    this.#stream?.end();
  }

  #say(message: Message): void {
    if (this.#stream !== undefined && !this.#stream.writableEnded && !this.#stream.destroyed) writeEvent(this.#stream, eventOf(message));
    else if (this.#unheard.length < UNHEARD) this.#unheard.push(message);
  }
}

/** The answer to one legacy POST: JSON when only the response comes, an event stream as soon as something comes before it. */
class LegacyAnswer {
  readonly #answer: ServerResponse;

  constructor(answer: ServerResponse) {
    this.#answer = answer;
  }

  send(message: Message): void {
    const answer = this.#answer;
    if (answer.writableEnded || answer.destroyed) return;
    const last = !('method' in message);
    if (last && !answer.headersSent) return void writeJson(answer, 200, message);
    if (!answer.headersSent) openStream(answer);
    writeEvent(answer, eventOf(message), last);
  }
}
