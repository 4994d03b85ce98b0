import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReplayReport } from '../../../../daemon/api/recordings.ts';
import { REPLAY_REPORTERS } from '../../../../daemon/cli/replay-client/reports.ts';
import { fails } from '../../../../daemon/sessions/compare/findings.ts';

const REPORT: ReplayReport = {
  recording: 'booking',
  against: 'server <x> & "y"',
  equal: 3,
  same: [
    { method: 'tools/list', count: 2 },
    { method: 'tools/call', target: 'read', count: 1 },
  ],
  differences: [
    {
      kind: 'changed',
      request: 4,
      method: 'tools/call',
      target: 'a<b',
      changes: [
        { pointer: '/result/content/0/text', inside: '/n', before: 1, after: 2 },
        { pointer: '/result/x', before: '\u0000]]>' },
        { pointer: '/result/y', after: { z: 1 } },
      ],
    },
    { kind: 'missing', request: 6, method: 'prompts/list', changes: [], why: 'No answer came within 1 ms.' },
    { kind: 'slower', request: 8, method: 'ping', changes: [], ms: { before: 1, after: 500 } },
    { kind: 'skipped', request: 10, method: 'tools/call', target: 'write', changes: [], why: 'It writes.' },
    { kind: 'skipped', request: 12, method: 'tools/call', target: 'write', changes: [], why: 'It writes.' },
  ],
  skipped: 2,
  ignored: [{ method: 'tools/list', pointer: '/result/nextCursor', why: 'a cursor', count: 2 }],
  ms: 1234,
};

test('for people', () => {
  assert.equal(
    REPLAY_REPORTERS['pretty']?.(REPORT),
    `CHANGED tools/call a<b (message 4)
  ~ /result/content/0/text (JSON) /n: 1 → 2
  - /result/x: "\\u0000]]>"
  + /result/y: {"z":1}

MISSING prompts/list (message 6)
  No answer came within 1 ms.

SLOWER ping (message 8): 1 ms → 500 ms

Not sent:
  tools/call write: It writes. (2 times)

Differs and does not count:
  tools/list /result/nextCursor: a cursor, 2 times

booking against server <x> & "y": 3 equal, 1 changed, 1 missing, 1 slower, 2 not sent, in 1.2 s.`,
  );
});

test('for machines: JUnit counts what it lists, and nothing in it is markup', () => {
  const xml = REPLAY_REPORTERS['junit']?.(REPORT) ?? '';
  const count = (text: string): number => xml.split(text).length - 1;
  assert.match(xml, /tests="7" failures="2" skipped="2"/);
  assert.deepEqual([count('<testcase '), count('<failure '), count('<skipped '), count('<system-out>')], [7, 2, 2, 1]);
  assert.ok(xml.includes('a&lt;b #4') && xml.includes('server &lt;x&gt; &amp; &quot;y&quot;'));
  assert.ok(!xml.includes(']]>') && !xml.includes('\u0000'));
  assert.deepEqual(JSON.parse(REPLAY_REPORTERS['json']?.(REPORT) ?? ''), JSON.parse(JSON.stringify(REPORT)));
});

test('what fails a run', () => {
  const only = (...kinds: string[]): ReplayReport => ({
    ...REPORT,
    differences: REPORT.differences.filter(({ kind }) => kinds.includes(kind)),
  });
  for (const kind of ['changed', 'missing']) assert.equal(fails(only(kind)), true, kind);
  for (const kind of ['slower', 'skipped']) {
    assert.equal(fails(only(kind)), false, kind);
    assert.equal(fails(only(kind), { [kind]: true }), true, kind);
  }
  const updated = { path: 'a', old: 'b', accepted: 1 };
  assert.equal(fails({ ...only('changed'), updated }), false, 'accepted');
  assert.equal(fails({ ...only('changed', 'missing'), updated }), true, 'what did not come cannot be accepted');
});

test('for build servers: what makes the exit code 1 is a failure there too', () => {
  const failures = (options: object): string[] => {
    const text = REPLAY_REPORTERS['junit']?.(REPORT, options) ?? '';
    return [/failures="\d+" skipped="\d+"/.exec(text)?.[0] ?? '', String(text.split('<failure ').length - 1)];
  };
  assert.deepEqual(failures({}), ['failures="2" skipped="2"', '2']);
  assert.deepEqual(failures({ slower: true }), ['failures="3" skipped="2"', '3']);
  assert.deepEqual(failures({ slower: true, skipped: true }), ['failures="5" skipped="0"', '5']);
});
