import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatTrafficQuery, parseTrafficQuery } from '../../../daemon/api/traffic-query.ts';

describe('the query language of traffic', () => {
  for (const [text, query] of [
    ['', {}],
    ['client:claude-code is:error', { client: 'claude-code', errors: true }],
    ['server:files edge:server hello world', { server: 'files', edge: 'server', search: 'hello world' }],
    ['tool:read_file', { method: 'tools/call', search: 'read_file' }],
    ['method:tools/call "two words"', { method: 'tools/call', search: 'two words' }],
    ['client:"my client"', { client: 'my client' }],
    ['file:///a/b', { search: 'file:///a/b' }],
    ['"is:error"', { search: 'is:error' }],
    ['"unclosed', { search: 'unclosed' }],
  ] as const)
    it(`reads ${text === '' ? 'nothing' : text}`, () => assert.deepEqual(parseTrafficQuery(text), { query, problems: [] }));

  it('says what it does not understand and keeps the rest', () => {
    const { query, problems } = parseTrafficQuery('is:slow edge:left client:a');
    assert.deepEqual(query, { client: 'a' });
    assert.deepEqual(problems, ['is: takes error, not slow', 'edge: is client or server, not left']);
  });

  it('reads what it writes, whatever the values', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => text.trim() === text);
    fc.assert(
      fc.property(
        fc.record(
          { client: value, server: value, edge: fc.constantFrom('client', 'server'), errors: fc.constant(true as const), search: value },
          { requiredKeys: [], noNullPrototype: true },
        ),
        (query) => {
          assert.deepEqual(parseTrafficQuery(formatTrafficQuery(query)).query, query);
        },
      ),
    );
  });
});
