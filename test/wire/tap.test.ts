/** The tap sees every frame at both edges, in all pairings of eras and over every transport, and knows which call each belongs to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { ServerEntry } from '../../daemon/api/config.ts';
import type { TapFilter, TrafficRow } from '../../daemon/api/sessions.ts';
import { TapHub } from '../../daemon/sessions/tap/hub.ts';
import { queryEvent, queryRows } from '../../daemon/sessions/tap/query.ts';
import { type Gateway, SCRIPTED, startGateway } from '../fixtures/gateway.ts';
import { legacyClient, modernClient, modernPost } from '../fixtures/raw-clients.ts';
import { eventsOf, modernHeaders, modernParams } from './transcript.ts';

type Json = Record<string, unknown>;

const ASKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'asking.mjs');
const node = (script: string, ...args: string[]): ServerEntry => ({ command: process.execPath, args: [script, ...args] });
const form = (message: string): object => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: { type: 'object', properties: { who: { type: 'string' } } } },
});
const accept = (): { result: Json } => ({ result: { action: 'accept', content: { who: 'x' } } });

interface Tapped {
  readonly tap: TapHub;
  readonly gateway: Gateway;
}
async function tapped(
  t: TestContext,
  servers: Record<string, ServerEntry>,
  options: Parameters<typeof startGateway>[1] = {},
): Promise<Tapped> {
  const tap = new TapHub();
  const gateway = await startGateway(servers, { ...options, tap });
  t.after(async () => {
    await gateway.close();
    tap.close();
  });
  return { tap, gateway };
}

const making = (tap: TapHub) => ({ redact: (message: object) => message, who: (session: string) => tap.sessionHome(session) });
async function rowsOf(tap: TapHub, filter: TapFilter & { messages?: boolean } = {}): Promise<readonly TrafficRow[]> {
  return (await queryRows(tap, { ...filter, after: 0, limit: 10_000 }, making(tap))).rows;
}
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(15_000);
  while (!(await condition())) {
    limit.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The frames that belong to calls of a tool, as lines; a number stands for the round of the call it belongs to. */
function told(rows: readonly TrafficRow[]): readonly string[] {
  const calls = rows.filter(
    ({ edge, direction, method, type }) => edge === 'client' && direction === 'in' && type === 'request' && method === 'tools/call',
  );
  const round = new Map(calls.map(({ seq }, index) => [seq, index + 1]));
  return rows
    .filter(({ call, kind }) => kind === 'frame' && call !== undefined && round.has(call))
    .map(({ edge, direction, type, method, call, status }) =>
      [round.get(call ?? 0), edge, direction, type, method, status].filter((part) => part !== undefined).join(' '),
    );
}

const ASKED: Readonly<Record<string, readonly string[]>> = {
  'legacy legacy': [
    '1 client in request tools/call',
    '1 server out request tools/call',
    '1 server in notification notifications/progress',
    '1 client out notification notifications/progress',
    '1 server in request elicitation/create',
    '1 client out request elicitation/create',
    '1 client in response elicitation/create ok',
    '1 server out response elicitation/create ok',
    '1 server in response tools/call ok',
    '1 client out response tools/call ok',
  ],
  'legacy modern': [
    '1 client in request tools/call',
    '1 server out request tools/call',
    '1 server in notification notifications/progress',
    '1 client out notification notifications/progress',
    '1 server in response tools/call input-required',
    '1 client out request elicitation/create',
    '1 client in response elicitation/create ok',
    '1 server out request tools/call',
    '1 server in notification notifications/progress',
    '1 client out notification notifications/progress',
    '1 server in response tools/call ok',
    '1 client out response tools/call ok',
  ],
  // A parked call: what comes after the client came back belongs to the request it came back with.
  'modern legacy': [
    '1 client in request tools/call',
    '1 server out request tools/call',
    '1 server in notification notifications/progress',
    '1 client out notification notifications/progress',
    '1 server in request elicitation/create',
    '1 client out response tools/call input-required',
    '2 client in request tools/call',
    '2 server out response elicitation/create ok',
    '2 server in response tools/call ok',
    '2 client out response tools/call ok',
  ],
  'modern modern': [
    '1 client in request tools/call',
    '1 server out request tools/call',
    '1 server in notification notifications/progress',
    '1 client out notification notifications/progress',
    '1 server in response tools/call input-required',
    '1 client out response tools/call input-required',
    '2 client in request tools/call',
    '2 server out request tools/call',
    '2 server in notification notifications/progress',
    '2 client out notification notifications/progress',
    '2 server in response tools/call ok',
    '2 client out response tools/call ok',
  ],
};

