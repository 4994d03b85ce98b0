import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PatternServer } from '../../../daemon/api/config.ts';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { patternLink } from '../../../daemon/patterns/pattern-link.ts';
import type { PatternPeer } from '../../../daemon/patterns/step.ts';
import { META, MODERN_VERSION } from '../../../daemon/protocol/eras.ts';
import {
  isObject,
  type JsonObject,
  type Message,
  type Notification,
  type Outcome,
  type RequestId,
} from '../../../daemon/protocol/message.ts';

type Answer = (args: JsonObject, options: Parameters<PatternPeer['request']>[2], params: JsonObject) => Outcome | Promise<Outcome>;
interface Pattern {
  /** `server tool` of each call, in order. */
  readonly calls: string[];
  readonly notifications: Notification[];
  request(method: string, params?: JsonObject, id?: RequestId): Promise<Outcome>;
  call(name: string, args?: JsonObject, meta?: JsonObject): Promise<JsonObject>;
  notify(method: string, params: JsonObject): void;
  close(): Promise<void>;
}

const text = (value: string): JsonObject => ({ content: [{ type: 'text', text: value }] });
const schema = { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] };
const about = { description: 'd', inputSchema: schema };

/** A pattern server, its steps answered by functions named `server tool`. */
async function pattern(entry: PatternServer, answers: Readonly<Record<string, Answer>>): Promise<Pattern> {
  const waiting = new Map<RequestId, (outcome: Outcome) => void>();
  const notifications: Notification[] = [];
  const calls: string[] = [];
  const lookup = (server: string): PatternPeer => ({
    request: async (method, params, options) => {
      assert.equal(method, 'tools/call');
      const key = `${server} ${String(params['name'])}`;
      calls.push(key);
      const answer = answers[key];
      assert.ok(answer, `nobody answers ${key}`);
      return answer(isObject(params['arguments']) ? params['arguments'] : {}, options, params);
    },
  });
  const link = await patternLink(
    { name: 'p', alias: 'p', digest: '', hidden: [], entry },
    lookup,
  )({
    message(message: Message) {
      if ('method' in message) notifications.push(message as Notification);
      else if (message.id !== null) waiting.get(message.id)?.('error' in message ? { error: message.error } : { result: message.result });
    },
    fault: (error) => assert.fail(error.message),
    closed: () => {},
  });
  let next = 0;
  const request: Pattern['request'] = (method, params, id = `r${next++}`) =>
    new Promise((resolve) => {
      waiting.set(id, resolve);
      link.send({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
    });
  return {
    calls,
    notifications,
    request,
    async call(name, args = { q: 'x' }, meta) {
      const outcome = await request('tools/call', { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) });
      assert.ok('result' in outcome, JSON.stringify(outcome));
      return outcome.result;
    },
    notify: (method, params) => link.send({ jsonrpc: '2.0', method, params }),
    close: () => link.close(),
  };
}

const shape = (result: JsonObject): JsonObject => (result['_meta'] as JsonObject)['dev.signalbox/error'] as JsonObject;
const steps = (result: JsonObject): unknown =>
  ((result['_meta'] as JsonObject)['dev.signalbox/steps'] as JsonObject[]).map(({ state }) => state);

const twoSteps: PatternServer = {
  chain: {
    owner: {
      ...about,
      title: 'Owner',
      annotations: { readOnlyHint: true },
      outputSchema: { type: 'object' },
      steps: [
        { server: 'a', tool: 'find', arguments: { name: { $from: '/input/q' }, limit: 1 } },
        { server: 'b', tool: 'read', arguments: { id: { $from: '/steps/0/json/id' } } },
      ],
    },
  },
  aggregate: {
    both: {
      ...about,
      calls: [
        { server: 'a', tool: 'find', arguments: { name: { $from: '/input/q' } } },
        { server: 'b', tool: 'read' },
        { server: 'b', tool: 'list' },
      ],
    },
  },
};

test('it shakes hands and lists its tools in both eras', async () => {
  const { request } = await pattern(twoSteps, {});
  const legacy = await request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } });
  assert.deepEqual(legacy, {
    result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'p', version: '1' } },
  });
  const listed = await request('tools/list');
  assert.ok('result' in listed);
  assert.deepEqual(listed.result, {
    tools: [
      { name: 'owner', title: 'Owner', ...about, outputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
      { name: 'both', ...about },
    ],
  });
  const meta = { [META.version]: MODERN_VERSION, [META.clientInfo]: {}, [META.clientCapabilities]: {} };
  const discovered = await request('server/discover', { _meta: meta });
  assert.ok('result' in discovered);
  assert.deepEqual(discovered.result['supportedVersions'], [MODERN_VERSION]);
  assert.equal(discovered.result['resultType'], 'complete');
  assert.deepEqual(discovered.result['_meta'], { [META.serverInfo]: { name: 'p', version: '1' } });
  const modern = await request('tools/list', { _meta: meta });
  assert.ok('result' in modern);
  assert.equal(modern.result['ttlMs'], 0);
  assert.deepEqual(await request('ping'), { result: {} });
  const unknown = await request('prompts/list');
  assert.ok('error' in unknown && unknown.error.code === -32601);
  const none = await request('tools/call', { name: 'toString' });
  assert.ok('error' in none && none.error.code === -32602);
});

