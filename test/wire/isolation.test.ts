/** What one client does, or may not see, makes no difference to another: subscriptions, levels, tasks, hidden servers, endpoints that go. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import type { ServerEntry } from '../../daemon/api/config.ts';
import { type EndpointSetup, type Gateway, scripted, startGateway } from '../fixtures/gateway.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { legacyClient, modernPost, type RawClient } from '../fixtures/raw-clients.ts';

const SERVERS = join(import.meta.dirname, '..', 'fixtures', 'servers');
const NOTE = 'lasting://note';
type Json = Record<string, unknown>;
interface Failure {
  readonly code: number;
  readonly data: { readonly code: string; readonly cause: string };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-isolation-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
function lasting(t: TestContext): ServerEntry {
  return { command: process.execPath, args: [join(SERVERS, 'lasting.mjs'), join(folderOf(t), 'runs')] };
}
async function serve(t: TestContext, servers: Readonly<Record<string, ServerEntry>>, setup: EndpointSetup = {}): Promise<Gateway> {
  const gateway = await startGateway(servers, setup);
  t.after(() => gateway.close());
  return gateway;
}
/** A legacy client with a credential of its own. */
async function client(t: TestContext, gateway: Gateway, name: string): Promise<RawClient> {
  const token = `client.${name}`;
  const own = {
    ...gateway,
    token,
    post: (message: unknown, headers = {}, signal?: AbortSignal) =>
      gateway.post(message, { ...headers, authorization: `Bearer ${token}` }, signal),
  };
  const made = await legacyClient(own, {}, () => assert.fail('nothing is asked'));
  t.after(() => made.close());
  return made;
}
async function result(peer: RawClient, method: string, params: Json): Promise<Json> {
  const { answer } = await peer.call(method, params);
  assert.ok('result' in answer, JSON.stringify(answer));
  return answer['result'] as Json;
}
async function failure(peer: RawClient, method: string, params: Json): Promise<Failure> {
  return (await peer.call(method, params)).answer['error'] as Failure;
}
async function said(peer: RawClient, tool: string): Promise<string> {
  const { content } = (await result(peer, 'tools/call', { name: tool, arguments: {} })) as { content: readonly { text: string }[] };
  return content[0]?.text ?? '';
}
function updates(peer: RawClient): number {
  return peer.heard.filter(({ method }) => method === 'notifications/resources/updated').length;
}
const toolNames = async (peer: RawClient): Promise<unknown[]> =>
  ((await result(peer, 'tools/list', {}))['tools'] as Json[]).map(({ name }) => name);

test('who gives up a subscription it does not hold takes it from nobody', async (t) => {
  const gateway = await serve(t, { l: lasting(t) });
  const [a, b] = [await client(t, gateway, 'a'), await client(t, gateway, 'b')];
  await result(a, 'resources/subscribe', { uri: NOTE });
  await result(b, 'resources/unsubscribe', { uri: NOTE });
  assert.equal(await said(b, 'l__touch'), NOTE, 'what the server has');
  await eventually('a hears of the change', async () => updates(a) === 1);
  assert.equal(updates(b), 0);
});

test('a subscription asked for twice is given up once', async (t) => {
  const gateway = await serve(t, { l: lasting(t) });
  const a = await client(t, gateway, 'a');
  for (let n = 0; n < 2; n++) await result(a, 'resources/subscribe', { uri: NOTE });
  await result(a, 'resources/unsubscribe', { uri: NOTE });
  assert.equal(await said(a, 'l__touch'), '');
});

test('subscriptions of both eras follow a server whose configuration changes, and one that is taken out and put back', async (t) => {
  const entry = lasting(t);
  const gateway = await serve(t, { l: entry });
  const a = await client(t, gateway, 'a');
  await result(a, 'resources/subscribe', { uri: NOTE });
  const heard: Json[] = [];
  const end = new AbortController();
  t.after(() => end.abort());
  const filter = { notifications: { resourceSubscriptions: [NOTE] } };
  void modernPost(gateway, 'subscriptions/listen', filter, { signal: end.signal }, heard).catch(() => undefined); // ended by the test
  await eventually('the acknowledgement', async () => heard.length === 1);
  const touched = async (changes: number): Promise<void> => {
    await eventually('the subscription is made again', async () => (await said(a, 'l__touch')) === NOTE);
    await eventually('both hear', async () => updates(a) >= changes && heard.length > changes);
  };
  await gateway.configure({ l: { ...entry, timeoutMs: 30_000 } });
  await touched(1);
  await gateway.configure({});
  await gateway.configure({ l: entry });
  await touched(2);
  await result(a, 'resources/unsubscribe', { uri: NOTE });
  end.abort();
  await eventually('nothing is left at the server', async () => (await said(a, 'l__touch')) === '');
});