describe('frames of a call that asks', () => {
  // The server over HTTP is a gateway of ours, which speaks both eras and so never has to be bridged.
  for (const client of ['legacy', 'modern'] as const)
    for (const [server, flags] of [
      ['legacy', []],
      ['modern', ['--modern']],
    ] as const)
      for (const transport of server === client ? (['stdio', 'http'] as const) : (['stdio'] as const))
        it(`${client} client, ${server} server on ${transport}`, async (t) => {
          let entry: ServerEntry = node(ASKING, ...flags);
          if (transport === 'http') {
            const behind = await startGateway({ s: entry }, { daemonId: 'testgatewayb' });
            t.after(() => behind.close());
            entry = { type: 'http', url: behind.url, headers: { authorization: `Bearer ${behind.token}` } };
          }
          const { tap, gateway } = await tapped(t, { s: entry });
          const capabilities = { elicitation: { form: {} } };
          const peer =
            client === 'legacy' ? await legacyClient(gateway, capabilities, accept) : modernClient(gateway, capabilities, accept);
          const name = transport === 'http' ? 's__s__ask' : 's__ask';
          const meta = { progressToken: 't', 'claudecode/toolUseId': 'toolu_1' };
          const called = await peer.call('tools/call', { name, arguments: { questions: [[form('one')]] } }, { meta });
          peer.close();
          assert.ok('result' in called.answer, JSON.stringify(called.answer));
          const rows = await rowsOf(tap);
          assert.deepEqual(told(rows), ASKED[`${client} ${server}`]);
          const frames = rows.filter(({ kind, call }) => kind === 'frame' && call !== undefined);
          for (const { seq, method, type, answers, ms, bytes, session } of frames) {
            assert.ok(bytes !== undefined && bytes > 0, `${seq} has no bytes`);
            assert.equal(session, frames[0]?.session, `${seq} is of another session`);
            if (type !== 'response') continue;
            const asked = rows.find((row) => row.seq === answers);
            assert.equal(asked?.method, method, `${seq} answers another method`);
            assert.ok(ms !== undefined && ms >= 0);
          }
          const ends = frames.filter(({ method, type }) => method === 'tools/call' && type === 'response');
          assert.ok(
            ends.length >= 2 && ends.every(({ toolUseId }) => toolUseId === 'toolu_1'),
            'both edges know the tool use of Claude Code',
          );
          const first = frames.find(({ method }) => method === 'tools/call')?.seq ?? 0;
          const found = queryEvent(tap, first, {}, making(tap));
          // Whatever rounds it took, one look at the first request shows all.
          const belonging = [first, ...(found?.related.map(({ seq }) => seq) ?? [])].sort((a, b) => a - b);
          const calls = new Set(frames.filter(({ method }) => method === 'tools/call').map(({ call }) => call));
          assert.deepEqual(
            belonging,
            rows.filter(({ call }) => calls.has(call)).map(({ seq }) => seq),
          );
          assert.equal((found?.event.message as { method?: string } | undefined)?.method, 'tools/call');
        });
});

