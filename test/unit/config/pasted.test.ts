import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pastedServers } from '../../../daemon/config/pasted.ts';

describe('pasted servers', () => {
  const entry = { command: 'npx', args: ['-y', 'x'] };
  for (const [what, text] of Object.entries({
    'Claude Code file': JSON.stringify({ mcpServers: { mine: entry } }),
    'VS Code file': JSON.stringify({ servers: { mine: entry } }),
    'VS Code settings': JSON.stringify({ mcp: { servers: { mine: entry } } }),
    'Zed file': JSON.stringify({ context_servers: { mine: entry } }),
    'named entry': JSON.stringify({ mine: entry }),
    'named entry without braces': `"mine": ${JSON.stringify(entry)},`,
    'bare entry': JSON.stringify(entry),
    'file with comments': `{ // hi\n "mcpServers": { "mine": ${JSON.stringify(entry)}, }, }`,
  }))
    it(`are found in a ${what}`, () => assert.deepEqual(pastedServers(text), [{ name: 'mine', entry }]));

  it('are all found', () => {
    const text = JSON.stringify({
      mcpServers: { a: { command: 'a' }, b: { url: 'https://example.com' }, c: { serverUrl: 'https://example.org' }, d: { odd: 1 } },
    });
    assert.deepEqual(
      pastedServers(text).map(({ name }) => name),
      ['a', 'b', 'c'],
    );
  });

  it('are refused with a code when they are not there', () => {
    assert.throws(() => pastedServers('{'), { code: 'SBX_CONFIG_SYNTAX' });
    assert.throws(() => pastedServers('npx -y x'), { code: 'SBX_CONFIG_SYNTAX' });
    assert.throws(() => pastedServers('{"a": {"b": 1}}'), { code: 'SBX_CONFIG_INVALID' });
  });
});
