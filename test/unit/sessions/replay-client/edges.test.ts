import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import type { RecordingLine, ReplayReport, ReplayRules } from '../../../../daemon/api/recordings.ts';
import type { Message } from '../../../../daemon/protocol/message.ts';
import { compareRecordings } from '../../../../daemon/sessions/compare/compare-recordings.ts';
import type { LiveListener, OpenLive } from '../../../../daemon/sessions/replay-client/live-link.ts';
import { type ReplayOptions, replayAsClient } from '../../../../daemon/sessions/replay-client/replay.ts';
import { sourceOf } from '../../../fixtures/recorded-session.ts';

type Json = Record<string, unknown>;
interface Live {
  send(message: Json): void;
  readonly listener: LiveListener;
}
/** A server made of one function, so that it can do what no proper one does; what it was sent is kept. */
function serverOf(react: (message: Json, live: Live) => void): {
  readonly open: OpenLive;
  readonly heard: Json[];
  links: number;
  closed: number;
} {
  const server = {
    heard: [] as Json[],
    links: 0,
    closed: 0,
    open: (async (listener) => {
      server.links += 1;
      const live: Live = {
        listener,
        send: (message) => setImmediate(() => listener.message({ jsonrpc: '2.0', ...message } as unknown as Message)),
      };
      return {
        kind: 'stdio',
        send: (message) => {
          server.heard.push(message as unknown as Json);
          setImmediate(() => react(message as unknown as Json, live));
        },
        abandon: () => {},
        agreed: () => {},
        close: async () => {
          server.closed += 1;
        },
      };
    }) satisfies OpenLive,
  };
  return server;
}

/** Lines of one session: `>` from the client, `<` from the server. */
function lines(frames: readonly (readonly ['>' | '<', Json])[], session = 'one', first = 1): readonly RecordingLine[] {
  const c = `c-${session}`;
  return [
    { k: 'open', t: 0, c, edge: 'client', transport: 'bridge', session, client: 'test' },
    ...frames.map(
      ([side, m], index): RecordingLine => ({
        k: 'frame',
        n: first + index,
        t: first + index,
        c,
        d: side === '>' ? 'in' : 'out',
        era: 'legacy',
        bytes: 1,
        m: { jsonrpc: '2.0', ...m },
      }),
    ),
  ];
}
const HELLO = [
  ['>', { id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } }],
  ['<', { id: 0, result: { protocolVersion: '2025-11-25', capabilities: {} } }],
  ['>', { method: 'notifications/initialized' }],
] as const;
const hello = (message: Json, { send }: Live): boolean => {
  if (message['method'] === 'initialize') send({ id: message['id'], result: { protocolVersion: '2025-11-25', capabilities: {} } });
  if (message['method'] === 'tools/list')
    send({ id: message['id'], result: { tools: [{ name: 'read', annotations: { readOnlyHint: true } }] } });
  return message['method'] === 'initialize' || message['method'] === 'tools/list' || message['id'] === undefined;
};
const call = (id: number, args: Json): readonly ['>', Json] => [
  '>',
  { id, method: 'tools/call', params: { name: 'read', arguments: args } },
];
const answer = (id: number, text: string): readonly ['<', Json] => ['<', { id, result: { content: [{ type: 'text', text }] } }];
const text = (id: unknown, value: string): Json => ({ id, result: { content: [{ type: 'text', text: value }] } });

function replay(
  recorded: readonly RecordingLine[],
  open: OpenLive,
  rules: ReplayRules = {},
  more: Partial<ReplayOptions> = {},
): Promise<ReplayReport> {
  const untimed = { ...rules, slower: { floorMs: 1e9 } };
  return replayAsClient({ source: sourceOf(recorded), recording: 'r', against: 'live', open, rules: untimed, timeoutMs: 3000, ...more });
}
const told = ({ differences }: ReplayReport): readonly string[] =>
  differences.map(({ kind, method, target, why = '' }) => `${kind} ${target ?? method}: ${why}`);

test('a recording that began in the middle of a session gets a handshake first', async () => {
  const server = serverOf((message, live) => {
    if (!hello(message, live)) live.send(text(message['id'], 'same'));
  });
  const report = await replay(lines([call(7, {}), answer(7, 'same')]), server.open);
  assert.deepEqual(told(report), []);
  assert.deepEqual(
    server.heard.map(({ method }) => method),
    ['initialize', 'notifications/initialized', 'tools/list', 'tools/call'],
  );
});

