import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { signalboxPaths } from '../../../../daemon/api/paths.ts';
import { claudeCode } from '../../../../daemon/wiring/clients/claude-code.ts';
import { wiringOf } from '../../../../daemon/wiring/entry-wiring.ts';
import { listRecords } from '../../../../daemon/wiring/record.ts';
import { undoWiring } from '../../../../daemon/wiring/undo.ts';
import type { Scope, Wiring, WiringEnvironment } from '../../../../daemon/wiring/wiring.ts';

let dir = '';
let environment: WiringEnvironment;

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-wiring-')));
  for (const name of ['home', 'project', 'bin']) mkdirSync(join(dir, name));
  const paths = signalboxPaths({ platform: process.platform, home: join(dir, 'home'), env: { SIGNALBOX_STATE_DIR: join(dir, 'state') } });
  environment = { paths, env: { PATH: join(dir, 'bin') }, cwd: join(dir, 'project'), platform: process.platform, home: join(dir, 'home') };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const userFile = (): string => join(dir, 'home', '.claude.json');
const projectFile = (): string => join(dir, 'project', '.mcp.json');
const wiring = (scope: Scope): Wiring => wiringOf(claudeCode, scope, environment);
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

/** Puts a `claude` on PATH that keeps its arguments and edits the user file as the real one does. */
function installFakeClaude(script = ''): string {
  const log = join(dir, 'claude.log');
  const source = `#!${process.execPath}
const fs = require('node:fs');
const args = process.argv.slice(2);
fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify(args) + '\\n');
${script}
const file = ${JSON.stringify(userFile())};
const config = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
config.startups = (config.startups ?? 0) + 1;
config.mcpServers ??= {};
if (args[1] === 'remove') delete config.mcpServers[args[2]];
else if (config.mcpServers[args[2]] !== undefined) { console.error('already exists'); process.exit(1); }
else config.mcpServers[args[2]] = JSON.parse(args[3]);
fs.writeFileSync(file, JSON.stringify(config));
`;
  writeFileSync(join(dir, 'bin', 'claude'), source);
  chmodSync(join(dir, 'bin', 'claude'), 0o755);
  return log;
}

