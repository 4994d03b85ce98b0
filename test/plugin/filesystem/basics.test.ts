import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundled, connect, PEERS, type Session } from '../client.ts';

const SECRET = 'the secret outside';
let base: string;
let root: string;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'sbx-fs-'));
  root = join(base, 'root');
  mkdirSync(join(root, 'src', 'deep'), { recursive: true });
  mkdirSync(join(root, '.git'));
  mkdirSync(join(root, '.claude'));
  mkdirSync(join(base, 'root-other'));
  writeFileSync(join(base, 'secret.txt'), SECRET);
  writeFileSync(join(base, 'root-other', 'secret.txt'), SECRET);
  writeFileSync(join(root, 'a.txt'), 'one\ntwo\nthree\nfour\n');
  writeFileSync(join(root, 'src', 'deep', 'code.ts'), 'const needle = 1;\n');
  writeFileSync(join(root, '.env'), `KEY=${SECRET}`);
  writeFileSync(join(root, '.env.example'), 'KEY=');
  writeFileSync(join(root, 'server.pem'), SECRET);
  writeFileSync(join(root, '.git', 'config'), SECRET);
  writeFileSync(join(root, 'binary.bin'), Buffer.from([1, 0, 2]));
  writeFileSync(join(root, 'big.txt'), 'x'.repeat(11 * 1024 * 1024));
  symlinkSync('../secret.txt', join(root, 'out-file'));
  symlinkSync('..', join(root, 'out-dir'));
  symlinkSync(join(base, 'secret.txt'), join(root, 'out-absolute'));
  symlinkSync('src/deep/code.ts', join(root, 'inside'));
  symlinkSync(join(root, 'src'), join(root, 'inside-absolute'));
  symlinkSync('.env', join(root, 'looks-harmless.txt'));
  symlinkSync('loop', join(root, 'loop'));
  if (process.platform !== 'win32') execFileSync('mkfifo', [join(root, 'fifo')]);
});
after(() => rmSync(base, { recursive: true, force: true }));

for (const peer of PEERS) {
  describe(`filesystem with a ${peer} client`, () => {
    let session: Session;
    before(async () => {
      session = await connect(peer, bundled('filesystem'), ['--root', root]);
    });
    after(() => session.close());

    it('lists its reading tools and no writing one', async () => {
      assert.deepEqual([...(await session.tools())].sort(), ['get_file_info', 'list_directory', 'read_text_file', 'search_files']);
      if (peer === 'modern') assert.equal(session.protocol, '2026-07-28');
    });
    it('reads a file, whole and by lines', async () => {
      assert.equal((await session.call('read_text_file', { path: 'a.txt' })).text, 'one\ntwo\nthree\nfour\n');
      assert.equal(
        (await session.call('read_text_file', { path: 'a.txt', startLine: 2, endLine: 3 })).structured?.['text'],
        'two\nthree\n',
      );
      assert.equal((await session.call('read_text_file', { path: 'a.txt', head: 1 })).structured?.['text'], 'one\n');
      assert.equal((await session.call('read_text_file', { path: join(root, 'a.txt'), tail: 1 })).structured?.['text'], 'four\n');
    });
    it('follows links that stay inside', async () => {
      for (const path of ['inside', 'inside-absolute/deep/code.ts', 'src/../inside', './src//deep/../deep/code.ts']) {
        const answer = await session.call('read_text_file', { path });
        assert.match(answer.text, /needle/, path);
        assert.equal(answer.structured?.['path'], 'src/deep/code.ts');
      }
    });
    it('searches by name and by content', async () => {
      assert.deepEqual((await session.call('search_files', { glob: '*.ts' })).structured?.['matches'], [{ path: 'src/deep/code.ts' }]);
      const found = await session.call('search_files', { content: 'NEEDLE' });
      assert.deepEqual(found.structured?.['matches'], [{ path: 'src/deep/code.ts', line: 1, text: 'const needle = 1;' }]);
      assert.deepEqual((await session.call('search_files', { content: SECRET })).structured?.['matches'], []);
      const deep = await session.call('search_files', { path: 'src', glob: 'deep/*' });
      assert.deepEqual(deep.structured?.['matches'], [{ path: 'src/deep/code.ts' }]);
    });
    it('lists a folder without what is denied', async () => {
      const answer = await session.call('list_directory');
      const names = (answer.structured?.['entries'] as { name: string }[]).map((entry) => entry.name);
      assert.ok(names.includes('a.txt') && names.includes('.env.example') && names.includes('out-file'));
      for (const hidden of ['.env', '.git', 'server.pem']) assert.ok(!names.includes(hidden), hidden);
    });
    const attacks = [
      '../secret.txt',
      'src/../../secret.txt',
      'out-file',
      'out-dir/secret.txt',
      'out-absolute',
      'out-dir/root/../secret.txt',
      '/etc/passwd',
      '/',
      '..',
      'src/../..',
      'loop',
      '.env',
      './src/../.env',
      '.ENV',
      'looks-harmless.txt',
      '.git/config',
      '.GIT/config',
      'server.pem',
      'a.txt\0.png',
      'fifo',
      'big.txt',
      'binary.bin',
      'src',
      'x'.repeat(5000),
      '../root-other/secret.txt',
      '/proc/self/environ',
      '/proc/self/root/etc/passwd',
      'a.txt/../../secret.txt',
      '\ud800',
    ];
    it('refuses every way out, and every secret, with a code and a fix', async () => {
      for (const path of [...attacks, `${root}-other/secret.txt`, `${root}/../secret.txt`, `${root} `]) {
        const answer = await session.call('read_text_file', { path });
        assert.ok(answer.isError, `${path} was read`);
        assert.doesNotMatch(answer.text, new RegExp(SECRET), path);
        assert.match(answer.text, /^SBX_FS_[A-Z_]+: [\s\S]*Cause: [\s\S]*Fix: /, path);
      }
    });
    it('shows no information about what lies outside', async () => {
      for (const name of ['get_file_info', 'list_directory', 'search_files']) {
        for (const path of ['..', '../root-other', 'out-dir', '/etc', '.git'])
          assert.ok((await session.call(name, { path })).isError, `${name} ${path}`);
      }
    });
  });
}