test('what redaction took out of a request is not sent; rules can give it back; in answers it equals anything', async () => {
  const secret = '[redacted:0123456789abcdef]';
  const server = serverOf((message, live) => {
    if (!hello(message, live)) live.send(text(message['id'], 'token hunter2 of Ada'));
  });
  const recorded = lines([
    ...HELLO,
    call(1, { key: secret }),
    answer(1, `token ${secret} of Ada`),
    call(2, {}),
    answer(2, `token ${secret} of Ada`),
  ]);
  const report = await replay(recorded, server.open);
  assert.deepEqual(told(report), ['skipped read: Redaction took out what it sends: `values` of the rules can give it back.']);
  assert.ok(!JSON.stringify(server.heard).includes(secret));
  const given = await replay(recorded, server.open, { values: { [secret]: 'hunter2' } });
  assert.deepEqual(told(given), []);
  assert.ok(JSON.stringify(server.heard.at(-2)).includes('hunter2'));
});

test('a server that dies: the rest is missing, and the report comes all the same', async () => {
  const server = serverOf((message, live) => {
    if (hello(message, live)) return;
    const why = { why: 'exit code 7', fix: 'none' };
    live.listener.closed(new SignalboxError('SBX_SERVER_EXITED', 'The server ended.', why));
  });
  const report = await replay(lines([...HELLO, call(1, {}), answer(1, 'a'), call(2, {}), answer(2, 'b')]), server.open);
  assert.deepEqual(told(report), ['missing read: The server ended. exit code 7', 'missing read: The server ended. exit code 7']);
  assert.equal(server.closed, server.links);
});

test('a target that cannot be reached is an error, not a list of differences', async () => {
  const server = serverOf((message, { listener }) => {
    const detail = { why: 'refused', fix: 'Start it.' };
    listener.fault(new SignalboxError('SBX_SERVER_UNREACHABLE', 'Nobody there.', detail), message['id'] as number);
  });
  await assert.rejects(replay(lines(HELLO), server.open), { code: 'SBX_SERVER_UNREACHABLE' });
  assert.equal(server.closed, 1);
  const never: OpenLive = async () => {
    throw new SignalboxError('SBX_SERVER_COMMAND', 'No such command.', { why: 'ENOENT', fix: 'Give another.' });
  };
  await assert.rejects(replay(lines(HELLO), never), { code: 'SBX_SERVER_COMMAND' });
});

test('questions nobody recorded are declined and reported; recorded ones that do not come are missing', async () => {
  const ask = { method: 'elicitation/create', params: { message: 'Delete?' } };
  const server = serverOf((message, live) => {
    if (message['method'] === undefined) live.send(text(1, `got ${JSON.stringify(message['result'])}`));
    else if (!hello(message, live)) live.send({ id: 'q', ...ask });
  });
  const report = await replay(lines([...HELLO, call(1, {}), answer(1, 'plain')]), server.open);
  assert.deepEqual(
    report.differences.map(({ kind, method }) => `${kind} ${method}`),
    ['changed tools/call', 'extra elicitation/create'],
  );
  assert.ok(JSON.stringify(report.differences).includes('cancel'));
  const silent = serverOf((message, live) => {
    if (!hello(message, live)) live.send(text(message['id'], 'done'));
  });
  const recorded = lines([
    ...HELLO,
    call(1, {}),
    ['<', { id: 'q', ...ask }],
    ['>', { id: 'q', result: { action: 'accept' } }],
    answer(1, 'done'),
  ]);
  assert.deepEqual(told(await replay(recorded, silent.open)), ['missing elicitation/create: The server did not ask this.']);
});

test('two questions at once that come the other way round get their own answers', async () => {
  const ask = (about: string): Json => ({ method: 'elicitation/create', params: { message: about } });
  const waiting = new Map<unknown, unknown>();
  let later: (() => void) | undefined;
  const server = serverOf((message, live) => {
    if (message['method'] === undefined) live.send(text(waiting.get(message['id']), String((message['result'] as Json)['said'])));
    else if (!hello(message, live)) {
      const { arguments: args } = message['params'] as { arguments: { about: string } };
      waiting.set(`live-${args.about}`, message['id']);
      const question = (): void => live.send({ id: `live-${args.about}`, ...ask(args.about) });
      if (later === undefined) later = question;
      else {
        question();
        later();
      }
    }
  });
  const recorded = lines([
    ...HELLO,
    call(1, { about: 'one' }),
    call(2, { about: 'two' }),
    ['<', { id: 'a', ...ask('one') }],
    ['>', { id: 'a', result: { action: 'accept', said: 'first' } }],
    ['<', { id: 'b', ...ask('two') }],
    ['>', { id: 'b', result: { action: 'accept', said: 'second' } }],
    answer(1, 'first'),
    answer(2, 'second'),
  ]);
  assert.deepEqual(told(await replay(recorded, server.open)), []);
});

