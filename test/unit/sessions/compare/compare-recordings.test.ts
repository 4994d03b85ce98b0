import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordingLine, ReplayReport, ReplayRules } from '../../../../daemon/api/recordings.ts';
import { compareRecordings } from '../../../../daemon/sessions/compare/compare-recordings.ts';
import { sourceOf } from '../../../fixtures/recorded-session.ts';

type Json = Record<string, unknown>;
/** A session of calls, each with its answer and the milliseconds it took; `undefined` = none came. */
function session(
  calls: readonly (readonly [tool: string, args: Json, answer: Json | undefined, ms?: number])[],
  name = 'one',
): readonly RecordingLine[] {
  let [n, t] = [0, 0];
  const frame = (d: 'in' | 'out', m: Json): RecordingLine => {
    n += 1;
    return { k: 'frame', n, t, c: name, d, era: 'legacy', bytes: 1, m: { jsonrpc: '2.0', ...m } };
  };
  return [
    { k: 'open', t: 0, c: name, edge: 'client', transport: 'bridge', session: name, client: name },
    ...calls.flatMap(([tool, args, answer, ms = 1], id) => {
      const asked = frame('in', { id, method: 'tools/call', params: { name: tool, arguments: args, _meta: { progressToken: id + n } } });
      t += ms;
      return answer === undefined ? [asked] : [asked, frame('out', { id, result: answer })];
    }),
  ];
}
const ok = (value: unknown): Json => ({ structuredContent: { value } });
function compare(before: readonly RecordingLine[], after: readonly RecordingLine[], rules: ReplayRules = {}): Promise<ReplayReport> {
  return compareRecordings({ before: sourceOf(before), after: sourceOf(after), names: ['a', 'b'], rules });
}
const told = ({ differences }: ReplayReport): readonly string[] =>
  differences.map(({ kind, target, request, changes }) =>
    `${kind} ${target} ${request} ${changes.map(({ pointer }) => pointer).join(' ')}`.trim(),
  );

test('equal, changed, missing, extra, slower', async () => {
  const before = session([
    ['same', { a: 1 }, ok(1)],
    ['changed', {}, ok(1)],
    ['gone', {}, ok(1)],
    ['slow', {}, ok(1), 10],
    ['silent', {}, ok(1)],
  ]);
  const after = session([
    ['same', { a: 1 }, ok(1)],
    ['new', {}, ok(1)],
    ['changed', {}, ok(2)],
    ['slow', {}, ok(1), 500],
    ['silent', {}, undefined],
  ]);
  const report = await compare(before, after);
  assert.deepEqual(told(report), [
    'extra new 3',
    'changed changed 3 /result/structuredContent/value',
    'missing gone 5',
    'slower slow 7',
    'missing silent 9',
  ]);
  assert.equal(report.equal, 2);
});

test('what ran at once has no order, and other arguments to the same tool are a change', async () => {
  const before = session([
    ['a', { n: 1 }, ok(1)],
    ['b', { n: 1 }, ok(2)],
    ['c', { n: 1 }, ok(3)],
  ]);
  const after = session([
    ['c', { n: 1 }, ok(3)],
    ['a', { n: 1 }, ok(1)],
    ['b', { n: 2 }, ok(2)],
  ]);
  assert.deepEqual(told(await compare(before, after)), ['changed b 3 /params/arguments/n']);
});

test('rules count: an ignored place, an exact one', async () => {
  const [one, other] = ['2f1e7c1c-52ab-4c0e-9d58-6f7c8c1f8e11', '00000000-52ab-4c0e-9d58-6f7c8c1f8e11'];
  const [before, after] = [session([['a', {}, ok(one)]]), session([['a', {}, ok(other)]])];
  assert.deepEqual(told(await compare(before, after)), []);
  assert.deepEqual(told(await compare(before, after, { exact: ['/result/structuredContent'] })), [
    'changed a 1 /result/structuredContent/value',
  ]);
  assert.deepEqual(told(await compare(session([['a', {}, ok(1)]]), session([['a', {}, ok(2)]]), { ignore: ['/result/**/value'] })), []);
});

test('sessions are laid side by side by who held them', async () => {
  const both = (first: number, second: number): readonly RecordingLine[] => {
    const two = session([['a', {}, ok(second)]], 'two').map((line) => (line.k === 'frame' ? { ...line, n: line.n + 10 } : line));
    return [...session([['a', {}, ok(first)]], 'one'), ...two];
  };
  assert.deepEqual(told(await compare(both(1, 2), both(1, 2))), []);
  assert.deepEqual(told(await compare(both(1, 2), both(1, 3))), ['changed a 11 /result/structuredContent/value']);
  assert.deepEqual(told(await compare(both(1, 2), session([['a', {}, ok(2)]], 'two'))), ['missing a 1']);
});
