/** The stdio bridge between a client and the daemon: questions, what is never sent twice, the daemon's own limit. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { type BridgeTarget, runBridge } from '../../daemon/bridge.ts';
import { startGateway } from '../fixtures/gateway.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { textOf } from './raw-session.ts';

const LASTING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'lasting.mjs');
const SERVERS = { l: { command: process.execPath, args: [LASTING, '/dev/null'] } };

type Said = Record<string, unknown>;

/** A client in front of a bridge that goes wherever `target` says. */
class BridgedClient {
  readonly said: Said[] = [];
  readonly #input = new PassThrough();
  readonly #ended: Promise<number>;

  constructor(target: () => BridgeTarget) {
    const output = new PassThrough();
    createInterface({ input: output }).on('line', (line) => this.said.push(JSON.parse(line) as Said));
    this.#ended = runBridge({ input: this.#input, output, target: async () => target() });
  }

  send(message: object): void {
    this.#input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  /** The first message like this. */
  async heard(what: string, wanted: (message: Said) => boolean): Promise<Said> {
    await eventually(what, () => this.said.some(wanted));
    return this.said.find(wanted) ?? {};
  }

  answer(id: unknown): Promise<Said> {
    return this.heard(`answer ${String(id)}`, (message) => message['id'] === id && !('method' in message));
  }

  async initialize(): Promise<void> {
    const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo: { name: 'c', version: '1' } };
    this.send({ id: 0, method: 'initialize', params });
    await this.answer(0);
    this.send({ method: 'notifications/initialized' });
  }

  async close(): Promise<void> {
    this.#input.end();
    await this.#ended;
  }
}

test('a question goes through; one that is open when the daemon goes is taken back, and its call reported', async (t) => {
  let gateway = await startGateway(SERVERS);
  const client = new BridgedClient(() => gateway);
  t.after(async () => {
    await client.close();
    await gateway.close();
  });
  await client.initialize();
  const ask = (id: number): void => client.send({ id, method: 'tools/call', params: { name: 'l__ask', arguments: {} } });
  const asked = (after: number): Promise<Said> =>
    client.heard('the question', (message) => message['method'] === 'elicitation/create' && client.said.indexOf(message) >= after);
  ask(1);
  const first = await asked(0);
  client.send({ id: first['id'], result: { action: 'accept', content: { which: 'bridged' } } });
  assert.equal(textOf(await client.answer(1)), '{"action":"accept","content":{"which":"bridged"}}');

  const before = client.said.length;
  ask(2);
  const second = await asked(before);
  const gone = gateway;
  gateway = await startGateway(SERVERS);
  await gone.close();
  const taken = await client.heard('it is taken back', ({ method }) => method === 'notifications/cancelled');
  assert.equal((taken['params'] as { requestId: unknown }).requestId, second['id']);
  assert.match(textOf(await client.answer(2)), /^SBX_CALL_INTERRUPTED/);
  // Too late: the daemon that asked is gone, and the next one is not told.
  client.send({ id: second['id'], result: { action: 'decline' } });
  ask(3);
  const third = await asked(client.said.indexOf(taken));
  client.send({ id: third['id'], result: { action: 'cancel' } });
  assert.equal(textOf(await client.answer(3)), '{"action":"cancel"}');
  assert.equal(client.said.filter(({ method }) => method === 'notifications/cancelled').length, 1, 'answered ones are not taken back');
});

