/** What a wiring and its undo do where the file, the record or the entry is not what one hopes for. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { signalboxPaths } from '../../../daemon/api/paths.ts';
import { codex } from '../../../daemon/wiring/clients/codex.ts';
import { cursor } from '../../../daemon/wiring/clients/cursor.ts';
import { windsurf } from '../../../daemon/wiring/clients/windsurf.ts';
import { wiringOf } from '../../../daemon/wiring/entry-wiring.ts';
import { clientStatus } from '../../../daemon/wiring/status.ts';
import type { WiringEnvironment } from '../../../daemon/wiring/wiring.ts';

let dir = '';
let environment: WiringEnvironment;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-undo-')));
  const paths = signalboxPaths({ platform: process.platform, home: dir, env: { SIGNALBOX_STATE_DIR: join(dir, 'state') } });
  environment = { paths, env: { PATH: '' }, cwd: dir, platform: process.platform, home: dir };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const fileOf = (client: typeof cursor): string => {
  const { file } = client.place('user', environment);
  mkdirSync(dirname(file), { recursive: true });
  return file;
};

describe('files that are not to be written', () => {
  it('a read-only file stays, and no record of a wiring is kept', async () => {
    const file = fileOf(cursor);
    writeFileSync(file, '{}');
    chmodSync(file, 0o444);
    await assert.rejects(wiringOf(cursor, 'user', environment).write(), { code: 'SBX_WIRE_UNWRITABLE' });
    assert.equal(readFileSync(file, 'utf8'), '{}');
    assert.deepEqual(readdirSync(environment.paths.wiringDir), []);
  });

  it('a link to nowhere is named as what it is', async () => {
    symlinkSync(join(dir, 'gone.json'), fileOf(cursor));
    await assert.rejects(wiringOf(cursor, 'user', environment).write(), {
      code: 'SBX_WIRE_UNREADABLE',
      why: /gone\.json, which is not there/,
    });
  });
});

it('an empty file, as installers leave it, is wired and comes back empty', async () => {
  const file = fileOf(windsurf);
  writeFileSync(file, '');
  await wiringOf(windsurf, 'user', environment).write();
  assert.ok(JSON.parse(readFileSync(file, 'utf8')).mcpServers.signalbox);
  await wiringOf(windsurf, 'user', environment).undo();
  assert.equal(readFileSync(file, 'utf8'), '');
});

it('an undo whose backup is gone takes out the entry, not the file', async () => {
  const file = fileOf(cursor);
  writeFileSync(file, '{"theirs": 1}');
  const { backup } = await wiringOf(cursor, 'user', environment).write();
  rmSync(backup ?? '');
  await wiringOf(cursor, 'user', environment).undo();
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { theirs: 1 });
});

it('an empty table of servers that somebody wrote stays when ours is taken out', async () => {
  const file = fileOf(codex);
  writeFileSync(file, '[mcp_servers]\n');
  await wiringOf(codex, 'user', environment).write();
  writeFileSync(file, `model = "x"\n${readFileSync(file, 'utf8')}`);
  await wiringOf(codex, 'user', environment).undo();
  assert.equal(readFileSync(file, 'utf8'), 'model = "x"\n[mcp_servers]\n');
});

it("a project's entry that names our launcher is the project's own: it is neither replaced nor started by a check", async () => {
  const { file } = cursor.place('project', environment);
  mkdirSync(dirname(file), { recursive: true });
  const hostile = { command: environment.paths.launcher, args: ['connect'], env: { NODE_OPTIONS: '--require ./evil.cjs' } };
  writeFileSync(file, JSON.stringify({ mcpServers: { signalbox: hostile } }));
  const wiring = wiringOf(cursor, 'project', environment);
  assert.throws(() => wiring.current(), { code: 'SBX_WIRE_CONFLICT' });
  await assert.rejects(wiring.write(), { code: 'SBX_WIRE_CONFLICT' });
});

it("in the home folder a project's file that is the user's is one place, not a conflict", async () => {
  await wiringOf(cursor, 'user', environment).write();
  assert.deepEqual(
    clientStatus(cursor, environment).scopes.map(({ scope, wired }) => [scope, wired]),
    [['user', true]],
  );
});
