/** Everything that can be said wrongly: each is refused with its code, a cause and a fix, and what is beside it goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { WebSocket } from 'ws';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import type { ErrorShape } from '../../daemon/api/errors.ts';
import { makeHome, REPOSITORY } from '../fixtures/daemon.ts';
import { type Gateway, scripted, startGateway } from '../fixtures/gateway.ts';
import { eventually } from '../fixtures/process-tree.ts';

const LIMIT = 64 * 1024;
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const MODERN = { 'mcp-protocol-version': '2026-07-28' };

interface Body {
  readonly result?: { readonly [key: string]: unknown };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Partial<ErrorShape> };
}

let sections = '';
before(() => {
  const file = join(REPOSITORY, 'docs', 'errors.md');
  sections = existsSync(file) ? readFileSync(file, 'utf8') : '';
});

/** It has the code, a cause and a fix, and the document explains the code. */
function assertExplained(shape: Partial<ErrorShape> | undefined, code: string): void {
  assert.equal(shape?.code, code, JSON.stringify(shape));
  assert.ok((shape.cause ?? '').length > 5, `${code} has a cause`);
  assert.ok((shape.fix ?? '').length > 5, `${code} has a fix`);
  assert.ok((shape.message ?? '').length > 5, `${code} says what happened`);
  if (sections !== '') assert.match(sections, new RegExp(`^### ${code}$`, 'm'));
}

/** The answer to a POST is an error with this HTTP status, JSON-RPC code and code of ours. */
async function assertAnswer(response: Response, status: number, code: string, rpc?: number): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  const { error } = JSON.parse(text) as Body;
  assertExplained(error?.data, code);
  if (rpc !== undefined) assert.equal(error?.code, rpc, text);
}

/** A gateway that lives as long as the test. */
async function gateway(t: { after(done: () => Promise<void>): void }, servers: Parameters<typeof startGateway>[0]): Promise<Gateway> {
  const made = await startGateway(servers, { messageBytes: LIMIT });
  t.after(() => made.close());
  return made;
}

function modern(id: number, method: string, params: object = {}): object {
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: META } };
}

async function modernCall(to: Gateway, name: string, args: object = {}): Promise<Body> {
  const response = await to.post(modern(1, 'tools/call', { name, arguments: args }), {
    ...MODERN,
    'mcp-method': 'tools/call',
    'mcp-name': name,
  });
  return (await response.json()) as Body;
}

function failure({ result }: Body): Partial<ErrorShape> | undefined {
  assert.equal(result?.['isError'], true, JSON.stringify(result));
  return (result['_meta'] as { 'dev.signalbox/error': ErrorShape })['dev.signalbox/error'];
}

