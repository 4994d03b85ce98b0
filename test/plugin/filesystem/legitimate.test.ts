/** Legitimate use: none of it is refused, and every answer is right. Refusing it would be a failure like letting an attack through. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LEGITIMATE } from './corpus/legitimate.ts';
import { type Files, files } from './session.ts';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe('filesystem, legitimate use', process.platform === 'linux' ? {} : { skip: 'the tree has names that only Linux takes' }, () => {
  let base: string;
  let server: Files;
  before(async () => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-fsl-')));
    build(base);
    server = await files({ roots: [join(base, 'area'), { path: join(base, 'library'), name: 'lib', access: 'read' }], access: 'write' });
  });
  after(async () => {
    await server.close();
    rmSync(base, { recursive: true, force: true });
  });

  it('has at least 80 cases', () => assert.ok(LEGITIMATE.length >= 80, String(LEGITIMATE.length)));
  for (const one of LEGITIMATE) {
    it(one.what, async () => {
      const fill = (value: unknown): unknown =>
        typeof value === 'string' ? value.replaceAll('$ROOT', join(base, 'area')).replaceAll('$LIB', join(base, 'library')) : value;
      const answer = await server.call(one.tool, Object.fromEntries(Object.entries(one.args).map(([key, value]) => [key, fill(value)])));
      assert.ok(!answer.isError, answer.text);
      if (one.text !== undefined) assert.match(answer.text, one.text);
      for (const [key, value] of Object.entries(one.has ?? {})) assert.deepEqual(answer.structured[key], value, key);
      for (const [path, content] of Object.entries(one.disk ?? {})) assert.equal(onDisk(join(base, path)), content, path);
    });
  }
  it('brings back what was deleted, bytes and all', async () => {
    const { entries } = (await server.call('list_deleted')).structured as { entries: { id: string; path: string }[] };
    const id = entries.find(({ path }) => path === 'src2')?.id;
    assert.ok(id !== undefined);
    const restored = await server.call('restore_deleted', { id });
    assert.ok(!restored.isError, restored.text);
    assert.equal(onDisk(join(base, 'area/src2/deep/code.ts')), 'const needle = 1;\n');
    const copy = entries.find(({ path }) => path === 'a copy.txt');
    assert.ok(!(await server.call('restore_deleted', { id: copy?.id, destination: 'elsewhere.txt' })).isError);
    assert.equal(onDisk(join(base, 'area/elsewhere.txt')), '0ne\nTWO\nthree\nf0ur\n');
    assert.ok((await server.call('restore_deleted', { id: copy?.id })).isError);
  });
});

function onDisk(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function build(base: string): void {
  const put = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), content);
  };
  const root = (path: string, content: string | Buffer): void => put(`area/${path}`, content);
  root('a.txt', 'one\ntwo\nthree\nfour\n');
  root('b.txt', 'bee\n');
  root('src/app.ts', 'export function greet(): string {\n  return "hello";\n}\n');
  root('src/deep/code.ts', 'const needle = 1;\n');
  root('docs/read me.md', '# Read me\n');
  root('.gitignore', 'ignored-folder/\n');
  root('ignored-folder/built.js', 'built\n');
  root('.github/workflows/ci.yml', 'jobs:\n');
  root('.env.example', 'KEY=\n');
  root('environment.ts', 'env\n');
  root('keyboard.key.md', 'keys\n');
  root('git/notes.txt', 'git\n');
  root('ünïcödé/日本語 🚂.txt', 'train\nZÜGGE\n');
  for (const name of ["it's #1 & (best).txt", 'back\\slash.txt', 'colon: time 10:30.txt']) root(name, 'odd\n');
  root('...', 'dots\n');
  root('-rf', 'dash\n');
  root('100%.txt', 'percent\n');
  root('%2e%2e%2f.txt', 'encoded\n');
  root('~tilde.txt', 'tilde\n');
  root('locked.txt', 'locked\n');
  root('no-newline.txt', 'no newline');
  root('empty.txt', '');
  root('crlf.txt', 'a\r\nb\r\n');
  root('bom.txt', '\ufeffbom');
  root('latin1.txt', Buffer.from('caf\u00e9', 'latin1'));
  root('utf16.txt', Buffer.from('\ufeffwide', 'utf16le'));
  root('pixel.png', Buffer.from(PIXEL, 'base64'));
  root('aaa.txt', `${'a'.repeat(40_000)}b\n`);
  root('big.log', `first line\n${'filler line\n'.repeat(2_000_000)}last line\n`);
  put('library/book.txt', 'book\n');
  put('store/index.js', 'package\n');
  mkdirSync(join(base, 'area', 'node_modules', 'pkg'), { recursive: true });
  linkSync(join(base, 'store', 'index.js'), join(base, 'area', 'node_modules', 'pkg', 'index.js'));
  root('twin-a.txt', 'twin\n');
  linkSync(join(base, 'area', 'twin-a.txt'), join(base, 'area', 'twin-b.txt'));
  mkdirSync(join(base, 'area', 'empty-folder'));
  symlinkSync('src/app.ts', join(base, 'area', 'inside-link'));
  symlinkSync('src', join(base, 'area', 'inside-folder'));
  symlinkSync(join(base, 'area/src/deep/code.ts'), join(base, 'area', 'inside-absolute'));
  symlinkSync(join(base, 'library/book.txt'), join(base, 'area', 'to-library'));
  symlinkSync('new.txt', join(base, 'area', 'to-new'));
  symlinkSync('not-there.txt', join(base, 'area', 'dangling'));
}