test('a chain: the output of a step, structured or text, is the input of the next; the last result is the answer as it is', async () => {
  const seen: JsonObject[] = [];
  const answer = { ...text('the owner'), structuredContent: { name: 'Ada' }, 'x-kept': [1], _meta: { 'x.example/m': 1 } };
  const run = (first: Outcome): Promise<Pattern> =>
    pattern(twoSteps, {
      'a find': (args) => {
        seen.push(args);
        return first;
      },
      'b read': (args) => {
        seen.push(args);
        return { result: { ...answer, resultType: 'complete' } };
      },
    });
  const structured = await run({ result: { ...text('no json'), structuredContent: { id: 7 } } });
  assert.deepEqual(await structured.call('owner'), answer, 'a legacy caller gets no modern field');
  const asText = await run({ result: text('{"id": 8}') });
  const modern = await asText.call('owner', { q: 'x' }, { [META.version]: MODERN_VERSION });
  assert.equal(modern['resultType'], 'complete');
  assert.equal((modern['_meta'] as JsonObject)['x.example/m'], 1);
  assert.deepEqual(seen, [{ name: 'x', limit: 1 }, { id: 7 }, { name: 'x', limit: 1 }, { id: 8 }]);
});

test('a result template gives structuredContent and the same as text', async () => {
  const entry = (result: unknown): PatternServer => ({ chain: { c: { ...about, steps: [{ server: 'a', tool: 't' }], result } } });
  const answers = { 'a t': () => ({ result: { ...text('ignored'), structuredContent: { id: 7 } } }) };
  const given = await (await pattern(entry({ id: { $from: '/steps/0/json/id' }, asked: { $from: '/input/q' } }), answers)).call('c');
  assert.deepEqual(given['structuredContent'], { id: 7, asked: 'x' });
  assert.deepEqual(given['content'], [{ type: 'text', text: '{"id":7,"asked":"x"}' }]);
  assert.deepEqual(await (await pattern(entry({ $from: '/input/q' }), answers)).call('c'), text('x'));
  const wrong = await (await pattern(entry({ $from: '/steps/0/json/nope' }), answers)).call('c');
  assert.equal(wrong['isError'], true);
  assert.match(String(shape(wrong)['cause']), /"\/steps\/0\/json\/nope"/);
  assert.deepEqual(steps(wrong), ['done']);
});

test('a step that fails ends the chain; what has run is said', async () => {
  const find: Answer = () => ({ result: { ...text('found'), structuredContent: { id: 7 } } });
  const chain = (first: Answer, second: Answer = () => assert.fail('not to be called')): Promise<Pattern> =>
    pattern(twoSteps, { 'a find': first, 'b read': second });

  const isError = await (await chain(find, () => ({ result: { ...text('no such id'), isError: true } }))).call('owner');
  assert.equal(isError['isError'], true);
  assert.equal(shape(isError)['code'], 'SBX_PATTERN');
  assert.equal(shape(isError)['message'], 'Step 2 of 2 (`b`: `read`) of the tool `owner` failed.');
  assert.match(String(shape(isError)['cause']), /no such id.*step 1 has run \(`a`: `find`\); nothing of that was undone/);
  assert.deepEqual((isError['content'] as unknown[]).at(-1), { type: 'text', text: 'no such id' }, "the tool's own words are there");
  assert.deepEqual(steps(isError), ['done', 'failed']);

  const first = await chain(() => ({ error: { code: -32601, message: 'gone' } }));
  const refused = await first.call('owner');
  assert.match(String(shape(refused)['cause']), /-32601: gone No step has run before it. The step after it was not run./);
  assert.deepEqual(steps(refused), ['failed', 'not-run']);
  assert.deepEqual(first.calls, ['a find']);

  const down = await (
    await chain(() => Promise.reject(new SignalboxError('SBX_CIRCUIT_OPEN', 'Down.', { why: 'It failed.', fix: 'Wait a minute.' })))
  ).call('owner');
  assert.match(String(shape(down)['cause']), /Down. It failed. \(SBX_CIRCUIT_OPEN\)/);
  assert.equal(shape(down)['fix'], 'Wait a minute.');

  const nothing = await (await chain(() => ({ result: text('not json') }))).call('owner');
  assert.match(String(shape(nothing)['message']), /^Step 2 of 2/);
  assert.match(String(shape(nothing)['cause']), /The pointer "\/steps\/0\/json\/id" finds nothing/);

  const asks = await (await chain(() => ({ result: { resultType: 'input_required', inputRequests: {} } }))).call('owner');
  assert.equal(shape(asks)['code'], 'SBX_QUESTION_UNSUPPORTED');
});

