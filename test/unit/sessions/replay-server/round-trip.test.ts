/**
 * Record → replay as a server → record again is the same but for ids and tokens. The sessions are generated; the tap, the recorder with its
 * files and the reader are the real ones; the client does exactly what it did, at the points where it did it.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { RecordingLine } from '../../../../daemon/api/recordings.ts';
import type { Message } from '../../../../daemon/protocol/message.ts';
import { openRecording } from '../../../../daemon/sessions/recording/reader.ts';
import { Recorder } from '../../../../daemon/sessions/recording/recorder.ts';
import { recordingOpener } from '../../../../daemon/sessions/replay-server/link.ts';
import { loadRehearsal } from '../../../../daemon/sessions/replay-server/load.ts';
import { Rehearsal } from '../../../../daemon/sessions/replay-server/rehearsal.ts';
import { readScript } from '../../../../daemon/sessions/replay-server/script.ts';
import { TapHub } from '../../../../daemon/sessions/tap/hub.ts';
import { keptEvents } from '../../../../daemon/sessions/tap/kept.ts';
import { tapped } from '../../../../daemon/upstreams/tapped-link.ts';
import { session } from './generated.ts';
import { recorded, type Said } from './lines.ts';

type Json = Record<string, unknown>;

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
/** With recordings on the disk, and with what the tap tells alone: most of the time of the former is the disk's. */
const RUNS = { disk: FULL ? 100 : 5, memory: FULL ? 5000 : 400 };
/** Longer than any pause of this machine: what the client will do is waited for. */
const OPTIONS = { recordedErasOnly: true, patienceMs: 60_000 };

let folder: string;
let hub: TapHub;
let recorder: Recorder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sbx-round-trip-'));
  hub = new TapHub();
  recorder = new Recorder({
    folder,
    source: { listen: (filter, sink) => hub.listen(filter, sink), kept: (filter) => keptEvents(hub, filter) },
    redaction: () => ({ key: Buffer.alloc(32, 7), secrets: [], rules: {} }),
    writer: { name: 'test', version: '1' },
    log: () => {},
    hold: () => () => {},
    onChange: () => {},
  });
});
after(async () => {
  await recorder.close();
  rmSync(folder, { recursive: true, force: true });
});

for (const era of ['legacy', 'modern'] as const)
  for (const where of ['disk', 'memory'] as const)
    it(`sessions of the ${era} era are the same when they are recorded, played and recorded again (${where})`, async () => {
      const keep = where === 'disk' ? onDisk : inMemory;
      await fc.assert(
        fc.asyncProperty(session(era), async (said) => {
          const original = recorded(said, { edge: 'server', server: 'made' });
          const first = await recordedPlay(new Rehearsal(readScript(original), OPTIONS), said, keep);
          assert.deepEqual(plain(first.lines), plain(original), 'the first recording has all of it');
          const again = await first.rehearse();
          const second = await recordedPlay(again, said, keep);
          assert.deepEqual(plain(second.lines), plain(first.lines));
          assert.deepEqual({ ...again.report(), played: 0 }, { played: 0, misses: [], unplayed: [], answers: [] });
        }),
        { numRuns: RUNS[where], seed: FULL ? Date.now() : 20_261_121 },
      );
    });

interface Kept {
  readonly lines: RecordingLine[];
  readonly rehearse: () => Promise<Rehearsal>;
}
/** Begins to record; what it returns ends it. */
type Keep = () => Promise<() => Promise<Kept>>;

async function onDisk(): Promise<() => Promise<Kept>> {
  const { id } = await recorder.start({ filter: { server: 'made' } });
  return async () => {
    const { path } = await recorder.stop(id);
    const reader = await openRecording(path);
    const lines: RecordingLine[] = [];
    for await (const line of reader.lines()) lines.push(line);
    assert.deepEqual(
      lines.filter(({ k }) => k === 'gap'),
      [],
    );
    return { lines, rehearse: () => loadRehearsal(path, { ...OPTIONS, server: 'made' }) };
  };
}

