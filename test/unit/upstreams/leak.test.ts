/** Nothing stays behind of calls that were cancelled, refused or failed: counted, not timed. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { eventually } from '../../fixtures/process-tree.ts';
import { call, callOn, makeYard, scopeOf, sessionScope } from './fixtures/careful.ts';

const CALLS = 10_000;

/** Timers, sockets, pipes … this process holds, by kind. */
function held(): string {
  return process.getActiveResourcesInfo().toSorted().join();
}

describe('leaks', () => {
  it(`${CALLS} cancelled calls leave nothing: not here, not in the server`, async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', [], { limits: { concurrency: 100 }, replicas: 2 });
    await call(upstream, 'pid');
    await eventually('both replicas live', () => upstream.connections.shared === 2);
    await Promise.all([call(upstream, 'pid'), call(upstream, 'pid')]);
    const before = held();
    for (let count = 0; count < CALLS; count += 200) {
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const abort = new AbortController();
          // Half of them run by then, half wait in the queue.
          setImmediate(() => abort.abort(new Error('cancelled')));
          const cancelled = assert.rejects(async () => {
            const lease = await upstream.lease(scopeOf({ signal: abort.signal }));
            try {
              await callOn(lease, 'wait', {}, { signal: abort.signal });
            } finally {
              lease.release('cancelled');
            }
          }, /cancelled/);
          await cancelled;
        }),
      );
    }
    assert.equal(upstream.connection()?.busy, 0);
    assert.equal(upstream.state, 'ready', 'cancelling is no failure');
    // Answers keep their order on one connection: what each server still holds when it has read all that was sent.
    const waiting = await Promise.all([call(upstream, 'waiting'), call(upstream, 'waiting')]);
    assert.deepEqual(waiting, ['0', '0']);
    assert.equal(held(), before);
  });

  it('a signal that lives long collects no listeners', async (t) => {
    const yard = makeYard(t);
    const { signal } = new AbortController();
    const [shared, own, limited] = [
      yard.upstream('a'),
      yard.upstream('b', [], { sharing: 'never' }),
      yard.upstream('c', [], { limits: { concurrency: 1 } }),
    ];
    for (let count = 0; count < 50; count++) {
      await call(shared, 'pid', scopeOf({ signal }), { signal });
      await call(own, 'pid', { ...sessionScope('s'), signal }, { signal });
      await call(own, 'pid', scopeOf({ signal }), { signal });
      await Promise.all([1, 2, 3].map(() => call(limited, 'pid', scopeOf({ signal }), { signal })));
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('servers added and removed again and again leave nothing', async (t) => {
    const yard = makeYard(t);
    let first = 0;
    for (let count = 0; count < 10; count++) {
      const upstream = yard.upstream(`s${count}`, [], { watch: ['src/**'], sharing: count % 2 ? 'never' : 'auto' });
      await call(upstream, 'pid', sessionScope('x'));
      await upstream.retire();
      assert.deepEqual(upstream.connections, { shared: 0, own: 0 });
      // The first round starts what stays: the guardian of child processes.
      if (count === 0) first = process.getActiveResourcesInfo().length;
    }
    await eventually('no more handles than after the first', () => process.getActiveResourcesInfo().length <= first);
  });
});
