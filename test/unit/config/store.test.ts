import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { PluginServer } from '../../../daemon/api/config.ts';
import { signalboxPaths } from '../../../daemon/api/paths.ts';
import { aliasOf, isAlias } from '../../../daemon/config/alias.ts';
import { parseConfig } from '../../../daemon/config/file.ts';
import { ConfigStore } from '../../../daemon/config/store.ts';
import { checkStateFolder } from '../../../daemon/security/files.ts';
import { SecretStore } from '../../../daemon/security/secrets.ts';
import { TrustStore } from '../../../daemon/security/trust.ts';

interface Place {
  readonly store: ConfigStore;
  readonly secrets: SecretStore;
  readonly config: string;
  readonly workspace: string;
  writeUser(value: unknown): void;
  writeWorkspace(value: unknown): void;
}

async function place(t: TestContext, user?: unknown): Promise<Place> {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-config-')));
  const paths = signalboxPaths({
    platform: 'linux',
    home: join(top, 'home'),
    env: { SIGNALBOX_STATE_DIR: join(top, 'state'), SIGNALBOX_CONFIG_DIR: join(top, 'config') },
  });
  const workspace = join(top, 'project');
  for (const folder of [workspace, paths.configDir, join(top, 'home')]) mkdirSync(folder, { recursive: true });
  checkStateFolder(paths.stateDir);
  const write = (file: string, value: unknown): void => {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(`${file}.new`, typeof value === 'string' ? value : JSON.stringify(value, null, 2));
    renameSync(`${file}.new`, file);
  };
  if (user !== undefined) write(paths.configFile, user);
  const secrets = new SecretStore(paths.secretsFile);
  const store = new ConfigStore({
    paths,
    secrets,
    trust: new TrustStore(paths.trustFile),
    log: () => {},
    home: join(top, 'home'),
    env: { HERE: 'yes' },
  });
  t.after(async () => {
    await store.close();
    rmSync(top, { recursive: true, force: true });
  });
  await store.start();
  return {
    store,
    secrets,
    config: paths.configFile,
    workspace,
    writeUser: (value) => write(paths.configFile, value),
    writeWorkspace: (value) => write(join(workspace, '.signalbox', 'config.jsonc'), value),
  };
}

function until(store: ConfigStore, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (!holds()) return;
      stop();
      resolve();
    };
    const stop = store.onChange(check);
    check();
  });
}

const names = (store: ConfigStore, path: string): readonly string[] =>
  store
    .endpoints()
    .find((endpoint) => endpoint.path === path)
    ?.servers.map(({ name }) => name) ?? [];

test('aliasOf gives valid aliases that do not collide, whatever the names', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('My Server', 'my server', 'my-server', '', '9', 'a'.repeat(13)))),
      (all) => {
        const taken = new Set<string>();
        for (const name of all) {
          const alias = aliasOf(name, taken);
          assert.ok(isAlias(alias), alias);
          assert.ok(!taken.has(alias));
          taken.add(alias);
        }
      },
    ),
  );
  assert.equal(aliasOf('My Server', new Set()), 'my-server');
});

