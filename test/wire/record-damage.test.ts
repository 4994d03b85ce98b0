/** The real program on a recording whose side file was damaged on the disk: it tells so and does its work with the rest. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import { type DaemonFixture, startDaemonFixture } from '../fixtures/daemon.ts';

const LEAKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'leaking.mjs');

describe('a recording that was damaged', () => {
  let daemon: DaemonFixture;
  let info: RecordingInfo;
  before(async () => {
    daemon = await startDaemonFixture({ config: { servers: { big: { command: process.execPath, args: [LEAKING] } } } });
    const { home } = daemon;
    const { id } = await home.json<RecordingInfo>('record', 'start', '--name', 'hurt');
    let session: string | undefined;
    const post = async (message: object): Promise<void> => {
      const answer = await fetch(daemon.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${daemon.token}`,
          ...(session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });
      session ??= answer.headers.get('mcp-session-id') ?? undefined;
      await answer.text();
    };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hurt', version: '1' } };
    await post({ id: 0, method: 'initialize', params });
    await post({ method: 'notifications/initialized' });
    for (const [n, text] of ['small', 'large '.repeat(20_000)].entries())
      await post({ id: n + 1, method: 'tools/call', params: { name: 'big__spill', arguments: { secrets: [text] } } });
    info = await home.json<RecordingInfo>('record', 'stop', id);
    const blobs = join(info.path, 'blobs');
    for (const name of readdirSync(blobs)) {
      const bytes = readFileSync(join(blobs, name));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(join(blobs, name), bytes);
    }
  });
  after(() => daemon.stop());

  it('is shown, counted, exported and imported as far as it goes, and the answer has the damage', { timeout: 60_000 }, async () => {
    const { home } = daemon;
    type Problems = { readonly problems?: readonly { readonly code: string; readonly cause: string; readonly fix: string }[] };
    const shown = await home.signalbox(['record', 'show', 'hurt']);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /The message of frame \d+ cannot be read: its side file is not what was recorded/);
    const counted = await home.signalbox(['record', 'stats', 'hurt', '--json']);
    const told = /SBX_RECORDING_DAMAGED: .*\n {2}why: The message of frame \d+/;
    assert.equal(counted.code, 1);
    assert.match(counted.stderr, told);
    const statistics = JSON.parse(counted.stdout) as Problems & { tools: object[] };
    assert.ok(statistics.tools.length > 0);
    assert.ok((statistics.problems ?? []).length > 0);
    for (const { code, cause, fix } of statistics.problems ?? [])
      assert.deepEqual([code, /frame \d+/.test(cause), fix !== ''], ['SBX_RECORDING_DAMAGED', true, true]);
    const to = join(home.dir, 'hurt.jsonl');
    const exported = await home.signalbox(['record', 'export', 'hurt', '--to', to, '--yes', '--json']);
    assert.equal(exported.code, 1);
    assert.match(exported.stderr, told);
    const { problems } = JSON.parse(exported.stdout) as Problems;
    assert.equal(problems?.length, statistics.problems?.length);
    assert.match(readFileSync(to, 'utf8'), /"k":"gap".*side file is not what was recorded/);
    const preview = await home.signalbox(['record', 'export', 'hurt']);
    assert.match(preview.stdout, /Incomplete: \d+ gaps?: The message of frame/);
    const taken = await home.signalbox(['record', 'import', info.path, '--format', 'jsonl', '--name', 'again', '--json']);
    assert.equal(taken.code, 1);
    const imported = JSON.parse(taken.stdout) as RecordingInfo;
    assert.deepEqual([imported.problem?.code, imported.gaps], ['SBX_RECORDING_DAMAGED', problems?.length]);
    assert.equal(imported.frames, info.frames - (problems?.length ?? 0));
  });
});
