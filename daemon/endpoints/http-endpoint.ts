/** Streamable HTTP towards clients, both eras on one URL: sessions for the legacy one, one exchange per request for the modern one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SignalboxError } from '../api/errors.ts';
import { idInUse, RPC, refusal, rpcError } from '../protocol/codes.ts';
import { LEGACY_VERSIONS, MODERN_VERSION, MODERN_VERSIONS } from '../protocol/eras.ts';
import { readFrame } from '../protocol/frame.ts';
import { inboundRoute } from '../protocol/inbound.ts';
import { isRequest, type Message, type Request, type RequestId, response } from '../protocol/message.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/handshake.ts';
import { readBody } from './body.ts';
import type { EventIds } from './event-id.ts';
import { Exchange } from './exchange.ts';
import type { LegacySession } from './legacy-session.ts';
import { LegacySessions } from './legacy-sessions.ts';
import { ModernCall, ModernCalls } from './modern-call.ts';
import { refuseMessage, refuseSession, refuseWith } from './refusal.ts';
import { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { toolHeaderFault } from './tool-headers.ts';
import { viaFault } from './via.ts';

/** What the HTTP face of an endpoint needs. */
export interface HttpEndpointOptions {
  readonly view: EndpointView;
  readonly router: Router;
  readonly identity: Identity;
  readonly messageBytes: () => number;
  readonly store: SessionStore;
  readonly ids: EventIds;
  /** Id of this daemon: a request that came through it already goes in a circle. */
  readonly daemonId: string;
}

