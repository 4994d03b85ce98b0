import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Limiter } from '../../../daemon/upstreams/limiter.ts';

const never = new AbortController().signal;

/** Acquires and writes the label down when let in. */
function enter(limiter: Limiter, principal: string, label: string, order: string[], signal = never): Promise<() => void> {
  return limiter.acquire(principal, signal).then((permit) => {
    order.push(label);
    return permit;
  });
}

describe('Limiter', () => {
  it('lets in as many at once as it may, and the next when one is over', async () => {
    const limiter = new Limiter({ concurrency: 2 }, 'Server "x"');
    const order: string[] = [];
    const first = await enter(limiter, 'a', '1', order);
    await enter(limiter, 'a', '2', order);
    const third = enter(limiter, 'a', '3', order);
    assert.deepEqual([limiter.running, limiter.waiting], [2, 1]);
    first();
    first();
    await third;
    assert.deepEqual(order, ['1', '2', '3']);
    assert.deepEqual([limiter.running, limiter.waiting], [2, 0], 'giving back twice counts once');
  });

  it('goes round between principals and keeps the order within one', async () => {
    const limiter = new Limiter({ concurrency: 1 }, 'Server "x"');
    const order: string[] = [];
    let permit = await enter(limiter, 'a', 'a0', order);
    const all = [
      ['a', 'a1'],
      ['a', 'a2'],
      ['a', 'a3'],
      ['b', 'b1'],
      ['c', 'c1'],
      ['b', 'b2'],
    ].map(([principal = '', label = '']) => enter(limiter, principal, label, order));
    const pending = new Set(all);
    while (pending.size > 0) {
      permit();
      const done = await Promise.race([...pending].map(async (one) => ({ one, permit: await one })));
      pending.delete(done.one);
      permit = done.permit;
    }
    assert.deepEqual(order, ['a0', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('refuses with SBX_BUSY what the queue does not hold', async () => {
    const limiter = new Limiter({ concurrency: 1, queue: 1 }, 'Server "x"');
    await limiter.acquire('a', never);
    const waits = limiter.acquire('a', never);
    await assert.rejects(limiter.acquire('b', never), { code: 'SBX_BUSY' });
    limiter.close(new Error('gone') as never);
    await assert.rejects(waits, /gone/);
    await assert.rejects(limiter.acquire('b', never), /gone/);
  });

  it('lets nobody wait where the queue is 0', async () => {
    const limiter = new Limiter({ concurrency: 1, queue: 0 }, 'Server "x"');
    const permit = await limiter.acquire('a', never);
    await assert.rejects(limiter.acquire('a', never), { code: 'SBX_BUSY' });
    permit();
    await limiter.acquire('a', never);
  });

  it('forgets 10 000 calls that gave up waiting, and their place in the queue', async () => {
    const limiter = new Limiter({ concurrency: 1, queue: 10 }, 'Server "x"');
    const permit = await limiter.acquire('a', never);
    for (let count = 0; count < 10_000; count++) {
      const abort = new AbortController();
      const waits = limiter.acquire(`p${count}`, abort.signal);
      abort.abort(new Error('gave up'));
      await assert.rejects(waits, /gave up/);
    }
    assert.deepEqual([limiter.running, limiter.waiting], [1, 0]);
    const order: string[] = [];
    const last = enter(limiter, 'z', 'z', order);
    permit();
    await last;
    assert.deepEqual(order, ['z']);
  });

  it('counts calls per minute and says how long to wait', async () => {
    let now = 0;
    const limiter = new Limiter({ callsPerMinute: 6 }, 'Server "x"', () => now);
    for (let count = 0; count < 6; count++) (await limiter.acquire('a', never))();
    const refused = limiter.acquire('b', never);
    await assert.rejects(refused, { code: 'SBX_RATE_LIMITED', fix: /in 10 s/ });
    now = 9_999;
    await assert.rejects(limiter.acquire('b', never), { code: 'SBX_RATE_LIMITED', fix: /in 1 s/ });
    now = 10_000;
    await limiter.acquire('b', never);
    now = 3_600_000;
    for (let count = 0; count < 6; count++) await limiter.acquire('a', never);
    await assert.rejects(limiter.acquire('a', never), { code: 'SBX_RATE_LIMITED' });
  });

  it('a call refused as busy costs no token', async () => {
    const limiter = new Limiter({ concurrency: 1, queue: 0, callsPerMinute: 2 }, 'Server "x"', () => 0);
    const permit = await limiter.acquire('a', never);
    await assert.rejects(limiter.acquire('a', never), { code: 'SBX_BUSY' });
    permit();
    await limiter.acquire('a', never);
  });
});
