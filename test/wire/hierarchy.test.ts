/** Endpoints, namespaces, bindings: who sees what under which name, in lists and in calls (federation design, section 4). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import type { ResolvedServer } from '../../daemon/api/config.ts';
import { type EndpointSetup, type Gateway, OWN, startGateway } from '../fixtures/gateway.ts';
import { Client, Listing, type Offer, plainTool } from '../fixtures/listing.ts';
import { eventually } from '../fixtures/process-tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'signalbox-hierarchy-'));
after(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;

/** A gateway over servers that offer this, by name. */
async function gatewayOf(
  t: TestContext,
  offers: Readonly<Record<string, Offer>>,
  setup: EndpointSetup & { pageSize?: number } = {},
): Promise<{ gateway: Gateway; servers: Readonly<Record<string, Listing>>; entries: Readonly<Record<string, Listing['entry']>> }> {
  count += 1;
  const servers = Object.fromEntries(Object.entries(offers).map(([name, offer]) => [name, new Listing(dir, `${count}-${name}`, offer)]));
  const entries = Object.fromEntries(Object.entries(servers).map(([name, listing]) => [name, listing.entry]));
  const gateway = await startGateway(entries, setup);
  t.after(() => gateway.close());
  return { gateway, servers, entries };
}
const bind = (binding: Partial<ResolvedServer>): Partial<ResolvedServer> => binding;

describe('visibility', () => {
  const offers = {
    fs: {
      tools: [plainTool('read'), plainTool('delete_file')],
      prompts: [{ name: 'ask' }],
      resources: [{ uri: 'fs://one', name: 'one' }],
      resourceTemplates: [{ uriTemplate: 'fs://{path}', name: 'any' }],
      instructions: 'About files.',
    },
    db: {
      tools: [plainTool('query')],
      prompts: [{ name: 'ask' }],
      resources: [{ uri: 'db://one', name: 'one' }],
      instructions: 'About tables.',
    },
  };
  const setup: EndpointSetup = {
    bindings: { fs: bind({ namespaces: ['dev'] }), db: bind({ namespaces: ['office'] }) },
    endpoint: {
      clients: {
        office: { namespaces: ['office'] },
        careful: { tools: { deny: ['*__delete_*', 'db__*'] } },
        reader: { tools: { allow: ['fs__read'] } },
      },
    },
  };

  for (const era of ['legacy', 'modern'] as const) {
    it(`is of the endpoint and the credential, in lists (${era})`, async (t) => {
      const { gateway } = await gatewayOf(t, offers, setup);
      const seen = async (name: string): Promise<string[][]> => {
        const client = new Client(gateway, era, name);
        return [await client.names('tools'), await client.names('prompts'), await client.names('resources')];
      };
      assert.deepEqual(await seen('anybody'), [
        ['fs__delete_file', 'fs__read', 'db__query'],
        ['fs__ask', 'db__ask'],
        ['fs://one', 'db://one'],
      ]);
      assert.deepEqual(await seen('office'), [['db__query'], ['db__ask'], ['db://one']]);
      assert.deepEqual(await seen('careful'), [['fs__read'], ['fs__ask'], ['fs://one']]);
      assert.deepEqual(await seen('reader'), [['fs__read'], [], []]);
    });

    it(`what is not visible does not exist: it is not called, read or told of (${era})`, async (t) => {
      const { gateway, servers } = await gatewayOf(t, offers, setup);
      const careful = new Client(gateway, era, 'careful');
      assert.equal(await careful.call('fs__read'), 'read');
      assert.equal(await careful.call('fs__delete_file'), 'SBX_TOOL_UNKNOWN');
      assert.equal(await careful.call('db__query'), 'SBX_TOOL_UNKNOWN');
      assert.equal((await careful.ask('prompts/get', { name: 'db__ask' })).error?.data?.code, 'SBX_PROMPT_UNKNOWN');
      assert.equal((await careful.ask('resources/read', { uri: 'db://one' })).error?.data?.code, 'SBX_RESOURCE_UNKNOWN');
      // `fs` has a template that matches; `reader` may not see its resources.
      assert.equal((await careful.ask('resources/read', { uri: 'fs://any' })).error, undefined);
      const reader = new Client(gateway, era, 'reader');
      assert.equal((await reader.ask('resources/read', { uri: 'fs://any' })).error?.data?.code, 'SBX_RESOURCE_UNKNOWN');
      assert.equal(servers['fs']?.did('call delete_file'), 0);
      assert.equal(servers['db']?.did('call query'), 0);
      // Instructions of servers that are known; `office` never hears of files.
      const about = era === 'legacy' ? 'initialize' : 'server/discover';
      const office = new Client(gateway, era, 'office');
      await office.names();
      const { instructions } = (await office.ask(about, { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} })).result;
      assert.match(String(instructions), /About tables/);
      assert.doesNotMatch(JSON.stringify((await office.ask(about, {})).result), /fs|files/);
    });
  }

  it('list_changed is told to those who see the change, for each era it is seen in', async (t) => {
    const { gateway, servers } = await gatewayOf(t, offers, setup);
    const heard: string[] = [];
    const view = gateway.view();
    for (const client of ['anybody', 'office', 'careful']) {
      await view.loadedCatalog(client, 'legacy');
      view.listen({ listChanged: (kind, era) => heard.push(`${client} ${kind} ${era}`), notified: () => {} }, client);
    }
    servers['fs']?.offers({ ...offers.fs, tools: [...offers.fs.tools, plainTool('delete_all')] });
    // `changed` is in no list, so nobody can call it through the gateway.
    const { upstream } = view.members[0] ?? {};
    await (await upstream?.ready('legacy'))?.request('tools/call', { name: 'changed' });
    await eventually('the change is told', async () => heard.length > 0);
    await eventually('the lists were read again', async () => (servers['fs']?.did('legacy tools/list') ?? 0) >= 2);
    assert.deepEqual(heard, ['anybody tools legacy', 'anybody tools modern']);
  });
});

