import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ReplayChange } from '../../../../daemon/api/recordings.ts';
import { parseJson } from '../../../../daemon/protocol/json.ts';
import { isObject, type JsonObject } from '../../../../daemon/protocol/message.ts';
import { differences } from '../../../../daemon/sessions/compare/difference.ts';
import { childPointer, placeTest, tokensOf } from '../../../../daemon/sessions/compare/pointer.ts';
import { requestRules } from '../../../../daemon/sessions/compare/rules.ts';

const RULES = requestRules({})('tools/call', 'any');
const changes = (before: unknown, after: unknown): readonly ReplayChange[] => differences(before, after, RULES).changes;
const tools = (...names: string[]): object => ({ result: { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) } });

test('one inserted tool is one difference, one removed tool another', () => {
  assert.deepEqual(changes(tools('a', 'b', 'c'), tools('a', 'x', 'b', 'c')), [
    { pointer: '/result/tools/1', after: { name: 'x', inputSchema: { type: 'object' } } },
  ]);
  assert.deepEqual(changes(tools('a', 'b', 'c'), tools('b', 'c')), [
    { pointer: '/result/tools/0', before: { name: 'a', inputSchema: { type: 'object' } } },
  ]);
});

test('a change inside a moved element has the pointer of the recorded one', () => {
  const before = { tools: [{ name: 'b', description: 'old' }] };
  const after = { tools: [{ name: 'a' }, { name: 'b', description: 'new' }] };
  assert.deepEqual(changes(before, after), [
    { pointer: '/tools/0', after: { name: 'a' } },
    { pointer: '/tools/0/description', before: 'old', after: 'new' },
  ]);
});

test('text that is JSON is compared as JSON, and not as the spelling of it', () => {
  const text = (value: string): object => ({ content: [{ type: 'text', text: value }] });
  assert.deepEqual(changes(text('{"a": [1, 2], "b": 3}'), text('{"b":3,"a":[1,2,4]}')), [
    { pointer: '/content/0/text', inside: '/a/2', after: 4 },
  ]);
  assert.deepEqual(changes(text('{"a": 1}'), text('{"a":1}')), []);
  assert.equal(changes(text('{not json}'), text('{nor this}')).length, 1);
});

test('numbers count by their digits', () => {
  assert.deepEqual(changes(parseJson('[9007199254740993]'), parseJson('[9007199254740993]')), []);
  assert.equal(changes(parseJson('[9007199254740993]'), parseJson('[9007199254740992]')).length, 1);
  assert.deepEqual(changes(parseJson('[1.0]'), parseJson('[1]')), []);
});

test('what changes from run to run is passed over and says why', () => {
  const before = {
    nextCursor: 'abc',
    createdAt: 1763751938000,
    text: 'written 2026-11-21T19:05:38.123Z to /tmp/sbx-abc/x by 2f1e7c1c-52ab-4c0e-9d58-6f7c8c1f8e11 on 127.0.0.1:4100, took 12 ms',
    fileId: 'a8f3k2m9q1',
    mtime: 1763751938.5,
    durationMs: 3,
    'job-2f1e7c1c-52ab-4c0e-9d58-6f7c8c1f8e11': 'same',
  };
  const after = {
    nextCursor: 'xyz',
    createdAt: 1763752938123,
    text: 'written 2026-11-22T01:00:00Z to /tmp/sbx-def/x by 00000000-52ab-4c0e-9d58-6f7c8c1f8e11 on 127.0.0.1:5123, took 7.5 s',
    fileId: 'zz81nvb0a2',
    mtime: 1763752938.5,
    durationMs: 300,
    'job-00000000-52ab-4c0e-9d58-6f7c8c1f8e11': 'same',
  };
  const { changes: found, ignored } = differences(before, after, RULES);
  assert.deepEqual(found, []);
  assert.deepEqual(
    ignored.map(({ pointer, why }) => `${pointer} ${why}`),
    [
      '/nextCursor a cursor',
      '/createdAt a time',
      '/text a UUID, a time, a temporary folder, a port of this machine, a duration',
      '/fileId an id',
      '/mtime a time',
      '/durationMs a duration',
      '/job-2f1e7c1c-52ab-4c0e-9d58-6f7c8c1f8e11 a name that is an id or a time',
    ],
  );
});

