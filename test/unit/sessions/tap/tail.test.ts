/** The live view: batches, acknowledgements, and what a slow reader misses. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SessionEvents, TapPeer, TrafficQuery } from '../../../../daemon/api/sessions.ts';
import { TapHub } from '../../../../daemon/sessions/tap/hub.ts';
import { Tail } from '../../../../daemon/sessions/tap/tail.ts';

const CLIENT: TapPeer = { edge: 'client', transport: 'bridge', client: 'claude-code', endpoint: '/mcp/default', session: 'one' };
const call = (id: number): object => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'read' } });

interface Viewed {
  readonly hub: TapHub;
  readonly tail: Tail;
  readonly batches: SessionEvents['traffic'][];
  backlog: number;
}
function viewed(t: TestContext, query: TrafficQuery = {}, hub = new TapHub()): Viewed {
  const batches: SessionEvents['traffic'][] = [];
  const view = { hub, batches, backlog: 0 } as { -readonly [K in keyof Viewed]: Viewed[K] };
  view.tail = new Tail({
    id: 'tail-1',
    hub,
    query,
    making: { redact: (message) => message, who: (session) => hub.sessionHome(session) },
    send: (batch) => void batches.push(batch),
    backlog: () => view.backlog,
  });
  t.after(() => {
    view.tail.close();
    hub.close();
  });
  return view;
}
const rowsOf = ({ batches }: Viewed) => batches.flatMap(({ rows }) => rows);
async function until(condition: () => boolean): Promise<void> {
  const limit = AbortSignal.timeout(15_000);
  while (!condition()) {
    limit.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
/** Lets everything that is ready to be sent be sent. */
async function settled(view: Viewed): Promise<void> {
  for (let before = -1; before !== view.batches.length; ) {
    before = view.batches.length;
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
}

describe('a tail', () => {
  it('sends what happens from now on, in batches and in order, answers with what they answer', async (t) => {
    const hub = new TapHub();
    const channel = hub.open(CLIENT);
    const origin = channel.in(call(1));
    const view = viewed(t, {}, hub);
    channel.out({ jsonrpc: '2.0', id: 1, result: {} }, { origin });
    for (let id = 2; id <= 1000; id++) channel.in(call(id));
    await until(() => rowsOf(view).length === 1000);
    assert.ok(view.batches.length > 1 && view.batches.every(({ rows }) => rows.length <= 500));
    const [first] = rowsOf(view);
    assert.deepEqual(
      [first?.type, first?.method, first?.answers],
      ['response', 'tools/call', origin.seq],
      'its request came before the view',
    );
    assert.deepEqual(
      rowsOf(view).map(({ seq }) => seq),
      [...rowsOf(view).map(({ seq }) => seq)].sort((a, b) => a - b),
    );
  });

  it('goes on after the row a reader has come to, without a hole', async (t) => {
    const hub = new TapHub();
    const channel = hub.open(CLIENT);
    for (let id = 1; id <= 10; id++) channel.in(call(id));
    const view = viewed(t, { after: 5 }, hub);
    channel.in(call(11));
    await until(() => rowsOf(view).length === 7);
    assert.deepEqual(
      rowsOf(view).map(({ id }) => id),
      [5, 6, 7, 8, 9, 10, 11],
    );
  });

  it('has at most 2 000 rows on the way; the rest comes when they are acknowledged', async (t) => {
    const view = viewed(t);
    const channel = view.hub.open(CLIENT);
    for (let id = 1; id <= 5000; id++) channel.in(call(id));
    await until(() => rowsOf(view).length === 2000);
    await settled(view);
    assert.equal(rowsOf(view).length, 2000);
    view.tail.ack(rowsOf(view)[999]?.seq ?? 0);
    await until(() => rowsOf(view).length === 3000);
    await settled(view);
    assert.equal(rowsOf(view).length, 3000);
    assert.ok(view.batches.every(({ dropped }) => dropped === 0));
  });

  it('a reader that never reads costs 20 000 events; what it missed is counted, at its place', async (t) => {
    const view = viewed(t);
    const channel = view.hub.open(CLIENT);
    const last = 30_000;
    for (let id = 1; id <= last; id++) channel.in(call(id));
    // Nothing was sent before the loop was over, so the queue is what is told; the rest was never waited for.
    const taken = new Set<number>();
    await until(() => {
      for (const { seq } of rowsOf(view).slice(taken.size)) taken.add(seq);
      view.tail.ack(Math.max(0, ...(view.batches.at(-1)?.rows.map(({ seq }) => seq) ?? [])));
      return rowsOf(view).some(({ kind }) => kind === 'gap');
    });
    const rows = rowsOf(view);
    assert.equal(rows.filter(({ kind }) => kind !== 'gap').length, 20_000);
    const gap = rows.at(-1);
    assert.equal(gap?.kind, 'gap');
    assert.match(gap?.text ?? '', /^10001 events left out/); // with the opening of the connection
    assert.equal(
      view.batches.reduce((sum, { dropped }) => sum + dropped, 0),
      10_001,
    );
    channel.in(call(last + 1));
    view.tail.ack(gap?.seq ?? 0);
    await until(() => rowsOf(view).at(-1)?.id === last + 1);
  });

  it('waits while the connection is full', async (t) => {
    const view = viewed(t);
    view.backlog = 100 * 1024 * 1024;
    const channel = view.hub.open(CLIENT);
    channel.in(call(1));
    await settled(view);
    assert.equal(view.batches.length, 0);
    view.backlog = 0;
    await until(() => rowsOf(view).length === 2);
  });

  it('sends only what is asked for, with messages where they are', async (t) => {
    const view = viewed(t, { method: 'tools/call', messages: true });
    const channel = view.hub.open(CLIENT);
    channel.in({ jsonrpc: '2.0', id: 1, method: 'ping' });
    channel.in(call(2));
    await until(() => rowsOf(view).length === 1);
    await settled(view);
    assert.deepEqual(
      rowsOf(view).map(({ message }) => message),
      [call(2)],
    );
  });

  it('is silent once it is closed', async (t) => {
    const view = viewed(t);
    const channel = view.hub.open(CLIENT);
    view.tail.close();
    channel.in(call(1));
    await settled(view);
    assert.equal(view.batches.length, 0);
  });
});
