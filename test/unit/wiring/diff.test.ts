import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { unifiedDiff } from '../../../daemon/wiring/diff.ts';

const SAMPLES: readonly [string, string][] = [
  ['{}\n', '{\n  "a": 1\n}\n'],
  ['a\nb\nc\nd\ne\nf\ng\nh\n', 'a\nb\nc\nd\nX\ne\nf\ng\nh\n'],
  ['a\nb\nc\nd\ne\nf\n', 'a\nf\n'],
  ['one\nlast', 'one\nlast\nmore\n'],
];

for (const [before, after] of SAMPLES) {
  it(`git applies the diff of ${JSON.stringify(before)}`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'sbx-diff-'));
    try {
      writeFileSync(join(dir, 'f'), before);
      execFileSync('git', ['apply', '--unidiff-zero', '-p0', '-'], {
        cwd: dir,
        input: unifiedDiff('f', before, after),
        env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
      });
      assert.equal(readFileSync(join(dir, 'f'), 'utf8'), after);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

it('is empty when nothing changes, and names /dev/null for a file that is not there', () => {
  assert.equal(unifiedDiff('f', 'a\n', 'a\n'), '');
  assert.match(unifiedDiff('f', undefined, 'a\n'), /^--- \/dev\/null\n\+\+\+ f\n@@ -0,0 \+1,1 @@\n\+a\n$/);
});
