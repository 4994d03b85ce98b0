/** What VS Code runs after the extension was uninstalled, against a real daemon and real client files. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DaemonStatus } from '../../../daemon/api/control.ts';
import { finish, type Home, isRunning, makeHome, REPOSITORY } from '../../fixtures/daemon.ts';

describe('uninstalling the extension', () => {
  let home: Home;
  before(() => {
    home = makeHome();
  });
  after(() => home.remove());

  it('takes every wiring back, stops the daemon, and keeps what is the person’s own', async () => {
    const codex = join(home.dir, 'home', '.codex', 'config.toml');
    mkdirSync(join(home.dir, 'home', '.codex'));
    writeFileSync(codex, '# mine\nmodel = "x"\n');
    writeFileSync(home.paths.configFile, '{ "servers": {} }');
    for (const client of ['codex', 'cursor']) await home.json('wire', client);
    assert.match(readFileSync(codex, 'utf8'), /signalbox/);
    const { pid } = await home.json<DaemonStatus>('up');
    assert.ok(isRunning(pid));

    // As in `dist`: the script beside the command line.
    const dist = join(home.dir, 'dist');
    mkdirSync(dist);
    copyFileSync(join(REPOSITORY, 'scripts', 'launcher', 'uninstall.cjs'), join(dist, 'uninstall.cjs'));
    writeFileSync(join(dist, 'cli.mjs'), `await import(${JSON.stringify(join(REPOSITORY, 'daemon', 'cli', 'main.ts'))});\n`);
    const ended = await finish(process.execPath, [join(dist, 'uninstall.cjs')], { cwd: home.dir, env: home.env });
    assert.equal(ended.code, 0, ended.stderr);

    assert.equal(readFileSync(codex, 'utf8'), '# mine\nmodel = "x"\n');
    assert.equal(existsSync(join(home.dir, 'home', '.cursor', 'mcp.json')), false);
    assert.equal(isRunning(pid), false);
    assert.ok(existsSync(home.paths.configFile));
  });

  it('is content when there is nothing to take back', async () => {
    const ended = await finish(process.execPath, [join(home.dir, 'dist', 'uninstall.cjs')], { cwd: home.dir, env: home.env });
    assert.equal(ended.code, 0);
  });

  it('is what the manifest names', () => {
    const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    assert.equal(scripts['vscode:uninstall'], 'node ./dist/uninstall.cjs');
  });
});