test('a client that asked again after it was told of a change is told first', async () => {
  let grown = false;
  const server = serverOf((message, live) => {
    if (message['method'] === 'tools/call') {
      live.send(text(message['id'], 'grows'));
      setTimeout(() => {
        grown = true;
        live.send({ method: 'notifications/tools/list_changed' });
      }, 150);
    } else if (message['method'] === 'resources/list')
      live.send({ id: message['id'], result: { resources: grown ? [{ uri: 'x://new' }] : [] } });
    else hello(message, live);
  });
  const recorded = lines([
    ...HELLO,
    call(1, {}),
    answer(1, 'grows'),
    ['<', { method: 'notifications/tools/list_changed' }],
    ['>', { id: 2, method: 'resources/list' }],
    ['<', { id: 2, result: { resources: [{ uri: 'x://new' }] } }],
  ]);
  assert.deepEqual(told(await replay(recorded, server.open)), []);
});

test('notifications that belong to no request count where a rule says so', async () => {
  const log = (data: string): Json => ({ method: 'notifications/message', params: { level: 'info', data } });
  const server = serverOf((message, live) => {
    if (hello(message, live)) return;
    for (const data of ['b', 'changed', 'new']) live.send(log(data));
    live.send(text(message['id'], 'done'));
  });
  const recorded = lines([...HELLO, call(1, {}), ['<', log('a')], ['<', log('b')], answer(1, 'done')]);
  assert.deepEqual(told(await replay(recorded, server.open)), []);
  const all = await replay(recorded, server.open, { notifications: 'all' });
  assert.deepEqual(
    all.differences.map(({ kind, changes }) => [kind, ...changes.map(({ pointer }) => pointer)]),
    [['changed', '/params/data'], ['extra']],
  );
});

test('log lines of a call recorded at a pipe are found again on the stream of HTTP', async () => {
  const log = (data: string): Json => ({ method: 'notifications/message', params: { level: 'info', data } });
  const server =
    (data: string): OpenLive =>
    async (listener) => ({
      kind: 'http',
      send: (message) => {
        const request = message as unknown as Json;
        const related = request['id'] as number;
        const live: Live = {
          listener,
          send: (said) => setImmediate(() => listener.message({ jsonrpc: '2.0', ...said } as unknown as Message, related)),
        };
        if (hello(request, live)) return;
        live.send(log(data));
        live.send(text(related, 'done'));
      },
      abandon: () => {},
      agreed: () => {},
      close: async () => {},
    });
  const plain = lines([...HELLO, call(1, {}), ['<', log('here')], answer(1, 'done')]);
  const traced = plain.map((line) => (line.k === 'frame' && line.n >= 4 ? { ...line, call: 4 } : line));
  assert.deepEqual(told(await replay(traced, server('here'))), []);
  const other = await replay(traced, server('there'));
  assert.deepEqual(
    other.differences.map(({ changes }) => changes.map(({ pointer }) => pointer)),
    [['/notifications/0/params/data']],
  );
  assert.deepEqual(told(await replay(plain, server('there'))), [], 'whose a line was is not known');
});

test('what was asked after an answer waits for it, what was asked at once does not', async () => {
  const order: string[] = [];
  const held: (() => void)[] = [];
  const server = serverOf((message, live) => {
    if (hello(message, live)) return;
    const { who } = (message['params'] as { arguments: { who: string } }).arguments;
    order.push(`asked ${who}`);
    const give = (): void => {
      order.push(`answered ${who}`);
      live.send(text(message['id'], who));
    };
    if (who === 'a') held.push(give);
    else if (who === 'b') {
      // The first gets its answer when the second has come, and late: whoever waits for one before sending the other waits for ever.
      for (const first of held) setTimeout(first, 50);
      give();
    } else give();
  });
  const recorded = lines([
    ...HELLO,
    call(1, { who: 'a' }),
    call(2, { who: 'b' }),
    answer(2, 'b'),
    answer(1, 'a'),
    call(3, { who: 'c' }),
    answer(3, 'c'),
  ]);
  assert.deepEqual(told(await replay(recorded, server.open)), []);
  assert.deepEqual(order, ['asked a', 'asked b', 'answered b', 'answered a', 'asked c', 'answered c']);
});

