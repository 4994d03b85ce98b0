import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CallEnd, CircuitBreaker, FAILURES } from '../../../daemon/upstreams/circuit-breaker.ts';

function broken(): { breaker: CircuitBreaker; run: (end: CallEnd) => boolean; at: (ms: number) => void; changes: () => number } {
  let now = 0;
  let changes = 0;
  const breaker = new CircuitBreaker(
    () => {
      changes += 1;
    },
    () => now,
  );
  const run = (end: CallEnd): boolean => {
    const passage = breaker.pass();
    passage?.(end);
    return passage !== undefined;
  };
  return {
    breaker,
    run,
    at: (ms) => {
      now = ms;
    },
    changes: () => changes,
  };
}

describe('CircuitBreaker', () => {
  it('opens after failures in a row only; success and cancelling in between count as what they are', () => {
    const { breaker, run } = broken();
    for (let count = 1; count < FAILURES; count++) run('failed');
    run('ok');
    for (let count = 1; count < FAILURES; count++) run('failed');
    run('cancelled');
    assert.equal(breaker.open, false);
    run('failed');
    assert.equal(breaker.open, true);
    assert.equal(run('ok'), false, 'nothing passes');
  });

  it('lets one trial pass when its time is over; failing again it stays open for longer, up to a minute', () => {
    const { breaker, run, at, changes } = broken();
    for (let count = 0; count < FAILURES; count++) run('failed');
    let now = 0;
    for (const wait of [10_000, 20_000, 40_000, 60_000, 60_000]) {
      assert.equal(breaker.retryAt, now + wait);
      at(now + wait - 1);
      assert.equal(breaker.pass(), undefined);
      now += wait;
      at(now);
      const trial = breaker.pass();
      assert.ok(trial);
      assert.equal(breaker.pass(), undefined, 'one at a time');
      trial('failed');
    }
    assert.equal(changes(), 6);
  });

  it('a trial that succeeds closes it; one that was cancelled leaves the next to another call', () => {
    const { breaker, run, at, changes } = broken();
    for (let count = 0; count < FAILURES; count++) run('failed');
    at(10_000);
    assert.equal(run('cancelled'), true);
    assert.equal(breaker.open, true);
    assert.equal(run('ok'), true);
    assert.equal(breaker.open, false);
    assert.equal(changes(), 2);
  });

  it('calls from before it opened change nothing', () => {
    const { breaker, run } = broken();
    const early = Array.from({ length: 3 }, () => breaker.pass());
    for (let count = 0; count < FAILURES; count++) run('failed');
    const until = breaker.retryAt;
    for (const passage of early) passage?.('failed');
    early[0]?.('ok');
    assert.deepEqual([breaker.open, breaker.retryAt], [true, until]);
  });
});
