/** `call/run` of the control channel: progress, questions, cancelling, in both eras of servers, against a real daemon. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CallEvent } from '../../daemon/api/calls.ts';
import type { ControlClient } from '../../daemon/api/control-client.ts';
import { openControl, runningDaemon } from '../../daemon/cli/connection.ts';
import { type DaemonFixture, REPOSITORY, startDaemonFixture } from '../fixtures/daemon.ts';

const SERVER = join(REPOSITORY, 'test', 'fixtures', 'servers', 'asking.mjs');
const QUESTION = {
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: 'Who?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  },
};

describe('calls of the control channel', () => {
  let daemon: DaemonFixture;
  let client: ControlClient;
  const events: CallEvent[] = [];
  const waiting = new Set<() => void>();

  before(async () => {
    const entry = (...args: string[]) => ({ command: process.execPath, args: [SERVER, ...args] });
    daemon = await startDaemonFixture({ config: { servers: { old: entry(), new: entry('--modern') } } });
    client = await openControl(await runningDaemon(daemon.home.paths));
    client.onEvent((event, params) => {
      if (event !== 'call') return;
      events.push(params as CallEvent);
      for (const wake of waiting) wake();
    });
  });
  after(async () => {
    client.close();
    await daemon.stop();
  });

  /** Waits for the next event of a call that fits. */
  async function event<K extends CallEvent['kind']>(call: string, kind: K): Promise<Extract<CallEvent, { kind: K }>> {
    for (;;) {
      const index = events.findIndex((candidate) => candidate.call === call && candidate.kind === kind);
      if (index >= 0) return events.splice(index, 1)[0] as Extract<CallEvent, { kind: K }>;
      await new Promise<void>((wake) => {
        const once = (): void => {
          waiting.delete(once);
          wake();
        };
        waiting.add(once);
      });
    }
  }
  const asking = async (name: string): Promise<number | undefined> =>
    (await client.call('servers/list', {})).servers.find((server) => server.name === name)?.asking;
  const texts = (result: Record<string, unknown>): string => (result['content'] as { text: string }[])[0]?.text ?? '';

  for (const server of ['old', 'new'])
    it(`asks the person and goes on with the answer (${server})`, async () => {
      const call = `ask-${server}`;
      const done = client.call('call/run', { call, name: `${server}__ask`, arguments: { questions: [[QUESTION], [QUESTION]] } });
      await event(call, 'progress');
      for (const answer of [{ action: 'accept', content: { name: 'Ada' } }, { action: 'decline' }] as const) {
        const { question, params } = await event(call, 'question');
        assert.equal(params['message'], 'Who?');
        assert.equal(await asking(server), 1);
        await client.call('call/answer', { call, question, answer });
        await assert.rejects(client.call('call/answer', { call, question, answer }), { code: 'SBX_USAGE' });
      }
      const said = texts(await done);
      assert.equal(await asking(server), undefined);
      assert.match(said, /"content":\{"name":"Ada"\}/);
      assert.match(said, /"action":"decline"/);
    });

  it('says what the server logs', async () => {
    await client.call('call/run', { call: 'log', name: 'new__log', arguments: { level: 'warning' } });
    assert.equal(typeof (await event('log', 'log')).level, 'string');
  });

  it('is cancelled at the server, and the open question is taken back', async () => {
    const done = client.call('call/run', { call: 'gone', name: 'old__ask', arguments: { questions: [[QUESTION]] } });
    const failed = assert.rejects(done, { code: 'SBX_CALL_CANCELLED', why: 'enough' });
    const { question } = await event('gone', 'question');
    assert.deepEqual(await client.call('call/cancel', { call: 'gone', reason: 'enough' }), { cancelled: true });
    assert.equal((await event('gone', 'withdrawn')).question, question);
    await failed;
    assert.deepEqual(await client.call('call/cancel', { call: 'gone' }), { cancelled: false });
  });

  it('ends with its connection', async () => {
    const other = await openControl(await runningDaemon(daemon.home.paths));
    const asked = new Promise<void>((resolve) => other.onEvent((name) => name === 'call' && resolve()));
    const lost = assert.rejects(other.call('call/run', { call: 'x', name: 'new__ask', arguments: { questions: [[QUESTION]] } }));
    await asked;
    other.close();
    await lost;
    // The daemon is well and the name is free again.
    assert.match(texts(await client.call('call/run', { call: 'x', name: 'new__runs', arguments: {} })), /\d/);
  });

  it('names no call twice', async () => {
    const first = client.call('call/run', { call: 'same', name: 'old__ask', arguments: { questions: [[QUESTION]] } });
    const { question } = await event('same', 'question');
    await assert.rejects(client.call('call/run', { call: 'same', name: 'old__runs', arguments: {} }), { code: 'SBX_USAGE' });
    await client.call('call/answer', { call: 'same', question, answer: { action: 'cancel' } });
    await first;
  });

  it('says where a value does not fit its schema', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n', 'm'] };
    const { problems } = await client.call('schema/check', { schema, value: { n: 'x', m: 1 } });
    assert.deepEqual(problems, ['/n must be integer']);
    assert.deepEqual((await client.call('schema/check', { schema, value: { n: 1, m: 1 } })).problems, []);
    assert.match((await client.call('schema/check', { schema: { type: 'nonsense' }, value: 1 })).problems.join(), /schema cannot be used/);
  });
});
