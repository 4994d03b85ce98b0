/** Requests hold the daemon, and a moment longer; not one timer each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Activity } from '../../../daemon/endpoints/activity.ts';

test('the daemon is held once however many requests there are, and given up when none came for a while', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let held = 0;
  let holds = 0;
  const activity = new Activity(() => {
    held += 1;
    holds += 1;
    return () => {
      held -= 1;
    };
  });
  activity.begin();
  activity.begin();
  activity.end();
  t.mock.timers.tick(60_000);
  assert.equal(held, 1, 'one request still runs');
  activity.end();
  activity.begin();
  activity.end();
  t.mock.timers.tick(5000);
  assert.equal(held, 1, 'one came since the last look');
  t.mock.timers.tick(5000);
  assert.equal(held, 0);
  activity.begin();
  assert.deepEqual([held, holds], [1, 2], 'and it is held again');
  activity.end();
  t.mock.timers.tick(10_000);
  assert.equal(held, 0);
});