describe('names', () => {
  it('of a renamed alias and a renamed tool go on being routed, and are listed no more', async (t) => {
    const { gateway, entries } = await gatewayOf(t, { fs: { tools: [plainTool('read')], prompts: [{ name: 'ask' }] } });
    assert.deepEqual(await new Client(gateway).names(), ['fs__read']);
    await new Client(gateway).names('prompts');
    await gateway.configure(entries, { bindings: { fs: { alias: 'files', overrides: { read: { name: 'open' } } } } });
    const client = new Client(gateway);
    assert.deepEqual(await client.names(), ['files__open']);
    for (const name of ['fs__read', 'files__open']) assert.equal(await client.call(name), 'read', name);
    assert.equal((await client.ask('prompts/get', { name: 'fs__ask' })).error, undefined);
    assert.equal(await client.call('fs__open'), 'SBX_TOOL_UNKNOWN');
    // A rule written for the old name still holds for it.
    const clients = { careful: { tools: { deny: ['fs__*'] } } };
    await gateway.configure(entries, {
      bindings: { fs: { alias: 'files', overrides: { read: { name: 'open' } } } },
      endpoint: { clients },
    });
    assert.equal(await new Client(gateway, 'legacy', 'careful').call('fs__read'), 'SBX_TOOL_UNKNOWN');
    assert.equal(await new Client(gateway, 'legacy', 'careful').call('files__open'), 'read');
  });

  it('never collide: an override that takes a name gives way to the tool whose own name it is', async (t) => {
    const { gateway } = await gatewayOf(
      t,
      { s: { tools: [plainTool('a'), plainTool('b'), plainTool('c'), plainTool('b')] } },
      { bindings: { s: { overrides: { a: { name: 'b' }, c: { name: 'b' } } } } },
    );
    const client = new Client(gateway);
    const names = await client.names();
    assert.equal(new Set(names).size, 3);
    const called = new Map<string, string>();
    for (const name of names) called.set(await client.call(name), name);
    assert.deepEqual([...called.keys()].sort(), ['a', 'b', 'c']);
    assert.equal(called.get('b'), 's__b');
    for (const name of names) assert.match(name, /^s__b(?:_[a-z2-7]{6})?$/);
  });

  it('what has no name of its own is left out and said, the rest is served', async (t) => {
    const { gateway } = await gatewayOf(t, { s: { tools: [{ description: 'nameless' }, plainTool('a'), { ...plainTool('b'), name: 7 }] } });
    assert.deepEqual(await new Client(gateway).names(), ['s__a']);
    const [problem] = gateway.view().members[0]?.problems() ?? [];
    assert.equal(problem?.code, 'SBX_SERVER_PROTOCOL');
    assert.match(problem?.cause ?? '', /no "name"/);
  });
});

