/** Lists from before the daemon started: at once, without starting a server (federation design, section 4). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ServerEntry } from '../../daemon/api/config.ts';
import type { StateStore } from '../../daemon/api/state.ts';
import { openStateStore } from '../../daemon/state/state-store.ts';
import { type EndpointSetup, type Gateway, startGateway } from '../fixtures/gateway.ts';
import { Client, Listing, type Offer, plainTool } from '../fixtures/listing.ts';
import { eventually } from '../fixtures/process-tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'signalbox-snapshots-'));
after(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;

function listing(offer: Offer): Listing {
  count += 1;
  return new Listing(dir, `server${count}`, offer);
}
const offer: Offer = {
  tools: [plainTool('read')],
  prompts: [{ name: 'ask' }],
  resources: [{ uri: 'note://1', name: 'one' }],
  instructions: 'About notes.',
};

/** Runs one life of a daemon over the state of the ones before. */
async function life<T>(
  state: StateStore,
  servers: Readonly<Record<string, ServerEntry>>,
  run: (gateway: Gateway) => Promise<T>,
  setup: EndpointSetup = {},
): Promise<T> {
  const gateway = await startGateway(servers, { state, upstream: { state }, ...setup });
  try {
    return await run(gateway);
  } finally {
    await gateway.close();
  }
}

