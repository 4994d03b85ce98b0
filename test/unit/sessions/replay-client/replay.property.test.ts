import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FrameLine, RecordingLine } from '../../../../daemon/api/recordings.ts';
import { isObject, type Message } from '../../../../daemon/protocol/message.ts';
import { compareRecordings } from '../../../../daemon/sessions/compare/compare-recordings.ts';
import { childPointer } from '../../../../daemon/sessions/compare/pointer.ts';
import { masked } from '../../../../daemon/sessions/compare/volatile.ts';
import type { OpenLive } from '../../../../daemon/sessions/replay-client/live-link.ts';
import { replayAsClient } from '../../../../daemon/sessions/replay-client/replay.ts';
import { answersOf, type Era, type RecordedClient, recorded, sourceOf } from '../../../fixtures/recorded-session.ts';

type Json = Record<string, unknown>;
const fixture: { session: (send: (message: object, about?: unknown) => void) => (message: object) => void } = await import(
  // @ts-expect-error a program without types
  '../../../fixtures/servers/replayed.mjs'
);

/** The deterministic server in this process: hundreds of sessions, each of its own. Real pipes and sockets are in replay.test.ts. */
const open: OpenLive = async (listener) => {
  const receive = fixture.session((said) => {
    const message = JSON.parse(JSON.stringify({ jsonrpc: '2.0', ...said })) as Message;
    setImmediate(() => listener.message(message));
  });
  return {
    kind: 'stdio',
    send: (message) => setImmediate(() => receive(structuredClone(message))),
    abandon: () => {},
    agreed: () => {},
    close: async () => {},
  };
};

type Step =
  | { readonly do: 'echo'; readonly text: string }
  | { readonly do: 'sum'; readonly numbers: readonly number[] }
  | { readonly do: 'fixed' | 'list' | 'ticket' | 'ask' | 'cancel' | 'wait' | 'unknown' }
  | { readonly do: 'count'; readonly to: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('echo' as const), text: fc.string({ unit: 'grapheme', maxLength: 12 }) }),
  fc.record({ do: fc.constant('sum' as const), numbers: fc.array(fc.integer(), { maxLength: 6 }) }),
  fc.record({
    do: fc.constantFrom(
      'fixed' as const,
      'list' as const,
      'ticket' as const,
      'ask' as const,
      'cancel' as const,
      'wait' as const,
      'unknown' as const,
    ),
  }),
  fc.record({ do: fc.constant('count' as const), to: fc.integer({ min: 0, max: 5 }) }),
);
/** Groups of what is asked at once. */
const session = fc.record({
  era: fc.constantFrom<Era>('legacy', 'modern'),
  groups: fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
});

let tokens = 0;
async function perform(client: RecordedClient, one: Step): Promise<void> {
  switch (one.do) {
    case 'echo':
      return void (await client.call('echo', { text: one.text }));
    case 'sum':
      return void (await client.call('sum', { numbers: one.numbers }));
    case 'list': {
      const first = (await client.request('tools/list'))['result'] as Json;
      return void (await client.request('tools/list', { cursor: first['nextCursor'] }));
    }
    case 'ticket': {
      const made = (await client.call('ticket'))['result'] as { structuredContent: Json };
      return void (await client.call('use', made.structuredContent));
    }
    case 'count':
      tokens += 1;
      return void (await client.call('count', { to: one.to }, { progressToken: `token-${tokens}` }));
    case 'cancel':
      return client.cancel(client.call('wait').id);
    case 'wait': {
      const waits = client.call('wait');
      await client.call('release');
      return void (await waits);
    }
    case 'ask': {
      const asked = (await client.call('ask'))['result'] as Json;
      if (client.era === 'legacy') return;
      const [key] = Object.keys(asked['inputRequests'] as Json);
      const inputResponses = { [String(key)]: { action: 'accept', content: { name: 'Ada' } } };
      return void (await client.request('tools/call', { name: 'ask', arguments: {}, inputResponses, requestState: asked['requestState'] }));
    }
    default:
      return void (await client.call(one.do));
  }
}

