/** Servers added, removed and renamed while others work; limits; sources that change. With real processes. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ResolvedServer } from '../../../daemon/api/config.ts';
import type { Upstream, UpstreamOptions } from '../../../daemon/upstreams/upstream.ts';
import { UpstreamHost } from '../../../daemon/upstreams/upstream-host.ts';
import { eventually } from '../../fixtures/process-tree.ts';
import { call, makeYard, scopeOf, sessionScope, type Yard } from './fixtures/careful.ts';

interface Site {
  readonly yard: Yard;
  readonly host: UpstreamHost;
  /** Makes these the servers of the one endpoint. */
  set(...servers: ResolvedServer[]): Promise<void>;
  at(server: ResolvedServer): Upstream;
}

function makeSite(t: TestContext, options: Partial<UpstreamOptions> = {}): Site {
  const yard = makeYard(t);
  const host = new UpstreamHost((server, workspace, folder) => ({ ...yard.factory(server, workspace, folder), ...options }));
  t.after(() => host.close());
  return {
    yard,
    host,
    set: (...servers) => host.sync([{ name: 'default', path: '/mcp/default', servers }]),
    at: (server) => {
      const found = host.find(server, undefined);
      assert.ok(found, `there is "${server.name}"`);
      return found;
    },
  };
}
/** A call that waits in the server. */
async function waitingCall(yard: Yard, upstream: Upstream, name: string): Promise<{ outcome: Promise<string> }> {
  const before = yard.lines(name, 'call wait').length;
  const outcome = call(upstream, 'wait').catch((error: { code: string }) => error.code);
  await eventually('the call runs', () => yard.lines(name, 'call wait').length === before + 1);
  return { outcome };
}

describe('UpstreamHost', () => {
  it('adding, removing and renaming one server touches no call of another', async (t) => {
    const { yard, host, set, at } = makeSite(t);
    const [a, b] = [yard.server('a'), yard.server('b')];
    await set(a);
    const stays = at(a);
    const { outcome } = await waitingCall(yard, stays, 'a');
    await set(a, b);
    await call(at(b), 'pid');
    const renamed = { ...b, name: 'c' };
    await set(a, renamed);
    assert.equal(host.find(b, undefined), undefined);
    await call(at(renamed), 'pid');
    await set(a);
    assert.deepEqual([host.all().length, at(a) === stays], [1, true]);
    await call(stays, 'go');
    assert.notEqual(await outcome, 'SBX_CALL_INTERRUPTED');
    assert.equal(yard.lines('a', 'start').length, 1);
  });

  it('a removed server lets running calls end and takes no new ones', async (t) => {
    const { yard, host, set, at } = makeSite(t);
    const a = yard.server('a');
    await set(a);
    const upstream = at(a);
    // The call that lets the other one end is begun before the removal: nothing new is taken after it.
    const lease = await upstream.lease(scopeOf());
    const { outcome } = await waitingCall(yard, upstream, 'a');
    let removed = false;
    const removal = set().then(() => {
      removed = true;
    });
    assert.equal(host.find(a, undefined), undefined);
    await assert.rejects(upstream.lease(scopeOf()), { code: 'SBX_SERVER_DISABLED' });
    await lease.connection.request('tools/call', { name: 'go' });
    assert.notEqual(await outcome, 'SBX_CALL_INTERRUPTED');
    assert.equal(removed, false, 'one lease is still out');
    lease.release('ok');
    await removal;
    assert.equal(upstream.state, 'disabled');
  });

  it('but not for ever: then they are interrupted, and said to be', async (t) => {
    const { yard, set, at } = makeSite(t, { graceMs: 50 });
    const a = yard.server('a');
    await set(a);
    const { outcome } = await waitingCall(yard, at(a), 'a');
    await set();
    assert.equal(await outcome, 'SBX_CALL_INTERRUPTED');
  });

  it('closing waits for nobody, not even for servers that are leaving', async (t) => {
    const { yard, host, set, at } = makeSite(t, { graceMs: 600_000 });
    const a = yard.server('a');
    await set(a);
    const { outcome } = await waitingCall(yard, at(a), 'a');
    const leaving = set();
    await host.close();
    assert.equal(await outcome, 'SBX_CALL_INTERRUPTED');
    await leaving;
  });

  it('has the servers that others use, though no endpoint does', async (t) => {
    const { yard, host, set, at } = makeSite(t);
    const [deep, used] = [yard.server('deep'), yard.server('used')];
    const a: ResolvedServer = { ...yard.server('a'), uses: { used: { ...used, uses: { deep } } } };
    await set(a);
    await call(at(used), 'pid');
    await call(at(deep), 'pid');
    const kept = at(used);
    await set(a, used);
    assert.equal(at(used), kept, 'the same one in an endpoint too');
    await set();
    assert.equal(host.all().length, 0);
  });

  it('workspaces never share a server; the folder of the workspace is its root', async (t) => {
    const { yard, host } = makeSite(t);
    const a = yard.server('a');
    await host.sync(
      ['w1', 'w2'].map((workspace) => ({ name: 'd', path: `/mcp/${workspace}/d`, workspace, folder: `/f/${workspace}`, servers: [a] })),
    );
    const [one, two] = ['w1', 'w2'].map((workspace) => host.find(a, workspace));
    assert.ok(one && two && one !== two);
    assert.match(await call(one, 'roots'), /file:\/\/\/f\/w1/);
    assert.match(await call(two, 'roots'), /file:\/\/\/f\/w2/);
  });

  it('tells every server that a session ended', async (t) => {
    const { yard, host, set, at } = makeSite(t);
    const both = ['a', 'b'].map((name) => yard.server(name, [], { sharing: 'never' }));
    await set(...both);
    for (const server of both) await call(at(server), 'pid', sessionScope('x'));
    assert.deepEqual(
      both.map((server) => at(server).connections.own),
      [1, 1],
    );
    await host.endSession('x');
    assert.deepEqual(
      both.map((server) => at(server).connections.own),
      [0, 0],
    );
  });
});

