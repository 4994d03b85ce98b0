import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DaemonConnection } from '../../../extension/daemon/connection.ts';
import { locateDaemon } from '../../../extension/daemon/locate.ts';
import { type DaemonDouble, startDouble } from './daemon-double.ts';

describe('finding and starting the daemon', () => {
  let double: DaemonDouble;
  let runs: string[][];
  let daemon: DaemonConnection;

  beforeEach(async () => {
    double = await startDouble();
    runs = [];
    const cli = async (args: readonly string[]): Promise<unknown> => {
      runs.push([...args]);
      if (args[0] === 'up' || args[0] === 'restart') double.announce();
      else double.drop();
      return {};
    };
    daemon = new DaemonConnection({ paths: double.paths, cli, version: '0.1.0', onLog: () => undefined });
  });
  afterEach(async () => {
    daemon.dispose();
    await double.close();
  });

  it('looks without starting', async () => {
    assert.equal(await daemon.find(), undefined);
    assert.equal(daemon.state, 'stopped');
    assert.deepEqual([runs, double.asked], [[], []]);
  });

  it('finds a running daemon, says hello first and shows its token only on the control channel', async () => {
    double.announce();
    assert.ok(await daemon.find());
    assert.equal(daemon.state, 'running');
    assert.deepEqual(double.asked, ['hello', 'status']);
    assert.deepEqual(double.bearers, ['Bearer control-token-of-the-double']);
    assert.deepEqual(runs, []);
  });

  it('runs `up` once for many callers at the same time', async () => {
    await Promise.all([daemon.start(), daemon.start(), daemon.wanted()]);
    assert.deepEqual(runs, [['up']]);
    assert.equal(double.bearers.length, 1);
  });

  it('a start during a look still starts', async () => {
    const [found] = await Promise.all([daemon.find(), daemon.start()]);
    assert.equal(found, undefined);
    assert.equal(daemon.state, 'running');
  });

  it('lets `up` replace a daemon that is too old for this build', async () => {
    double.announce({ protocol: [0, 0] });
    await daemon.start();
    assert.deepEqual(runs, [['up']]);
  });

  it('a visible view does not start what a person stopped', async () => {
    await daemon.wanted();
    await daemon.stop();
    await daemon.wanted();
    assert.deepEqual(runs, [['up'], ['stop']]);
    assert.equal(daemon.state, 'stopped');
  });

  it('a failed start is kept with its cause, and the next start tries again', async () => {
    const failing = new DaemonConnection({
      paths: double.paths,
      version: '0.1.0',
      onLog: () => undefined,
      cli: () => Promise.reject(new Error('no room')),
    });
    await failing.wanted();
    assert.equal(failing.state, 'failed');
    assert.equal(failing.error?.why, 'no room');
    double.announce();
    await failing.start();
    assert.equal(failing.state, 'running');
    failing.dispose();
  });

  it('takes a new status when the daemon says something changed', async () => {
    await daemon.start();
    const status = daemon.status;
    assert.ok(status);
    double.answers.set('status', () => ({ result: { ...status, sessions: 7 } }));
    const changed = new Promise((resolve) => daemon.onChange(resolve));
    double.emit('changed', { what: ['sessions'] });
    assert.deepEqual(await changed, ['sessions']);
    assert.equal(daemon.status?.sessions, 7);
  });

  it('is connected again after the daemon was replaced by someone else', async () => {
    await daemon.start();
    const stopped = new Promise<void>((resolve) => daemon.onChange(() => daemon.state === 'stopped' && resolve()));
    double.drop();
    await stopped;
    const running = new Promise<void>((resolve) => daemon.onChange(() => daemon.state === 'running' && resolve()));
    double.announce();
    await running;
    assert.deepEqual(runs, [['up']]);
  });
});

describe('proof of identity', () => {
  it('sends no token to a stranger who took the port', async () => {
    const stranger = await startDouble('another key');
    stranger.announce();
    assert.equal(await locateDaemon(stranger.paths.runtimeFile), undefined);
    assert.deepEqual(stranger.bearers, []);
    await stranger.close();
  });

  it('treats a torn runtime file and a dead port as no daemon', async () => {
    const double = await startDouble();
    assert.equal(await locateDaemon(double.paths.runtimeFile), undefined);
    double.announce({ port: 1 });
    assert.equal(await locateDaemon(double.paths.runtimeFile), undefined);
    double.announce({ controlToken: 5 });
    assert.equal(await locateDaemon(double.paths.runtimeFile), undefined);
    await double.close();
  });
});