/** Talks to the bridge's WebSocket as the bridge does. */
async function bridge(gateway: Gateway): Promise<{ ask(method: string, params?: object): Promise<Json>; socket: WebSocket }> {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/bridge/v1/default`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  });
  await once(socket, 'open');
  const waiting = new Map<number, (message: Json) => void>();
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Json;
    if (message['method'] === undefined) waiting.get(Number(message['id']))?.(message);
  });
  let next = 1;
  return {
    socket,
    ask: (method, params = {}) =>
      new Promise((resolve) => {
        const id = next++;
        waiting.set(id, resolve);
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
      }),
  };
}
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '7' } };

describe('sessions', () => {
  it('are a bridge, a session over HTTP, one over SSE, and whoever calls without one; their names open nothing', async (t) => {
    const { tap, gateway } = await tapped(t, { s: node(SCRIPTED) });
    const { ask, socket } = await bridge(gateway);
    await ask('initialize', INITIALIZE);
    await ask('tools/call', { name: 's__echo', arguments: { text: 'bridge' } });
    const opened = await gateway.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: INITIALIZE });
    const secret = opened.headers.get('mcp-session-id') ?? '';
    await opened.text();
    await modernPost(gateway, 'tools/call', { name: 's__echo', arguments: { text: 'modern' } }, {});
    const end = new AbortController();
    const sse = await fetch(gateway.url.replace('/mcp/', '/sse/'), {
      headers: { authorization: `Bearer ${gateway.token}`, accept: 'text/event-stream' },
      signal: end.signal,
    });
    const reader = sse.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    const path = /data: (.*)/.exec(new TextDecoder().decode(value))?.[1] ?? '';
    const posted = await fetch(new URL(path, gateway.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: INITIALIZE }),
    });
    assert.equal(posted.status, 202);
    await reader?.read(); // the answer
    const infos = tap.sessions().map((home) => home.info([]));
    assert.deepEqual(infos.map(({ transport }) => transport).sort(), ['bridge', 'http', 'http', 'sse']);
    assert.deepEqual(infos.map(({ era }) => era).sort(), ['legacy', 'legacy', 'legacy', 'modern']);
    for (const { client, endpoint, clientInfo, endedAt } of infos) {
      assert.equal(client, 'test');
      assert.equal(endpoint, '/mcp/default');
      assert.equal(clientInfo?.name, 'raw');
      assert.equal(endedAt, undefined);
    }
    const everything = JSON.stringify([await rowsOf(tap, { messages: true }), infos]);
    assert.ok(secret !== '' && !everything.includes(secret), 'the name of an HTTP session opens it');
    assert.ok(!everything.includes(new URLSearchParams(path.split('?')[1]).get('sessionId') ?? '-'));
    for (const { id } of infos) {
      const rows = await rowsOf(tap, { session: id });
      assert.ok(rows.length > 1 && rows.filter(({ kind }) => kind === 'frame').every(({ session }) => session === id));
    }
    const own = infos.find(({ transport }) => transport === 'bridge')?.id ?? '';
    socket.close();
    await until(() => tap.sessionHome(own)?.endedAt !== undefined);
    assert.equal((await rowsOf(tap, { session: own })).findLast(({ edge }) => edge === 'client')?.kind, 'close');
    end.abort();
  });

  it('have the connections to servers that are theirs alone', async (t) => {
    const { tap, gateway } = await tapped(t, { s: node(ASKING) });
    const peer = await legacyClient(gateway, { elicitation: { form: {} } }, accept);
    // From its first question on the server is known to ask, and each session gets a process of its own.
    for (let round = 0; round < 2; round++) await peer.call('tools/call', { name: 's__ask', arguments: { questions: [[form('one')]] } });
    const session = tap.sessions()[0]?.id;
    const rows = (await rowsOf(tap)).filter(({ edge }) => edge === 'server');
    const own = rows.find(({ kind, session: of }) => kind === 'open' && of === session)?.connection;
    assert.ok(own !== undefined, 'no connection is the session’s');
    const seen = rows.filter(({ connection }) => connection === own);
    assert.ok(seen.every(({ session: of }) => of === session));
    assert.deepEqual(
      seen.slice(1, 3).map(({ method, direction }) => [method, direction]),
      [
        ['initialize', 'out'],
        ['initialize', 'in'],
      ],
    );
    peer.close();
  });

  it('show what never reached the router: no JSON, too much, an unknown session, headers that lie', async (t) => {
    const { tap, gateway } = await tapped(t, { s: node(SCRIPTED) }, { messageBytes: 2000 });
    await gateway.post('{"not json');
    await gateway.post({ jsonrpc: '2.0', id: 1, method: 'ping', params: { big: 'x'.repeat(3000) } });
    await gateway.post({ jsonrpc: '2.0', id: 2, method: 'ping' }, { 'mcp-session-id': 'nobody' });
    await gateway.post({ jsonrpc: '2.0', id: 3, method: 'tools/list', params: modernParams({}) }, modernHeaders('tools/call'));
    const { ask, socket } = await bridge(gateway);
    socket.send('{"neither');
    await ask('ping', { big: 'x'.repeat(3000) });
    const rows = await rowsOf(tap);
    assert.deepEqual(
      rows.filter(({ kind }) => kind === 'fault').map(({ transport, text }) => [transport, /no message|bytes/.test(text ?? '')]),
      [
        ['http', true],
        ['http', true],
        ['bridge', true],
        ['bridge', true],
      ],
    );
    const refused = rows.filter(({ direction, status }) => direction === 'out' && status === 'error');
    // Without an id nobody knows which request was answered; the others are joined to theirs.
    assert.deepEqual(
      refused.map(({ transport, id, method, answers }) => [transport, id, method, answers !== undefined]),
      [
        ['http', null, undefined, false],
        ['http', null, undefined, false],
        ['http', 2, 'ping', true],
        ['http', 3, 'tools/list', true],
        ['bridge', null, undefined, false],
        ['bridge', 1, 'ping', true],
      ],
    );
    socket.close();
  });
});

/** A server that answers only what was cancelled. */
const LATE = `
let waiting;
const say = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }));
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (method === 'initialize') say({ id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'late', version: '1' } } });
  else if (method === 'tools/list') say({ id, result: { tools: [{ name: 'late', inputSchema: { type: 'object' } }] } });
  else if (method === 'tools/call') waiting = id;
  else if (method === 'notifications/cancelled') say({ id: waiting, result: { content: [] } });
  else if (id !== undefined) say({ id, error: { code: -32601, message: 'no' } });
});`;

describe('what is no answer', () => {
  it('a cancel goes with its call to the server, from a notification and from a closed stream', async (t) => {
    const { tap, gateway } = await tapped(t, { s: node(SCRIPTED) });
    const { ask, socket } = await bridge(gateway);
    await ask('initialize', INITIALIZE);
    void ask('tools/call', { name: 's__wait' });
    const sent = (row: TrafficRow): boolean => row.edge === 'server' && row.direction === 'out' && row.target === 'wait';
    await until(async () => (await rowsOf(tap)).some(sent));
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2, reason: 'enough' } }));
    const cancels = async (): Promise<readonly TrafficRow[]> =>
      (await rowsOf(tap)).filter(({ method }) => method === 'notifications/cancelled');
    await until(async () => (await cancels()).length === 2);
    const [from, to] = await cancels();
    const call = (await rowsOf(tap)).find(({ direction, method }) => direction === 'in' && method === 'tools/call')?.seq;
    assert.deepEqual([from?.edge, from?.call, to?.edge, to?.call], ['client', call, 'server', call]);

    const gone = new AbortController();
    const second = modernPost(gateway, 'tools/call', { name: 's__wait' }, { signal: gone.signal });
    await until(async () => (await rowsOf(tap)).filter(sent).length === 2);
    gone.abort();
    await assert.rejects(second);
    await until(async () => (await cancels()).length === 3);
    const rows = await rowsOf(tap);
    const fault = rows.find(({ kind }) => kind === 'fault');
    const other = rows.find(({ era, direction, method }) => era === 'modern' && direction === 'in' && method === 'tools/call')?.seq;
    assert.match(fault?.text ?? '', /cancelled/);
    assert.deepEqual([fault?.call, (await cancels())[2]?.call], [other, other]);
    socket.close();
  });

  it('an answer that comes after the cancel still belongs to its call', async (t) => {
    const { tap, gateway } = await tapped(t, { s: { command: process.execPath, args: ['-e', LATE] } });
    const { ask, socket } = await bridge(gateway);
    await ask('initialize', INITIALIZE);
    void ask('tools/call', { name: 's__late' });
    await until(async () => (await rowsOf(tap)).some(({ edge, target }) => edge === 'server' && target === 'late'));
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } }));
    const late = async (): Promise<TrafficRow | undefined> =>
      (await rowsOf(tap)).find(({ edge, type, method }) => edge === 'server' && type === 'response' && method === 'tools/call');
    await until(async () => (await late()) !== undefined);
    const call = (await rowsOf(tap)).find(({ edge, method }) => edge === 'client' && method === 'tools/call');
    assert.deepEqual([(await late())?.call, (await late())?.session], [call?.seq, call?.session]);
    socket.close();
  });

  it('a change of lists comes from the server and goes to sessions and listeners, each on its own', async (t) => {
    const { tap, gateway } = await tapped(t, { s: node(SCRIPTED) });
    const { ask, socket } = await bridge(gateway);
    await ask('initialize', INITIALIZE);
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    await ask('tools/list');
    const end = new AbortController();
    const listen = await gateway.post(
      { jsonrpc: '2.0', id: 'L', method: 'subscriptions/listen', params: modernParams({ notifications: { toolsListChanged: true } }) },
      modernHeaders('subscriptions/listen'),
      end.signal,
    );
    const events = eventsOf(listen);
    await events.next(); // acknowledged
    await ask('tools/call', { name: 's__grow' });
    await events.next(); // changed
    const changed = async (): Promise<readonly TrafficRow[]> =>
      (await rowsOf(tap)).filter(({ method }) => method === 'notifications/tools/list_changed');
    await until(async () => (await changed()).filter(({ edge }) => edge === 'client').length >= 2);
    const rows = await rowsOf(tap);
    const listening = rows.find(({ method }) => method === 'subscriptions/listen')?.seq;
    const own = (await changed()).filter(({ edge, era }) => edge === 'client' && era === 'modern');
    assert.deepEqual(
      own.map(({ call }) => call),
      [listening],
      'it belongs to the request that listens',
    );
    assert.ok((await changed()).some(({ edge, session, server }) => edge === 'server' && session === undefined && server === 's'));
    assert.ok((await changed()).some(({ edge, transport }) => edge === 'client' && transport === 'bridge'));
    end.abort();
    socket.close();
  });

  it('standard error stands among the frames, and a crash says why', async (t) => {
    const script = 'process.stderr.write("about to fail\\n"); setTimeout(() => process.exit(3), 50)';
    const { tap, gateway } = await tapped(t, { s: { command: process.execPath, args: ['-e', script] } });
    await modernPost(gateway, 'tools/list', {}, {});
    await until(async () => (await rowsOf(tap)).some(({ kind }) => kind === 'close'));
    const rows = (await rowsOf(tap)).filter(({ server }) => server === 's');
    assert.equal(rows.find(({ kind }) => kind === 'stderr')?.text, 'about to fail');
    assert.match(rows.find(({ kind }) => kind === 'close')?.text ?? '', /exit code 3.*about to fail/);
  });

  it('a server that cannot be started is told of', async (t) => {
    const { tap, gateway } = await tapped(t, { s: { command: '/nowhere/at-all' } });
    await modernPost(gateway, 'tools/list', {}, {});
    await until(async () => (await rowsOf(tap)).some(({ server, kind }) => server === 's' && (kind === 'fault' || kind === 'close')));
  });
});

/** A strict modern server whose list says only when it is read again which parameter a call has to mirror in its headers. */
async function strictServer(t: TestContext): Promise<string> {
  let lists = 0;
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { id, method } = body as Json;
      const say = (status: number, answer: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
      };
      if (method === 'server/discover')
        say(200, { result: { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, resultType: 'complete' } });
      else if (method === 'tools/list') {
        lists += 1;
        const mirrored = { type: 'string', ...(lists > 1 ? { 'x-mcp-header': 'Region' } : {}) };
        say(200, {
          result: { resultType: 'complete', tools: [{ name: 'go', inputSchema: { type: 'object', properties: { region: mirrored } } }] },
        });
      } else if (method === 'tools/call' && request.headers['mcp-param-region'] === undefined)
        say(400, { error: { code: -32020, message: 'Mcp-Param-Region is missing' } });
      else if (method === 'tools/call') say(200, { result: { resultType: 'complete', content: [] } });
      else say(404, { error: { code: -32601, message: 'no' } });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

describe('what a link does on its own account', () => {
  it('a call refused for its headers, the list read for it, and the call sent again belong to the call', async (t) => {
    const { tap, gateway } = await tapped(t, { s: { type: 'http', url: await strictServer(t) } });
    const called = await modernPost(gateway, 'tools/call', { name: 's__go', arguments: { region: 'eu' } }, {});
    assert.ok('result' in called, JSON.stringify(called));
    assert.deepEqual(told(await rowsOf(tap)), [
      '1 client in request tools/call',
      '1 server out request tools/call',
      '1 server in response tools/call error',
      '1 server out request tools/list',
      '1 server in response tools/list ok',
      '1 server out request tools/call',
      '1 server in response tools/call ok',
      '1 client out response tools/call ok',
    ]);
  });
});

describe('many calls at once', () => {
  it('each frame belongs to its own call, over three transports and two servers', async (t) => {
    const { tap, gateway } = await tapped(t, { a: node(SCRIPTED), b: node(SCRIPTED, '--modern') });
    const { ask, socket } = await bridge(gateway);
    await ask('initialize', INITIALIZE);
    const legacy = await legacyClient(gateway, {}, accept);
    const send = (index: number): Promise<unknown> => {
      const name = `${index % 2 === 0 ? 'a' : 'b'}__${index % 5 === 0 ? 'slow' : 'echo'}`;
      const params = { name, arguments: { text: `call ${index}` }, _meta: { progressToken: `p${index}` } };
      if (index % 3 === 0) return ask('tools/call', params);
      if (index % 3 === 1) return legacy.call('tools/call', { name, arguments: params.arguments }, { meta: params._meta });
      return modernPost(gateway, 'tools/call', { name, arguments: params.arguments }, { meta: params._meta });
    };
    await Promise.all(Array.from({ length: 60 }, (_, index) => send(index)));
    const rows = await rowsOf(tap, { messages: true });
    const calls = rows.filter(
      ({ edge, direction, type, method }) => edge === 'client' && direction === 'in' && type === 'request' && method === 'tools/call',
    );
    assert.equal(calls.length, 60);
    for (const { seq, message } of calls) {
      const {
        arguments: args,
        name,
        _meta: meta,
      } = (message as { params: { arguments: { text: string }; name: string; _meta: Json } }).params;
      const own = rows.filter(({ call }) => call === seq);
      const slow = name.endsWith('slow');
      assert.equal(own.length, slow ? 8 : 4, `${name}: ${own.map(({ method }) => method).join()}`);
      for (const row of own) {
        const { params, result } = row.message as { params?: Json; result?: { structuredContent?: Json } };
        if (row.type === 'request') assert.deepEqual(params?.['arguments'], args, 'the arguments of another call');
        if (row.type === 'response' && !slow) assert.equal(result?.structuredContent?.['text'], args.text, 'the answer to another call');
        if (row.type === 'notification' && row.edge === 'client') assert.equal(params?.['progressToken'], meta['progressToken']);
        if (row.type === 'response') assert.equal(own.find(({ seq: asked }) => asked === row.answers)?.edge, row.edge);
      }
      assert.equal(new Set(own.map(({ session }) => session)).size, 1);
    }
    legacy.close();
    socket.close();
  });
});