describe('snapshots', () => {
  for (const era of ['legacy', 'modern'] as const) {
    it(`answer every list and the instructions after a restart; the first call starts the server (${era})`, async () => {
      const state = openStateStore(':memory:');
      const server = listing({ ...offer, eras: [era] });
      await life(state, { s: server.entry }, async (gateway) => {
        assert.deepEqual(await new Client(gateway, era).names(), ['s__read']);
        await eventually('all lists were read', async () => server.did(`${era} resources/list`) === 1);
      });
      const starts = server.did('start');
      await life(state, { s: server.entry }, async (gateway) => {
        const client = new Client(gateway, era);
        assert.deepEqual(await client.names('tools'), ['s__read']);
        assert.deepEqual(await client.names('prompts'), ['s__ask']);
        assert.deepEqual(await client.names('resources'), ['note://1']);
        const about = await client.ask(era === 'legacy' ? 'initialize' : 'server/discover', { protocolVersion: '2025-11-25' });
        assert.match(String(about.result['instructions']), /About notes/);
        assert.equal(server.did('start'), starts, 'no list starts a server');
        assert.equal(gateway.view().members[0]?.upstream.state, 'idle');
        assert.equal(await client.call('s__read'), 'read');
        assert.ok(server.did('start') > starts);
      });
      state.close();
    });
  }

  it('a server of one era answers both from one snapshot', async () => {
    const state = openStateStore(':memory:');
    const server = listing(offer);
    await life(state, { s: server.entry }, async (gateway) => {
      assert.deepEqual(await new Client(gateway, 'legacy').names(), ['s__read']);
      assert.deepEqual(await new Client(gateway, 'modern').names(), ['s__read']);
    });
    const starts = server.did('start');
    await life(state, { s: server.entry }, async (gateway) => {
      assert.deepEqual(await new Client(gateway, 'modern').names(), ['s__read']);
      assert.deepEqual(await new Client(gateway, 'legacy').names(), ['s__read']);
    });
    assert.equal(server.did('start'), starts);
    assert.equal(server.did('legacy tools/list'), 1);
    state.close();
  });

  it('a server that has given up an era answers all from the one it has', async () => {
    const state = openStateStore(':memory:');
    const server = listing({ eras: ['legacy', 'modern'], tools: [plainTool('old')], modern: { tools: [plainTool('new')] } });
    await life(state, { s: server.entry }, async (gateway) => {
      assert.deepEqual(await new Client(gateway, 'legacy').names(), ['s__old']);
      assert.deepEqual(await new Client(gateway, 'modern').names(), ['s__new']);
    });
    for (const [key] of state.entries('servers')) state.delete('servers', key); // what was learnt of eras is a day old
    server.offers({ eras: ['legacy'], tools: [plainTool('old')] });
    await life(state, { s: server.entry }, async (gateway) => {
      const client = new Client(gateway, 'modern');
      assert.deepEqual(await client.names(), ['s__new']);
      await client.call('s__new');
      await eventually('the modern client sees the legacy tools', async () => (await client.names())[0] === 's__old');
      assert.equal(await client.call('s__old'), 'old');
    });
    state.close();
  });

  it('what changed while nobody looked is told when the server starts again', async () => {
    const state = openStateStore(':memory:');
    const server = listing(offer);
    await life(state, { s: server.entry }, async (gateway) => void (await new Client(gateway).names()));
    server.offers({ ...offer, tools: [plainTool('read'), plainTool('write')] });
    await life(state, { s: server.entry }, async (gateway) => {
      const client = new Client(gateway);
      const heard: string[] = [];
      gateway.view().listen({ listChanged: (kind, era) => heard.push(`${kind} ${era}`), notified: () => {} }, 'test');
      assert.deepEqual(await client.names(), ['s__read']);
      assert.equal(await client.call('s__read'), 'read');
      await eventually('the new tool is there', async () => (await client.names()).length === 2);
      assert.deepEqual(heard, ['tools legacy', 'tools modern']);
    });
    // And it is the new list that is remembered.
    await life(state, { s: server.entry }, async (gateway) => assert.equal((await new Client(gateway).names()).length, 2));
    state.close();
  });

  it('of a server configured in another way are of no use', async () => {
    const state = openStateStore(':memory:');
    const [before, now] = [listing(offer), listing({ tools: [plainTool('other')] })];
    await life(state, { s: before.entry }, async (gateway) => void (await new Client(gateway).names()));
    assert.equal(state.entries('snapshots').length, 1);
    await life(state, { s: now.entry }, async (gateway) => assert.deepEqual(await new Client(gateway).names(), ['s__other']));
    assert.deepEqual(
      state.entries('snapshots').map(([key]) => key.includes(before.entry.args?.[1] ?? '?')),
      [false],
    );
    state.close();
  });

  it('older than a day or of another version are answered from, and refreshed behind the answer', async () => {
    for (const age of [{ at: Date.now() - 25 * 60 * 60_000 }, { version: 'another' }]) {
      const state = openStateStore(':memory:');
      const server = listing(offer);
      await life(state, { s: server.entry }, async (gateway) => void (await new Client(gateway).names()));
      for (const [key, row] of state.entries<object>('snapshots')) state.set('snapshots', key, { ...row, ...age });
      server.offers({ ...offer, tools: [plainTool('newer')] });
      await life(state, { s: server.entry }, async (gateway) => {
        const client = new Client(gateway);
        assert.deepEqual(await client.names(), ['s__read']);
        await eventually('the list is refreshed', async () => (await client.names())[0] === 's__newer');
      });
      assert.equal(server.did('start'), 2);
      state.close();
    }
  });

  it('a row that is none is left alone', async () => {
    const state = openStateStore(':memory:');
    const server = listing(offer);
    await life(state, { s: server.entry }, async (gateway) => void (await new Client(gateway).names()));
    for (const [key] of state.entries('snapshots')) state.set('snapshots', key, { snapshot: { tools: 'x' } });
    await life(state, { s: server.entry }, async (gateway) => assert.deepEqual(await new Client(gateway).names(), ['s__read']));
    state.close();
  });

  it('a server that is gone is still listed, and its calls say why they fail', async () => {
    const state = openStateStore(':memory:');
    const server = listing(offer);
    const { entry } = server;
    await life(state, { s: entry }, async (gateway) => void (await new Client(gateway).names()));
    server.offers({ eras: [] });
    await life(state, { s: entry }, async (gateway) => {
      const client = new Client(gateway);
      assert.deepEqual(await client.names(), ['s__read']);
      assert.match(await client.call('s__read'), /^SBX_SERVER_/);
      assert.deepEqual(await client.names(), ['s__read']);
    });
    state.close();
  });

  it('accepted definitions, names and pins outlive a restart', async () => {
    const state = openStateStore(':memory:');
    const server = listing(offer);
    const bindings = { s: { overrides: { read: { description: 'Ours.' } } } };
    const description = async (gateway: Gateway): Promise<unknown> => (await new Client(gateway).list('tools'))[0]?.['description'];
    await life(state, { s: server.entry }, async (gateway) => assert.equal(await description(gateway), 'Ours.'), { bindings });
    for (const [key] of state.entries('snapshots')) state.delete('snapshots', key);
    server.offers({ ...offer, tools: [plainTool('read', { description: 'Now evil.' })] });
    await life(
      state,
      { s: server.entry },
      async (gateway) => {
        assert.equal(await description(gateway), 'Now evil.');
        assert.equal(gateway.view().members[0]?.problems()[0]?.code, 'SBX_DEFINITION_CHANGED');
        gateway.view().accept('s');
        assert.equal(await description(gateway), 'Ours.');
      },
      { bindings },
    );
    const renamed = { s: { ...bindings.s, alias: 'notes' } };
    await life(
      state,
      { s: server.entry },
      async (gateway) => {
        assert.equal(await description(gateway), 'Ours.');
        assert.deepEqual(await new Client(gateway).names(), ['notes__read']);
        assert.equal(await new Client(gateway).call('s__read'), 'read');
      },
      { bindings: renamed },
    );
    state.close();
  });

  it('a hung server without one delays the first list only, and only as long as it is waited for', async () => {
    const state = openStateStore(':memory:');
    const server = listing(offer);
    await life(state, { s: server.entry }, async (gateway) => void (await new Client(gateway).names()));
    const hung: ServerEntry = { command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] };
    await life(state, { s: server.entry, hung }, async (gateway) => {
      const client = new Client(gateway);
      assert.deepEqual(await client.names(), ['s__read']);
      assert.equal(gateway.view().members[1]?.upstream.state, 'starting');
      assert.deepEqual(await client.names(), ['s__read']);
    });
    state.close();
  });

  it('do not keep the first list waiting for a server that has been waited for in vain by a daemon before', async () => {
    const state = openStateStore(':memory:');
    const server = listing(offer);
    const mute = { command: process.execPath, args: ['-e', 'process.stdin.resume()'] };
    const waitsFor = ({ view }: Gateway): readonly string[] =>
      view()
        .members.filter((member) => member.patience('legacy') !== undefined)
        .map(({ alias }) => alias);
    const servers = { good: server.entry, mute };
    await life(state, servers, async (gateway) => {
      assert.deepEqual(waitsFor(gateway), ['good', 'mute']);
      assert.deepEqual(await new Client(gateway, 'legacy').names(), ['good__read']);
    });
    await life(state, servers, async (gateway) => {
      assert.deepEqual(waitsFor(gateway), []);
      assert.deepEqual(await new Client(gateway, 'legacy').names(), ['good__read']);
    });
    // configured in another way it is another server, and gets its chance
    await life(state, { ...servers, mute: { ...mute, env: { OTHER: '1' } } }, async (gateway) => {
      assert.deepEqual(waitsFor(gateway), ['mute']);
    });
  });
});
