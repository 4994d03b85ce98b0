/** Streamable HTTP towards clients, both eras on one URL: sessions for the legacy one, one exchange per request for the modern one. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { classifyInboundRequest } from '@modelcontextprotocol/server';
import { SignalboxError } from '../api/errors.ts';
import { idInUse, RPC, refusal, rpcError } from '../protocol/codes.ts';
import { decodeHeader, LEGACY_VERSIONS, MODERN_VERSION, MODERN_VERSIONS, mirroredName } from '../protocol/eras.ts';
import { checkMessage, isObject, isRequest, type Message, type Outcome, type Request, type RequestId } from '../protocol/message.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/connection.ts';
import { readBody } from './body.ts';
import { Exchange } from './exchange.ts';
import { Session } from './session.ts';

/** Minutes without a request or an open stream before a legacy session is forgotten. */
const SESSION_IDLE_MS = 60 * 60_000;

interface LegacySession {
  readonly session: Session;
  readonly client: string;
  readonly exchanges: Map<RequestId, Exchange>;
  stream: ServerResponse | undefined;
  /** Said while no stream was open; delivered when one opens. */
  waiting: Message[];
  usedAt: number;
}
/** Messages kept for a legacy client that has no stream open; more are dropped, oldest first. */
const WAITING_LIMIT = 256;

/** What the HTTP face of an endpoint needs. */
export interface HttpEndpointOptions {
  readonly view: EndpointView;
  readonly router: Router;
  readonly identity: Identity;
  readonly messageBytes: () => number;
}

/** The HTTP face of one endpoint. */
export class HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  readonly #sessions = new Map<string, LegacySession>();
  readonly #modern = new Set<Session>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: HttpEndpointOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#forgetIdle(), 60_000).unref();
  }

  /** Open legacy sessions and running modern exchanges. */
  get sessions(): number {
    return this.#sessions.size + this.#modern.size;
  }

  /** Serves one authenticated request of `client`. Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse, client: string): Promise<void> {
    try {
      if (request.method === 'POST') await this.#post(request, response, client);
      else if (request.method === 'GET') this.#get(request, response, client);
      else if (request.method === 'DELETE') this.#delete(request, response, client);
      else response.writeHead(405, { allow: 'GET, POST, DELETE' }).end();
    } catch (error) {
      const tooLarge = error instanceof SignalboxError && error.code === 'SBX_MESSAGE_TOO_LARGE';
      answerError(response, tooLarge ? 413 : 400, null, {
        error: rpcError(
          error,
          error instanceof SignalboxError && error.code === 'SBX_MESSAGE_INVALID' && error.cause !== undefined
            ? RPC.parse
            : RPC.invalidRequest,
        ),
      });
    }
  }

  /** Ends every session. */
  close(): void {
    clearInterval(this.#sweep);
    for (const session of this.#modern) session.farewell();
    for (const { session, stream } of this.#sessions.values()) {
      session.dispose();
      stream?.end();
    }
    this.#sessions.clear();
  }

  async #post(request: IncomingMessage, response: ServerResponse, client: string): Promise<void> {
    const body = await readBody(request, this.#options.messageBytes());
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch (cause) {
      throw new SignalboxError('SBX_MESSAGE_INVALID', 'The body is not JSON.', {
        why: String(cause),
        fix: 'POST one JSON-RPC message.',
        cause,
      });
    }
    const message = checkMessage(parsed);
    const header = (name: string): string | undefined => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    const route = classifyInboundRequest({
      httpMethod: 'POST',
      body: parsed,
      ...optional('protocolVersionHeader', header('mcp-protocol-version')),
      ...optional('mcpMethodHeader', header('mcp-method')),
      ...optional('mcpNameHeader', header('mcp-name')),
    });
    if (route.kind === 'legacy') return this.#legacy(message, request, response, client);
    if (route.kind !== 'modern') {
      const { code, data } = route as { code: number; data?: unknown };
      answerError(response, 400, 'id' in message ? message.id : null, {
        error: refusal(code, route.message, isObject(data) ? data : {}),
      });
      return;
    }
    if (!isRequest(message)) {
      // A modern client cancels by closing its stream; other notifications ask nothing of us.
      response.writeHead(202).end();
      return;
    }
    const fault = headerFault(message, header) ?? versionFault(route.classification.revision);
    if (fault !== undefined) return answerError(response, 400, message.id, fault);
    this.#exchange(message, response);
  }

  #exchange(message: Request, response: ServerResponse): void {
    const exchange = new Exchange(response, { standing: message.method === 'subscriptions/listen' });
    const session = new Session({
      ...this.#options,
      deliver: (out, related) => {
        // A one-request session has no standing channel: only what belongs to the request can be sent.
        if (related === message.id) exchange.send(out, 'id' in out && !('method' in out));
      },
    });
    this.#modern.add(session);
    response.once('close', () => {
      session.cancel(message.id);
      session.dispose();
      this.#modern.delete(session);
    });
    session.receive(message);
  }

  #legacy(message: Message, request: IncomingMessage, response: ServerResponse, client: string): void {
    if (isRequest(message) && message.method === 'initialize') {
      const id = randomUUID();
      const live = this.#open(client);
      this.#sessions.set(id, live);
      response.setHeader('mcp-session-id', id);
      return this.#serve(live, message, response);
    }
    const live = this.#find(request, response, client, 'id' in message ? message.id : null);
    if (live === undefined) return;
    const revision = request.headers['mcp-protocol-version'];
    if (typeof revision === 'string' && !LEGACY_VERSIONS.includes(revision)) {
      // 2025-06-18 and later, "Protocol version header": an unsupported one is answered with 400.
      const unsupported = new SignalboxError('SBX_PROTOCOL_VERSION', `Protocol revision ${revision} is not supported.`, {
        why: 'MCP-Protocol-Version must be the revision that initialize agreed on.',
        fix: `Signalbox speaks ${[...MODERN_VERSIONS, ...LEGACY_VERSIONS].join(', ')}.`,
      });
      const error = rpcError(unsupported, RPC.invalidRequest);
      return answerError(response, 400, 'id' in message ? message.id : null, { error });
    }
    if (isRequest(message)) return this.#serve(live, message, response);
    live.session.receive(message);
    response.writeHead(202).end();
  }

  #serve(live: LegacySession, message: Request, response: ServerResponse): void {
    const exchange = new Exchange(response, { standing: false });
    const clash = live.exchanges.has(message.id);
    // The session answers a clash of ids itself; the first exchange keeps its place.
    if (clash) return answerError(response, 400, message.id, { error: idInUse(message.id) });
    live.exchanges.set(message.id, exchange);
    // A plain disconnect is not a cancel in the legacy era (2025-11-25, transports): the call runs on.
    response.once('close', () => live.exchanges.delete(message.id));
    live.session.receive(message);
  }

  #open(client: string): LegacySession {
    const live: LegacySession = {
      client,
      exchanges: new Map(),
      stream: undefined,
      waiting: [],
      usedAt: Date.now(),
      session: new Session({
        ...this.#options,
        deliver: (message, related) => {
          const exchange = related === undefined ? undefined : live.exchanges.get(related);
          if (exchange !== undefined) exchange.send(message, 'id' in message && !('method' in message));
          else if (live.stream !== undefined) writeEvent(live.stream, message);
          else {
            live.waiting.push(message);
            if (live.waiting.length > WAITING_LIMIT) live.waiting.shift();
          }
        },
      }),
    };
    return live;
  }

  #get(request: IncomingMessage, response: ServerResponse, client: string): void {
    if (request.headers['mcp-protocol-version'] === MODERN_VERSION) return void response.writeHead(405, { allow: 'POST' }).end();
    if (request.headers['mcp-session-id'] === undefined) return void response.writeHead(405, { allow: 'POST' }).end();
    const live = this.#find(request, response, client, null);
    if (live === undefined) return;
    live.stream?.end();
    live.stream = response;
    openStream(response);
    for (const message of live.waiting.splice(0)) writeEvent(response, message);
    response.once('close', () => {
      if (live.stream === response) live.stream = undefined;
    });
  }

  #delete(request: IncomingMessage, response: ServerResponse, client: string): void {
    const live = this.#find(request, response, client, null);
    if (live === undefined) return;
    this.#sessions.delete(String(request.headers['mcp-session-id']));
    live.session.dispose();
    live.stream?.end();
    response.writeHead(204).end();
  }

  #find(request: IncomingMessage, response: ServerResponse, client: string, id: RequestId | null): LegacySession | undefined {
    const name = request.headers['mcp-session-id'];
    const live = typeof name === 'string' ? this.#sessions.get(name) : undefined;
    if (live !== undefined && live.client === client) {
      live.usedAt = Date.now();
      return live;
    }
    const missing = name === undefined;
    const error = new SignalboxError('SBX_SESSION_UNKNOWN', missing ? 'The request names no session.' : 'Session not found.', {
      why: missing ? 'Legacy requests after initialize carry Mcp-Session-Id.' : 'The daemon was restarted or the session has ended.',
      fix: 'Send initialize again (2025-11-25, "Session management").',
    });
    answerError(response, missing ? 400 : 404, id, { error: rpcError(error, missing ? RPC.invalidRequest : -32001) });
    return undefined;
  }

  #forgetIdle(): void {
    const old = Date.now() - SESSION_IDLE_MS;
    for (const [id, live] of this.#sessions) {
      if (live.usedAt > old || live.stream !== undefined || live.session.busy > 0) continue;
      this.#sessions.delete(id);
      live.session.dispose();
    }
  }
}

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: string });
}

