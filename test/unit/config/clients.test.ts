import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers } from '../../../daemon/config/clients.ts';
import { resolved } from './resolved.ts';

const servers = { db: { command: 'x' } };

test('a glob that covers another matches all it matches', () => {
  const glob = fc.array(fc.constantFrom('a', 'b', '_', '*', '.'), { maxLength: 6 }).map((parts) => parts.join(''));
  const text = fc.array(fc.constantFrom('a', 'b', '_', '.'), { maxLength: 6 }).map((parts) => parts.join(''));
  let covered = 0;
  fc.assert(
    fc.property(glob, glob, fc.array(text, { minLength: 8, maxLength: 8 }), (wider, narrow, fills) => {
      if (!covers(wider, narrow)) return;
      covered += 1;
      let next = 0;
      const matched = narrow.replaceAll('*', () => fills[next++] ?? '');
      assert.ok(covers(wider, matched), `${wider} ${narrow} ${matched}`);
    }),
    { numRuns: 5000, seed: 7 },
  );
  assert.ok(covered > 100);
  assert.ok(covers('fs__*', 'fs__read*') && !covers('fs__*', '*__read') && !covers('fs__read', 'fs__*'));
});

test('policies reach the endpoints; a name nobody has is a problem', () => {
  const { endpoints, said } = resolved({
    servers,
    clients: { cursor: { namespaces: ['default', 'nope'], tools: { deny: ['*__delete'] }, limits: { callsPerMinute: 9 } } },
    endpoints: { default: { namespaces: ['default'], tools: 'search' } },
  });
  assert.deepEqual(said, ['SBX_CONFIG_INVALID clients.cursor.namespaces[1]']);
  assert.equal(endpoints[0]?.tools, 'search');
  assert.deepEqual(endpoints[0]?.clients?.['cursor']?.limits, { callsPerMinute: 9 });
});

test("a workspace narrows the user's policies; beyond them it says so and gets nothing", () => {
  const { endpoints, said } = resolved(
    {
      servers,
      clients: {
        cursor: {
          namespaces: ['default'],
          tools: { allow: ['db__*', 'fs__read'], deny: ['*__drop'] },
          limits: { concurrency: 4, queue: 8 },
        },
        codex: { tools: { deny: ['x'] } },
      },
    },
    {
      servers: { own: { command: 'y' } },
      namespaces: { extra: ['own'] },
      clients: {
        cursor: {
          namespaces: ['default', 'extra'],
          tools: { allow: ['db__q*', '*'], deny: ['db__quit'] },
          limits: { concurrency: 9, queue: 2, callsPerMinute: 5 },
        },
        vscode: { tools: { allow: ['own__*'] } },
      },
    },
  );
  assert.deepEqual(endpoints[0]?.clients, {
    cursor: {
      namespaces: ['default'],
      tools: { allow: ['db__q*'], deny: ['*__drop', 'db__quit'] },
      limits: { concurrency: 4, queue: 2, callsPerMinute: 5 },
    },
    codex: { tools: { deny: ['x'] } },
    vscode: { tools: { allow: ['own__*'] } },
  });
  assert.deepEqual(said, [
    'SBX_WORKSPACE_WIDENS clients.cursor.namespaces[1]',
    'SBX_WORKSPACE_WIDENS clients.cursor.tools.allow[1]',
    'SBX_WORKSPACE_WIDENS clients.cursor.limits.concurrency',
  ]);
  assert.equal(endpoints[0]?.folder, '/project');
});