describe('limits of a server', () => {
  it('as many calls at once as it may have, more wait, still more are refused', async (t) => {
    const { yard, set, at } = makeSite(t);
    const a = yard.server('a', [], { limits: { concurrency: 2, queue: 1 } });
    await set(a);
    const leases = await Promise.all([at(a).lease(scopeOf()), at(a).lease(scopeOf())]);
    const third = call(at(a), 'pid');
    await assert.rejects(at(a).lease(scopeOf()), { code: 'SBX_BUSY', message: 'Server "a" is busy.' });
    leases[0]?.release('ok');
    await third;
    leases[1]?.release('ok');
  });

  it('a call that cannot be carried gives its place back', async (t) => {
    const { yard, set, at } = makeSite(t);
    const a = yard.server('a', ['--dies'], { limits: { concurrency: 1, queue: 0 } });
    await set(a);
    for (let count = 0; count < 3; count++) await assert.rejects(at(a).lease(scopeOf()), { code: 'SBX_SERVER_EXITED' });
  });

  it('so many a minute', async (t) => {
    const { yard, set, at } = makeSite(t);
    const a = yard.server('a', [], { limits: { callsPerMinute: 2 } });
    await set(a);
    await call(at(a), 'pid');
    await call(at(a), 'pid');
    await assert.rejects(at(a).lease(scopeOf()), { code: 'SBX_RATE_LIMITED', fix: /Call again in \d+ s/ });
  });
});

describe('circuit of a server', () => {
  it('failures to carry a call open it; errors the server answers do not', async (t) => {
    const { yard, set, at } = makeSite(t);
    const a = yard.server('a');
    await set(a);
    for (let count = 0; count < 10; count++) assert.ok('error' in (await at(a).request('tools/call', { name: 'unknown' })));
    assert.equal(at(a).state, 'ready');
    for (let count = 0; count < 5; count++) (await at(a).lease(scopeOf())).release('failed');
    await assert.rejects(at(a).lease(scopeOf()), { code: 'SBX_CIRCUIT_OPEN' });
    assert.deepEqual([at(a).state, at(a).reason?.code], ['degraded', 'SBX_CIRCUIT_OPEN']);
    assert.equal(yard.lines('a', 'start').length, 1);
  });

  it('calls of a client of its own count together', async (t) => {
    const { yard, set, at } = makeSite(t);
    const a = yard.server('a', [], { sharing: 'never' });
    await set(a);
    for (let count = 0; count < 5; count++) (await at(a).lease(sessionScope(`s${count}`))).release('failed');
    await assert.rejects(at(a).lease(sessionScope('s9')), { code: 'SBX_CIRCUIT_OPEN' });
  });
});

describe('sources that change', () => {
  it('restart the server after running calls have ended; calls that come meanwhile wait for the new one', async (t) => {
    const { yard, set, at } = makeSite(t);
    mkdirSync(join(yard.dir, 'src', 'deep'), { recursive: true });
    const a = yard.server('a', [], { watch: ['src/**/*.js', 'one.json'] });
    await set(a);
    let ready = 0;
    at(a).onReady(() => {
      ready += 1;
    });
    const before = await call(at(a), 'pid');
    const lease = await at(a).lease(scopeOf());
    await eventually('a change is seen', () => {
      writeFileSync(join(yard.dir, 'src', 'deep', 'x.js'), String(Math.random()));
      // While the restart waits for the call, nothing new begins.
      return yard.lines('a', 'start').length === 1 && at(a).restarting;
    });
    const after = call(at(a), 'pid');
    assert.equal(await lease.connection.request('ping', undefined).then((outcome) => 'result' in outcome), true, 'the call goes on');
    assert.equal(yard.lines('a', 'start').length, 1);
    lease.release('ok');
    assert.notEqual(await after, before);
    assert.equal(ready, 2, 'lists are read again');
  });
});
