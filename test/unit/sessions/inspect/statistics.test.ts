import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameLine, RecordingLine } from '../../../../daemon/api/recordings.ts';
import { Percentiles } from '../../../../daemon/sessions/inspect/percentiles.ts';
import { recordingStatistics, type Statistics } from '../../../../daemon/sessions/inspect/statistics.ts';

const CLIENT: RecordingLine = { k: 'open', t: 0, c: 'c1', edge: 'client', transport: 'bridge', session: 's1', client: 'test' };
const SERVER: RecordingLine = { k: 'open', t: 0, c: 's1', edge: 'server', transport: 'stdio', server: 'fs' };

/** A call at both edges. */
function call(n: number, t: number, ms: number, name: string, result: object): readonly RecordingLine[] {
  const request = { jsonrpc: '2.0', id: n, method: 'tools/call', params: { name: `fs__${name}`, arguments: {} } };
  const frame = (at: number, c: string, d: 'in' | 'out', number: number, m: object, bytes: number): FrameLine => ({
    k: 'frame',
    n: number,
    t: at,
    c,
    d,
    call: n,
    bytes,
    m,
  });
  return [
    frame(t, 'c1', 'in', n, request, 100),
    frame(t, 's1', 'out', n + 1, { ...request, id: n + 7, params: { name, arguments: {} } }, 90),
    frame(t + ms - 1, 's1', 'in', n + 2, { jsonrpc: '2.0', id: n + 7, ...result }, 200),
    frame(t + ms, 'c1', 'out', n + 3, { jsonrpc: '2.0', id: n, ...result }, 210),
  ];
}
const text = (value: string): object => ({ result: { content: [{ type: 'text', text: value }] } });

async function statistics(lines: readonly RecordingLine[], server?: string): Promise<Statistics> {
  async function* all(): AsyncGenerator<RecordingLine> {
    yield* lines;
  }
  return recordingStatistics(all(), async ({ m }) => m ?? {}, { server });
}

test('per tool: count, errors, percentiles, bytes, tokens, and which server it went to', async () => {
  const lines = [
    CLIENT,
    SERVER,
    ...call(10, 0, 10, 'read', text('x'.repeat(400))),
    ...call(20, 100, 30, 'read', text('x'.repeat(40))),
    ...call(30, 200, 5, 'write', { error: { code: -32602, message: 'no' } }),
  ];
  assert.deepEqual((await statistics(lines)).tools, [
    { server: 'fs', name: 'fs__read', count: 2, errors: 0, p50: 10, p99: 30, bytesIn: 200, bytesOut: 420, tokens: 110 },
    { server: 'fs', name: 'fs__write', count: 1, errors: 1, p50: 5, p99: 5, bytesIn: 100, bytesOut: 210, tokens: 0 },
  ]);
  const [read] = (await statistics(lines, 'fs')).tools;
  assert.deepEqual([read?.name, read?.count, read?.p99, read?.bytesOut], ['read', 2, 29, 400], 'the edge of the server');
  assert.deepEqual((await statistics(lines, 'other')).tools, []);
});

test('a list counts with its last pages together', async () => {
  const page = (n: number, params: object, result: object): readonly RecordingLine[] => [
    { k: 'frame', n, t: n, c: 'c1', d: 'in', bytes: 50, m: { jsonrpc: '2.0', id: n, method: 'tools/list', params } },
    { k: 'frame', n: n + 1, t: n + 1, c: 'c1', d: 'out', bytes: 1000, m: { jsonrpc: '2.0', id: n, result } },
  ];
  const lines = [
    CLIENT,
    ...page(1, {}, { tools: [{ name: 'old' }] }),
    ...page(3, {}, { tools: [{ name: 'abcd' }], nextCursor: 'x' }),
    ...page(5, { cursor: 'x' }, { tools: [{ name: 'efgh' }] }),
  ];
  const size = Math.ceil(JSON.stringify({ tools: [{ name: 'abcd' }] }).length / 4);
  assert.deepEqual((await statistics(lines)).lists, [{ method: 'tools/list', bytes: 2000, tokens: 2 * size }]);
});

test('requests that are never answered do not fill the memory, nor the same ids of other sessions the figures', async () => {
  const lines: RecordingLine[] = [CLIENT, { ...CLIENT, c: 'c2', session: 's2' }];
  for (let n = 1; n <= 60_000; n++)
    lines.push({ k: 'frame', n, t: n, c: 'c1', d: 'in', bytes: 1, m: { jsonrpc: '2.0', id: n, method: 'ping' } });
  lines.push({ k: 'frame', n: 60_001, t: 60_001, c: 'c2', d: 'out', bytes: 1, m: { jsonrpc: '2.0', id: 60_000, result: {} } });
  lines.push({ k: 'frame', n: 60_002, t: 60_002, c: 'c1', d: 'out', bytes: 1, m: { jsonrpc: '2.0', id: 1, result: {} } });
  assert.deepEqual((await statistics(lines)).tools, [], 'the first was given up, the answer of another session is not ours');
  lines.push({ k: 'frame', n: 60_003, t: 60_003, c: 'c1', d: 'out', bytes: 1, m: { jsonrpc: '2.0', id: 60_000, result: {} } });
  assert.deepEqual(
    (await statistics(lines)).tools.map(({ name, count, p50 }) => [name, count, p50]),
    [['ping', 1, 3]],
  );
});

test('percentiles of many values are within one per cent', () => {
  const values = new Percentiles();
  for (let value = 1; value <= 100_000; value++) values.add(value / 10);
  for (const share of [0.5, 0.9, 0.99]) assert.ok(Math.abs(values.at(share) / (share * 10_000) - 1) < 0.011, String(values.at(share)));
  const few = new Percentiles();
  for (const value of [5, 1, 3]) few.add(value);
  assert.deepEqual([few.at(0.5), few.at(0.99), new Percentiles().at(0.5)], [3, 5, 0]);
});
