import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { FrameLine, RecordingHeader, RecordingLine } from '../../../../daemon/api/recordings.ts';
import { parseJson } from '../../../../daemon/protocol/json.ts';
import type { LineItems } from '../../../../daemon/sessions/recording/line-maker.ts';
import { openRecording, segmentsIn } from '../../../../daemon/sessions/recording/reader.ts';
import { SegmentWriter } from '../../../../daemon/sessions/recording/segment-writer.ts';
import { showRecording } from '../../../../daemon/sessions/recording/show.ts';
import { Redactor } from '../../../../daemon/sessions/redaction/redactor.ts';
import { finish } from '../../../fixtures/daemon.ts';
import { linesOf, type RecorderFixture, recorderFixture, schemaErrors } from '../../../fixtures/recorder.ts';

function fixture(t: TestContext, options: Parameters<typeof recorderFixture>[0] = {}): RecorderFixture {
  const made = recorderFixture(options);
  t.after(() => made.close());
  return made;
}
const frames = (lines: readonly RecordingLine[]): readonly FrameLine[] => lines.filter((line): line is FrameLine => line.k === 'frame');
const request = (id: number | string, params: object = {}): object => ({ jsonrpc: '2.0', id, method: 'tools/call', params });
const answer = (id: number | string, result: object = {}): object => ({ jsonrpc: '2.0', id, result });
const CLIENT = { edge: 'client', transport: 'bridge', client: 'claude-code', endpoint: '/mcp/default' } as const;
const SERVER = { edge: 'server', transport: 'stdio', server: 'fs' } as const;
const PRIVATE = process.platform === 'win32' ? undefined : 0o600;
const PROCESS = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'recording-process.ts');
const redactor = new Redactor({ key: new Uint8Array(32), secrets: [], rules: {} });
const header: RecordingHeader = {
  signalbox: 'recording',
  version: 1,
  id: 'made',
  createdAt: '2026-01-02T03:04:05.000Z',
  segment: 1,
  writer: { name: 'signalbox', version: '0' },
  filter: {},
  redaction: { rules: [], prefix: '[redacted:' },
};

