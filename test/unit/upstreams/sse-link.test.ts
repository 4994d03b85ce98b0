import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import type { JsonObject, Request } from '../../../daemon/protocol/message.ts';
import { SseLink } from '../../../daemon/upstreams/sse-link.ts';
import { urlLink } from '../../../daemon/upstreams/url-link.ts';
import { Heard } from './heard.ts';

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});
async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server of 2024-11-05 as the v1 SDK makes it; counts what was asked of it. */
async function oldServer(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const transports = new Map<string, SSEServerTransport>();
  const url = await listening(
    createServer((request, response) => {
      asked.push(`${request.method} ${request.url?.split('?')[0]}`);
      if (request.method === 'GET' && request.url === '/sse') {
        const transport = new SSEServerTransport('/messages', response);
        transports.set(transport.sessionId, transport);
        const server = new McpServer({ name: 'old', version: '1.0.0' });
        server.registerTool('hello', {}, async ({ _meta }) => {
          const token = _meta?.progressToken;
          if (token !== undefined)
            await server.server.notification({ method: 'notifications/progress', params: { progressToken: token, progress: 1 } });
          return { content: [{ type: 'text', text: 'hello '.repeat(1000) }] };
        });
        void server.connect(transport);
      } else if (request.method === 'POST' && request.url?.startsWith('/messages')) {
        const session = new URL(request.url, 'http://x').searchParams.get('sessionId') ?? '';
        void transports.get(session)?.handlePostMessage(request, response);
      } else {
        request.resume();
        response.writeHead(404, { 'content-type': 'text/html' }).end('<pre>Cannot POST</pre>');
      }
    }),
  );
  return { url: `${url}/sse`, asked };
}

const options = (url: string) => ({ server: 'old', url, headers: { 'X-Key': 'k' }, messageBytes: 1e6 });
const initialize: Request = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
};

describe('an HTTP+SSE link', () => {
  for (const [how, open] of [
    ['by its type', (heard: Heard, url: string) => new SseLink(heard, options(url))],
    ['found out by its refusing a POST', (heard: Heard, url: string) => urlLink(heard, options(url))],
  ] as const) {
    it(`talks with a server of the v1 SDK, ${how}`, async () => {
      const { url, asked } = await oldServer();
      const heard = new Heard();
      const link = open(heard, url);
      link.send(initialize);
      const hello = (await heard.answer(1)) as unknown as { result: JsonObject };
      assert.deepEqual(hello.result['serverInfo'], { name: 'old', version: '1.0.0' });
      assert.equal(link.kind, 'sse');
      link.agreed('2025-11-25');
      link.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
      link.send({
        jsonrpc: '2.0',
        id: 'call',
        method: 'tools/call',
        params: { name: 'hello', arguments: {}, _meta: { progressToken: 7 } },
      });
      assert.deepEqual(await heard.answer('call'), {
        jsonrpc: '2.0',
        id: 'call',
        result: { content: [{ type: 'text', text: 'hello '.repeat(1000) }] },
      });
      assert.deepEqual(
        heard.messages.map(({ message, related }) => ['method' in message ? message.method : message.id, related]),
        [
          [1, undefined],
          ['notifications/progress', undefined],
          ['call', undefined],
        ],
      );
      assert.deepEqual(
        asked.filter((one) => one !== 'POST /messages'),
        how === 'by its type' ? ['GET /sse'] : ['POST /sse', 'GET /sse'],
      );
      await link.close();
      assert.deepEqual([heard.faults, heard.ends.length], [[], 1]);
    });
  }

  it('is not tried where Streamable HTTP refuses with a JSON-RPC error', async () => {
    const asked: string[] = [];
    const url = await listening(
      createServer((request, response) => {
        asked.push(request.method ?? '');
        response
          .writeHead(400, { 'content-type': 'application/json' })
          .end('{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"too old","data":{"supported":["2026-07-28"]}}}');
      }),
    );
    const heard = new Heard();
    const link = urlLink(heard, options(url));
    link.send(initialize);
    const refused = (await heard.answer(1)) as unknown as { error: { code: number } };
    assert.deepEqual([refused.error.code, asked], [-32022, ['POST']]);
    await link.close();
  });

  it('is told by the refusal of the POST when there is nothing of the kind either', async () => {
    const url = await listening(createServer((_request, response) => response.writeHead(404).end('nothing here')));
    const heard = new Heard();
    urlLink(heard, options(url)).send(initialize);
    await heard.until(() => heard.ends.length > 0);
    assert.equal(heard.ends[0]?.code, 'SBX_SERVER_HTTP');
    assert.match(heard.ends[0]?.why ?? '', /nothing here/);
  });

  it('posts to no other origin, wherever the server points', async () => {
    let posted = 0;
    const other = await listening(
      createServer((_request, response) => {
        posted++;
        response.end();
      }),
    );
    for (const endpoint of [`${other}/x`, other.replace('http:', ''), 'http://', 'javascript:alert(1)']) {
      const url = await listening(
        createServer((_request, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${endpoint}\n\n`);
        }),
      );
      const heard = new Heard();
      new SseLink(heard, options(url)).send(initialize);
      await heard.until(() => heard.ends.length > 0);
      assert.equal(heard.ends[0]?.code, 'SBX_SERVER_PROTOCOL', endpoint);
    }
    assert.equal(posted, 0);
  });

  it('fails a message that is refused, and ends with its stream', async () => {
    let stream: ServerResponse | undefined;
    const url = await listening(
      createServer((request, response) => {
        if (request.method === 'POST') return void response.writeHead(413).end('too much');
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.write('event: endpoint\ndata: messages?s=1\n\n');
      }),
    );
    const heard = new Heard();
    const link = new SseLink(heard, options(url));
    link.send(initialize);
    await heard.until(() => heard.faults.length > 0);
    assert.deepEqual(
      heard.faults.map(({ code, id }) => [code, id]),
      [['SBX_SERVER_HTTP', 1]],
    );
    stream?.end();
    await heard.until(() => heard.ends.length > 0);
    assert.equal(heard.ends[0]?.code, 'SBX_SERVER_UNREACHABLE');
    await link.close();
    assert.equal(heard.ends.length, 1);
  });
});
