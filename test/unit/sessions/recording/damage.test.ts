/** Side files and segments that are really damaged: what can be read is read, what cannot is told, in every use of a recording. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { FrameLine, RecordingHeader, RecordingLine } from '../../../../daemon/api/recordings.ts';
import { compareRecordings } from '../../../../daemon/sessions/compare/compare-recordings.ts';
import { EXPORT_FORMATS, exportRecording } from '../../../../daemon/sessions/formats/export.ts';
import { importRecording } from '../../../../daemon/sessions/formats/import.ts';
import { recordingStatistics } from '../../../../daemon/sessions/inspect/statistics.ts';
import { openRecording, segmentsIn } from '../../../../daemon/sessions/recording/reader.ts';
import { SegmentWriter } from '../../../../daemon/sessions/recording/segment-writer.ts';
import { showRecording } from '../../../../daemon/sessions/recording/show.ts';
import { CurrentRedactor } from '../../../../daemon/sessions/redaction/current-redactor.ts';
import { Redactor } from '../../../../daemon/sessions/redaction/redactor.ts';
import { survey } from '../../../../daemon/sessions/replay-client/survey.ts';
import { loadRehearsal } from '../../../../daemon/sessions/replay-server/load.ts';
import { type RecorderFixture, recorderFixture } from '../../../fixtures/recorder.ts';

const redaction = { key: new Uint8Array(32), secrets: [], rules: {} };
const redactor = new CurrentRedactor(() => redaction);

/** What happens to a file. Each leaves something there: a file that is gone is another test's. */
const DAMAGE: Readonly<Record<string, { readonly why: RegExp; readonly harm: (file: string) => void }>> = {
  'a bit that flipped in a text': {
    why: /not what was recorded/,
    harm: (file) => {
      const bytes = readFileSync(file);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    },
  },
  'a file cut off': { why: /not what was recorded/, harm: (file) => truncateSync(file, 40_000) },
  'an empty file': { why: /not what was recorded/, harm: (file) => truncateSync(file, 0) },
  'another message under its name': {
    why: /not what was recorded/,
    harm: (file) => writeFileSync(file, '{"jsonrpc":"2.0","id":2,"result":{}}'),
  },
  'no JSON': { why: /not what was recorded/, harm: (file) => writeFileSync(file, '{') },
  'a folder in its place': {
    why: /is missing/,
    harm: (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  },
};

describe('a recording with a damaged side file', () => {
  let made: RecorderFixture;
  let out: string;
  let path: string;
  let id: string;
  beforeEach(async () => {
    made = recorderFixture();
    out = mkdtempSync(join(tmpdir(), 'sbx-damage-'));
    const { hub, recorder } = made;
    ({ id } = await recorder.start({ filter: {} }));
    path = join(made.folder, id);
    const client = hub.open({ edge: 'client', transport: 'bridge', client: 'cc', endpoint: '/mcp/default', session: 's' });
    for (const [n, text] of ['small', 'y'.repeat(100_000), 'z'.repeat(90_000)].entries()) {
      const origin = client.in({ jsonrpc: '2.0', id: n, method: 'tools/call', params: { name: `tool${n}`, arguments: {} } });
      client.out({ jsonrpc: '2.0', id: n, result: { content: [{ type: 'text', text }] } }, { origin });
    }
    await recorder.stop(id);
  });
  afterEach(async () => {
    await made.close();
    rmSync(out, { recursive: true, force: true });
  });
  /** The side file of the second answer. */
  const sideFile = (folder: string): string =>
    join(folder, readdirSync(folder).find((file) => readFileSync(join(folder, file), 'utf8').includes('yyyy')) ?? '');
  const linesOf = async (from: string): Promise<readonly RecordingLine[]> => {
    const lines: RecordingLine[] = [];
    for await (const line of (await openRecording(from)).lines()) lines.push(line);
    return lines;
  };
  const numbers = (lines: readonly RecordingLine[]): readonly number[] => lines.flatMap((line) => (line.k === 'frame' ? line.n : []));
  const gaps = (lines: readonly RecordingLine[]): readonly string[] => lines.flatMap((line) => (line.k === 'gap' ? line.why : []));

  for (const [what, { why, harm }] of Object.entries(DAMAGE))
    it(`says so and gives the rest: ${what}`, async () => {
      const exported = join(out, 'whole.jsonl');
      await exportRecording(await openRecording(path), { redactor, version: '0', to: exported });
      harm(sideFile(join(path, 'blobs')));
      harm(sideFile(join(out, 'whole.blobs')));
      for (const from of [path, exported]) {
        const lines = await linesOf(from);
        assert.deepEqual(numbers(lines), [1, 2, 3, 5, 6]);
        assert.equal(gaps(lines).length, 1);
        assert.match(gaps(lines)[0] ?? '', /^The message of frame 4 /);
        assert.match(gaps(lines)[0] ?? '', why);
        const reader = await openRecording(from);
        const statistics = await recordingStatistics(reader.lines(), (line) => reader.message(line));
        assert.deepEqual(statistics.tools.map(({ name }) => name).sort(), ['tool0', 'tool2']);
        assert.deepEqual(
          statistics.problems?.map(({ code, cause, fix }) => [code, why.test(cause), fix !== '']),
          [['SBX_RECORDING_DAMAGED', true, true]],
        );
        assert.deepEqual(
          (await showRecording(reader, {})).rows.map(({ kind }) => kind),
          ['open', 'frame', 'frame', 'frame', 'gap', 'frame', 'frame'],
        );
        assert.equal((await survey(reader, {})).requests, 3);
        await compareRecordings({ before: reader, after: reader, names: ['one', 'other'] });
        const notes: string[] = [];
        await loadRehearsal(from, { onNote: (text) => notes.push(text) });
        assert.equal(notes.length, 1);
      }
      for (const format of EXPORT_FORMATS) {
        const to = join(out, `again.${format}`);
        const result = await exportRecording(await openRecording(path), { redactor, version: '0', format, to });
        assert.match(result.preview.join('\n'), /^5 messages .*\nIncomplete: 1 gap: The message of frame 4 /s);
        assert.deepEqual(
          result.problems?.map(({ code }) => code),
          ['SBX_RECORDING_DAMAGED'],
        );
        const text = readFileSync(to, 'utf8');
        assert.ok(text.includes('tool2') && text.includes('small'), format);
      }
      for (const from of [exported, path]) {
        const info = await importRecording(from, { folder: made.folder, version: '0', redaction, format: 'jsonl' });
        assert.deepEqual([info.frames, info.gaps, info.problem?.code], [5, 1, 'SBX_RECORDING_DAMAGED']);
        assert.deepEqual(numbers(await linesOf(info.path)), [1, 2, 3, 5, 6]);
        assert.match(gaps(await linesOf(info.path))[0] ?? '', why);
      }
    });

  it('is no error where nothing is damaged', async () => {
    const reader = await openRecording(path);
    assert.equal((await recordingStatistics(reader.lines(), (line) => reader.message(line))).problems, undefined);
    assert.equal((await exportRecording(reader, { redactor, version: '0' })).problems, undefined);
  });

  it('tells one message by its number when it is asked for', async () => {
    const line = (await linesOf(path)).find((each): each is FrameLine => each.k === 'frame' && each.n === 4);
    assert.ok(line !== undefined);
    DAMAGE['a bit that flipped in a text']?.harm(sideFile(join(path, 'blobs')));
    await assert.rejects((await openRecording(path)).message(line), {
      code: 'SBX_RECORDING_DAMAGED',
      why: /frame 4.*not what was recorded/,
    });
  });
});

/** What happens to a packed segment. */
const SEGMENT_DAMAGE: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'cut in half': (bytes) => bytes.subarray(0, bytes.length >> 1),
  'without its last bytes': (bytes) => bytes.subarray(0, bytes.length - 3),
  'with nothing in it': () => Buffer.alloc(0),
  'with a bit that flipped': (bytes) => {
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
    return flipped;
  },
  'that is something else': (bytes) => Buffer.alloc(bytes.length, 'x'),
};

