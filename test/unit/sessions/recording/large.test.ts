/** A large recording is listed, opened at a point, filtered and searched by a process that could not hold it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RecordingHeader } from '../../../../daemon/api/recordings.ts';
import type { LineItems } from '../../../../daemon/sessions/recording/line-maker.ts';
import { SegmentWriter } from '../../../../daemon/sessions/recording/segment-writer.ts';
import { Redactor } from '../../../../daemon/sessions/redaction/redactor.ts';
import { finish } from '../../../fixtures/daemon.ts';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const BYTES = FULL ? 1024 ** 3 : 40 * 1024 ** 2;
/** Of the reader's JavaScript heap. */
const HEAP_MIB = FULL ? 256 : 64;
const READER = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'recording-reader.ts');
const BATCH = 1000;

interface Found {
  readonly frames: number;
  readonly bytes: number;
  readonly first: number;
  readonly rows: number;
  readonly filtered: number;
  readonly searched: readonly number[];
  readonly rss: number;
  readonly took: Readonly<Record<string, number>>;
}

describe('a large recording', () => {
  it('is read in bounded memory', { timeout: FULL ? 600_000 : 60_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sbx-large-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const header: RecordingHeader = {
      signalbox: 'recording',
      version: 1,
      id: 'large',
      createdAt: '2026-01-02T03:04:05.000Z',
      segment: 1,
      writer: { name: 'signalbox', version: '0' },
      filter: {},
      redaction: { rules: [], prefix: '[redacted:' },
    };
    const writer = new SegmentWriter({
      folder: join(folder, 'large'),
      header,
      redactor: new Redactor({ key: new Uint8Array(32), secrets: [], rules: {} }),
    });
    const open = (c: string, client: string): LineItems => [
      JSON.stringify({ k: 'open', t: 0, c, edge: 'client', transport: 'bridge', session: `s-${c}`, client }),
      null,
    ];
    writer.append([...open('c1', 'busy'), ...open('c2', 'rare')]);
    let n = 0;
    const line = (c: string, d: string, call: number, message: object): LineItems => {
      n += 1;
      return [
        `{"k":"frame","n":${n},"t":${n / 10},"c":"${c}","d":"${d}","era":"legacy","bytes":400,"call":${call}`,
        JSON.stringify({ jsonrpc: '2.0', ...message }),
      ];
    };
    const needles: number[] = [];
    while (writer.summary().bytes < BYTES) {
      const items: LineItems = [];
      for (let at = 0; at < BATCH; at++) {
        const c = at === 0 && n % 10_000 < BATCH ? 'c2' : 'c1';
        const id = n + 1;
        items.push(
          ...line(c, 'in', id, {
            id,
            method: 'tools/call',
            params: { name: 'fs__read', arguments: { path: `/project/src/file-${id}.ts`, line: id } },
          }),
        );
        const needle = n > needles.length * 50_000 + 7000;
        if (needle) needles.push(n + 1);
        const text = `${'The quick brown fox jumps over the lazy dog. '.repeat(10)}${needle ? 'a Needle in the Hay' : ''}${id}`;
        items.push(...line(c, 'out', id, { id, result: { content: [{ type: 'text', text }] } }));
      }
      writer.append(items);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writer.end(new Date(Date.parse(header.createdAt) + n));
    const point = Math.floor(n * 0.7);
    const args = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${HEAP_MIB}`, READER, folder, String(point)];
    const { code, stdout, stderr } = await finish(process.execPath, args, { cwd: folder, env: {}, timeoutMs: FULL ? 500_000 : 50_000 });
    assert.equal(code, 0, stderr);
    const found = JSON.parse(stdout) as Found;
    t.diagnostic(
      `${(found.bytes / 1e6).toFixed(0)} MB, ${found.frames} frames: ${JSON.stringify(found.took)} ms, ${(found.rss / 1e6).toFixed(0)} MB resident`,
    );
    assert.deepEqual([found.frames, found.first, found.rows], [n, point + 1, 50]);
    assert.ok(found.bytes >= BYTES);
    assert.equal(found.filtered, Math.min(100, 2 * Math.ceil(n / 10_000)));
    assert.deepEqual(found.searched, needles.slice(0, 100));
  });
});
