import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { Paths } from '../../../daemon/api/paths.ts';
import { compareVersions, installLauncher } from '../../../daemon/lifecycle/install.ts';
import { type Installation, installation } from '../../../daemon/lifecycle/installation.ts';
import { temporaryFolder, temporaryPaths } from './fixtures/processes.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
const posix = { skip: process.platform === 'win32' };

/** A `dist` whose command line prints its version, its arguments and whether it was told to be Node. */
function dist(t: TestContext, version: string, build = 'b1'): Installation {
  const root = join(temporaryFolder(t), "it's dist");
  mkdirSync(join(root, 'servers', 'plugin'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ version, build }));
  writeFileSync(join(root, 'config.schema.json'), '{}');
  writeFileSync(join(root, 'servers', 'plugin', 'host.mjs'), '');
  const report = `JSON.stringify([${JSON.stringify(`${version} ${build}`)}, process.argv.slice(2), process.env.ELECTRON_RUN_AS_NODE])`;
  writeFileSync(join(root, 'cli.mjs'), `console.log(${report});`);
  writeFileSync(join(root, 'signalbox.cjs'), `console.log('found another Node', process.argv.slice(2).join(' '));`);
  return installation(root);
}

function run(paths: Paths, ...args: string[]): unknown {
  return JSON.parse(execFileSync(paths.launcher, args, { encoding: 'utf8', env: { PATH: '/nonexistent' } }));
}

test('the running code of this checkout is found', () => {
  const found = installation();
  assert.equal(found.root, REPOSITORY);
  assert.deepEqual([found.kind, found.build], ['source', 'source']);
  assert.equal(found.cliEntry, join(REPOSITORY, 'daemon', 'cli', 'main.ts'));
  assert.throws(() => installation('/'), { code: 'SBX_INTERNAL' });
});

test('a dist is copied: the launcher works when the folder it came from is gone', posix, (t) => {
  const paths = temporaryPaths(t);
  const from = dist(t, '1.0.0');
  assert.deepEqual(installation(join(from.root, 'servers', 'plugin')), from);
  const { launcher, cliEntry, changed } = installLauncher({ paths, installation: from });
  assert.deepEqual([launcher, changed], [paths.launcher, true]);
  assert.ok(cliEntry.startsWith(paths.stateDir));
  rmSync(from.root, { recursive: true });
  assert.deepEqual(run(paths, 'a b', "c'd", '$HOME'), ['1.0.0 b1', ['a b', "c'd", '$HOME'], null]);
  assert.equal(statSync(launcher).mode & 0o777, 0o755);
});

test('again changes nothing; an update keeps one copy back; an older version does not come back', posix, (t) => {
  const paths = temporaryPaths(t);
  const first = dist(t, '1.9.0');
  installLauncher({ paths, installation: first });
  const text = readFileSync(paths.launcher, 'utf8');
  assert.equal(installLauncher({ paths, installation: first }).changed, false);
  assert.equal(readFileSync(paths.launcher, 'utf8'), text);

  installLauncher({ paths, installation: dist(t, '1.10.0') });
  assert.deepEqual(run(paths), ['1.10.0 b1', [], null]);
  installLauncher({ paths, installation: dist(t, '1.10.0', 'b2') });
  assert.deepEqual(run(paths), ['1.10.0 b2', [], null]);
  assert.deepEqual(readdirSync(join(paths.stateDir, 'versions')).toSorted(), ['1.10.0-b1', '1.10.0-b2']);

  assert.equal(installLauncher({ paths, installation: first }).changed, false);
  assert.deepEqual(run(paths), ['1.10.0 b2', [], null]);
  rmSync(join(paths.stateDir, 'versions'), { recursive: true });
  assert.equal(installLauncher({ paths, installation: first }).changed, true, 'unless the newer one is not there any more');
  assert.deepEqual(run(paths), ['1.9.0 b1', [], null]);
});

test('a copy that installs itself copies nothing', posix, (t) => {
  const paths = temporaryPaths(t);
  const { cliEntry } = installLauncher({ paths, installation: dist(t, '1.0.0') });
  assert.equal(installLauncher({ paths, installation: installation(join(cliEntry, '..')) }).cliEntry, cliEntry);
  assert.deepEqual(readdirSync(join(paths.stateDir, 'versions')), ['1.0.0-b1']);
});

test('many processes at once: one whole copy, one launcher, nothing temporary', { ...posix, timeout: 60_000 }, async (t) => {
  const paths = temporaryPaths(t);
  const { root } = dist(t, '1.0.0');
  const script = `
    import { installLauncher } from ${JSON.stringify(join(REPOSITORY, 'daemon/lifecycle/install.ts'))};
    import { installation } from ${JSON.stringify(join(REPOSITORY, 'daemon/lifecycle/installation.ts'))};
    installLauncher({ paths: ${JSON.stringify(paths)}, installation: installation(${JSON.stringify(root)}) });`;
  const once = (): Promise<unknown> => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  await Promise.all(Array.from({ length: 5 }, once));
  assert.deepEqual(readdirSync(join(paths.stateDir, 'versions')), ['1.0.0-b1']);
  assert.deepEqual(readdirSync(join(paths.stateDir, 'bin')), ['signalbox']);
  assert.deepEqual(run(paths), ['1.0.0 b1', [], null]);
});

test('under Electron the launcher says so; without its Node it looks for another, or says what is wrong', posix, (t) => {
  const paths = temporaryPaths(t);
  const from = dist(t, '1.0.0');
  installLauncher({ paths, installation: from, electron: true });
  assert.deepEqual(run(paths), ['1.0.0 b1', [], '1']);

  installLauncher({ paths, installation: from, node: '/gone/node' });
  const PATH = join(process.execPath, '..');
  assert.equal(execFileSync(paths.launcher, ['x'], { encoding: 'utf8', env: { PATH } }), 'found another Node x\n');
  assert.throws(() => execFileSync(paths.launcher, { encoding: 'utf8', env: { PATH: '/nonexistent' }, stdio: 'pipe' }), {
    status: 2,
    stderr: /SBX_NODE_TOO_OLD.*Fix:/,
  });
});

test('a checkout is used where it is', posix, (t) => {
  const paths = temporaryPaths(t);
  const { cliEntry } = installLauncher({ paths, installation: installation() });
  assert.equal(cliEntry, join(REPOSITORY, 'daemon', 'cli', 'main.ts'));
  assert.ok(!existsSync(join(paths.stateDir, 'versions')));
  const text = readFileSync(paths.launcher, 'utf8');
  assert.ok(text.includes(`exec "$node" '${cliEntry}'`) && text.includes(process.execPath), text);
});

test('the Windows launcher', (t) => {
  const paths = temporaryPaths(t);
  installLauncher({ paths, installation: dist(t, '1.0.0'), platform: 'win32', electron: true, node: 'C:\\100%\\Code.exe' });
  const lines = readFileSync(paths.launcher, 'utf8').split('\r\n');
  assert.ok(lines.includes('if not exist "C:\\100%%\\Code.exe" goto other'));
  assert.ok(lines.includes('set "ELECTRON_RUN_AS_NODE=1"'));
});

test('versions are compared as numbers, a pre-release before its release', () => {
  const sorted = ['2.0.0', '1.10.0', '1.9.0', '1.10.0-rc.2', '1.10.0-rc.10'].toSorted(compareVersions);
  assert.deepEqual(sorted, ['1.9.0', '1.10.0-rc.2', '1.10.0-rc.10', '1.10.0', '2.0.0']);
});
