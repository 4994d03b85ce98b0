import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FIRST_PORT, LAST_PORT, listenLoopback, listenRemembered, rememberedPort, rememberPort } from '../../../daemon/lifecycle/port.ts';
import { temporaryPaths } from './fixtures/processes.ts';

function server(t: TestContext): Server {
  const made = createServer();
  t.after(() => made.close());
  return made;
}

async function stranger(t: TestContext): Promise<number> {
  const other = server(t).listen(0, '127.0.0.1');
  await once(other, 'listening');
  return (other.address() as AddressInfo).port;
}

test('a new port lies in the range, is remembered and taken again', async (t) => {
  const paths = temporaryPaths(t);
  const first = server(t);
  const { port, note } = await listenRemembered(first, paths);
  assert.ok(port >= FIRST_PORT && port <= LAST_PORT, String(port));
  assert.equal(note, undefined);
  assert.equal((first.address() as AddressInfo).address, '127.0.0.1');
  first.close();
  await once(first, 'close');
  assert.deepEqual(await listenRemembered(server(t), paths), { port });
});

test('a stranger on the remembered port: another one, a note, and the new one is remembered', async (t) => {
  const paths = temporaryPaths(t);
  const taken = await stranger(t);
  rememberPort(paths, taken);
  const { port, note } = await listenRemembered(server(t), paths);
  assert.notEqual(port, taken);
  assert.equal(note?.code, 'SBX_PORT_TAKEN');
  assert.match(note.message, new RegExp(`${taken}.*${port}`));
  assert.equal(rememberedPort(paths), port);
});

test('a taken configured port falls back to the remembered one', async (t) => {
  const free = server(t);
  const { port: remembered } = await listenLoopback(free, {});
  free.close();
  await once(free, 'close');
  const { port, note } = await listenLoopback(server(t), { configured: await stranger(t), remembered });
  assert.equal(port, remembered);
  assert.equal(note?.code, 'SBX_PORT_TAKEN');
});

test('no free port is an error of its own, and leaves the memory alone', async (t) => {
  const taken = await stranger(t);
  let asked = 0;
  const choose = (): number => {
    asked++;
    return taken;
  };
  await assert.rejects(listenLoopback(server(t), { choose }), { code: 'SBX_NO_PORT' });
  assert.equal(asked, 32);
});

test('other settings survive, a damaged file is no obstacle', (t) => {
  const paths = temporaryPaths(t);
  rememberPort(paths, 11111);
  writeFileSync(paths.settingsFile, '{"port": 11111, "other": true}');
  rememberPort(paths, 22222);
  assert.deepEqual(JSON.parse(readFileSync(paths.settingsFile, 'utf8')), { port: 22222, other: true });
  writeFileSync(paths.settingsFile, '{"port":');
  assert.equal(rememberedPort(paths), undefined);
});
