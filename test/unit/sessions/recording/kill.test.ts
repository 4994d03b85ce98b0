/** kill -9 while 10 000 frames a second are recorded: the file opens, what was older than 10 ms is there, the gap is marked. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { FrameLine, RecordingLine } from '../../../../daemon/api/recordings.ts';
import { linesOf, recorderFixture, schemaErrors } from '../../../fixtures/recorder.ts';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
/** Rounds in which the machine lets the process run: so many must lose no more than allowed … */
const GOOD = FULL ? 20 : 2;
/** … within so many: a machine that stops the process (this one may run other tests) keeps it from writing. */
const ROUNDS = FULL ? 200 : 24;
const PROCESS = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'recording-process.ts');
/** What the issue allows a kill to cost. */
const MAY_LOSE_MS = 10;

interface Round {
  /** Milliseconds between the last frame on the disk and the last one put on the tap. */
  readonly lostMs: number;
  readonly lost: number;
  readonly frames: number;
}

async function round(afterMs: number, size: number): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'sbx-kill-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROCESS, '10000', String(size), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  try {
    const limit = AbortSignal.timeout(30_000);
    while (Number(/(\d+) \S+\n$/.exec(out)?.[1] ?? 0) < afterMs * 10) {
      limit.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill('SIGKILL');
    await once(child, 'close');
    const [head = '', ...told] = out.split('\n').slice(0, -1);
    const { id } = JSON.parse(head) as { id: string };
    const [sent = 0, at = 0] = (told.at(-1) ?? '').split(' ').map(Number);
    const next = recorderFixture({}, folder);
    try {
      // the dead process's segment, as a reader sees it before anybody mended it, then mended and gone on with
      const lines = await linesOf(next.store, id);
      await next.recorder.stop(id);
      const ended = await linesOf(next.store, id);
      const frames = lines.filter((line): line is FrameLine => line.k === 'frame');
      const numbers = frames.map(({ m }) => (m as { params: { sent: number } }).params.sent);
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index + 1),
        'nothing is missing in the middle',
      );
      assert.equal(ended.filter((line: RecordingLine) => line.k === 'gap').length, 1, 'the gap is marked');
      assert.equal(ended.at(-1)?.k, 'end');
      assert.deepEqual(await schemaErrors(join(folder, id)), []);
      const newest = (frames.at(-1)?.m as { params: { at: number } } | undefined)?.params.at ?? 0;
      const lost = sent - (numbers.at(-1) ?? 0);
      return { lostMs: lost <= 0 ? 0 : at - newest, lost: Math.max(0, lost), frames: numbers.length };
    } finally {
      await next.close();
    }
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('kill -9 while recording', () => {
  it('loses the last 10 ms at most, and says so', { timeout: FULL ? 600_000 : 60_000 }, async (t) => {
    let good = 0;
    for (let number = 0; number < ROUNDS && good < GOOD; number++) {
      const { lostMs, lost, frames } = await round(100 + (number % 7) * 61, number % 2 === 0 ? 200 : 2000);
      t.diagnostic(`${frames} frames written, ${lost} lost: the last ${lostMs.toFixed(1)} ms`);
      if (lostMs <= MAY_LOSE_MS) good += 1;
    }
    assert.equal(good, GOOD, `rounds that lost no more than ${MAY_LOSE_MS} ms`);
  });
});