describe('a definition made to hurt', () => {
  it('so deep that it cannot be written costs its server that tool, and the others nothing', async (t) => {
    const deep = JSON.parse(`${'['.repeat(4000)}${']'.repeat(4000)}`) as object;
    const { gateway, servers } = await gatewayOf(t, { bad: { tools: [plainTool('ok')] }, good: { tools: [plainTool('ok')] } });
    servers['bad']?.offers({ tools: [plainTool('ok'), plainTool('deep', { inputSchema: { type: 'object', default: deep } })] });
    const client = new Client(gateway);
    assert.deepEqual(await client.names(), ['bad__ok', 'good__ok']);
    assert.match(gateway.view().members[0]?.problems()[0]?.cause ?? '', /"deep" is nested more than 200 levels deep/);
  });
});

describe('overrides', () => {
  const offer = {
    tools: [plainTool('deploy', { annotations: { destructiveHint: true, vendor: 1 } }), plainTool('secret'), plainTool('status')],
  };
  const overrides = {
    deploy: { name: 'ship', title: 'Ship it', description: 'Ships.', annotations: { destructiveHint: false } },
    secret: { hidden: true, description: 'x' },
  };
  const changedTools = (names: readonly string[]) =>
    offer.tools.map((tool) => (names.includes(tool.name) ? { ...tool, description: 'Now something else.' } : tool));

  it('speak instead of the server, for the definition they were made for', async (t) => {
    const { gateway, servers } = await gatewayOf(t, { s: offer }, { bindings: { s: { overrides } } });
    const client = new Client(gateway);
    assert.deepEqual(await client.names(), ['s__ship', 's__status']);
    const [ship] = await client.list('tools');
    assert.deepEqual(ship, {
      name: 's__ship',
      title: 'Ship it',
      description: 'Ships.',
      inputSchema: { type: 'object' },
      annotations: { destructiveHint: false, vendor: 1 },
    });
    assert.equal(await client.call('s__ship'), 'deploy');
    assert.equal(await client.call('s__secret'), 'SBX_TOOL_UNKNOWN');

    servers['s']?.offers({ tools: changedTools(['deploy', 'secret']) });
    const member = gateway.view().members[0];
    await (await member?.upstream.ready('legacy'))?.request('tools/call', { name: 'changed' });
    await eventually('the override is suspended', async () => (await client.list('tools'))[0]?.['description'] === 'Now something else.');
    assert.deepEqual(await client.names(), ['s__ship', 's__status'], 'a policy written for the name still holds');
    const [deploy] = await client.list('tools');
    assert.deepEqual(deploy?.['annotations'], { destructiveHint: true, vendor: 1 });
    assert.equal(await client.call('s__secret'), 'SBX_TOOL_UNKNOWN');
    assert.deepEqual(
      member?.problems().map(({ code }) => code),
      ['SBX_DEFINITION_CHANGED'],
    );
    assert.equal(await client.call('s__deploy'), 'SBX_TOOL_UNKNOWN');

    assert.deepEqual(gateway.view().accept('s'), ['deploy']);
    assert.deepEqual(await client.names(), ['s__ship', 's__status']);
    assert.deepEqual(member?.problems(), []);
    assert.throws(() => gateway.view().accept('s', 'nothing'), { code: 'SBX_TOOL_UNKNOWN' });
  });

  it('a pinned server keeps a changed tool to itself until it is accepted', async (t) => {
    const { gateway, servers } = await gatewayOf(t, { s: offer }, { bindings: { s: { pin: true } } });
    const client = new Client(gateway);
    assert.deepEqual(await client.names(), ['s__deploy', 's__secret', 's__status']);
    servers['s']?.offers({ tools: changedTools(['deploy', 'status']) });
    const member = gateway.view().members[0];
    await (await member?.upstream.ready('legacy'))?.request('tools/call', { name: 'changed' });
    await eventually('the changed tools are gone', async () => (await client.names()).length === 1);
    assert.equal(await client.call('s__deploy'), 'SBX_TOOL_UNKNOWN');
    assert.equal(member?.problems().length, 2);
    assert.deepEqual(gateway.view().accept('s', 'deploy'), ['deploy']);
    assert.equal(await client.call('s__deploy'), 'deploy');
    assert.equal(await client.call('s__status'), 'SBX_TOOL_UNKNOWN');
    assert.deepEqual(gateway.view().accept('s'), ['status']);
    assert.equal((await client.names()).length, 3);
  });
});