test('arguments that do not fit the schema run no step', async () => {
  const { call, calls } = await pattern(twoSteps, {});
  const wrong = await call('owner', { q: 7 });
  assert.equal(wrong['isError'], true);
  assert.match(String(shape(wrong)['message']), /no step has run/);
  assert.match(String(shape(wrong)['cause']), /string/);
  assert.equal((await call('both', {}))['isError'], true);
  assert.deepEqual(calls, []);
  const broken = await pattern(
    { chain: { c: { ...about, inputSchema: { type: 'object', properties: { q: { type: 'no such' } } }, steps: [] } } },
    {},
  );
  assert.match(String(shape(await broken.call('c'))['cause']), /inputSchema in the configuration cannot be used/);
});

test('an aggregate calls all at once, in the order of the configuration answers with all, and says what failed', async () => {
  let started = 0;
  const gate = Promise.withResolvers<void>();
  const together: Answer = async () => {
    started += 1;
    if (started === 3) gate.resolve();
    await gate.promise;
    return { result: { ...text('fine'), structuredContent: { n: 1 } } };
  };
  const failing: Answer = async () => {
    started += 1;
    if (started === 3) gate.resolve();
    await gate.promise;
    return { result: { ...text('broken'), isError: true } };
  };
  const { call } = await pattern(twoSteps, { 'a find': together, 'b read': failing, 'b list': together });
  const result = await call('both');
  assert.equal(result['isError'], undefined);
  const { results, errors } = result['structuredContent'] as { results: JsonObject; errors: JsonObject };
  assert.deepEqual(results, { a: { n: 1 }, 'b#2': { n: 1 } });
  assert.deepEqual(Object.keys(errors), ['b']);
  assert.match(String(errors['b']), /broken/);
  const heads = (result['content'] as JsonObject[]).map(({ text: said }) => String(said).split('\n')[0]);
  assert.deepEqual(heads, ['## a: find', 'fine', '## b: read', 'broken', '## b#2: list', 'fine']);

  const bad: Answer = () => ({ error: { code: -32603, message: 'no' } });
  const all = await (await pattern(twoSteps, { 'a find': bad, 'b read': bad, 'b list': bad })).call('both');
  assert.equal(all['isError'], true);
  assert.deepEqual(Object.keys((all['structuredContent'] as { errors: object }).errors), ['a', 'b', 'b#2']);
});

test('progress: a step is one unit, its own progress a part of it; it always rises', async () => {
  const reporting: Answer = (_args, { onProgress }) => {
    onProgress({ progress: 1, total: 4, message: 'a quarter' });
    onProgress({ progress: 1 });
    onProgress({ progress: 1 });
    onProgress({ progress: 4, total: 4 });
    return { result: { ...text(''), structuredContent: { id: 1 } } };
  };
  const { call, notifications } = await pattern(twoSteps, { 'a find': reporting, 'b read': reporting, 'b list': reporting });
  await call('owner', { q: 'x' }, { progressToken: 'tok' });
  const sent = notifications.map(({ params }) => params ?? {});
  assert.ok(sent.every(({ progressToken, total }) => progressToken === 'tok' && total === 2));
  const values = sent.map(({ progress }) => Number(progress));
  assert.ok(
    values.every((value, index) => value > (values[index - 1] ?? 0) && value <= 2),
    values.join(),
  );
  assert.equal(values[0], 0.25);
  assert.equal(sent[0]?.['message'], 'a quarter');
  assert.ok(values.includes(1) && values.includes(1.25));
  assert.equal(values.at(-1), 2);
  notifications.length = 0;
  await call('both', { q: 'x' }, { progressToken: 5 });
  assert.equal(notifications.at(-1)?.params?.['progress'], 3);
  notifications.length = 0;
  await call('owner');
  assert.deepEqual(notifications, [], 'nobody asked for it');
});

test('steps get the rest of `_meta` and the era, neither envelope nor token', async () => {
  const metas: unknown[] = [];
  const note: Answer = (_args, { era }, { _meta }) => {
    metas.push(_meta, era);
    return { result: { ...text(''), structuredContent: { id: 1 } } };
  };
  const { call } = await pattern(twoSteps, { 'a find': note, 'b read': note });
  await call(
    'owner',
    { q: 'x' },
    { [META.version]: MODERN_VERSION, [META.clientInfo]: {}, progressToken: 1, traceparent: 't', 'dev.signalbox/hops': ['h'] },
  );
  const kept = { traceparent: 't', 'dev.signalbox/hops': ['h'] };
  assert.deepEqual(metas, [kept, 'modern', kept, 'modern']);
  metas.length = 0;
  await call('owner');
  assert.deepEqual(metas, [undefined, 'legacy', undefined, 'legacy']);
});

test('a cancelled call is not answered; its running steps are cancelled and none begins', async () => {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const waiting: Answer = (_args, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended.resolve();
        reject(signal.reason as Error);
      });
      begun.resolve();
    });
  const server = await pattern(twoSteps, { 'a find': waiting });
  let answered = false;
  void server.request('tools/call', { name: 'owner', arguments: { q: 'x' } }, 'mine').then(() => {
    answered = true;
  });
  await begun.promise;
  server.notify('notifications/cancelled', { requestId: 'mine' });
  await ended.promise;
  await server.request('ping');
  assert.equal(answered, false);
  assert.deepEqual(server.calls, ['a find']);
  await server.close();
});
