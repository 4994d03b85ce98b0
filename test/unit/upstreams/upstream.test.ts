/** Eras, supervision and subscriptions of one server, with real processes. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openStateStore } from '../../../daemon/state/state-store.ts';
import { eventually } from '../../fixtures/process-tree.ts';
import { call, makeYard, scopeOf } from './fixtures/careful.ts';

const modern = scopeOf({ era: 'modern' });

describe('the era of a server', () => {
  it('legacy only: a modern client costs one question to a child of its own, once and for all', async (t) => {
    const store = openStateStore(':memory:');
    t.after(() => store.close());
    const yard = makeYard(t);
    const first = yard.upstream('s', [], {}, { state: store });
    await call(first, 'pid', modern);
    assert.equal(first.connection('modern')?.era, 'legacy');
    assert.equal(first.connection('modern'), first.connection('legacy'), 'both eras share the one leg');
    assert.deepEqual(
      yard.lines('s').map((line) => line.split(' ')[0]),
      ['start', 'discover', 'start', 'initialize', 'call'],
    );
    await call(first, 'pid', modern);
    await first.stop();
    await call(yard.upstream('s', [], {}, { state: store }), 'pid', modern);
    assert.equal(yard.lines('s', 'discover').length, 1, 'kept over a restart of the daemon');
    assert.equal(yard.lines('s', 'start').length, 3);
  });

  it('legacy only, and dies at the question: a new child is initialized', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', ['--discover', 'die']);
    await call(upstream, 'pid', modern);
    assert.deepEqual([upstream.state, upstream.era], ['ready', 'legacy']);
  });

  it('legacy only, and says nothing to the question: not waited for as long as for a start', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', ['--discover', 'silent']);
    await call(upstream, 'pid', modern);
    assert.deepEqual([upstream.state, upstream.era, yard.lines('s', 'start').length], ['ready', 'legacy', 2]);
  });

  it('both: each client in its own, the second process only when somebody needs it', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', ['--eras', 'both']);
    const old = await call(upstream, 'pid');
    assert.equal(yard.lines('s', 'start').length, 1);
    const young = await call(upstream, 'pid', modern);
    assert.notEqual(old, young);
    assert.equal(yard.lines('s', 'start').length, 2, 'the child that was asked stays');
    assert.deepEqual([upstream.connection('legacy')?.era, upstream.connection('modern')?.era], ['legacy', 'modern']);
    assert.deepEqual([await call(upstream, 'pid'), await call(upstream, 'pid', modern)], [old, young]);
  });

  it('modern only: a legacy client is served from it', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', ['--eras', 'modern']);
    await call(upstream, 'pid');
    await call(upstream, 'pid');
    assert.equal(upstream.connection('legacy')?.era, 'modern');
    assert.equal(yard.lines('s', 'initialize').length, 1);
  });

  it('neither: said, and not tried again and again', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', ['--eras', 'neither']);
    for (const scope of [scopeOf(), modern, scopeOf(), modern, scopeOf(), modern])
      await assert.rejects(call(upstream, 'pid', scope), { code: 'SBX_SERVER_PROTOCOL' });
    assert.equal(upstream.state, 'down');
    const starts = yard.lines('s', 'start').length;
    for (let count = 0; count < 50; count++) await assert.rejects(call(upstream, 'pid', count % 2 ? modern : scopeOf()));
    assert.ok(yard.lines('s', 'start').length - starts <= 4, 'in back-off nothing is started');
  });

  it('neither, then repaired: the era that nobody needs does not count as a fault', async (t) => {
    const yard = makeYard(t);
    const broken = join(yard.dir, 'broken');
    writeFileSync(broken, '');
    const upstream = yard.upstream('s', ['--eras', 'neither', '--repaired-without', broken]);
    await assert.rejects(call(upstream, 'pid', modern), { code: 'SBX_SERVER_PROTOCOL' });
    assert.equal(upstream.state, 'down');
    rmSync(broken);
    await eventually('it is served', () => call(upstream, 'pid').then(Boolean, () => false));
    assert.deepEqual([upstream.state, upstream.reason], ['ready', undefined]);
  });

  it('another version is asked again, while its clients are served', async (t) => {
    const store = openStateStore(':memory:');
    t.after(() => store.close());
    const yard = makeYard(t);
    const old = yard.upstream('s', ['--version', '1'], {}, { state: store });
    await call(old, 'pid', modern);
    await old.stop();
    const young = yard.upstream('s', ['--version', '2', '--eras', 'both'], {}, { state: store });
    await call(young, 'pid', modern);
    await eventually('it is spoken to in the modern era', async () => {
      await call(young, 'pid', modern);
      return young.connection('modern')?.era === 'modern';
    });
  });
});

describe('supervision', () => {
  it('a server that cannot start is down with its reason, for every caller, without being started for each', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', ['--dies']);
    for (let count = 0; count < 20; count++) await assert.rejects(upstream.ready(), { code: 'SBX_SERVER_EXITED' });
    assert.deepEqual([upstream.state, upstream.reason?.code], ['down', 'SBX_SERVER_EXITED']);
    assert.ok(yard.lines('s', 'start').length <= 3);
  });

  it('one that ends in mid-call fails that call, never runs it again, and comes back by itself', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s');
    let ready = 0;
    upstream.onReady((_connection, era) => {
      assert.equal(era, 'legacy');
      ready += 1;
    });
    const before = await call(upstream, 'pid');
    await assert.rejects(call(upstream, 'exit'), { code: 'SBX_SERVER_EXITED' });
    await eventually('it is back', () => ready === 2);
    assert.notEqual(await call(upstream, 'pid'), before);
    assert.equal(yard.lines('s', 'call exit').length, 1);
    assert.equal(upstream.state, 'ready');
  });

  it('a restart interrupts what runs and says so', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s');
    const runs = call(upstream, 'wait');
    const failed = assert.rejects(runs, { code: 'SBX_CALL_INTERRUPTED' });
    await eventually('the call runs', () => yard.lines('s', 'call wait').length === 1);
    await upstream.restart();
    await failed;
    await call(upstream, 'pid');
    assert.equal(yard.lines('s', 'call wait').length, 1);
  });

  it('asked for while it ends: a new one, which the end of the old one does not touch', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s');
    const before = await call(upstream, 'pid');
    const [, after] = await Promise.all([upstream.restart(), call(upstream, 'pid').catch(() => call(upstream, 'pid'))]);
    assert.notEqual(after, before);
    assert.deepEqual([upstream.state, await call(upstream, 'pid'), yard.lines('s', 'start').length], ['ready', after, 2]);
  });

  it('stopped in the middle of a start leaves no process and takes no call', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s');
    const starting = upstream.ready();
    starting.catch(() => undefined);
    await upstream.stop();
    await assert.rejects(upstream.lease(scopeOf()), { code: 'SBX_SERVER_DISABLED' });
    assert.deepEqual([upstream.state, upstream.connection()], ['disabled', undefined]);
  });

  it('stopped while the child that was asked for its era ends: no other is started', async (t) => {
    const yard = makeYard(t);
    const { openLink } = yard.factory(yard.server('s'), undefined, undefined);
    const [asked, may] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const upstream = yard.upstream(
      's',
      [],
      {},
      {
        openLink: async (listener) => {
          const link = await openLink(listener);
          const close = link.close.bind(link);
          link.close = async () => {
            asked.resolve();
            await may.promise;
            await close();
          };
          return link;
        },
      },
    );
    const refused = assert.rejects(upstream.ready('modern'));
    await asked.promise;
    const stopped = upstream.stop();
    may.resolve();
    await Promise.all([stopped, refused]);
    assert.equal(yard.lines('s', 'start').length, 1);
    assert.deepEqual(upstream.connections, { shared: 0, own: 0 });
  });

  it('what cannot be started as configured says so and starts nothing', async (t) => {
    const yard = makeYard(t);
    const { Upstream } = await import('../../../daemon/upstreams/upstream.ts');
    const problem = { code: 'SBX_SECRET_MISSING', message: 'm', cause: 'c', fix: 'f' };
    const server = { ...yard.server('s'), problem };
    const upstream = new Upstream(server, yard.factory(server, undefined, undefined));
    await assert.rejects(upstream.lease(scopeOf()), { code: 'SBX_SECRET_MISSING' });
    assert.deepEqual([upstream.state, upstream.reason], ['down', problem]);
    assert.deepEqual(yard.lines('s'), []);
  });
});

describe('subscriptions', () => {
  it('counted: the first subscribes, the last unsubscribes; a new process is told again', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s');
    await upstream.subscribe('x:1');
    await upstream.subscribe('x:1');
    const told = (): number => yard.lines('s', 'resources/subscribe x:1').length;
    assert.equal(told(), 1);
    await upstream.restart();
    await eventually('subscribed again', () => told() === 2);
    await upstream.unsubscribe('x:1');
    assert.equal(yard.lines('s', 'resources/unsubscribe').length, 0);
    await upstream.unsubscribe('x:1');
    assert.equal(yard.lines('s', 'resources/unsubscribe x:1').length, 1);
  });

  it('made again before the first call, by whoever starts the server', async (t) => {
    const store = openStateStore(':memory:');
    t.after(() => store.close());
    const yard = makeYard(t);
    const before = yard.upstream('s', [], {}, { state: store });
    await call(before, 'pid');
    await before.stop();
    const upstream = yard.upstream('s', [], {}, { state: store });
    const subscribed = upstream.subscribe('x:1');
    await call(upstream, 'level');
    await subscribed;
    const lines = yard.lines('s').map((line) => line.split(' ')[0]);
    assert.deepEqual(lines.slice(-2), ['resources/subscribe', 'call']);
  });

  it('modern: one listen stream with everything, opened again when the server ends it, and the lists looked at', async (t) => {
    const yard = makeYard(t);
    const upstream = yard.upstream('s', ['--eras', 'modern']);
    const heard: string[] = [];
    upstream.onNotification(({ method }) => heard.push(method));
    await upstream.subscribe('x:1', 'modern');
    await upstream.subscribe('x:2', 'modern');
    await eventually('both are listened for', () => yard.lines('s', 'listen x:1,x:2').length === 1);
    await call(upstream, 'unlisten', modern);
    await eventually('it listens again', () => yard.lines('s', 'listen x:1,x:2').length === 2);
    assert.deepEqual(
      heard.toSorted(),
      ['prompts', 'resources', 'tools'].map((list) => `notifications/${list}/list_changed`),
    );
  });
});
