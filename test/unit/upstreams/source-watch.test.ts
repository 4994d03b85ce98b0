import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { baseOf, watchSources } from '../../../daemon/upstreams/source-watch.ts';
import { eventually } from '../../fixtures/process-tree.ts';

async function watched(t: TestContext, cwd: string, ...globs: string[]): Promise<() => number> {
  let changes = 0;
  const sources = watchSources({
    globs,
    cwd,
    onChange: () => {
      changes += 1;
    },
    onFault: (error) => assert.fail(String(error)),
  });
  t.after(() => sources.close());
  await sources.ready;
  return () => changes;
}

describe('watchSources', () => {
  it('calls for what matches, once for many files, and for nothing else', async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), 'signalbox-watch-'));
    t.after(() => rmSync(cwd, { recursive: true, force: true }));
    for (const folder of ['src/deep', 'lib', 'src/node_modules/x']) mkdirSync(join(cwd, folder), { recursive: true });
    const write = (...files: string[]): void => {
      for (const file of files) writeFileSync(join(cwd, file), String(Math.random()));
    };
    const wanted = await watched(t, cwd, 'src/**/*.{js,ts}', 'lib', join(cwd, 'one.json'));
    // Sees everything: when it has called, the other one had its chance.
    const all = await watched(t, cwd, '**');
    const seen: number[] = [];
    const seenAfter = async (...files: string[]): Promise<void> => {
      const before = all();
      write(...files);
      await eventually('the change is seen', () => all() > before);
    };
    await seenAfter('src/x.txt', 'other.json', 'one.json.tmp');
    await seenAfter('src/x.txt');
    seen.push(wanted());
    for (const files of [['src/a.js', 'src/deep/b.ts', 'src/deep/c.js'], ['lib/whatever'], ['one.json']]) {
      const before = wanted();
      write(...files);
      await eventually(`${files.join()} is seen`, () => wanted() > before);
      seen.push(wanted());
    }
    const before = all();
    write('src/node_modules/x/a.js');
    await seenAfter('src/x.txt');
    assert.ok(all() > before);
    seen.push(wanted());
    assert.deepEqual(seen, [0, 1, 2, 3, 3]);
  });

  it('watches from the folder before the first wildcard', () => {
    assert.equal(baseOf('/a/src/**/*.js'), '/a/src');
    assert.equal(baseOf('/a/{b,c}/x.js'), '/a');
    assert.equal(baseOf('/a/b.json'), '/a/b.json');
    assert.equal(baseOf('/*.js'), '/');
  });
});