test('what does not look like that counts', () => {
  for (const [before, after] of [
    [{ count: 1763751938 }, { count: 1763752938 }],
    [{ title: 'on 2026-11-21' }, { title: 'on 2026-11-22' }],
    [{ id: 'alice' }, { id: 'bob' }],
    [{ nextCursor: 'a' }, {}],
    [{ text: 'see /tmp/a/x' }, { text: 'see /tmp/a/y' }],
    [{ text: 'a timeout of 5 s' }, { text: 'a timeout of 10 s' }],
    [{ nextCursor: 'a' }, { nextCursor: null }],
    [{ ttlMs: 0 }, { ttlMs: 1 }],
    [{ timeoutMs: 5 }, { timeoutMs: 6 }],
    [{ format: 1763751938 }, { format: 1763752938 }],
  ])
    assert.equal(changes(before, after).length, 1, JSON.stringify(before));
});

test('rules: ignored, volatile, exact, by tool', () => {
  const of = requestRules({
    ignore: ['/a/*/x'],
    tools: { 'fs__*': { volatile: ['/v'], exact: ['/**/uuid'] } },
    slower: { factor: 5 },
  });
  const rules = of('tools/call', 'fs__stat');
  const diff = (before: unknown, after: unknown): number => differences(before, after, rules).changes.length;
  assert.equal(diff({ a: [{ x: 1 }, {}] }, { a: [{ x: 2 }, { x: 1 }] }), 0, 'whether there or not');
  assert.equal(diff({ v: 1 }, { v: 2 }), 0);
  assert.equal(diff({ v: 1 }, { v: '2' }), 1, 'of the same type');
  assert.equal(diff({ v: 1 }, {}), 1, 'and there');
  const [one, other] = ['2f1e7c1c-52ab-4c0e-9d58-6f7c8c1f8e11', '00000000-52ab-4c0e-9d58-6f7c8c1f8e11'];
  assert.equal(diff({ uuid: one }, { uuid: other }), 1);
  assert.equal(diff({ other: one }, { other }), 0);
  assert.equal(differences({ uuid: one }, { uuid: other }, of('tools/call', 'db__query')).changes.length, 0, 'only of that tool');
  assert.deepEqual(rules.slower, { factor: 5, floorMs: 200 });
});

test("a server's own version does not count unless a rule says so", () => {
  const of = (version: string): object => ({ result: { serverInfo: { name: 's', version } } });
  assert.equal(changes(of('1'), of('2')).length, 0);
  assert.equal(differences(of('1'), of('2'), requestRules({ exact: ['/result/serverInfo'] })('initialize')).changes.length, 1);
});

test('what redaction took out equals what stands there', () => {
  const recorded = { header: 'Bearer [redacted:0123456789abcdef] ok', key: '[redacted:0123456789abcdef]' };
  assert.deepEqual(changes(recorded, { header: 'Bearer hunter2 ok', key: 'x' }), []);
  assert.deepEqual(changes({ header: 'Bearer hunter2 ok', key: 'x' }, recorded), [], 'on either side');
  assert.equal(changes(recorded, { header: 'Basic hunter2 ok', key: 'x' }).length, 1);
});

test('patterns of places', () => {
  const fits = placeTest(['/a/*/c', '/x~1y', '/**/deep']);
  for (const pointer of ['/a/b/c', '/a/0/c/below', '/x~1y', '/deep', '/1/2/3/deep']) assert.ok(fits(pointer), pointer);
  for (const pointer of ['', '/a', '/a/b', '/a/b/d', '/x/y', '/deeper']) assert.ok(!fits(pointer), pointer);
});

test('values nested without measure are compared all the same', () => {
  const nested = (leaf: number): unknown => {
    let value: unknown = leaf;
    for (let depth = 0; depth < 2000; depth++) value = [value];
    return value;
  };
  assert.equal(changes(nested(1), nested(1)).length, 0);
  assert.equal(changes(nested(1), nested(2)).length, 1);
});

// Small alphabets, so that elements and members meet.
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, 1, 2, 'a', 'b', '', 'c d', '{"a":1}'),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.record({ name: fc.constantFrom('p', 'q', 'r', 's', 't'), value: tie('value') }, { requiredKeys: ['name'] }), {
      maxLength: 5,
    }),
    fc.dictionary(fc.constantFrom('a', 'b', 'name', 'x/y', 'm~n', '', '__proto__', 'constructor'), tie('value'), { maxKeys: 4 }),
  ),
})).value;
const SETTINGS = { numRuns: 3000, seed: 20261121 };

