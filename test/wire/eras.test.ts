/** Golden transcripts in both eras, over an upstream of either era: four pairings of the same conversation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Gateway, scripted, startGateway } from '../fixtures/gateway.ts';
import { eventsOf, messagesOf, modernHeaders, modernParams, Transcript } from './transcript.ts';

const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'golden', version: '1' } };
const REQUESTS: readonly [method: string, params: Record<string, unknown>][] = [
  ['tools/list', {}],
  ['tools/call', { name: 's__echo', arguments: { text: 'grüße 🚦' }, _meta: { 'x.example/trace': 'abc' } }],
  ['tools/call', { name: 's__slow', arguments: {}, _meta: { progressToken: 'my-token' } }],
  ['tools/call', { name: 's__none', arguments: {} }],
  ['resources/list', {}],
  ['resources/templates/list', {}],
  ['resources/read', { uri: 'scripted://one' }],
  ['resources/read', { uri: 'scripted://item/7' }],
  ['resources/read', { uri: 'scripted://absent' }],
  ['prompts/list', {}],
  ['prompts/get', { name: 's__greet', arguments: { who: 'world' } }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 's__greet' }, argument: { name: 'who', value: 'w' } }],
  ['completion/complete', { ref: { type: 'ref/resource', uri: 'scripted://item/{id}' }, argument: { name: 'id', value: '7' } }],
  ['ping', {}],
  ['x-vendor/method', { 'x-param': { deep: [1, { a: null }] } }],
  ['tools/list', { cursor: 'nonsense' }],
];

for (const upstream of ['legacy', 'modern'] as const) {
  const entry = scripted(...(upstream === 'modern' ? ['--modern'] : []));
  describe(`${upstream} server`, () => {
    it('legacy client', async () => {
      await withGateway(entry, async (gateway) => {
        const transcript = new Transcript(gateway);
        const { headers } = await transcript.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params: INITIALIZE });
        const session = { 'mcp-session-id': headers.get('mcp-session-id') ?? '' };
        await transcript.send({ jsonrpc: '2.0', method: 'notifications/initialized' }, session);
        for (const [id, [method, params]] of REQUESTS.entries()) await transcript.send({ jsonrpc: '2.0', id, method, params }, session);
        transcript.check(`legacy-client-${upstream}-server`);
      });
    });

    it('modern client', async () => {
      await withGateway(entry, async (gateway) => {
        const transcript = new Transcript(gateway);
        for (const [id, [method, params]] of [['server/discover', {}] as (typeof REQUESTS)[number], ...REQUESTS].entries()) {
          const name = params['name'] ?? params['uri'];
          await transcript.send(
            { jsonrpc: '2.0', id, method, params: modernParams(params) },
            modernHeaders(method, typeof name === 'string' ? name : undefined),
          );
        }
        transcript.check(`modern-client-${upstream}-server`);
      });
    });

    it('cancels at the server what a legacy client cancels', async () => {
      await withGateway(entry, async (gateway) => {
        const session = await openSession(gateway);
        const running = gateway
          .post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 's__wait', arguments: {} } }, session)
          .catch(() => undefined);
        await settled(gateway, session); // the call has reached the server: answers keep their order on one connection
        await gateway.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } }, session);
        assert.equal(await cancelledCount(gateway, session), '1');
        await gateway.close();
        await running;
      });
    });

    it('cancels at the server when a modern client closes its stream', async () => {
      await withGateway(entry, async (gateway) => {
        const session = await openSession(gateway);
        // Which era the server speaks is found out here, so that the call below goes straight to it.
        await (
          await gateway.post({ jsonrpc: '2.0', id: 9, method: 'tools/list', params: modernParams() }, modernHeaders('tools/list'))
        ).text();
        const abort = new AbortController();
        const running = gateway.post(
          { jsonrpc: '2.0', id: 1, method: 'tools/call', params: modernParams({ name: 's__wait' }) },
          modernHeaders('tools/call', 's__wait'),
          abort.signal,
        );
        const gone = assert.rejects(running);
        await settled(gateway, session);
        abort.abort();
        await gone;
        await until(async () => (await cancelledCount(gateway, session)) === '1');
      });
    });

    it('tells both kinds of client that the tools changed', async () => {
      await withGateway(entry, async (gateway) => {
        const session = await openSession(gateway);
        await gateway.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, session);
        const standing = await fetch(gateway.url, {
          headers: { authorization: `Bearer ${gateway.token}`, accept: 'text/event-stream', ...session },
        });
        const listen = await gateway.post(
          {
            jsonrpc: '2.0',
            id: 'sub',
            method: 'subscriptions/listen',
            params: modernParams({ notifications: { toolsListChanged: true } }),
          },
          modernHeaders('subscriptions/listen'),
        );
        const [legacyEvents, modernEvents] = [eventsOf(standing), eventsOf(listen)];
        assert.deepEqual((await modernEvents.next()).value, {
          jsonrpc: '2.0',
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: { toolsListChanged: true }, _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' } },
        });
        await settled(gateway, session); // the first lists are read, so that what follows is the change
        await gateway.post({ jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 's__grow', arguments: {} } }, session);
        const changed = 'notifications/tools/list_changed';
        await next(legacyEvents, (event) => event['method'] === changed);
        const stamped = await next(modernEvents, (event) => event['method'] === changed);
        assert.deepEqual(stamped['params'], { _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' } });
        await until(async () => (await toolNames(gateway, session)).includes('s__grown'));
        await legacyEvents.return(undefined);
        await modernEvents.return(undefined);
      });
    });
  });
}

describe('servers that do not behave', () => {
  it('lists the healthy ones while one hangs, and names the one that is down', async () => {
    const gateway = await startGateway({ s: scripted(), hung: scripted('--hang'), gone: { command: 'signalbox-no-such-command' } });
    try {
      const session = await openSession(gateway);
      const names = await toolNames(gateway, session);
      assert.ok(names.includes('s__echo'));
      const answer = await gateway.post(
        { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'gone__x', arguments: {} } },
        session,
      );
      const text = await answer.text();
      assert.match(text, /SBX_TOOL_UNKNOWN/);
      assert.match(text, /gone \(SBX_SERVER_COMMAND/);
    } finally {
      await gateway.close();
    }
  });

  it('adds and removes servers without touching a running call of another', async () => {
    const gateway = await startGateway({ s: scripted() });
    try {
      const session = await openSession(gateway);
      await toolNames(gateway, session);
      const running = gateway.post({ jsonrpc: '2.0', id: 77, method: 'tools/call', params: { name: 's__wait', arguments: {} } }, session);
      await settled(gateway, session);
      const pid = gateway.host.all()[0]?.pid;
      await gateway.configure({ s: scripted(), t: scripted('--modern') });
      await until(async () => (await toolNames(gateway, session)).includes('t__echo'));
      await gateway.configure({ s: scripted() });
      assert.ok(!(await toolNames(gateway, session)).includes('t__echo'));
      assert.equal(gateway.host.all()[0]?.pid, pid);
      await gateway.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 77 } }, session);
      assert.equal(await cancelledCount(gateway, session), '1');
      await gateway.close();
      await running.catch(() => undefined);
    } finally {
      await gateway.close();
    }
  });
});

async function withGateway(entry: Parameters<typeof startGateway>[0][string], run: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = await startGateway({ s: entry });
  try {
    await run(gateway);
  } finally {
    await gateway.close();
  }
}

async function openSession(gateway: Gateway): Promise<Record<string, string>> {
  const answer = await gateway.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: INITIALIZE });
  await answer.text();
  return { 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '' };
}

let nextId = 1000;
async function rpc(gateway: Gateway, session: Record<string, string>, method: string, params: object): Promise<Record<string, unknown>> {
  const answer = await gateway.post({ jsonrpc: '2.0', id: nextId++, method, params }, session);
  const messages = messagesOf(answer.headers.get('content-type') ?? '', await answer.text());
  return (messages.at(-1) as { result: Record<string, unknown> }).result;
}
async function settled(gateway: Gateway, session: Record<string, string>): Promise<void> {
  await rpc(gateway, session, 'tools/call', { name: 's__echo', arguments: { text: '' } });
}
async function cancelledCount(gateway: Gateway, session: Record<string, string>): Promise<unknown> {
  const result = (await rpc(gateway, session, 'tools/call', { name: 's__cancelled', arguments: {} })) as { content: { text: string }[] };
  return result.content[0]?.text;
}
async function toolNames(gateway: Gateway, session: Record<string, string>): Promise<string[]> {
  const { tools } = (await rpc(gateway, session, 'tools/list', {})) as { tools: { name: string }[] };
  return tools.map((tool) => tool.name);
}
async function next(
  events: AsyncGenerator<Record<string, unknown>>,
  wanted: (event: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  for (;;) {
    const { value, done } = await events.next();
    assert.ok(done !== true, 'the stream ended before the event came');
    if (wanted(value)) return value;
  }
}
async function until(condition: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  while (!(await condition())) signal.throwIfAborted();
}
