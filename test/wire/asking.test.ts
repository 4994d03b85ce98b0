/** Servers that ask in the middle of a call, in all four pairings of eras: nothing is lost, guessed, or run twice. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ServerEntry } from '../../daemon/api/config.ts';
import { type Gateway, startGateway } from '../fixtures/gateway.ts';
import { type AnswerQuestion, type Called, legacyClient, modernClient, modernPost, type RawClient } from '../fixtures/raw-clients.ts';

const ASKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'asking.mjs');
const ALL = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} };
const form = (message: string): object => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: { type: 'object', properties: { who: { type: 'string' } } }, 'x-kept': [1, 'ü'] },
});
const sample = (text: string): object => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 10 },
});

/** Accepts forms with the question for an answer, samples in capitals. */
const helpful: AnswerQuestion = (method, params) =>
  method === 'sampling/createMessage'
    ? { result: { role: 'assistant', model: 'm', content: { type: 'text', text: JSON.stringify(params['messages']).toUpperCase() } } }
    : method === 'roots/list'
      ? { result: { roots: [{ uri: 'file:///client', name: 'client' }] } }
      : { result: { action: 'accept', content: { who: params['message'] ?? params['url'] ?? '' } } };

const server = (...args: string[]): ServerEntry => ({ command: process.execPath, args: [ASKING, ...args] });
const text = (called: Called | { answer: Record<string, unknown> }): string => {
  const result = called.answer['result'] as { content?: { text: string }[] } | undefined;
  return result?.content?.[0]?.text ?? JSON.stringify(called.answer);
};
const answersOf = (called: Called): unknown[][] => {
  const { answers } = JSON.parse(text(called)) as { answers: unknown[][] };
  // A legacy server sees the whole response, a modern one the bare result.
  return answers.map((round) => round.map((answer) => (answer as { result?: unknown } | null)?.result ?? answer));
};

async function connect(gateway: Gateway, era: 'legacy' | 'modern', capabilities: object, answer: AnswerQuestion): Promise<RawClient> {
  const declared = capabilities as Record<string, unknown>;
  return era === 'legacy' ? legacyClient(gateway, declared, answer) : modernClient(gateway, declared, answer);
}

