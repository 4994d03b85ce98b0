/** Streamable HTTP towards clients, both eras on one URL: sessions for the legacy one, one exchange per request for the modern one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SignalboxError } from '../api/errors.ts';
import type { Tap, TapChannel } from '../api/sessions.ts';
import { idInUse, RPC, refusal, rpcError } from '../protocol/codes.ts';
import { LEGACY_VERSIONS, MODERN_VERSION, MODERN_VERSIONS } from '../protocol/eras.ts';
import { readFrame } from '../protocol/frame.ts';
import { inboundRoute } from '../protocol/inbound.ts';
import { isRequest, type Message, type Request, type RpcError, response } from '../protocol/message.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/handshake.ts';
import { readBody } from './body.ts';
import type { EventIds } from './event-id.ts';
import { Exchange, type SeenExchange } from './exchange.ts';
import type { LegacySession } from './legacy-session.ts';
import { LegacySessions } from './legacy-sessions.ts';
import { ModernCall, ModernCalls } from './modern-call.ts';
import { refuseMessage, refuseSession, refuseWith, sessionFault } from './refusal.ts';
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
  /** Sees every frame. Absent = nobody does. */
  readonly tap?: Tap | undefined;
}

/** A message posted by a client, and the answer to it. */
interface Post {
  readonly message: Message;
  readonly bytes: number;
  readonly request: IncomingMessage;
  readonly answer: ServerResponse;
  readonly client: string;
}

/** The HTTP face of one endpoint. */
export class HttpEndpoint {
  readonly #options: HttpEndpointOptions;
  readonly #sessions: LegacySessions;
  /** Open `subscriptions/listen` and whose they are. */
  readonly #listening = new Map<Session, string>();
  readonly #running = new ModernCalls();
  /** What the tap sees of requests without a session, by client. */
  readonly #channels = new Map<string, TapChannel>();

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
        .then((body) => this.#post({ message: readFrame(body), bytes: body.length, request, answer, client }))
        .catch((error: unknown) => this.#unreadable(error, request, answer, client));
    } else if (request.method === 'GET') this.#get(request, answer, client);
    else if (request.method === 'DELETE') this.#delete(request, answer, client);
    else answer.writeHead(405, { allow: 'GET, POST, DELETE' }).end();
  }