test('a client that wants less of the log takes nothing from one that wants more', async (t) => {
  const gateway = await serve(t, { l: lasting(t) });
  const [a, b] = [await client(t, gateway, 'a'), await client(t, gateway, 'b')];
  await result(a, 'tools/list', {});
  await result(a, 'logging/setLevel', { level: 'debug' });
  await result(b, 'logging/setLevel', { level: 'emergency' });
  assert.equal(await said(a, 'l__log'), 'debug', "the server's level");
});

test('a level set before the server runs, or before it was started again, is told to it', async (t) => {
  const entry = lasting(t);
  const gateway = await serve(t, { l: entry });
  const a = await client(t, gateway, 'a');
  await result(a, 'tools/list', {});
  await result(a, 'logging/setLevel', { level: 'debug' });
  await gateway.view().members[0]?.upstream.restart();
  assert.equal(await said(a, 'l__log'), 'debug');
});

test('a level there is none of is refused, and none of the log is lost or won by it', async (t) => {
  const gateway = await serve(t, { l: lasting(t) });
  const a = await client(t, gateway, 'a');
  await result(a, 'tools/list', {});
  for (const params of [{}, { level: 'loud' }]) assert.equal((await failure(a, 'logging/setLevel', params)).code, -32602);
  assert.equal(await said(a, 'l__log'), 'none', "the server's level");
});

test("tasks of another client are in no list, all of one's own are", async (t) => {
  const gateway = await serve(t, { t: { command: process.execPath, args: [join(SERVERS, 'tasks.mjs')] } });
  const [a, b] = [await client(t, gateway, 'a'), await client(t, gateway, 'b')];
  await result(a, 'tools/list', {});
  const begin = async (peer: RawClient): Promise<unknown> => {
    const { task } = (await result(peer, 'tools/call', { name: 't__work', arguments: { say: 'x' }, task: {} })) as { task: Json };
    return task['taskId'];
  };
  const ids = [await begin(a), await begin(b), await begin(a)];
  const listed = async (peer: RawClient): Promise<unknown[]> =>
    ((await result(peer, 'tasks/list', {}))['tasks'] as Json[]).map(({ taskId }) => taskId);
  assert.deepEqual(await listed(b), [ids[1]]);
  assert.deepEqual(await listed(a), [ids[0], ids[2]]);
});

test('no error names a server that is hidden, and no unknown method reaches one', async (t) => {
  const dead = { command: '/nonexistent/secret-thing' };
  const clients = { few: { namespaces: ['open'] }, none: { namespaces: ['nothing'] } };
  const bindings = { open: { namespaces: ['open'] }, secret: { namespaces: ['dev'] } };
  const gateway = await serve(t, { open: scripted(), secret: dead }, { endpoint: { clients }, bindings });
  await result(await client(t, gateway, 'full'), 'tools/list', {});
  const few = await client(t, gateway, 'few');
  const unknown = await failure(few, 'tools/call', { name: 'nope__x' });
  assert.equal(unknown.data.code, 'SBX_TOOL_UNKNOWN');
  assert.doesNotMatch(JSON.stringify(unknown), /secret/);
  const clientsByName = { byname: { tools: { deny: ['secret__*'] } }, full: {} };
  await gateway.configure({ open: scripted(), secret: scripted() }, { endpoint: { clients: clientsByName } });
  const about = async (name: string): Promise<string> =>
    JSON.stringify(await result(await client(t, gateway, name), 'server/discover', {}));
  assert.match(await about('full'), /secret/);
  assert.doesNotMatch(await about('byname'), /secret/);
  await gateway.configure({ open: scripted() }, { endpoint: { clients }, bindings });
  assert.deepEqual(await result(few, 'x-vendor/method', { 'x-param': { a: 1 } }), { 'x-echo': { a: 1 } });
  const refused = await failure(await client(t, gateway, 'none'), 'x-vendor/method', { a: 1 });
  assert.deepEqual([refused.code, refused.data.code], [-32601, 'SBX_METHOD_UNKNOWN']);
});

