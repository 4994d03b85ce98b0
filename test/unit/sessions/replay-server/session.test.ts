/** A recording played to one client, message by message. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message } from '../../../../daemon/protocol/message.ts';
import { Rehearsal, type ReplayOptions } from '../../../../daemon/sessions/replay-server/rehearsal.ts';
import { readScript } from '../../../../daemon/sessions/replay-server/script.ts';
import { ReplaySession } from '../../../../daemon/sessions/replay-server/session.ts';
import { call, HELLO, modern, recorded, type Said, text } from './lines.ts';

type Json = Record<string, unknown>;

/** A session, what it said so far, and what became of it. */
function play(frames: readonly Said[], options: ReplayOptions = {}, open = {}) {
  const rehearsal = new Rehearsal(readScript(recorded(frames, open)), options);
  const said: Json[] = [];
  const session = new ReplaySession(rehearsal, (message) => said.push(message as unknown as Json));
  const say = (message: object): Json[] => {
    const from = said.length;
    session.receive({ jsonrpc: '2.0', ...message } as Message);
    return said.slice(from);
  };
  const until = async (count: number): Promise<void> => {
    const end = Date.now() + 10_000;
    while (said.length < count) {
      assert.ok(Date.now() < end, `said: ${JSON.stringify(said)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { rehearsal, session, said, say, until };
}
const hello = {
  id: 'h',
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: { elicitation: {} }, clientInfo: {} },
};
const ask = (id: number | string, name: string, args: object = {}, meta?: object): object => call(id, name, args, meta)[1];
const texts = (messages: readonly Json[]): unknown[] =>
  messages.map((message) => ((message['result'] as Json)['content'] as { text: string }[])[0]?.text);

describe('a recording as a server', () => {
  it('shakes hands with the recorded answer, in the revision the client asks for', () => {
    const { say } = play([...HELLO, call(1, 'a'), text(1, 'one')]);
    const [answer] = say(hello);
    assert.deepEqual(answer?.['result'], {
      protocolVersion: '2025-06-18',
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 'recorded', version: '7' },
      instructions: 'Recorded.',
    });
  });

  it('answers with ids of this time, and the same call again with its next answer, then with the last one', () => {
    const { say } = play([...HELLO, call(1, 'count'), text(1, 'one'), call(2, 'count'), text(2, 'two')]);
    say(hello);
    assert.deepEqual(texts(['x', 'y', 'z'].flatMap((id) => say(ask(id, 'count')))), ['one', 'two', 'two']);
  });

  it('loops or misses instead, if told to', () => {
    const frames = [...HELLO, call(1, 'count'), text(1, 'one'), call(2, 'count'), text(2, 'two')];
    const looping = play(frames, { exhausted: 'loop' });
    assert.deepEqual(texts([1, 2, 3, 4, 5].flatMap((id) => looping.say(ask(id, 'count')))), ['one', 'two', 'one', 'two', 'one']);
    const strict = play(frames, { exhausted: 'never' });
    const last = [1, 2, 3].flatMap((id) => strict.say(ask(id, 'count'))).at(-1);
    assert.match(String((last?.['error'] as Json)['message']), /asked more often than it was recorded.*SBX_REPLAY_MISS/);
    assert.equal(strict.rehearsal.report().misses.length, 1);
  });

  it('does not look at tokens, traces and who the client is, but at every other parameter', () => {
    const { say } = play([
      ...HELLO,
      call(1, 'a', { x: 1 }, { progressToken: 5, traceparent: 't', 'claudecode/toolUseId': 'u' }),
      text(1, 'yes'),
    ]);
    assert.deepEqual(texts(say(ask(1, 'a', { x: 1 }, { progressToken: 9, 'claudecode/toolUseId': 'other' }))), ['yes']);
    const [missed] = say(ask(2, 'a', { x: 2 }));
    const { code, data } = missed?.['error'] as { code: number; data: Json };
    assert.equal(code, -32603);
    assert.equal(data['code'], 'SBX_REPLAY_MISS');
    assert.deepEqual(data['nearest'], {
      request: 4,
      method: 'tools/call',
      target: 'a',
      changes: [{ pointer: '/arguments/x', before: 1, after: 2 }],
    });
    assert.match(String(data['cause']), /frame 4.*\/arguments\/x \(recorded 1, asked 2\)/);
  });

  it('ignores places by rule, and takes what was redacted for anything', () => {
    const frames = [...HELLO, call(1, 'a', { when: 'then', token: 'Bearer [redacted:0123456789abcdef]' }), text(1, 'yes')];
    const { say } = play(frames, { ignore: [{ method: 'tools/call', pointer: '/arguments/when' }] });
    assert.deepEqual(texts(say(ask(1, 'a', { when: 'now', token: 'Bearer abc' }))), ['yes']);
    assert.ok('error' in (say(ask(2, 'a', { when: 'now', token: 'Basic abc' }))[0] ?? {}));
  });

  it('matches by what a call is about alone', () => {
    const { say } = play([...HELLO, call(1, 'a', { x: 1 }), text(1, 'yes')], { match: 'target' });
    assert.deepEqual(texts(say(ask(1, 'a', { entirely: 'else' }))), ['yes']);
    assert.ok('error' in (say(ask(2, 'b'))[0] ?? {}));
  });

  it('keeps to the recorded order, if told to', () => {
    const { say } = play([...HELLO, call(1, 'a'), text(1, 'A'), call(2, 'b'), call(3, 'c'), text(3, 'C'), text(2, 'B')], {
      match: 'order',
    });
    const [early] = say(ask(1, 'b'));
    assert.match(String((early?.['error'] as Json)['message']), /goes on with another request \(frame 4, tools\/call "a"\)/);
    assert.deepEqual(texts(say(ask(2, 'a'))), ['A']);
    // these two ran at the same time
    assert.deepEqual(texts([...say(ask(3, 'c')), ...say(ask(4, 'b'))]), ['C', 'B']);
  });

  it('gives progress the token of this time, none to who wants none, and the answer by itself', async () => {
    const progress: Said = ['server', { method: 'notifications/progress', params: { progressToken: 'then', progress: 1, total: 2 } }];
    const { say, said, until } = play([...HELLO, call(1, 'a', {}, { progressToken: 'then' }), progress, text(1, 'done')]);
    // the MCP SDK 1.x drops progress that it reads together with the answer
    const [told, ...rest] = say(ask(7, 'a', {}, { progressToken: 'now' }));
    assert.deepEqual(told?.['params'], { progressToken: 'now', progress: 1, total: 2 });
    assert.deepEqual(rest, []);
    await until(2);
    assert.equal(said[1]?.['id'], 7);
    say(ask(8, 'a'));
    await until(3);
    assert.equal(said[2]?.['id'], 8);
  });

  it('reports what was not answered, or answered differently, without the secrets of whoever asked', () => {
    const question: Said = ['server', { id: 'q', method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } }];
    const answered: Said = ['client', { id: 'q', result: { action: 'accept', content: { name: 'Ada' } } }];
    const told: string[] = [];
    const frames = [...HELLO, call(1, 'a', { x: 1 }), question, answered, text(1, 'done')];
    const { say, rehearsal } = play(frames, { onMiss: (line) => told.push(line) });
    say(hello);
    const [error] = say(ask(7, 'a', { x: 1, password: 'a-live-secret', url: 'postgres://me:a-live-secret@h/x' }));
    const [asked] = say(ask(8, 'a', { x: 1 }));
    say({ id: asked?.['id'], result: { action: 'accept', content: { name: 'Ada', token: 'a-live-secret' } } });
    const report = rehearsal.report();
    assert.deepEqual([report.misses.length, report.answers.length, told.length], [1, 1, 1]);
    assert.match(JSON.stringify(report), /"pointer":"\/arguments\/password","after":"\[redacted:/);
    assert.doesNotMatch(JSON.stringify([report, told, error]), /a-live-secret/);
  });

  it('asks what was asked in the middle of a call, and waits for the answer', () => {
    const question: Said = ['server', { id: 'q', method: 'elicitation/create', params: { message: 'Sure?', requestedSchema: {} } }];
    const answered: Said = ['client', { id: 'q', result: { action: 'accept', content: { sure: true } } }];
    const { say, rehearsal } = play([...HELLO, call(1, 'a'), question, answered, text(1, 'done')]);
    say(hello);
    const [asked, ...more] = say(ask(5, 'a'));
    assert.equal(asked?.['method'], 'elicitation/create');
    assert.deepEqual(more, []);
    assert.deepEqual(texts(say({ id: asked?.['id'], result: { action: 'accept', content: { sure: false } } })), ['done']);
    assert.deepEqual(
      rehearsal.report().answers.map(({ changes }) => changes),
      [[{ pointer: '/content/sure', before: true, after: false }]],
    );
  });

  it('asks a modern client in an answer, and a legacy client what a modern server asked', () => {
    const question: Said = ['server', { id: 'q', method: 'elicitation/create', params: { message: 'Sure?', requestedSchema: {} } }];
    const answered: Said = ['client', { id: 'q', result: { action: 'accept' } }];
    const legacy = play([...HELLO, call(1, 'a'), question, answered, text(1, 'done')]);
    const meta = modern({ elicitation: {} });
    const first = legacy.say(ask(5, 'a', {}, meta))[0]?.['result'] as Json;
    assert.equal(first['resultType'], 'input_required');
    const [[key, asked]] = Object.entries(first['inputRequests'] as Json) as [[string, Json]];
    assert.equal(asked['method'], 'elicitation/create');
    const goOn = {
      name: 'a',
      arguments: {},
      inputResponses: { [key]: { action: 'accept' } },
      requestState: first['requestState'],
      _meta: meta,
    };
    const [done] = legacy.say({ id: 6, method: 'tools/call', params: goOn });
    assert.equal((done?.['result'] as Json)['resultType'], 'complete');
    assert.deepEqual(texts([done ?? {}]), ['done']);
    // whoever cannot be asked is told so
    const refused = play([...HELLO, call(1, 'a'), question, answered, text(1, 'done')]).say(ask(5, 'a', {}, modern()));
    assert.equal((refused[0]?.['error'] as Json)['code'], -32021);

    const inputRequests = { one: { method: 'elicitation/create', params: { message: 'Sure?', requestedSchema: {} } } };
    const rounds: Said[] = [
      call(1, 'a', {}, modern({ elicitation: {} })),
      ['server', { id: 1, result: { resultType: 'input_required', inputRequests, requestState: 's' } }],
      [
        'client',
        {
          id: 2,
          method: 'tools/call',
          params: { name: 'a', arguments: {}, inputResponses: { one: {} }, requestState: 's', _meta: modern() },
        },
      ],
      ['server', { id: 2, result: { resultType: 'complete', content: [{ type: 'text', text: 'done' }] } }],
    ];
    const late = play(rounds);
    assert.equal((late.say(hello)[0]?.['result'] as Json)['protocolVersion'], '2025-06-18');
    const [pushed] = late.say(ask('m', 'a'));
    assert.equal(pushed?.['method'], 'elicitation/create');
    const [last] = late.say({ id: pushed?.['id'], result: { action: 'accept' } });
    assert.deepEqual(last, { jsonrpc: '2.0', id: 'm', result: { content: [{ type: 'text', text: 'done' }] } });
    // and once more in its own era: the state of the first time, then one of its own
    const own = play(rounds);
    for (const [round, expected] of [
      ['s', 's'],
      ['s.replay-1', 's.replay-1'],
    ] as const) {
      const answer = own.say(ask(round, 'a', {}, meta))[0]?.['result'] as Json;
      assert.equal(answer['requestState'], expected);
      const params = { name: 'a', arguments: {}, inputResponses: { one: {} }, requestState: expected, _meta: meta };
      assert.deepEqual(texts(own.say({ id: `${round}2`, method: 'tools/call', params })), ['done']);
    }
  });

  it('says what was said outside of calls where it was said', () => {
    const changed: Said = ['server', { method: 'notifications/tools/list_changed' }];
    const { say } = play([...HELLO, call(1, 'a'), text(1, 'A'), call(2, 'grow'), text(2, 'grown'), changed, call(3, 'a'), text(3, 'A2')]);
    say(hello);
    say({ method: 'notifications/initialized' });
    assert.equal(say(ask(1, 'a')).length, 1);
    assert.deepEqual(
      say(ask(2, 'grow')).map(({ id, method }) => id ?? method),
      [2, 'notifications/tools/list_changed'],
    );
  });

  it('answers what ran at once in the recorded order, and does not wait for ever for what does not come', async () => {
    const frames = [...HELLO, call(1, 'slow'), call(2, 'fast'), text(2, 'fast'), text(1, 'slow')];
    const both = play(frames);
    assert.deepEqual(both.say(ask('s', 'slow')), []);
    assert.deepEqual(
      both.say(ask('f', 'fast')).map(({ id }) => id),
      ['f', 's'],
    );
    const alone = play(frames, { patienceMs: 20 });
    assert.deepEqual(alone.say(ask('s', 'slow')), []);
    await alone.until(1);
    assert.equal(alone.said[0]?.['id'], 's');
  });

  it('is silent about what is cancelled as it was', () => {
    const cancel: Said = ['client', { method: 'notifications/cancelled', params: { requestId: 1 } }];
    const { say } = play([...HELLO, call(1, 'wait'), cancel, call(2, 'a'), text(2, 'A')]);
    assert.deepEqual(say(ask('w', 'wait')), []);
    assert.deepEqual(say({ method: 'notifications/cancelled', params: { requestId: 'w' } }), []);
    assert.deepEqual(texts(say(ask('x', 'a'))), ['A']);
  });

  it('pauses as in the recording when told to', async () => {
    const { say, said, until } = play([...HELLO, call(1, 'a'), ['server', { id: 1, result: {} }, { t: 340 }]], { speed: 0.5 });
    const before = performance.now();
    assert.deepEqual(say(ask(1, 'a')), []);
    await until(1);
    assert.ok(performance.now() - before >= 149, 'half of 300 ms');
    assert.equal(said.length, 1);
  });

  it('tells modern clients what a legacy server announced, on the subscription that wants it', () => {
    const changed: Said = ['server', { method: 'notifications/tools/list_changed' }];
    const { say } = play([...HELLO, call(2, 'grow'), text(2, 'grown'), changed]);
    const _meta = modern();
    const [acknowledged] = say({ id: 'l', method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true }, _meta } });
    assert.equal(acknowledged?.['method'], 'notifications/subscriptions/acknowledged');
    const [, told] = say(ask(1, 'grow', {}, _meta));
    assert.equal(((told?.['params'] as Json)['_meta'] as Json)['io.modelcontextprotocol/subscriptionId'], 'l');
  });

  it('gives a task that is played twice two names and two stories', () => {
    const task = (id: number, status: string): Said => ['server', { id, result: { taskId: 't', status } }];
    const get = (id: number): Said => ['client', { id, method: 'tasks/get', params: { taskId: 't' } }];
    const frames: Said[] = [
      call(1, 'long'),
      ['server', { id: 1, result: { task: { taskId: 't', status: 'working' } } }],
      get(2),
      task(2, 'working'),
      get(3),
      task(3, 'completed'),
    ];
    const { say } = play(frames);
    const story = (): unknown[] => {
      const taskId = (((say(ask('c', 'long'))[0]?.['result'] as Json)['task'] as Json)['taskId'] as string) ?? '';
      return [taskId, ...[1, 2].map((id) => say({ id, method: 'tasks/get', params: { taskId } })[0]?.['result'])];
    };
    assert.deepEqual(story(), ['t', { taskId: 't', status: 'working' }, { taskId: 't', status: 'completed' }]);
    const other = 't.replay-1';
    assert.deepEqual(story(), [other, { taskId: other, status: 'working' }, { taskId: other, status: 'completed' }]);
  });

  it('sends a modern client to the page a legacy server refuses a call for, and takes the call again', () => {
    const data = { elicitations: [{ mode: 'url', message: 'Log in', url: 'https://rail.example/login', elicitationId: 'e' }] };
    const { say } = play([
      ...HELLO,
      call(1, 'a'),
      ['server', { id: 1, error: { code: -32042, message: 'first', data } }],
      call(2, 'a'),
      text(2, 'A'),
    ]);
    const _meta = modern({ elicitation: { url: {} } });
    const asked = say(ask(1, 'a', {}, _meta))[0]?.['result'] as Json;
    assert.deepEqual(asked['inputRequests'], {
      page1: { method: 'elicitation/create', params: { mode: 'url', message: 'Log in', url: 'https://rail.example/login' } },
    });
    const params = {
      name: 'a',
      arguments: {},
      inputResponses: { page1: { action: 'accept' } },
      requestState: asked['requestState'],
      _meta,
    };
    assert.deepEqual(texts(say({ id: 2, method: 'tools/call', params })), ['A']);
  });

  it('refuses a state nobody gave out, and a round nobody recorded', () => {
    const asks: Said = ['server', { id: 1, result: { resultType: 'input_required', inputRequests: {}, requestState: 's' } }];
    const { say, rehearsal } = play([call(1, 'a', {}, modern()), asks]);
    const goOn = (requestState: string): Json | undefined => {
      const params = { name: 'a', arguments: {}, inputResponses: {}, requestState, _meta: modern() };
      return say({ id: requestState, method: 'tools/call', params })[0]?.['error'] as Json | undefined;
    };
    assert.match(String(goOn('made up')?.['message']), /How it went on/);
    say(ask(1, 'a', {}, modern()));
    assert.match(String(goOn('s')?.['message']), /How it went on after the answers to its questions was not recorded \(frame 1\)/);
    assert.equal(rehearsal.report().misses.length, 2);
  });

  it('tells a modern client of a resource that a legacy one had subscribed to', () => {
    const frames: Said[] = [
      ...HELLO,
      ['client', { id: 1, method: 'resources/subscribe', params: { uri: 'a://b' } }],
      ['server', { id: 1, result: {} }],
      ['server', { method: 'notifications/resources/updated', params: { uri: 'a://b' } }],
    ];
    const listen = (uri: string): Json[] =>
      play(frames).say({
        id: 'l',
        method: 'subscriptions/listen',
        params: { notifications: { resourceSubscriptions: [uri] }, _meta: modern() },
      });
    assert.deepEqual(
      listen('a://b').map(({ method }) => method),
      ['notifications/subscriptions/acknowledged', 'notifications/resources/updated'],
    );
    assert.equal(listen('a://c').length, 1);
  });

  it('makes lists nobody asked for from what is known, and says what it cannot know', () => {
    const { say } = play([call(1, 'a'), text(1, 'A')], {}, { edge: 'server', server: 's' });
    const [tools] = say({ id: 1, method: 'tools/list' });
    assert.deepEqual(tools?.['result'], { tools: [{ name: 'a', inputSchema: { type: 'object' } }] });
    assert.deepEqual(say({ id: 2, method: 'prompts/list' })[0]?.['result'], { prompts: [] });
    const [unknown] = say({ id: 3, method: 'prompts/get', params: { name: 'p' } });
    assert.match(String((unknown?.['error'] as Json)['message']), /No prompts\/get was recorded; recorded were: tools\/call/);
  });

  it('says that the recording ends before an answer', () => {
    const { say } = play([...HELLO, call(1, 'a')]);
    assert.match(String((say(ask(1, 'a'))[0]?.['error'] as Json)['message']), /The recording ends before the answer to it \(frame 4\)/);
  });

  it('plays the next recorded client to the next session', () => {
    const one = [...HELLO, call(1, 'count'), text(1, 'one')];
    const lines = [
      ...recorded(one, { c: 'c1', session: 's1' }),
      ...recorded([...HELLO, call(1, 'count'), text(1, 'two')], { c: 'c2', session: 's2' }, 10),
    ];
    const rehearsal = new Rehearsal(readScript(lines));
    const heard = [1, 2, 3].map(() => {
      const said: Json[] = [];
      const session = new ReplaySession(rehearsal, (message) => said.push(message as unknown as Json));
      session.receive({ jsonrpc: '2.0', ...hello } as Message);
      session.receive({ jsonrpc: '2.0', ...ask('x', 'count') } as Message);
      return texts(said.slice(1))[0];
    });
    assert.deepEqual(heard, ['one', 'two', 'one']);
  });

  it('passes over what is no message, and lives through what no server should be asked', () => {
    const broken = [1, 2, 3].map(
      (n): Said => ['client', n === 1 ? { method: 5, id: 1 } : n === 2 ? { id: {}, method: 'tools/call' } : { result: {}, error: {} }],
    );
    const { say } = play([...HELLO, ...broken, call(1, 'a'), text(1, 'A')]);
    let deep: unknown = {};
    for (let depth = 0; depth < 50_000; depth++) deep = { deep };
    assert.ok('error' in (say(ask(1, 'a', { deep }))[0] ?? {}));
    assert.deepEqual(texts(say(ask(2, 'a'))), ['A']);
  });

  it('knows on whose stream a question came', () => {
    const question: Said = ['server', { id: 'q', method: 'elicitation/create', params: { message: 'Sure?' } }, { stream: 1 }];
    const frames = [
      ...HELLO,
      call(1, 'a'),
      call(2, 'b'),
      question,
      text(2, 'B'),
      ['client', { id: 'q', result: {} }],
      text(1, 'A'),
    ] as Said[];
    const { say } = play(frames, {}, { transport: 'http' });
    say(hello);
    say(ask('a', 'a'));
    const heard = say(ask('b', 'b'));
    assert.deepEqual(
      heard.map(({ id, method }) => method ?? id),
      ['elicitation/create', 'b'],
    );
    assert.deepEqual(texts(say({ id: heard[0]?.['id'], result: {} })), ['A']);
  });

  it('reports what nobody asked for', () => {
    const { say, rehearsal } = play([...HELLO, call(1, 'a'), text(1, 'A'), call(2, 'b'), text(2, 'B')]);
    say(ask(1, 'a'));
    assert.deepEqual(rehearsal.report().unplayed, [{ request: 6, method: 'tools/call', target: 'b' }]);
  });
});
