/** A recording on the wire: Streamable HTTP in both eras, standard streams with their exit codes, and faults down to the bytes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { FaultRule } from '../../daemon/api/faults.ts';
import type { RecordingHeader, RecordingLine } from '../../daemon/api/recordings.ts';
import { COMMANDS } from '../../daemon/cli/commands.ts';
import { runProgram } from '../../daemon/cli/program.ts';
import { type ReplayListener, serveReplay } from '../../daemon/endpoints/replay-listener.ts';
import { judge } from '../../daemon/sessions/faults/faults.ts';
import { ActiveRule } from '../../daemon/sessions/faults/rule.ts';
import { Rehearsal } from '../../daemon/sessions/replay-server/rehearsal.ts';
import { readScript } from '../../daemon/sessions/replay-server/script.ts';
import { type Home, makeHome } from '../fixtures/daemon.ts';
import { call, HELLO, modern, recorded, type Said, text } from '../unit/sessions/replay-server/lines.ts';
import { eventsOf, modernHeaders } from './transcript.ts';

type Json = Record<string, unknown>;

const QUESTION: Said = ['server', { id: 'q', method: 'elicitation/create', params: { message: 'Sure?', requestedSchema: {} } }];
const ANSWER: Said = ['client', { id: 'q', result: { action: 'accept' } }];
const CHANGED: Said = ['server', { method: 'notifications/tools/list_changed' }];
const LINES = recorded([
  ...HELLO,
  call(1, 'a', { x: 1 }, { progressToken: 1 }),
  ['server', { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }],
  text(1, 'A'),
  call(2, 'ask'),
  QUESTION,
  ANSWER,
  text(2, 'asked'),
  call(3, 'grow'),
  text(3, 'grown'),
  CHANGED,
  call(4, 'wait'),
  ['client', { method: 'notifications/cancelled', params: { requestId: 4 } }],
]);
const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** A replay over HTTP and how it is spoken to. */
async function served(rules: readonly FaultRule[] = []) {
  const rehearsal = new Rehearsal(readScript(LINES));
  const faults =
    rules.length === 0
      ? {}
      : {
          faults: judge(
            '',
            rules.map((rule) => new ActiveRule(rule)),
          ),
        };
  const listener: ReplayListener = await serveReplay({ rehearsal, port: 0, path: '/mcp', ...faults });
  const post = (message: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(listener.url, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...(signal && { signal }),
    });
  const ask = (name: string, headers: Record<string, string>, args: object = {}, signal?: AbortSignal): Promise<Response> =>
    post({ id: 'now', method: 'tools/call', params: { name, arguments: args } }, headers, signal);
  const askModern = (name: string, args: object = {}, signal?: AbortSignal): Promise<Response> =>
    post(
      { id: 'now', method: 'tools/call', params: { name, arguments: args, _meta: modern({ elicitation: {} }) } },
      modernHeaders('tools/call', name),
      signal,
    );
  const session = async (): Promise<Record<string, string>> => {
    const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo: { name: 'now', version: '1' } };
    const opened = await post({ id: 0, method: 'initialize', params });
    await opened.text();
    const headers = { 'mcp-session-id': String(opened.headers.get('mcp-session-id')), 'mcp-protocol-version': '2025-11-25' };
    assert.equal((await post({ method: 'notifications/initialized' }, headers)).status, 202);
    return headers;
  };
  return { listener, rehearsal, post, ask, askModern, session };
}

async function messages(response: Response): Promise<Json[]> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return [(await response.json()) as Json];
  const found: Json[] = [];
  for await (const message of eventsOf(response)) found.push(message);
  return found;
}
const textIn = (message: Json | undefined): unknown => ((message?.['result'] as Json)['content'] as { text: string }[])[0]?.text;

