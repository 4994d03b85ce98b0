/** Event ids: what they say, and that nobody else can make them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventIds } from '../../../daemon/endpoints/event-id.ts';

const key = randomBytes(32);

test('an id says where it stood, fits into a header, and is read by the next daemon', () => {
  const ids = new EventIds(key);
  const next = new EventIds(key);
  fc.assert(
    fc.property(fc.string({ maxLength: 60, unit: 'binary' }), fc.nat(), fc.boolean(), (id, sequence, last) => {
      const stream = ids.stream();
      const text = `${ids.prefix('session', stream, { id, method: 'tools/call' })?.()}${sequence}${last ? 'e' : ''}`;
      assert.match(text, /^[\w.-]{1,1500}$/);
      assert.deepEqual(next.read(text), { session: 'session', stream, request: { id, method: 'tools/call' }, sequence, last });
      assert.ok(ids.own(stream));
      assert.ok(!next.own(stream));
    }),
  );
  assert.deepEqual(
    ids.read(`${ids.prefix('s', 'x', { id: 7, method: 'ping' })?.()}1`)?.request,
    { id: 7, method: 'ping' },
    'a number stays one',
  );
  assert.deepEqual(ids.read(`${ids.prefix('s', 'x')?.()}1`), { session: 's', stream: 'x', sequence: 1, last: false });
});

test('an id of another key, of a changed place, or no id at all is not read', () => {
  const ids = new EventIds(key);
  const id = `${ids.prefix('session', 'stream', { id: 1, method: 'tools/call' })?.()}5`;
  const [place = '', seal = '', sequence = ''] = id.split('.');
  assert.ok(ids.read(id));
  assert.equal(new EventIds(randomBytes(32)).read(id), undefined);
  const other = Buffer.from(JSON.stringify(['other session', 'stream', 1, 'tools/call'])).toString('base64url');
  assert.equal(ids.read(`${other}.${seal}.${sequence}`), undefined);
  assert.equal(ids.read(`${place}.${'A'.repeat(22)}.${sequence}`), undefined);
  for (const wrong of ['', '5', `${place}.${seal}`, `${id}x`, `${place}.${seal}.-1`, `${id}\n`])
    assert.equal(ids.read(wrong), undefined, wrong);
});

test('a stream whose request id is too long for a header has no ids', () => {
  assert.equal(new EventIds(key).prefix('session', 'stream', { id: 'x'.repeat(600), method: 'tools/call' }), undefined);
});
