/** Servers that ask their clients: who gets a connection of whose own, with real processes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../../../daemon/protocol/message.ts';
import { openStateStore } from '../../../daemon/state/state-store.ts';
import { LANES } from '../../../daemon/upstreams/own-connections.ts';
import type { Upstream } from '../../../daemon/upstreams/upstream.ts';
import { eventually } from '../../fixtures/process-tree.ts';
import { call, callOn, makeYard, scopeOf, sessionScope } from './fixtures/careful.ts';

const answer = async (): Promise<Outcome> => ({ result: { action: 'accept' } });
const modern = (principal: string): ReturnType<typeof scopeOf> => scopeOf({ era: 'modern', principal });

/** Makes the server ask once, as a tool call does. */
async function seenAsking(upstream: Upstream): Promise<void> {
  assert.match(await call(upstream, 'ask', scopeOf(), { onQuestion: answer }), /accept/);
}

describe('a server that asks', () => {
  it('is shared until it does; then each session has its own connection with exactly its capabilities, over a restart too', async (t) => {
    const store = openStateStore(':memory:');
    t.after(() => store.close());
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], {}, { state: store });
    const [a, b] = [sessionScope('a', { elicitation: { form: {} } }), sessionScope('b', {})];
    assert.equal(await call(upstream, 'pid', a), await call(upstream, 'pid', b));
    assert.equal(upstream.asks, false);
    await seenAsking(upstream);
    assert.equal(upstream.asks, true);
    const pids = [await call(upstream, 'pid', a), await call(upstream, 'pid', b), await call(upstream, 'pid', a)];
    assert.equal(pids[0], pids[2]);
    assert.notEqual(pids[0], pids[1]);
    assert.deepEqual(upstream.connections, { shared: 1, own: 2 });
    const [shared, ...own] = yard.lines('s', 'initialize');
    assert.deepEqual(own, ['initialize {"elicitation":{"form":{}}}', 'initialize {}']);
    assert.equal(shared, 'initialize {"elicitation":{"form":{},"url":{}},"sampling":{"tools":{},"context":{}}}');
    await upstream.stop();
    const again = yard.upstream('s', [], {}, { state: store });
    assert.notEqual(await call(again, 'pid', a), await call(again, 'pid', b), 'remembered');
    assert.deepEqual(again.connections, { shared: 0, own: 2 }, 'the shared one is not started for them');
  });

  it('a request of nobody in particular is answered with a refusal, and never by another client', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s');
    const lease = await upstream.lease(scopeOf());
    let asked = 0;
    const other = callOn(lease, 'wait', {}, { asker: 'other', onQuestion: async () => ({ result: { asked: ++asked } }) });
    await eventually('the other call runs', () => yard.lines('s', 'call wait').length === 1);
    const ambiguous = await upstream.request('tools/call', { name: 'ask' });
    assert.match(JSON.stringify(ambiguous), /-32603/, 'whose it is is not certain');
    await upstream.request('tools/call', { name: 'go' });
    await callOn(lease, 'go');
    await other;
    lease.release('ok');
    assert.match(JSON.stringify(await upstream.request('tools/call', { name: 'ask' })), /-32601/);
    assert.equal(asked, 0);
  });

  it('answers what belongs to no call: a session by its client, the shared one with the workspace folder', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' }, { folder: '/tmp/work' });
    assert.equal(await call(upstream, 'roots', sessionScope('a', { roots: {} })), '{"roots":[{"uri":"file:///a"}]}');
    const shared = yard.upstream('t', [], {}, { folder: '/tmp/work' });
    assert.equal(await call(shared, 'roots'), '{"roots":[{"uri":"file:///tmp/work","name":"work"}]}');
    assert.equal(await call(yard.upstream('u'), 'roots'), '-32601', 'no folder, no roots');
    assert.equal(shared.asks, false, 'roots are nobody in particular');
  });

  it('a level set before the connection was opened is told to it', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' });
    assert.equal(await call(upstream, 'level', sessionScope('a', {}, { level: 'warning' })), 'warning');
  });

  it('says whose own connection a notification came over', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' });
    const heard: unknown[] = [];
    upstream.onNotification(({ method }, origin) => heard.push([method, origin]));
    await call(upstream, 'updated', sessionScope('a'));
    assert.deepEqual(heard, [['notifications/resources/updated', { era: 'legacy', session: 'a', principal: 'client of a' }]]);
  });

  it('subscriptions hold on every own connection too: what changes may be known in that process only', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' });
    const [a, b] = [sessionScope('a'), sessionScope('b')];
    await call(upstream, 'pid', a);
    await upstream.subscribe('x:1');
    assert.equal(await call(upstream, 'subscribed', a), 'x:1', 'on one that was there');
    assert.equal(await call(upstream, 'subscribed', b), 'x:1', 'on one that comes later');
    await upstream.unsubscribe('x:1');
    assert.deepEqual([await call(upstream, 'subscribed', a), await call(upstream, 'subscribed', b)], ['', '']);
  });

  it('what it logs on a connection of one client is heard by that client only', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' });
    const heard: string[] = [];
    upstream.onNotification(({ method }) => heard.push(`all: ${method}`));
    const told = (id: string): ReturnType<typeof sessionScope> =>
      sessionScope(id, {}, { tell: ({ method, params }) => heard.push(`${id}: ${method} ${String(params?.['data'])}`) });
    const pid = await call(upstream, 'log', told('a'));
    await call(upstream, 'pid', told('b'));
    await call(upstream, 'log', modern('c'));
    assert.deepEqual(heard, [`a: notifications/message ${pid}`]);
  });

  it('the end of a session ends its connection and what runs on it', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' });
    const failed = assert.rejects(call(upstream, 'wait', sessionScope('a')), { code: 'SBX_CALL_INTERRUPTED' });
    await call(upstream, 'pid', sessionScope('b'));
    await eventually('the call runs', () => yard.lines('s', 'call wait').length === 1);
    await upstream.endSession('a');
    await failed;
    await upstream.endSession('unheard of');
    assert.equal(upstream.connections.own, 1);
  });

  it('a connection nobody uses ends by itself', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' }, { ownIdleMs: 20 });
    const before = await call(upstream, 'pid', sessionScope('a'));
    await eventually('it has ended', () => upstream.connections.own === 0);
    assert.notEqual(await call(upstream, 'pid', sessionScope('a')), before, 'and comes back for the next call');
  });

  it('modern callers: one call at a time on a lane, so many lanes for each principal, then they wait', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s');
    await seenAsking(upstream);
    const leases = await Promise.all(Array.from({ length: LANES }, () => upstream.lease(modern('a'))));
    const pids = await Promise.all(leases.map((lease) => callOn(lease, 'pid')));
    assert.equal(new Set(pids).size, LANES);
    let fifth: string | undefined;
    const waits = upstream.lease(modern('a')).then(async (lease) => {
      fifth = await callOn(lease, 'pid');
      lease.release('ok');
    });
    const other = await upstream.lease(modern('b'));
    assert.ok(!pids.includes(await callOn(other, 'pid')), 'another principal does not wait for it');
    assert.equal(fifth, undefined);
    leases[2]?.release('ok');
    await waits;
    assert.equal(fifth, pids[2]);
    other.release('ok');
    assert.deepEqual(upstream.connections, { shared: 1, own: LANES + 1 });
    const reads = await upstream.lease({ ...modern('a'), mayAsk: false });
    assert.equal(reads.connection, upstream.connection('modern'), 'what asks nothing is shared');
  });

  it('a waiting caller that gives up leaves', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' });
    const leases = await Promise.all(Array.from({ length: LANES }, () => upstream.lease(modern('a'))));
    const abort = new AbortController();
    const waits = upstream.lease({ ...modern('a'), signal: abort.signal });
    abort.abort(new Error('gave up'));
    await assert.rejects(waits, /gave up/);
    for (const lease of leases) lease.release('ok');
    assert.equal(upstream.connections.own, LANES);
  });

  it('sharing "always": never more than one', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'always' });
    await seenAsking(upstream);
    assert.equal(await call(upstream, 'pid', sessionScope('a')), await call(upstream, 'pid', sessionScope('b')));
  });

  it('one that ends is opened again for the next call of its session', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { sharing: 'never' });
    await assert.rejects(call(upstream, 'exit', sessionScope('a')), { code: 'SBX_SERVER_EXITED' });
    await call(upstream, 'pid', sessionScope('a'));
    assert.equal(yard.lines('s', 'call exit').length, 1);
  });
});
