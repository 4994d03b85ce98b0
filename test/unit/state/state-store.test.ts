/** The state store: what survives, what is set aside, who may read it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../../../daemon/protocol/json.ts';
import { daemonId } from '../../../daemon/state/daemon-id.ts';
import { openStateStore } from '../../../daemon/state/state-store.ts';

function folder(t: { after(callback: () => void): void }): string {
  const made = mkdtempSync(join(tmpdir(), 'signalbox-state-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test('values survive being closed, by table and key, and are replaced and deleted', (t) => {
  const file = join(folder(t), 'state.db');
  const first = openStateStore(file);
  first.set('names', 'a', { tools: ['x'] });
  first.set('names', 'b', 1);
  first.set('servers', 'a', 'other table');
  first.set('names', 'a', { tools: ['y', 'ü\u0000'] });
  first.set('names', 'c', null);
  first.delete('names', 'b');
  first.close();
  const second = openStateStore(file);
  t.after(() => second.close());
  assert.deepEqual(second.get('names', 'a'), { tools: ['y', 'ü\u0000'] });
  assert.equal(second.get('names', 'b'), undefined);
  assert.equal(second.get('servers', 'a'), 'other table');
  assert.equal(second.get('names', 'c'), null);
  second.set('names', 'c', undefined);
  assert.deepEqual(
    second.entries('names').map(([key]) => key),
    ['a'],
  );
});

test('numbers JavaScript cannot hold survive: servers list them in schemas', (t) => {
  const text = '{"maximum":18446744073709551615}';
  const store = openStateStore(join(folder(t), 'state.db'));
  t.after(() => store.close());
  store.set('snapshots', 'a', parseJson(text));
  assert.equal(JSON.stringify(store.get('snapshots', 'a')), text);
});

test('entries are those of a prefix, in key order; % and _ are plain characters', (t) => {
  const store = openStateStore(':memory:');
  t.after(() => store.close());
  for (const key of ['b:2', 'b:1', 'b%', 'B:1', 'c', 'b_', 'bä:', '🚦x']) store.set('snapshots', key, key);
  assert.deepEqual(
    store.entries('snapshots', 'b:').map(([key]) => key),
    ['b:1', 'b:2'],
  );
  assert.deepEqual(store.entries('snapshots', 'b%'), [['b%', 'b%']]);
  assert.deepEqual(store.entries('snapshots', 'bä'), [['bä:', 'bä:']]);
  assert.deepEqual(store.entries('snapshots', '🚦'), [['🚦x', '🚦x']]);
  assert.equal(store.entries('snapshots').length, 8);
});

test('what was set survives a SIGKILL of the process', (t) => {
  const file = join(folder(t), 'state.db');
  const module = JSON.stringify(new URL('../../../daemon/state/state-store.ts', import.meta.url).href);
  const script = `import { openStateStore } from ${module}; const s = openStateStore(${JSON.stringify(file)}); s.set('keys', 'k', 'kept'); process.kill(process.pid, 'SIGKILL');`;
  assert.throws(() => execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]), {
    signal: 'SIGKILL',
  });
  const store = openStateStore(file);
  t.after(() => store.close());
  assert.equal(store.get('keys', 'k'), 'kept');
});

test('only the user may read the file and what SQLite puts beside it', { skip: process.platform === 'win32' }, (t) => {
  const dir = folder(t);
  const store = openStateStore(join(dir, 'state.db'));
  t.after(() => store.close());
  store.set('keys', 'k', 1);
  const files = readdirSync(dir);
  assert.deepEqual(files.sort(), ['state.db', 'state.db-shm', 'state.db-wal']);
  for (const name of files) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
});

test('a file that is no database is set aside and said; the store works', (t) => {
  const dir = folder(t);
  const file = join(dir, 'state.db');
  writeFileSync(file, 'this was never a database, and it is long enough to be looked at'.repeat(40));
  const said: string[] = [];
  const store = openStateStore(file, (level, message) => said.push(`${level} ${message}`));
  t.after(() => store.close());
  store.set('keys', 'k', 1);
  assert.equal(store.get('keys', 'k'), 1);
  const aside = readdirSync(dir).find((name) => name.startsWith('state.db.broken-'));
  assert.ok(aside !== undefined);
  assert.match(readFileSync(join(dir, aside), 'utf8'), /never a database/);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /^error The state file .* is broken .*; it is now .*broken-/);
});

test('a file that lost its end is set aside, a file of another layout too', (t) => {
  const dir = folder(t);
  const file = join(dir, 'state.db');
  const first = openStateStore(file);
  for (let n = 0; n < 400; n++) first.set('snapshots', `key ${n}`, 'x'.repeat(500));
  first.close();
  truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096);
  const said: string[] = [];
  const log = (_level: string, message: string): number => said.push(message);
  const second = openStateStore(file, log);
  second.set('keys', 'k', 1);
  assert.equal(second.get('keys', 'k'), 1);
  assert.equal(said.length, 1, said.join('\n'));
  second.close();

  const bytes = readFileSync(file);
  bytes.writeUInt32BE(99, 60); // user_version in the header of an SQLite file
  writeFileSync(file, bytes);
  const third = openStateStore(file, log);
  t.after(() => third.close());
  assert.equal(third.get('keys', 'k'), undefined);
  assert.match(said[1] ?? '', /layout is 99/);
});

test('a store that can have no file works in memory and says so; a closed one is empty', (t) => {
  const said: string[] = [];
  const store = openStateStore(join(folder(t), 'no', 'such', 'folder', 'state.db'), (_level, message) => said.push(message));
  store.set('keys', 'k', 1);
  assert.equal(store.get('keys', 'k'), 1);
  assert.match(said[0] ?? '', /nothing will be remembered/);
  store.close();
  assert.equal(store.get('keys', 'k'), undefined);
  store.set('keys', 'k', 2);
  assert.deepEqual(store.entries('keys'), []);
});

test("the daemon's id is made once, and again when what is kept is not one", () => {
  const store = openStateStore(':memory:');
  const id = daemonId(store);
  assert.match(id, /^[a-z2-7]{12}$/);
  assert.equal(daemonId(store), id);
  store.set('keys', 'daemon-id', 'not an id');
  assert.notEqual(daemonId(store), id);
  store.close();
});
