import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findPointer, pointerTokens } from '../../../daemon/patterns/pointer.ts';

test('RFC 6901, section 5: the examples', () => {
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4, 'i\\j': 5, 'k"l': 6, ' ': 7, 'm~n': 8 };
  const expected: readonly (readonly [string, unknown])[] = [
    ['', document],
    ['/foo', document.foo],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ];
  for (const [pointer, value] of expected) assert.deepEqual(findPointer(document, pointer), value, pointer);
  for (const nothing of ['/foo/2', '/foo/-', '/foo/01', '/foo/length', '/toString', '/__proto__', '/foo/0/0', 'foo', '/m~2n'])
    assert.equal(findPointer(document, nothing), undefined, nothing);
  assert.equal(pointerTokens('/~'), undefined);
});

test('every value of any document is found by the pointer made of its path', () => {
  const pointers = (value: unknown, at = ''): [string, unknown][] => [
    [at, value],
    ...(typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]) => pointers(item, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`))
      : []),
  ];
  fc.assert(
    fc.property(fc.jsonValue(), (document) => {
      for (const [pointer, value] of pointers(document)) assert.deepEqual(findPointer(document, pointer), value);
    }),
    { seed: 3 },
  );
});
