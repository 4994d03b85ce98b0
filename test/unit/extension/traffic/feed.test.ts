import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { TrafficRow } from '../../../../daemon/api/sessions.ts';
import { DaemonConnection } from '../../../../extension/daemon/connection.ts';
import { TrafficFeed } from '../../../../extension/traffic/feed.ts';
import { liveSource, recordingSource } from '../../../../extension/traffic/source.ts';
import { type DaemonDouble, startDouble } from '../daemon-double.ts';
import { call } from './rows.ts';

const LIMIT_MS = 20_000;

/** A daemon whose tap holds `history`, and a feed on it whose page acknowledges when told. */
describe('a feed of traffic', () => {
  let daemon: DaemonDouble;
  let connection: DaemonConnection;
  let history: TrafficRow[];
  let tails: number;
  let acks: Record<string, unknown>[];
  let batches: { batch: number; rows: readonly TrafficRow[]; dropped: number }[];
  let feed: TrafficFeed;
  let take: boolean;

  beforeEach(async () => {
    daemon = await startDouble();
    daemon.announce();
    [history, tails, acks, batches, take] = [Array.from({ length: 5 }, (_, index) => call(index * 4 + 1)).flat(), 0, [], [], true];
    daemon.answers.set('sessions/tail', () => ({ result: { tail: `t${++tails}` } }));
    daemon.answers.set('sessions/untail', () => ({ result: {} }));
    daemon.answers.set('sessions/ack', (params) => {
      acks.push(params);
      return { result: {} };
    });
    daemon.answers.set('sessions/rows', ({ after, limit, server }) => {
      const all = history.filter((row) => row.seq > Number(after ?? 0) && (server === undefined || row.server === server));
      return { result: { rows: all.slice(0, Number(limit)), more: all.length > Number(limit), dropped: 3 } };
    });
    connection = new DaemonConnection({ paths: daemon.paths, cli: () => Promise.resolve({}), version: '0', onLog: () => undefined });
    await connection.start();
    feed = new TrafficFeed(connection, liveSource(connection), {
      clear: () => batches.splice(0),
      rows(batch, rows, dropped) {
        batches.push({ batch, rows, dropped });
        if (take) feed.acknowledge(batch);
      },
      changed: () => undefined,
    });
  });
  afterEach(async () => {
    feed.dispose();
    connection.dispose();
    await daemon.close();
  });

  const seqs = (): number[] => batches.flatMap(({ rows }) => rows.map(({ seq }) => seq));

  it('brings what there was, then what happens, each event once and in order', async () => {
    await feed.open({});
    const news = call(21);
    // An event that was read with the history already comes again over the tail.
    daemon.emit('traffic', { tail: 't1', rows: [...history.slice(-2), ...news], dropped: 0 });
    await until(() => seqs().length >= 24);
    assert.deepEqual(
      seqs(),
      Array.from({ length: 24 }, (_, index) => index + 1),
    );
    await until(() => acks.length > 0);
    assert.deepEqual(acks, [{ tail: 't1', seq: 24 }]);
  });

  it('says what was lost before and meanwhile', async () => {
    await feed.open({});
    daemon.emit('traffic', { tail: 't1', rows: call(31), dropped: 7 });
    await until(() => batches.length >= 2);
    assert.deepEqual(
      batches.map(({ dropped }) => dropped),
      [3, 7],
    );
  });

  it('lets the daemon send no more than the page has taken', async () => {
    await feed.open({});
    take = false;
    daemon.emit('traffic', { tail: 't1', rows: call(21), dropped: 0 });
    await until(() => batches.length === 2);
    await connection.refresh(); // a round trip: an acknowledgement would have come before it
    assert.deepEqual(acks, []);
    feed.acknowledge(batches[1]?.batch ?? 0);
    await until(() => acks.length === 1);
  });

  it('takes nothing while it is paused and loses nothing by it', async () => {
    await feed.open({});
    feed.pause();
    daemon.emit('traffic', { tail: 't1', rows: call(21), dropped: 0 });
    history.push(...call(21));
    await connection.refresh();
    assert.equal(seqs().length, 20);
    await feed.catchUp();
    assert.deepEqual(
      seqs(),
      Array.from({ length: 24 }, (_, index) => index + 1),
    );
    assert.ok(daemon.asked.includes('sessions/untail'));
  });

  it('asks with the filters and forgets what an older question still brings', async () => {
    const first = feed.open({});
    const second = feed.open({ server: 'files' });
    await Promise.all([first, second]);
    assert.ok(seqs().length > 0);
    assert.deepEqual([...new Set(batches.flatMap(({ rows }) => rows.map(({ server }) => server)))], ['files']);
    assert.deepEqual(new Set(seqs()).size, seqs().length);
  });

  it('says why there is nothing', async () => {
    daemon.answers.set('sessions/tail', () => ({
      error: { code: -32000, message: 'no', data: { code: 'SBX_INTERNAL', message: 'Broken.', cause: 'c', fix: 'f' } },
    }));
    await feed.open({});
    assert.match(String(feed.trouble), /Broken\./);
  });

  it('starts no daemon when the one it listened to has gone', async () => {
    await feed.open({});
    daemon.drop();
    await until(() => connection.state === 'stopped');
    feed.pause();
    const asked = daemon.asked.length;
    await connection.find();
    assert.equal(daemon.asked.length, asked);
  });
});

describe('a feed of a recording', () => {
  it('finds the frames of one call, messages included', async () => {
    const rows = [...call(1), ...call(5)].map((row) => ({ ...row, message: { n: row.seq } }));
    const asked: object[] = [];
    const source = recordingSource(
      {
        call: (async (_method: string, params: { after?: number; limit?: number }) => {
          asked.push(params);
          const all = rows.filter((row) => row.seq > (params.after ?? 0));
          return { rows: all.slice(0, params.limit), more: all.length > (params.limit ?? Infinity) };
        }) as never,
      },
      { id: 'r1' },
    );
    assert.deepEqual(
      (await source.call(7, false)).map(({ seq }) => seq),
      [5, 6, 7, 8],
    );
    assert.deepEqual(asked[0], { recording: 'r1', after: 6, limit: 1, messages: true });
  });
});

/** Waits for a condition; fails after a generous time. */
async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
