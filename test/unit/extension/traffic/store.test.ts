import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TrafficRow } from '../../../../daemon/api/sessions.ts';
import { RowStore } from '../../../../extension/traffic/webview/store.ts';
import { cells } from '../../../../extension/traffic/webview/words.ts';
import { call } from './rows.ts';

describe('the rows a page holds', () => {
  it('shows a call in one line: server, status, time and bytes of request and answer', () => {
    const store = new RowStore();
    store.add(call(1), 0);
    assert.equal(store.lines('frames').length, 4);
    const [line, ...others] = store.lines('calls');
    assert.ok(line);
    assert.deepEqual(others, []);
    const { client, server, way, target, status, duration, bytes } = cells(line, 'calls');
    assert.deepEqual(
      [client, server, way, target, status, duration, bytes],
      ['claude-code', 'files', '+2', 'read', 'ok', '4.0 ms', '200 B'],
    );
  });

  it('says that a call is pending until its answer comes', () => {
    const store = new RowStore();
    const [request, ...rest] = call(1, { status: 'tool-error' });
    store.add(request === undefined ? [] : [request], 0);
    assert.deepEqual(
      store.lines('calls').map((line) => cells(line, 'calls').status),
      ['pending'],
    );
    store.add(rest, 0);
    assert.deepEqual(
      store.lines('calls').map((line) => cells(line, 'calls').status),
      ['tool error'],
    );
    assert.equal(store.errors, 1);
  });

  it('keeps what belongs to no call as a line of its own, in its place', () => {
    const store = new RowStore();
    const stderr: TrafficRow = { seq: 3, time: 3, kind: 'stderr', edge: 'server', server: 'files', text: 'hello' };
    const [a, b, c, d] = call(1).map((row, index) => ({
      ...row,
      seq: [1, 2, 4, 5][index] ?? 0,
      ...(row.answers === undefined ? {} : { answers: row.answers === 1 ? 1 : 2 }),
    }));
    assert.ok(a && b && c && d);
    store.add([a, b, stderr, c, d], 0);
    assert.deepEqual(
      store.lines('calls').map(({ row }) => row.kind),
      ['frame', 'stderr'],
    );
    assert.deepEqual(store.stderr(['files'], 1, 5), [stderr]);
    assert.deepEqual(store.stderr(['other'], 1, 5), []);
  });

  it('lets the oldest go when there are too many, and counts them', () => {
    const store = new RowStore(1_000);
    for (let seq = 1; seq < 6_000; seq += 4) store.add(call(seq), 0);
    assert.ok(store.size <= 1_000, `${store.size} are held`);
    assert.equal(store.size + store.released, 6_000);
    const first = store.lines('frames')[0]?.row.seq ?? 0;
    assert.ok(store.lines('calls').every(({ row }) => row.seq >= first));
    assert.equal(store.get(1), undefined);
    assert.ok(store.get(5_997));
  });

  it('accounts for every row, however calls interleave and batches are cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30 }), (count, cuts) => {
        const all = Array.from({ length: count }, (_, index) => call(index * 4 + 1)).flat();
        // Any order in which each call's own rows stay in theirs is one that may happen; seq is the order of happening.
        const queues = Map.groupBy(all, (row) => row.call ?? 0);
        const mixed: TrafficRow[] = [];
        for (let turn = 0; queues.size > 0; turn++) {
          const keys = [...queues.keys()];
          const key = keys[(cuts[turn % cuts.length] ?? 0) % keys.length] ?? 0;
          const row = queues.get(key)?.shift();
          if (row === undefined) queues.delete(key);
          else mixed.push(row);
        }
        const renamed = new Map(mixed.map((row, index) => [row.seq, index + 1]));
        const rows = mixed.map((row) => ({
          ...row,
          seq: renamed.get(row.seq) ?? 0,
          call: renamed.get(row.call ?? 0) ?? 0,
          ...(row.answers === undefined ? {} : { answers: renamed.get(row.answers) ?? 0 }),
        }));
        const store = new RowStore();
        for (let at = 0, turn = 0; at < rows.length; turn++) {
          const next = at + 1 + ((cuts[turn % cuts.length] ?? 0) % 7);
          store.add(rows.slice(at, next), 0);
          store.add(rows.slice(at, next), 0); // told twice, held once
          at = next;
        }
        assert.equal(store.size, count * 4);
        assert.deepEqual(
          store.lines('calls').map((line) => [line.answer?.answers === line.row.seq, line.servers.join(), line.steps]),
          Array.from({ length: count }, () => [true, 'files', 2]),
        );
      }),
    );
  });
});
