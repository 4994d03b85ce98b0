/** The plugin with all three real clients, its settings, its roots, and what it says about its tools. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bundled, connect, PEERS, type Session } from '../client.ts';
import { files } from './session.ts';

const READING = [
  'directory_tree',
  'find_symbol',
  'get_file_info',
  'hash_file',
  'list_allowed_directories',
  'list_directory',
  'read_media_file',
  'read_multiple_files',
  'read_text_file',
  'search_content',
  'search_files',
  'watch',
];
const WRITING = ['copy_file', 'create_directory', 'delete_file', 'edit_file', 'list_deleted', 'move_file', 'restore_deleted', 'write_file'];
let base: string;
let root: string;

before(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-fs-')));
  root = join(base, 'area');
  mkdirSync(join(root, 'src'), { recursive: true });
  writeFileSync(join(root, 'a.txt'), 'one\ntwo\n');
  writeFileSync(join(root, '.npmrc'), 'token\n');
  writeFileSync(join(root, 'src', 'code.ts'), 'const needle = 1;\n');
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
      assert.deepEqual([...(await session.tools())].sort(), READING);
      if (peer === 'modern') assert.equal(session.protocol, '2026-07-28');
    });
    it('reads, searches and refuses', async () => {
      assert.equal((await session.call('read_text_file', { path: 'a.txt' })).text, 'one\ntwo\n');
      assert.match((await session.call('search_content', { pattern: 'needle' })).text, /src\/code\.ts:1/);
      const refused = await session.call('read_text_file', { path: '../x' });
      assert.ok(refused.isError);
      assert.match(refused.text, /^SBX_FS_REFUSED: [\s\S]*Cause: [\s\S]*Fix: /);
    });
  });
}

describe('filesystem tools', () => {
  it('have schemas, annotations and descriptions for a model', async () => {
    const server = await files({ roots: [root], access: 'write' });
    try {
      const { tools } = await server.client.listTools();
      assert.deepEqual(tools.map(({ name }) => name).sort(), [...READING, ...WRITING].sort());
      for (const { name, title, description, inputSchema, outputSchema, annotations } of tools) {
        assert.ok(title !== undefined && (description?.length ?? 0) > 50, name);
        assert.equal(inputSchema['additionalProperties'], false, name);
        assert.equal(outputSchema?.type, 'object', name);
        assert.equal(annotations?.openWorldHint, false, name);
        assert.equal(annotations?.readOnlyHint, READING.includes(name) || name === 'list_deleted', name);
        assert.equal(annotations?.destructiveHint, ['write_file', 'edit_file', 'move_file', 'delete_file'].includes(name), name);
      }
    } finally {
      await server.close();
    }
  });
  it('say in the audit who did what where with which outcome', async () => {
    const server = await files({ roots: [root], access: 'write' });
    await server.call('write_file', { path: 'audited.txt', content: 'four' });
    await server.call('read_text_file', { path: '../../etc/passwd' });
    await server.close();
    const [written, refused] = server.audit;
    assert.deepEqual(
      { ...written, time: '' },
      {
        time: '',
        plugin: 'filesystem',
        tool: 'write_file',
        client: 'files-test 1.0.0',
        root,
        path: 'audited.txt',
        bytes: 4,
        created: true,
        outcome: 'done',
      },
    );
    assert.equal(refused?.['outcome'], 'refused');
    assert.equal(refused?.['code'], 'SBX_FS_REFUSED');
    assert.equal(refused?.['path'], '../../etc/passwd');
  });
});

describe('filesystem settings', () => {
  it('deny, allow and only', async () => {
    const server = await files({ roots: [root], deny: ['src/**'], allow: ['.npmrc'], only: ['*.txt', '.npmrc', '*.ts'] });
    try {
      assert.equal((await server.call('read_text_file', { path: '.npmrc' })).text, 'token\n');
      assert.equal((await server.call('read_text_file', { path: 'src/code.ts' })).code, 'SBX_FS_REFUSED');
      assert.doesNotMatch((await server.call('search_files', { pattern: '**' })).text, /code\.ts/);
      writeFileSync(join(root, 'other.md'), 'x');
      assert.equal((await server.call('read_text_file', { path: 'other.md' })).code, 'SBX_FS_REFUSED');
      assert.doesNotMatch((await server.call('list_directory')).text, /other\.md/);
    } finally {
      await server.close();
    }
  });
  it('a root has at most what access says, and ~ is a name like any other', async () => {
    const server = await files({ roots: [{ path: root, access: 'write' }] });
    const { tools } = await server.client.listTools();
    assert.ok(!tools.some(({ name }) => WRITING.includes(name)));
    await server.close();
    const home = await files({ roots: ['~'] });
    assert.deepEqual(
      (await home.client.listPrompts()).prompts.map(({ name }) => name),
      ['set-up-files'],
    );
    await home.close();
  });
  it('a root inside a root has its own rights', async () => {
    mkdirSync(join(root, 'vault'), { recursive: true });
    writeFileSync(join(root, 'vault', 'v.txt'), 'v');
    const server = await files({
      access: 'write',
      roots: [
        { path: root, access: 'write' },
        { path: join(root, 'vault'), access: 'read', deny: ['hidden*'] },
      ],
    });
    try {
      assert.equal((await server.call('write_file', { path: 'vault/v.txt', content: 'x' })).code, 'SBX_FS_READ_ONLY');
      assert.equal((await server.call('delete_file', { path: 'vault', recursive: true })).isError, true);
      assert.equal((await server.call('move_file', { source: 'vault', destination: 'open' })).isError, true);
      writeFileSync(join(root, 'vault', 'hidden.txt'), 'SECRET');
      assert.equal((await server.call('read_text_file', { path: 'vault/hidden.txt' })).code, 'SBX_FS_REFUSED');
      assert.doesNotMatch((await server.call('search_content', { pattern: 'SECRET' })).text, /hidden/);
    } finally {
      await server.close();
    }
  });
  it('a root stays what it was when its name is given to another folder', { skip: process.platform !== 'linux' }, async () => {
    const first = join(base, 'first');
    mkdirSync(join(base, 'evil'));
    mkdirSync(first);
    writeFileSync(join(first, 'f.txt'), 'first');
    writeFileSync(join(base, 'evil', 'f.txt'), 'EVIL');
    const server = await files({ roots: [first] });
    try {
      // A modern client says nothing until its first call: only then is it certain that the server has pinned its root.
      await server.call('list_allowed_directories');
      renameSync(first, join(base, 'first.old'));
      symlinkSync(join(base, 'evil'), first);
      assert.equal((await server.call('read_text_file', { path: 'f.txt' })).text, 'first');
      assert.equal((await server.call('read_text_file', { path: join(first, 'f.txt') })).text, 'first');
      assert.doesNotMatch((await server.call('search_content', { pattern: '.' })).text, /EVIL/);
    } finally {
      await server.close();
    }
  });
});

describe('filesystem roots', () => {
  const cases: [string, string[]][] = [
    ['none', []],
    ['the whole file system', ['--root', '/']],
    ['the whole file system, in a roundabout way', ['--root', '/usr/../']],
    ['the home folder', ['--root', homedir()]],
    ['a folder that is missing', ['--root', '/nowhere/at/all']],
    ...(process.platform === 'linux'
      ? [['processes', ['--root', '/proc/self']] as [string, string[]], ['devices', ['--root', '/dev']] as [string, string[]]]
      : []),
  ];
  for (const [name, args] of cases) {
    it(`serves no tool but a prompt that says what to do: ${name}`, async () => {
      const session = await connect('modern', bundled('filesystem'), args, { env: { HOME: homedir() } });
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
    writeFileSync(join(state, 'tokens.json'), 'SECRET');
    const env = { HOME: homedir(), SIGNALBOX_STATE_DIR: state };
    const inside = await connect('modern', bundled('filesystem'), ['--root', state], { env });
    assert.deepEqual(await inside.prompts(), ['set-up-files']);
    await inside.close();
    const around = await connect('modern', bundled('filesystem'), ['--root', root, '--access', 'write'], { env });
    const answer = await around.call('read_text_file', { path: 'state/tokens.json' });
    assert.ok(answer.isError && !answer.text.includes('SECRET'));
    assert.equal((await around.call('search_files', { pattern: 'tokens.json' })).text, 'Nothing found.');
    assert.doesNotMatch((await around.call('search_content', { pattern: 'SECRET' })).text, /tokens/);
    for (const [tool, args] of [
      ['move_file', { source: 'state', destination: 'other' }],
      ['delete_file', { path: 'state', recursive: true }],
    ] as const)
      assert.ok((await around.call(tool, args)).isError, tool);
    assert.ok(existsSync(join(state, 'tokens.json')));
    await around.close();
  });
  it('gives the home folder only when told so, without its hidden files', async () => {
    const home = join(base, 'home');
    mkdirSync(join(home, '.secrets'), { recursive: true });
    writeFileSync(join(home, '.bash_history'), 'SECRET');
    writeFileSync(join(home, 'notes.txt'), 'notes');
    // The plugin asks the system for the home folder: HOME says it.
    const session = await connect('modern', bundled('filesystem'), ['--root', home], { env: { HOME: home } });
    assert.deepEqual(await session.tools(), []);
    await session.close();
    const { spawnHome } = await import('./session.ts');
    const allowed = await spawnHome(home);
    try {
      assert.equal((await allowed.call('read_text_file', { path: 'notes.txt' })).text, 'notes');
      assert.ok((await allowed.call('read_text_file', { path: '.bash_history' })).isError);
      assert.ok((await allowed.call('list_directory', { path: '.secrets' })).isError);
    } finally {
      await allowed.close();
    }
  });
});

describe('filesystem with the roots of a client', () => {
  for (const era of ['legacy', 'modern'] as const) {
    it(`narrow: they limit what is seen and add nothing, ${era}`, async () => {
      const [inner, elsewhere] = [join(root, `inner-${era}`), join(base, `elsewhere-${era}`)];
      for (const folder of [inner, elsewhere]) {
        mkdirSync(folder);
        writeFileSync(join(folder, 'f.txt'), 'needle');
      }
      const server = await files({ roots: [root], clientRoots: 'narrow' }, { era, roots: [inner, elsewhere] });
      try {
        assert.equal((await server.call('read_text_file', { path: join(inner, 'f.txt') })).text, 'needle');
        for (const path of ['a.txt', 'src', join(elsewhere, 'f.txt')])
          assert.ok((await server.call('get_file_info', { path })).isError, path);
        assert.equal((await server.call('search_content', { path: inner, pattern: 'needle' })).text, `inner-${era}/f.txt:1: needle`);
        assert.match((await server.call('list_directory')).text, new RegExp(`^\\[FOLDER\\] inner-${era}$`));
        const { resources } = await server.client.listResources();
        assert.deepEqual(
          resources.map(({ name }) => name),
          [`inner-${era}/f.txt`],
        );
      } finally {
        await server.close();
      }
    });
  }
  it('ignore: they change nothing', async () => {
    const server = await files({ roots: [root] }, { roots: [join(root, 'src')] });
    assert.equal((await server.call('read_text_file', { path: 'a.txt' })).text, 'one\ntwo\n');
    await server.close();
  });
});
