import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundaryProblems } from '../../../scripts/boundaries.ts';

const one = (from: string, to: string): readonly string[] => boundaryProblems([{ from, to }]);

test('the arrows that exist are allowed', () => {
  assert.deepEqual(one('extension/main.ts', 'daemon/api/errors.ts'), []);
  assert.deepEqual(one('extension/main.ts', 'vscode'), []);
  assert.deepEqual(one('servers/api/index.ts', 'servers/plugin/define.ts'), []);
  assert.deepEqual(one('daemon/router/router.ts', 'daemon/upstreams/upstream.ts'), []);
  assert.deepEqual(one('daemon/main.ts', 'daemon/endpoints/http-endpoint.ts'), []);
});

test('each arrow the wrong way is named', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['daemon/main.ts', 'vscode'],
    ['daemon/api/errors.ts', 'daemon/protocol/codes.ts'],
    ['daemon/main.ts', 'servers/plugin/host.ts'],
    ['extension/main.ts', 'daemon/main.ts'],
    ['servers/api/index.ts', 'daemon/config/file.ts'],
    ['servers/api/index.ts', 'servers/database/tools.ts'],
    ['servers/plugin/host.ts', 'servers/api/index.ts'],
    ['daemon/protocol/eras.ts', 'daemon/upstreams/link.ts'],
    ['daemon/upstreams/link.ts', 'daemon/router/router.ts'],
    ['daemon/router/router.ts', 'daemon/endpoints/session.ts'],
    ['daemon/config/file.ts', 'daemon/cli/main.ts'],
  ];
  for (const [from, to] of wrong) assert.notEqual(one(from, to).length, 0, `${from} → ${to} went unnoticed`);
});

test('a circle is found, also a longer one', () => {
  const circle = boundaryProblems([
    { from: 'daemon/cli/a.ts', to: 'daemon/cli/b.ts' },
    { from: 'daemon/cli/b.ts', to: 'daemon/cli/c.ts' },
    { from: 'daemon/cli/c.ts', to: 'daemon/cli/a.ts' },
  ]);
  assert.deepEqual(circle, ['circle: daemon/cli/a.ts → daemon/cli/b.ts → daemon/cli/c.ts → daemon/cli/a.ts']);
});
