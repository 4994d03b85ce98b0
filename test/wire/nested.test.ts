/** Signalbox behind Signalbox: real daemons in a row and in a circle, each with servers of its own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import { type DaemonFixture, startDaemonFixture } from '../fixtures/daemon.ts';
import { type Gateway, SCRIPTED, startGateway } from '../fixtures/gateway.ts';
import { Listing } from '../fixtures/listing.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { legacyClient, modernClient, type RawClient } from '../fixtures/raw-clients.ts';

type Json = Record<string, unknown>;

const ASKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'asking.mjs');
const node = (script: string, ...args: string[]): object => ({ command: process.execPath, args: [script, ...args] });
const ANSWER: Json = { action: 'accept', content: { said: 'yes' } };
const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const CAPABILITIES = { elicitation: { form: {} }, sampling: {} };

/** What the raw clients need of a gateway. */
function reached({ url, token }: DaemonFixture): Gateway {
  const post: Gateway['post'] = (message, headers = {}, signal) =>
    fetch(url, {
      method: 'POST',
      body: JSON.stringify(message),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    });
  return { url, token, post } as Gateway;
}
function clientOf(era: 'legacy' | 'modern', daemon: DaemonFixture): Promise<RawClient> | RawClient {
  return (era === 'legacy' ? legacyClient : modernClient)(reached(daemon), CAPABILITIES, () => ({ result: ANSWER }));
}
/** A server that is another daemon. */
const behind = ({ url, token }: DaemonFixture): object => ({ type: 'signalbox', url, headers: { Authorization: `Bearer ${token}` } });

async function names(client: RawClient): Promise<string[]> {
  const { answer } = await client.call('tools/list', {});
  return (answer['result'] as { tools: { name: string }[] }).tools.map(({ name }) => name);
}
function textOf(answer: Json): string {
  const { content } = (answer['result'] ?? {}) as { content?: { text: string }[] };
  return content?.[0]?.text ?? JSON.stringify(answer);
}
async function problemsOf(daemon: DaemonFixture): Promise<string> {
  return JSON.stringify((await daemon.home.json<DaemonStatus>('status')).servers);
}

