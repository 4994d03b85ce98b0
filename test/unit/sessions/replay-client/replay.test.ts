import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RecordingLine, ReplayReport } from '../../../../daemon/api/recordings.ts';
import { fails } from '../../../../daemon/sessions/compare/findings.ts';
import { type ReplayOptions, replayAsClient } from '../../../../daemon/sessions/replay-client/replay.ts';
import { type Era, type LinkHouse, linkHouse, type RecordedClient, recorded, sourceOf } from '../../../fixtures/recorded-session.ts';

type Json = Record<string, unknown>;
let house: LinkHouse;
before(() => {
  house = linkHouse();
});
after(() => house.close());

const PAIRS = (['legacy', 'modern'] as const).flatMap((era) => (['stdio', 'http'] as const).map((transport) => ({ era, transport })));

/** Everything a client may do. */
async function everything(client: RecordedClient): Promise<void> {
  const first = (await client.request('tools/list'))['result'] as Json;
  await client.request('tools/list', { cursor: first['nextCursor'] });
  await client.request('prompts/list');
  await client.request('x-vendor/unknown');
  await Promise.all([
    client.call('echo', { text: 'one' }),
    client.call('echo', { text: 'two' }),
    client.call('sum', { numbers: [1, 2, 3] }),
  ]);
  await client.call('fixed');
  const ticket = (await client.call('ticket'))['result'] as { structuredContent: { ticket: string } };
  await client.call('use', { ticket: ticket.structuredContent.ticket });
  await client.call('count', { to: 3 }, { progressToken: 'p1' });
  await ask(client);
  const waits = client.call('wait');
  client.cancel(waits.id);
  const [released] = await Promise.all([client.call('wait'), settle().then(() => client.call('release'))]);
  assert.ok('result' in released);
  await client.call('write', { text: 'x' });
  await client.call('unknown');
}

/** Over HTTP two requests may overtake one another: the second is sent when the first has surely arrived. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

async function ask(client: RecordedClient): Promise<void> {
  const answer = (await client.call('ask'))['result'] as Json;
  if (client.era === 'legacy') return;
  const [key] = Object.keys(answer['inputRequests'] as Json);
  const response = { action: 'accept', content: { name: 'Ada' } };
  await client.request('tools/call', {
    name: 'ask',
    arguments: {},
    inputResponses: { [String(key)]: response },
    requestState: answer['requestState'],
  });
}

const recordings = new Map<string, Promise<readonly RecordingLine[]>>();
/** One recording for each era and transport, made once. */
function recording(era: Era, transport: 'stdio' | 'http'): Promise<readonly RecordingLine[]> {
  const key = `${era} ${transport}`;
  const made = recordings.get(key) ?? house.replayed(transport).then((open) => recorded(open, era, everything));
  recordings.set(key, made);
  return made;
}

async function replayed(
  lines: readonly RecordingLine[],
  transport: 'stdio' | 'http',
  changes: readonly string[] = [],
  options: Partial<ReplayOptions> = {},
): Promise<ReplayReport> {
  const open = await house.replayed(transport, ...changes);
  return replayAsClient({ source: sourceOf(lines), recording: 'r', against: 'live', open, timeoutMs: 20_000, rules: UNTIMED, ...options });
}

/** How fast a loaded machine is counts in one test only. */
const UNTIMED = { slower: { floorMs: 1e9 } };

/** What differs, in short. */
function told({ differences }: ReplayReport): readonly string[] {
  return differences.map(
    ({ kind, method, target, changes }) =>
      `${kind} ${target ?? method} ${changes.map(({ pointer, inside = '' }) => pointer + inside).join(' ')}`,
  );
}
const SKIPPED = ['skipped x-vendor/unknown ', 'skipped write ', 'skipped unknown '];

for (const { era, transport } of PAIRS) {
  test(`${era} over ${transport}: the same server says the same, and only what may write is not sent`, async () => {
    const lines = await recording(era, transport);
    const report = await replayed(lines, transport);
    assert.deepEqual(told(report), SKIPPED);
    assert.equal(report.skipped, 3);
    const all = await replayed(lines, transport, [], { allowWrites: true });
    assert.deepEqual(told(all), []);
    assert.equal(all.equal, report.equal + 3);
    assert.ok(report.ignored.some(({ why }) => why === 'a cursor'));
  });
}

const CHANGES: readonly (readonly [change: string, expected: readonly string[]])[] = [
  ['description', ['changed tools/list /result/tools/0/description']],
  ['added', ['changed tools/list /result/tools/1']],
  ['value', ['changed fixed /result/content/0/text/answer']],
  ['removed', ['changed tools/list /result/tools/2', 'missing fixed ']],
  ['error', ['changed fixed /result/content/0/text /result/isError']],
  ['notification', ['changed count /notifications/3']],
  ['no-hint', ['changed tools/list /result/tools/1/annotations', 'skipped sum ']],
];

for (const { era, transport } of PAIRS) {
  // Twice two is enough where the change has nothing to do with the era or the transport.
  const whole = process.env['SIGNALBOX_TEST_TIER'] === 'full' || (era === 'legacy') === (transport === 'stdio');
  for (const [change, expected] of whole ? CHANGES : CHANGES.slice(2, 4)) {
    test(`${era} over ${transport}: a build with "${change}" differs in exactly that`, async () => {
      const report = await replayed(await recording(era, transport), transport, [change]);
      assert.deepEqual(
        told(report).filter((line) => !SKIPPED.includes(line)),
        expected,
      );
    });
  }

  test(`${era} over ${transport}: an answer that takes longer is slower and nothing else`, async () => {
    const report = await replayed(await recording(era, transport), transport, ['slow'], { rules: { slower: { factor: 2, floorMs: 400 } } });
    assert.ok(told(report).includes('slower fixed '));
    const rest = told(report).filter((line) => !SKIPPED.includes(line) && !line.startsWith('slower'));
    assert.deepEqual(rest, []);
    assert.equal(fails(report), false);
    assert.equal(fails(report, { slower: true }), true);
  });

  test(`${era} over ${transport}: another question is a difference and gets no recorded answer`, async () => {
    const report = await replayed(await recording(era, transport), transport, ['question']);
    const rest = told(report).filter((line) => !SKIPPED.includes(line));
    assert.deepEqual(
      rest.map((line) => line.replace(/q-[^/]+/, 'q')),
      era === 'legacy'
        ? ['changed ask /result/content/0/text', 'changed elicitation/create /params/message']
        : ['changed ask /result/inputRequests/q/params/message', 'skipped ask '],
    );
  });

  test(`${era} over ${transport}: an answer that never comes is missing`, async () => {
    const report = await replayed(await recording(era, transport), transport, ['silent'], { timeoutMs: 1000 });
    assert.deepEqual(
      told(report).filter((line) => !SKIPPED.includes(line)),
      ['missing prompts/list '],
    );
  });
}
