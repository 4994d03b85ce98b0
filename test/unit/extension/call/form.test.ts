import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Schema } from '../../../../daemon/api/form.ts';
import { type FormEnd, fillObject } from '../../../../extension/call/form.ts';
import { type Answer, editorDouble } from '../editor-double.ts';

const SCHEMA: Schema = {
  type: 'object',
  required: ['path', 'mode'],
  additionalProperties: false,
  properties: {
    path: { type: 'string', minLength: 2 },
    mode: { enum: ['fast', 'slow'] },
    count: { type: 'integer', maximum: 9 },
    deep: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    sort: { type: 'array', items: { enum: ['name', 'size', 'date'] } },
    where: { $ref: '#/$defs/place' },
    either: {
      oneOf: [
        { title: 'Number', type: 'number' },
        { title: 'Place', $ref: '#/$defs/place' },
      ],
    },
  },
  $defs: { place: { type: 'object', required: ['x'], properties: { x: { type: 'number' } } } },
};

async function fill(answers: Answer[], schema = SCHEMA, values: Record<string, unknown> = {}) {
  const double = editorDouble(answers);
  const end: FormEnd = await fillObject({ vscode: double.vscode, root: schema }, schema, values, { title: 'T', submit: 'GO', buttons: [] });
  assert.deepEqual(answers, [], 'every answer was asked for');
  return { end, values, ...double };
}

describe('the form of a tool', () => {
  it('asks each kind of value in its own way', async () => {
    const { end, values, shown } = await fill([
      ...['path', 'a', 'ab'], // too short first
      ...['mode', 'slow'],
      ...['count', '12', '3'],
      ...['deep', 'true'],
      ...['tags', 'Add an item', 'one', 'Add an item', 'two', '1', 'uno', 'Done'],
      'sort',
      ['size', 'name'],
      ...['where', 'x', '4', 'Done'],
      ...['either', 'Place', 'x', '5', 'Done'],
      'GO',
    ]);
    assert.equal(end, 'submit');
    assert.deepEqual(values, {
      path: 'ab',
      mode: 'slow',
      count: 3,
      deep: true,
      tags: ['uno', 'two'],
      sort: ['size', 'name'],
      where: { x: 4 },
      either: { x: 5 },
    });
    assert.ok(shown.some(({ title }) => title === 'At least 2 characters.'));
    assert.match(shown[0]?.rows[0] ?? '', /GO \| 2 required left/);
    assert.match(shown.at(-1)?.rows[0] ?? '', /^GO$/);
  });

  it('leaves values out again, and changes nothing when the person leaves an input', async () => {
    const { end, values } = await fill([
      'count',
      '1',
      { button: 'Leave out', on: 'count' },
      'deep',
      undefined,
      'tags',
      'Add an item',
      'x',
      undefined,
      undefined,
    ]);
    assert.equal(end, 'left');
    assert.deepEqual(values, {});
  });

  it('removes items of a list', async () => {
    const { values } = await fill(['tags', { button: 'Remove', on: '1' }, 'Done', 'GO'], SCHEMA, { tags: ['a', 'b'] });
    assert.deepEqual(values, { tags: ['b'] });
  });

  it('takes further properties where the schema allows any', async () => {
    const { values } = await fill(['Add a property', 'free', '{"a": 1}', 'GO'], { type: 'object' });
    assert.deepEqual(values, { free: { a: 1 } });
  });

  it('opens with what a recursive schema has on one level', async () => {
    const schema: Schema = { type: 'object', properties: { child: { $ref: '#' } }, additionalProperties: false };
    const { values } = await fill(['child', 'child', 'Done', 'Done', 'GO'], schema);
    assert.deepEqual(values, { child: { child: {} } });
  });

  it('asks which form first where the whole schema has several, and lets one change one’s mind', async () => {
    const schema: Schema = {
      type: 'object',
      properties: { quiet: { type: 'boolean' } },
      oneOf: [
        { title: 'By path', properties: { path: { type: 'string' } }, required: ['path'] },
        { title: 'By id', properties: { id: { type: 'integer' } }, required: ['id'] },
      ],
    };
    const { values, shown } = await fill(['By path', 'By path', 'By id', 'id *', '7', 'GO'], schema);
    assert.deepEqual(values, { id: 7 });
    assert.match(shown.at(-1)?.rows.join() ?? '', /By id[\s\S]*quiet/);
    assert.equal((await fill([undefined], schema)).end, 'left');
  });

  it('ends when the question is taken back', async () => {
    const double = editorDouble(['never']);
    const over = AbortSignal.abort();
    assert.equal(await fillObject({ vscode: double.vscode, root: SCHEMA, signal: over }, SCHEMA, {}, { title: 'T', submit: 'GO' }), 'left');
    assert.deepEqual([...double.live], []);
  });
});