function record({ era, groups }: { era: Era; groups: readonly (readonly Step[])[] }): Promise<readonly RecordingLine[]> {
  return recorded(open, era, async (client) => {
    for (const group of groups) await Promise.all(group.map((one) => perform(client, one)));
  });
}
/** How fast a loaded machine is does not belong here. */
const UNTIMED = { slower: { floorMs: 1e9 } };
const replay = (lines: readonly RecordingLine[]) =>
  replayAsClient({ source: sourceOf(lines), recording: 'r', against: 'live', open, allowWrites: true, timeoutMs: 5000, rules: UNTIMED });

/** Places of an answer that hold a value of their own. */
function leaves(value: unknown, pointer = ''): readonly { readonly pointer: string; readonly holder: Json; readonly key: string }[] {
  if (!isObject(value) && !Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    (typeof item === 'string' && masked(item) === item && !['nextCursor', 'requestState'].includes(key)) || typeof item === 'number'
      ? [{ pointer: childPointer(pointer, key), holder: value as Json, key }]
      : leaves(item, childPointer(pointer, key)),
  );
}

const RUNS = process.env['SIGNALBOX_TEST_TIER'] === 'full' ? 2000 : 120;

test('property: whatever was said, the same server says the same again', async () => {
  await fc.assert(
    fc.asyncProperty(session, async (wanted) => {
      const lines = await record(wanted);
      const report = await replay(lines);
      assert.deepEqual(report.differences, []);
      const requests = lines.filter(
        (line) => line.k === 'frame' && line.d === 'in' && line.m !== undefined && 'method' in line.m && 'id' in line.m,
      );
      const cancelled = wanted.groups.flat().filter((one) => one.do === 'cancel').length;
      assert.equal(report.equal, requests.length - cancelled);
      const [before, after] = [sourceOf(lines), sourceOf(await record(wanted))];
      const compared = await compareRecordings({ before, after, names: ['one', 'other'], rules: UNTIMED });
      assert.deepEqual(compared.differences, []);
    }),
    { numRuns: RUNS, seed: 7 },
  );
});

test('property: one other value in one answer is exactly that difference', async () => {
  await fc.assert(
    fc.asyncProperty(session, fc.nat(), fc.nat(), async (wanted, which, where) => {
      const lines = structuredClone(await record(wanted)) as RecordingLine[];
      const answers = answersOf(lines).filter(({ m }) => 'result' in m && !('protocolVersion' in m.result) && leaves(m.result).length > 0);
      const answer = answers[which % answers.length];
      if (answer === undefined || !('result' in answer.m)) return;
      // A list that was otherwise may forbid calls that were made: that is another difference.
      const places = leaves(answer.m.result, '/result').filter(({ pointer }) => !/\/name$|serverInfo\/version$/.test(pointer));
      const place = places[where % places.length];
      if (place === undefined) return;
      const { pointer, holder, key } = place;
      holder[key] = typeof holder[key] === 'number' ? Number(holder[key]) + 1 : `another ${String(holder[key])}`;
      const request = (lines as FrameLine[]).find(({ m, d }) => d === 'in' && m !== undefined && 'id' in m && m.id === answer.m.id)?.n;
      const report = await replay(lines);
      // A question that was otherwise is not answered, so what answered it is skipped.
      const found = report.differences
        .filter(({ kind }) => kind !== 'skipped')
        .map((one) => [one.kind, one.request, one.changes.map((change) => change.pointer)]);
      assert.deepEqual(found, [['changed', request, [pointer]]]);
      const compared = await compareRecordings({
        before: sourceOf(lines),
        after: sourceOf(await record(wanted)),
        names: ['one', 'other'],
        rules: UNTIMED,
      });
      assert.deepEqual(
        compared.differences.map((one) => [one.kind, one.request, one.changes.map((change) => change.pointer)]),
        found,
      );
    }),
    { numRuns: RUNS, seed: 11 },
  );
});
