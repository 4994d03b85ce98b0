/** A server of a workspace is told the workspace folder when it asks for roots, by the daemon and without any client having to. */
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BridgeClient } from '../fixtures/bridge-client.ts';
import { startDaemonFixture } from '../fixtures/daemon.ts';
import { modernHeaders, modernParams } from './transcript.ts';

const ASKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'asking.mjs');

test('roots are the folder of the workspace; without a workspace none are declared', async (t) => {
  const config = { servers: { asking: { command: process.execPath, args: [ASKING] } } };
  const daemon = await startDaemonFixture({ config });
  t.after(() => daemon.stop());
  const folder = join(daemon.home.cwd, 'project');
  mkdirSync(folder);
  const seen = (result: unknown): { roots: unknown; declared: object } =>
    JSON.parse((result as { content: { text: string }[] }).content[0]?.text ?? '{}') as { roots: unknown; declared: object };

  const client = new BridgeClient(daemon.home, ['--workspace', folder]);
  await client.initialize();
  const limit = AbortSignal.timeout(20_000);
  for (;;) {
    const { roots, declared } = seen((await client.request('tools/call', { name: 'asking__seen', arguments: {} })).result);
    // The server asks after its handshake, so the answer may come after the first call.
    if (roots === null && !limit.aborted) continue;
    assert.deepEqual(roots, [{ uri: pathToFileURL(realpathSync(folder)).href, name: 'project' }]);
    assert.ok('roots' in declared);
    break;
  }
  await client.close();

  const answer = await fetch(daemon.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${daemon.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...modernHeaders('tools/call', 'asking__seen'),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: modernParams({ name: 'asking__seen', arguments: {} }) }),
  });
  const { roots, declared } = seen(((await answer.json()) as { result: unknown }).result);
  assert.equal(roots, null);
  assert.ok(!('roots' in declared));
});
