/** Patterns over real servers, called over HTTP by clients of both eras: chain, aggregate, fallback. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Gateway, scripted, startGateway } from '../fixtures/gateway.ts';
import { resolved } from '../unit/config/resolved.ts';
import { messagesOf, modernHeaders, modernParams } from './transcript.ts';

type Json = Record<string, unknown>;
/** Calls a tool as a client of one era; the answer's messages, progress first. */
type Call = (name: string, args: Json, meta?: Json) => Promise<Json[]>;

const ASKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'asking.mjs');
const about = { description: 'd', inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } };

async function served(t: TestContext, config: object): Promise<Gateway> {
  const { endpoints, said } = resolved(config);
  assert.deepEqual(said, []);
  const gateway = await startGateway({});
  t.after(() => gateway.close());
  await gateway.serve(endpoints);
  return gateway;
}

async function clients(gateway: Gateway): Promise<Readonly<Record<'legacy' | 'modern', Call>>> {
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const opened = await gateway.post({ jsonrpc: '2.0', id: 'init', method: 'initialize', params: initialize });
  await opened.text();
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await (await gateway.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session)).text();
  let id = 0;
  const sent = async (params: Json, headers: Record<string, string>): Promise<Json[]> => {
    const answer = await gateway.post({ jsonrpc: '2.0', id: ++id, method: 'tools/call', params }, headers);
    return messagesOf(answer.headers.get('content-type') ?? '', await answer.text());
  };
  const paramsOf = (name: string, args: Json, meta?: Json): Json => ({
    name,
    arguments: args,
    ...(meta === undefined ? {} : { _meta: meta }),
  });
  return {
    legacy: (name, args, meta) => sent(paramsOf(name, args, meta), session),
    modern: (name, args, meta) => sent(modernParams(paramsOf(name, args, meta)), modernHeaders('tools/call', name)),
  };
}

const result = (messages: readonly Json[]): Json => {
  const last = messages.at(-1)?.['result'];
  assert.ok(last, JSON.stringify(messages));
  return last as Json;
};
const texts = ({ content }: Json): unknown[] => (content as { text: unknown }[]).map(({ text }) => text);
const fault = ({ _meta }: Json): Json => (_meta as Json)['dev.signalbox/error'] as Json;

test('a chain and an aggregate over a legacy and a modern server, for clients of both eras', async (t) => {
  const gateway = await served(t, {
    servers: {
      old: scripted(),
      new: scripted('--modern'),
      gone: { command: '/nowhere/at-all' },
      tools: {
        chain: {
          twice: {
            ...about,
            steps: [
              { server: 'old', tool: 'echo', arguments: { text: { $from: '/input/text' } } },
              { server: 'new', tool: 'slow' },
              { server: 'new', tool: 'echo', arguments: { text: { $from: '/steps/0/json/text' } } },
            ],
          },
          breaks: {
            ...about,
            steps: [
              { server: 'old', tool: 'echo', arguments: { text: 'x' } },
              { server: 'gone', tool: 't' },
              { server: 'new', tool: 'echo' },
            ],
          },
        },
        aggregate: {
          everywhere: {
            ...about,
            calls: ['old', 'new', 'gone'].map((server) => ({ server, tool: 'echo', arguments: { text: { $from: '/input/text' } } })),
          },
        },
      },
    },
    namespaces: { default: ['tools'] },
  });
  const both = await clients(gateway);
  for (const era of ['legacy', 'modern'] as const) {
    const messages = await both[era]('tools__twice', { text: 'grüße 🚦' }, { progressToken: 'tok' });
    const answer = result(messages);
    assert.deepEqual(answer['structuredContent'], { text: 'grüße 🚦' });
    assert.deepEqual(answer['x-result'], { kept: [1, null, 'ü'] }, 'the last result as it is');
    assert.equal(answer['resultType'], era === 'modern' ? 'complete' : undefined);
    const progress = messages.slice(0, -1).map(({ params }) => params as Json);
    assert.ok(progress.every(({ progressToken, total }) => progressToken === 'tok' && total === 3));
    const values = progress.map((params) => Number(params['progress']));
    assert.ok(values.includes(1.5), `the progress of a step passes on: ${values.join()}`);
    assert.equal(values.at(-1), 3);

    const parts = result(await both[era]('tools__everywhere', { text: 'hi' }));
    assert.equal(parts['isError'], undefined);
    const { results, errors } = parts['structuredContent'] as { results: Json; errors: Json };
    assert.deepEqual(results, { old: { text: 'hi' }, new: { text: 'hi' } });
    assert.match(String(errors['gone']), /SBX_SERVER_COMMAND/);
    assert.deepEqual(texts(parts).slice(0, 4), ['## old: echo', 'hi', '## new: echo', 'hi']);

    const broken = result(await both[era]('tools__breaks', { text: 'hi' }));
    assert.equal(broken['isError'], true);
    assert.match(String(fault(broken)['message']), /^Step 2 of 3 \(`gone`: `t`\)/);
    assert.equal(result(await both[era]('tools__twice', {}))['isError'], true);
  }
  assert.deepEqual(
    gateway.host
      .all()
      .map(({ server }) => server.name)
      .sort(),
    ['gone', 'new', 'old', 'tools'],
    'the servers of the steps run though no endpoint has them, each once',
  );
});

