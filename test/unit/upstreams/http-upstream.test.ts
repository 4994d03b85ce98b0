/** Care for a server behind HTTP: a real one on loopback that can be stopped and comes back on its port. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { FAILURES } from '../../../daemon/upstreams/circuit-breaker.ts';
import { call, makeYard, scopeOf, sessionScope } from './fixtures/careful.ts';

interface Site {
  readonly url: string;
  /** Methods that were posted. */
  readonly seen: string[];
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** A legacy server with sessions. It asks in the middle of the tool `ask`, on the call's own stream. */
async function makeHttpServer(t: TestContext): Promise<Site> {
  const seen: string[] = [];
  let server: Server | undefined;
  let port = 0;
  let sessions = new Set<string>();
  let answered: (result: unknown) => void = () => {};
  const json = (response: ServerResponse, message: object, status = 200, headers = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ jsonrpc: '2.0', ...message }));
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'POST') return void response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const message = JSON.parse(Buffer.concat(chunks).toString()) as {
      id?: unknown;
      method?: string;
      result?: unknown;
      params?: { name?: string };
    };
    const { id, method, params } = message;
    if (method === undefined) {
      answered(message.result);
      return void response.writeHead(202).end();
    }
    seen.push(method);
    if (method === 'initialize') {
      const session = `session-${seen.length}`;
      sessions.add(session);
      const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'http', version: '1' } };
      return json(response, { id, result }, 200, { 'mcp-session-id': session });
    }
    const session = String(request.headers['mcp-session-id']);
    if (!request.headers['mcp-session-id']) return json(response, { id: null, error: { code: -32000, message: 'no session' } }, 400);
    if (!sessions.has(session)) return json(response, { id: null, error: { code: -32001, message: 'unknown session' } }, 404);
    if (id === undefined) return void response.writeHead(202).end();
    if (params?.name !== 'ask') return json(response, { id, result: { content: [{ type: 'text', text: session }] } });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = (data: object): void => void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...data })}\n\n`);
    answered = (result) => {
      event({ id, result: { content: [{ type: 'text', text: JSON.stringify(result) }] } });
      response.end();
    };
    event({ id: 'q', method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object' } } });
  };
  const stop = async (): Promise<void> => {
    sessions = new Set();
    const stopping = server;
    server = undefined;
    if (stopping === undefined) return;
    const closed = once(stopping, 'close');
    stopping.close();
    stopping.closeAllConnections();
    await closed;
  };
  const start = async (): Promise<void> => {
    server = createServer((request, response) => void handle(request, response)).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  await start();
  t.after(stop);
  return { url: `http://127.0.0.1:${port}/mcp`, seen, stop, start };
}

