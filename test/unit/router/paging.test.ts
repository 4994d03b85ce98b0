import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Cursors } from '../../../daemon/router/paging.ts';
import { openStateStore } from '../../../daemon/state/state-store.ts';

const items = (count: number, from = 0) => Array.from({ length: count }, (_, index) => ({ name: `t${from + index}` }));

describe('cursors', () => {
  it('go through a list once, whatever its length and the size of a page', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 20 }), (length, size) => {
        const cursors = new Cursors(undefined, size);
        const list = { items: items(length), scope: 's' };
        const seen: unknown[] = [];
        let cursor: string | undefined;
        do {
          const page = cursors.page(list, cursor);
          assert.ok(page.items.length <= size);
          seen.push(...page.items);
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        assert.deepEqual(seen, list.items);
      }),
    );
  });

  it('a list of one page is the very same array', () => {
    const list = { items: items(1000), scope: 's' };
    assert.deepEqual(new Cursors(undefined).page(list, undefined), { items: list.items });
    assert.equal(new Cursors(undefined).page(list, undefined).items, list.items);
  });

  it('are good for their list, as it was, and their client only', () => {
    const cursors = new Cursors(undefined, 10);
    const list = { items: items(30), scope: 'default claude legacy tools' };
    const { nextCursor } = cursors.page(list, undefined);
    assert.deepEqual(cursors.page({ items: items(30), scope: list.scope }, nextCursor).items, items(10, 10));
    for (const other of [
      { ...list, scope: 'default cursor legacy tools' },
      { ...list, items: items(31) },
      { ...list, items: [...items(30)].reverse() },
    ])
      assert.throws(() => cursors.page(other, nextCursor), { code: 'SBX_CURSOR_INVALID' });
    assert.throws(() => new Cursors(undefined, 10).page(list, nextCursor), { code: 'SBX_CURSOR_INVALID' });
  });

  it('whatever is no cursor is refused', () => {
    const cursors = new Cursors(undefined, 10);
    const list = { items: items(30), scope: 's' };
    const good = String(cursors.page(list, undefined).nextCursor);
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.integer(), fc.constant({}), fc.constant(`2${good.slice(1)}`), fc.constant(`${good}=`)),
        (bad) => {
          assert.throws(() => cursors.page(list, bad), { code: 'SBX_CURSOR_INVALID' });
        },
      ),
    );
  });

  it('outlive a restart if their list does', () => {
    const state = openStateStore(':memory:');
    const list = { items: items(30), scope: 's' };
    const { nextCursor } = new Cursors(state, 10).page(list, undefined);
    assert.deepEqual(new Cursors(state, 10).page(list, nextCursor).items, items(10, 10));
    state.close();
  });
});