async function inMemory(): Promise<() => Promise<Kept>> {
  const lines: RecordingLine[] = [];
  const stop = hub.listen({ server: 'made' }, (event) => {
    if (event.kind === 'open') lines.push({ k: 'open', t: event.time, c: event.connection.id, ...event.connection });
    if (event.kind !== 'frame') return;
    const { seq: n, time: t, connection, direction: d, era, bytes, message: m } = event;
    // As it would come from the disk: nothing shared with what is still in use.
    lines.push({ k: 'frame', n, t, c: connection.id, d, bytes, m: structuredClone(m), ...(era === undefined ? {} : { era }) });
  });
  return async () => {
    stop();
    return { lines, rehearse: async () => new Rehearsal(readScript(lines), OPTIONS) };
  };
}

/** Plays to a client that does what it did, each thing after what it had heard before it, and records it. */
async function recordedPlay(rehearsal: Rehearsal, said: readonly Said[], keep: Keep): Promise<Kept> {
  const kept = await keep();
  const heard: Json[] = [];
  let wake: () => void = () => {};
  const open = tapped(
    recordingOpener('made', async () => rehearsal) as Parameters<typeof tapped>[0],
    hub,
    { name: 'made', alias: 'made', digest: '', hidden: [], entry: { recording: 'made' } },
    undefined,
  );
  const link = await open({
    message: (message) => {
      heard.push(message as unknown as Json);
      wake();
    },
    fault: (error) => assert.fail(error),
    closed: () => {},
  });
  let expected = 0;
  /** What the recorded names are this time: ids of requests and questions, tokens. */
  const now = new Map<unknown, unknown>();
  for (const [by, message] of said) {
    if (by === 'server') {
      expected += 1;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`it did not say ${JSON.stringify(message)}; heard ${JSON.stringify(heard)}`)),
          20_000,
        );
        wake = () => {
          if (heard.length < expected) return;
          clearTimeout(timer);
          resolve();
        };
        wake();
      });
      const got = heard[expected - 1] ?? {};
      const { id: recordedId, method } = message as Json;
      if (method !== undefined && recordedId !== undefined) now.set(`question ${recordedId}`, got['id']);
      continue;
    }
    link.send(asNow({ jsonrpc: '2.0', ...message }, now));
  }
  await link.close();
  return kept();
}

/** A message of the client with other ids and tokens than then. */
function asNow(message: Json, now: ReadonlyMap<unknown, unknown>): Message {
  const { method, id, params } = message as { method?: string; id?: unknown; params?: Json };
  if (method === undefined) return { ...message, id: now.get(`question ${id}`) } as unknown as Message;
  const meta = params?.['_meta'] as Json | undefined;
  const token = meta?.['progressToken'];
  const renamed = { ...params, ...(token === undefined ? {} : { _meta: { ...meta, progressToken: `now ${token}` } }) };
  if (method === 'notifications/cancelled')
    return { ...message, params: { ...params, requestId: `now ${params?.['requestId']}` } } as never;
  return { ...message, ...(params === undefined ? {} : { params: renamed }), ...(id === undefined ? {} : { id: `now ${id}` }) } as never;
}

/** Frames without times, connections and sizes; ids and tokens by the order they come in. */
function plain(lines: readonly RecordingLine[]): unknown[] {
  const names = new Map<string, string>();
  const name = (kind: string, value: unknown): string | undefined => {
    if (value === undefined) return undefined;
    const key = `${kind} ${value}`;
    const known = names.get(key) ?? `${kind} ${names.size}`;
    names.set(key, known);
    return known;
  };
  return lines.flatMap((line) => {
    if (line.k !== 'frame') return [];
    const { id, params, ...rest } = line.m as Json & { params?: Json };
    const asked = (line.d === 'out') === 'method' in rest;
    const { _meta, requestId, progressToken, ...others } = params ?? {};
    const { progressToken: token, 'io.modelcontextprotocol/subscriptionId': subscription, ...meta } = (_meta ?? {}) as Json;
    return [
      {
        d: line.d,
        era: line.era,
        id: name(asked ? 'request' : 'question', id),
        requestId: name('request', requestId),
        token: name('token', progressToken ?? token),
        subscription: name('request', subscription),
        meta,
        params: others,
        ...rest,
      },
    ].map((frame) => ({ ...frame, era: undefined }));
  });
}

it('tells recordings apart that are not the same', () => {
  const [one, other] = ['a', 'b'].map((value) => plain(recorded([['server', { id: 1, result: { value } }]])));
  assert.ok(!isDeepStrictEqual(one, other));
});