/** An HTTP+SSE server (2024-11-05): one stream for all it says, so a question does not say which call it belongs to. */
async function makeSseServer(t: TestContext): Promise<string> {
  const streams = new Map<string, ServerResponse>();
  const asking = new Map<string, unknown>();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    if (request.method === 'GET') {
      const session = `s${streams.size}`;
      streams.set(session, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.write(`event: endpoint\ndata: /post?session=${session}\n\n`);
    }
    if (pathname !== '/post') return void response.writeHead(405).end();
    const session = searchParams.get('session') ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { id, method, result, params } = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown> & {
      params?: { name?: string };
    };
    response.writeHead(202).end();
    const say = (message: object): void => void streams.get(session)?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    const text = (value: unknown): object => ({
      content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }],
    });
    if (method === undefined) return say({ id: asking.get(session), result: text(result) });
    if (method === 'initialize')
      return say({ id, result: { protocolVersion: '2024-11-05', capabilities: {}, serverInfo: { name: 'sse', version: '1' } } });
    if (id === undefined) return;
    if (params?.name !== 'ask') return say({ id, result: text(session) });
    asking.set(session, id);
    say({ id: 'q', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } });
  };
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`;
}

describe('an upstream behind HTTP', () => {
  it('legacy only: one question in the modern era, then `initialize`, and never the question again', async (t) => {
    const site = await makeHttpServer(t);
    const upstream = makeYard(t).upstreamOf({ url: site.url });
    const modern = scopeOf({ era: 'modern' });
    await call(upstream, 'echo', modern);
    await call(upstream, 'echo', modern);
    assert.equal(upstream.connection('modern')?.era, 'legacy');
    assert.deepEqual(site.seen, ['server/discover', 'initialize', 'notifications/initialized', 'tools/call', 'tools/call']);
  });

  it('stays shared though it asks: the stream says whose question it is', async (t) => {
    const site = await makeHttpServer(t);
    const upstream = makeYard(t).upstreamOf({ url: site.url });
    const first = sessionScope('a');
    assert.match(await call(upstream, 'ask', first, { onQuestion: async () => ({ result: { action: 'accept' } }) }), /accept/);
    assert.equal(upstream.asks, true);
    assert.equal(await call(upstream, 'echo', first), await call(upstream, 'echo', sessionScope('b')));
    assert.deepEqual(upstream.connections, { shared: 1, own: 0 });
  });

  it('HTTP+SSE by configuration is never asked in the modern era', async (t) => {
    const site = await makeHttpServer(t);
    const upstream = makeYard(t).upstreamOf({ url: site.url, type: 'sse' });
    await assert.rejects(upstream.ready('modern'));
    assert.ok(!site.seen.includes('server/discover'));
  });

  it('found to be HTTP+SSE, it is shared only until it asks', async (t) => {
    const upstream = makeYard(t).upstreamOf({ url: await makeSseServer(t) });
    const [a, b] = [sessionScope('a'), sessionScope('b')];
    assert.equal(await call(upstream, 'echo', a), await call(upstream, 'echo', b));
    assert.match(await call(upstream, 'ask', a, { onQuestion: async () => ({ result: { model: 'm' } }) }), /"model":"m"/);
    assert.notEqual(await call(upstream, 'echo', a), await call(upstream, 'echo', b));
    assert.deepEqual(upstream.connections, { shared: 1, own: 2 });
  });

  it('gone: each call says so, then the circuit opens and nobody waits; back with its sessions forgotten, it is used again', async (t) => {
    const site = await makeHttpServer(t);
    const upstream = makeYard(t).upstreamOf({ url: site.url });
    await upstream.request('tools/call', { name: 'echo' });
    await site.stop();
    const codes: string[] = [];
    for (let count = 0; count < FAILURES + 2; count++)
      await upstream.request('tools/call', { name: 'echo' }).catch((error: { code: string }) => codes.push(error.code));
    assert.deepEqual(codes, [...Array<string>(FAILURES).fill('SBX_SERVER_UNREACHABLE'), 'SBX_CIRCUIT_OPEN', 'SBX_CIRCUIT_OPEN']);
    assert.deepEqual([upstream.state, upstream.reason?.code], ['degraded', 'SBX_CIRCUIT_OPEN']);
    await site.start();
    const before = site.seen.length;
    await assert.rejects(upstream.request('tools/call', { name: 'echo' }), { code: 'SBX_CIRCUIT_OPEN' });
    assert.equal(site.seen.length, before, 'no call passes before its time');
    await upstream.restart();
    assert.ok('result' in (await upstream.request('tools/call', { name: 'echo' })));
    assert.deepEqual([upstream.state, upstream.reason], ['ready', undefined]);
  });

  it('not there at the start: down with the reason, no verdict on its era, and well when it comes', async (t) => {
    const site = await makeHttpServer(t);
    await site.stop();
    const upstream = makeYard(t).upstreamOf({ url: site.url });
    await assert.rejects(call(upstream, 'echo', scopeOf({ era: 'modern' })), { code: 'SBX_SERVER_UNREACHABLE' });
    await site.start();
    await upstream.restart();
    await call(upstream, 'echo', scopeOf({ era: 'modern' }));
    assert.equal(upstream.state, 'ready');
  });
});
