/** A daemon that is too old for this build is replaced by `up`; a newer one never is. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { DaemonStatus } from '../../../daemon/api/control.ts';
import { finish, type Home, isRunning, makeHome } from '../../fixtures/daemon.ts';
import { type DaemonDouble, exampleStatus, startDouble } from '../extension/daemon-double.ts';

const TOKEN = 'control-token-of-the-double';

describe('a daemon of another version', () => {
  const homes: Home[] = [];
  const doubles: DaemonDouble[] = [];
  after(async () => {
    for (const home of homes) await home.remove();
    for (const double of doubles) await double.close();
  });

  /** The double stands for a daemon with this range of protocols; a sleeping process has its pid. */
  async function pretend(
    protocol: readonly [number, number],
  ): Promise<{ home: Home; old: ChildProcess; asked: string[]; hellos: unknown[] }> {
    const home = makeHome();
    homes.push(home);
    const double = await startDouble();
    doubles.push(double);
    const old = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(old, 'spawn');
    const hellos: unknown[] = [];
    double.answers.set('hello', ({ protocol: wanted }) => {
      hellos.push(wanted);
      const [min, max] = wanted as [number, number];
      const fits = max >= protocol[0] && min <= protocol[1];
      const shape = { code: 'SBX_DAEMON_VERSION', message: 'no', cause: 'other', fix: 'reload' };
      return fits
        ? { result: { protocol: protocol[1], version: '0', build: 'old', pid: old.pid } }
        : { error: { code: -32602, message: 'no', data: shape } };
    });
    double.answers.set('status', () => ({ result: { ...exampleStatus(double.port), pid: old.pid, configFile: home.paths.configFile } }));
    double.answers.set('daemon/stop', () => {
      rmSync(home.paths.runtimeFile, { force: true });
      old.kill('SIGKILL');
      setImmediate(() => double.drop());
      return { result: {} };
    });
    mkdirSync(home.paths.stateDir, { mode: 0o700 });
    const runtime = { pid: old.pid, port: double.port, controlToken: TOKEN, protocol, version: '0.0.1', build: 'old', startedAt: '' };
    writeFileSync(home.paths.runtimeFile, JSON.stringify(runtime), { mode: 0o600 });
    return { home, old, asked: double.asked, hellos };
  }

  it('that is too old is asked to stop in its own protocol, and this one takes its place', async () => {
    const { home, old, asked, hellos } = await pretend([0, 0]);
    const status = await home.json<DaemonStatus>('up');
    assert.ok(asked.includes('daemon/stop'));
    assert.deepEqual(hellos, [[0, 0]]);
    assert.notEqual(status.pid, old.pid);
    assert.ok(isRunning(status.pid));
  });

  it('that is newer is left alone, and the client is told to update itself', async () => {
    const { home, old, asked } = await pretend([98, 99]);
    const [node, ...args] = home.command;
    const ended = await finish(node, [...args, 'up', '--json'], { cwd: home.cwd, env: home.env });
    assert.equal(ended.code, 3);
    assert.match(ended.stdout, /SBX_DAEMON_VERSION/);
    assert.equal(asked.includes('daemon/stop'), false);
    assert.ok(isRunning(old.pid ?? 0));
    rmSync(home.paths.runtimeFile);
    old.kill('SIGKILL');
  });
});