test('what a step asks is refused, as a client without the capability does; the chain goes on with what the server makes of it', async (t) => {
  const questions = [[{ method: 'elicitation/create', params: { message: 'Name?', requestedSchema: { type: 'object', properties: {} } } }]];
  const asks = (server: string): object => ({ ...about, steps: [{ server, tool: 'ask', arguments: { questions } }] });
  const asking = (...args: string[]): object => ({ command: process.execPath, args: [ASKING, ...args] });
  const gateway = await served(t, {
    servers: { old: asking(), new: asking('--modern'), tools: { chain: { old: asks('old'), new: asks('new') } } },
    namespaces: { default: ['tools'] },
  });
  for (const call of Object.values(await clients(gateway))) {
    assert.match(String(texts(result(await call('tools__old', { text: '' })))[0]), /-32601/);
    const modern = result(await call('tools__new', { text: '' }));
    assert.equal(modern['isError'], true);
    assert.equal(fault(modern)['code'], 'SBX_QUESTION_UNSUPPORTED');
  }
});

test('a fallback answers for a server that cannot be reached, and says so; what it must not show it does not', async (t) => {
  const main = await httpServer();
  t.after(() => main.close());
  const config = {
    servers: {
      main: { url: `http://127.0.0.1:${(main.address() as AddressInfo).port}/mcp`, fallback: 'mirror' },
      mirror: scripted(),
    },
    namespaces: { default: ['main'] },
  };
  const gateway = await served(t, config);
  const both = await clients(gateway);
  assert.deepEqual(texts(result(await both.legacy('main__echo', { text: 'hi' }))), ['from main']);
  main.close();
  main.closeAllConnections();
  await once(main, 'close');
  for (const call of Object.values(both)) {
    const answer = result(await call('main__echo', { text: 'hi' }));
    assert.deepEqual(texts(answer), ['hi']);
    assert.deepEqual((answer['_meta'] as Json)['dev.signalbox/fallback'], { server: 'mirror' });
  }
  const hiding = resolved(config).endpoints.map((endpoint) => ({
    ...endpoint,
    servers: endpoint.servers.map((server) => ({
      ...server,
      uses: Object.fromEntries(Object.entries(server.uses ?? {}).map(([name, used]) => [name, { ...used, hidden: ['echo'] }])),
    })),
  }));
  await gateway.serve(hiding);
  const refused = result(await both.legacy('main__echo', { text: 'hi' }));
  assert.equal(refused['isError'], true);
  assert.equal(fault(refused)['code'], 'SBX_SERVER_UNREACHABLE');
});

test('a call that was sent never falls back', async (t) => {
  const gateway = await served(t, {
    servers: { main: { ...scripted(), fallback: 'mirror' }, mirror: scripted() },
    namespaces: { default: ['main'] },
  });
  const { legacy } = await clients(gateway);
  const lost = result(await legacy('main__exit', {}));
  assert.equal(lost['isError'], true);
  assert.equal((lost['_meta'] as Json)['dev.signalbox/fallback'], undefined);
  const mirror = gateway.host.all().find(({ server }) => server.name === 'mirror');
  assert.equal(mirror?.state, 'idle', 'the mirror was not even started');
});

/** A Streamable HTTP server of 2025-11-25 with one tool, `echo`. */
async function httpServer(): Promise<Server> {
  const server = createServer((request, answer) => {
    if (request.method !== 'POST') return void answer.writeHead(405).end();
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { id, method } = JSON.parse(body) as { id?: unknown; method: string };
      if (id === undefined) return void answer.writeHead(202).end();
      const results: Readonly<Record<string, object>> = {
        initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'main', version: '1' } },
        'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
        'tools/call': { content: [{ type: 'text', text: 'from main' }] },
      };
      const known = results[method];
      const outcome = known === undefined ? { error: { code: -32601, message: method } } : { result: known };
      answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
