/** Legacy HTTP sessions over a restart of the real daemon, graceful and by kill -9, with the v1 SDK and over plain HTTP. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type CallToolResult,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import { type Home, makeHome } from '../fixtures/daemon.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { type OpenStream, RawSession, textOf } from './raw-session.ts';

const LASTING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'lasting.mjs');

type OpenStreamMessage = Awaited<ReturnType<OpenStream['next']>>['message'];

interface Served {
  readonly home: Home;
  readonly url: string;
  readonly token: string;
  readonly runs: () => readonly string[];
  /** Ends the daemon and starts the next one, at the same address. */
  restart(how: 'gracefully' | 'SIGKILL'): Promise<void>;
}

async function serve(t: TestContext): Promise<Served> {
  const home = makeHome();
  t.after(() => home.remove());
  const file = join(home.dir, 'runs.txt');
  writeFileSync(home.paths.configFile, JSON.stringify({ servers: { l: { command: process.execPath, args: [LASTING, file] } } }));
  await home.json<DaemonStatus>('up');
  const { url, token } = await home.json<{ url: string; token: string }>('clients', 'token', 'test');
  return {
    home,
    url,
    token,
    runs: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []),
    restart: async (how) => {
      const before = await home.json<DaemonStatus>('status');
      if (how === 'SIGKILL') process.kill(before.pid, 'SIGKILL');
      else assert.equal((await home.signalbox(['stop'])).code, 0);
      const after = await home.json<DaemonStatus>('up');
      assert.notEqual(after.pid, before.pid);
      assert.equal(after.port, before.port);
    },
  };
}

/** A client of the v1 SDK that writes down what it is told. */
class Told {
  readonly client = new Client({ name: 'v1', version: '1' }, { capabilities: { elicitation: {} } });
  readonly updated: string[] = [];
  readonly logged: string[] = [];

  constructor() {
    this.client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void this.updated.push(params.uri));
    this.client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void this.logged.push(params.level));
    this.client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { which: 'v1' } }));
  }

  async call(name: string, args: Record<string, unknown> = {}, onprogress?: () => void): Promise<string> {
    const { content } = (await this.client.callTool(
      { name: `l__${name}`, arguments: args },
      undefined,
      onprogress === undefined ? {} : { onprogress },
    )) as CallToolResult;
    return content[0]?.type === 'text' ? content[0].text : JSON.stringify(content);
  }

  /** Subscribed and with a level of its own. */
  async prepare(): Promise<void> {
    await this.client.subscribeResource({ uri: 'lasting://note' });
    await this.client.setLoggingLevel('error');
  }

  /** It hears what it had asked for before, and no more. */
  async hearsAsBefore(): Promise<void> {
    const [updates, logs] = [this.updated.length, this.logged.length];
    // The standing stream comes back in its own time; what is said meanwhile waits for it.
    assert.equal(await this.call('touch'), 'lasting://note', 'the subscription was made again at the server');
    await this.call('log');
    await eventually('the notifications have come', async () => this.updated.length > updates && this.logged.length > logs);
    assert.deepEqual(this.logged.slice(logs), ['error']);
  }
}

function streamable({ url, token }: Served): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    reconnectionOptions: { initialReconnectionDelay: 100, maxReconnectionDelay: 1000, reconnectionDelayGrowFactor: 1.5, maxRetries: 50 },
  });
}

test('the v1 SDK does not notice a restart, nor that the daemon was killed', async (t) => {
  const to = await serve(t);
  const told = new Told();
  const transport = streamable(to);
  await told.client.connect(transport as Transport);
  t.after(() => told.client.close());
  await told.prepare();
  await told.hearsAsBefore();
  const { sessionId } = transport;
  for (const how of ['gracefully', 'SIGKILL'] as const) {
    await to.restart(how);
    const { tools } = await told.client.listTools();
    assert.ok(tools.some(({ name }) => name === 'l__touch'));
    await told.hearsAsBefore();
    assert.equal(await told.call('ask'), '{"action":"accept","content":{"which":"v1"}}', 'and it can be asked');
    assert.equal(transport.sessionId, sessionId);
  }
});

test('a call in flight at a restart is reported as interrupted and never run again', async (t) => {
  const to = await serve(t);
  const told = new Told();
  await told.client.connect(streamable(to) as Transport);
  t.after(() => told.client.close());
  await told.call('touch');
  for (const how of ['gracefully', 'SIGKILL'] as const) {
    let streams = false;
    const held = told.call('hold', { name: how }, () => {
      streams = true;
    });
    await eventually('the call has a stream', () => streams);
    await to.restart(how);
    assert.match(await held, /^SBX_CALL_INTERRUPTED: tools\/call was interrupted/);
    assert.equal(await told.call('touch'), '', 'the session goes on');
  }
  assert.deepEqual(
    to.runs().filter((line) => line.startsWith('hold')),
    ['hold gracefully', 'hold SIGKILL'],
  );
});

