import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expand, NothingFound, references } from '../../../daemon/patterns/template.ts';

const context = { input: { path: 'a.txt', none: null, list: [1, 2] }, steps: [{ json: { id: 7 } }] };

test('references are replaced wherever they stand; what is optional goes when it finds nothing', () => {
  const template = {
    path: { $from: '/input/path' },
    deep: [{ id: { $from: '/steps/0/json/id' } }, { $from: '/input/list' }, 'literal', { $from: '/nowhere', optional: true }],
    none: { $from: '/input/none' },
    gone: { $from: '/input/missing', optional: true },
  };
  assert.deepEqual(expand(template, context), { path: 'a.txt', deep: [{ id: 7 }, [1, 2], 'literal'], none: null });
  assert.deepEqual(expand({ $from: '' }, context), context);
  assert.throws(
    () => expand({ a: [{ $from: '/input/missing' }] }, context),
    (error) => error instanceof NothingFound && error.pointer === '/input/missing',
  );
  assert.deepEqual(
    references(template).map(({ at }) => at.join('.')),
    ['path', 'deep.0.id', 'deep.1', 'deep.3', 'none', 'gone'],
  );
});

test('without references a template is what it is, and what was found is not expanded again', () => {
  fc.assert(
    fc.property(
      fc.jsonValue().filter((value) => !JSON.stringify(value).includes('$from')),
      (value) => assert.deepEqual(expand(value, context), value),
    ),
    { seed: 4 },
  );
  assert.deepEqual(expand({ x: { $from: '/input' } }, { input: { $from: '/steps' } }), { x: { $from: '/steps' } });
});
