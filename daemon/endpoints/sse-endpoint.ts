/** HTTP+SSE (2024-11-05) towards old clients: one event stream for everything the server says, POSTs beside it for what the client says. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SignalboxError } from '../api/errors.ts';
import { RPC, rpcError } from '../protocol/codes.ts';
import { eraOf } from '../protocol/eras.ts';
import { readFrame } from '../protocol/frame.ts';
import { readBody } from './body.ts';
import type { EventIds } from './event-id.ts';
import type { LegacySession } from './legacy-session.ts';
import type { LegacySessions } from './legacy-sessions.ts';
import { refuseMessage, refuseSession, refuseWith } from './refusal.ts';

/** Path prefix; what follows is the endpoint's path without `/mcp`. */
export const SSE_PREFIX = '/sse';

/** What the old face of an endpoint needs. */
export interface SseEndpointOptions {
  readonly sessions: LegacySessions;
  readonly ids: EventIds;
  readonly messageBytes: () => number;
}

/**
 * The HTTP+SSE face of one endpoint. GET opens the stream; its first event, `endpoint`, names the URL messages are POSTed to: the same
 * one with the session in the query (no secret: the bearer is asked for each time). The events have ids, so that an event source that
 * lost its connection comes back to its session, also after a restart of the daemon.
 */
export class SseEndpoint {
  readonly #options: SseEndpointOptions;

  constructor(options: SseEndpointOptions) {
    this.#options = options;
  }

  /** Serves one authenticated request of `client`. Never throws. */
  handle(request: IncomingMessage, answer: ServerResponse, client: string): void {
    if (request.method === 'GET') this.#open(request, answer, client);
    else if (request.method === 'POST') {
      readBody(request, this.#options.messageBytes())
        .then((body) => this.#take(body, request, answer, client))
        .catch((error: unknown) => {
          refuseMessage(answer, error);
          const why = error instanceof SignalboxError ? `${error.message} ${error.why}` : String(error);
          this.#named(request, client)?.channel?.fault(`What came is no message: ${why}`);
        });
    } else answer.writeHead(405, { allow: 'GET, POST' }).end();
  }

  #open(request: IncomingMessage, answer: ServerResponse, client: string): void {
    const { sessions, ids } = this.#options;
    const last = request.headers['last-event-id'];
    const place = typeof last === 'string' ? ids.read(last) : undefined;
    const session = (place && sessions.find(place.session, client, true)) ?? sessions.open(client, true);
    // Event sources come again by themselves: a session that never shook hands would be left behind by each.
    answer.once('close', () => {
      if (session.session.protocolVersion === undefined && !session.active) sessions.remove(session);
    });
    const [path = ''] = (request.url ?? '').split('?', 1);
    session.listen(
      answer,
      place?.session === session.id ? place : undefined,
      (id) => `id: ${id}\nevent: endpoint\ndata: ${path}?sessionId=${session.id}\n\n`,
    );
  }

  #take(body: Buffer, request: IncomingMessage, answer: ServerResponse, client: string): void {
    const message = readFrame(body);
    const id = 'id' in message ? message.id : null;
    const session = this.#named(request, client);
    if (session === undefined) return void refuseSession(answer, id, nameIn(request) === null);
    if ('params' in message && eraOf(message) === 'modern') {
      const modern = new SignalboxError('SBX_PROTOCOL_VERSION', 'HTTP+SSE is a transport of the legacy era.', {
        why: 'It was replaced by Streamable HTTP in 2025-03-26.',
        fix: 'Use the /mcp/ URL of the endpoint.',
      });
      const origin = session.channel?.in(message, { bytes: body.length });
      const refused = refuseWith(answer, 400, id, rpcError(modern, RPC.invalidRequest));
      if (refused !== undefined) session.channel?.out(refused, { origin });
      return;
    }
    session.receive(message, body.length);
    answer.writeHead(202, { 'content-type': 'text/plain' }).end('Accepted');
  }

  #named(request: IncomingMessage, client: string): LegacySession | undefined {
    const name = nameIn(request);
    return name === null ? undefined : this.#options.sessions.find(name, client, true);
  }
}

/** The session a POST names. */
function nameIn(request: IncomingMessage): string | null {
  return new URLSearchParams((request.url ?? '').split('?', 2)[1]).get('sessionId');
}
