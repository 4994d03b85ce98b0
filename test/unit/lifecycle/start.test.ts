import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { acquireOwnership } from '../../../daemon/lifecycle/ownership.ts';
import { listenRemembered } from '../../../daemon/lifecycle/port.ts';
import { readRuntimeFile, writeRuntimeFile } from '../../../daemon/lifecycle/runtime-file.ts';
import { type EnsureOptions, ensureDaemon } from '../../../daemon/lifecycle/start.ts';
import { ended, temporaryPaths, until } from './fixtures/processes.ts';

const FAKE = join(import.meta.dirname, 'fixtures', 'daemon.ts');

/** Options for a fake daemon that ends with the test, and a count of the elections won. */
async function fake(
  t: TestContext,
  env: Record<string, string> = {},
): Promise<{ options: EnsureOptions; owners: () => number[]; file: (name: string) => string }> {
  const lifelines = new Set<Socket>();
  const lifeline = createTcpServer((socket) => {
    lifelines.add(socket.on('error', () => {}).on('close', () => lifelines.delete(socket)));
  }).listen(0, '127.0.0.1');
  await once(lifeline, 'listening');
  const { port } = lifeline.address() as AddressInfo;
  // before the folder goes: hooks run in the order they were made
  t.after(async () => {
    lifeline.close();
    for (const socket of lifelines) socket.destroy();
    await ended(...owners());
  });
  const paths = temporaryPaths(t);
  const file = (name: string): string => join(paths.stateDir, name);
  const owners = (): number[] => {
    try {
      return readFileSync(file('owners'), 'utf8').trim().split('\n').map(Number);
    } catch {
      return []; // nobody won yet
    }
  };
  const entryEnv = { SIGNALBOX_STATE_DIR: paths.stateDir, FAKE_OWNERS: file('owners'), FAKE_LIFELINE: String(port), ...env };
  return { options: { paths, entry: { command: process.execPath, args: [FAKE], env: entryEnv } }, owners, file };
}

test('six at once: one daemon, everybody attached to it; a later one only attaches', { timeout: 60_000 }, async (t) => {
  const { options, owners } = await fake(t);
  const all = await Promise.all(Array.from({ length: 6 }, () => ensureDaemon(options)));
  assert.equal(owners().length, 1);
  assert.deepEqual(new Set(all.map(({ runtime }) => runtime.pid)), new Set(owners()));
  const later = await ensureDaemon(options);
  assert.deepEqual([later.started, later.runtime.pid], [false, owners()[0]]);
  assert.equal(readFileSync(options.paths.logFile, 'utf8'), '', 'the losers are quiet');
});

test('six at once with a stranger on the remembered port: one daemon, elsewhere', { timeout: 60_000 }, async (t) => {
  const { options, owners } = await fake(t);
  const stranger = createServer((_, response) => response.end('not yours'));
  t.after(() => stranger.close());
  const { port } = await listenRemembered(stranger, options.paths);
  // the last daemon was killed and its port taken: the file still points there
  writeRuntimeFile(options.paths, { pid: 1, port, controlToken: 'x', protocol: [1, 1], version: '0', build: '', startedAt: '' });
  const all = await Promise.all(Array.from({ length: 6 }, () => ensureDaemon(options)));
  assert.equal(owners().length, 1);
  assert.equal(new Set(all.map(({ runtime }) => runtime.port)).size, 1);
  assert.notEqual(all[0]?.runtime.port, port);
});

test('a slow owner is waited for, not doubled', { timeout: 60_000 }, async (t) => {
  const { options, owners, file } = await fake(t, { FAKE_SLOW_FILE: 'set below' });
  const entry = { ...options.entry, env: { ...options.entry.env, FAKE_SLOW_FILE: file('gate') } };
  const attached = Array.from({ length: 3 }, () => ensureDaemon({ ...options, entry, patienceMs: 1 }));
  await until(() => owners().length > 0);
  assert.equal(readRuntimeFile(options.paths), undefined);
  writeFileSync(file('gate'), '');
  const pids = (await Promise.all(attached)).map(({ runtime }) => runtime.pid);
  assert.deepEqual(new Set(pids), new Set(owners()));
  assert.equal(owners().length, 1);
});

test('an owner that never publishes is an error, and stays the only owner', { timeout: 60_000 }, async (t) => {
  const { options, owners } = await fake(t);
  const ownership = acquireOwnership(options.paths);
  t.after(() => ownership?.release());
  await assert.rejects(ensureDaemon({ ...options, timeoutMs: 400 }), { code: 'SBX_DAEMON_START' });
  assert.deepEqual(owners(), []);
});

test('a daemon that fails shows the end of its own log, not of an older one', { timeout: 60_000 }, async (t) => {
  const { options } = await fake(t, { FAKE_CRASH: '1' });
  const ownership = acquireOwnership(options.paths); // makes the folder
  ownership?.release();
  writeFileSync(options.paths.logFile, 'an older story\n');
  await assert.rejects(ensureDaemon(options), (error: Error & { code: string; why: string }) => {
    assert.equal(error.code, 'SBX_DAEMON_START');
    assert.match(error.why, /code 9[\s\S]*the boiler burst/);
    assert.ok(!error.why.includes('older story'));
    return true;
  });
});

test('a command that does not exist', { timeout: 60_000 }, async (t) => {
  const { options } = await fake(t);
  const entry = { command: join(options.paths.stateDir, 'missing'), args: [] };
  await assert.rejects(ensureDaemon({ ...options, entry }), { code: 'SBX_DAEMON_START' });
});