describe('a recording', () => {
  it('has every event in order, joined by call, and is ended, packed and private', async (t) => {
    const { hub, recorder, store, folder, held } = fixture(t);
    const { id } = await recorder.start({ filter: {}, name: 'first' });
    assert.equal(held(), 1);
    const client = hub.open({ ...CLIENT, session: 'x' });
    const server = hub.open(SERVER);
    const origin = client.in(request(1), { bytes: 70 });
    server.out(request('u1'), { origin });
    hub.stderr('fs', undefined, 'a line');
    server.fault('not a message', origin);
    server.in(answer('u1'), { origin });
    client.out(answer(1), { origin, stream: 1 });
    client.close('bye');
    const ended = await recorder.stop(id);
    assert.equal(held(), 0);
    assert.deepEqual(
      [ended.frames, ended.live, ended.gaps, ended.clients, ended.servers, ended.eras],
      [4, false, 0, ['claude-code'], ['fs'], ['legacy']],
    );
    const lines = await linesOf(store, 'first');
    assert.deepEqual(
      lines.map((line) => [line.k, 'c' in line ? line.c : '', line.k === 'frame' ? `${line.n} ${line.d} ${line.call}` : '']),
      [
        ['open', 'c1', ''],
        ['open', 'c2', ''],
        ['frame', 'c1', '1 in 1'],
        ['frame', 'c2', '2 out 1'],
        ['stderr', '', ''],
        ['fault', 'c2', ''],
        ['frame', 'c2', '3 in 1'],
        ['frame', 'c1', '4 out 1'],
        ['close', 'c1', ''],
        ['end', '', ''],
      ],
    );
    assert.deepEqual(await schemaErrors(join(folder, id)), []);
    const files = readdirSync(join(folder, id)).sort();
    assert.deepEqual(files, ['000001.jsonl.zst', 'recording.json']);
    if (PRIVATE !== undefined) for (const file of files) assert.equal(statSync(join(folder, id, file)).mode & 0o777, PRIVATE);
  });

  it('begins with what the ring holds, also before it was asked for', async (t) => {
    const { hub, recorder, store } = fixture(t);
    const client = hub.open({ ...CLIENT, session: 'x' });
    client.in(request(1));
    const { id } = await recorder.start({ filter: {}, ring: true });
    client.out(answer(1));
    await recorder.stop(id);
    const found = frames(await linesOf(store, id));
    assert.deepEqual(
      found.map(({ d }) => d),
      ['in', 'out'],
    );
    assert.ok(found.every(({ t: time }) => time >= 0));
  });

  it('is one of several at once, each with its filter', async (t) => {
    const { hub, recorder, store } = fixture(t);
    const all = await recorder.start({ filter: {} });
    const one = await recorder.start({ filter: { client: 'b' } });
    const a = hub.open({ ...CLIENT, client: 'a', session: 'a' });
    const b = hub.open({ ...CLIENT, client: 'b', session: 'b' });
    for (let id = 0; id < 300; id++) {
      a.in(request(id));
      b.in(request(id));
    }
    const [first, second] = await Promise.all([recorder.stop(all.id), recorder.stop(one.id)]);
    assert.deepEqual([first.frames, second.frames], [600, 300]);
    assert.deepEqual(second.clients, ['b']);
    assert.equal(frames(await linesOf(store, one.id)).length, 300);
  });

  it('gives back any message as it was: texts, numbers, sizes', { timeout: 45_000 }, async (t) => {
    const { hub, recorder, store } = fixture(t);
    const big = parseJson('{"jsonrpc":"2.0","id":1,"result":{"n":[12345678901234567890,1e400,-0,0.1,1e21]}}') as object;
    const value = fc.jsonValue({ maxDepth: 5, noUnicodeString: false } as object);
    const messages = [
      big,
      answer(2, { text: `${'é😀\u2028\ud800"\\'.repeat(150_000)}` }),
      ...fc.sample(value, { numRuns: 300, seed: 3 }).map((params, id) => answer(id, { params })),
    ];
    const { id } = await recorder.start({ filter: {} });
    const client = hub.open({ ...CLIENT, session: 'x' });
    for (const message of messages) client.out(message);
    await recorder.stop(id);
    const reader = await store.open(id);
    const found: string[] = [];
    for await (const line of reader.lines()) if (line.k === 'frame') found.push(JSON.stringify(await reader.message(line)));
    assert.equal(found.length, messages.length);
    // what looks like a secret by chance is not what is tried here
    for (const [index, text] of found.entries()) {
      const message = messages[index] ?? {};
      if (redactor.redact(message) === message) assert.equal(text, JSON.stringify(message));
    }
  });

  it('keeps a large message aside, once', async (t) => {
    const { hub, recorder, store, folder } = fixture(t);
    const { id } = await recorder.start({ filter: {} });
    const client = hub.open({ ...CLIENT, session: 'x' });
    const large = { jsonrpc: '2.0', method: 'notifications/x', params: { text: 'y'.repeat(100_000) } };
    client.out(large);
    client.out(large);
    const { bytes } = await recorder.stop(id);
    const [blob, ...more] = readdirSync(join(folder, id, 'blobs'));
    assert.deepEqual(more, []);
    assert.ok(bytes < 110_000);
    const reader = await store.open(id);
    const lines = frames(await linesOf(store, id));
    assert.deepEqual(await Promise.all(lines.map((line) => reader.message(line))), [large, large]);
    assert.deepEqual(await schemaErrors(join(folder, id)), []);
    rmSync(join(folder, id, 'blobs', String(blob)));
    await assert.rejects(reader.message(lines[0] as FrameLine), { code: 'SBX_RECORDING_DAMAGED' });
    assert.deepEqual(
      (await showRecording(reader, {})).rows.map(({ kind }) => kind),
      ['open', 'gap', 'gap'],
    );
  });

  it('is opened at any point of its segments, with the connections that are open there', async (t) => {
    const { folder } = fixture(t);
    const path = join(folder, 'made');
    const writer = new SegmentWriter({ folder: path, header, redactor, segmentBytes: 4000 });
    writer.append(['{"k":"open","t":0,"c":"c1","edge":"client","transport":"bridge","session":"s"}', null]);
    for (let n = 1; n <= 400; n++) {
      const items: LineItems = [
        `{"k":"frame","n":${n},"t":${n},"c":"c1","d":"in","era":"legacy","bytes":10,"call":${n}`,
        JSON.stringify(request(n)),
      ];
      writer.append(items);
    }
    const summary = await writer.end(new Date(Date.parse(header.createdAt) + 401));
    assert.ok(summary.segments.length > 8);
    assert.equal(readdirSync(path).filter((file) => file.endsWith('.zst')).length, summary.segments.length);
    assert.deepEqual(await schemaErrors(path), []);
    const reader = await openRecording(path);
    for (const from of [1, 2, 57, 200, 399, 400]) {
      const lines: RecordingLine[] = [];
      for await (const line of reader.lines({ from })) lines.push(line);
      assert.deepEqual(
        [lines[0]?.k, frames(lines)[0]?.n, frames(lines).length, lines.at(-1)?.k],
        ['open', from, 401 - from, 'end'],
        String(from),
      );
    }
    const page = await showRecording(reader, { after: 300, limit: 5 });
    assert.deepEqual([page.rows.map(({ seq }) => seq), page.more], [[301, 302, 303, 304, 305], true]);
    const back = await showRecording(reader, { before: 300, limit: 3 });
    assert.deepEqual(
      back.rows.map(({ seq }) => seq),
      [297, 298, 299],
    );
    rmSync(join(path, 'recording.json'));
    const again = await (await openRecording(path)).info();
    assert.deepEqual([again.frames, again.gaps, again.endedAt], [400, 0, '2026-01-02T03:04:05.401Z']);
    // one segment is gone, another damaged: what is left is shown, with gaps
    const files = segmentsIn(path);
    rmSync(String(files[2]));
    writeFileSync(String(files[4]), readFileSync(String(files[4])).subarray(0, 100));
    const left: RecordingLine[] = [];
    for await (const line of (await openRecording(path)).lines()) left.push(line);
    assert.equal(left.filter(({ k }) => k === 'gap').length, 2);
    assert.ok(frames(left).length > 250);
  });

  it('of a newer version is refused, something else too', async (t) => {
    const { folder } = fixture(t);
    const file = join(folder, 'x.jsonl');
    writeFileSync(file, `${JSON.stringify({ ...header, version: 2 })}\n`);
    await assert.rejects(openRecording(file), { code: 'SBX_RECORDING_VERSION' });
    writeFileSync(file, '{"a":1}\n');
    await assert.rejects(openRecording(file), { code: 'SBX_RECORDING_DAMAGED' });
    await assert.rejects(openRecording(join(folder, 'none')), { code: 'SBX_RECORDING_UNKNOWN' });
  });

  it('stops when it cannot be written, says why, and leaves what there is', async (t) => {
    const { hub, recorder, store, folder, log, held } = fixture(t);
    const { id } = await recorder.start({ filter: {} });
    const client = hub.open({ ...CLIENT, session: 'x' });
    client.out(answer(1));
    await recorder.info(id);
    // a side file has to go where a file is in the way
    writeFileSync(join(folder, id, 'blobs'), '');
    client.out(answer(2, { text: 'y'.repeat(100_000) }));
    client.out(answer(3));
    await waitUntil(() => recorder.ids.length === 0);
    assert.equal(held(), 0);
    assert.match(log.join('\n'), /^error Recording .* \(SBX_RECORDING_WRITE\)$/m);
    const info = (await store.list()).find((each) => each.id === id);
    assert.equal(info?.problem?.code, 'SBX_RECORDING_WRITE');
    const lines = await linesOf(store, id);
    assert.deepEqual(
      lines.map(({ k }) => k),
      ['open', 'frame', 'gap', 'end'],
    );
    assert.match(JSON.stringify(lines[2]), /Writing stopped here/);
  });

  it('ends with a whole line and a reason when the disk takes no more', { skip: process.platform === 'win32' }, async (t) => {
    const { folder, store } = fixture(t);
    await store.ready;
    // the system's limit for the size of a file stands for a full disk: the write that crosses it is cut off
    const run = `ulimit -f 1000; exec "$0" --disable-warning=ExperimentalWarning "$@"`;
    const { code, stdout, stderr } = await finish('/bin/sh', ['-c', run, process.execPath, PROCESS, '5000', '1000', folder], {
      cwd: folder,
      env: {},
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /stopped .*SBX_RECORDING_WRITE/);
    const { id } = JSON.parse(stdout.split('\n')[0] ?? '') as { id: string };
    const lines = await linesOf(store, id);
    assert.ok(frames(lines).length > 100);
    assert.ok(lines.some(({ k }) => k === 'gap'));
    assert.deepEqual(await schemaErrors(join(folder, id)), []);
    assert.equal((await store.list()).find((each) => each.id === id)?.problem?.code, 'SBX_RECORDING_WRITE');
  });

  it('takes out what has become a secret while it runs', async (t) => {
    let secrets: readonly string[] = [];
    const { hub, recorder, store } = fixture(t, { redaction: () => ({ key: new Uint8Array(32), secrets, rules: {} }) });
    const { id } = await recorder.start({ filter: {} });
    const client = hub.open({ ...CLIENT, session: 'x' });
    client.out(answer(1, { text: 'not a word more' }));
    await recorder.info(id);
    secrets = ['not a word'];
    recorder.redactionChanged();
    client.out(answer(2, { text: 'not a word more' }));
    await recorder.stop(id);
    const [before, after] = frames(await linesOf(store, id)).map(({ m }) => (m as { result: { text: string } }).result.text);
    assert.equal(before, 'not a word more');
    assert.match(String(after), /^\[redacted:[0-9a-f]{16}\] more$/);
  });

  it('counts in a gap what it had no room for', async (t) => {
    const { hub, recorder, store, log } = fixture(t, { queueBytes: 1 });
    const { id } = await recorder.start({ filter: {} });
    const client = hub.open({ ...CLIENT, session: 'x' });
    let sent = 0;
    const burst = async (): Promise<void> => {
      client.out(answer(sent++, { text: 'y'.repeat(300_000) }));
      // handed over at once; the thread is still busy with the last one
      void recorder.info(id);
    };
    await waitUntil(() => {
      for (let at = 0; at < 20; at++) void burst();
      return log.some((line) => line.includes('events are left out'));
    });
    const info = await recorder.stop(id);
    const lost = (await linesOf(store, id)).reduce((sum, line) => sum + (line.k === 'gap' ? (line.lost ?? 0) : 0), 0);
    assert.ok(lost > 0);
    assert.equal(info.frames + lost, sent);
  });

  it('is not begun where nothing can be written', async (t) => {
    const { recorder, folder, held, store } = fixture(t);
    await store.ready;
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file is in the way');
    await assert.rejects(recorder.start({ filter: {} }), { code: 'SBX_RECORDING_WRITE' });
    assert.equal(held(), 0);
  });

  it('left open by a daemon that ended is mended, marked and gone on with; an old one is ended', async (t) => {
    const before = fixture(t);
    const started = await before.recorder.start({ filter: {}, name: 'kept' });
    const old = await before.recorder.start({ filter: {}, name: 'old' });
    const ofSession = await before.recorder.start({ filter: { session: 'claude-code-abc' } });
    const client = before.hub.open({ ...CLIENT, session: 'x' });
    client.in(request(1));
    client.out(answer(1));
    await before.recorder.close();
    const segment = (id: string): string => join(before.folder, id, '000001.jsonl');
    appendFileSync(segment(started.id), '{"k":"frame","n":3,"t":1');
    utimesSync(segment(old.id), 1, 1);
    const after = recorderFixture({}, before.folder);
    t.after(() => after.recorder.close());
    await after.store.ready;
    assert.deepEqual(after.recorder.ids, [started.id]);
    const again = after.hub.open({ ...CLIENT, session: 'x' });
    again.in(request(2));
    const info = await after.recorder.stop(started.id);
    assert.deepEqual([info.frames, info.gaps], [3, 1]);
    const lines = await linesOf(after.store, 'kept');
    assert.deepEqual(
      lines.map(({ k }) => k),
      ['open', 'frame', 'frame', 'gap', 'open', 'frame', 'end'],
    );
    assert.deepEqual(
      frames(lines).map(({ n }) => n),
      [1, 2, 3],
    );
    const times = lines.map((line) => line.t);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
      'time never goes back',
    );
    assert.equal(new Set(lines.flatMap((line) => (line.k === 'open' ? [line.c] : []))).size, 2);
    assert.deepEqual(await schemaErrors(join(before.folder, started.id)), []);
    for (const { id } of [old, ofSession]) {
      const ended = (await after.store.list()).find((each) => each.id === id);
      assert.deepEqual([ended?.live, ended?.gaps], [false, 1], id);
      assert.equal((await linesOf(after.store, id)).at(-1)?.k, 'end');
    }
  });

  it('torn at any byte opens: whole lines before the cut are there', async (t) => {
    const { hub, recorder, folder } = fixture(t);
    const { id } = await recorder.start({ filter: {} });
    const client = hub.open({ ...CLIENT, session: 'x' });
    for (let at = 0; at < 5; at++) client.in(request(at));
    await recorder.close();
    const file = join(folder, id, '000001.jsonl');
    const whole = readFileSync(file);
    const begin = whole.indexOf(10) + 1;
    for (let cut = whole.length; cut > begin; cut -= 7) {
      truncateSync(file, cut);
      const lines: RecordingLine[] = [];
      for await (const line of (await openRecording(join(folder, id))).lines()) lines.push(line);
      const complete = whole.subarray(0, cut).filter((byte) => byte === 10).length - 1;
      assert.ok(lines.filter(({ k }) => k !== 'gap').length >= complete);
      assert.equal(lines.at(-1)?.k, 'gap');
    }
  });

  it('is stopped by its id or name, by nothing like it, and once', async (t) => {
    const { recorder, store } = fixture(t);
    const { id } = await recorder.start({ filter: {}, name: 'mine' });
    for (const other of ['', id.slice(0, 8), 'min'])
      await assert.rejects(store.liveId(other), (error: Error) => error.message.startsWith('There is no recording'), other);
    assert.equal(await store.liveId('mine'), id);
    await recorder.stop(id);
    await assert.rejects(store.liveId('mine'), /"mine" is not being written/);
  });

  it('of a workspace is a file: nothing else there is opened', { skip: process.platform === 'win32' }, async (t) => {
    const { store, folder } = fixture(t);
    const shared = join(folder, '.signalbox', 'recordings');
    mkdirSync(join(shared, 'folder.jsonl'), { recursive: true });
    symlinkSync('/dev/zero', join(shared, 'endless.jsonl'));
    assert.deepEqual(await store.list(folder), []);
    await assert.rejects(openRecording(join(shared, 'endless.jsonl')), { code: 'SBX_RECORDING_DAMAGED' });
  });

  it('is removed when it is not being written', async (t) => {
    const { recorder, store, folder } = fixture(t);
    const { id } = await recorder.start({ filter: {} });
    await assert.rejects(store.remove(id), { code: 'SBX_RECORDING_LIVE' });
    await recorder.stop(id);
    assert.equal(await store.remove(id), true);
    assert.equal(await store.remove(id), false);
    assert.ok(!existsSync(join(folder, id)));
    await assert.rejects(store.open(id), { code: 'SBX_RECORDING_UNKNOWN' });
    await assert.rejects(recorder.stop(id), { code: 'SBX_RECORDING_UNKNOWN' });
  });
});

async function waitUntil(condition: () => boolean): Promise<void> {
  const limit = AbortSignal.timeout(20_000);
  while (!condition()) {
    limit.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
