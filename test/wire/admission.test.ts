/** What a client may do once it is in: its limits over all its sessions and transports, and requests that went in a circle. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ServerLimits } from '../../daemon/api/config.ts';
import { type Gateway, OWN, startGateway } from '../fixtures/gateway.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { RawSession, textOf } from './raw-session.ts';
import { modernHeaders, modernParams } from './transcript.ts';

const LASTING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'lasting.mjs');

async function limited(t: TestContext, limits: ServerLimits): Promise<Gateway & { readonly runs: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-lasting-'));
  const file = join(folder, 'runs.txt');
  const servers = { l: { command: process.execPath, args: [LASTING, file] } };
  const made = await startGateway(servers, { endpoint: { clients: { test: { limits } } } });
  t.after(async () => {
    await made.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...made, runs: () => (existsSync(file) ? readFileSync(file, 'utf8') : '') };
}

async function modernCall(to: Gateway, name: string, args: object): Promise<Record<string, unknown>> {
  const params = modernParams({ name, arguments: args });
  const answer = await to.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, modernHeaders('tools/call', name));
  return (await answer.json()) as Record<string, unknown>;
}

test('one call at once and one that waits: over two sessions and the other era together; a cancelled one gives its place up', async (t) => {
  const to = await limited(t, { concurrency: 1, queue: 1 });
  const [one, two] = [await new RawSession(to.url, to.token).open(), await new RawSession(to.url, to.token).open()];
  const call = (id: string, name: string): object => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'l__hold', arguments: { name } },
  });
  const runs = one.fetch('POST', call('a', 'a'));
  await eventually('the first runs', () => to.runs() === 'hold a\n');
  const waits = two.fetch('POST', call('b', 'b'));
  await eventually('the second waits and the third is refused', async () => /SBX_BUSY/.test(textOf(await modernCall(to, 'l__touch', {}))));
  assert.equal(to.runs(), 'hold a\n');
  assert.ok(((await one.rpc('tools/list'))['result'] as { tools: unknown[] }).tools.length > 0, 'lists are no work');
  await two.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'b' } });
  assert.equal(await (await waits).text(), '');
  const next = modernCall(to, 'l__touch', {});
  await one.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'a' } });
  assert.equal(await (await runs).text(), '');
  assert.equal(textOf(await next), '');
  assert.equal(to.runs(), 'hold a\ntouch \n', 'what was cancelled in the queue never ran');
});

test('so many calls a minute, then it is told when to come again', async (t) => {
  const to = await limited(t, { callsPerMinute: 2 });
  const session = await new RawSession(to.url, to.token).open();
  assert.equal(await session.call('l__touch'), '');
  assert.equal(textOf(await modernCall(to, 'l__touch', {})), '');
  assert.match(await session.call('l__touch'), /^SBX_RATE_LIMITED: Client "test" was called too often\.[\s\S]*Call again in \d+ s/);
  await to.configure({ l: { command: process.execPath, args: [LASTING, '/dev/null'] } });
  assert.equal(await session.call('l__touch'), '', 'a configuration without limits lets it in');
});

test('a request that came through this daemon already is refused with its path', async (t) => {
  const to = await limited(t, {});
  const request = { jsonrpc: '2.0', id: 'round', method: 'server/discover', params: modernParams() };
  const post = (via: string): Promise<Response> => to.post(request, { ...modernHeaders('server/discover'), via });
  const refused = await post(`1.1 signalbox-aaaaaaaaaaaa, 1.1 signalbox-${OWN}`);
  assert.equal(refused.status, 508);
  const body = (await refused.json()) as { id: unknown; error: { data: { code: string; cause: string } } };
  assert.equal(body.id, 'round');
  assert.equal(body.error.data.code, 'SBX_FEDERATION_LOOP');
  assert.ok(body.error.data.cause.includes(`aaaaaaaaaaaa → ${OWN} → ${OWN}`));
  assert.equal((await post('1.1 signalbox-aaaaaaaaaaaa, 1.1 squid')).status, 200);
});