describe('resources', () => {
  const resource = { uri: 'note://1', name: 'one' };

  it('keep their URI where it is unique; on a collision the later ones get one of their own, also inside results', async (t) => {
    const content = [
      { type: 'resource_link', uri: 'note://1', name: 'one' },
      { type: 'resource', resource: { uri: 'note://1', text: 'x' } },
    ];
    const { gateway } = await gatewayOf(t, {
      a: { tools: [plainTool('give')], resources: [resource, { uri: 'note://a', name: 'a' }], content },
      b: { tools: [plainTool('give')], resources: [resource], content },
      c: { resources: [resource] },
    });
    const client = new Client(gateway);
    const uris = await client.names('resources');
    const own = (alias: string): string => `note://${alias}/r/${Buffer.from('note://1').toString('base64url')}`;
    assert.deepEqual(uris, ['note://1', 'note://a', own('b'), own('c')]);
    const readers = await Promise.all(
      uris.map(async (uri) => {
        const { result } = await client.ask('resources/read', { uri });
        const [{ uri: named, text }] = result['contents'] as [{ uri: string; text: string }];
        assert.equal(named, uri);
        return text.replace(/^\d+-/, '');
      }),
    );
    assert.deepEqual(readers, ['a.json note://1', 'a.json note://a', 'b.json note://1', 'c.json note://1']);
    const linked = async (name: string): Promise<unknown> =>
      ((await client.ask('tools/call', { name, arguments: {} })).result['content'] as object[]).slice(1);
    assert.deepEqual(await linked('a__give'), content);
    assert.deepEqual(await linked('b__give'), [
      { ...content[0], uri: own('b') },
      { type: 'resource', resource: { uri: own('b'), text: 'x' } },
    ]);
    // The collision is over, the client still holds the URI.
    await gateway.view().loadedCatalog();
    assert.equal(gateway.view().catalog().resourceRoute(own('a'))?.name, 'note://1');
  });

  it('templates lead to the server they are from', async (t) => {
    const { gateway } = await gatewayOf(t, {
      a: { resources: [], resourceTemplates: [{ uriTemplate: 'a://{id}', name: 'a' }] },
      b: { resources: [], resourceTemplates: [{ uriTemplate: 'b://{id}', name: 'b' }] },
    });
    const client = new Client(gateway);
    const read = async (uri: string): Promise<string> => {
      const { result } = await client.ask('resources/read', { uri });
      return (result['contents'] as [{ text: string }])[0].text.replace(/^\d+-/, '');
    };
    assert.equal(await read('b://7'), 'b.json b://7');
    assert.equal(await read('a://7'), 'a.json a://7');
    const { result } = await client.ask('completion/complete', {
      ref: { type: 'ref/resource', uri: 'b://{id}' },
      argument: { name: 'id', value: '' },
    });
    assert.match(JSON.stringify(result), /-b\.json b:\/\/\{id\}/);
  });
});