test('the state of one server is not handed to another that has its name now', async (t) => {
  const entry = { command: process.execPath, args: [join(SERVERS, 'asking.mjs'), '--modern'] };
  const alias = { alias: 's' };
  const gateway = await serve(t, { one: entry }, { bindings: { one: alias } });
  const capabilities = { elicitation: {} };
  const form = {
    method: 'elicitation/create',
    params: { mode: 'form', message: 'Who?', requestedSchema: { type: 'object', properties: {} } },
  };
  const call = { name: 's__ask', arguments: { questions: [[form]] } };
  const { requestState, inputRequests } = (await modernPost(gateway, 'tools/call', call, { capabilities }))['result'] as Json;
  const inputResponses = Object.fromEntries(Object.keys(inputRequests as Json).map((key) => [key, { action: 'accept', content: {} }]));
  const again = async (): Promise<Json> =>
    await modernPost(gateway, 'tools/call', { ...call, requestState, inputResponses }, { capabilities });
  await gateway.configure({ two: entry }, { bindings: { two: alias } });
  assert.equal(((await again())['error'] as Failure).data.code, 'SBX_STATE_INVALID');
  await gateway.configure({ one: entry }, { bindings: { one: alias } });
  assert.equal(((await again())['result'] as Json)['resultType'], 'complete');
});

test('a tool denied under the name it was given stays denied when the server changes it', async (t) => {
  const file = join(folderOf(t), 'offer.json');
  const offer = (description: string): void =>
    writeFileSync(
      file,
      JSON.stringify({ tools: ['q', 'changed'].map((name) => ({ name, description, inputSchema: { type: 'object' } })) }),
    );
  offer('One.');
  const entry = { command: process.execPath, args: [join(SERVERS, 'listing.mjs'), file] };
  const setup = {
    endpoint: { clients: { few: { tools: { deny: ['*__danger'] } } } },
    bindings: { s: { overrides: { q: { name: 'danger' } } } },
  };
  const gateway = await serve(t, { s: entry }, setup);
  const [full, few] = [await client(t, gateway, 'full'), await client(t, gateway, 'few')];
  assert.deepEqual(await toolNames(full), ['s__changed', 's__danger']);
  offer('Two.');
  await said(full, 's__changed');
  await eventually('the change is seen', async () => gateway.view().members[0]?.problems().length === 1);
  assert.deepEqual(await toolNames(few), ['s__changed']);
  for (const name of ['s__q', 's__danger']) assert.equal((await failure(few, 'tools/call', { name })).data.code, 'SBX_TOOL_UNKNOWN');
});

test('a bridge ends with its endpoint and with its credential, and a subscription with its credential', async (t) => {
  const entry = scripted();
  const gateway = await serve(t, { s: entry });
  const server = { name: 's', alias: 's', entry, digest: JSON.stringify(entry), hidden: [] };
  const endpoint = (name: string) => ({ name, path: `/mcp/${name}`, servers: [server] });
  const connect = async (name: string, bearer: string): Promise<{ readonly closed: () => number | undefined }> => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/bridge/v1/${name}`, { headers: { authorization: `Bearer ${bearer}` } });
    t.after(() => socket.terminate());
    let code: number | undefined;
    socket.on('close', (given) => {
      code = given;
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return { closed: () => code };
  };
  await gateway.serve([endpoint('default'), endpoint('other')]);
  const [left, kept, revoked] = [
    await connect('other', 'other'),
    await connect('default', 'client.a'),
    await connect('default', 'client.b'),
  ];
  let ended = false;
  const post = (message: unknown, headers = {}): Promise<globalThis.Response> =>
    gateway.post(message, { ...headers, authorization: 'Bearer client.b' });
  const heard: Json[] = [];
  void modernPost({ ...gateway, post }, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, {}, heard).then(() => {
    ended = true;
  });
  await eventually('the acknowledgement', async () => heard.length === 1);
  await gateway.serve([endpoint('default')]);
  await eventually('the endpoint is gone', async () => left.closed() === 1012);
  gateway.revoke('b');
  await eventually('the credential is gone', async () => revoked.closed() === 1012 && ended);
  assert.equal(kept.closed(), undefined);
});