  /** Ends the sessions and subscriptions of a client whose credential is no more. */
  revoke(client: string): void {
    this.#sessions.revoke(client);
    this.#channels.get(client)?.close('Its credential is no more.');
    this.#channels.delete(client);
    for (const [session, of] of this.#listening) if (of === client) session.farewell();
  }

  /** Ends every session; requests under way are answered as interrupted. Legacy sessions stay kept. */
  close(): void {
    for (const session of this.#listening.keys()) session.farewell();
    for (const call of this.#running.all()) call.interrupt(this.#options.router);
    this.#sessions.close();
    for (const channel of this.#channels.values()) channel.close('The endpoint closed.');
    this.#channels.clear();
  }

  #post(post: Post): void {
    const { message, request, client } = post;
    const { headers } = request;
    const circle = viaFault(headers.via, this.#options.daemonId);
    if (circle !== undefined) return this.#refuse(post, 508, rpcError(circle));
    const route = inboundRoute(message, {
      version: text(headers['mcp-protocol-version']),
      method: text(headers['mcp-method']),
      name: text(headers['mcp-name']),
    });
    if (route.kind === 'legacy') return this.#legacy(post);
    if (route.kind === 'refused') return this.#refuse(post, 400, refusal(route.code, route.why, route.data));
    // A modern client cancels by closing its stream; other notifications ask nothing of us.
    if (!isRequest(message)) {
      this.#channel(client)?.in(message, { bytes: post.bytes, era: 'modern' });
      return void post.answer.writeHead(202).end();
    }
    if (!MODERN_VERSIONS.includes(route.revision)) {
      const data = { supported: [...MODERN_VERSIONS], requested: route.revision };
      return this.#refuse(post, 400, refusal(RPC.unsupportedVersion, `The request names revision ${route.revision}.`, data));
    }
    const unequal = message.method === 'tools/call' ? toolHeaderFault(this.#options.view, client, message, headers) : undefined;
    if (unequal !== undefined) return this.#refuse(post, 400, unequal);
    if (message.method === 'subscriptions/listen') this.#listen(message, post);
    else void this.#modern(message, post);
  }

  /** Refuses a message before it is anybody's. */
  #refuse({ message, bytes, answer, client }: Post, status: number, error: RpcError, channel = this.#channel(client)): void {
    const origin = channel?.in(message, { bytes });
    const refused = refuseWith(answer, status, 'id' in message ? message.id : null, error);
    if (refused !== undefined) channel?.out(refused, { origin: isRequest(message) ? origin : undefined });
  }

  /** What came is no message, or too big a one. */
  #unreadable(error: unknown, request: IncomingMessage, answer: ServerResponse, client: string): void {
    const session = text(request.headers['mcp-session-id']);
    const channel = (session === undefined ? undefined : this.#sessions.find(session, client)?.channel) ?? this.#channel(client);
    channel?.fault(`What came is no message: ${error instanceof SignalboxError ? `${error.message} ${error.why}` : String(error)}`);
    const refused = refuseMessage(answer, error);
    if (refused !== undefined) channel?.out(refused);
  }

  #channel(client: string): TapChannel | undefined {
    const { tap, view } = this.#options;
    const { path: endpoint, workspace } = view.endpoint;
    let channel = this.#channels.get(client);
    if (channel !== undefined || tap === undefined) return channel;
    channel = tap.open({ edge: 'client', transport: 'http', client, endpoint, ...(workspace === undefined ? {} : { workspace }) });
    this.#channels.set(client, channel);
    return channel;
  }

  #seen(request: Request, { bytes, client }: Post): SeenExchange | undefined {
    const channel = this.#channel(client);
    return channel && { channel, origin: channel.in(request, { bytes, era: 'modern', stream: request.id }), stream: request.id };
  }

  /** A modern request needs no session: it goes straight to the router. */
  async #modern(request: Request, post: Post): Promise<void> {
    const seen = this.#seen(request, post);
    const call = new ModernCall(request, new Exchange(post.answer, false, seen));
    this.#running.add(call);
    post.answer.once('close', () => call.closed());
    const outcome = await this.#options.router.handle(this.#options.view, {
      request,
      era: 'modern',
      caller: this.#caller(post.client),
      signal: call.signal,
      notify: (notification) => call.exchange.send(notification),
      origin: seen?.origin,
    });
    this.#running.remove(call);
    if (!call.signal.aborted) call.exchange.send(response(request.id, outcome));
    call.over = true;
  }

  #listen(message: Request, post: Post): void {
    const { answer, client } = post;
    const seen = this.#seen(message, post);
    const exchange = new Exchange(answer, true, seen);
    let over = false;
    const session = new Session({
      ...this.#options,
      caller: this.#caller(client),
      // A one-request session has no standing channel: only what belongs to the request can be sent.
      deliver: (out, related) => {
        if (related !== message.id) return;
        over ||= !('method' in out);
        exchange.send(out);
      },
    });
    this.#listening.set(session, client);
    answer.once('close', () => {
      if (!over) exchange.gone();
      session.cancel(message.id);
      session.dispose();
      this.#listening.delete(session);
    });
    session.receive(message, seen?.origin);
  }

  #caller(client: string): { readonly principal: string; readonly client: string } {
    return { principal: `${client} ${this.#options.view.endpoint.path}`, client };
  }

  #legacy(post: Post): void {
    const { message, bytes, request, answer, client } = post;
    if (isRequest(message) && message.method === 'initialize') {
      const live = this.#sessions.open(client);
      answer.setHeader('mcp-session-id', live.id);
      return live.serve(message, answer, bytes);
    }
    const name = text(request.headers['mcp-session-id']);
    const live = name === undefined ? undefined : this.#sessions.find(name, client);
    if (live === undefined) {
      const { status, error } = sessionFault(name === undefined);
      return this.#refuse(post, status, error);
    }
    const revision = request.headers['mcp-protocol-version'];
    if (typeof revision === 'string' && !LEGACY_VERSIONS.includes(revision))
      return this.#refuse(post, 400, revisionFault(revision), live.channel);
    if (!isRequest(message)) {
      live.receive(message, bytes);
      answer.writeHead(202).end();
    } else if (live.has(message.id)) this.#refuse(post, 400, idInUse(message.id), live.channel);
    else live.serve(message, answer, bytes);
  }

  #get(request: IncomingMessage, answer: ServerResponse, client: string): void {
    const { headers } = request;
    if (headers['mcp-protocol-version'] === MODERN_VERSION || headers['mcp-session-id'] === undefined)
      return void answer.writeHead(405, { allow: 'POST' }).end();
    const live = this.#find(request, answer, client);
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
    const live = this.#find(request, answer, client);
    if (live === undefined) return;
    this.#sessions.remove(live);
    answer.writeHead(204).end();
  }

  #find(request: IncomingMessage, answer: ServerResponse, client: string): LegacySession | undefined {
    const name = text(request.headers['mcp-session-id']);
    const live = name === undefined ? undefined : this.#sessions.find(name, client);
    if (live === undefined) refuseSession(answer, null, name === undefined);
    return live;
  }
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** 2025-06-18 and later, "Protocol version header": an unsupported one is answered with 400. */
function revisionFault(revision: string): RpcError {
  const unsupported = new SignalboxError('SBX_PROTOCOL_VERSION', `Protocol revision ${revision} is not supported.`, {
    why: 'MCP-Protocol-Version must be the revision that initialize agreed on.',
    fix: `Signalbox speaks ${[...MODERN_VERSIONS, ...LEGACY_VERSIONS].join(', ')}.`,
  });
  return rpcError(unsupported, RPC.invalidRequest);
}
