import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { acquireOwnership } from '../../../daemon/lifecycle/ownership.ts';
import { kill, lineReader, temporaryFolder, temporaryPaths } from './fixtures/processes.ts';

const CONTENDER = join(import.meta.dirname, 'fixtures', 'contender.ts');

interface Contender {
  readonly process: ChildProcess;
  say(command: 'acquire' | 'release' | 'forget'): Promise<string>;
}

function contender(t: TestContext, stateDir: string): Contender {
  const child = spawn(process.execPath, ['--expose-gc', CONTENDER, stateDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const line = lineReader(child);
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin.end();
    await once(child, 'exit');
  });
  return {
    process: child,
    say: (command) => {
      child.stdin.write(`${command}\n`);
      return line();
    },
  };
}

test('six processes at once: exactly one owner, in every round', { timeout: 60_000 }, async (t) => {
  const { stateDir } = temporaryPaths(t);
  const contenders = Array.from({ length: 6 }, () => contender(t, stateDir));
  await Promise.all(contenders.map(({ say }) => say('release'))); // all are up
  for (let round = 0; round < 8; round++) {
    const outcomes = await Promise.all(contenders.map(({ say }) => say('acquire')));
    assert.deepEqual(outcomes.toSorted(), ['lost', 'lost', 'lost', 'lost', 'lost', 'owner'], `round ${round}`);
    await Promise.all(contenders.map(({ say }) => say('release')));
  }
});

test('a killed owner is no owner any more', { timeout: 60_000 }, async (t) => {
  const { stateDir } = temporaryPaths(t);
  const [first, second] = [contender(t, stateDir), contender(t, stateDir)];
  assert.equal(await first.say('acquire'), 'owner');
  assert.equal(await second.say('acquire'), 'lost');
  await kill(first.process);
  assert.equal(await second.say('acquire'), 'owner');
});

test('an ownership nobody refers to is not collected as garbage', { timeout: 60_000 }, async (t) => {
  const { stateDir } = temporaryPaths(t);
  const [first, second] = [contender(t, stateDir), contender(t, stateDir)];
  assert.equal(await first.say('acquire'), 'owner');
  assert.equal(await first.say('forget'), 'forgotten');
  assert.equal(await second.say('acquire'), 'lost');
});

test('held within one process too, and released once', (t) => {
  const paths = temporaryPaths(t);
  const ownership = acquireOwnership(paths);
  assert.ok(ownership);
  assert.equal(acquireOwnership(paths), undefined);
  ownership.release();
  ownership.release();
  acquireOwnership(paths)?.release();
  assert.equal(statSync(paths.stateDir).mode & 0o777, 0o700);
});

test('a state folder that is a link is refused', (t) => {
  const folder = temporaryFolder(t);
  const stateDir = join(folder, 'link');
  symlinkSync(temporaryFolder(t), stateDir);
  assert.throws(() => acquireOwnership({ stateDir, ownerDb: join(stateDir, 'owner.db') }), { code: 'SBX_STATE_INSECURE' });
});