describe('lists', () => {
  it('each era gets those of its own leg', async (t) => {
    const { gateway } = await gatewayOf(t, {
      both: { eras: ['legacy', 'modern'], tools: [plainTool('old')], modern: { tools: [plainTool('new', { 'x-modern': true })] } },
      one: { eras: ['legacy'], tools: [plainTool('same')] },
      other: { eras: ['modern'], tools: [plainTool('same')] },
    });
    assert.deepEqual(await new Client(gateway, 'legacy').names(), ['both__old', 'one__same', 'other__same']);
    assert.deepEqual(await new Client(gateway, 'modern').names(), ['both__new', 'one__same', 'other__same']);
  });

  it('caching fields: the shortest life, public only if every server and the endpoint are', async (t) => {
    const open: Offer = { eras: ['modern'], tools: [plainTool('a')], ttlMs: 60_000, cacheScope: 'public' };
    const caching = async (gateway: Gateway): Promise<unknown> => {
      const { ttlMs, cacheScope } = (await new Client(gateway, 'modern').ask('tools/list')).result;
      return [ttlMs, cacheScope];
    };
    const alone = await gatewayOf(t, { a: open, b: { ...open, ttlMs: 5000 }, c: { eras: ['modern'], prompts: [{ name: 'x' }] } });
    assert.deepEqual(await caching(alone.gateway), [5000, 'public']);
    assert.deepEqual(await caching((await gatewayOf(t, { a: open, b: { ...open, cacheScope: 'private' } })).gateway), [60_000, 'private']);
    assert.deepEqual(await caching((await gatewayOf(t, { a: open, b: { tools: [plainTool('b')] } })).gateway), [0, 'private']);
    const personal = { endpoint: { clients: { somebody: { namespaces: ['x'] } } } };
    assert.deepEqual(await caching((await gatewayOf(t, { a: open }, personal)).gateway), [60_000, 'private']);
  });

  it('come in pages with cursors of our own', async (t) => {
    const tools = Array.from({ length: 25 }, (_, index) => plainTool(`t${String(index).padStart(2, '0')}`));
    const { gateway } = await gatewayOf(t, { s: { tools } }, { pageSize: 10 });
    const client = new Client(gateway);
    const names: string[] = [];
    let cursor: unknown;
    do {
      const { result } = await client.ask('tools/list', cursor === undefined ? {} : { cursor });
      names.push(...(result['tools'] as { name: string }[]).map(({ name }) => name));
      cursor = result['nextCursor'];
      if (cursor !== undefined)
        assert.equal((await new Client(gateway, 'legacy', 'other').ask('tools/list', { cursor })).error?.data?.code, 'SBX_CURSOR_INVALID');
    } while (cursor !== undefined);
    assert.deepEqual(
      names,
      tools.map(({ name }) => `s__${name}`),
    );
    assert.equal((await client.ask('tools/list', { cursor: 'page2' })).error?.code, -32602);
  });
});

describe('nested', () => {
  it('a definition that came through this daemon, or through too many, is left out and named', async (t) => {
    const through = (name: string, ...hops: string[]): object => plainTool(name, { _meta: { 'dev.signalbox/hops': hops, 'x-kept': 1 } });
    const { gateway } = await gatewayOf(t, {
      team: { tools: [through('far', 'a', 'b'), through('circle', 'a', OWN), through('deep', 'a', 'b', 'c', 'd'), plainTool('plain')] },
    });
    const listed = await new Client(gateway).list('tools');
    assert.deepEqual(
      listed.map(({ name, _meta }) => [name, _meta]),
      [
        ['team__far', { 'dev.signalbox/hops': ['a', 'b'], 'x-kept': 1 }],
        ['team__plain', undefined],
      ],
    );
    const problems = gateway.view().members[0]?.problems() ?? [];
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['SBX_FEDERATION_LOOP', 'SBX_FEDERATION_LOOP'],
    );
    assert.match(problems[0]?.cause ?? '', new RegExp(`a → ${OWN} → ${OWN}`));
  });
});
