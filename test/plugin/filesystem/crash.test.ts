/** A writer killed with SIGKILL at any moment leaves the old or the new content, never less. Tier full: 1000 kills. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openArea } from '../../../servers/filesystem/guard/area.ts';

const KILLS = process.env['SIGNALBOX_FULL'] === '1' || process.env['SIGNALBOX_TEST_TIER'] === 'full' ? 1000 : 40;
const BYTES = 300_000;

it(`a write killed at any point leaves the old or the new content (${KILLS} kills)`, {
  skip: process.platform === 'win32',
}, async (test) => {
  const root = realpathSync(mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sbx-crash-')));
  try {
    writeFileSync(join(root, 'file.txt'), Buffer.alloc(BYTES, 'A'));
    const writer = fileURLToPath(new URL('./fixtures/writer.ts', import.meta.url));
    const seen = { A: 0, B: 0, left: 0 };
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, root, String(BYTES)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise((done) => child.on('close', done));
      await new Promise((ready) => child.stdout.once('data', ready));
      // Anywhere between the first and some dozen writes.
      const wait = Math.random() * 8;
      for (const start = performance.now(); performance.now() - start < wait; );
      child.kill('SIGKILL');
      await ended;
      const text = readFileSync(join(root, 'file.txt'), 'utf8');
      assert.equal(text.length, BYTES);
      assert.ok(text === 'A'.repeat(BYTES) || text === 'B'.repeat(BYTES), 'a mixture');
      seen[text.charAt(0) as 'A' | 'B']++;
    }
    // What was being written is left beside it, under a name the tools neither show nor read.
    const leftovers = readdirSync(root).filter((name) => name !== 'file.txt');
    seen.left = leftovers.length;
    const area = openArea([{ path: root, access: 'read' }]);
    const [opened] = area.roots;
    assert.ok(opened !== undefined);
    for (const name of leftovers) assert.ok(/^\.sbx-.*\.tmp$/.test(name) && !area.visible(opened, name, false), name);
    area.close();
    test.diagnostic(`result: ${KILLS} kills, whole content each time (${JSON.stringify(seen)})`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
