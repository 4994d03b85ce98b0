import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { changes, compareLines, jsonLines } from '../../../../extension/traffic/webview/difference.ts';
import { arrange } from '../../../../extension/traffic/webview/stages.ts';
import { call } from './rows.ts';

describe('what the daemon changed', () => {
  it('is told by place', () => {
    const before = { id: 7, params: { name: 'files__read', arguments: { 'a/b': 1 }, _meta: { progressToken: 1 } } };
    const after = { id: 1, params: { name: 'read', arguments: { 'a/b': 2 } } };
    assert.deepEqual(changes(before, after), [
      { pointer: '/id', before: 7, after: 1 },
      { pointer: '/params/name', before: 'files__read', after: 'read' },
      { pointer: '/params/arguments/a~1b', before: 1, after: 2 },
      { pointer: '/params/_meta', before: { progressToken: 1 } },
    ]);
  });

  it('is nothing between equal messages, and never a change of what is equal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        assert.deepEqual(changes(a, structuredClone(a)), []);
        const same = JSON.stringify(a) === JSON.stringify(b);
        if (same) assert.deepEqual(changes(a, b), []);
        else if (JSON.stringify(changes(a, b)) === '[]') assert.deepEqual(a, b); // the order of keys is no change
      }),
    );
  });

  it('marks lines and loses none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const sides = compareLines(jsonLines(a), jsonLines(b));
        assert.deepEqual(
          sides.before.map(({ text }) => text),
          jsonLines(a),
        );
        assert.deepEqual(
          sides.after.map(({ text }) => text),
          jsonLines(b),
        );
        assert.deepEqual(
          sides.before.filter(({ changed }) => !changed),
          sides.after.filter(({ changed }) => !changed),
        );
      }),
    );
  });

  it('pairs both edges of a call, request and answer, and keeps the rest aside', () => {
    const rows = call(1);
    const progress = { ...rows[3], seq: 9, type: 'notification', method: 'notifications/progress', answers: undefined } as never;
    const { stages, others } = arrange([...rows, progress]);
    assert.deepEqual(
      stages.map(({ title, left, right }) => [title, left.row?.seq, right.row?.seq]),
      [
        ['Request', 1, 2],
        ['Answer', 4, 3],
      ],
    );
    assert.deepEqual(
      others.map(({ seq }) => seq),
      [9],
    );
  });
});
