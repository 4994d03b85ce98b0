/** What a hostile review found: each case failed before it was mended. Attacks first, then legitimate use that was refused or answered wrongly. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Answer, type Files, files } from './session.ts';

const linux = process.platform === 'linux' ? {} : { skip: 'the tree has links that only Linux takes everywhere' };
const SECRET = 'TOP-SECRET-52c1';

describe('filesystem, hostile review', linux, () => {
  let base: string;
  let server: Files;
  const put = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), content);
  };
  const call = (name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Answer> => server.call(name, args);
  const done = async (name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Answer> => {
    const answer = await call(name, args);
    assert.ok(!answer.isError, answer.text);
    return answer;
  };
  const refused = async (name: string, args: Readonly<Record<string, unknown>>): Promise<Answer> => {
    const answer = await call(name, args);
    assert.ok(answer.isError, `${name} ${JSON.stringify(args)} was not refused: ${answer.text}`);
    assert.match(answer.code ?? '', /^SBX_FS_/);
    assert.ok(!JSON.stringify(answer.content).includes(SECRET));
    return answer;
  };
  const matches = async (args: Readonly<Record<string, unknown>>): Promise<readonly { path: string; line: number }[]> =>
    (await done('search_content', args)).structured['matches'] as { path: string; line: number }[];

  before(async () => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-fsh-')));
    put('outside/secret.txt', `${SECRET}\n`);
    put('area/a.txt', 'one\ntwo\n');
    put('area/inner/sub/private.txt', `${SECRET} needle\n`);
    put('area/inner/sub/open.txt', 'open needle\n');
    put('area/absolute/one.txt', `${SECRET}\n`);
    put('area/by-alias/one.txt', `${SECRET}\n`);
    put('area/hf/readme.txt', 'plain\n');
    linkSync(join(base, 'outside/secret.txt'), join(base, 'area/hf/x.txt'));
    symlinkSync(join(base, 'area'), join(base, 'alias'));
    symlinkSync(join(base, 'alias/a.txt'), join(base, 'area/via-alias'));
    symlinkSync(join(base, 'alias/absolute/one.txt'), join(base, 'area/via-alias-denied'));
    server = await files({
      roots: [join(base, 'alias'), { path: join(base, 'area/inner'), name: 'inner', deny: ['sub/private.txt'] }],
      access: 'write',
      deny: [join(base, 'area/absolute/**'), join(base, 'alias/by-alias')],
    });
  });
  after(async () => {
    await server.close();
    rmSync(base, { recursive: true, force: true });
  });

  it('does not trust a hard link that comes back from the trash into a package folder', async () => {
    const { id } = (await done('delete_file', { path: 'hf', recursive: true })).structured;
    for (const destination of ['node_modules', 'target', 'site-packages']) await refused('restore_deleted', { id, destination });
    await done('restore_deleted', { id });
    await refused('read_text_file', { path: 'hf/x.txt' });
  });

  it('asks the inner root also when the way goes through the outer one', async () => {
    for (const path of ['inner', './inner/', 'inner/sub', 'inner:', join(base, 'alias/inner')]) {
      for (const [tool, args] of [
        ['search_content', { path, pattern: 'needle' }],
        ['search_files', { path, pattern: '**' }],
        ['directory_tree', { path }],
        ['list_directory', { path }],
      ] as const) {
        const answer = await done(tool, args);
        assert.ok(!JSON.stringify([answer.text, answer.structured]).includes('private.txt'), `${tool} ${path}: ${answer.text}`);
        assert.ok(!answer.text.includes('inner/inner'), answer.text);
      }
      assert.equal((await matches({ path, pattern: 'needle' })).length, 1);
    }
    await refused('move_file', { source: 'inner/sub', destination: 'moved' });
    await refused('copy_file', { source: 'inner/sub', destination: 'copied' });
    await refused('delete_file', { path: 'inner/sub', recursive: true });
  });

  it('takes globs of the settings that are absolute paths', async () => {
    for (const path of ['absolute/one.txt', 'by-alias/one.txt', 'via-alias-denied', join(base, 'area/absolute/one.txt')])
      await refused('read_text_file', { path });
    assert.deepEqual(await matches({ pattern: SECRET }), []);
  });

  it('follows absolute links and paths by the way the root was given', async () => {
    for (const path of ['via-alias', `/${base}/area/a.txt`, join(base, 'alias').concat('/./a.txt'), `${base}//alias//a.txt`])
      assert.equal((await done('read_text_file', { path })).text, 'one\ntwo\n');
  });

  it('reads a name whose other name is in the trash', async () => {
    put('area/twin-a.txt', 'twin\n');
    linkSync(join(base, 'area/twin-a.txt'), join(base, 'area/twin-b.txt'));
    await done('delete_file', { path: 'twin-a.txt' });
    await done('read_text_file', { path: 'twin-b.txt' });
  });

  it('deletes packages whatever they bring along, and brings them back; what protects itself elsewhere stays', async () => {
    put('area/node_modules/p/.npmrc', 'x\n');
    put('area/node_modules/p/test/key.pem', 'x\n');
    put('area/project/.env', `${SECRET}\n`);
    const { id } = (await done('delete_file', { path: 'node_modules', recursive: true })).structured;
    await refused('restore_deleted', { id, destination: 'lib' });
    await done('restore_deleted', { id });
    assert.equal(readFileSync(join(base, 'area/node_modules/p/.npmrc'), 'utf8'), 'x\n');
    await refused('delete_file', { path: 'project', recursive: true });
  });

  it('makes folders behind a step back from one that is there, and nowhere else', async () => {
    await done('create_directory', { path: 'inner/../new/deep' });
    await refused('create_directory', { path: 'not-there/../new2' });
    await refused('create_directory', { path: 'inner/../../new3/deep' });
    assert.deepEqual(readdirSync(base).sort(), ['alias', 'area', 'outside']);
  });

  for (const name of [
    '.env.local.example',
    '.env.production.sample',
    'Foo::Bar.3pm',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}.txt',
  ])
    it(`writes and reads ${JSON.stringify(name)}`, async () => {
      await done('write_file', { path: name, content: 'x' });
      await done('read_text_file', { path: name });
    });
  for (const path of ['.env.local', '.env.example.local', 'x::$DATA', 'x::', 'a\u{e0067}.txt'])
    it(`still refuses to write ${JSON.stringify(path)}`, async () => void (await refused('write_file', { path, content: 'x' })));

  it('does not change bytes of UTF-16 that nobody edited', async () => {
    for (const end of [[0x41], [0x00, 0xd8], [0x00, 0xdc, 0x41, 0x00]]) {
      const bytes = Buffer.concat([Buffer.from('\ufeffab', 'utf16le'), Buffer.from(end)]);
      put('area/torn16.txt', bytes);
      await refused('edit_file', { path: 'torn16.txt', edits: [{ oldText: 'a', newText: 'b' }] });
      assert.deepEqual(readFileSync(join(base, 'area/torn16.txt')), bytes);
    }
  });

  it('takes a length without an offset', async () => {
    assert.equal((await done('read_text_file', { path: 'a.txt', length: 3 })).structured['content'], 'one');
  });

  it('finds what RE2 finds', async () => {
    put('area/s/s.txt', 'foo NEEDLE bar\nABC\nGreek \u03b1x\nend\r\nABCdef\na.b\n');
    for (const [pattern, lines] of [
      ['(?i)needle', [1]],
      ['N\\x45EDLE', [1]],
      ['\\x41BC', [2, 5]],
      ['\\u0041BCd', [5]],
      ['\\p{Greek}x', [3]],
      ['\\Qa.b\\E', [6]],
      ['[[:upper:]]{3}$', [2]],
      ['\\AABC', [2, 5]],
      ['ABC\\z', [2]],
      ['(?i)END$', [4]],
      ['(?:NEE)DLE', [1]],
      ['NE{2}DLE', [1]],
    ] as const)
      assert.deepEqual(
        (await matches({ path: 's', pattern })).map(({ line }) => line),
        lines,
        pattern,
      );
  });

  it('searches every encoding that it reads', async () => {
    put('area/e/wide.txt', Buffer.from('\ufeffwide caf\u00e9\n', 'utf16le'));
    put('area/e/big-endian.txt', Buffer.from('\ufeffwide caf\u00e9\n', 'utf16le').swap16());
    put('area/e/latin.txt', Buffer.from('caf\u00e9\n', 'latin1'));
    put('area/e/plain.txt', 'caf\u00e9\n');
    assert.equal((await matches({ path: 'e', pattern: 'caf\u00e9' })).length, 4);
    assert.equal((await matches({ path: 'e', pattern: 'wide' })).length, 2);
  });

  it('does not tell of links that were there before', async () => {
    const answer = await done('watch', { seconds: 0.5 });
    assert.deepEqual(answer.structured, { changes: [], timedOut: true });
  });

  it('counts what it cannot copy, and does not take a folder that holds it for empty', async () => {
    put('area/torn/ok.txt', 'x');
    mkdirSync(join(base, 'area/torn/in'));
    writeFileSync(Buffer.concat([Buffer.from(join(base, 'area/torn/in/bad')), Buffer.from([0xff])]), 'bad');
    assert.equal((await done('copy_file', { source: 'torn', destination: 'torn-copy' })).structured['skipped'], 1);
    await refused('delete_file', { path: 'torn/in' });
  });

  it('searches on when another search has been cancelled and does not listen', async () => {
    put('slow/a.txt', `${'a'.repeat(60)}\n`.repeat(100_000));
    put('slow/b.txt', 'needle\n');
    const slow = await files({ roots: [join(base, 'slow')] });
    try {
      const cancel = new AbortController();
      const first = slow.call('search_content', { pattern: '(?:a?){500}a{500}' }, { signal: cancel.signal });
      const second = slow.call('search_content', { pattern: 'needle' });
      cancel.abort();
      await assert.rejects(first);
      const answer = await second;
      assert.ok(!answer.isError, answer.text);
      assert.equal((answer.structured['matches'] as unknown[]).length, 1);
    } finally {
      await slow.close();
    }
  });

  it('completes paths from one folder only', async () => {
    const uri = `file://${join(base, 'area')}/{+path}`;
    const { completion } = await server.client.complete({ ref: { type: 'ref/resource', uri }, argument: { name: 'path', value: 'in' } });
    assert.deepEqual(completion.values, ['inner/']);
  });

  it('says why a prompt gets no file, and writes it down', async () => {
    await assert.rejects(server.client.getPrompt({ name: 'review-file', arguments: { path: '../outside/secret.txt' } }), /SBX_FS_REFUSED/);
    await server.client.getPrompt({ name: 'review-file', arguments: { path: 'a.txt' } });
    await done('read_multiple_files', { paths: ['a.txt', 'absolute/one.txt'] });
    await done('list_directory');
    const lines = server.audit.filter(({ tool }) => tool === 'prompts/get review-file');
    assert.deepEqual(lines.map(({ outcome }) => outcome).sort(), ['done', 'refused']);
    const many = server.audit.find(({ tool }) => tool === 'read_multiple_files');
    assert.deepEqual(
      (many?.['files'] as { path: string; bytes?: number; code?: string }[]).map(({ path, bytes, code }) => [path, bytes, code]),
      [
        ['a.txt', 8, undefined],
        ['absolute/one.txt', undefined, 'SBX_FS_REFUSED'],
      ],
    );
  });

  for (const era of ['modern', 'legacy'] as const)
    it(`keeps the connection when an answer would be too large for it (${era})`, async () => {
      put('big/newlines.txt', '\n'.repeat(7_000_000));
      put('big/x.txt', 'x'.repeat(3_000_000));
      put('big/y.txt', 'y'.repeat(3_000_000));
      put('big/blob.bin', Buffer.alloc(8_200_000));
      const big = await files({ roots: [join(base, 'big')] }, { era });
      try {
        assert.equal((await big.call('read_text_file', { path: 'newlines.txt' })).code, 'SBX_FS_TOO_LARGE');
        assert.ok(!(await big.call('read_multiple_files', { paths: ['x.txt', 'y.txt'] })).isError);
        await assert.rejects(big.client.readResource({ uri: `file://${join(base, 'big/blob.bin')}` }), /SBX_FS_TOO_LARGE/);
        assert.ok(!(await big.call('list_directory')).isError);
      } finally {
        await big.close();
      }
    });

  it('says that a root has been deleted, and takes no other folder for it', async () => {
    put('gone/a.txt', 'old\n');
    const gone = await files({ roots: [join(base, 'gone')], access: 'write' });
    try {
      assert.ok(!(await gone.call('list_directory')).isError);
      rmSync(join(base, 'gone'), { recursive: true });
      put('gone/a.txt', 'new\n');
      for (const [tool, args] of [
        ['read_text_file', { path: 'a.txt' }],
        ['list_directory', {}],
        ['write_file', { path: 'b.txt', content: 'x' }],
      ] as const)
        assert.equal((await gone.call(tool, args)).code, 'SBX_FS_ROOT');
    } finally {
      await gone.close();
    }
  });

  it('makes folders where "only" names files', async () => {
    const only = await files({ roots: [join(base, 'area')], access: 'write', only: ['*.md'] });
    try {
      assert.ok(!(await only.call('create_directory', { path: 'notes/today' })).isError);
      assert.ok(!(await only.call('write_file', { path: 'notes/today/x.md', content: 'x' })).isError);
      assert.ok((await only.call('write_file', { path: 'notes/today/x.txt', content: 'x' })).isError);
    } finally {
      await only.close();
    }
  });

  const root = process.getuid?.() === 0 ? { skip: 'the superuser may write everywhere' } : {};
  it('does not delete by half in a folder it may not write', root, async () => {
    put('area/fixed/f.txt', 'x\n');
    put('area/wrap/locked/f.txt', 'x\n');
    chmodSync(join(base, 'area/fixed'), 0o555);
    chmodSync(join(base, 'area/wrap/locked'), 0);
    try {
      const before = (await done('list_deleted')).text;
      await refused('delete_file', { path: 'fixed/f.txt' });
      assert.equal(lstatSync(join(base, 'area/fixed/f.txt')).nlink, 1);
      assert.equal((await done('list_deleted')).text, before);
      await done('read_text_file', { path: 'fixed/f.txt' });
      await refused('move_file', { source: 'wrap', destination: 'wrap2' });
    } finally {
      chmodSync(join(base, 'area/fixed'), 0o755);
      chmodSync(join(base, 'area/wrap/locked'), 0o755);
    }
  });
});
