/** Large and strange things: a clear error or a right answer, never a hang. Tier full: a line of 1 GB, 200 000 entries. */
import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Files, files } from './session.ts';

const FULL = process.env['SIGNALBOX_FULL'] === '1' || process.env['SIGNALBOX_TEST_TIER'] === 'full';
const LINE = FULL ? 1024 ** 3 : 128 * 1024 ** 2;
const ENTRIES = FULL ? 200_000 : 30_000;

describe('filesystem, large and strange', { skip: process.platform !== 'linux' }, () => {
  let root: string;
  let server: Files;
  before(async () => {
    root = realpathSync(mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sbx-odd-')));
    server = await files({ roots: [root], access: 'write' });
  });
  after(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });
  const read = (args: Record<string, unknown>) => server.call('read_text_file', args);
  /** Peak memory of the server, in bytes. */
  const peak = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) * 1024;

  it('a file of 10 GB by ranges, in constant memory', async () => {
    const path = join(root, 'ten.log');
    writeFileSync(path, 'first\nsecond\n');
    truncateSync(path, 10 * 1024 ** 3);
    const fd = openSync(path, 'r+');
    writeSync(fd, '\nthe middle\n', 5 * 1024 ** 3);
    writeSync(fd, '\nlast but one\nlast\n', 10 * 1024 ** 3);
    closeSync(fd);
    // The first call loads the server; what it needs for that is not what is measured.
    await server.call('list_allowed_directories');
    const before = peak();
    assert.equal((await read({ path: 'ten.log' })).code, 'SBX_FS_TOO_LARGE');
    assert.equal((await read({ path: 'ten.log', head: 2 })).structured['content'], 'first\nsecond\n');
    assert.equal((await read({ path: 'ten.log', tail: 2 })).structured['content'], 'last but one\nlast\n');
    assert.equal((await read({ path: 'ten.log', offset: 5 * 1024 ** 3 + 1, length: 10 })).structured['content'], 'the middle');
    assert.equal((await read({ path: 'ten.log', startLine: 2, endLine: 2 })).structured['content'], 'second\n');
    // Every byte of 10 GB is passed over to count the lines.
    if (FULL) assert.equal((await read({ path: 'ten.log', startLine: 6, endLine: 6 })).structured['content'], 'last but one\n');
    // Passing over all of it leaves buffers for the collector; it does not grow with the file.
    assert.ok(peak() - before < (FULL ? 256 : 120) * 1024 ** 2, `${peak() - before} bytes more`);
    unlinkSync(path);
  });
  it('one line without an end', async () => {
    const path = join(root, 'line.txt');
    const fd = openSync(path, 'w');
    const chunk = Buffer.alloc(16 * 1024 ** 2, 'x');
    for (let done = 0; done < LINE; done += chunk.length) writeSync(fd, chunk);
    writeSync(fd, ' needle');
    closeSync(fd);
    const head = await read({ path: 'line.txt', head: 1 });
    assert.equal(head.structured['truncated'], true);
    assert.equal(head.structured['nextOffset'], 1024 ** 2);
    const tail = await read({ path: 'line.txt', tail: 1 });
    assert.equal(tail.structured['truncated'], true);
    assert.match(tail.text, /needle(?:\n\[cut.*)?$/);
    const found = await server.call('search_content', { path: '.', pattern: 'x needle' });
    assert.equal((found.structured['matches'] as unknown[]).length + Number(found.structured['skippedLarge']), 1);
    assert.ok(found.text.length < 2000);
    unlinkSync(path);
  });
  it(`${ENTRIES} entries in a folder, paged, sorted, found`, { timeout: 50_000 }, async () => {
    mkdirSync(join(root, 'many'));
    for (let at = 0; at < ENTRIES; at++) closeSync(openSync(join(root, 'many', `n${String(at).padStart(6, '0')}`), 'w'));
    const first = await server.call('list_directory', { path: 'many', limit: 10 });
    assert.equal(first.structured['total'], ENTRIES);
    assert.equal(first.structured['nextCursor'], '10');
    const last = await server.call('list_directory', { path: 'many', limit: 10, cursor: String(ENTRIES - 5) });
    assert.deepEqual((last.structured['entries'] as { name: string }[]).at(-1)?.name, `n${String(ENTRIES - 1).padStart(6, '0')}`);
    assert.equal(last.structured['nextCursor'], undefined);
    const name = `n${String(ENTRIES - 1).padStart(6, '0')}`;
    assert.equal((await server.call('search_files', { pattern: name })).text, `many/${name}`);
    assert.equal((await server.call('directory_tree', { path: 'many' })).structured['truncated'], true);
    assert.ok(!(await server.call('search_content', { path: 'many', pattern: 'x' })).isError);
    rmSync(join(root, 'many'), { recursive: true });
  });
  it('names that are not UTF-8, very long, very deep', async () => {
    mkdirSync(join(root, 'odd'));
    writeFileSync(Buffer.concat([Buffer.from(join(root, 'odd/')), Buffer.from([0x66, 0xff, 0xfe])]), 'x');
    writeFileSync(join(root, 'odd', 'é'.repeat(127)), 'long');
    const { entries } = (await server.call('list_directory', { path: 'odd' })).structured as {
      entries: { name: string; unreadable?: boolean }[];
    };
    assert.equal(entries.length, 2);
    assert.equal(entries.find((entry) => entry.name.startsWith('f'))?.unreadable, true);
    assert.equal((await read({ path: `odd/${'é'.repeat(127)}` })).text, 'long');
    assert.equal((await server.call('write_file', { path: `odd/${'x'.repeat(256)}`, content: '' })).code, 'SBX_FS_REFUSED');
    for (const tool of ['search_files', 'directory_tree', 'search_content'])
      assert.ok(
        !(await server.call(tool, tool === 'directory_tree' ? { path: 'odd' } : { path: 'odd', pattern: '*x*'.slice(1, 2) })).isError,
        tool,
      );
    const deep = Array.from({ length: 200 }, () => 'd').join('/');
    assert.ok(!(await server.call('create_directory', { path: deep })).isError);
    assert.ok(!(await server.call('write_file', { path: `${deep}/f.txt`, content: 'deep' })).isError);
    assert.equal((await read({ path: `${deep}/f.txt` })).text, 'deep');
    assert.match((await server.call('search_content', { pattern: 'deep', path: 'd' })).text, /f\.txt:1: deep/);
    assert.equal(
      (await server.call('create_directory', { path: Array.from({ length: 400 }, () => 'e').join('/') })).code,
      'SBX_FS_REFUSED',
    );
    assert.ok(!(await server.call('delete_file', { path: 'd', recursive: true })).isError);
  });
  it('a file that vanishes or shrinks while it is read', async () => {
    const path = join(root, 'going.bin');
    writeFileSync(path, 'x');
    truncateSync(path, 2 * 1024 ** 3);
    const hash = server.call('hash_file', { path: 'going.bin' });
    await server.call('list_allowed_directories');
    truncateSync(path, 1024);
    unlinkSync(path);
    const answer = await hash;
    assert.ok(answer.isError ? answer.code === 'SBX_FS_NOT_FOUND' : Number(answer.structured['size']) <= 2 * 1024 ** 3);
  });
  it('links in a circle do not hold up a search', async () => {
    mkdirSync(join(root, 'circle'));
    symlinkSync('.', join(root, 'circle', 'self'));
    symlinkSync('..', join(root, 'circle', 'up'));
    writeFileSync(join(root, 'circle', 'f.txt'), 'needle');
    assert.equal((await server.call('search_content', { path: 'circle', pattern: 'needle' })).text, 'circle/f.txt:1: needle');
    assert.equal((await read({ path: 'circle/self/self/self/up/circle/f.txt' })).text, 'needle');
  });
  it('patterns that make other engines hang', async () => {
    writeFileSync(join(root, 'evil.txt'), `${'a'.repeat(100_000)}!\n${'x'.repeat(50_000)}\n`);
    for (const pattern of [
      '^(a+)+$',
      '(a|a)*$',
      '(a|aa)+$',
      '(.*)*$x',
      '(x+x+)+y',
      '([a-z]+)*!$',
      '(?i)(a+)+$',
      'a{1,500}b',
      '(a{1,30}){1,30}b',
    ])
      assert.ok(!(await server.call('search_content', { path: 'evil.txt', pattern })).text.includes('SBX_INTERNAL'), pattern);
    for (const pattern of ['(', '(?=a)', '(a)\\1', '(?<!a)b', '[z-a]', '*'])
      assert.equal((await server.call('search_content', { pattern })).code, 'SBX_FS_PATTERN', pattern);
    for (const pattern of ['{a,b}'.repeat(50), '[', '*'.repeat(400), '**/'.repeat(100)])
      assert.ok((await server.call('search_files', { pattern })).text !== '', pattern);
    const stars = `${'*a'.repeat(100)}b`;
    writeFileSync(join(root, 'a'.repeat(250)), '');
    assert.equal((await server.call('search_files', { pattern: stars })).text, 'Nothing found.');
  });
  it('finds symbols in twelve languages', async () => {
    const sources: Record<string, [string, string]> = {
      'a.ts': ['export class Needle<T> { run(): void {} }', 'class'],
      'b.js': ['const needle1 = 1; const Needle = () => 2;', 'function'],
      'c.py': ['class Other:\n    def Needle(self):\n        pass\n', 'method'],
      'd.go': ['package x\nfunc Needle() {}\n', 'function'],
      'e.rs': ['impl X { fn Needle(&self) {} }', 'method'],
      'f.java': ['interface Needle { }', 'interface'],
      'g.cs': ['public enum Needle { A }', 'enum'],
      'h.cpp': ['int *Needle(int a) { return 0; }', 'function'],
      'i.php': ['<?php class Needle { }', 'class'],
      'j.rb': ['module Needle\nend\n', 'module'],
      'k.sh': ['Needle() { echo; }\n', 'function'],
      'l.tsx': ['export function Needle() { return <b>x</b>; }', 'function'],
    };
    mkdirSync(join(root, 'code'));
    for (const [name, [text]] of Object.entries(sources)) writeFileSync(join(root, 'code', name), text);
    const { symbols } = (await server.call('find_symbol', { path: 'code', name: 'Needle' })).structured as {
      symbols: { path: string; kind: string }[];
    };
    assert.deepEqual(
      Object.fromEntries(symbols.map(({ path, kind }) => [path.slice(5), kind])),
      Object.fromEntries(Object.entries(sources).map(([name, [, kind]]) => [name, kind])),
    );
    assert.equal(
      ((await server.call('find_symbol', { path: 'code/c.py', name: 'need*' })).structured['symbols'] as { container?: string }[])[0]
        ?.container,
      'Other',
    );
    assert.ok(statSync(join(root, 'code')).isDirectory());
  });
});