describe('wiring Claude Code by the file', () => {
  it('writes the launcher for user scope and keeps every other character', async () => {
    const before = '{\n\t"numStartups": 7,\n\t"mcpServers": {\n\t\t"other": { "command": "x" }\n\t},\n\t"z": [1,2,   3]\n}\n';
    writeFileSync(userFile(), before, { mode: 0o640 });
    const result = await wiring('user').write();
    assert.equal(result.changed, true);
    const after = readFileSync(userFile(), 'utf8');
    const config = JSON.parse(after) as { mcpServers: Record<string, unknown> };
    assert.deepEqual(config.mcpServers['signalbox'], {
      type: 'stdio',
      command: environment.paths.launcher,
      args: ['connect', '--client', 'claude-code'],
    });
    assert.deepEqual(config.mcpServers['other'], { command: 'x' });
    assert.ok(after.includes('"z": [1,2,   3]'), 'formatting elsewhere is kept');
    assert.equal(statSync(userFile()).mode & 0o777, 0o640);
    assert.equal(readFileSync(result.backup ?? '', 'utf8'), before);
    await wiring('user').undo();
    assert.equal(readFileSync(userFile(), 'utf8'), before, 'byte for byte');
  });

  it('previews a diff and changes nothing', async () => {
    writeFileSync(userFile(), '{}');
    const plan = await wiring('user').preview();
    assert.equal(plan.method, 'file');
    assert.match(plan.diff ?? '', /^\+ {4}"signalbox": \{$/m);
    assert.match(plan.diff ?? '', /^@@ -1,1 \+1,\d+ @@$/m);
    assert.equal(readFileSync(userFile(), 'utf8'), '{}');
    assert.equal(existsSync(environment.paths.wiringDir), false);
  });

  it('is idempotent', async () => {
    await wiring('user').write();
    const bytes = readFileSync(userFile());
    const again = await wiring('user').write();
    assert.deepEqual([again.changed, again.method], [false, 'none']);
    assert.deepEqual(readFileSync(userFile()), bytes);
    assert.equal(listRecords(environment.paths).length, 1);
  });

  it('project scope is portable: no absolute path, port, token or folder', async () => {
    environment = { ...environment, env: { ...environment.env, SIGNALBOX_STATE_DIR: join(dir, 'state') } };
    await wiring('project').write();
    assert.deepEqual(JSON.parse(readFileSync(projectFile(), 'utf8')), {
      mcpServers: { signalbox: { type: 'stdio', command: 'npx', args: ['mcp-signalbox', 'connect', '--client', 'claude-code'] } },
    });
    assert.equal(readFileSync(projectFile(), 'utf8').includes(dir), false);
    await wiring('project').undo();
    assert.equal(existsSync(projectFile()), false, 'the file was ours alone');
  });

  it('hands moved folders to the bridge in user scope', async () => {
    environment = { ...environment, env: { ...environment.env, SIGNALBOX_STATE_DIR: '/s', SIGNALBOX_CONFIG_DIR: '/c' } };
    await wiring('user').write();
    const config = JSON.parse(readFileSync(userFile(), 'utf8')) as { mcpServers: { signalbox: { env: unknown } } };
    assert.deepEqual(config.mcpServers.signalbox.env, { SIGNALBOX_STATE_DIR: '/s', SIGNALBOX_CONFIG_DIR: '/c' });
  });

  it('local scope uses the repository as the project, for a worktree the main one', async () => {
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: join(dir, 'project'), stdio: 'ignore' });
    git('init');
    git('commit', '--allow-empty', '-m', 'first');
    git('worktree', 'add', '../tree');
    mkdirSync(join(dir, 'tree', 'sub'));
    environment = { ...environment, cwd: join(dir, 'tree', 'sub') };
    await wiring('local').write();
    const config = JSON.parse(readFileSync(userFile(), 'utf8')) as { projects: Record<string, unknown> };
    assert.deepEqual(Object.keys(config.projects), [join(dir, 'project')]);
    await wiring('local').undo();
    assert.equal(existsSync(userFile()), false);
  });

  it('CLAUDE_CONFIG_DIR moves the file, and an older .config.json in it is the one Claude uses', async () => {
    mkdirSync(join(dir, 'moved'));
    environment = { ...environment, env: { ...environment.env, CLAUDE_CONFIG_DIR: join(dir, 'moved') } };
    assert.equal((await wiring('user').preview()).file, join(dir, 'moved', '.claude.json'));
    writeFileSync(join(dir, 'moved', '.config.json'), '{}');
    assert.equal((await wiring('user').preview()).file, join(dir, 'moved', '.config.json'));
  });

  it('a symbolic link stays a link', async () => {
    writeFileSync(join(dir, 'dotfile.json'), '{}');
    symlinkSync(join(dir, 'dotfile.json'), userFile());
    await wiring('user').write();
    assert.ok(readFileSync(join(dir, 'dotfile.json'), 'utf8').includes('signalbox'));
    assert.equal(realpathSync(userFile()), join(dir, 'dotfile.json'));
  });

  it('keeps a byte order mark and Windows line ends', async () => {
    const before = '\uFEFF{\r\n    "a": 1\r\n}\r\n';
    writeFileSync(userFile(), before);
    await wiring('user').write();
    const after = readFileSync(userFile(), 'utf8');
    assert.ok(after.startsWith('\uFEFF{\r\n    "a": 1,\r\n    "mcpServers"'), JSON.stringify(after.slice(0, 60)));
    assert.equal(/[^\r]\n/.test(after), false);
    await wiring('user').undo();
    assert.equal(readFileSync(userFile(), 'utf8'), before);
  });

  for (const [what, text] of [
    ['broken JSON', '{ "mcpServers": '],
    ['comments', '{ /* mine */ }'],
    ['an array', '[]'],
    ['a list where the servers should be', '{"mcpServers": []}'],
    ['a key that stands twice', '{"mcpServers": {}, "mcpServers": {}}'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
  ] as const) {
    it(`refuses ${what}`, async () => {
      writeFileSync(userFile(), text);
      await assert.rejects(wiring('user').preview(), code('SBX_WIRE_UNREADABLE'));
      await assert.rejects(wiring('user').write(), code('SBX_WIRE_UNREADABLE'));
      assert.deepEqual(readFileSync(userFile()), Buffer.from(text));
    });
  }

  it("never touches somebody else's entry of the same name", async () => {
    const text = '{"mcpServers": {"signalbox": {"command": "theirs"}}}';
    writeFileSync(userFile(), text);
    for (const attempt of [wiring('user').preview(), wiring('user').write()]) await assert.rejects(attempt, code('SBX_WIRE_CONFLICT'));
    assert.equal(readFileSync(userFile(), 'utf8'), text);
  });

  it('replaces an older entry of its own, and undo goes back to before the first', async () => {
    const before = '{"kept": true}';
    writeFileSync(userFile(), before);
    await wiring('user').write();
    environment = { ...environment, env: { ...environment.env, SIGNALBOX_CONFIG_DIR: '/elsewhere' } };
    assert.equal((await wiring('user').write()).changed, true);
    assert.equal(listRecords(environment.paths).length, 1);
    await wiring('user').undo();
    assert.equal(readFileSync(userFile(), 'utf8'), before);
  });
});