describe('a recording with a damaged segment', () => {
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
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sbx-damage-'));
    path = join(folder, 'made');
    const writer = new SegmentWriter({ folder: path, header, redactor: new Redactor(redaction), segmentBytes: 300_000 });
    writer.append(['{"k":"open","t":0,"c":"c1","edge":"client","transport":"bridge","client":"cc","session":"s"}', null]);
    // words in no order: a segment of several blocks, the first of which can be unpacked without the last
    let state = 7;
    const word = (): string => {
      state = (state * 48_271) % 2_147_483_647;
      return ` ${state.toString(36)}`;
    };
    for (let n = 1; n <= 60; n++)
      writer.append([
        `{"k":"frame","n":${n},"t":${n},"c":"c1","d":"in","era":"legacy","bytes":10,"call":${n}`,
        JSON.stringify({
          jsonrpc: '2.0',
          id: n,
          method: 'tools/call',
          params: { name: `tool${n}`, arguments: { text: Array.from({ length: 2500 }, word).join('') } },
        }),
      ]);
    await writer.end(new Date(Date.parse(header.createdAt) + 100));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const [what, harm] of Object.entries(SEGMENT_DAMAGE))
    for (const [which, index] of [
      ['the first', 0],
      ['one in the middle', 1],
    ] as const)
      it(`reads the others, and tells which: ${which}, ${what}`, async () => {
        const files = segmentsIn(path);
        assert.equal(files.length, 4);
        const lines = async (): Promise<readonly RecordingLine[]> => {
          const all: RecordingLine[] = [];
          for await (const line of (await openRecording(path)).lines()) all.push(line);
          return all;
        };
        const numbers = (all: readonly RecordingLine[]): readonly number[] => all.flatMap((line) => (line.k === 'frame' ? line.n : []));
        const before = numbers(await lines());
        assert.equal(before.length, 60);
        const file = String(files[index]);
        writeFileSync(file, harm(readFileSync(file)));
        const after = await lines();
        const told = after.flatMap((line) => (line.k === 'gap' ? line.why : []));
        assert.equal(told.length, 1, JSON.stringify(told));
        assert.match(told[0] ?? '', new RegExp(`00000${index + 1}\\.jsonl\\.zst`));
        const lost = before.filter((n) => !numbers(after).includes(n));
        assert.ok(
          lost.every((n) => (index === 0 ? n <= 20 : n > 10 && n <= 40)),
          `${lost}`,
        );
        assert.ok(numbers(after).length >= 40);
        const reader = await openRecording(path);
        const { problems } = await recordingStatistics(reader.lines(), (line) => reader.message(line));
        assert.deepEqual(
          problems?.map(({ code }) => code),
          ['SBX_RECORDING_DAMAGED'],
        );
        const result = await exportRecording(reader, { redactor, version: '0', to: join(folder, 'x.jsonl') });
        assert.deepEqual(result.problems, problems);
        const info = await importRecording(path, { folder, version: '0', redaction, format: 'jsonl' });
        assert.deepEqual([info.frames, info.gaps, info.problem?.code], [numbers(after).length, 1, 'SBX_RECORDING_DAMAGED']);
      });
});