test('a request is taken back after as much progress as it was, and over modern HTTP by closing its stream', async () => {
  const abandoned: unknown[] = [];
  const progress = (count: number): Json => ({ method: 'notifications/progress', params: { progressToken: 'p', progress: count } });
  const recorded = (meta: Json): readonly RecordingLine[] =>
    lines([
      ...HELLO,
      ['>', { id: 1, method: 'tools/call', params: { name: 'read', _meta: { progressToken: 'p', ...meta } } }],
      ['<', progress(1)],
      ['<', progress(2)],
      ['>', { method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } }],
      ['>', { id: 2, method: 'ping' }],
      ['<', { id: 2, result: {} }],
    ]);
  const seen: string[] = [];
  const server =
    (kind: 'stdio' | 'http'): OpenLive =>
    async (listener) => ({
      kind,
      send: (message) => {
        const request = message as unknown as Json;
        const live: Live = {
          listener,
          send: (said) => setImmediate(() => listener.message({ jsonrpc: '2.0', ...said } as unknown as Message)),
        };
        if (request['method'] === 'notifications/cancelled') seen.push(`cancelled ${(request['params'] as Json)['requestId']}`);
        else if (request['method'] === 'ping') live.send({ id: request['id'], result: {} });
        else if (!hello(request, live))
          for (const count of [1, 2])
            setTimeout(() => {
              seen.push(`progress ${count}`);
              live.send(progress(count));
            }, count * 40);
      },
      abandon: (id) => void abandoned.push(id),
      agreed: () => {},
      close: async () => {},
    });
  assert.deepEqual(told(await replay(recorded({}), server('stdio'))), []);
  assert.deepEqual(seen, ['progress 1', 'progress 2', 'cancelled 1']);
  const modern = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
  assert.deepEqual(told(await replay(recorded(modern), server('http'))), []);
  assert.deepEqual([abandoned.includes(1), seen.slice(3)], [true, ['progress 1', 'progress 2']]);

  // At the client's edge of modern HTTP there is no notification: the tap tells that the stream was closed.
  abandoned.length = 0;
  const closed = recorded(modern).map((line): RecordingLine => {
    if (line.k !== 'frame') return line;
    return line.n === 7
      ? { k: 'fault', t: 7, c: line.c, call: 4, why: 'The client closed the stream: the request is cancelled.' }
      : { ...line, call: line.n < 7 ? 4 : 8 };
  });
  assert.deepEqual(told(await replay(closed, server('http'))), []);
  assert.ok(abandoned.includes(1));
  const compared = await compareRecordings({ before: sourceOf(closed), after: sourceOf(closed), names: ['a', 'a'] });
  assert.deepEqual(compared.differences, []);
});

test('a task that had ended is asked for until it has; how far it was before does not count', async () => {
  let looked = 0;
  const server = serverOf((message, live) => {
    const { method, id } = message;
    if (method === 'tools/call') live.send({ id, result: { task: { taskId: 'live-77aa55ee', status: 'working' } } });
    else if (method === 'tasks/get') {
      looked += 1;
      assert.equal((message['params'] as Json)['taskId'], 'live-77aa55ee');
      live.send({ id, result: { taskId: 'live-77aa55ee', status: looked < 4 ? 'working' : 'completed' } });
    } else hello(message, live);
  });
  const get = (id: number, status: string): readonly (readonly ['>' | '<', Json])[] => [
    ['>', { id, method: 'tasks/get', params: { taskId: 'old-11bb22cc' } }],
    ['<', { id, result: { taskId: 'old-11bb22cc', status } }],
  ];
  const recorded = lines([
    ...HELLO,
    call(1, {}),
    ['<', { id: 1, result: { task: { taskId: 'old-11bb22cc', status: 'working' } } }],
    ...get(2, 'working'),
    ...get(3, 'completed'),
  ]);
  assert.deepEqual(told(await replay(recorded, server.open)), []);
  assert.equal(looked, 4);
});