describe('nested federation', () => {
  const chain: DaemonFixture[] = [];
  /** A row of five: each has `own`, and the one before it as `next`; the first stands in front. */
  before(async () => {
    for (let place = 0; place < 5; place++) {
      const last = chain[0];
      const daemon = await startDaemonFixture({
        config: {
          servers: {
            own: node(SCRIPTED),
            ...(place === 2 ? { asks: node(ASKING), 'asks-modern': node(ASKING, '--modern') } : {}),
            ...(last === undefined ? {} : { 'upstream-team': behind(last) }),
          },
        },
      });
      chain.unshift(daemon);
    }
  });
  after(async () => {
    await Promise.all(chain.map((daemon) => daemon.stop()));
  });
  const front = (): DaemonFixture => {
    assert.ok(chain[0] !== undefined);
    return chain[0];
  };

  for (const era of ['legacy', 'modern'] as const) {
    it(`through three daemons: calls, progress, cancelling and questions (${era} client)`, async (t) => {
      const client = await clientOf(era, front());
      t.after(() => client.close());
      await eventually('the tools of the third are listed', async () =>
        (await names(client)).some((name) => name.includes('asks_modern__ask') || name.includes('asks-modern__ask')),
      );
      const all = await names(client);
      assert.ok(
        all.every((name) => name.length <= 46 && /^[\w-]+$/.test(name)),
        all.join(),
      );
      assert.equal(new Set(all).size, all.length);
      const { answer: listed } = await client.call('tools/list', {});
      const tools = (listed['result'] as { tools: { name: string; description: string; _meta?: Json }[] }).tools;
      const hops = ({ _meta }: { _meta?: Json }): number => ((_meta?.['dev.signalbox/hops'] ?? []) as string[]).length;
      const far = (description: string, which = 0): string => {
        const found = tools.filter((tool) => tool.description === description && hops(tool) === 2);
        assert.ok(found[which] !== undefined, `${description}: ${tools.map((tool) => `${tool.name} ${hops(tool)}`).join()}`);
        return found[which].name;
      };
      const echoed = await client.call(
        'tools/call',
        { name: far('Says it again'), arguments: { text: 'from afar' } },
        { meta: { 'x.example/trace': 't' } },
      );
      assert.equal(textOf(echoed.answer), 'from afar');
      assert.equal((echoed.answer['result'] as { _meta: Json })._meta['x.example/seen'], 't');

      const slow = await client.call('tools/call', { name: far('Reports progress'), arguments: {} }, { meta: { progressToken: 'mine' } });
      assert.deepEqual(
        slow.notifications.map(({ params }) => [
          (params as Json)['progressToken'],
          (params as Json)['progress'],
          (params as Json)['x-progress'],
        ]),
        [
          ['mine', 1, true],
          ['mine', 2, true],
        ],
      );

      const questions = [
        [
          {
            method: 'elicitation/create',
            params: { message: 'Sure?', requestedSchema: { type: 'object', properties: {} }, 'x-kept': [1] },
          },
        ],
      ];
      for (const which of [0, 1]) {
        const asked = await client.call('tools/call', { name: far('Asks in rounds', which), arguments: { questions } });
        const { answers } = JSON.parse(textOf(asked.answer)) as { answers: unknown };
        assert.match(JSON.stringify(answers), /"said":"yes"/, textOf(asked.answer));
        assert.deepEqual(
          asked.asked.map(({ method, params }) => [method, params['message'], params['x-kept']]),
          [['elicitation/create', 'Sure?', [1]]],
        );
      }

      if (era === 'modern') {
        const before = Number(
          textOf((await client.call('tools/call', { name: far('How many calls were cancelled', 0), arguments: {} })).answer),
        );
        const abort = new AbortController();
        const waiting = client.call('tools/call', { name: far('Waits until it is cancelled'), arguments: {} }, { signal: abort.signal });
        const over = assert.rejects(waiting);
        // What was sent before on the same way is there before: one round trip says the call has arrived.
        await client.call('tools/call', { name: far('Says it again'), arguments: { text: '' } });
        abort.abort();
        await over;
        const cancelled = tools
          .filter((tool) => tool.description === 'How many calls were cancelled' && hops(tool) === 2)
          .map(({ name }) => name);
        await eventually('the far server was told', async () => {
          const counts = await Promise.all(
            cancelled.map(async (name) => Number(textOf((await client.call('tools/call', { name, arguments: {} })).answer))),
          );
          return counts.some((count) => count > before);
        });
      }
    });
  }

  it('a row deeper than four: what is too far is left out and named with its path, the rest goes on', async (t) => {
    const client = await clientOf('modern', front());
    t.after(() => client.close());
    const depths = new Map<number, number>();
    await eventually('all that is in reach is listed', async () => {
      depths.clear();
      const { answer } = await client.call('tools/list', {});
      for (const { _meta } of (answer['result'] as { tools: { _meta?: Json }[] }).tools) {
        const far = ((_meta?.['dev.signalbox/hops'] ?? []) as string[]).length;
        depths.set(far, (depths.get(far) ?? 0) + 1);
      }
      return depths.has(3);
    });
    assert.equal(depths.get(0), 8, 'its own');
    assert.ok(!depths.has(4), `the fifth is too far: ${[...depths].join(' ')}`);
    await eventually('it is said', async () => /SBX_FEDERATION_LOOP/.test(await problemsOf(front())));
    assert.match(await problemsOf(front()), /too deep.*→.*→.*→.*→/);
    for (const daemon of chain)
      assert.equal(
        textOf((await (await clientOf('modern', daemon)).call('tools/call', { name: 'own__echo', arguments: { text: 'well' } })).answer),
        'well',
      );
  });

  it('a circle is seen and named with its path; lists do not grow, and everything else works', async (t) => {
    // The last of the row gets the one before it, which has it already.
    const [a, b] = chain.slice(3);
    assert.ok(a !== undefined && b !== undefined);
    writeFileSync(b.home.paths.configFile, JSON.stringify({ servers: { own: node(SCRIPTED), back: behind(a) } }));
    for (const era of FULL ? (['legacy', 'modern'] as const) : (['modern'] as const)) {
      const atA: RawClient = await clientOf(era, a);
      const atB: RawClient = await clientOf(era, b);
      t.after(() => atA.close());
      t.after(() => atB.close());
      const others = (all: readonly string[]): string | undefined => all.find((name) => name.endsWith('__own__echo'));
      await eventually('each sees the other', async () => others(await names(atA)) !== undefined && others(await names(atB)) !== undefined);
      for (let round = 0; round < 20; round++) {
        const [ofA, ofB] = await Promise.all([names(atA), names(atB)]);
        assert.deepEqual([ofA.length, ofB.length], [16, 16], `${ofA.join()} | ${ofB.join()}`);
      }
      for (const client of [atA, atB]) {
        const name = others(await names(client));
        assert.equal(textOf((await client.call('tools/call', { name, arguments: { text: 'there' } })).answer), 'there');
      }
    }
    for (const daemon of [a, b])
      await eventually('it is said', async () => /SBX_FEDERATION_LOOP.*circle.*→/.test(await problemsOf(daemon)));
  });
});

describe('a server that says it is a daemon', () => {
  it('is one, however it is configured: what it lists has come through it, and what it says of itself has an end', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'signalbox-nested-'));
    const offer = {
      eras: ['legacy', 'modern'],
      tools: [{ name: 'x', inputSchema: { type: 'object' } }],
      instructions: 'Once more.\n'.repeat(10_000),
    } as const;
    const gateway = await startGateway({
      team: new Listing(dir, 'team', { ...offer, meta: { 'dev.signalbox/daemon': 'abcdefghijkl' } }).entry,
      plain: new Listing(dir, 'plain', offer).entry,
    });
    t.after(async () => {
      await gateway.close();
      rmSync(dir, { recursive: true, force: true });
    });
    for (const era of ['legacy', 'modern'] as const) {
      const client = await (era === 'legacy' ? legacyClient : modernClient)(gateway, {}, () => ({ result: {} }));
      t.after(() => client.close());
      const { answer } = await client.call('tools/list', {});
      assert.deepEqual(
        (answer['result'] as { tools: Json[] }).tools.map(({ name, _meta }) => [name, _meta]),
        [
          ['team__x', { 'dev.signalbox/hops': ['abcdefghijkl'] }],
          ['plain__x', undefined],
        ],
      );
      const lines = gateway
        .view()
        .instructions('test', era)
        .split('## plain')
        .map((part) => part.split('Once more.').length - 1);
      assert.ok(Number(lines[0]) > 500 && Number(lines[0]) < 800, String(lines));
      assert.equal(lines[1], 10_000);
    }
  });
});