describe('a recording over HTTP', () => {
  it('has sessions for legacy clients: asks on the stream of the call, tells on the standing one', async () => {
    const { listener, post, ask, session } = await served();
    try {
      const headers = await session();
      const standing = await fetch(listener.url, { headers: { ...headers, accept: 'text/event-stream' } });
      const told = eventsOf(standing)[Symbol.asyncIterator]();
      assert.equal(textIn((await messages(await ask('a', headers, { x: 1 }))).at(-1)), 'A');
      const stream = eventsOf(await ask('ask', headers))[Symbol.asyncIterator]();
      const question = (await stream.next()).value as Json;
      assert.equal(question['method'], 'elicitation/create');
      assert.equal((await post({ id: question['id'], result: { action: 'accept' } }, headers)).status, 202);
      assert.equal(textIn((await stream.next()).value as Json), 'asked');
      assert.equal(textIn((await messages(await ask('grow', headers)))[0]), 'grown');
      assert.equal(((await told.next()).value as Json)['method'], 'notifications/tools/list_changed');
      assert.equal((await fetch(listener.url, { method: 'DELETE', headers })).status, 204);
      assert.equal((await ask('a', headers, { x: 1 })).status, 404);
      assert.equal((await ask('a', {}, { x: 1 })).status, 400);
      assert.equal((await ask('a', { ...headers, 'mcp-protocol-version': '1999-01-01' })).status, 404);
    } finally {
      await listener.close();
    }
  });

  it('has none for modern clients: progress on the stream, questions in the answer, a closed stream is a cancel', async () => {
    const { listener, post, askModern, rehearsal } = await served();
    try {
      assert.equal(textIn((await messages(await askModern('a', { x: 1 })))[0]), 'A');
      const [asked] = await messages(await askModern('ask'));
      const { resultType, inputRequests, requestState } = asked?.['result'] as Json;
      assert.equal(resultType, 'input_required');
      const inputResponses = Object.fromEntries(Object.keys(inputRequests as Json).map((key) => [key, { action: 'accept' }]));
      const params = { name: 'ask', arguments: {}, inputResponses, requestState, _meta: modern({ elicitation: {} }) };
      const done = await post({ id: 2, method: 'tools/call', params }, modernHeaders('tools/call', 'ask'));
      assert.equal(textIn((await messages(done))[0]), 'asked');
      const leave = new AbortController();
      const waiting = askModern('wait', {}, leave.signal);
      leave.abort();
      await assert.rejects(waiting);
      assert.equal(
        (await post({ id: 3, method: 'tools/list', params: { _meta: modern() } }, { ...modernHeaders('tools/list'), 'mcp-method': 'x' }))
          .status,
        400,
      );
      assert.deepEqual(rehearsal.report().misses, []);
    } finally {
      await listener.close();
    }
  });
});

describe('modern clients over HTTP', () => {
  it('begin a story of their own with server/discover, and otherwise go on with the one of who says the same of itself', async () => {
    const counted = [call(1, 'n'), text(1, 'one'), call(2, 'n'), text(2, 'two')];
    const rehearsal = new Rehearsal(readScript(recorded([...HELLO, ...counted])));
    const { url, close } = await serveReplay({ rehearsal, port: 0, path: '/mcp' });
    const post = async (method: string, params: Json, client: string): Promise<Json | undefined> => {
      const _meta = { ...modern(), 'io.modelcontextprotocol/clientInfo': { name: client, version: '1' } };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
      const headers = { ...JSON_TYPE, ...modernHeaders(method, params['name'] as string | undefined) };
      return (await messages(await fetch(url, { method: 'POST', headers, body })))[0];
    };
    const count = async (client: string): Promise<unknown> => textIn(await post('tools/call', { name: 'n', arguments: {} }, client));
    try {
      assert.deepEqual([await count('a'), await count('b'), await count('a')], ['one', 'one', 'two']);
      const { supportedVersions } = (await post('server/discover', {}, 'a'))?.['result'] as Json;
      assert.deepEqual(supportedVersions, ['2026-07-28']);
      assert.deepEqual([await count('a'), await count('b')], ['one', 'two']);
    } finally {
      await close();
    }
  });
});

describe('a fault of a replay', () => {
  const kinds: readonly (readonly [FaultRule, (called: Promise<Response>) => Promise<void>])[] = [
    [
      { fault: 'error', code: -32050, message: 'no' },
      async (called) => assert.deepEqual(((await messages(await called))[0]?.['error'] as Json)['code'], -32050),
    ],
    [{ fault: 'truncate', bytes: 9 }, async (called) => assert.equal(await (await called).text(), '{"jsonrpc')],
    [{ fault: 'disconnect' }, async (called) => assert.rejects(called)],
    [{ fault: 'latency', ms: 50 }, async (called) => assert.equal(textIn((await messages(await called))[0]), 'A')],
  ];
  for (const [rule, check] of kinds)
    it(`${rule.fault}, over HTTP, in both eras, for the tool it names`, async () => {
      const { listener, ask, askModern, session } = await served([{ ...rule, tool: 'a' }]);
      try {
        await check(askModern('a', { x: 1 }));
        const headers = await session();
        await check(ask('a', headers, { x: 1 }));
        assert.equal(textIn((await messages(await ask('grow', headers)))[0]), 'grown');
      } finally {
        await listener.close();
      }
    });

  it('drop, over HTTP: no answer, and what comes after it is answered', async () => {
    const { listener, askModern } = await served([{ fault: 'drop', tool: 'a' }]);
    try {
      const leave = new AbortController();
      const lost = askModern('a', { x: 1 }, leave.signal);
      assert.equal(textIn((await messages(await askModern('grow')))[0]), 'grown');
      leave.abort();
      await assert.rejects(lost);
    } finally {
      await listener.close();
    }
  });
});

