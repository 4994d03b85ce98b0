import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { COMMANDS } from '../../../daemon/cli/commands.ts';
import { sandbox } from './process.ts';

const NAMES = COMMANDS.flatMap(({ commands }) => commands.map(({ name }) => name));

describe('signalbox', { concurrency: 4 }, () => {
  it('shows every command with its summary, alone, with help and with --help', async (t) => {
    const { run } = sandbox(t);
    const alone = await run([]);
    assert.equal(alone.code, 0);
    assert.equal(alone.stderr, '');
    for (const name of NAMES) assert.match(alone.stdout, new RegExp(`^  ${name} +[A-Z]`, 'm'));
    assert.equal((await run(['help'])).stdout, alone.stdout);
    assert.equal((await run(['--help'])).stdout, alone.stdout);
    assert.ok(Math.max(...alone.stdout.split('\n').map(({ length }) => length)) <= 130, 'a line is too long for a terminal');
  });

  it('shows the same page for help X and X --help, without needing a daemon', async (t) => {
    const { run } = sandbox(t);
    for (const name of ['call', 'serve', 'wire']) {
      const page = await run(['help', name]);
      assert.equal(page.code, 0);
      assert.match(page.stdout, new RegExp(`Usage\n {2}signalbox ${name}`));
      assert.deepEqual(await run([name, '--help']), page);
    }
    const { document } = await sandbox(t).json(['help', 'status']);
    assert.equal(document['name'], 'status');
  });

  it('says the version', async (t) => {
    const { code, document } = await sandbox(t).json(['version']);
    assert.equal(code, 0);
    assert.match(String(document['version']), /^\d+\.\d+\.\d+/);
  });

  const MISTAKES: readonly [words: string[], fix: RegExp][] = [
    [['stauts'], /Did you mean `signalbox status`/],
    [['xyzzy-nothing'], /signalbox help/],
    [['help', 'doctr'], /Did you mean `signalbox doctor`/],
    [['status', '--jso'], /Did you mean `--json`/],
    [['tools', '--endpont', 'x'], /Did you mean `--endpoint`/],
    [['servers', 'lst'], /Did you mean `signalbox servers list`/],
    [['secret'], /signalbox help secret/],
    [['call'], /signalbox help call/],
    [['call', 'a', 'b'], /signalbox help call/],
    [['status', 'now'], /signalbox help status/],
    [['up', '--config', '/nowhere/config.jsonc'], /existing file/],
    [['up', '--workspace', '/nowhere'], /existing folder/],
    [['logs', '-n', 'many'], /-n 100/],
    [['call', 't', '--args', '[1]'], /Quote it for the shell/],
    [['call', 't', '--args', '{'], /Quote it for the shell/],
    [['call', 't', '--args', '@/nowhere.json'], /exists/],
    [['servers', 'add', 'x'], /exactly one/],
    [['servers', 'add', 'x', '--url', 'http://a', '--plugin', 'b'], /exactly one/],
    [['servers', 'accept'], /signalbox help servers/],
    [['servers', 'accept', 'a', 'b', 'c'], /signalbox help servers/],
    [['serve', 'filesytem'], /Did you mean `signalbox serve filesystem`/],
  ];
  for (const [words, fix] of MISTAKES)
    it(`answers \`${words.join(' ')}\` with exit 2, the cause and the fix`, async (t) => {
      const { code, stdout, stderr } = await sandbox(t).run(words);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^SBX_(USAGE|PLUGIN_NOT_FOUND): /);
      assert.match(stderr, /^ {2}why: \S/m);
      assert.match(stderr.split('  fix: ')[1] ?? '', fix);
    });

  for (const words of [
    ['status'],
    ['tools'],
    ['call', 't'],
    ['read', 'u:x'],
    ['prompt'],
    ['servers'],
    ['secret', 'list'],
    ['clients'],
    ['trust'],
  ])
    it(`ends \`${words.join(' ')}\` with 3 when no daemon runs, and starts none`, async (t) => {
      const { json, run } = sandbox(t);
      const { code, document } = await json(words);
      assert.equal(code, 3);
      const error = document['error'] as Record<string, string>;
      assert.deepEqual(Object.keys(error), ['code', 'message', 'cause', 'fix']);
      assert.equal(error['code'], 'SBX_DAEMON_UNREACHABLE');
      assert.match(error['fix'] ?? '', /signalbox up/);
      assert.deepEqual((await json(['stop'])).document, { stopped: false });
      assert.equal((await run(['logs'])).stdout, '');
    });

  it('keeps standard output for the one document under --json, an error included', async (t) => {
    const { code, stdout, stderr } = await sandbox(t).run(['--json', 'stauts']);
    assert.equal(code, 2);
    assert.equal(stderr, '');
    assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'SBX_USAGE');
  });

  it('names a stale runtime file (exit 3) and a stranger on its port (exit 3)', async (t) => {
    const { createServer } = await import('node:http');
    const { json, paths } = sandbox(t);
    const stranger = createServer((_, response) => response.end('{"ok":true,"name":"signalbox","proof":"00"}'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as import('node:net').AddressInfo;
    mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 });
    const runtime = { pid: 2 ** 22 + 1, port, controlToken: 't', protocol: [1, 1], version: '0', build: 'b', startedAt: '' };
    writeFileSync(paths.runtimeFile, JSON.stringify(runtime), { mode: 0o600 });
    const code = async (): Promise<unknown[]> => {
      const answer = await json(['status']);
      return [answer.code, (answer.document['error'] as { code: string }).code];
    };
    assert.deepEqual(await code(), [3, 'SBX_IDENTITY']);
    await new Promise((resolve) => stranger.close(resolve));
    assert.deepEqual(await code(), [3, 'SBX_RUNTIME_STALE']);
  });

  it('shows the end of the log without a daemon', async (t) => {
    const { json, run, paths } = sandbox(t);
    mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 });
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'é'.repeat(9)}`);
    writeFileSync(paths.logFile, `${lines.join('\n')}\n`);
    assert.deepEqual((await json(['logs', '-n', '3000'])).document['lines'], lines.slice(-3000));
    assert.equal((await run(['logs', '-n', '1'])).stdout, `${lines.at(-1)}\n`);
    assert.equal((await run(['logs', '--follow', '--json'])).code, 2);
  });

  it('hands flags and exit code of a plugin through', async (t) => {
    const { run, folder } = sandbox(t);
    mkdirSync(join(folder, 'own'));
    writeFileSync(join(folder, 'own', 'plugin.json'), '{ "name": 3 }');
    const { code, stdout, stderr } = await run(['serve', './own', '--json']);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /SBX_PLUGIN_MANIFEST/);
  });
});