test('what goes on with a call that was not sent is not sent either', async () => {
  const server = serverOf((message, live) => {
    hello(message, live);
  });
  const recorded = lines([
    ...HELLO,
    ['>', { id: 1, method: 'tools/call', params: { name: 'write', arguments: {} } }],
    ['<', { id: 1, result: { task: { taskId: 'old-11bb22cc', status: 'working' } } }],
    ['>', { id: 2, method: 'tasks/get', params: { taskId: 'old-11bb22cc' } }],
    ['<', { id: 2, result: { taskId: 'old-11bb22cc', status: 'completed' } }],
    ['>', { method: 'notifications/cancelled', params: { requestId: 1 } }],
  ]);
  assert.deepEqual(
    (await replay(recorded, server.open)).differences.map(({ kind, method }) => `${kind} ${method}`),
    ['skipped tools/call', 'skipped tasks/get'],
  );
  assert.ok(!JSON.stringify(server.heard).includes('old-11bb22cc'));
  assert.ok(!server.heard.some(({ method }) => method === 'notifications/cancelled'));
});

test('sessions have connections of their own, also where they use the same ids', async () => {
  const server = serverOf((message, live) => {
    if (!hello(message, live)) live.send(text(message['id'], `of ${JSON.stringify((message['params'] as Json)['arguments'])}`));
  });
  const one = lines([...HELLO, call(1, { who: 'one' }), answer(1, 'of {"who":"one"}')], 'one');
  const two = lines([...HELLO, call(1, { who: 'two' }), answer(1, 'of {"who":"two"}')], 'two', 100);
  const report = await replay([...one.slice(0, 5), ...two.slice(0, 5), ...one.slice(5), ...two.slice(5)], server.open);
  assert.deepEqual(told(report), []);
  assert.equal(server.links, 2);
  assert.equal(server.closed, 2);
});

test('clients that are one session may use one id at once: the call tells which is meant', async () => {
  const server = serverOf((message, live) => {
    if (!hello(message, live)) live.send(text(message['id'], `of ${JSON.stringify((message['params'] as Json)['arguments'])}`));
  });
  const recorded = lines([
    ...HELLO,
    call(1, { who: 'one' }),
    call(1, { who: 'two' }),
    answer(1, 'of {"who":"two"}'),
    answer(1, 'of {"who":"one"}'),
  ]).map((line) => (line.k !== 'frame' || line.n < 4 ? line : { ...line, call: [4, 5, 5, 4][line.n - 4] ?? 0 }));
  const report = await replay(recorded, server.open);
  assert.deepEqual(told(report), []);
  assert.equal(report.equal, 3);
  const compared = await compareRecordings({ before: sourceOf(recorded), after: sourceOf(recorded), names: ['a', 'a'] });
  assert.deepEqual([compared.equal, compared.differences], [3, []]);
});

test('one that asked for it and has gone stops it', async () => {
  const server = serverOf((message, live) => void hello(message, live));
  const stopped = AbortSignal.abort();
  await assert.rejects(replay(lines(HELLO), server.open, {}, { signal: stopped }), { code: 'SBX_CALL_INTERRUPTED' });

  // Also while it waits for an answer that never comes.
  const leaving = new AbortController();
  const open: OpenLive = async (listener) => ({
    kind: 'stdio',
    send: (message) => {
      const live: Live = {
        listener,
        send: (said) => setImmediate(() => listener.message({ jsonrpc: '2.0', ...said } as unknown as Message)),
      };
      if (!hello(message as unknown as Json, live)) leaving.abort();
    },
    abandon: () => {},
    agreed: () => {},
    close: async () => listener.closed(new SignalboxError('SBX_SERVER_EXITED', 'Closed.', { why: 'closed', fix: 'none' })),
  });
  const waiting = replay(lines([...HELLO, call(1, {}), answer(1, 'never')]), open, {}, { signal: leaving.signal, timeoutMs: 1e8 });
  await assert.rejects(waiting, { code: 'SBX_CALL_INTERRUPTED' });
});

test('a recording without anything to play says so', async () => {
  const server = serverOf(() => {});
  await assert.rejects(replay(lines([]), server.open), { code: 'SBX_REPLAY_NOTHING' });
  await assert.rejects(replay(lines(HELLO), server.open, {}, { server: 'nobody' }), { code: 'SBX_REPLAY_NOTHING' });
  assert.equal(server.links, 0);
});
