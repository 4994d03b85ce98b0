import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkRules, mergedRules, nameFits, readRules, requestRules } from '../../../../daemon/sessions/compare/rules.ts';

test('what is wrong with rules is named, with its line where it is no JSON', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-rules-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'replay.jsonc');
  const why = (text: string): string => {
    writeFileSync(file, text);
    try {
      readRules(file);
      return '';
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && 'why' in error);
      assert.equal(error.code, 'SBX_REPLAY_RULES');
      return String(error.why);
    }
  };
  assert.equal(why('{ /* fine */ "ignore": ["/a/*"], "tools": { "x": { "slower": { "factor": 2 } } }, }'), '');
  assert.match(why('{\n "ignore": [\n'), /Line 3/);
  assert.match(why('{ "ignore": ["result"] }'), /ignore\[0\]/);
  assert.match(why('{ "volatil": [] }'), /volatil/);
  assert.match(why('{ "slower": { "factor": 0.5 } }'), /slower\.factor/);
  assert.match(why('[]'), /object/);
  assert.throws(() => readRules(join(folder, 'none')), { code: 'SBX_REPLAY_RULES' });
  assert.throws(() => checkRules({ notifications: 'some' }, 'the flags'), { code: 'SBX_REPLAY_RULES' });
});

test('rules of the command line come to those of the file', () => {
  const rules = mergedRules(
    { ignore: ['/a'], slower: { factor: 2, floorMs: 10 }, notifications: 'all', tools: { x: {} }, allow: ['a'] },
    { ignore: ['/b'], slower: { factor: 5 }, allow: ['b'] },
  );
  assert.deepEqual(rules, {
    ignore: ['/a', '/b'],
    volatile: [],
    exact: [],
    slower: { factor: 5, floorMs: 10 },
    notifications: 'all',
    tools: { x: {} },
    allow: ['a', 'b'],
  });
});

test('names fit patterns', () => {
  assert.ok(nameFits('fs__*', 'fs__read') && nameFits('*', '') && nameFits('a*c*e', 'abcde') && nameFits('a.c', 'a.c'));
  assert.ok(!nameFits('fs__*', 'db__read') && !nameFits('a.c', 'abc') && !nameFits('a', 'ab') && !nameFits('a.*', 'abc'));
});

test('rules are by tool and by method', () => {
  const of = requestRules({ tools: { 'a*': { slower: { factor: 9 } } }, methods: { 'tools/*': { ignore: ['/x'] } } });
  assert.equal(of('tools/call', 'abc').slower.factor, 9);
  assert.equal(of('tools/call', 'xyz').slower.factor, 3);
  assert.equal(of('prompts/get', 'abc').slower.factor, 3, 'a prompt is no tool');
  assert.ok(of('tools/list').ignored('/x/y') && !of('prompts/list').ignored('/x'));
  assert.equal(of('tools/call', 'abc'), of('tools/call', 'abd'), 'compiled once');
});