/** The headers a modern request must carry (2026-07-28, "Request headers"): what is missing or differs, as -32020. */
function headerFault(request: Request, header: (name: string) => string | undefined): Outcome | undefined {
  const name = mirroredName(request);
  const sent = header('mcp-name');
  const decoded = sent === undefined ? undefined : decodeHeader(sent);
  const fault =
    header('mcp-protocol-version') === undefined
      ? 'MCP-Protocol-Version is missing.'
      : header('mcp-method') === undefined
        ? 'Mcp-Method is missing.'
        : name !== undefined && decoded !== name
          ? `Mcp-Name is ${sent === undefined ? 'missing' : JSON.stringify(decoded ?? sent)}, the body says ${JSON.stringify(name)}.`
          : undefined;
  if (fault === undefined) return undefined;
  return {
    error: rpcError(
      new SignalboxError('SBX_HEADER_MISMATCH', 'Headers and body do not agree.', {
        why: fault,
        fix: 'Mirror protocol version, method and name in the headers (2026-07-28).',
      }),
      RPC.headerMismatch,
    ),
  };
}

function versionFault(revision: string | undefined): Outcome | undefined {
  if (revision === undefined || MODERN_VERSIONS.includes(revision)) return undefined;
  const data = { supported: [...MODERN_VERSIONS], requested: revision };
  return { error: refusal(RPC.unsupportedVersion, `The request names revision ${revision}.`, data) };
}

/** Starts an event stream. */
export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
  response.flushHeaders();
}
/** Writes one message as an event. */
export function writeEvent(response: ServerResponse, message: Message): void {
  response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function answerError(response: ServerResponse, status: number, id: RequestId | null, outcome: Outcome): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
}