describe('filesystem writing', () => {
  let session: Session;
  before(async () => {
    session = await connect('modern', bundled('filesystem'), ['--root', root, '--access', 'write']);
  });
  after(() => session.close());

  it('creates and replaces files, also through a link that stays inside', async () => {
    assert.equal((await session.call('write_file', { path: 'new.txt', text: 'a\r\n' })).structured?.['created'], true);
    assert.equal((await session.call('write_file', { path: 'new.txt', text: 'b' })).structured?.['created'], false);
    assert.equal(readFileSync(join(root, 'new.txt'), 'utf8'), 'b');
    symlinkSync('new.txt', join(root, 'to-new'));
    assert.equal((await session.call('write_file', { path: 'to-new', text: 'c' })).structured?.['path'], 'new.txt');
    assert.equal(readFileSync(join(root, 'new.txt'), 'utf8'), 'c');
  });
  it('never writes outside, nor what would give an assistant power', async () => {
    symlinkSync('../fresh.txt', join(root, 'dangling'));
    const refused = [
      '../fresh.txt',
      'out-dir/fresh.txt',
      'out-file',
      'dangling',
      '.git/hooks',
      '.claude/settings.json',
      '.mcp.json',
      '.vscode',
      '.signalbox',
      '.envrc',
      '.env',
      'src',
      'fifo',
      '.MCP.json',
      join(base, 'fresh.txt'),
    ];
    for (const path of refused) {
      const answer = await session.call('write_file', { path, text: 'hacked' });
      assert.ok(answer.isError, `${path} was written`);
      assert.match(answer.text, /^SBX_FS_/, path);
    }
    assert.ok(!existsSync(join(base, 'fresh.txt')));
    assert.ok(!existsSync(join(root, '.mcp.json')));
    assert.equal(readFileSync(join(base, 'secret.txt'), 'utf8'), SECRET);
    assert.equal(readFileSync(join(root, '.env'), 'utf8'), `KEY=${SECRET}`);
  });
});

describe('filesystem roots', () => {
  const cases: [string, string[], Record<string, string>][] = [
    ['none', [], {}],
    ['the whole file system', ['--root', '/'], {}],
    ['the home folder', ['--root', homedir()], {}],
    ['a folder that is missing', ['--root', '/nowhere/at/all'], {}],
  ];
  for (const [name, args, env] of cases) {
    it(`serves no tool but a prompt that says what to do: ${name}`, async () => {
      const session = await connect('modern', bundled('filesystem'), args, { env: { HOME: homedir(), ...env } });
      try {
        assert.deepEqual(await session.tools(), []);
        assert.deepEqual(await session.prompts(), ['set-up-files']);
        assert.match(await session.prompt('set-up-files'), /--root/);
      } finally {
        await session.close();
      }
    });
  }
  it('keeps the state folder out, as a root and inside one', async () => {
    const state = join(root, 'state');
    mkdirSync(state);
    writeFileSync(join(state, 'tokens.json'), SECRET);
    const env = { HOME: homedir(), SIGNALBOX_STATE_DIR: state };
    const inside = await connect('modern', bundled('filesystem'), ['--root', state], { env });
    assert.deepEqual(await inside.prompts(), ['set-up-files']);
    await inside.close();
    const around = await connect('modern', bundled('filesystem'), ['--root', root], { env });
    const answer = await around.call('read_text_file', { path: 'state/tokens.json' });
    assert.ok(answer.isError && !answer.text.includes(SECRET));
    assert.deepEqual((await around.call('search_files', { glob: 'tokens.json' })).structured?.['matches'], []);
    await around.close();
  });
});