/** A request with a header `fetch` does not let one set. */
async function raw(to: Gateway, headers: Record<string, string>): Promise<Response> {
  const request = httpRequest(to.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${to.token}`, 'content-type': 'application/json', ...headers },
  });
  request.end(JSON.stringify(INITIALIZE));
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk as string;
  return new Response(text, { status: answer.statusCode ?? 0 });
}

test('who may come in: token, place, endpoint', async (t) => {
  const to = await gateway(t, { s: scripted() });
  await t.test('no token', async () => assertAnswer(await to.post(INITIALIZE, { authorization: '' }), 401, 'SBX_TOKEN_MISSING'));
  await t.test('a wrong token', async () =>
    assertAnswer(await to.post(INITIALIZE, { authorization: 'Bearer nonsense' }), 401, 'SBX_TOKEN_INVALID'),
  );
  await t.test('the token of another endpoint', async () =>
    assertAnswer(await to.post(INITIALIZE, { authorization: 'Bearer other' }), 403, 'SBX_TOKEN_WRONG_ENDPOINT'),
  );
  await t.test('a foreign Origin', async () =>
    assertAnswer(await to.post(INITIALIZE, { origin: 'https://evil.example' }), 403, 'SBX_ORIGIN_REFUSED'),
  );
  await t.test('a null Origin', async () => assertAnswer(await to.post(INITIALIZE, { origin: 'null' }), 403, 'SBX_ORIGIN_REFUSED'));
  await t.test('a foreign Host', async () => assertAnswer(await raw(to, { host: 'evil.example' }), 403, 'SBX_HOST_REFUSED'));
  await t.test('an unknown endpoint', async () => {
    const response = await fetch(to.url.replace('default', 'nowhere'), {
      method: 'POST',
      headers: { authorization: `Bearer ${to.token}` },
      body: '{}',
    });
    await assertAnswer(response, 404, 'SBX_ENDPOINT_UNKNOWN');
  });
  assert.equal((await to.post(INITIALIZE)).status, 200, 'who is right comes in');
});

test('legacy sessions: none, an unknown one, an id twice', async (t) => {
  const to = await gateway(t, { s: scripted() });
  await t.test('GET without a session', async () => {
    const response = await fetch(to.url, { headers: { authorization: `Bearer ${to.token}`, accept: 'text/event-stream' } });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'POST');
  });
  const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
  await t.test('POST without a session', async () => assertAnswer(await to.post(ping), 400, 'SBX_SESSION_UNKNOWN'));
  await t.test('an unknown session', async () =>
    assertAnswer(await to.post(ping, { 'mcp-session-id': 'gone' }), 404, 'SBX_SESSION_UNKNOWN'),
  );
  await t.test('a revision nobody speaks, in a session', async () => {
    const opened = await to.post(INITIALIZE);
    await opened.text();
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': '1999-01-01' };
    await assertAnswer(await to.post({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, session), 400, 'SBX_PROTOCOL_VERSION');
  });
  await t.test('GET of an unknown session', async () => {
    const response = await fetch(to.url, { headers: { authorization: `Bearer ${to.token}`, 'mcp-session-id': 'gone' } });
    await assertAnswer(response, 404, 'SBX_SESSION_UNKNOWN');
  });
  await t.test('a request id twice: the second is refused, the first goes on', async () => {
    const session = { 'mcp-session-id': (await to.post(INITIALIZE)).headers.get('mcp-session-id') ?? '' };
    await (await to.post({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, session)).text();
    const first = to.post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 's__wait', arguments: {} } }, session);
    const second = to.post({ jsonrpc: '2.0', id: 7, method: 'ping' }, session);
    // Whichever of the two came second is refused; a ping that came first is over at once.
    const refused = await Promise.race([second, first]);
    if (refused.status === 400) await assertAnswer(refused, 400, 'SBX_MESSAGE_INVALID', -32600);
    else assert.deepEqual(((await refused.json()) as Body).result, {});
    const again = await to.post({ jsonrpc: '2.0', id: 7, method: 'ping' }, session);
    await assertAnswer(again, 400, 'SBX_MESSAGE_INVALID', -32600);
    await to.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } }, session);
    assert.equal((await to.post({ jsonrpc: '2.0', id: 8, method: 'ping' }, session)).status, 200, 'the session goes on');
    void first.catch(() => undefined); // cancelled: it is never answered, and ends with the gateway
  });
});

test('bodies that are no message', async (t) => {
  const to = await gateway(t, { s: scripted() });
  await t.test('not JSON', async () => assertAnswer(await to.post('{"jsonrpc":'), 400, 'SBX_MESSAGE_INVALID', -32700));
  await t.test('a batch', async () => assertAnswer(await to.post([INITIALIZE]), 400, 'SBX_MESSAGE_INVALID', -32600));
  await t.test('an empty batch', async () => assertAnswer(await to.post([]), 400, 'SBX_MESSAGE_INVALID', -32600));
  await t.test('no JSON-RPC', async () => assertAnswer(await to.post({ hello: 1 }), 400, 'SBX_MESSAGE_INVALID', -32600));
  await t.test('an id that is an object', async () =>
    assertAnswer(await to.post({ ...INITIALIZE, id: {} }), 400, 'SBX_MESSAGE_INVALID', -32600),
  );
});

test('modern requests: headers and versions', async (t) => {
  const to = await gateway(t, { s: scripted() });
  const list = modern(1, 'tools/list');
  await t.test('no headers', async () => assertAnswer(await to.post(list), 400, 'SBX_HEADER_MISMATCH', -32020));
  await t.test('no Mcp-Method', async () => assertAnswer(await to.post(list, MODERN), 400, 'SBX_HEADER_MISMATCH', -32020));
  await t.test('another Mcp-Method', async () =>
    assertAnswer(await to.post(list, { ...MODERN, 'mcp-method': 'tools/call' }), 400, 'SBX_HEADER_MISMATCH', -32020),
  );
  await t.test('no Mcp-Name', async () => {
    const call = modern(1, 'tools/call', { name: 's__echo', arguments: {} });
    await assertAnswer(await to.post(call, { ...MODERN, 'mcp-method': 'tools/call' }), 400, 'SBX_HEADER_MISMATCH', -32020);
  });
  await t.test('a version nobody speaks', async () => {
    const later = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: { _meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2030-01-01' } },
    };
    const response = await to.post(later, { 'mcp-protocol-version': '2030-01-01', 'mcp-method': 'tools/list' });
    const copy = response.clone();
    await assertAnswer(response, 400, 'SBX_PROTOCOL_VERSION', -32022);
    const { error } = (await copy.json()) as { error: { data: { supported: string[]; requested: string } } };
    assert.deepEqual([error.data.supported, error.data.requested], [['2026-07-28'], '2030-01-01']);
  });
  assert.equal((await to.post(list, { ...MODERN, 'mcp-method': 'tools/list' })).status, 200);
});

test('a server that prints noise is degraded and works; one that cannot start is named by who misses its tools', async (t) => {
  const to = await gateway(t, { noisy: scripted('--noise'), broken: { command: 'signalbox-no-such-command' } });
  const { result } = await modernCall(to, 'noisy__echo', { text: 'still here' });
  assert.deepEqual((result?.['content'] as { text: string }[])[0]?.text, 'still here');
  const noisy = to.host.all().find(({ server }) => server.name === 'noisy');
  assert.equal(noisy?.state, 'degraded');
  assertExplained(noisy.reason, 'SBX_SERVER_NOT_JSON');
  assert.match(noisy.reason?.cause ?? '', /Server listening on port 3000!/);

  const broken = to.host.all().find(({ server }) => server.name === 'broken');
  assert.equal(broken?.state, 'down');
  assertExplained(broken.reason, 'SBX_SERVER_COMMAND');
  const { error } = await modernCall(to, 'broken__anything');
  assert.equal(error?.code, -32602);
  assertExplained(error.data, 'SBX_TOOL_UNKNOWN');
  assert.match(error.data?.cause ?? '', /broken \(SBX_SERVER_COMMAND/);
});

test('a message over the limit fails alone, in both directions, over HTTP and over the bridge', async (t) => {
  const to = await gateway(t, { s: scripted('--huge', String(2 * LIMIT)) });
  const big = 'x'.repeat(2 * LIMIT);
  await modernCall(to, 's__echo', { text: 'warm' });
  const pid = to.host.all()[0]?.pid;

  await t.test('a request over HTTP', async () => {
    const response = await to.post(modern(1, 'tools/call', { name: 's__echo', arguments: { text: big } }));
    await assertAnswer(response, 413, 'SBX_MESSAGE_TOO_LARGE');
  });
  await t.test('an answer of the server', async () => assertExplained(failure(await modernCall(to, 's__huge')), 'SBX_MESSAGE_TOO_LARGE'));
  await t.test('a request over the bridge, with another under way', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${to.port}/bridge/v1/default`, { headers: { authorization: `Bearer ${to.token}` } });
    const answers = new Map<number, Body>();
    let closed = false;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Body & { id: number };
      answers.set(message.id, message);
    });
    socket.on('close', () => {
      closed = true;
    });
    await once(socket, 'open');
    const send = (id: number, method: string, params: object = {}): void =>
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    send(1, 'tools/call', { name: 's__echo', arguments: { text: big } });
    send(2, 'tools/call', { name: 's__echo', arguments: { text: 'small' } });
    await eventually('both are answered, or the connection is lost', () => closed || (answers.has(1) && answers.has(2)));
    assert.equal(closed, false, 'the connection lives on');
    assertExplained(answers.get(1)?.error?.data ?? failure(answers.get(1) ?? {}), 'SBX_MESSAGE_TOO_LARGE');
    assert.equal((answers.get(2)?.result?.['content'] as { text: string }[])[0]?.text, 'small');
    socket.close();
    await once(socket, 'close');
  });
  const { result } = await modernCall(to, 's__echo', { text: 'after' });
  assert.equal((result?.['content'] as { text: string }[])[0]?.text, 'after');
  assert.equal(to.host.all()[0]?.pid, pid, 'the server was not restarted');
});

