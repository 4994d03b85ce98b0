import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allowedEnvironment, ChildEnvironments, daemonEnvironment, loginShellPath } from '../../../daemon/lifecycle/environment.ts';
import { temporaryFolder } from './fixtures/processes.ts';

const SOURCE = { HOME: '/h', PATH: '/p', TERM: '() { :; }', AWS_SECRET_ACCESS_KEY: 's', NODE_OPTIONS: '--x', SIGNALBOX_STATE_DIR: '/s' };

function script(folder: string, text: string): string {
  const file = join(folder, 'shell');
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

test('only the allow-list passes', () => {
  assert.deepEqual(allowedEnvironment(SOURCE, 'linux'), { HOME: '/h', PATH: '/p' });
  assert.deepEqual(allowedEnvironment({ Path: 'C:\\', SystemRoot: 'C:\\W', SECRET: 's' }, 'win32'), { PATH: 'C:\\', SYSTEMROOT: 'C:\\W' });
  assert.deepEqual(daemonEnvironment(SOURCE), { HOME: '/h', PATH: '/p', SIGNALBOX_STATE_DIR: '/s' });
});

test('PATH is what the login shell of the home says, through its greetings', { skip: process.platform === 'win32' }, async (t) => {
  const home = temporaryFolder(t);
  writeFileSync(join(home, '.profile'), 'echo "Welcome! __sbx_"; PATH="/from/the/profile:$PATH"; export PATH; echo again\n');
  const { path, source } = await loginShellPath({ shell: '/bin/sh', home });
  assert.equal(source, 'login-shell');
  assert.match(path, /^\/from\/the\/profile:\//);
});

test('it does not depend on the PATH of whoever started us', { skip: process.platform === 'win32' }, async (t) => {
  const home = temporaryFolder(t);
  const before = process.env['PATH'];
  t.after(() => {
    process.env['PATH'] = before;
  });
  process.env['PATH'] = `/only/in/the/starter:${before}`;
  const { path } = await loginShellPath({ shell: '/bin/sh', home });
  assert.ok(!path.includes('/only/in/the/starter'), path);
});

test('a shell that hangs, fails, or is missing: the fallback', { skip: process.platform === 'win32', timeout: 20_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const fallback = { path: process.env['PATH'], source: 'fallback' };
  assert.deepEqual(await loginShellPath({ shell: script(folder, 'trap "" TERM; sleep 600'), timeoutMs: 100 }), fallback);
  assert.deepEqual(await loginShellPath({ shell: script(folder, 'exit 1') }), fallback);
  assert.deepEqual(await loginShellPath({ shell: join(folder, 'none') }), fallback);
});

test('a shell that answers and then stays does not hold us up', { skip: process.platform === 'win32', timeout: 20_000 }, async (t) => {
  const shell = script(temporaryFolder(t), 'PATH=/answer; eval "$2"; exec /bin/sleep 600');
  assert.deepEqual(await loginShellPath({ shell }), { path: '/answer', source: 'login-shell' });
});

test('a child gets the allow-list, that PATH, and the entry over it; the shell is asked once', {
  skip: process.platform === 'win32',
}, async (t) => {
  const folder = temporaryFolder(t);
  const count = join(folder, 'count');
  const environments = new ChildEnvironments({
    shell: script(folder, `echo x >> '${count}'; PATH="/asked-$(/bin/cat '${count}' | /usr/bin/wc -l)"; eval "$2"`),
  });
  process.env['SBX_TEST_LEAK'] = 'leak';
  t.after(() => delete process.env['SBX_TEST_LEAK']);
  const [plain, own] = await Promise.all([environments.of(), environments.of({ TOKEN: 't', HOME: '/elsewhere' })]);
  assert.equal(plain['PATH'], '/asked-1');
  assert.equal(own['PATH'], '/asked-1');
  assert.deepEqual([own['TOKEN'], own['HOME'], own['SBX_TEST_LEAK']], ['t', '/elsewhere', undefined]);
});
