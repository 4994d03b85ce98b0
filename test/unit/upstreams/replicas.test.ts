/** Equal connections to one server: balance and fail-over, with real processes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Upstream } from '../../../daemon/upstreams/upstream.ts';
import { eventually } from '../../fixtures/process-tree.ts';
import { call, callOn, makeYard, scopeOf, type Yard } from './fixtures/careful.ts';

async function three(yard: Yard, more: object = {}): Promise<Upstream> {
  const upstream = yard.upstream('s', [], { replicas: 3, ...more });
  await upstream.ready();
  await eventually('all three live', () => upstream.connections.shared === 3);
  return upstream;
}
async function pids(upstream: Upstream, count: number, principal = 'test'): Promise<string[]> {
  const found: string[] = [];
  for (let index = 0; index < count; index++) found.push(await call(upstream, 'pid', scopeOf({ principal })));
  return found;
}

describe('replicas', () => {
  it('all start with the first call, which waits for one only', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { replicas: 3 });
    await call(upstream, 'pid');
    await eventually('all three live', () => upstream.connections.shared === 3);
    assert.equal(yard.lines('s', 'start').length, 3);
    assert.equal(upstream.state, 'ready');
  });

  it('round-robin: each in turn', async (t) => {
    const upstream = await three(makeYard(t));
    const seen = await pids(upstream, 9);
    assert.equal(new Set(seen).size, 3);
    assert.deepEqual(seen.slice(3, 6), seen.slice(0, 3));
    assert.deepEqual(seen.slice(6), seen.slice(0, 3));
  });

  it('least-busy: around those that work', async (t) => {
    const upstream = await three(makeYard(t), { balance: 'least-busy' });
    const busy = await upstream.lease(scopeOf());
    const itsPid = await callOn(busy, 'pid');
    assert.ok(!(await pids(upstream, 6)).includes(itsPid));
    busy.release('ok');
    assert.ok((await pids(upstream, 6)).includes(itsPid));
  });

  it('sticky: a credential stays with its own', async (t) => {
    const upstream = await three(makeYard(t), { balance: 'sticky' });
    const seen = new Set<string>();
    for (let number = 0; number < 12; number++) {
      const own = new Set(await pids(upstream, 3, `client ${number}`));
      assert.equal(own.size, 1);
      for (const pid of own) seen.add(pid);
    }
    assert.ok(seen.size > 1, 'not all with the same');
  });

  it('one that ends: its own calls fail and are not run again, the others take over, and it comes back', async (t) => {
    const yard = makeYard(t);
    const upstream = await three(yard);
    const held = await upstream.lease(scopeOf());
    const victim = await callOn(held, 'pid');
    const others = new Set((await pids(upstream, 3)).filter((pid) => pid !== victim));
    const running = callOn(held, 'wait').catch((error: unknown) => error);
    await eventually('the call runs', () => yard.lines('s', 'call wait').length === 1);
    process.kill(Number(victim), 'SIGKILL');
    const error = await running;
    const seen = [upstream.state, upstream.reason?.code, upstream.connections.shared];
    held.release('failed');
    assert.equal((error as { code?: string }).code, 'SBX_SERVER_EXITED');
    assert.deepEqual(seen, ['degraded', 'SBX_SERVER_EXITED', 2]);
    for (const pid of await pids(upstream, 2)) assert.ok(others.has(pid));
    assert.equal(yard.lines('s', 'call wait').length, 1, 'not run again');
    await eventually('three again', () => upstream.connections.shared === 3 && upstream.state === 'ready');
    assert.equal(yard.lines('s', 'start').length, 4);
  });

  it('lists and subscriptions move with the one they were on', async (t) => {
    const yard = makeYard(t);
    const upstream = await three(yard);
    await upstream.subscribe('x:1');
    const home = upstream.connection();
    const heard: string[] = [];
    upstream.onReady(() => heard.push('home'));
    process.kill(Number(home?.pid), 'SIGKILL');
    await eventually('another one is home', () => upstream.connection() !== undefined && upstream.connection() !== home);
    await eventually('subscribed there', () => yard.lines('s', `resources/subscribe x:1 ${upstream.connection()?.pid}`).length === 1);
    await eventually('three again', () => upstream.connections.shared === 3);
    assert.deepEqual(heard, ['home'], 'the one that came back is not another home');
  });

  it('the circuit of one is its own: calls go around it; when all are open they fail at once', async (t) => {
    const upstream = await three(makeYard(t), { balance: 'sticky' });
    const [victim] = await pids(upstream, 1);
    for (let count = 0; count < 5; count++) (await upstream.lease(scopeOf())).release('failed');
    const [next] = await pids(upstream, 1);
    assert.notEqual(next, victim);
    assert.deepEqual([upstream.state, upstream.reason?.code], ['degraded', 'SBX_CIRCUIT_OPEN']);
    for (let count = 0; count < 10; count++) (await upstream.lease(scopeOf())).release('failed');
    await assert.rejects(upstream.lease(scopeOf()), { code: 'SBX_CIRCUIT_OPEN', fix: /It is tried again in \d+ s/ });
    await upstream.restart();
    await pids(upstream, 1);
    assert.equal(upstream.reason, undefined);
  });
});
