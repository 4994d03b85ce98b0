/** `node legacy.ts --stdio|--http`: a server of the v1 SDK (2025-11-25 and older) that elicits and samples in the middle of a call. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  ListRootsResultSchema,
  ListToolsRequestSchema,
  type ServerNotification,
  type ServerRequest,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js';
import { FORM, PAGE, passengerQuestion, rhymeQuestion, serve } from './booking.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const visited = new Set<string>();

function legacyServer(): Server {
  const server = new Server({ name: 'legacy-booking', version: '1.0.0' }, { capabilities: { tools: {} } });
  const tools: Readonly<Record<string, (from: string, extra: Extra) => Promise<string>>> = {
    plain: async () => 'plain',
    book: async (from, extra) => {
      await progress(extra, 1);
      const name = await passenger(from, extra);
      await progress(extra, 2);
      const words = await rhyme(name, extra);
      await progress(extra, 3);
      return `${name} from ${from}: ${words}`;
    },
    both: async (from, extra) => (await Promise.all([passenger(from, extra), rhyme('both', extra)])).join(' and '),
    confirm: async (_from, extra) => (await elicit(extra, { message: 'Sure?', requestedSchema: FORM })).action,
    // As most servers of this SDK ask: not tied to the call, over HTTP on the stream of the GET.
    aside: async (from) => String((await server.elicitInput(passengerQuestion(from))).content?.['name']),
    login: async (_from, extra) => {
      const elicitationId = randomUUID();
      const { action } = await elicit(extra, { mode: 'url', ...PAGE, elicitationId });
      await extra.sendNotification({ method: 'notifications/elicitation/complete', params: { elicitationId } });
      return action;
    },
    locked: async (from) => {
      if (visited.has(from)) return 'open';
      visited.add(from);
      throw new UrlElicitationRequiredError([{ mode: 'url', ...PAGE, elicitationId: randomUUID() }]);
    },
    roots: async (_from, extra) => {
      const { roots } = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema);
      return roots.map(({ uri }) => uri).join(' ');
    },
  };
  const inputSchema = { type: 'object' as const, properties: { from: { type: 'string' } } };
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.keys(tools).map((name) => ({ name, description: name, inputSchema })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = tools[params.name];
    if (tool === undefined) throw new Error(`no tool ${params.name}`);
    return { content: [{ type: 'text', text: await tool(String(params.arguments?.['from'] ?? ''), extra) }] };
  });
  return server;
}

async function passenger(from: string, extra: Extra): Promise<string> {
  return String((await elicit(extra, passengerQuestion(from))).content?.['name']);
}

async function rhyme(about: string, extra: Extra): Promise<string> {
  const { content } = await extra.sendRequest(
    { method: 'sampling/createMessage', params: rhymeQuestion(about) },
    CreateMessageResultSchema,
  );
  return content.type === 'text' ? content.text : content.type;
}

function elicit(extra: Extra, params: Extract<ServerRequest, { method: 'elicitation/create' }>['params']): Promise<Elicited> {
  return extra.sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema);
}
interface Elicited {
  readonly action: string;
  readonly content?: Readonly<Record<string, unknown>> | undefined;
}

async function progress(extra: Extra, done: number): Promise<void> {
  const progressToken = extra._meta?.progressToken;
  if (progressToken !== undefined)
    await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress: done, total: 3 } });
}

/** A session per client, each with a server of its own. */
async function serveHttp(): Promise<string> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const http = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const id = request.headers['mcp-session-id'];
      const known = typeof id === 'string' ? sessions.get(id) : undefined;
      if (known !== undefined) return known.handleRequest(request, response);
      if (id !== undefined) return void response.writeHead(404).end();
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (session) => void sessions.set(session, transport),
      });
      // The SDK's own transports do not fit its own interface under exactOptionalPropertyTypes.
      await legacyServer().connect(transport as unknown as Parameters<Server['connect']>[0]);
      await transport.handleRequest(request, response);
    };
    answer().catch((thrown: unknown) => response.writeHead(500).end(String(thrown)));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
}

await serve({ stdio: () => legacyServer().connect(new StdioServerTransport()), http: serveHttp });
