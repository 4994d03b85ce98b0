import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Substitution } from '../../../../daemon/sessions/replay-client/substitution.ts';

const [OLD, NEW] = ['2f1e7c1c-52ab-4c0e-9d58-6f7c8c1f8e11', '00000000-52ab-4c0e-9d58-6f7c8c1f8e11'];

test('ids, cursors, states and folders of live answers take the place of the recorded ones, wherever they were', () => {
  const names = new Substitution();
  names.learn(
    {
      nextCursor: 'page-2-old',
      task: { taskId: 't1' },
      content: [{ type: 'text', text: JSON.stringify({ orderId: 'ab12cd34' }) }],
      uri: `thing://${OLD}/part`,
      folder: 'file:///tmp/run-1/data',
    },
    {
      nextCursor: 'page-2-new',
      task: { taskId: 't9' },
      content: [{ type: 'text', text: JSON.stringify({ orderId: 'zz98yy76' }) }],
      uri: `thing://${NEW}/part`,
      folder: 'file:///tmp/run-2/data',
    },
  );
  const sent = {
    cursor: 'page-2-old',
    taskId: 't1',
    arguments: { id: 'ab12cd34', uris: [`thing://${OLD}/other`], path: '/tmp/run-1/else' },
  };
  const live = {
    cursor: 'page-2-new',
    taskId: 't9',
    arguments: { id: 'zz98yy76', uris: [`thing://${NEW}/other`], path: '/tmp/run-2/else' },
  };
  assert.deepEqual(names.toLive(sent), live);
  assert.deepEqual(names.toRecorded(live), sent);
});

test('plain values are not learned: what differs stays a difference', () => {
  const names = new Substitution();
  names.learn({ name: 'Ada', count: 1, text: 'on Monday' }, { name: 'Grace', count: 2, text: 'on Tuesday' });
  assert.deepEqual(names.toLive({ name: 'Ada', text: 'on Monday' }), { name: 'Ada', text: 'on Monday' });
});

test('what was lost is known to be', () => {
  const names = new Substitution();
  names.lose({ result: { task: { taskId: 't1' }, requestState: 's1', name: 'Ada' } });
  assert.ok(names.needsLost({ taskId: 't1' }) && names.needsLost({ requestState: 's1' }) && names.needsLost([{ a: 't1' }]));
  assert.ok(!names.needsLost({ name: 'Ada', taskId: 't2' }));
});

test('placeholders get the values that were given for them', () => {
  const secret = '[redacted:0123456789abcdef]';
  const names = new Substitution({ [secret]: 'hunter2' });
  assert.deepEqual(names.toLive({ a: secret, b: `Bearer ${secret}!` }), { a: 'hunter2', b: 'Bearer hunter2!' });
});
