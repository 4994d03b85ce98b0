import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { StateStore } from '../../../daemon/api/state.ts';
import { assignNames, NameBook, type Naming } from '../../../daemon/router/name-book.ts';
import { exposedName, NAME_LIMIT } from '../../../daemon/router/names.ts';
import { openStateStore } from '../../../daemon/state/state-store.ts';

/** Tools of servers, some with an override; few words, so that many want the same name. */
const namings = fc
  .uniqueArray(
    fc.record({
      server: fc.constantFrom('s', 't'),
      own: fc.constantFrom('a', 'b', 'c', 'a b', 'a.b', 'x'.repeat(50), `${'x'.repeat(50)}y`),
      name: fc.option(fc.constantFrom('a', 'b', 'a_b', 'x'.repeat(50)), { nil: undefined }),
    }),
    { selector: ({ server, own }) => `${server}\n${own}`, maxLength: 14 },
  )
  .map((tools) =>
    tools.map(({ server, own, name }): Naming => ({ server, own, wanted: exposedName(server, name ?? own), plain: name === undefined })),
  );

describe('assigned names', () => {
  it('are all different and within every client’s limits', () => {
    fc.assert(
      fc.property(namings, (wanted) => {
        const names = assignNames(wanted);
        assert.equal(new Set(names).size, wanted.length);
        for (const name of names) assert.match(name, new RegExp(`^[A-Za-z0-9_-]{1,${NAME_LIMIT}}$`));
      }),
    );
  });

  it('do not depend on the order, and a tool keeps its own name against an override', () => {
    fc.assert(
      fc.property(
        namings.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const by = (of: readonly Naming[]): Map<string, string> => {
            const names = assignNames(of);
            return new Map(of.map(({ server, own }, index) => [`${server}\n${own}`, names[index] ?? '']));
          };
          const [one, other] = [by(list), by(shuffled)];
          assert.deepEqual([...one].sort(), [...other].sort());
          for (const { server, own, wanted, plain } of list)
            if (plain && list.filter((naming) => naming.plain && naming.wanted === wanted).length === 1)
              assert.equal(one.get(`${server}\n${own}`), wanted);
        },
      ),
    );
  });
});

describe('the book of names', () => {
  const former = (book: NameBook): string[] => [...book.former('tools')].map(({ exposed, server, own }) => `${exposed} ${server} ${own}`);

  it('keeps every name over a restart, for its endpoint and kind', () => {
    const state = openStateStore(':memory:');
    const book = new NameBook(state, '/mcp/default');
    book.remember('tools', 's', new Map([['s__a', 'a']]));
    book.remember('tools', 's', new Map([['t__a', 'a']]));
    book.remember('prompts', 's', new Map([['s__p', 'p']]));
    assert.deepEqual(former(new NameBook(state, '/mcp/default')), ['s__a s a', 't__a s a']);
    assert.deepEqual(former(new NameBook(state, '/mcp/other')), []);
    state.close();
  });

  it('writes nothing when nothing is new', () => {
    const state = openStateStore(':memory:');
    let writes = 0;
    const counting: StateStore = {
      get: (table, key) => state.get(table, key),
      set: (table, key, value) => {
        writes += 1;
        state.set(table, key, value);
      },
      delete: (table, key) => state.delete(table, key),
      entries: (table, prefix) => state.entries(table, prefix),
      close: () => state.close(),
    };
    const book = new NameBook(counting, '/mcp/default');
    const names = new Map([
      ['s__a', 'a'],
      ['s__b', 'b'],
    ]);
    book.remember('tools', 's', names);
    book.remember('tools', 's', names);
    book.remember('tools', 's', new Map([['s__b', 'b']]));
    assert.equal(writes, 1);
    state.close();
  });

  it('forgets the oldest of a server whose names never rest', () => {
    const book = new NameBook(undefined, '/mcp/default');
    for (let round = 0; round < 3000; round++) book.remember('tools', 's', new Map([[`s__${round}`, String(round)]]));
    const kept = former(book);
    assert.ok(kept.length <= 1001, `${kept.length}`);
    assert.equal(kept.at(-1), 's__2999 s 2999');
    assert.ok(!kept.includes('s__0 s 0'));
  });
});