test('every problem says its line, column, path and fix', () => {
  const of = (text: string): unknown[] => parseConfig('f', text).problems.map(({ code, line, column, path }) => [code, line, column, path]);
  assert.deepEqual(of('{\n  "servers": {\n    "a" 1\n  }\n}'), [['SBX_CONFIG_SYNTAX', 3, 9, '']]);
  assert.deepEqual(of('{\n  "servers": {\n    "a": { "command": "x", "arg": [] }\n  }\n}'), [
    ['SBX_CONFIG_INVALID', 3, 28, 'servers.a.arg'],
  ]);
  assert.match(parseConfig('f', '{"servers":{"a":{"command":"x","arg":[]}}}').problems[0]?.fix ?? '', /`args`/);
  assert.deepEqual(of('{ // comment\n "servers": { "a": { "command": "x", "envFile": "f", }, },\n}'), [
    ['SBX_CONFIG_RESERVED', 2, 38, 'servers.a.envFile'],
  ]);
  assert.deepEqual(of('{"servers":{"t":{"type":"recording","url":"https://x/mcp"}}}'), [['SBX_CONFIG_INVALID', 1, 13, 'servers.t']]);
  assert.deepEqual(of('{"servers":{"t":{"type":"recording","recording":"a.jsonl","faults":[{"fault":"drop","nth":0}]}}}'), [
    ['SBX_CONFIG_INVALID', 1, 85, 'servers.t.faults[0].nth'],
  ]);
  assert.deepEqual(of('{"endpoints":{"d":{"namespaces":[],"scopes":["a"]}}}'), [['SBX_CONFIG_RESERVED', 1, 36, 'endpoints.d.scopes']]);
  assert.deepEqual(of('{"servers":{"a":{"command":"x"}},\n"namespaces":{"n":[{"server":"a","alias":"Bad One"}]}}'), [
    ['SBX_ALIAS_INVALID', 2, 34, 'namespaces.n[0].alias'],
  ]);
  assert.deepEqual(
    of(`{"servers":${'['.repeat(200000)}`).map((problem) => (problem as string[])[0]),
    ['SBX_CONFIG_SYNTAX'],
  );
  const kept = parseConfig('f', '{"mcpServers":{"good":{"command":"x"},"bad":{"args":[]},"off":{"url":"https://x/","disabled":true}}}');
  assert.deepEqual([...kept.servers.keys()], ['good', 'off']);
});

test('without configuration there is a safe default', async (t) => {
  const { store, workspace } = await place(t);
  assert.deepEqual(names(store, '/mcp/default'), ['fs', 'db', 'api']);
  const { id, trust } = await store.openWorkspace(workspace);
  assert.equal(trust, 'none');
  const fs = store.endpoints().find(({ path }) => path === `/mcp/${id}/default`)?.servers[0];
  assert.deepEqual((fs?.entry as PluginServer | undefined)?.settings, { roots: [workspace], access: 'read' });
  const home = await store.openWorkspace(join(workspace, '..', 'home'));
  const none = store.endpoints().find(({ path }) => path === `/mcp/${home.id}/default`)?.servers[0];
  assert.deepEqual((none?.entry as PluginServer | undefined)?.settings, { roots: [], access: 'read' });
});

test('no content of a workspace file changes anything before it is trusted', async (t) => {
  const { store, workspace, writeWorkspace } = await place(t, { servers: { mine: { command: 'x' } } });
  const { id } = await store.openWorkspace(workspace);
  const before = JSON.stringify(store.endpoints());
  assert.deepEqual(names(store, `/mcp/${id}/default`), ['mine', 'fs']);
  const hostile = fc.record({
    servers: fc.dictionary(
      fc.constantFrom('mine', 'fs', 'x', '__proto__'),
      fc.oneof(
        fc.record({ command: fc.string() }),
        fc.constant({ plugin: 'filesystem', settings: { roots: ['/'], access: 'admin' } }),
        fc.json(),
      ),
    ),
    endpoints: fc.dictionary(fc.constantFrom('default', 'e'), fc.record({ namespaces: fc.array(fc.string()) })),
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), hostile, fc.json()), async (content) => {
      writeWorkspace(content);
      const { trust } = await store.openWorkspace(workspace);
      assert.equal(trust, 'untrusted');
      assert.equal(JSON.stringify(store.endpoints()), before);
    }),
    { numRuns: 60 },
  );
});