async function within(entry: ServerEntry, run: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = await startGateway({ s: entry });
  try {
    await run(gateway);
  } finally {
    await gateway.close();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(15_000);
  while (!(await condition())) {
    limit.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

for (const client of ['legacy', 'modern'] as const)
  for (const [era, flag] of [
    ['legacy', []],
    ['modern', ['--modern']],
  ] as const)
    describe(`${client} client, ${era} server`, () => {
      it('carries forms and sampling, one after the other and together, with progress in every round', async () => {
        await within(server(...flag), async (gateway) => {
          const peer = await connect(gateway, client, ALL, helpful);
          const questions = [[form('first')], [form('second'), sample('hello'), form('third')], [sample('bye')]];
          const called = await peer.call('tools/call', { name: 's__ask', arguments: { questions } }, { meta: { progressToken: 'tök' } });
          assert.equal(called.asked.length, 5, text(called));
          const answers = answersOf(called);
          assert.deepEqual(answers[0], [{ action: 'accept', content: { who: 'first' } }]);
          assert.equal(answers[1]?.length, 3);
          assert.match(JSON.stringify(answers[2]), /BYE/);
          assert.match(text(called), /"runs":1/, 'the call ran once');
          const kept = called.asked.filter(({ method }) => method === 'elicitation/create').map(({ params }) => params['x-kept']);
          assert.deepEqual(
            kept,
            [
              [1, 'ü'],
              [1, 'ü'],
              [1, 'ü'],
            ],
            'unknown fields of a question arrive',
          );
          const progress = called.notifications.filter(({ method }) => method === 'notifications/progress');
          assert.deepEqual([...new Set(progress.map(({ params }) => (params as { progressToken: unknown }).progressToken))], ['tök']);
          assert.ok(progress.length >= 3, `${progress.length} of at least 3`);
          peer.close();
        });
      });

      it('carries a decline, and asks nothing the client did not declare', async () => {
        await within(server(...flag), async (gateway) => {
          const declining = await connect(gateway, client, ALL, () => ({ result: { action: 'decline' } }));
          const declined = await declining.call('tools/call', { name: 's__ask', arguments: { questions: [[form('q')]] } });
          assert.deepEqual(answersOf(declined), [[{ action: 'decline' }]]);
          declining.close();
          if (client === 'modern' && era === 'modern') return; // such a question is between the server and its client
          const mute = await connect(gateway, client, { elicitation: {} }, () => assert.fail('it was asked all the same'));
          const refused = await mute.call('tools/call', { name: 's__ask', arguments: { questions: [[sample('x')]] } });
          // A legacy server hears the refusal in its question; a modern one has none to hear it by unless it looked first.
          if (era === 'legacy') assert.match(text(refused), /-32601/);
          else assert.match(text(refused), /SBX_QUESTION_UNSUPPORTED/);
          mute.close();
        });
      });

      it('tells a server what the client declared', async () => {
        await within({ ...server(...flag), sharing: 'never' }, async (gateway) => {
          const peer = await connect(gateway, client, { elicitation: { form: {} } }, helpful);
          const { declared } = JSON.parse(text(await peer.call('tools/call', { name: 's__seen', arguments: {} }))) as { declared: object };
          if (client === 'legacy' || era === 'modern') assert.deepEqual(declared, { elicitation: { form: {} } });
          peer.close();
        });
      });

      it('logs to the request that asked for it, from its level on', async () => {
        await within(server(...flag), async (gateway) => {
          const peer = await connect(gateway, client, {}, helpful);
          const levels = (called: Called): unknown[] =>
            [...called.notifications, ...peer.heard].flatMap(({ method, params }) =>
              method === 'notifications/message' ? [(params as { level: unknown }).level] : [],
            );
          if (client === 'legacy') await peer.call('logging/setLevel', { level: 'error' });
          const meta = client === 'modern' ? { 'io.modelcontextprotocol/logLevel': 'error' } : {};
          const loud = await peer.call('tools/call', { name: 's__log', arguments: {} }, { meta });
          await until(() => levels(loud).length >= 4);
          assert.deepEqual(levels(loud), ['error', 'critical', 'alert', 'emergency']);
          if (client === 'modern') assert.deepEqual(levels(await peer.call('tools/call', { name: 's__log', arguments: {} })), []);
          peer.close();
        });
      });
    });

describe('questions of a server on standard streams', () => {
  it('are never guessed: calls of two clients at once are told apart or refused, and once it asks each has its own connection', async () => {
    await within(server(), async (gateway) => {
      const wrong: AnswerQuestion = () => ({ result: { action: 'accept', content: { who: 'someone else' } } });
      const anna = await connect(gateway, 'legacy', ALL, helpful);
      const berta = await connect(gateway, 'legacy', ALL, wrong);
      const carla = await connect(gateway, 'modern', ALL, helpful);
      const ask = (peer: RawClient, message: string): Promise<Called> =>
        peer.call('tools/call', { name: 's__ask', arguments: { questions: [[form(message)], [form(message)]] } });
      for (let turn = 0; turn < 5; turn++) {
        const [a, b, c] = await Promise.all([ask(anna, `a${turn}`), ask(berta, `b${turn}`), ask(carla, `c${turn}`)]);
        for (const [called, who] of [
          [a, `a${turn}`],
          [b, 'someone else'],
          [c, `c${turn}`],
        ] as const) {
          const answers = answersOf(called).flat();
          for (const answer of answers) {
            const refused = JSON.stringify(answer).includes('SBX_QUESTION_AMBIGUOUS');
            assert.ok(!refused || turn === 0, 'only before it was known to ask');
            if (!refused) assert.deepEqual(answer, { action: 'accept', content: { who } });
          }
        }
      }
      for (const peer of [anna, berta, carla]) peer.close();
    });
  });

  it('tells calls of one modern client apart', async () => {
    await within(server(), async (gateway) => {
      const peer = modernClient(gateway, ALL, helpful);
      await peer.call('tools/call', { name: 's__ask', arguments: { questions: [[form('first')]] } });
      const calls = await Promise.all(
        ['a', 'b', 'c', 'd', 'e', 'f'].map((who) =>
          peer.call('tools/call', { name: 's__ask', arguments: { questions: [[form(who)], [form(who)]] } }),
        ),
      );
      assert.deepEqual(
        calls.map((called) =>
          answersOf(called)
            .flat()
            .map((answer) => (answer as { content: { who: string } }).content.who),
        ),
        ['a', 'b', 'c', 'd', 'e', 'f'].map((who) => [who, who]),
      );
    });
  });

  it('whose client never comes back do not keep its next calls waiting', async () => {
    const gateway = await startGateway({ s: server() }, { awayMs: 50 });
    try {
      const call = (who: string): Promise<Record<string, unknown>> =>
        modernPost(gateway, 'tools/call', { name: 's__ask', arguments: { questions: [[form(who)]] } }, { capabilities: ALL });
      for (let n = 0; n < 12; n++) {
        const { resultType } = (await call(`away ${n}`))['result'] as { resultType: string };
        assert.equal(resultType, 'input_required');
      }
      const peer = modernClient(gateway, ALL, helpful);
      const called = await peer.call('tools/call', { name: 's__ask', arguments: { questions: [[form('here')]] } });
      assert.deepEqual(answersOf(called), [[{ action: 'accept', content: { who: 'here' } }]]);
    } finally {
      await gateway.close();
    }
  });

  it('about roots are answered by the session on a connection of its own', async () => {
    await within({ ...server(), sharing: 'never' }, async (gateway) => {
      const peer = await connect(gateway, 'legacy', ALL, helpful);
      await until(async () => text(await peer.call('tools/call', { name: 's__seen', arguments: {} })).includes('file:///client'));
      peer.close();
    });
  });
});

describe('parked calls', () => {
  it('ask again for what was not answered, and are cancelled at the server when the client closes the stream of a round', async () => {
    await within({ ...server(), sharing: 'always' }, async (gateway) => {
      const call = { name: 's__ask', arguments: { questions: [[form('one')]], hold: true } };
      const first = await modernPost(gateway, 'tools/call', call, { capabilities: ALL });
      const { inputRequests, requestState } = first['result'] as { inputRequests: Record<string, unknown>; requestState: string };
      const again = await modernPost(gateway, 'tools/call', { ...call, inputResponses: {}, requestState }, { capabilities: ALL });
      const second = again['result'] as { inputRequests: Record<string, unknown>; requestState: string };
      assert.deepEqual(second.inputRequests, inputRequests);
      const inputResponses = Object.fromEntries(Object.keys(second.inputRequests).map((key) => [key, { action: 'accept' }]));
      const abort = new AbortController();
      const params = { ...call, inputResponses, requestState: second.requestState };
      const gone = assert.rejects(modernPost(gateway, 'tools/call', params, { capabilities: ALL, signal: abort.signal }));
      const cancelled = async (): Promise<string> =>
        text({ answer: await modernPost(gateway, 'tools/call', { name: 's__cancelled' }, {}) });
      assert.equal(await cancelled(), '0');
      abort.abort();
      await gone;
      await until(async () => (await cancelled()) === '1');
    });
  });

  it('take part of the limits of their client until the server is done', async () => {
    const gateway = await startGateway({ s: server() }, { endpoint: { clients: { test: { limits: { concurrency: 1, queue: 0 } } } } });
    try {
      const call = { name: 's__ask', arguments: { questions: [[form('one')]] } };
      const first = await modernPost(gateway, 'tools/call', call, { capabilities: ALL });
      const { inputRequests, requestState } = first['result'] as { inputRequests: Record<string, unknown>; requestState: string };
      assert.match(text({ answer: await modernPost(gateway, 'tools/call', { name: 's__runs' }, {}) }), /SBX_BUSY/);
      const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((key) => [key, { action: 'decline' }]));
      const done = await modernPost(gateway, 'tools/call', { ...call, inputResponses, requestState }, { capabilities: ALL });
      assert.match(text({ answer: done }), /decline/);
      await until(async () => text({ answer: await modernPost(gateway, 'tools/call', { name: 's__cancelled' }, {}) }) === '0');
    } finally {
      await gateway.close();
    }
  });

  it('refuse state that was changed, is another client’s, or belongs to other arguments', async () => {
    await within(server(), async (gateway) => {
      const call = { name: 's__ask', arguments: { questions: [[form('one')]] } };
      const message = await modernPost(gateway, 'tools/call', call, { capabilities: ALL });
      const { requestState } = message['result'] as { requestState: string };
      const changed = `${requestState.slice(0, -2)}${requestState.endsWith('A') ? 'B' : 'A'}${requestState.at(-1)}`;
      for (const params of [
        { ...call, requestState: changed },
        { ...call, requestState: 'nonsense' },
        { ...call, arguments: { questions: [[form('two')]] }, requestState },
      ]) {
        const { error } = (await modernPost(gateway, 'tools/call', { ...params, inputResponses: {} }, { capabilities: ALL })) as {
          error?: { code: number; data: { code: string } };
        };
        assert.equal(error?.code, -32602);
        assert.equal(error?.data.code, 'SBX_STATE_INVALID');
      }
    });
  });

  it('carry a page to visit: -32042 becomes a question, and the call is sent again when it is answered', async () => {
    await within(server(), async (gateway) => {
      const called = await modernClient(gateway, ALL, () => ({ result: { action: 'accept' } })).call('tools/call', {
        name: 's__page',
        arguments: {},
      });
      assert.equal(text(called), 'visited');
      assert.deepEqual(called.asked, [
        { method: 'elicitation/create', params: { mode: 'url', url: 'https://example.com/consent', message: 'Consent' } },
      ]);
    });
  });

  it('pass a page of a modern server to a legacy client, and tell it when it is over', async () => {
    await within(server('--modern'), async (gateway) => {
      const peer = await connect(gateway, 'legacy', ALL, () => ({ result: { action: 'accept' } }));
      const page = { method: 'elicitation/create', params: { mode: 'url', url: 'https://example.com/x', message: 'Visit' } };
      const called = await peer.call('tools/call', { name: 's__ask', arguments: { questions: [[page]] } });
      const { elicitationId } = called.asked[0]?.params as { elicitationId: string };
      assert.match(elicitationId, /^[0-9a-f-]{36}$/);
      await until(() =>
        [...called.notifications, ...peer.heard].some(
          ({ method, params }) =>
            method === 'notifications/elicitation/complete' && (params as { elicitationId: string }).elicitationId === elicitationId,
        ),
      );
      peer.close();
    });
  });
});
