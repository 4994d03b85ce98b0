import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import type { ControlMethod } from '../../../daemon/api/control.ts';
import { ControlClient } from '../../../daemon/api/control-client.ts';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { type ControlHandlers, ControlServer } from '../../../daemon/endpoints/control-server.ts';

const TOKEN = 'control-token';
const HELLO = { protocol: [1, 1], client: { name: 'test', version: '0', kind: 'cli' } } as const;
const calls: [string, unknown][] = [];
const logged: string[] = [];

/** Answers two methods, fails one as expected and one as nobody expects; everything else is not part of the test. */
const handlers = new Proxy({} as ControlHandlers, {
  get: (_, method: ControlMethod) => async (params: unknown) => {
    calls.push([method, params]);
    if (method === 'secrets/remove') return { removed: true };
    if (method === 'servers/restart')
      throw new SignalboxError('SBX_SERVER_UNKNOWN', 'There is no server `x`.', { why: 'Not configured.', fix: 'Add it.' });
    if (method === 'status') throw new TypeError('a bug');
    return {};
  },
});

type Answer = {
  id: number | null;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code: number; data: Record<string, string> };
};

describe('ControlServer', () => {
  let http: Server;
  let url: string;
  const control = new ControlServer({
    controlToken: TOKEN,
    handlers,
    log: (_, message) => logged.push(message),
    identity: { version: '1.2.3', build: 'b' },
  });

  before(async () => {
    http = createServer();
    http.on('upgrade', (request, socket, head) => control.handleUpgrade(request, socket, head));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/control`;
  });
  after(async () => {
    await control.close();
    http.close();
  });

  async function open(headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }): Promise<WebSocket> {
    const socket = new WebSocket(url, { headers });
    await once(socket, 'open');
    return socket;
  }
  async function ask(socket: WebSocket, text: string): Promise<Answer> {
    const answer = once(socket, 'message');
    socket.send(text);
    return JSON.parse(String((await answer)[0])) as Answer;
  }
  const request = (id: number, method: string, params: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, method, params });

  async function refusal(headers: Record<string, string>): Promise<{ status: number; code: string }> {
    const socket = new WebSocket(url, { headers });
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, import('node:http').IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return { status: response.statusCode ?? 0, code: (JSON.parse(body) as { error: { code: string } }).error.code };
  }

  it('refuses a missing or a wrong token with 401, a web page with 403 even when it has the token', async () => {
    assert.deepEqual(await refusal({}), { status: 401, code: 'SBX_TOKEN_MISSING' });
    assert.deepEqual(await refusal({ authorization: 'Bearer control-toke' }), { status: 401, code: 'SBX_TOKEN_INVALID' });
    const page = { authorization: `Bearer ${TOKEN}`, origin: 'http://127.0.0.1:3000' };
    assert.deepEqual(await refusal(page), { status: 403, code: 'SBX_ORIGIN_REFUSED' });
    assert.equal(control.connections, 0);
  });

  it('ends a connection whose first message is not hello, without calling the handler', async () => {
    const socket = await open();
    const closed = once(socket, 'close');
    const answer = await ask(socket, request(1, 'secrets/remove', { name: 'n' }));
    assert.equal(answer.error?.data['code'], 'SBX_USAGE');
    assert.equal((await closed)[0], 1008);
    assert.equal(calls.length, 0);
  });

  for (const [who, range, fix] of [
    ['newer', [2, 9], /signalbox restart/],
    ['older', [0, 0], /Update the client/],
  ] as const)
    it(`refuses a ${who} client outside the range and says what to do`, async () => {
      const socket = await open();
      const closed = once(socket, 'close');
      const answer = await ask(socket, request(1, 'hello', { ...HELLO, protocol: range }));
      assert.equal(answer.error?.data['code'], 'SBX_DAEMON_VERSION');
      assert.match(answer.error?.data['fix'] ?? '', fix);
      await closed;
      assert.equal(control.connections, 0);
    });

  it('agrees on the highest common protocol, then calls, fails with the shape, and broadcasts', async () => {
    const socket = await open();
    const greeting = await ask(socket, request(1, 'hello', { ...HELLO, protocol: [0, 7] }));
    assert.deepEqual(greeting.result, { protocol: 1, version: '1.2.3', build: 'b', pid: process.pid });
    assert.equal(control.connections, 1);

    assert.deepEqual((await ask(socket, request(2, 'secrets/remove', { name: 'n' }))).result, { removed: true });
    assert.deepEqual(calls.at(-1), ['secrets/remove', { name: 'n' }]);

    const failed = await ask(socket, request(3, 'servers/restart', { name: 'x' }));
    assert.deepEqual(failed.error?.data, {
      code: 'SBX_SERVER_UNKNOWN',
      message: 'There is no server `x`.',
      cause: 'Not configured.',
      fix: 'Add it.',
    });

    const bug = await ask(socket, request(4, 'status', {}));
    assert.equal(bug.error?.data['code'], 'SBX_INTERNAL');
    assert.match(logged.at(-1) ?? '', /TypeError: a bug/);

    const event = once(socket, 'message');
    control.broadcast('changed', { what: ['tools'] });
    assert.deepEqual(JSON.parse(String((await event)[0])), { jsonrpc: '2.0', method: 'changed', params: { what: ['tools'] } });

    const closed = once(socket, 'close');
    socket.close();
    await closed;
  });

  it('checks params before a handler sees them, and names the field', async () => {
    const socket = await open();
    await ask(socket, request(1, 'hello', HELLO));
    const before = calls.length;
    for (const [method, params, field] of [
      ['secrets/set', { name: 'n' }, 'value'],
      ['servers/add', { name: 'n', entry: [] }, 'entry'],
      ['tools/call', { name: 'n', arguments: 'x' }, 'arguments'],
      ['prompts/get', { name: 'n', arguments: { a: 1 } }, 'arguments'],
      ['clients/token', { client: 'c', rotate: 'yes' }, 'rotate'],
      ['status', 'x', 'params'],
    ] as const) {
      const answer = await ask(socket, request(2, method, params));
      assert.equal(answer.error?.code, -32602);
      assert.equal(answer.error?.data['code'], 'SBX_USAGE');
      assert.match(answer.error?.data['message'] ?? '', new RegExp(`\`${field}\``));
    }
    assert.equal(calls.length, before);
    const unknown = await ask(socket, request(3, 'toString', {}));
    assert.equal(unknown.error?.data['code'], 'SBX_METHOD_UNKNOWN');
    assert.equal((await ask(socket, '{"jsonrpc":"2.0","result":1}')).error?.data['code'], 'SBX_MESSAGE_INVALID');
    const closed = once(socket, 'close');
    assert.equal((await ask(socket, '{')).error?.code, -32700);
    await closed;
  });

  it('serves the typed client, which gets back the error that was thrown', async () => {
    const socket = await open();
    const client = new ControlClient({
      send: (text) => socket.send(text),
      close: () => socket.close(),
      onText: (listener) => socket.on('message', (data) => listener(String(data))),
      onClose: (listener) => socket.on('close', listener),
    });
    assert.equal((await client.call('hello', HELLO)).protocol, 1);
    await assert.rejects(client.call('servers/restart', { name: 'x' }), { code: 'SBX_SERVER_UNKNOWN', fix: 'Add it.' });
    const ended = new Promise<void>((resolve) => client.onClose(resolve));
    await control.close();
    await ended;
    await assert.rejects(client.call('daemon/stop', {}), { code: 'SBX_DAEMON_UNREACHABLE' });
  });
});
