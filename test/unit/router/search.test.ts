import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type SearchedTool, searchIndex } from '../../../daemon/router/search.ts';
import { stem, words } from '../../../daemon/router/words.ts';
import { HELD_OUT, QUERIES, toolCorpus } from '../../fixtures/tool-corpus.ts';

const corpus = toolCorpus();
const index = searchIndex(corpus);
const names = (query: string, limit = 5): string[] => index.search({ query, limit }).hits.map(({ tool }) => String(tool['name']));

/** How many of the queries have their tool among the first 1 and 5. */
function hits(queries: typeof QUERIES): { first: number; five: number } {
  const ranks = queries.map(([query, meant]) => names(query).indexOf(meant));
  return { first: ranks.filter((rank) => rank === 0).length, five: ranks.filter((rank) => rank >= 0).length };
}

describe('searching over a thousand tools', () => {
  it('the corpus is what it says', () => {
    assert.ok(corpus.length >= 1000, `${corpus.length} tools`);
    const known = new Set(corpus.map(({ tool }) => tool['name']));
    assert.equal(known.size, corpus.length);
    for (const [query, meant] of [...QUERIES, ...HELD_OUT]) assert.ok(known.has(meant), `${query}: ${meant}`);
  });

  it('finds what is meant: 95 of 100 in the first five, 75 in the first place', () => {
    const { first, five } = hits(QUERIES);
    assert.ok(five >= 0.95 * QUERIES.length, `${five} of ${QUERIES.length} in the first five`);
    assert.ok(first >= 0.75 * QUERIES.length, `${first} of ${QUERIES.length} in the first place`);
  });

  it('finds it also for queries that nobody looked at while it was made: 90 of 100 in the first five', () => {
    const { five } = hits(HELD_OUT);
    assert.ok(five >= 0.9 * HELD_OUT.length, `${five} of ${HELD_OUT.length} in the first five`);
  });

  it('the exact name comes first', () => {
    for (const { tool } of corpus.filter((_, position) => position % 10 === 0))
      assert.equal(names(String(tool['name']), 1)[0], tool['name']);
  });

  it('does not depend on the order of the tools', () => {
    const shuffled = searchIndex(
      fc.sample(fc.shuffledSubarray([...corpus], { minLength: corpus.length }), { seed: 7, numRuns: 1 })[0] ?? [],
    );
    for (const [query] of QUERIES)
      assert.deepEqual(
        shuffled.search({ query }).hits.map(({ tool }) => tool['name']),
        names(query, 10),
      );
  });

  it('pages go through all of it once', () => {
    const { total } = index.search({ query: 'issue' });
    const seen: unknown[] = [];
    for (let offset = 0; offset < total; offset += 7)
      seen.push(...index.search({ query: 'issue', limit: 7, offset }).hits.map(({ tool }) => tool['name']));
    assert.equal(seen.length, total);
    assert.equal(new Set(seen).size, total);
    assert.deepEqual(index.search({ query: 'issue', offset: total }).hits, []);
  });

  it('a server is a filter; without words its tools come in the order of their names', () => {
    const { hits: found, total } = index.search({ query: '', server: 'git', limit: 50 });
    assert.equal(total, 5);
    assert.deepEqual(
      found.map(({ tool }) => tool['name']),
      ['git__git_checkout', 'git__git_commit', 'git__git_diff_staged', 'git__git_log', 'git__git_status'],
    );
    for (const { server } of index.search({ query: 'create issue', server: 'jira' }).hits) assert.equal(server, 'jira');
    assert.equal(index.search({ query: 'issue', server: 'nobody' }).total, 0);
  });

  it('what no tool says finds nothing, and no query makes it fail', () => {
    assert.deepEqual(index.search({ query: 'xylophone quux' }), { hits: [], total: 0 });
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (query) => index.search({ query }).hits.length <= 10),
      {
        numRuns: 60,
      },
    );
  });

  it('reads parameters, nested ones too, and tools with next to nothing', () => {
    const odd: readonly SearchedTool[] = [
      {
        server: 'a',
        tool: { name: 'a__x', inputSchema: { type: 'object', properties: { q: { items: { properties: { zipcode: {} } } } } } },
      },
      { server: 'a', tool: { name: 'a__y', description: 7, inputSchema: null, annotations: { title: 'Weather report' } } },
    ];
    const small = searchIndex(odd);
    assert.equal(small.search({ query: 'zipcode' }).hits[0]?.tool['name'], 'a__x');
    assert.equal(small.search({ query: 'weather' }).hits[0]?.tool['name'], 'a__y');
  });
});

describe('words', () => {
  const parts = (text: string): string[] => words(text).flatMap((word) => word.parts);

  it('are the same in every style of name', () => {
    for (const name of ['readTextFile', 'read_text_file', 'read-text-file', 'Read text file', 'ReadTextFILE'])
      assert.deepEqual(parts(name), ['read', 'text', 'file'], name);
    assert.deepEqual(parts('HTTPServer Überblick'), ['http', 'server', 'uberblick']);
    assert.equal(words('GitHub')[0]?.whole, 'github');
  });

  it('have one stem for one meaning', () => {
    for (const group of [
      ['create', 'creates', 'created', 'creating', 'creation'],
      ['query', 'queries'],
      ['search', 'searches', 'searching'],
      ['list', 'lists', 'listing', 'listed'],
      ['directory', 'directories'],
      ['delete', 'deletes', 'deletion'],
      ['box', 'boxes'],
    ])
      assert.equal(new Set(group.map(stem)).size, 1, group.map(stem).join(' '));
    for (const [one, other] of [
      ['status', 'state'],
      ['post', 'poster'],
      ['string', 'str'],
    ])
      assert.notEqual(stem(one ?? ''), stem(other ?? ''));
  });
});
