/** What the tap keeps, for how long, and whom it tells. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { TapChannel, TapEvent, TapPeer } from '../../../../daemon/api/sessions.ts';
import { readFrame } from '../../../../daemon/protocol/frame.ts';
import { TapHub, type TapHubOptions } from '../../../../daemon/sessions/tap/hub.ts';
import { keptEvents } from '../../../../daemon/sessions/tap/kept.ts';
import { queryEvent, queryRows } from '../../../../daemon/sessions/tap/query.ts';

const CLIENT: TapPeer = { edge: 'client', transport: 'bridge', client: 'claude-code', endpoint: '/mcp/default', session: 'one' };
const SERVER: TapPeer = { edge: 'server', transport: 'stdio', server: 'files' };
const call = (id: number, name = 'read'): object => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } });
const answer = (id: number, result: object = {}): object => ({ jsonrpc: '2.0', id, result });
const bounds = (events: number, bytes = 1e6) => ({ ring: { events, bytes }, total: { events: 1e6, bytes: 1e9 }, ended: 100 });

function hubOf(t: TestContext, options: TapHubOptions = {}): TapHub {
  const hub = new TapHub(options);
  t.after(() => hub.close());
  return hub;
}
const making = (hub: TapHub) => ({ redact: (message: object) => message, who: (session: string) => hub.sessionHome(session) });
const rows = (hub: TapHub, query = {}) => queryRows(hub, { after: 0, ...query }, making(hub));

describe('a ring that is full', () => {
  it('keeps the newest, counts the others and says so', async (t) => {
    const hub = hubOf(t, { bounds: bounds(10) });
    const channel = hub.open(CLIENT);
    for (let id = 1; id <= 25; id++) channel.in(call(id));
    const { rows: found, dropped } = await rows(hub);
    assert.equal(dropped, 16); // the opening, and calls 1 to 15
    assert.equal(found[0]?.kind, 'gap');
    assert.match(found[0]?.text ?? '', /^16 events of session claude-code-/);
    assert.deepEqual(
      found.slice(1).map(({ id }) => id),
      [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
    );
    assert.equal(hub.sessions()[0]?.info([]).dropped, 16);
    assert.deepEqual(
      (await rows(hub, { after: found.at(-3)?.seq })).rows.map(({ kind }) => kind),
      ['frame', 'frame'],
      'no gap after the gap',
    );
  });

  it('is full by bytes as well; one message beyond the bound stays until the next', async (t) => {
    const hub = hubOf(t, { bounds: bounds(1000, 1000) });
    const channel = hub.open(CLIENT);
    for (let id = 1; id <= 5; id++) channel.in(call(id), { bytes: 300 });
    assert.deepEqual(
      (await rows(hub)).rows.flatMap(({ id }) => id ?? []),
      [3, 4, 5],
    );
    channel.in(call(6), { bytes: 5000 });
    assert.deepEqual(
      (await rows(hub)).rows.flatMap(({ id }) => id ?? []),
      [6],
    );
    channel.in(call(7), { bytes: 10 });
    assert.deepEqual(
      (await rows(hub)).rows.flatMap(({ id }) => id ?? []),
      [7],
    );
  });

  it('keeps of a very large message all but its content, so that it does not push out the rest; who listens gets it whole', async (t) => {
    const hub = hubOf(t);
    const channel = hub.open(CLIENT);
    const heard: TapEvent[] = [];
    hub.listen({}, (event) => heard.push(event));
    const big = 'x'.repeat(5 * 1024 * 1024);
    for (let id = 1; id <= 5; id++) {
      const origin = channel.in(
        { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'write', arguments: { big }, _meta: { 'claudecode/toolUseId': 't' } } },
        { bytes: big.length },
      );
      channel.out(answer(id, { isError: true, content: [{ type: 'text', text: big }] }), { origin, bytes: big.length });
    }
    const { rows: found, dropped } = await rows(hub, { messages: true });
    assert.equal(dropped, 0);
    assert.deepEqual(
      found.slice(-2).map(({ target, toolUseId, status, bytes }) => [target, toolUseId, status, bytes]),
      [
        ['write', 't', undefined, big.length],
        ['write', 't', 'tool-error', big.length],
      ],
    );
    assert.ok(JSON.stringify(found).length < 20_000 && hub.kept.bytes < 20_000);
    assert.match(JSON.stringify(found.at(-1)?.message), /5\.0 MiB: its content is not kept/);
    assert.equal(JSON.stringify(heard).split(big).length, 11);
  });

  it('takes nothing from another session, until all together hold too much; then whoever has ended gives first', (t) => {
    const hub = hubOf(t, { bounds: { ring: { events: 50, bytes: 1e6 }, total: { events: 90, bytes: 1e9 }, ended: 100 } });
    const quiet = hub.open({ ...CLIENT, session: 'quiet' });
    quiet.in(call(1));
    const ended = hub.open({ ...CLIENT, session: 'ended' });
    for (let id = 1; id <= 40; id++) ended.in(call(id));
    ended.close();
    const loud = hub.open({ ...CLIENT, session: 'loud' });
    for (let id = 1; id <= 90; id++) loud.in(call(id));
    const sizes = new Map(hub.sessions().map(({ id, ring }) => [id, ring.size]));
    assert.ok(hub.kept.events <= 90);
    const [first, second, third] = [...sizes.values()];
    assert.equal(first, 2, 'the quiet one has all of its own');
    assert.ok((second ?? 0) < 42, 'the one that ended gave');
    assert.equal(third, 50);
  });

  it('counts what is kept rightly, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 400 }), fc.boolean()), { maxLength: 300 }),
        (steps) => {
          const hub = new TapHub({ bounds: { ring: { events: 8, bytes: 1000 }, total: { events: 20, bytes: 2500 }, ended: 2 } });
          const channels = new Map<number, TapChannel>();
          let given = 0;
          for (const [who, bytes, over] of steps) {
            const known = channels.get(who) ?? hub.open({ ...CLIENT, session: `s${who}` });
            channels.set(who, known);
            known.in(call(1), { bytes });
            given = hub.last;
            if (!over) continue;
            known.close();
            channels.delete(who);
            given = hub.last;
          }
          const homes = hub.homes();
          const kept = homes.reduce((sum, { ring }) => sum + ring.size, 0);
          assert.equal(hub.kept.events, kept);
          assert.equal(
            hub.kept.bytes,
            homes.reduce((sum, { ring }) => sum + ring.bytes, 0),
          );
          assert.ok(kept <= 20 && homes.every(({ ring }) => ring.size <= 8));
          // Nothing is lost in silence: what is not kept was counted.
          assert.equal(kept + homes.reduce((sum, { ring }) => sum + ring.dropped, 0) + hub.forgotten.events, given);
          hub.close();
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('whoever listens', () => {
  it('hears what its filter takes, at once, and what calls caused at servers', (t) => {
    const hub = hubOf(t);
    const heard: Record<string, string[]> = { mine: [], all: [], files: [], other: [] };
    const note =
      (name: string) =>
      (event: TapEvent): void => {
        heard[name]?.push(event.kind === 'frame' ? `${event.connection.edge} ${event.direction}` : event.kind);
      };
    hub.listen({ client: 'claude-code' }, note('mine'));
    hub.listen({}, note('all'));
    hub.listen({ server: 'files' }, note('files'));
    hub.listen({ client: 'claude-code', workspace: 'elsewhere' }, note('other'));
    const server = hub.open(SERVER);
    const client = hub.open(CLIENT);
    hub.stderr('files', undefined, 'not yet of the session');
    const origin = client.in(call(1));
    server.out(call(7), { origin });
    hub.stderr('files', undefined, 'working');
    server.in(answer(7), { origin });
    server.in({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    client.out(answer(1), { origin });
    hub.open({ ...CLIENT, client: 'cursor', session: 'two' }).in(call(1));
    assert.deepEqual(heard['mine'], ['open', 'client in', 'server out', 'stderr', 'server in', 'client out']);
    assert.equal(heard['all']?.length, 11);
    assert.deepEqual(heard['files'], ['open', 'stderr', 'server out', 'stderr', 'server in', 'server in']);
    assert.deepEqual(heard['other'], []);
  });

  it('is cut off when it throws, and the call never knows', (t) => {
    const faults: unknown[] = [];
    const hub = hubOf(t, { onFault: (error) => faults.push(error) });
    let good = 0;
    let bad = 0;
    hub.listen({}, () => {
      bad += 1;
      throw new Error('broken');
    });
    hub.listen({}, () => {
      good += 1;
    });
    const channel = hub.open(CLIENT);
    channel.in(call(1));
    channel.in(call(2));
    assert.deepEqual([good, bad, faults.length], [3, 1, 1]);
  });

  it('hears no more once it stopped', (t) => {
    const hub = hubOf(t);
    let heard = 0;
    const stop = hub.listen({}, () => {
      heard += 1;
    });
    const channel = hub.open(CLIENT);
    stop();
    channel.in(call(1));
    assert.equal(heard, 1);
  });
});

describe('sessions', () => {
  it('end with their connection and are the same when they come back', (t) => {
    let changes = 0;
    const hub = hubOf(t, {
      onSessions: () => {
        changes += 1;
      },
    });
    const first = hub.open(CLIENT);
    const id = hub.sessions()[0]?.id ?? '';
    first.close('gone');
    assert.notEqual(hub.sessionHome(id)?.endedAt, undefined);
    hub.open(CLIENT).in(call(1));
    assert.equal(hub.sessions().length, 1);
    assert.equal(hub.sessionHome(id)?.endedAt, undefined);
    assert.ok(changes >= 2);
  });

  it('without a name are told apart by the pause between them', async (t) => {
    const hub = hubOf(t, { idleMs: 20 });
    const { session: _session, ...peer } = CLIENT;
    const channel = hub.open({ ...peer, transport: 'http' });
    assert.equal(hub.sessions().length, 0, 'none before the first frame');
    channel.in(call(1));
    channel.in(call(2));
    while (hub.sessions()[0]?.endedAt === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    channel.in(call(3));
    const infos = hub.sessions().map((home) => home.info([]));
    assert.deepEqual(
      infos.map(({ calls, endedAt }) => [calls, endedAt !== undefined]),
      [
        [2, true],
        [1, false],
      ],
    );
  });

  it('that ended are kept, but not for ever; what is forgotten is counted', async (t) => {
    const hub = hubOf(t, { bounds: { ...bounds(100), ended: 3 } });
    for (let index = 0; index < 10; index++) {
      const channel = hub.open({ ...CLIENT, session: `s${index}` });
      channel.in(call(index));
      channel.close();
    }
    assert.equal(hub.sessions().length, 3);
    const { rows: found, dropped } = await rows(hub);
    assert.equal(dropped, 21);
    assert.equal(found.filter(({ kind }) => kind === 'gap').length, 1);
    assert.equal(hub.last, 30);
  });

  it('count calls and errors, and know client, era and version', (t) => {
    const hub = hubOf(t);
    const channel = hub.open(CLIENT);
    channel.in({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { clientInfo: { name: 'claude', version: '2' } } });
    for (const result of [{ content: [] }, { isError: true, content: [] }]) channel.out(answer(1, result), { origin: channel.in(call(1)) });
    channel.out({ jsonrpc: '2.0', id: 3, error: { code: -1, message: 'no' } }, { origin: channel.in(call(3)) });
    const info = hub.sessions()[0]?.info(['r1']);
    assert.deepEqual(
      { ...info, id: '', openedAt: '', lastAt: '' },
      {
        id: '',
        client: 'claude-code',
        endpoint: '/mcp/default',
        transport: 'bridge',
        openedAt: '',
        lastAt: '',
        frames: 7,
        calls: 4,
        errors: 2,
        dropped: 0,
        recordings: ['r1'],
        era: 'legacy',
        clientInfo: { name: 'claude', version: '2' },
      },
    );
  });

  it('of another workspace are not seen', async (t) => {
    const hub = hubOf(t);
    hub.open({ ...CLIENT, workspace: 'here' }).in(call(1));
    hub.open({ ...CLIENT, session: 'two', workspace: 'there' }).in(call(2));
    hub.open({ ...SERVER, workspace: 'there' }).out(call(3));
    hub.stderr('files', 'there', 'secret of there');
    const seen = (await rows(hub, { workspace: 'here' })).rows;
    assert.deepEqual(
      seen.map(({ workspace }) => workspace),
      ['here', 'here'],
    );
    assert.deepEqual([...keptEvents(hub, { workspace: 'nowhere' })], []);
  });
});

describe('rows', () => {
  it('come from the front with `after`, from the end with `before`, and say that there is more', async (t) => {
    const hub = hubOf(t);
    const channel = hub.open(CLIENT);
    for (let id = 1; id <= 20; id++) channel.in(call(id));
    const ids = async (query: object): Promise<unknown> => {
      const { rows: found, more } = await queryRows(hub, { limit: 3, ...query }, making(hub));
      return [found.map(({ id }) => id), more];
    };
    assert.deepEqual(await ids({ after: 5 }), [[5, 6, 7], true]);
    assert.deepEqual(await ids({ after: 18 }), [[18, 19, 20], false]);
    assert.deepEqual(await ids({}), [[18, 19, 20], true]);
    assert.deepEqual(await ids({ before: 18 }), [[14, 15, 16], true]);
    assert.deepEqual(await ids({ before: 4 }), [[undefined, 1, 2], false]);
  });

  it('are not more than one answer can carry with their messages', async (t) => {
    const hub = hubOf(t);
    const channel = hub.open(CLIENT);
    const big = 'x'.repeat(3 * 1024 * 1024);
    for (let id = 1; id <= 5; id++) channel.in({ ...call(id), params: { name: 'write', arguments: { big } } }, { bytes: big.length });
    hub.open({ ...CLIENT, session: 'two' }).in({ ...call(6), params: { name: 'write', arguments: { big } } }, { bytes: big.length });
    const ids = async (query: object): Promise<unknown> => {
      const { rows: found, more } = await queryRows(hub, { messages: true, ...query }, making(hub));
      return [found.flatMap(({ id }) => id ?? []), more];
    };
    assert.deepEqual(await ids({ after: 0 }), [[1, 2, 3, 4, 5], true]);
    assert.deepEqual(await ids({}), [[2, 3, 4, 5, 6], true]);
    assert.deepEqual(await ids({ after: 0, messages: false }), [[1, 2, 3, 4, 5, 6], false]);
  });

  it('are found by text in what is shown and in what is not, by method, edge and failure', async (t) => {
    const hub = hubOf(t);
    const channel = hub.open(CLIENT);
    const read = channel.in({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: { path: '/tmp/Needle' } } });
    channel.out(answer(1, { isError: true, content: [] }), { origin: read });
    const list = channel.in({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    channel.out(answer(2, { tools: [] }), { origin: list });
    hub.stderr('files', undefined, 'a needle too');
    const found = async (query: object): Promise<unknown> =>
      (await rows(hub, query)).rows.map(({ kind, type, method }) => [kind, type, method]);
    assert.deepEqual(await found({ search: 'needle' }), [
      ['frame', 'request', 'tools/call'],
      ['stderr', undefined, undefined],
    ]);
    assert.deepEqual(await found({ errors: true }), [['frame', 'response', 'tools/call']]);
    assert.equal(((await found({ method: 'tools/list' })) as unknown[]).length, 2);
    assert.equal(((await found({ edge: 'server' })) as unknown[]).length, 1);
  });

  it('show a big answer that is no JSON inside as what it is', async (t) => {
    const hub = hubOf(t);
    const bytes = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"broken" 1}],"pad":"${'x'.repeat(9000)}"}}`);
    const channel = hub.open(CLIENT);
    channel.out(readFrame(bytes), { origin: channel.in(call(1)) });
    const { rows: found } = await rows(hub, { messages: true });
    assert.match(JSON.stringify(found.at(-1)?.message), /"unreadable":".*not valid JSON/);
    assert.equal(found.at(-1)?.status, 'ok');
  });

  it('hold nothing the redactor took out, wherever it stood, unless it is to be revealed', async (t) => {
    const hub = hubOf(t);
    const channel = hub.open(CLIENT);
    const secret = 's3cr3t';
    channel.in({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: `x://${secret}` } });
    channel.fault(`it says ${secret}`);
    hub.stderr('files', undefined, `token ${secret}`);
    const meta = { 'claudecode/toolUseId': `use-${secret}` };
    channel.in({ jsonrpc: '2.0', id: `id-${secret}`, method: `method/${secret}`, params: { _meta: meta } });
    channel.out({ jsonrpc: '2.0', id: `id-${secret}`, result: {} });
    const redact = (message: object): object => JSON.parse(JSON.stringify(message).replaceAll(secret, '***')) as object;
    const shown = await queryRows(hub, { after: 0, messages: true }, { redact, who: () => undefined });
    assert.equal(shown.rows.length, 6);
    assert.ok(!JSON.stringify(shown).includes(secret));
    assert.ok(!JSON.stringify(queryEvent(hub, 2, {}, { redact, who: () => undefined })).includes(secret));
    const searched = await queryRows(hub, { after: 0, search: secret }, { redact, who: () => undefined });
    assert.equal(searched.rows.length, 0, 'a secret can be searched for');
    const revealed = await queryRows(hub, { after: 0, messages: true, reveal: true }, { redact, who: () => undefined });
    assert.equal(JSON.stringify(revealed).split(secret).length - 1, 12);
  });
});
