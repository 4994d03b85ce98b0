/** `signalbox wire` and `unwire` as a person runs them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { finish, type Home, makeHome } from '../../fixtures/daemon.ts';

describe('signalbox wire and unwire', () => {
  let home: Home;
  before(() => {
    // No claude on PATH, whatever this machine has installed.
    home = makeHome({ PATH: dirname(process.execPath) });
  });
  after(() => home.remove());

  const userFile = (): string => join(home.dir, 'home', '.claude.json');
  const error = (stdout: string): { code: string; message: string; cause: string; fix: string } =>
    (JSON.parse(stdout) as { error: { code: string; message: string; cause: string; fix: string } }).error;

  it('names the clients it knows when it is given another', async () => {
    const { code, stdout } = await home.signalbox(['wire', 'emacs', '--json']);
    assert.equal(code, 2);
    assert.equal(error(stdout).code, 'SBX_USAGE');
    assert.match(error(stdout).cause, /claude-code/);
    const typo = await home.signalbox(['wire', 'claude-cod', '--json']);
    assert.match(error(typo.stdout).fix, /signalbox wire claude-code/);
  });

  it('refuses a scope there is not', async () => {
    const { code, stdout } = await home.signalbox(['wire', 'claude-code', '--scope', 'world', '--json']);
    assert.equal(code, 2);
    assert.match(error(stdout).cause, /user, local, project/);
  });

  it('previews a diff and leaves everything as it was', async () => {
    const { code, stdout } = await home.signalbox(['wire', 'claude-code', '--preview']);
    assert.equal(code, 0);
    assert.match(stdout, /^\+ {4}"signalbox": \{$/m);
    assert.equal(existsSync(userFile()) || existsSync(home.paths.launcher), false);
  });

  it('writes an entry whose command runs, and takes it back', async () => {
    const wired = await home.json<{ changed: boolean; method: string; file: string }>('wire', 'claude-code');
    assert.deepEqual([wired.changed, wired.method, wired.file], [true, 'file', userFile()]);
    const config = JSON.parse(readFileSync(userFile(), 'utf8')) as {
      mcpServers: { signalbox: { command: string; env: Record<string, string> } };
    };
    const { command, env } = config.mcpServers.signalbox;
    const run = await finish(command, ['version', '--json'], { cwd: home.cwd, env: { PATH: '/usr/bin:/bin', ...env } });
    assert.equal(run.code, 0, run.stderr);
    assert.equal((await home.json<{ changed: boolean }>('wire', 'claude-code')).changed, false);

    const preview = await home.signalbox(['wire', 'claude-code', '--undo', '--preview']);
    assert.match(preview.stdout, /^-.*"signalbox": \{$/m);
    assert.equal(existsSync(userFile()), true);
    assert.equal((await home.json<{ outcome: string }>('wire', 'claude-code', '--undo')).outcome, 'restored');
    assert.equal(existsSync(userFile()), false);
    const again = await home.signalbox(['wire', 'claude-code', '--undo', '--json']);
    assert.deepEqual([again.code, error(again.stdout).code], [1, 'SBX_WIRE_NOTHING']);
  });

  it('unwire wants --all', async () => {
    const { code, stdout } = await home.signalbox(['unwire', '--json']);
    assert.deepEqual([code, error(stdout).code], [2, 'SBX_USAGE']);
  });

  it('unwire --all takes back what it can and names what it cannot', async () => {
    for (const scope of ['user', 'project']) await home.json('wire', 'claude-code', '--scope', scope);
    const edited = readFileSync(userFile(), 'utf8').replace('"claude-code"', '"edited"');
    writeFileSync(userFile(), edited);
    const { code, stdout } = await home.signalbox(['unwire', '--all', '--json']);
    const answer = JSON.parse(stdout) as { undone: { scope: string }[]; failed: { code: string; file: string }[] };
    assert.equal(code, 1);
    assert.deepEqual(
      answer.undone.map(({ scope }) => scope),
      ['project'],
    );
    assert.deepEqual(
      answer.failed.map((failure) => [failure.code, failure.file]),
      [['SBX_WIRE_CONFLICT', userFile()]],
    );
    assert.equal(existsSync(join(home.cwd, '.mcp.json')), false);
    assert.equal(readFileSync(userFile(), 'utf8'), edited);
  });
});