/** The HTTP face of one endpoint. */
export class HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  readonly #sessions: LegacySessions;
  /** Open `subscriptions/listen` and whose they are. */
  readonly #listening = new Map<Session, string>();
  readonly #running = new ModernCalls();

  constructor(options: HttpEndpointOptions) {
    this.#options = options;
    this.#sessions = new LegacySessions(options);
  }

  /** Legacy sessions in memory and running modern requests. */
  get sessions(): number {
    return this.#sessions.size + this.#listening.size + this.#running.size;
  }
  /** The legacy sessions. */
  get legacy(): LegacySessions {
    return this.#sessions;
  }

  /** Serves one authenticated request of `client`. Never throws. */
  handle(request: IncomingMessage, answer: ServerResponse, client: string): void {
    if (request.method === 'POST') {
      readBody(request, this.#options.messageBytes())
        .then((body) => this.#post(readFrame(body), request, answer, client))
        .catch((error: unknown) => refuseMessage(answer, error));
    } else if (request.method === 'GET') this.#get(request, answer, client);
    else if (request.method === 'DELETE') this.#delete(request, answer, client);
    else answer.writeHead(405, { allow: 'GET, POST, DELETE' }).end();
  }

  /** Ends the sessions and subscriptions of a client whose credential is no more. */
  revoke(client: string): void {
    this.#sessions.revoke(client);
    for (const [session, of] of this.#listening) if (of === client) session.farewell();
  }

  /** Ends every session; requests under way are answered as interrupted. Legacy sessions stay kept. */
  close(): void {
    for (const session of this.#listening.keys()) session.farewell();
    for (const call of this.#running.all()) call.interrupt(this.#options.router);
    this.#sessions.close();
  }

  #post(message: Message, request: IncomingMessage, answer: ServerResponse, client: string): void {
    const { headers } = request;
    const id = 'id' in message ? message.id : null;
    const circle = viaFault(headers.via, this.#options.daemonId);
    if (circle !== undefined) return refuseWith(answer, 508, id, rpcError(circle));
    const route = inboundRoute(message, {
      version: text(headers['mcp-protocol-version']),
      method: text(headers['mcp-method']),
      name: text(headers['mcp-name']),
    });
    if (route.kind === 'legacy') return this.#legacy(message, request, answer, client);
    if (route.kind === 'refused') return refuseWith(answer, 400, id, refusal(route.code, route.why, route.data));
    // A modern client cancels by closing its stream; other notifications ask nothing of us.
    if (!isRequest(message)) return void answer.writeHead(202).end();
    if (!MODERN_VERSIONS.includes(route.revision)) {
      const data = { supported: [...MODERN_VERSIONS], requested: route.revision };
      return refuseWith(answer, 400, id, refusal(RPC.unsupportedVersion, `The request names revision ${route.revision}.`, data));
    }
    const unequal = message.method === 'tools/call' ? toolHeaderFault(this.#options.view, client, message, headers) : undefined;
    if (unequal !== undefined) return refuseWith(answer, 400, id, unequal);
    if (message.method === 'subscriptions/listen') this.#listen(message, answer, client);
    else void this.#modern(message, answer, client);
  }

  /** A modern request needs no session: it goes straight to the router. */
  async #modern(request: Request, answer: ServerResponse, client: string): Promise<void> {
    const call = new ModernCall(request, new Exchange(answer));
    this.#running.add(call);
    answer.once('close', () => call.closed());
    const outcome = await this.#options.router.handle(this.#options.view, {
      request,
      era: 'modern',
      caller: this.#caller(client),
      signal: call.signal,
      notify: (notification) => call.exchange.send(notification),
    });
    this.#running.remove(call);
    if (!call.signal.aborted) call.exchange.send(response(request.id, outcome));
    call.over = true;
  }

  #listen(message: Request, answer: ServerResponse, client: string): void {
    const exchange = new Exchange(answer, true);
    const session = new Session({
      ...this.#options,
      caller: this.#caller(client),
      // A one-request session has no standing channel: only what belongs to the request can be sent.
      deliver: (out, related) => {
        if (related === message.id) exchange.send(out);
      },
    });
    this.#listening.set(session, client);
    answer.once('close', () => {
      session.cancel(message.id);
      session.dispose();
      this.#listening.delete(session);
    });
    session.receive(message);
  }

  #caller(client: string): { readonly principal: string; readonly client: string } {
    return { principal: `${client} ${this.#options.view.endpoint.path}`, client };
  }

  #legacy(message: Message, request: IncomingMessage, answer: ServerResponse, client: string): void {
    if (isRequest(message) && message.method === 'initialize') {
      const live = this.#sessions.open(client);
      answer.setHeader('mcp-session-id', live.id);
      return live.serve(message, answer);
    }
    const id = 'id' in message ? message.id : null;
    const live = this.#find(request, answer, client, id);
    if (live === undefined) return;
    const revision = request.headers['mcp-protocol-version'];
    if (typeof revision === 'string' && !LEGACY_VERSIONS.includes(revision)) return refuseRevision(answer, id, revision);
    if (!isRequest(message)) {
      live.receive(message);
      answer.writeHead(202).end();
    } else if (live.has(message.id)) refuseWith(answer, 400, message.id, idInUse(message.id));
    else live.serve(message, answer);
  }

  #get(request: IncomingMessage, answer: ServerResponse, client: string): void {
    const { headers } = request;
    if (headers['mcp-protocol-version'] === MODERN_VERSION || headers['mcp-session-id'] === undefined)
      return void answer.writeHead(405, { allow: 'POST' }).end();
    const live = this.#find(request, answer, client, null);
    if (live === undefined) return;
    const last = text(headers['last-event-id']);
    if (last === undefined) return live.listen(answer);
    const place = this.#options.ids.read(last);
    if (place?.session === live.id) return live.resume(place, answer);
    const unknown = new SignalboxError('SBX_MESSAGE_INVALID', 'Last-Event-ID is not an event of this session.', {
      why: 'Event ids are made by the daemon and hold for one session.',
      fix: 'Open the stream without Last-Event-ID.',
    });
    refuseWith(answer, 400, null, rpcError(unknown, RPC.invalidRequest));
  }

  #delete(request: IncomingMessage, answer: ServerResponse, client: string): void {
    const live = this.#find(request, answer, client, null);
    if (live === undefined) return;
    this.#sessions.remove(live);
    answer.writeHead(204).end();
  }

  #find(request: IncomingMessage, answer: ServerResponse, client: string, id: RequestId | null): LegacySession | undefined {
    const name = text(request.headers['mcp-session-id']);
    const live = name === undefined ? undefined : this.#sessions.find(name, client);
    if (live === undefined) refuseSession(answer, id, name === undefined);
    return live;
  }
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** 2025-06-18 and later, "Protocol version header": an unsupported one is answered with 400. */
function refuseRevision(answer: ServerResponse, id: RequestId | null, revision: string): void {
  const unsupported = new SignalboxError('SBX_PROTOCOL_VERSION', `Protocol revision ${revision} is not supported.`, {
    why: 'MCP-Protocol-Version must be the revision that initialize agreed on.',
    fix: `Signalbox speaks ${[...MODERN_VERSIONS, ...LEGACY_VERSIONS].join(', ')}.`,
  });
  refuseWith(answer, 400, id, rpcError(unsupported, RPC.invalidRequest));
}