describe('undoing', () => {
  it('removes only our key when the file changed since', async () => {
    writeFileSync(userFile(), '{\n  "a": 1\n}\n');
    await wiring('user').write();
    const changed = readFileSync(userFile(), 'utf8').replace('"a": 1', '"a": 2');
    writeFileSync(userFile(), changed);
    const preview = await wiring('user').undo({ preview: true });
    assert.match(preview.diff, /^-.*signalbox/m);
    assert.equal(readFileSync(userFile(), 'utf8'), changed);
    await wiring('user').undo();
    assert.deepEqual(JSON.parse(readFileSync(userFile(), 'utf8')), { a: 2 });
    assert.deepEqual(listRecords(environment.paths), []);
  });

  it('leaves an entry somebody edited since, and the record with it', async () => {
    await wiring('user').write();
    writeFileSync(userFile(), readFileSync(userFile(), 'utf8').replace('claude-code', 'my-own'));
    await assert.rejects(wiring('user').undo(), code('SBX_WIRE_CONFLICT'));
    assert.equal(listRecords(environment.paths).length, 1);
  });

  it('is content when the entry or the file is gone', async () => {
    await wiring('user').write();
    rmSync(userFile());
    assert.equal((await wiring('user').undo()).outcome, 'gone');
    assert.equal(existsSync(userFile()), false);
  });

  it('says so when nothing was wired', async () => {
    await assert.rejects(wiring('user').undo(), code('SBX_WIRE_NOTHING'));
  });

  it('works from the records alone, without a claude', async () => {
    installFakeClaude();
    writeFileSync(userFile(), '{"mcpServers":{"other":{"command":"x"}}}');
    await wiring('user').write();
    environment = { ...environment, env: { PATH: '' } };
    await wiring('project').write();
    for (const record of listRecords(environment.paths)) undoWiring(environment.paths, record);
    assert.deepEqual(JSON.parse(readFileSync(userFile(), 'utf8')), { mcpServers: { other: { command: 'x' } }, startups: 1 });
    assert.equal(existsSync(projectFile()), false);
  });
});

describe('wiring Claude Code by its command line', () => {
  it('previews the very command it then runs', async () => {
    const log = installFakeClaude();
    const { method, command } = await wiring('user').preview();
    assert.equal(method, 'command');
    assert.equal(existsSync(log), false, 'a preview runs nothing');
    await wiring('user').write();
    const [args] = readFileSync(log, 'utf8').trim().split('\n');
    const asTheShellReadsIt = execFileSync('/bin/sh', ['-c', `claude() { for word; do printf '%s\\n' "$word"; done; }; ${command ?? ''}`], {
      encoding: 'utf8',
    });
    assert.deepEqual(asTheShellReadsIt.trimEnd().split('\n'), JSON.parse(args ?? ''));
    assert.equal((await wiring('user').write()).changed, false);
  });

  it('takes an older entry of its own out first', async () => {
    const log = installFakeClaude();
    await wiring('user').write();
    environment = { ...environment, env: { ...environment.env, SIGNALBOX_CONFIG_DIR: '/elsewhere' } };
    await wiring('user').write();
    const verbs = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as string[])[1]);
    assert.deepEqual(verbs, ['add-json', 'remove', 'add-json']);
    await wiring('user').undo();
    assert.deepEqual(JSON.parse(readFileSync(userFile(), 'utf8')), { startups: 3 });
  });

  it('reports what claude said when it fails, and leaves no record', async () => {
    installFakeClaude("console.error('not today'); process.exit(4);");
    await assert.rejects(wiring('user').write(), (error: { code?: string; why?: string }) => {
      return error.code === 'SBX_WIRE_CLIENT' && error.why === 'not today';
    });
    assert.deepEqual(listRecords(environment.paths), []);
  });

  it('notices when claude wrote somewhere else', async () => {
    installFakeClaude('process.exit(0);');
    await assert.rejects(wiring('user').write(), code('SBX_WIRE_CLIENT'));
    assert.deepEqual(listRecords(environment.paths), []);
  });
});
