import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { identityProof } from '../../../daemon/api/runtime.ts';
import { locate } from '../../../daemon/lifecycle/locate.ts';
import { writeRuntimeFile } from '../../../daemon/lifecycle/runtime-file.ts';
import { temporaryPaths } from './fixtures/processes.ts';

const TOKEN = 'the control token';

/** Somebody listens and the runtime file points there; returns what `locate` says and every byte it sent. */
async function locateAt(t: TestContext, answer: RequestListener, timeoutMs?: number): Promise<{ state: string; seen: string }> {
  let seen = '';
  const server = createServer((request, response) => {
    seen += `${request.url} ${JSON.stringify(request.rawHeaders)}`;
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const paths = temporaryPaths(t);
  const { port } = server.address() as AddressInfo;
  writeRuntimeFile(paths, { pid: process.pid, port, controlToken: TOKEN, protocol: [1, 1], version: '0', build: '', startedAt: '' });
  const { state } = await locate(paths, timeoutMs);
  return { state, seen };
}

const nonceOf = (url: string | undefined): string => new URL(url ?? '/', 'http://localhost').searchParams.get('nonce') ?? '';

test('a daemon that proves itself is running', async (t) => {
  const { state, seen } = await locateAt(t, ({ url }, response) => {
    response.end(JSON.stringify({ ok: true, name: 'signalbox', proof: identityProof(TOKEN, nonceOf(url)) }));
  });
  assert.equal(state, 'running');
  assert.ok(!seen.includes(TOKEN));
});

const strangers: Readonly<Record<string, RequestListener>> = {
  'one without a proof': (_, response) => response.end('{"ok":true,"name":"signalbox"}'),
  'one with another key': ({ url }, response) => response.end(JSON.stringify({ proof: identityProof('guess', nonceOf(url)) })),
  'one that proves an old nonce': (_, response) => response.end(JSON.stringify({ proof: identityProof(TOKEN, 'old') })),
  'a web page': (_, response) => response.end('<html>'),
  'an error with a good proof': ({ url }, response) =>
    response.writeHead(500).end(JSON.stringify({ proof: identityProof(TOKEN, nonceOf(url)) })),
  'one that hangs up': ({ socket }) => socket.destroy(),
  'one that floods': (_, response) => response.end('x'.repeat(1_000_000)),
};
for (const [name, answer] of Object.entries(strangers)) {
  test(`a stranger is told apart, and told nothing: ${name}`, async (t) => {
    const { state, seen } = await locateAt(t, answer);
    assert.equal(state, 'stranger');
    assert.ok(seen.includes('/health?nonce=') && !seen.includes(TOKEN));
  });
}

test('one that never answers is a stranger, in time', { timeout: 10_000 }, async (t) => {
  assert.equal((await locateAt(t, () => {}, 50)).state, 'stranger');
});

test('no file and a closed port', async (t) => {
  const paths = temporaryPaths(t);
  assert.deepEqual(await locate(paths), { state: 'none' });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  writeRuntimeFile(paths, { pid: 1, port, controlToken: TOKEN, protocol: [1, 1], version: '0', build: '', startedAt: '' });
  assert.equal((await locate(paths)).state, 'stale');
});