test('a configuration that is broken, has an unknown key or names no command; a port that is taken', async (t) => {
  const home = makeHome();
  const stranger = createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  t.after(async () => {
    await home.remove();
    stranger.close();
  });
  const { port } = stranger.address() as { port: number };
  writeFileSync(
    home.paths.configFile,
    `{ "daemon": { "port": ${port} },\n  "servers": { "ok": { "comand": "x" },\n    "gone": { "command": "signalbox-no-such-command" } } }\n`,
  );
  const up = await home.json<DaemonStatus>('up');
  assert.notEqual(up.port, port);
  assert.match(up.portNote ?? '', /SBX_PORT_TAKEN/);
  if (sections !== '') assert.match(sections, /^### SBX_PORT_TAKEN$/m);
  const unknown = up.problems.find(({ message, fix }) => `${message} ${fix}`.includes('comand'));
  assert.equal(unknown?.code, 'SBX_CONFIG_INVALID', JSON.stringify(up.problems));
  assert.match(unknown.fix, /Did you mean `command`\?/);
  assert.equal(unknown.line, 2);

  const { errors } = await home.json<{ errors: readonly (ErrorShape & { server: string })[] }>('tools');
  assertExplained(
    errors.find(({ server }) => server === 'gone'),
    'SBX_SERVER_COMMAND',
  );

  writeFileSync(home.paths.configFile, '{ "servers": { "ok": \n');
  await eventually('the broken file is reported', async () => {
    const { problems, servers } = await home.json<DaemonStatus>('status');
    const broken = problems.find(({ code }) => code === 'SBX_CONFIG_SYNTAX');
    return broken !== undefined && broken.fix !== '' && broken.line >= 1 && servers.some(({ name }) => name === 'gone');
  });
});
