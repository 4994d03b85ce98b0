import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IdleClock, IdleStop } from '../../../daemon/lifecycle/idle.ts';

class HandClock implements IdleClock {
  #now = 0;
  #due: { at: number; callback: () => void }[] = [];

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#due.push(timer);
    return () => {
      this.#due = this.#due.filter((other) => other !== timer);
    };
  }

  minutes(count: number): void {
    this.#now += count * 60_000;
    const ripe = this.#due.filter(({ at }) => at <= this.#now);
    this.#due = this.#due.filter(({ at }) => at > this.#now);
    for (const { callback } of ripe) callback();
  }
}

function idleAfter(minutes: number): { clock: HandClock; idle: IdleStop; calls: () => number } {
  const clock = new HandClock();
  let calls = 0;
  const idle = new IdleStop(minutes, () => calls++, clock);
  return { clock, idle, calls: () => calls };
}

test('stops once, when nobody ever came', () => {
  const { clock, calls } = idleAfter(10);
  clock.minutes(9);
  assert.equal(calls(), 0);
  clock.minutes(1);
  clock.minutes(60);
  assert.equal(calls(), 1);
});

test('the last holder starts the time anew; releasing twice counts once', () => {
  const { clock, idle, calls } = idleAfter(10);
  const [first, second] = [idle.hold('client a'), idle.hold('client b')];
  clock.minutes(60);
  first();
  first();
  assert.deepEqual(idle.holders, ['client b']);
  clock.minutes(60);
  assert.equal(calls(), 0);
  second();
  clock.minutes(9);
  const third = idle.hold('run');
  clock.minutes(9);
  third();
  clock.minutes(9);
  assert.equal(calls(), 0);
  clock.minutes(1);
  assert.equal(calls(), 1);
});

test('0 minutes is never, and a stopped one is silent', () => {
  const never = idleAfter(0);
  never.idle.hold('x')();
  never.clock.minutes(1e6);
  const stopped = idleAfter(1);
  stopped.idle.stop();
  stopped.idle.hold('x')();
  stopped.clock.minutes(1e6);
  assert.deepEqual([never.calls(), stopped.calls()], [0, 0]);
});
