/**
 * A process beside the server swaps folders, files and links as fast as it can; nothing outside may be read or changed. design/guards.md:
 * the same against realpath-then-open let up to 30 % of the operations escape, which the control below shows on this very machine.
 * Tier full: 500 000 operations.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Area, openArea } from '../../../servers/filesystem/guard/area.ts';
import { makeFolder, moveEntry, replaceContent } from '../../../servers/filesystem/guard/change.ts';
import { readContent } from '../../../servers/filesystem/guard/content.ts';
import { discard } from '../../../servers/filesystem/guard/trash.ts';
import { files } from './session.ts';

const SECRET = 'SECRET-OUTSIDE';
const FULL = process.env['SIGNALBOX_FULL'] === '1' || process.env['SIGNALBOX_TEST_TIER'] === 'full';
const OPERATIONS = FULL ? 600_000 : 60_000;
const linux = process.platform === 'linux' ? {} : { skip: 'only Linux has a guard that cannot be raced (docs/filesystem.md)' };

describe('filesystem race', linux, () => {
  let base: string;
  let root: string;
  let outside: string;
  let attacker: ChildProcessWithoutNullStreams;
  let area: Area;
  before(async () => {
    // In memory: a disk that syncs would let the attacker swap once for each of our writes, not a thousand times.
    base = realpathSync(mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sbx-race-')));
    root = join(base, 'area');
    outside = join(base, 'outside');
    for (const folder of [join(root, 'swap', 'deep'), join(root, 'mv'), join(outside, 'deep')]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(root, 'swap', 'f.txt'), 'inside');
    writeFileSync(join(root, 'swap', 'deep', 'f.txt'), 'inside');
    writeFileSync(join(root, 'leaf.txt'), 'inside');
    writeFileSync(join(root, 'victim.txt'), 'inside');
    for (const path of ['f.txt', 'deep/f.txt', 'secret.txt', 'secret-name']) writeFileSync(join(outside, path), SECRET);
    symlinkSync('../outside', join(root, 'swap.link'));
    symlinkSync('../outside/secret.txt', join(root, 'leaf.link'));
    symlinkSync('swap', join(root, 'hop'));
    symlinkSync(`${root}/swap/deep`, join(root, 'far'));
    symlinkSync('../outside', join(root, 'hop.link'));
    execFileSync('mkfifo', [join(root, 'victim.fifo')]);
    mkdirSync(join(outside, 'mv.other'));
    area = openArea([{ path: root, access: 'write' }]);
    attacker = await startAttacker(base, root, outside);
  });
  after(() => {
    area.close();
    attacker.kill('SIGKILL');
    rmSync(base, { recursive: true, force: true });
  });

  it('escapes from a guard that resolves first and opens then (the attack works)', () => {
    let escapes = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      try {
        const real = realpathSync(join(root, 'swap', 'f.txt'));
        if (real.startsWith(`${root}/`) && readFileSync(real, 'utf8') === SECRET) escapes++;
      } catch {
        // The name was missing for a moment.
      }
    }
    assert.ok(escapes > 0, 'the attacker must be able to win against a weaker guard');
  });

  it(`reads, writes, makes, moves and deletes ${OPERATIONS} times without an escape`, async (test) => {
    const counts = { done: 0, refused: 0 };
    const kept = snapshot(outside);
    for (let turn = 0; turn < OPERATIONS; turn++) {
      try {
        operate(area, turn);
        counts.done++;
      } catch (thrown) {
        if ((thrown as { code?: string }).code?.startsWith('SBX_FS_') !== true) throw thrown;
        counts.refused++;
      }
      if (turn % 5000 === 0) await new Promise((next) => setImmediate(next));
    }
    assert.deepEqual(snapshot(outside), kept);
    // The test must have hit both sides of the swaps, or it has tried nothing.
    assert.ok(counts.done > OPERATIONS / 20 && counts.refused > OPERATIONS / 20, JSON.stringify(counts));
    test.diagnostic(`result: ${OPERATIONS} raced operations, ${counts.done} done, ${counts.refused} refused, 0 escapes`);
  });

  it('holds over MCP', async () => {
    const kept = snapshot(outside);
    const server = await files({ roots: [root], access: 'write' });
    try {
      for (let turn = 0; turn < (FULL ? 400 : 60); turn++) {
        const answers = await Promise.all([
          server.call('read_text_file', { path: 'swap/f.txt' }),
          server.call('read_text_file', { path: 'hop/deep/f.txt', tail: 1 }),
          server.call('read_text_file', { path: 'leaf.txt' }),
          server.call('list_directory', { path: 'swap' }),
          server.call('directory_tree', { path: '.' }),
          server.call('search_content', { path: '.', pattern: 'SECRET' }),
          server.call('search_files', { path: '.', pattern: 'secret*' }),
          server.call('write_file', { path: `swap/mcp-${turn}.txt`, content: 'x' }),
          server.call('create_directory', { path: `swap/mcp/${turn}/x` }),
          server.call('copy_file', { source: 'swap', destination: `copy-${turn}` }),
          server.call('delete_file', { path: 'swap/mcp', recursive: true }),
          server.call('hash_file', { path: 'leaf.txt' }),
        ]);
        for (const answer of answers) assert.doesNotMatch(JSON.stringify(answer.content), /SECRET-OUTSIDE|secret-name/);
      }
    } finally {
      await server.close();
    }
    assert.deepEqual(snapshot(outside), kept);
  });

  it('was under attack all the time', async () => {
    const swaps = new Promise<number>((done) => attacker.stdout.once('data', (text: Buffer) => done(Number(text.toString()))));
    attacker.stdin.end();
    assert.ok((await swaps) > 10_000);
  });
});

const READS = [
  'swap/f.txt',
  'swap/deep/f.txt',
  'leaf.txt',
  'hop/f.txt',
  'far/f.txt',
  'mv/../secret.txt',
  'swap/../swap/f.txt',
  'victim.txt',
];

function operate(area: Area, turn: number): void {
  const kind = turn % 16;
  if (kind < 8) {
    const { place } = area.locate(READS[kind] ?? '', 'read');
    try {
      const text = readContent(place, 1000).toString('utf8');
      assert.ok(!text.includes(SECRET), `read ${text} through ${READS[kind]}`);
    } finally {
      place.close();
    }
    return;
  }
  const name = `n${Math.floor(turn / 16) % 50}`;
  switch (kind) {
    case 8:
      return using(area, `swap/${name}.txt`, 'write', (place) => void replaceContent(place, Buffer.from('pwned')));
    case 9:
      return using(area, 'leaf.txt', 'write', (place) => void replaceContent(place, Buffer.from('inside')));
    case 10:
      return using(area, `hop/${name}.dir`, 'create', makeFolder);
    case 11:
      return using(area, 'swap', 'read', (place) => assert.ok(!readdirSync(place.ref).includes('secret-name')));
    case 12:
      return using(area, `swap/${name}.txt`, 'entry', (place) =>
        using(area, `far/${name}-moved.txt`, 'create', (target) => moveEntry(place, target)),
      );
    case 13:
      return using(area, `far/${name}-moved.txt`, 'entry', (place) => void discard(rootOf(area), place));
    case 14:
      return using(area, 'victim.txt', 'write', (place) => void replaceContent(place, Buffer.from('inside')));
    default:
      return using(area, `swap/${name}.txt`, 'write', (place) => void replaceContent(place, Buffer.from('pwned again')));
  }
}

type Locate = Parameters<Area['locate']>[1];
type Place = ReturnType<Area['locate']>['place'];

function using(area: Area, path: string, purpose: Locate, use: (place: Place) => void): void {
  const { place } = area.locate(path, purpose);
  try {
    use(place);
  } finally {
    place.close();
  }
}

function rootOf(area: Area): ReturnType<Area['rootOf']> {
  const [root] = area.roots;
  assert.ok(root !== undefined);
  return area.rootOf(root);
}

/** Everything outside but the folder that comes and goes. */
function snapshot(outside: string): string[] {
  return readdirSync(outside, { recursive: true, withFileTypes: true })
    .filter((entry) => !`${entry.parentPath}/${entry.name}`.includes('mv.other'))
    .map((entry) => `${entry.parentPath}/${entry.name} ${entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'utf8') : ''}`)
    .sort();
}

async function startAttacker(base: string, root: string, outside: string): Promise<ChildProcessWithoutNullStreams> {
  const pairs = [
    [join(root, 'swap'), join(root, 'swap.link')],
    [join(root, 'leaf.txt'), join(root, 'leaf.link')],
    [join(root, 'mv'), join(outside, 'mv.other')],
    [join(root, 'hop'), join(root, 'hop.link')],
    [join(root, 'victim.txt'), join(root, 'victim.fifo')],
  ].flat();
  const source = fileURLToPath(new URL('./fixtures/swapper.c', import.meta.url));
  const binary = join(base, 'swapper');
  let child: ChildProcessWithoutNullStreams;
  try {
    execFileSync('cc', ['-O2', '-o', binary, source], { stdio: 'ignore' });
    child = spawn(binary, pairs);
  } catch {
    child = spawn(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('./fixtures/swapper.ts', import.meta.url)),
      ...pairs,
    ]);
  }
  await new Promise((ready) => child.stdout.once('data', ready));
  return child;
}