describe('a recording on standard streams', () => {
  let home: Home;
  let folder: string;
  const header: RecordingHeader = {
    signalbox: 'recording',
    version: 1,
    id: 'by-hand',
    createdAt: '2026-01-01T00:00:00.000Z',
    segment: 1,
    writer: { name: 'test', version: '1' },
    filter: {},
    redaction: { rules: [], prefix: '[redacted:' },
  };
  before(() => {
    home = makeHome();
    folder = mkdtempSync(join(tmpdir(), 'sbx-replay-'));
    mkdirSync(join(home.cwd, '.signalbox', 'recordings'), { recursive: true });
    const end: RecordingLine = { k: 'end', t: 1000, frames: LINES.length - 1 };
    writeFileSync(
      join(home.cwd, '.signalbox', 'recordings', 'by-hand.jsonl'),
      [header, ...LINES, end].map((line) => `${JSON.stringify(line)}\n`).join(''),
    );
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await home.remove();
  });

  interface Ended {
    readonly code: number | null;
    readonly out: readonly string[];
    readonly stderr: string;
  }
  const lines = (output: string): readonly string[] => output.split('\n').filter((line) => line !== '');

  /** The command with these messages on its standard input, as a process of its own. */
  async function spawned(words: readonly string[], said: readonly object[]): Promise<Ended> {
    const [node, ...args] = home.command;
    const child = spawn(node, [...args, 'replay', ...words, '--as', 'server'], { cwd: home.cwd, env: home.env });
    child.stdin.end(input(said));
    const [stdout, stderr, [code]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close') as Promise<[number]>,
    ]);
    return { code, out: lines(stdout), stderr };
  }

  /** The same in this process: starting another one takes most of the time. */
  async function piped(words: readonly string[], said: readonly object[]): Promise<Ended> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const code = await runProgram(COMMANDS, ['replay', ...words, '--as', 'server'], {
      paths: home.paths,
      stdin: Readable.from([Buffer.from(input(said))], { objectMode: false }),
      stdout,
      stderr,
      env: home.env,
      cwd: home.cwd,
      signal: new AbortController().signal,
    });
    stdout.end();
    stderr.end();
    return { code, out: lines(await textOf(stdout)), stderr: await textOf(stderr) };
  }

  function input(said: readonly object[]): string {
    return said.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join('');
  }

  it('ends with 0 when the client did what was recorded, also under --strict', async () => {
    const report = join(folder, 'report.json');
    const said = LINES.flatMap((line) => (line.k === 'frame' && line.d === 'in' ? [line.m as object] : []));
    const { code, out, stderr } = await spawned(['by-hand', '--strict', '--report', report], said);
    assert.equal(code, 0, stderr);
    assert.equal(out.length, 7);
    assert.match(stderr, /0 not answered, 0 never made/);
  });

  it('ends with 1 under --strict when not, and says what; without it with 0', async () => {
    const said = [call('n', 'a', { x: 2 })[1]];
    const strict = await piped(['by-hand', '--strict'], said);
    assert.equal(strict.code, 1);
    assert.match(strict.stderr, /nearest recorded request \(frame 4, tools\/call "a"\) differs at \/arguments\/x \(recorded 1, asked 2\)/);
    assert.match(strict.stderr, /Never made:\n {2}frame 4: tools\/call "a"/);
    assert.equal((await piped(['by-hand', '--ignore', 'tools/call:/arguments/x'], said)).code, 0);
  });

  it('cuts, loses and breaks off as told, and says so', async () => {
    const said = [call('n', 'a', { x: 1 })[1], call('m', 'grow')[1]];
    const cut = await piped(['by-hand', '--fault', 'truncate,bytes=9,tool=a'], said);
    assert.ok(cut.out.includes('{"jsonrpc') && cut.out.length > 1, cut.out.join('\n'));
    assert.match(cut.stderr, /Faults are put into this replay on purpose/);
    const lost = await piped(['by-hand', '--fault', '{"fault": "drop", "tool": "a"}'], said);
    assert.ok(lost.out.every((line) => !line.includes('"n"')) && lost.out.some((line) => line.includes('grown')));
    const broken = await piped(['by-hand', '--fault', 'disconnect,tool=a'], said);
    assert.ok(broken.out.every((line) => !line.includes('"n"')));
  });

  it('says what is wrong with the command', async () => {
    for (const [words, code, message] of [
      [['nothing'], 1, /SBX_RECORDING_UNKNOWN/],
      [['by-hand', '--server', 'x'], 2, /SBX_REPLAY_EDGE/],
      [['by-hand', '--match', 'x'], 2, /--match x/],
      [['by-hand', '--timing', 'fast'], 2, /original/],
      [['by-hand', '--fault', 'x'], 2, /SBX_FAULT_RULE/],
      [['by-hand', '--port', '99999'], 2, /--port/],
    ] as const) {
      const ended = await piped(words, []);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, message);
    }
  });
});
