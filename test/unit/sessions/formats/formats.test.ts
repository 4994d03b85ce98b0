import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FrameLine, RecordingHeader, RecordingInfo, RecordingLine } from '../../../../daemon/api/recordings.ts';
import { type ExportFormat, type ExportResult, exportRecording } from '../../../../daemon/sessions/formats/export.ts';
import { importRecording } from '../../../../daemon/sessions/formats/import.ts';
import { writeAside } from '../../../../daemon/sessions/formats/imported.ts';
import { openRecording } from '../../../../daemon/sessions/recording/reader.ts';
import { CurrentRedactor } from '../../../../daemon/sessions/redaction/current-redactor.ts';
import { Redactor } from '../../../../daemon/sessions/redaction/redactor.ts';
import { linesOf, type RecorderFixture, recorderFixture, schemaErrors } from '../../../fixtures/recorder.ts';

const redaction = { key: new Uint8Array(32), secrets: ['later-a-secret'], rules: {} };
const redactor = new CurrentRedactor(() => redaction);
const request = (id: number, name: string): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: { n: id } },
});
const answer = (id: number, text: string): object => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } });

/** Who said what, in order, whatever the file. */
async function said(path: string, only?: (line: FrameLine) => boolean): Promise<readonly string[]> {
  const reader = await openRecording(path);
  const edges = new Map<string, string>();
  const found: string[] = [];
  for await (const line of reader.lines()) {
    if (line.k === 'open') edges.set(line.c, line.edge);
    if (line.k !== 'frame' || only?.(line) === false) continue;
    found.push(`${(line.d === 'in') === (edges.get(line.c) === 'client') ? '→' : '←'} ${JSON.stringify(await reader.message(line))}`);
  }
  return found;
}