test('property: nothing differs from itself, nor from a copy', () => {
  fc.assert(
    fc.property(json, (value) => assert.deepEqual(changes(value, structuredClone(value)), [])),
    SETTINGS,
  );
});

test('property: turned round, the same places differ the other way', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const turned = changes(after, before).map(({ before: left, after: right, ...place }) =>
        JSON.stringify([kind({ ...place, before: right, after: left }), left, right]),
      );
      const straight = changes(before, after).map(({ before: left, after: right, ...place }) =>
        JSON.stringify([kind({ ...place, before: left, after: right }), right, left]),
      );
      assert.deepEqual(straight.sort(), turned.sort());
    }),
    SETTINGS,
  );
});

test('property: the changes applied to the first value give the second', () => {
  fc.assert(
    fc.property(json, json, (before, after) => assert.deepEqual(unwrapped(applied(before, changes(before, after))), unwrapped(after))),
    SETTINGS,
  );
});

function kind(change: { before?: unknown; after?: unknown }): string {
  return change.after === undefined ? 'missing' : change.before === undefined ? 'extra' : 'changed';
}

/** Texts that are JSON as the JSON they are: their spelling is not part of a comparison. */
function unwrapped(value: unknown): unknown {
  if (typeof value === 'string' && /^[{[]/.test(value)) return { text: JSON.parse(value) as unknown };
  if (Array.isArray(value)) return value.map(unwrapped);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrapped(item)])) : value;
}

/** Applies changes as their definition says: extra places are those of the result, all others those of the original. */
function applied(value: unknown, list: readonly ReplayChange[]): unknown {
  const steps = list.map((change) => ({ change, path: tokensOf(change.pointer) }));
  return node(value, steps);
}
interface Step {
  readonly change: ReplayChange;
  readonly path: readonly string[];
}
const isExtra = ({ change }: Step): boolean => !Object.hasOwn(change, 'before') && change.inside === undefined;
const isMissing = ({ change }: Step): boolean => !Object.hasOwn(change, 'after') && change.inside === undefined;

function node(value: unknown, steps: readonly Step[]): unknown {
  if (steps.length === 0) return value;
  const here = steps.filter(({ path }) => path.length === 0);
  const [first] = here;
  if (first !== undefined) {
    if (first.change.inside === undefined) return first.change.after;
    const inner = here.map(({ change: { inside = '', inside: _inside, ...rest } }) => ({ ...rest, pointer: inside }));
    return JSON.stringify(applied(JSON.parse(String(value)), inner));
  }
  if (Array.isArray(value)) return arrayNode(value, steps);
  assert.ok(isObject(value), `a place below ${JSON.stringify(value)}`);
  const made = new Map<string, unknown>(Object.entries(value as JsonObject));
  for (const [token, below] of Map.groupBy(steps, ({ path }) => path[0] ?? '')) {
    const rest = below.map(({ change, path }) => ({ change, path: path.slice(1) }));
    const direct = rest.find(({ path }) => path.length === 0);
    if (direct !== undefined && isMissing(direct)) made.delete(token);
    else made.set(token, node(made.get(token), rest));
  }
  return Object.fromEntries(made);
}

function arrayNode(value: readonly unknown[], steps: readonly Step[]): unknown {
  const removed = new Set(steps.filter((step) => step.path.length === 1 && isMissing(step)).map(({ path }) => Number(path[0])));
  const added = new Map(
    steps.filter((step) => step.path.length === 1 && isExtra(step)).map(({ path, change }) => [Number(path[0]), change.after]),
  );
  const kept = value.map((_item, index) => index).filter((index) => !removed.has(index));
  const made: unknown[] = [];
  for (let place = 0, next = 0; place < kept.length + added.size; place++) {
    if (added.has(place)) {
      made.push(added.get(place));
      continue;
    }
    const index = kept[next++];
    assert.ok(index !== undefined);
    const below = steps.filter(
      (step) => !(step.path.length === 1 && (isMissing(step) || isExtra(step))) && step.path[0] === String(isExtra(step) ? place : index),
    );
    made.push(
      node(
        value[index],
        below.map(({ change, path }) => ({ change, path: path.slice(1) })),
      ),
    );
  }
  return made;
}

test('pointers escape what RFC 6901 escapes', () => {
  assert.equal(childPointer('', 'a/b~c'), '/a~1b~0c');
  assert.deepEqual(tokensOf('/a~1b~0c/0/'), ['a/b~c', '0', '']);
});