/** A daemon that writes down what it gets and answers nothing; what the bridge sends is what is tested. */
async function silentDaemon(t: TestContext): Promise<{ url: string; frames: string[][]; connections: WebSocket[] }> {
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server = new WebSocketServer({ server: http });
  const frames: string[][] = [];
  const connections: WebSocket[] = [];
  server.on('connection', (connection) => {
    const own: string[] = [];
    frames.push(own);
    connections.push(connection);
    connection.on('message', (data) => own.push(String(data)));
  });
  t.after(() => {
    for (const connection of connections) connection.terminate();
    http.close();
  });
  const address = http.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/mcp/default`, frames, connections };
}

test('the level and every subscription are there again after a restart, though they are asked for at once', async (t) => {
  let gateway = await startGateway(SERVERS);
  const client = new BridgedClient(() => gateway);
  t.after(async () => {
    await client.close();
    await gateway.close();
  });
  await client.initialize();
  const uris = ['lasting://note', 'lasting://other'];
  client.send({ id: 1, method: 'logging/setLevel', params: { level: 'notice' } });
  for (const [index, uri] of uris.entries()) client.send({ id: 10 + index, method: 'resources/subscribe', params: { uri } });
  for (const id of [1, 10, 11]) assert.deepEqual((await client.answer(id))['result'], {});
  const before = gateway;
  gateway = await startGateway(SERVERS);
  await before.close();
  let id = 100;
  const said = async (tool: string): Promise<string> => {
    id += 1;
    client.send({ id, method: 'tools/call', params: { name: tool, arguments: {} } });
    return textOf(await client.answer(id));
  };
  await eventually('both subscriptions', async () => (await said('l__touch')) === uris.join());
  assert.equal(await said('l__log'), 'notice');
});

test('what is repeated after a restart is the bytes that came; a call, or a part of one, is reported instead', async (t) => {
  const daemon = await silentDaemon(t);
  const input = new PassThrough();
  const output = new PassThrough();
  const answers: Said[] = [];
  createInterface({ input: output }).on('line', (line) => answers.push(JSON.parse(line) as Said));
  const ended = runBridge({ input, output, target: async () => ({ url: daemon.url, token: 't' }) });
  const odd = '{ "method":"resources/read","id":"r", "jsonrpc":"2.0","params":{"uri":"a://b","n":12345678901234567890} }';
  const lines = [
    odd,
    '{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"x"}}',
    '{"jsonrpc":"2.0","id":"s","method":"resources/read","params":{"uri":"a://b","requestState":"sealed"}}',
    '{"jsonrpc":"2.0","id":"i","method":"prompts/get","params":{"name":"p","inputResponses":{}}}',
  ];
  input.write(`${lines.join('\n')}\n`);
  await eventually('all of it has arrived', () => daemon.frames[0]?.length === 4);
  assert.deepEqual(daemon.frames[0], lines, 'unchanged, white space and numbers included');
  daemon.connections[0]?.terminate();
  await eventually('the bridge came back and reported', () => daemon.frames[1]?.length === 1 && answers.length === 3);
  assert.deepEqual(daemon.frames[1], [odd]);
  assert.deepEqual(answers.map(({ id }) => id).sort(), ['c', 'i', 's']);
  for (const answer of answers) assert.match(JSON.stringify(answer), /SBX_CALL_INTERRUPTED/);
  daemon.connections[1]?.send('{"jsonrpc":"2.0","id":"r","result":{}}');
  input.end();
  assert.equal(await ended, 0);
});

test('the limit is the one of the daemon: a frame over it is answered by the bridge and never sent', async (t) => {
  const gateway = await startGateway(SERVERS, { messageBytes: 64 * 1024 });
  const client = new BridgedClient(() => gateway);
  t.after(async () => {
    await client.close();
    await gateway.close();
  });
  await client.initialize();
  client.send({ id: 1, method: 'tools/call', params: { name: 'l__touch', arguments: { much: 'x'.repeat(100_000) } } });
  const refused = (await client.answer(1)) as { error?: { message: string; data: { code: string } } };
  assert.equal(refused.error?.data.code, 'SBX_MESSAGE_TOO_LARGE');
  assert.match(refused.error.message, /^A frame has /, 'the words of the bridge');
  client.send({ id: 2, method: 'tools/call', params: { name: 'l__touch', arguments: {} } });
  assert.equal(textOf(await client.answer(2)), '');
});
