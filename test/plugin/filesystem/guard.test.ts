/** The parts of the guard by themselves: the portable walk (macOS, Windows) on this machine, names, the deny list, hard links, globs. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openArea } from '../../../servers/filesystem/guard/area.ts';
import { readContent } from '../../../servers/filesystem/guard/content.ts';
import { denyList } from '../../../servers/filesystem/guard/deny.ts';
import { compileGlob } from '../../../servers/filesystem/guard/glob.ts';
import { newNameProblem } from '../../../servers/filesystem/guard/names.ts';
import { portableRoot } from '../../../servers/filesystem/guard/portable.ts';

let base: string;
let root: string;
before(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-guard-')));
  root = join(base, 'area');
  mkdirSync(join(root, 'src'), { recursive: true });
  mkdirSync(join(base, 'outside'));
  writeFileSync(join(root, 'a.txt'), 'inside');
  writeFileSync(join(root, 'src', 'b.txt'), 'inside');
  writeFileSync(join(base, 'outside', 'secret'), 'SECRET');
  symlinkSync('src', join(root, 'in'));
  symlinkSync('../outside', join(root, 'out'));
  symlinkSync('../outside/new', join(root, 'out-new'));
});
after(() => rmSync(base, { recursive: true, force: true }));

const refused = (run: () => unknown, what: string): void =>
  assert.throws(run, (error: { code?: string }) => /^SBX_FS_(?:REFUSED|NOT_FOUND)$/.test(error.code ?? ''), what);

describe('the portable walk', () => {
  for (const platform of ['darwin', 'win32'] as const) {
    it(`finds what is inside and refuses the rest, as on ${platform}`, {
      skip: process.platform === 'win32' && platform !== 'win32',
    }, () => {
      const portable = portableRoot(root, [], platform);
      for (const path of ['a.txt', './a.txt', 'src/../a.txt', 'in/b.txt', 'src//b.txt'])
        assert.equal(readContent(portable.locate(path), 100).toString(), 'inside', path);
      for (const path of ['..', '../outside/secret', 'out', 'out/secret', 'src/../../outside/secret', 'none', 'a.txt/x'])
        refused(() => portable.locate(path), path);
      for (const path of ['out-new', 'out/new', '../new', 'none/new']) refused(() => portable.locate(path, { mayMiss: true }), path);
      assert.equal(portable.locate('src/new.txt', { mayMiss: true }).stat, undefined);
      assert.equal(portable.locate('in', { keepLink: true }).stat?.isSymbolicLink(), true);
      assert.equal(portable.locate('src').child('b.txt')?.path, 'src/b.txt');
    });
  }
  it('refuses names with a second meaning on Windows', () => {
    const windows = portableRoot(root, [], 'win32');
    for (const name of [
      'a.txt::$DATA',
      'a.txt:x',
      'CON',
      'nul.txt',
      'com1',
      'a.txt.',
      'a.txt ',
      'PROGRA~1',
      'a*',
      'a?',
      '..\\outside',
      'src\\b.txt',
    ])
      refused(() => windows.locate(name, { mayMiss: true }), name);
  });
});

describe('new names', () => {
  it('are portable ones', () => {
    for (const name of [
      'a.txt',
      '.gitignore',
      'Makefile',
      'a b',
      'ü',
      '日本',
      '👨‍👩‍👧',
      'می‌شود',
      'a:b',
      '100%',
      '$id.tsx',
      '[x]',
      '...x',
      'console',
      'nulls',
      '~a b',
      '#',
      "'",
      '-x',
      'a~1',
    ])
      assert.equal(newNameProblem(name, true), undefined, name);
    for (const name of [
      'a\\b',
      'a\nb',
      '\u007f',
      '\u0085',
      'a.',
      'a ',
      'a\u3000',
      'AUX',
      'prn.c',
      'x::$DATA',
      'C:',
      'file:',
      '~',
      '~user',
      '$HOME',
      '%TEMP%',
      '%2e',
      '%2F',
      '‥',
      '．．',
      'a／b',
      '\u202ex',
      'a\u200bb',
      'a\u200db',
      '\ud800',
    ])
      assert.ok(newNameProblem(name, true) !== undefined, JSON.stringify(name));
  });
});

describe('the deny list', () => {
  it('knows every spelling, at any depth, and what only looks like a secret', () => {
    const list = denyList({ deny: ['private/**', 'config/*.local.json'], allow: ['docs/.npmrc'] });
    for (const path of [
      '.env',
      'x/.env',
      '.ENV',
      '.Env.Local',
      '.env/x',
      'a/.git/config',
      '.GIT',
      'x.PEM',
      'a/b.key',
      '.g\u200cit/x',
      'private/x',
      'Private/X',
      'config/a.local.json',
      '.ssh/id',
      'a/ID_RSA',
      '.env.example/x',
      '.git/.env.example',
      '.sbx-0.tmp',
      '.signalbox/trash/x',
    ])
      assert.ok(list.read(path, false) !== undefined, path);
    for (const path of [
      '',
      'a',
      '.env.example',
      'x/.env.sample',
      'env',
      'environment',
      '.gitignore',
      '.github/x',
      'key',
      'a.key.md',
      'pem/x',
      'docs/.npmrc',
      'config/a.json',
      '.signalbox/config.jsonc',
    ])
      assert.equal(list.read(path, false), undefined, path);
    for (const path of ['.mcp.json', '.vscode/x', 'a/.claude/x', '.SIGNALBOX', 'x.code-workspace', '.env.local'])
      assert.ok(list.write(path, false) !== undefined, path);
    for (const path of ['.env.example', 'a', '.gitignore', 'CLAUDE.md']) assert.equal(list.write(path, false), undefined, path);
  });
});

describe('globs', () => {
  it('mean what people expect', () => {
    const cases: [string, string, boolean][] = [
      ['*.ts', 'a/b.ts', true],
      ['*.ts', '.hidden.ts', true],
      ['src/*.ts', 'src/a/b.ts', false],
      ['src/**/*.ts', 'src/b.ts', true],
      ['**', 'a/b', true],
      ['*.{ts,js}', 'a.js', true],
      ['{a,b}/{c,d{e,f}}', 'b/df', true],
      ['[!a]*', 'abc', false],
      ['a[0-9]', 'a5', true],
      ['\\*', '*', true],
      ['\\*', 'a', false],
      ['/src', 'src', true],
      ['a?c', 'a/c', false],
      ['É', 'e\u0301', true],
    ];
    for (const [pattern, path, expected] of cases) assert.equal(compileGlob(pattern)(path), expected, `${pattern} on ${path}`);
    assert.throws(() => compileGlob('{a,b}'.repeat(20)), RangeError);
    assert.throws(() => compileGlob('x'.repeat(1000)), RangeError);
  });
});

describe('hard links', { skip: process.platform === 'win32' }, () => {
  it('are read when all their names are known, by policy', () => {
    const links = join(base, 'links');
    mkdirSync(join(links, 'node_modules'), { recursive: true });
    writeFileSync(join(links, 'one'), 'x');
    linkSync(join(links, 'one'), join(links, 'two'));
    linkSync(join(base, 'outside', 'secret'), join(links, 'three'));
    linkSync(join(base, 'outside', 'secret'), join(links, 'node_modules', 'four'));
    const tried = (hardLinks: 'allow' | 'proved' | 'refuse', path: string): boolean => {
      const area = openArea([{ path: links, access: 'read' }], { hardLinks });
      const located = area.locate(path, 'read');
      try {
        area.checkLinks(located);
        return true;
      } catch {
        return false;
      } finally {
        located.place.close();
        area.close();
      }
    };
    assert.deepEqual(
      ['one', 'two', 'three', 'node_modules/four'].map((path) => tried('proved', path)),
      [true, true, false, true],
    );
    assert.equal(tried('allow', 'three'), true);
    assert.equal(tried('refuse', 'one'), false);
  });
});
