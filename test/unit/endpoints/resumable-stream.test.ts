/** One stream that survives its connection: what is kept, what is replayed, what is lost and said to be. Over real HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { ResumableStream, type ResumableStreamOptions } from '../../../daemon/endpoints/resumable-stream.ts';
import type { Message } from '../../../daemon/protocol/message.ts';

const progress = (n: number): Message => ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress: n } });
const question = (id: string): Message => ({ jsonrpc: '2.0', id, method: 'elicitation/create' });
const answer: Message = { jsonrpc: '2.0', id: 1, result: { text: 'the answer' } };
const lost: Message = { jsonrpc: '2.0', id: 1, result: { text: 'lost' } };

/** Opens connections to a stream: each one's server side, and the text its client got when it ended. */
async function connections(t: TestContext): Promise<() => Promise<{ response: ServerResponse; text: Promise<string>; cut: () => void }>> {
  const waiting: ((response: ServerResponse) => void)[] = [];
  const server = createServer((_request, response) => waiting.shift()?.(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return async () => {
    const arrived = new Promise<ServerResponse>((resolve) => waiting.push(resolve));
    const abort = new AbortController();
    const text = fetch(`http://127.0.0.1:${port}`, { signal: abort.signal }).then((got) => got.text());
    text.catch(() => {});
    return { response: await arrived, text, cut: () => abort.abort() };
  };
}

function stream(bounds?: ResumableStreamOptions['bounds']): ResumableStream {
  return new ResumableStream({ name: 'n', prefix: () => 'p.', lostAnswer: () => lost, ...(bounds === undefined ? {} : { bounds }) });
}

/** Ids and what was said, one word each. */
function said(text: string): string[] {
  return text
    .split('\n\n')
    .filter((event) => event.includes('data: '))
    .map((event) => {
      const id = /^id: (.*)$/m.exec(event)?.[1];
      const data = /^data: (.*)$/m.exec(event)?.[1] ?? '';
      if (data === '') return `${id} prime`;
      const message = JSON.parse(data) as { id?: unknown; method?: string; params?: { progress: number }; result?: { text: string } };
      return `${id} ${message.result?.text ?? message.params?.progress ?? message.id}`;
    });
}

test('a client that comes back gets what came after, on that stream only, then what comes', async (t) => {
  const open = await connections(t);
  const events = stream();
  const first = await open();
  events.attach(first.response);
  events.prime();
  for (const n of [1, 2]) events.send(progress(n), 'notification');
  first.cut();
  await once(first.response, 'close');
  assert.ok(!events.attached);
  events.send(progress(3), 'notification');
  const second = await open();
  events.attach(second.response, 1);
  events.send(answer, 'answer');
  assert.deepEqual(said(await second.text), ['p.2 2', 'p.3 3', 'p.4e the answer']);
  const third = await open();
  events.attach(third.response, 0);
  assert.deepEqual(said(await third.text), ['p.1 1', 'p.2 2', 'p.3 3', 'p.4e the answer'], 'also when it is over');
  assert.ok(events.endsAt(4) && !events.endsAt(3));
});

test('without an id only what no connection got is said; a second connection takes the stream over', async (t) => {
  const open = await connections(t);
  const events = stream();
  events.send(progress(1), 'notification');
  const first = await open();
  events.attach(first.response);
  events.send(progress(2), 'notification');
  const second = await open();
  events.attach(second.response);
  events.send(progress(3), 'notification');
  assert.deepEqual(said(await first.text), ['p.1 1', 'p.2 2'], 'the first connection is ended');
  events.end();
  assert.deepEqual(said(await second.text), ['p.3 3']);
});

test('over its bounds it drops notifications before questions, and says so when the answer itself was too big', async (t) => {
  const open = await connections(t);
  const events = stream({ events: 3, bytes: 10_000 });
  events.send(question('q'), 'request');
  for (const n of [1, 2, 3, 4]) events.send(progress(n), 'notification');
  const first = await open();
  events.attach(first.response);
  events.end();
  assert.deepEqual(said(await first.text), ['p.1 q', 'p.4 3', 'p.5 4']);

  const big = stream({ events: 100, bytes: 1000 });
  big.send(progress(1), 'notification');
  big.send({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(5000) } }, 'answer');
  assert.equal(big.bytes, 0, 'nothing of it is kept');
  const second = await open();
  big.attach(second.response, 0);
  assert.deepEqual(said(await second.text), ['p.2e lost']);
});

test('what is too big to be kept still goes to whoever reads', async (t) => {
  const open = await connections(t);
  const events = stream({ events: 100, bytes: 1000 });
  const first = await open();
  events.attach(first.response);
  events.send({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(5000) } }, 'answer');
  assert.deepEqual(said(await first.text), [`p.1e ${'x'.repeat(5000)}`]);
});