test('trust holds for one content; a changed file is suspended; secrets need a grant', async (t) => {
  const { store, secrets, workspace, writeWorkspace } = await place(t);
  secrets.set('github', 'very-secret-value');
  writeWorkspace({ servers: { w: { url: 'https://evil.example/mcp', headers: { A: '${secret:github}' } } } });
  const { id, preview } = await store.openWorkspace(workspace);
  assert.ok(preview.some((line) => line.includes('https://evil.example/mcp')));
  assert.equal((await store.trustWorkspace(workspace, true)).trust, 'trusted');
  const server = () =>
    store
      .endpoints()
      .find(({ path }) => path === `/mcp/${id}/default`)
      ?.servers.find(({ name }) => name === 'w');
  assert.equal(server()?.problem?.code, 'SBX_SECRET_NOT_GRANTED');
  assert.ok(!JSON.stringify(store.endpoints()).includes('very-secret-value'));
  store.grantSecret('github', 'w', id);
  assert.equal(server()?.problem, undefined);
  writeWorkspace({ servers: { w: { url: 'https://other.example/mcp', headers: { A: '${secret:github}' } } } });
  await until(store, () => store.workspaces()[0]?.trust === 'changed');
  assert.equal(server(), undefined);
  await store.openWorkspace(workspace);
  await store.trustWorkspace(workspace, true);
  assert.equal(server()?.problem?.code, 'SBX_SECRET_NOT_GRANTED');
});

test('a trusted workspace may add and narrow, never widen', async (t) => {
  const { store, workspace, writeWorkspace } = await place(t, {
    servers: { fs: { plugin: 'filesystem', settings: { roots: ['${workspaceFolder}'], access: 'read' } }, mine: { command: 'x' } },
  });
  writeWorkspace({
    servers: {
      fs: { plugin: 'filesystem', settings: { roots: ['${workspaceFolder}'], access: 'write' } },
      all: { plugin: 'filesystem', settings: { roots: ['/'] } },
      mine: { command: 'evil' },
      good: { command: 'y' },
    },
    limits: { messageBytes: 100000000 },
  });
  const { id } = await store.openWorkspace(workspace);
  await store.trustWorkspace(workspace, true);
  assert.deepEqual(names(store, `/mcp/${id}/default`), ['fs', 'mine', 'good']);
  const widened = store.problems().filter(({ code }) => code === 'SBX_WORKSPACE_WIDENS');
  assert.deepEqual(
    widened.map(({ path }) => path),
    ['servers.fs', 'servers.all', 'servers.mine', 'limits.messageBytes'],
  );
  assert.ok(widened.every(({ line }) => line > 1));
});

test('the user file is watched; a broken one keeps what last worked; edits keep comments', async (t) => {
  const { store, writeUser } = await place(t);
  writeUser('{ // mine\n "servers": { "a": { "command": "x", "env": { "V": "${env:HERE}" } }, "b": { "command": "${env:NOT_THERE}" } } }');
  await until(store, () => names(store, '/mcp/default').join() === 'a,b');
  assert.deepEqual(
    store.endpoints()[0]?.servers.map(({ problem }) => problem?.code),
    [undefined, 'SBX_VARIABLE_UNKNOWN'],
  );
  writeUser('{ broken');
  await until(store, () => store.problems().some(({ code }) => code === 'SBX_CONFIG_SYNTAX'));
  assert.deepEqual(names(store, '/mcp/default'), ['a', 'b']);
  writeUser('{ // mine\n "servers": { "a": { "command": "x" } } }');
  await until(store, () => names(store, '/mcp/default').join() === 'a');
  store.addServer('c', { command: 'z' });
  assert.deepEqual(names(store, '/mcp/default'), ['a', 'c']);
  store.enableServer('c', false);
  assert.deepEqual(names(store, '/mcp/default'), ['a']);
  assert.throws(() => store.addServer('d', { commnd: 'z' }), { code: 'SBX_CONFIG_INVALID' });
});

test('a workspace opened again changes nothing: whoever opens it when told of a change would go round for ever', async (t) => {
  const { store, workspace, writeWorkspace } = await place(t);
  await store.openWorkspace(workspace);
  let told = 0;
  store.onChange(() => told++);
  await store.openWorkspace(workspace);
  assert.equal(told, 0);
  writeWorkspace({ servers: {} });
  await store.openWorkspace(workspace);
  assert.ok(told > 0, 'the file that appeared is a change');
});