test('plain HTTP: the same session id goes on, what was said on a stream is answered, a session ended or of another is not taken up', async (t) => {
  const to = await serve(t);
  const [session, ended] = [await new RawSession(to.url, to.token).open(), await new RawSession(to.url, to.token).open()];
  const call = { name: 'l__hold', arguments: { name: 'x' }, _meta: { progressToken: 1 } };
  const stream = await session.stream('held', 'tools/call', call);
  const prime = await stream.next();
  const progress = await stream.next();
  assert.equal(progress.message?.['method'], 'notifications/progress');
  assert.equal((await ended.fetch('DELETE')).status, 204);
  await to.restart('SIGKILL');
  await assert.rejects(stream.rest());

  for (const { id } of [prime, progress]) {
    const events = await (await session.listen(id)).rest();
    assert.equal(events.length, 1);
    assert.equal(events[0]?.message?.['id'], 'held');
    assert.match(textOf(events[0].message), /^SBX_CALL_INTERRUPTED/);
    assert.equal((await session.fetch('GET', undefined, { 'last-event-id': events[0].id ?? '' })).status, 204);
  }
  assert.equal(await session.call('l__touch'), '');
  assert.equal((await ended.fetch('POST', { jsonrpc: '2.0', id: 1, method: 'ping' })).status, 404, 'DELETE is for good');

  // Another credential of the same endpoint does not get in, and a revoked one is refused.
  const other = await to.home.json<{ token: string }>('clients', 'token', 'other');
  const stolen = await session.fetch('POST', { jsonrpc: '2.0', id: 2, method: 'ping' }, { authorization: `Bearer ${other.token}` });
  assert.equal(stolen.status, 404);
  const standing = await session.listen();
  const rotated = await to.home.json<{ token: string }>('clients', 'token', 'test', '--rotate');
  await standing.rest(); // ended with its credential
  assert.equal((await session.fetch('POST', { jsonrpc: '2.0', id: 3, method: 'ping' })).status, 401);
  const again = await session.fetch('POST', { jsonrpc: '2.0', id: 4, method: 'ping' }, { authorization: `Bearer ${rotated.token}` });
  assert.equal(again.status, 404, 'a session ends with its credential');
});

test('HTTP+SSE: an old client works, is told and asked, and hears that the daemon leaves', async (t) => {
  const to = await serve(t);
  const url = to.url.replace('/mcp/', '/sse/');
  const told = new Told();
  const headers = { authorization: `Bearer ${to.token}` };
  const transport = new SSEClientTransport(new URL(url), {
    requestInit: { headers },
    eventSourceInit: { fetch: (input, init) => fetch(input, { ...init, headers: { accept: 'text/event-stream', ...headers } }) },
  });
  await told.client.connect(transport as Transport);
  t.after(() => told.client.close());
  await told.prepare();
  await told.hearsAsBefore();
  let reports = 0;
  const held = told.call('hold', { name: 'sse' }, () => {
    reports += 1;
  });
  await eventually('it was reported', () => reports === 1);
  await told.call('release', { name: 'sse' });
  assert.equal(await held, 'sse');
  assert.equal(await told.call('ask'), '{"action":"accept","content":{"which":"v1"}}');
  const interrupted = told.call('hold', { name: 'interrupted' });
  await eventually('the call runs', () => to.runs().includes('hold interrupted'));
  await to.restart('gracefully');
  assert.match(await interrupted, /^SBX_CALL_INTERRUPTED/);
});

test('HTTP+SSE: an event source that names its last event comes back to its session; nobody else gets in', async (t) => {
  const to = await serve(t);
  const url = to.url.replace('/mcp/', '/sse/');
  const post = (path: string, body: object, token = to.token): Promise<Response> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return fetch(new URL(path, url), { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...body }) });
  };
  const listen = (last?: string): Promise<OpenStream> => new RawSession(url, to.token).listen(last);
  const first = await listen();
  const endpoint = await first.next();
  assert.equal(endpoint.event, 'endpoint');
  const path = String(endpoint.message?.['text']);
  assert.match(path, /^\/sse\/default\?sessionId=[\w-]+$/);
  const initialize = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'old', version: '1' } };
  assert.equal((await post(path, { id: 0, method: 'initialize', params: initialize })).status, 202);
  const answer = await first.next();
  assert.equal((answer.message?.['result'] as { protocolVersion: string }).protocolVersion, '2024-11-05');
  await post(path, { method: 'notifications/initialized' });
  await post(path, { id: 1, method: 'resources/subscribe', params: { uri: 'lasting://note' } });
  const subscribed = await first.next();
  assert.deepEqual(subscribed.message, { jsonrpc: '2.0', id: 1, result: {} });
  first.cut();
  // Said while nobody read: it waits.
  await post(path, { id: 2, method: 'tools/call', params: { name: 'l__touch', arguments: {} } });
  const second = await listen(subscribed.id);
  assert.equal((await second.next()).message?.['text'], path);
  assert.equal((await second.next()).message?.['method'], 'notifications/resources/updated');
  const touched = await second.next();
  assert.equal(textOf(touched.message), 'lasting://note');

  await to.restart('SIGKILL');
  await assert.rejects(second.rest());
  const third = await listen(touched.id);
  assert.equal((await third.next()).message?.['text'], path, 'the same session');
  // Whatever the server was asked first, it is subscribed again in the end.
  let told: OpenStreamMessage;
  do {
    await post(path, { id: 3, method: 'tools/call', params: { name: 'l__touch', arguments: {} } });
    told = (await third.next()).message;
  } while (told !== undefined && textOf(told) === '');
  assert.equal(told?.['method'], 'notifications/resources/updated');
  third.cut();

  assert.equal((await fetch(url)).status, 401);
  assert.equal((await post(url, { id: 1, method: 'ping' })).status, 400, 'no session');
  assert.equal((await post(`${path}x`, { id: 1, method: 'ping' })).status, 404, 'not a session');
  const { token } = await to.home.json<{ token: string }>('clients', 'token', 'other');
  assert.equal((await post(path, { id: 1, method: 'ping' }, token)).status, 404, "not that client's");
});
