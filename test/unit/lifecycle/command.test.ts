import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { commandLine, resolveCommand } from '../../../daemon/lifecycle/command.ts';
import { temporaryFolder } from './fixtures/processes.ts';

function folderWithTool(t: TestContext): string {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'bin', 'folder'), { recursive: true });
  writeFileSync(join(folder, 'bin', 'tool'), '#!/bin/sh\n');
  chmodSync(join(folder, 'bin', 'tool'), 0o755);
  writeFileSync(join(folder, 'bin', 'data'), '');
  return folder;
}

test('a name is looked up in PATH, a path in the folder of the child', (t) => {
  const folder = folderWithTool(t);
  const tool = join(folder, 'bin', 'tool');
  assert.equal(resolveCommand('tool', { PATH: `/nonexistent:${join(folder, 'bin')}` }, '/'), tool);
  assert.equal(resolveCommand('./bin/tool', {}, folder), tool);
  assert.equal(resolveCommand(tool, {}, '/'), tool);
  assert.match(resolveCommand('sh', {}, folder), /^\/(?:usr\/)?bin\/sh$/, 'without PATH: the one of the system');
});

for (const command of ['missing', './missing', 'folder', 'data', './data', ''])
  test(`not a command: ${JSON.stringify(command)}`, (t) => {
    const cwd = join(folderWithTool(t), 'bin');
    assert.throws(() => resolveCommand(command, { PATH: cwd }, cwd), { code: 'SBX_SERVER_COMMAND' });
  });

test('a Windows shim goes through cmd.exe with its arguments out of reach of the shell', () => {
  const line = commandLine('C:\\n\\npx.cmd', ['a b', '%PATH%', 'x&calc', '"'], { ComSpec: 'C:\\cmd.exe' }, 'win32');
  assert.equal(line.command, 'C:\\cmd.exe');
  assert.equal(line.windowsVerbatimArguments, true);
  assert.deepEqual(line.args.slice(0, 3), ['/d', '/s', '/c']);
  const text = line.args[3] ?? '';
  // every character cmd.exe would act on has its carets
  assert.equal(text, '"C:\\n\\npx.cmd ^^^"a^^^ b^^^" ^^^"^^^%PATH^^^%^^^" ^^^"x^^^&calc^^^" ^^^"\\^^^"^^^""');
  assert.deepEqual(commandLine('C:\\node.exe', ['a b'], {}, 'win32'), {
    command: 'C:\\node.exe',
    args: ['a b'],
    windowsVerbatimArguments: false,
  });
});
