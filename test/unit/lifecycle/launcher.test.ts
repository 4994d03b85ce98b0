import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lineReader, temporaryFolder } from './fixtures/processes.ts';

const SOURCE = join(import.meta.dirname, '..', '..', '..', 'scripts', 'launcher', 'signalbox.cjs');
const OLD_NODE = '/usr/bin/node';

function isOld(): boolean {
  if (!existsSync(OLD_NODE)) return false;
  return Number(execFileSync(OLD_NODE, ['-p', 'process.versions.node'], { encoding: 'utf8' }).split('.')[0]) < 24;
}
const old = isOld() ? {} : { skip: `${OLD_NODE} is not an old Node` };

/** A `dist` with the launcher and a command line that says on what it runs; nothing but an empty home around it. */
function dist(t: TestContext, cli: string): { launcher: string; folder: string; env: Record<string, string> } {
  const folder = temporaryFolder(t);
  const launcher = join(folder, 'dist', 'signalbox.cjs');
  mkdirSync(join(folder, 'dist'));
  copyFileSync(SOURCE, launcher);
  writeFileSync(join(folder, 'dist', 'cli.mjs'), cli);
  return { launcher, folder, env: { HOME: folder, PATH: '/nonexistent' } };
}

const SAY = 'console.log(JSON.stringify([process.versions.node, process.argv.slice(2)])); process.exitCode = 7;';

function run(node: string, launcher: string, env: Record<string, string>): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(node, [launcher, 'a b', '--json'], { encoding: 'utf8', env });
}

test('on a good Node it is the command line itself', (t) => {
  const { launcher, env } = dist(t, SAY);
  const { status, stdout } = run(process.execPath, launcher, env);
  assert.deepEqual([status, JSON.parse(stdout)], [7, [process.versions.node, ['a b', '--json']]]);
});

test('a command line that cannot be loaded says why', (t) => {
  const { launcher, env } = dist(t, 'throw new Error("boiler");');
  const { status, stderr } = run(process.execPath, launcher, env);
  assert.equal(status, 1);
  assert.match(stderr, /boiler/);
});

const places: Readonly<Record<string, (folder: string, env: Record<string, string>) => void>> = {
  SIGNALBOX_NODE: (_, env) => {
    env['SIGNALBOX_NODE'] = process.execPath;
  },
  'the npm package beside it': (folder) => {
    const packaged = join(folder, 'node_modules', 'node');
    mkdirSync(join(packaged, 'bin'), { recursive: true });
    writeFileSync(join(packaged, 'package.json'), JSON.stringify({ version: process.versions.node }));
    symlinkSync(process.execPath, join(packaged, 'bin', 'node'));
  },
  'nvm, the newest good one': (folder) => {
    for (const version of ['v18.0.0', `v${process.versions.node}`, 'v24.9.0']) {
      mkdirSync(join(folder, '.nvm', 'versions', 'node', version, 'bin'), { recursive: true });
      const file = join(folder, '.nvm', 'versions', 'node', version, 'bin', 'node');
      if (version === `v${process.versions.node}`) symlinkSync(process.execPath, file);
      else writeFileSync(file, '#!/bin/sh\nexit 99\n', { mode: 0o755 });
    }
  },
  PATH: (folder, env) => {
    symlinkSync(process.execPath, join(folder, 'node'));
    env['PATH'] = folder;
  },
};
for (const [name, arrange] of Object.entries(places))
  test(`an old Node hands over to a good one: ${name}`, old, (t) => {
    const { launcher, folder, env } = dist(t, SAY);
    arrange(folder, env);
    const { status, stdout, stderr } = run(OLD_NODE, launcher, env);
    assert.deepEqual([status, JSON.parse(stdout || 'null')], [7, [process.versions.node, ['a b', '--json']]], stderr);
  });

const elsewhere = ['/usr/local/bin/node', '/opt/homebrew/bin/node'].find((file) => existsSync(file));
test('an old Node with no good one says what to do', elsewhere === undefined ? old : { skip: `${elsewhere} may be one` }, (t) => {
  const { launcher, env } = dist(t, SAY);
  const { status, stdout, stderr } = run(OLD_NODE, launcher, { ...env, SIGNALBOX_NODE: OLD_NODE });
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^SBX_NODE_TOO_OLD: .*24\.10[\s\S]*Cause: this is Node[\s\S]*SIGNALBOX_NODE is[\s\S]*Fix: /);
});

test('streams and signals go through', { ...old, timeout: 30_000 }, async (t) => {
  const { launcher, env } = dist(
    t,
    `process.once('SIGTERM', () => process.exit(5)); process.stdin.on('data', (d) => console.log('echo ' + String(d).trim()));`,
  );
  const child = spawn(OLD_NODE, [launcher], { env: { ...env, SIGNALBOX_NODE: process.execPath }, stdio: ['pipe', 'pipe', 'inherit'] });
  const line = lineReader(child);
  child.stdin.write('hello\n');
  assert.equal(await line(), 'echo hello');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [5, null]);
});
