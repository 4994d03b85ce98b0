import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandContext } from '../../../../daemon/cli/command.ts';
import { aimOf } from '../../../../daemon/cli/replay-client/aim.ts';

function aim(flags: Readonly<Record<string, string>>, ...words: string[]): ReturnType<typeof aimOf> {
  const given = {
    text: (name: string) => flags[name],
    list: (name: string) => (flags[name] === undefined ? [] : [flags[name]]),
    on: (name: string) => flags[name] !== undefined,
  };
  return aimOf({ flags: given, cwd: '/here', env: { A: '1', B: undefined } } as unknown as CommandContext, words);
}

test('what a replay is aimed at', () => {
  assert.deepEqual(aim({}), { kind: 'endpoint', endpoint: 'default' });
  assert.deepEqual(aim({ against: 'team', workspace: 'w' }), { kind: 'endpoint', endpoint: 'team', workspace: '/here/w' });
  assert.deepEqual(aim({ against: 'endpoint:team' }), { kind: 'endpoint', endpoint: 'team' });
  assert.deepEqual(aim({ against: 'server:fs' }), { kind: 'server', server: 'fs' });
  assert.deepEqual(aim({ against: 'server' }, 'fs'), { kind: 'server', server: 'fs' });
  assert.deepEqual(aim({ against: 'https://x/mcp', header: 'A: b: c' }), { kind: 'http', url: 'https://x/mcp', headers: { A: 'b: c' } });
  assert.deepEqual(aim({}, 'node', 's.js', '-x'), { kind: 'stdio', command: 'node', args: ['s.js', '-x'], cwd: '/here', env: { A: '1' } });
});

test('one target and no more', () => {
  for (const wrong of [
    () => aim({ against: 'server' }),
    () => aim({ against: 'server:fs' }, 'db'),
    () => aim({ against: 'https://x/mcp' }, 'node', 's.js'),
    () => aim({ against: 'server' }, 'fs', 'db'),
    () => aim({ against: 'https://x/mcp', header: 'no colon' }),
  ])
    assert.throws(wrong, { code: 'SBX_USAGE' });
});
