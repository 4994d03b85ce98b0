/** Streams of a legacy session that outlive their connection (2025-11-25, "Resumability and Redelivery"), seen over plain HTTP. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Gateway, startGateway } from '../fixtures/gateway.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { RawSession, type SeenEvent, textOf } from './raw-session.ts';

const LASTING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'lasting.mjs');

/** A gateway with the lasting server at alias `l`, and what ran on it. */
async function gateway(t: TestContext): Promise<Gateway & { readonly runs: () => string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-lasting-'));
  const file = join(folder, 'runs.txt');
  const made = await startGateway({ l: { command: process.execPath, args: [LASTING, file] } });
  t.after(async () => {
    await made.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...made, runs: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []) };
}

function messages(events: readonly SeenEvent[]): Record<string, unknown>[] {
  return events.flatMap(({ message }) => (message === undefined ? [] : [message]));
}
const hold = (name: string, progressToken?: string): object => ({
  name: 'l__hold',
  arguments: { name },
  ...(progressToken === undefined ? {} : { _meta: { progressToken } }),
});

test('a long call becomes a stream with an id to come back to; who comes back gets the answer, and on that stream only', async (t) => {
  const to = await gateway(t);
  const session = await new RawSession(to.url, to.token).open();
  const [first, other] = await Promise.all([
    session.stream('a', 'tools/call', hold('a')),
    session.stream('b', 'tools/call', hold('b', 'tok')),
  ]);
  const prime = await first.next();
  assert.match(prime.id ?? '', /^[\w.-]+$/);
  assert.equal(prime.retry, '2000');
  assert.equal(prime.message, undefined, 'an event without data');
  const otherPrime = await other.next();
  assert.notEqual(otherPrime.id?.split('.')[0], prime.id?.split('.')[0]);
  const progress = await other.next();
  assert.equal(progress.message?.['method'], 'notifications/progress');

  first.cut();
  other.cut();
  assert.equal(await session.call('l__report', { name: 'b', times: 2 }), 'reported');
  assert.equal(await session.call('l__release', { name: 'a' }), 'released', 'the call ran on: a disconnect is no cancel');
  const back = await session.listen(prime.id);
  const events = await back.rest();
  assert.deepEqual(
    messages(events).map((message) => [message['id'], textOf(message)]),
    [['a', 'a']],
  );
  // The other one after its first report: the two that came meanwhile, then what comes.
  const otherBack = await session.listen(progress.id);
  assert.equal(await session.call('l__release', { name: 'b' }), 'released');
  const later = await otherBack.rest();
  assert.deepEqual(
    messages(later).map((message) => message['method'] ?? textOf(message)),
    ['notifications/progress', 'notifications/progress', 'b'],
  );
  assert.equal((later[0]?.message?.['params'] as { progressToken: string }).progressToken, 'tok');
  // Whoever has the answer is told not to come again (204); whoever has not gets it again.
  assert.equal((await session.fetch('GET', undefined, { 'last-event-id': events[0]?.id ?? '' })).status, 204);
  assert.deepEqual(messages(await (await session.listen(prime.id)).rest()), messages(events));
  assert.equal(to.runs().filter((line) => line.startsWith('hold')).length, 2, 'nothing ran twice');
});

test('before 2025-11-25 there is no event without data; what comes has ids all the same', async (t) => {
  const to = await gateway(t);
  const session = await new RawSession(to.url, to.token).open('2025-06-18');
  const stream = await session.stream(1, 'tools/call', hold('x', 'tok'));
  const first = await stream.next();
  assert.equal(first.message?.['method'], 'notifications/progress');
  assert.ok(first.id !== undefined && first.retry === undefined);
  stream.cut();
  assert.equal(await session.call('l__release', { name: 'x' }), 'released');
  assert.deepEqual(messages(await (await session.listen(first.id)).rest()).map(textOf), ['x']);
});

