/** What other clients use, through the real command line, and added to our configuration. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { foreignEntry } from '../../../daemon/wiring/foreign-entry.ts';
import { type Home, makeHome } from '../../fixtures/daemon.ts';

describe('signalbox servers scan', () => {
  let home: Home;
  const put = (file: string, text: string): void => {
    const path = join(home.dir, 'home', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  before(() => {
    home = makeHome({ PATH: dirname(process.execPath) });
    put('.cursor/mcp.json', '{"mcpServers": {"one": {"command": "one"}, "signalbox": {"command": "ours"}}} // mine');
    put(
      '.codex/config.toml',
      '[mcp_servers.one]\ncommand = "one"\n[mcp_servers.remote]\nurl = "https://example.com/mcp"\nbearer_token_env_var = "KEY"\n',
    );
    put('.codeium/windsurf/mcp_config.json', '{ broken');
    put('.gemini/settings.json', '{"mcpServers": {"odd": {"trust": true}}}');
  });
  after(() => home.remove());

  type Scan = {
    servers: { name: string; entry: object; from: { client: string }[] }[];
    skipped: { client: string; code: string; name?: string }[];
  };

  it('finds each server once, without our own, and names what it cannot use', async () => {
    const { servers, skipped } = await home.json<Scan>('servers', 'scan');
    assert.deepEqual(
      servers.map(({ name, entry, from }) => [name, entry, from.map(({ client }) => client)]),
      [
        ['one', { type: 'stdio', command: 'one' }, ['cursor', 'codex']],
        ['remote', { type: 'http', url: 'https://example.com/mcp', headers: { Authorization: 'Bearer ${env:KEY}' } }, ['codex']],
      ],
    );
    assert.deepEqual(
      skipped.map(({ client, code, name }) => [client, code, name]),
      [
        ['gemini', 'SBX_CONFIG_INVALID', 'odd'],
        ['windsurf', 'SBX_WIRE_UNREADABLE', undefined],
      ],
    );
  });

  it('adds what is named, and says so when nobody has it', async () => {
    assert.equal((await home.signalbox(['up'])).code, 0);
    const { added } = await home.json<{ added: { name: string }[] }>('servers', 'scan', 'remote', '--add');
    assert.deepEqual(
      added.map(({ name }) => name),
      ['remote'],
    );
    const missing = await home.signalbox(['servers', 'scan', 'nothing', '--json']);
    assert.equal(missing.code, 2);
    const pasted = await home.json<{ added: { name: string }[] }>(
      'servers',
      'add',
      '--paste',
      '{"mcpServers": {"a": {"command": "a"}, "b": {"serverUrl": "https://example.org/mcp"}}}',
    );
    assert.deepEqual(
      pasted.added.map(({ name }) => name),
      ['a', 'b'],
    );
    const twice = await home.signalbox(['servers', 'add', '--paste', '{"a": {"command": "a"}}', '--json']);
    assert.equal(twice.code, 2);
    const { servers } = await home.json<{ servers: { name: string }[] }>('servers', 'list');
    for (const name of ['remote', 'a', 'b'])
      assert.ok(
        servers.some((server) => server.name === name),
        name,
      );
  });
});

describe('what other clients write', () => {
  for (const [what, theirs, ours] of [
    [
      'Zed before 2026',
      { command: { path: 'x', args: ['a'], env: { K: 'v' } } },
      { type: 'stdio', command: 'x', args: ['a'], env: { K: 'v' } },
    ],
    ['Copilot', { type: 'local', command: 'x', tools: ['*'] }, { type: 'stdio', command: 'x' }],
    ['Windsurf', { serverUrl: 'https://a.b/c' }, { type: 'http', url: 'https://a.b/c' }],
    [
      'an SSE server',
      { type: 'sse', url: 'https://a.b/c', headers: { A: 'b' } },
      { type: 'sse', url: 'https://a.b/c', headers: { A: 'b' } },
    ],
    ['a plugin of ours', { plugin: 'filesystem' }, { plugin: 'filesystem' }],
    ['nothing', { disabled: true }, undefined],
  ] as const)
    it(`${what} becomes ours`, () => assert.deepEqual(foreignEntry(theirs), ours));
});
