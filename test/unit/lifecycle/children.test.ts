import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ChildRegistry, type ManagedChild } from '../../../daemon/lifecycle/children.ts';
import { processStart } from '../../../daemon/lifecycle/process-identity.ts';
import { ended, kill, lineReader, runs, temporaryFolder, temporaryPaths, until } from './fixtures/processes.ts';

const PARENT = join(import.meta.dirname, 'fixtures', 'parent.ts');
const env = { PATH: '/usr/bin:/bin' };
const posix = { skip: process.platform === 'win32', timeout: 60_000 };

function registryOf(t: TestContext, childrenDir = temporaryPaths(t).childrenDir): { registry: ChildRegistry; childrenDir: string } {
  const registry = new ChildRegistry(childrenDir, { stdinMs: 200, termMs: 200 });
  t.after(() => registry.close());
  return { registry, childrenDir };
}

function shell(registry: ChildRegistry, script: string, extraPipes = 0): ManagedChild {
  return registry.spawn({ command: 'sh', args: ['-c', script], env, cwd: '/', extraPipes });
}

async function firstLine(child: ManagedChild): Promise<string> {
  const [text] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return text.trim();
}

/** A process in a group of its own, as a killed daemon leaves one. */
async function leftBehind(t: TestContext, command: readonly string[]): Promise<number> {
  const child = spawn(command[0] ?? '', command.slice(1), { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) await kill(child);
  });
  return child.pid ?? 0;
}

test('the environment is exactly the given one, and fd 3 and 4 are pipes', posix, async (t) => {
  const { registry } = registryOf(t);
  const child = shell(registry, 'read -r line <&3; echo "audit $line" >&4; env | sort', 2);
  child.pipes[0]?.end('settings\n');
  const audit = child.pipes[1]?.setEncoding('utf8');
  assert.ok(audit);
  assert.deepEqual(await once(audit, 'data'), ['audit settings\n']);
  const names = (await firstLine(child)).split('\n').map((line) => line.split('=')[0]);
  assert.deepEqual(
    names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name ?? '')),
    ['PATH'],
  );
  assert.deepEqual(await child.exited, { code: 0, signal: null });
});

test('ends politely on the end of its input', posix, async (t) => {
  const { registry, childrenDir } = registryOf(t);
  const child = shell(registry, 'trap "exit 9" TERM; cat; exit 3');
  await child.end();
  assert.deepEqual(await child.exited, { code: 3, signal: null });
  assert.deepEqual(registry.pids, []);
  assert.deepEqual(existsSync(childrenDir) ? readdirSync(childrenDir) : [], []);
});

test('then SIGTERM, then SIGKILL, each to the whole group', posix, async (t) => {
  const { registry } = registryOf(t);
  const polite = shell(registry, 'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done');
  assert.equal(await firstLine(polite), 'up');
  await polite.end();
  assert.deepEqual(await polite.exited, { code: 9, signal: null });

  const stubborn = shell(registry, `trap '' TERM; sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & while :; do sleep 1; done`);
  const grandchild = Number(await firstLine(stubborn));
  assert.ok(runs(grandchild));
  await Promise.all([stubborn.end(), stubborn.end()]);
  assert.deepEqual(await stubborn.exited, { code: null, signal: 'SIGKILL' });
  await ended(stubborn.pid, grandchild);
});

test('what a child leaves behind ends with it', posix, async (t) => {
  const { registry } = registryOf(t);
  const child = shell(registry, 'sleep 600 & echo $!');
  const grandchild = Number(await firstLine(child));
  await child.exited;
  await ended(grandchild);
});

test('a killed daemon leaves no process, however stubborn', posix, async (t) => {
  const { childrenDir } = registryOf(t);
  const parent = spawn(process.execPath, [PARENT, childrenDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { child, grandchild } = JSON.parse(await lineReader(parent)()) as { child: number; grandchild: number };
  assert.ok(runs(child) && runs(grandchild));
  await kill(parent);
  await ended(child, grandchild);
});

test('a killed guardian is replaced and knows the groups again', posix, async (t) => {
  const { childrenDir } = registryOf(t);
  const parent = spawn(process.execPath, [PARENT, childrenDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { child, grandchild } = JSON.parse(await lineReader(parent)()) as { child: number; grandchild: number };
  const guardians = (): number[] => childrenOf(parent.pid ?? 0).filter((pid) => pid !== child);
  const [guardian] = guardians();
  assert.ok(guardian);
  process.kill(guardian, 'SIGKILL');
  await ended(guardian);
  await until(() => guardians().some((pid) => pid !== guardian && runs(pid)));
  await kill(parent);
  await ended(child, grandchild);
});

test('the reaper ends a recorded process, and forgets it', posix, async (t) => {
  const { registry, childrenDir } = registryOf(t);
  const pid = await leftBehind(t, ['sleep', '600']);
  mkdirSync(childrenDir, { recursive: true });
  writeFileSync(join(childrenDir, `${pid}.json`), JSON.stringify({ pid, start: await processStart(pid), command: 'sleep' }));
  assert.equal(await registry.reap(), 1);
  await ended(pid);
  assert.deepEqual(readdirSync(childrenDir), []);
});

test('a recycled pid, a damaged record and pid 1 are left alone', posix, async (t) => {
  const { registry, childrenDir } = registryOf(t);
  const pid = await leftBehind(t, ['sleep', '600']);
  mkdirSync(childrenDir, { recursive: true });
  writeFileSync(
    join(childrenDir, `${pid}.json`),
    JSON.stringify({ pid, start: 'of the process that had the pid before', command: 'sleep' }),
  );
  writeFileSync(join(childrenDir, '1.json'), JSON.stringify({ pid: 1, start: await processStart(1), command: 'init' }));
  writeFileSync(join(childrenDir, '2.json'), '{"pid": ');
  assert.equal(await registry.reap(), 0);
  assert.ok(runs(pid));
  assert.deepEqual(readdirSync(childrenDir), []);
});

test('the reaper leaves the children of this daemon alone', posix, async (t) => {
  const { registry, childrenDir } = registryOf(t);
  const child = shell(registry, 'echo up; cat');
  await firstLine(child);
  await until(() => existsSync(join(childrenDir, `${child.pid}.json`)));
  assert.equal(await registry.reap(), 0);
  assert.ok(runs(child.pid));
  assert.deepEqual(readdirSync(childrenDir), [`${child.pid}.json`]);
});

test('a missing command, a missing folder, a program without its interpreter', posix, (t) => {
  const { registry } = registryOf(t);
  const folder = temporaryFolder(t);
  const bad = join(folder, 'bad');
  writeFileSync(bad, '#!/no/such/interpreter\n', { mode: 0o755 });
  const attempts = [
    { command: 'no-such-command', cwd: '/' },
    { command: 'sh', cwd: join(folder, 'missing') },
    { command: bad, cwd: '/' },
  ];
  for (const attempt of attempts) assert.throws(() => registry.spawn({ ...attempt, args: [], env }), { code: 'SBX_SERVER_COMMAND' });
  assert.deepEqual(registry.pids, []);
});

function childrenOf(pid: number): number[] {
  const tasks = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return tasks.trim().split(/\s+/).filter(Boolean).map(Number);
}