test('an event id of another session or of nobody is refused', async (t) => {
  const to = await gateway(t);
  const [one, two] = await Promise.all([1, 2].map(() => new RawSession(to.url, to.token).open()));
  const stream = await one?.stream(1, 'tools/call', hold('x', 'tok'));
  const { id = '' } = (await stream?.next()) ?? {};
  for (const last of [id, 'nonsense', `${id}x`]) {
    const answer = await two?.fetch('GET', undefined, { 'last-event-id': last });
    assert.equal(answer?.status, 400, last);
    assert.match((await answer?.text()) ?? '', /SBX_MESSAGE_INVALID/);
  }
  stream?.cut();
});

test('a cancelled call leaves no connection open', async (t) => {
  const to = await gateway(t);
  const session = await new RawSession(to.url, to.token).open();
  const early = session.fetch('POST', { jsonrpc: '2.0', id: 'early', method: 'tools/call', params: hold('early') });
  await eventually('the call runs', () => to.runs().includes('hold early'));
  await session.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'early' } });
  assert.equal(await (await early).text(), '', 'ended without an answer');
  const stream = await session.stream('late', 'tools/call', hold('late', 'tok'));
  const prime = await stream.next();
  await session.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'late' } });
  assert.ok(!messages(await stream.rest()).some((message) => 'result' in message));
  assert.equal((await session.fetch('GET', undefined, { 'last-event-id': prime.id ?? '' })).status, 204, 'and nothing to come back for');
});

test('a question of the server goes out on the stream of the call it belongs to', async (t) => {
  const to = await gateway(t);
  const session = await new RawSession(to.url, to.token).open('2025-11-25', { elicitation: {} });
  const standing = await session.listen();
  const call = await session.stream(1, 'tools/call', { name: 'l__ask', arguments: {} });
  const prime = await call.next();
  assert.equal(prime.message, undefined);
  const { message: question } = await call.next();
  assert.equal(question?.['method'], 'elicitation/create');
  // Lost before it was answered: it is asked again on the stream that is taken up.
  call.cut();
  const back = await session.listen(prime.id);
  const { message: again } = await back.next();
  assert.deepEqual(again, question);
  await session.send({ jsonrpc: '2.0', id: question?.['id'], result: { action: 'accept', content: { which: 'this' } } });
  assert.equal(textOf(messages(await back.rest())[0]), '{"action":"accept","content":{"which":"this"}}');
  standing.cut();
});

test('more than is kept: the oldest reports are dropped, an answer too big to be kept is reported as lost', async (t) => {
  const to = await gateway(t);
  const session = await new RawSession(to.url, to.token).open();
  const many = await session.stream('many', 'tools/call', hold('many', 'tok'));
  const big = await session.stream('big', 'tools/call', hold('big', 'tok2'));
  const [primeOfMany, primeOfBig] = [await many.next(), await big.next()];
  many.cut();
  big.cut();
  await session.call('l__report', { name: 'many', times: 600 });
  await session.call('l__release', { name: 'many' });
  await session.call('l__release', { name: 'big', size: 9 * 1024 * 1024 });
  const kept = messages(await (await session.listen(primeOfMany.id)).rest());
  assert.equal(kept.length, 256);
  assert.deepEqual(
    [kept[0]?.['method'], kept.at(-1)?.['id'], textOf(kept.at(-1))],
    ['notifications/progress', 'many', 'many'],
    'the answer is never dropped for reports',
  );
  const lost = messages(await (await session.listen(primeOfBig.id)).rest()).at(-1);
  assert.equal(lost?.['id'], 'big');
  assert.match(textOf(lost), /^SBX_CALL_INTERRUPTED: .*too big to be kept/);
});

test('the standing stream: what nobody read waits, and a second one takes over', async (t) => {
  const to = await gateway(t);
  const session = await new RawSession(to.url, to.token).open();
  await session.rpc('resources/subscribe', { uri: 'lasting://note' });
  assert.equal(await session.call('l__touch'), 'lasting://note');
  const first = await session.listen();
  const updated = await first.next();
  assert.equal(updated.message?.['method'], 'notifications/resources/updated');
  const second = await session.listen(updated.id);
  assert.deepEqual(await first.rest(), [], 'the first is ended');
  await session.call('l__touch');
  assert.equal((await second.next()).message?.['method'], 'notifications/resources/updated');
  second.cut();
});