describe('files of recordings', () => {
  let made: RecorderFixture;
  let source: RecordingInfo;
  let out: string;
  before(async () => {
    made = recorderFixture();
    out = mkdtempSync(join(tmpdir(), 'sbx-formats-'));
    const { hub, recorder } = made;
    const { id } = await recorder.start({ filter: {}, name: 'source' });
    const legacy = hub.open({ edge: 'client', transport: 'bridge', client: 'claude-code', endpoint: '/mcp/default', session: 'a' });
    const server = hub.open({ edge: 'server', transport: 'stdio', server: 'fs' });
    const http = hub.open({ edge: 'client', transport: 'http', client: 'modern', endpoint: '/mcp/default', session: 'b' });
    legacy.in({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25' } });
    legacy.out({ jsonrpc: '2.0', id: 0, result: { protocolVersion: '2025-11-25', capabilities: {} } });
    const origin = legacy.in(request(1, 'fs__read'));
    server.out(request(7, 'read'), { origin });
    hub.stderr('fs', undefined, 'reading');
    server.in(answer(7, 'from /home, me@example.com'), { origin });
    legacy.out(answer(1, 'from /home, me@example.com'), { origin });
    const second = http.in(request(2, 'fs__list'), { stream: 2 });
    http.out(
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1, progressToken: 2 } },
      { origin: second, stream: 2 },
    );
    http.out(answer(2, `${'y'.repeat(70_000)} later-a-secret`), { origin: second, stream: 2 });
    http.in({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } });
    source = await recorder.stop(id);
  });
  after(async () => {
    await made.close();
    rmSync(out, { recursive: true, force: true });
  });
  const exported = async (format: ExportFormat, to?: string): Promise<ExportResult> =>
    exportRecording(await made.store.open(source.id), { redactor, version: '0', format, ...(to === undefined ? {} : { to }) });
  const imported = (file: string, format?: string): Promise<RecordingInfo> =>
    importRecording(file, { folder: made.folder, version: '0', redaction, ...(format === undefined ? {} : { format }) });

  it('say what they would hold before they are written', async () => {
    const { preview, bytes, file } = await exported('jsonl');
    assert.equal(file, undefined);
    const text = preview.join('\n');
    assert.match(text, /^10 messages over .* in 2 sessions/);
    assert.match(text, /Clients: claude-code, modern\nServers: fs\nTools called: .*fs__read ×1/);
    assert.match(text, /Taken out: 1 secret\n/);
    assert.match(text, /e-mail/);
    assert.match(text, /Left in: 1 line of servers' standard error/);
    assert.ok(bytes > 70_000);
  });

  it('as JSONL: lines by the schema, keys in order, large messages beside, the same again after an import', async () => {
    const file = join(out, 'source.jsonl');
    const { bytes } = await exported('jsonl', file);
    const text = readFileSync(file, 'utf8');
    assert.ok(!text.includes('later-a-secret'));
    assert.match(text, /^\{"signalbox":"recording","version":1,/);
    assert.match(
      text,
      /\n\{"k":"frame","n":1,"t":[\d.]+,"c":"c1","d":"in","era":"legacy","bytes":\d+,"call":1,"m":\{"jsonrpc":"2.0","id":0/,
    );
    assert.deepEqual(await schemaErrors(file), []);
    const [blob] = readdirSync(join(out, 'source.blobs'));
    assert.equal(Buffer.byteLength(text) + readFileSync(join(out, 'source.blobs', String(blob))).length, bytes);
    await exported('jsonl', file);
    assert.equal(readFileSync(file, 'utf8'), text, 'the same file for the same recording');
    const again = await imported(file);
    assert.deepEqual([again.frames, again.name, again.gaps], [source.frames, 'source', 0]);
    const comparable = (lines: readonly RecordingLine[]): readonly string[] =>
      lines.map((line) => JSON.stringify({ ...line, blob: undefined }));
    const before = comparable(await linesOf(made.store, source.id)).filter((line) => !line.includes('"n":9,'));
    assert.deepEqual(
      comparable(await linesOf(made.store, again.id)).filter((line) => !line.includes('"n":9,')),
      before,
    );
    assert.deepEqual(await said(again.path), await said(file));
  });

  it('as HAR: one entry for each HTTP exchange and each connection, and the same messages after an import', async () => {
    const file = join(out, 'source.har');
    await exported('har', file);
    const { log } = JSON.parse(readFileSync(file, 'utf8')) as { log: { version: string; entries: Record<string, never>[] } };
    assert.equal(log.version, '1.2');
    assert.equal(log.entries.length, 4);
    const posted = log.entries.find((entry) => JSON.stringify(entry).includes('fs__list')) as unknown as {
      request: { method: string; postData: { text: string } };
      response: { status: number; content: { mimeType: string; text: string } };
    };
    assert.equal(posted.request.method, 'POST');
    assert.equal(posted.response.content.mimeType, 'text/event-stream');
    assert.match(posted.response.content.text, /^event: message\ndata: \{.*progress.*\}\n\nevent: message\ndata: /);
    const again = await imported(file);
    assert.deepEqual((await said(again.path)).toSorted(), (await said(join(out, 'source.jsonl'))).toSorted());
    assert.deepEqual(again.clients.length > 0 && again.servers, ['fs']);
    assert.deepEqual(await schemaErrors(again.path), []);
  });

  it('as plain lines: the same messages in the same order after an import', async () => {
    const file = join(out, 'source.messages.jsonl');
    await exported('plain', file);
    const [first = ''] = readFileSync(file, 'utf8').split('\n');
    assert.deepEqual(Object.keys(JSON.parse(first) as object), ['time', 'from', 'edge', 'connection', 'client', 'message']);
    const again = await imported(file);
    assert.deepEqual((await said(again.path)).toSorted(), (await said(join(out, 'source.jsonl'))).toSorted());
  });

  it('of a browser: HAR with event streams, base64 bodies, batches, and much that is no MCP', async () => {
    const header = [{ name: 'Mcp-Session-Id', value: 'secret-session' }];
    const entry = (request: unknown, content: object, at: number, headers: unknown[] = header): object => ({
      startedDateTime: new Date(1_700_000_000_000 + at).toISOString(),
      time: 50,
      timings: { wait: 20 },
      request: { method: 'POST', url: 'https://example.com/mcp?x=1', headers, postData: { text: JSON.stringify(request) } },
      response: { status: 200, headers: [], content },
    });
    const file = join(out, 'browser.har');
    const entries = [
      entry(
        { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} },
        { mimeType: 'application/json', text: JSON.stringify(answer(1, 'hello')) },
        0,
      ),
      entry(
        request(2, 'x'),
        {
          mimeType: 'text/event-stream',
          text: `: ping\r\n\r\nid: 1\r\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\r\n\r\ndata: ${JSON.stringify(answer(2, 'é'))}\r\n\r\n`,
        },
        100,
      ),
      entry(
        [request(3, 'y'), request(4, 'z')],
        {
          mimeType: 'application/json',
          encoding: 'base64',
          text: Buffer.from(JSON.stringify([answer(3, 'a'), answer(4, 'b')])).toString('base64'),
        },
        200,
      ),
      {
        startedDateTime: '2024-01-01T00:00:00Z',
        request: { url: 'https://example.com/logo.png' },
        response: { content: { mimeType: 'image/png', text: 'AAAA' } },
      },
      { startedDateTime: 'never' },
    ];
    writeFileSync(file, JSON.stringify({ log: { entries } }));
    const info = await imported(file);
    assert.equal(info.name, 'browser');
    assert.equal(info.frames, 9);
    assert.ok(!readFileSync(join(info.path, 'recording.json'), 'utf8').includes('secret-session'));
    const lines = await linesOf(made.store, info.id);
    assert.equal(lines.filter(({ k }) => k === 'open').length, 1, 'one session is one connection');
    const stream = lines.find((line): line is FrameLine => line.k === 'frame' && JSON.stringify(line.m).includes('notifications/message'));
    assert.deepEqual([stream?.stream, stream?.call, stream?.d], [2, 3, 'out']);
  });

  it('of the MCP Inspector: its exported history', async () => {
    const file = join(out, 'inspector-history.json');
    const at = (seconds: number): string => new Date(1_700_000_000_000 + seconds * 1000).toISOString();
    writeFileSync(
      file,
      JSON.stringify([
        {
          id: 'u3',
          timestamp: at(3),
          direction: 'notification',
          origin: 'server',
          message: { jsonrpc: '2.0', method: 'notifications/message', params: {} },
        },
        {
          id: 'u2',
          timestamp: at(2),
          direction: 'request',
          origin: 'client',
          message: request(2, 'x'),
          response: answer(2, 'ok'),
          duration: 1500,
        },
        {
          id: 'u1',
          timestamp: at(1),
          direction: 'request',
          origin: 'client',
          message: { jsonrpc: '2.0', id: 1, method: 'initialize' },
          response: answer(1, 'i'),
          duration: 5,
        },
        {
          id: 'u4',
          timestamp: at(4),
          direction: 'request',
          origin: 'server',
          message: { jsonrpc: '2.0', id: 1, method: 'roots/list' },
          response: answer(1, 'r'),
          duration: 5,
        },
      ]),
    );
    const { path, clients } = await imported(file);
    assert.deepEqual(clients, ['inspector']);
    assert.deepEqual(
      (await said(path)).map(
        (line) => `${line[0]} ${/"method":"([^"]+)"/.exec(line)?.[1] ?? `answer ${/"text":"([^"]+)"/.exec(line)?.[1]}`}`,
      ),
      ['→ initialize', '← answer i', '→ tools/call', '← notifications/message', '← answer ok', '← roots/list', '→ answer r'],
    );
  });

  it('of other tools: bare messages a line, whose sender is told by what they are', async () => {
    const file = join(out, 'bare.jsonl');
    writeFileSync(
      file,
      [
        request(1, 'x'),
        answer(1, 'ok'),
        { jsonrpc: '2.0', id: 's1', method: 'elicitation/create' },
        { jsonrpc: '2.0', id: 's1', result: {} },
      ]
        .map((message) => `${JSON.stringify(message)}\n`)
        .join('\n'),
    );
    assert.deepEqual(
      (await said((await imported(file)).path)).map((line) => line[0]),
      ['→', '←', '←', '→'],
    );
  });

  it('made to do harm are refused, or read as far as they can be, and leave nothing behind', async () => {
    const file = join(out, 'evil.jsonl');
    const header = { signalbox: 'recording', version: 1, id: 'evil', createdAt: '2026-11-21T19:05:38.120Z', segment: 1 };
    const open = { k: 'open', t: 0, c: 'c1', edge: 'client', transport: 'bridge', session: 's', client: 'cc', endpoint: '/mcp/default' };
    const frame = { k: 'frame', n: 1, t: 1, c: 'c1', d: 'in', era: 'legacy', bytes: 9, call: 1, m: request(1, 'x') };
    const lines = (...all: object[]): void => writeFileSync(file, all.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const before = readdirSync(made.folder).sort();
    for (const wrong of [{ createdAt: 'nonsense' }, { createdAt: undefined }, { id: undefined }]) {
      lines({ ...header, ...wrong }, open, frame);
      await assert.rejects(imported(file, 'jsonl'), { code: 'SBX_RECORDING_DAMAGED' });
    }
    // found out when half of it is written
    const whole: RecordingHeader = {
      ...header,
      signalbox: 'recording',
      writer: { name: 'x', version: '0' },
      filter: {},
      redaction: { rules: [], prefix: '[redacted:' },
    };
    const half = writeAside(made.folder, whole, new Redactor(redaction), async (writer) => {
      writer.append([JSON.stringify(open), null]);
      throw new Error('half');
    });
    await assert.rejects(half, /half/);
    assert.deepEqual(readdirSync(made.folder).sort(), before, 'half a recording would be gone on with by the next daemon');
    // nothing that is missing or makes no sense takes the rest with it
    const odd = [{ n: 'x' }, { m: null }, { t: 1e308 }, { c: 7 }, { m: undefined, blob: 'sha256-../../secret' }];
    lines({ ...header, name: {}, filter: 'x' }, open, ...odd.map((wrong) => ({ ...frame, ...wrong })), { k: 'stderr', t: 2 }, frame);
    const { path, frames, gaps } = await imported(file);
    assert.deepEqual([frames, gaps], [1, odd.length + 2]);
    assert.deepEqual(await said(path), [`→ ${JSON.stringify(request(1, 'x'))}`]);
    // no line ends: the reading does
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(40 * 1024 * 1024, 0x20)]));
    assert.equal((await said(file)).length, 1);
  });

  it('that are something else are refused with the reason', async () => {
    const file = join(out, 'odd.txt');
    for (const [text, why] of [
      ['hello', /Line 1 is not a JSON object/],
      ['{"log":{"entries":[]}}', /no MCP message/],
      ['[]', /Line 1/],
      ['', /no MCP message/],
    ] as const) {
      writeFileSync(file, text);
      await assert.rejects(
        imported(file),
        (error: { code: string; why: string }) => error.code === 'SBX_RECORDING_IMPORT' && why.test(error.why),
        text,
      );
    }
    await assert.rejects(imported(file, 'pcap'), { code: 'SBX_RECORDING_IMPORT' });
    await assert.rejects(imported(join(out, 'none')), { code: 'SBX_RECORDING_IMPORT' });
    await assert.rejects(exported('pcap' as ExportFormat), { code: 'SBX_USAGE' });
    // where no folder can be made, `mkdir` with `recursive` tries for ever
    if (process.platform === 'linux') await assert.rejects(exported('jsonl', '/proc/none/x.jsonl'), { code: 'SBX_RECORDING_WRITE' });
    const blocked = join(out, 'odd.txt', 'x.jsonl');
    await assert.rejects(exported('jsonl', blocked), { code: 'SBX_RECORDING_WRITE' });
    assert.ok(!existsSync(blocked));
  });
});
