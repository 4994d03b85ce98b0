/** A correct server of the v1 SDK (2025-11-25) with most of its features: `node v1.ts --stdio|--http`, the latter only for local origins. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const text = (words: string): { content: [{ type: 'text'; text: string }] } => ({ content: [{ type: 'text', text: words }] });
const annotations = { readOnlyHint: true };

function server(): McpServer {
  const made = new McpServer({ name: 'v1', version: '1.0.0' }, { capabilities: { logging: {} } });
  made.registerTool('echo', { description: 'Gives back', inputSchema: { words: z.string() }, annotations }, ({ words }) => text(words));
  made.registerTool(
    'sum',
    {
      description: 'Adds',
      inputSchema: { a: z.number().int().min(-1000).max(1000), b: z.number().int() },
      outputSchema: { sum: z.number() },
      annotations,
    },
    ({ a, b }) => ({ ...text(JSON.stringify({ sum: a + b })), structuredContent: { sum: a + b } }),
  );
  made.registerTool(
    'count',
    { description: 'Counts to three', inputSchema: { loud: z.boolean().optional() }, annotations },
    async (_args, { _meta, sendNotification, signal }) => {
      for (let progress = 1; progress <= 3; progress++) {
        await pause(70, undefined, { signal });
        const progressToken = _meta?.progressToken;
        if (progressToken !== undefined)
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } });
      }
      await made.sendLoggingMessage({ level: 'info', data: 'counted' });
      return text('three');
    },
  );
  made.registerResource('fixed', 'v1://fixed', { mimeType: 'text/plain' }, (uri) => ({ contents: [{ uri: uri.href, text: 'fixed' }] }));
  made.registerResource(
    'numbered',
    new ResourceTemplate('v1://number/{n}', {
      list: undefined,
      complete: { n: (value) => ['1', '12'].filter((one) => one.startsWith(value)) },
    }),
    {},
    (uri, { n }) => ({ contents: [{ uri: uri.href, text: `number ${String(n)}` }] }),
  );
  made.registerPrompt('about', { argsSchema: { topic: z.string() } }, ({ topic }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `About ${topic}` } }],
  }));
  return made;
}

async function serveHttp(): Promise<void> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const http = createServer((request, response) => {
    const { origin } = request.headers;
    if (origin !== undefined && !/^http:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(origin)) return void response.writeHead(403).end();
    const answer = async (): Promise<void> => {
      const id = request.headers['mcp-session-id'];
      const known = typeof id === 'string' ? sessions.get(id) : undefined;
      if (known !== undefined) return known.handleRequest(request, response);
      if (id !== undefined) return void response.writeHead(404).end();
      const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (made) => void sessions.set(made, transport),
        onsessionclosed: (closed) => void sessions.delete(closed),
      });
      // the SDK's own transports do not fit its own interface under exactOptionalPropertyTypes
      await server().connect(transport as unknown as Parameters<McpServer['connect']>[0]);
      await transport.handleRequest(request, response);
    };
    answer().catch((thrown: unknown) => response.writeHead(500).end(String(thrown)));
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  process.stdout.write(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp\n`);
  process.stdin.resume().on('end', () => process.exit(0));
}

if (process.argv[2] === '--http') await serveHttp();
else await server().connect(new StdioServerTransport());
