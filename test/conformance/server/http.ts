/** The conformance server over Streamable HTTP: sessions with resumable streams for the legacy era, a request at a time for the modern one. */
import { randomUUID } from 'node:crypto';
import {
  createMcpHandler,
  type EventStore,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Changes } from './changes.ts';
import { conformanceServer } from './features.ts';
import { serveWeb } from './web.ts';

/** Which revisions are spoken. */
export type Eras = 'both' | 'legacy' | 'modern';

/** SSE `retry` of the legacy streams, in ms. */
const RETRY_MS = 500;

/** Serves on a free loopback port. Resolves with the URL of the endpoint. */
export async function serveHttp(changes: Changes, eras: Eras): Promise<string> {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  const modern = createMcpHandler(() => conformanceServer(changes, false), { legacy: 'reject' });
  changes.onChange((list) => (list === 'tools' ? modern.notify.toolsChanged() : modern.notify.promptsChanged()));

  async function legacy(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    const known = id === null ? undefined : sessions.get(id);
    if (known !== undefined) return known.handleRequest(request);
    if (id !== null)
      return Response.json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, { status: 404 });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: memoryEventStore(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => void sessions.delete(session),
    });
    await conformanceServer(changes, true).connect(transport);
    return transport.handleRequest(request);
  }

  async function answer(request: Request): Promise<Response> {
    const refused =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ?? originValidationResponse(request, localhostAllowedOrigins());
    if (refused !== undefined) return refused;
    const old = eras === 'legacy' || (eras === 'both' && (await isLegacyRequest(request)));
    return old ? legacy(request) : modern.fetch(request);
  }

  return serveWeb(answer);
}

/** Events of one session, kept while it lives. */
function memoryEventStore(): EventStore {
  const events: { readonly stream: string; readonly message: Parameters<EventStore['storeEvent']>[1] }[] = [];
  return {
    storeEvent: async (stream, message) => String(events.push({ stream, message }) - 1),
    getStreamIdForEventId: async (id) => events[Number(id)]?.stream,
    replayEventsAfter: async (last, { send: replay }) => {
      const stream = events[Number(last)]?.stream ?? '';
      for (const [index, event] of events.entries())
        if (index > Number(last) && event.stream === stream && Object.keys(event.message).length > 0)
          await replay(String(index), event.message);
      return stream;
    },
  };
}
