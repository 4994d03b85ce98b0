/** Live traffic on the control channel and on the command line, from a real daemon with real clients. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import type { ControlMethods } from '../../daemon/api/control.ts';
import type { ControlClient } from '../../daemon/api/control-client.ts';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { SessionEvents, TrafficRow } from '../../daemon/api/sessions.ts';
import { COMMANDS } from '../../daemon/cli/commands.ts';
import { openControl, runningDaemon } from '../../daemon/cli/connection.ts';
import { runProgram } from '../../daemon/cli/program.ts';
import { type DaemonFixture, startDaemonFixture } from '../fixtures/daemon.ts';
import { type Gateway, SCRIPTED } from '../fixtures/gateway.ts';
import { legacyClient, modernClient, type RawClient } from '../fixtures/raw-clients.ts';

type Json = Record<string, unknown>;
type Result<M extends keyof ControlMethods> = ControlMethods[M]['result'];

const TOKEN = 'ghp_0123456789abcdefghijklmnopqrstuvwxyz';
const ECHO = { command: process.execPath, args: [SCRIPTED] };
const CALLED = { 'claudecode/toolUseId': 'toolu_7' };

const parsed = <M extends keyof ControlMethods>({ stdout }: { stdout: string }): Result<M> => JSON.parse(stdout) as Result<M>;
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(20_000);
  while (!(await condition())) {
    limit.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
function reached({ url, token }: Pick<DaemonFixture, 'url' | 'token'>): Gateway {
  const post: Gateway['post'] = (message, headers = {}, signal) =>
    fetch(url, {
      method: 'POST',
      body: JSON.stringify(message),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    });
  return { url, token, post } as Gateway;
}

describe('traffic of a daemon', () => {
  let daemon: DaemonFixture;
  let control: ControlClient;
  let legacy: RawClient;
  let modern: RawClient;
  const children: ChildProcess[] = [];

  before(async () => {
    daemon = await startDaemonFixture({ config: { servers: { s: ECHO } } });
    control = await openControl(await runningDaemon(daemon.home.paths));
    const none = (): never => assert.fail('nobody asks');
    legacy = await legacyClient(reached(daemon), {}, none);
    modern = modernClient(reached(daemon), {}, none);
    const args = { name: 's__echo', arguments: { text: `the token is ${TOKEN}` } };
    await legacy.call('tools/call', args, { meta: CALLED });
    await modern.call('tools/call', { name: 's__echo', arguments: { text: 'again' } }, { meta: CALLED });
    await legacy.call('tools/call', { name: 's__nothing' });
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    legacy?.close();
    control?.close();
    await daemon?.stop();
  });

  /** Runs `signalbox sessions …` in this process: what it does is in the daemon. */
  async function cli(...words: string[]): Promise<{ code: number; stdout: string }> {
    const { paths, cwd, env } = daemon.home;
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const code = await runProgram(COMMANDS, ['sessions', ...words], {
      paths,
      cwd,
      env,
      stdin,
      stdout,
      stderr,
      signal: new AbortController().signal,
    });
    stdout.end();
    return { code, stdout: await text(stdout) };
  }

  it('sessions are listed with client, era and counts; status counts the connected ones', async () => {
    const { sessions } = await control.call('sessions/list', {});
    assert.deepEqual(sessions.map(({ client, era, calls, errors }) => [client, era, calls, errors]).sort(), [
      ['test', 'legacy', 3, 1],
      ['test', 'modern', 1, 0],
    ]);
    assert.ok(sessions.every(({ endpoint, clientInfo }) => endpoint === '/mcp/default' && clientInfo?.name === 'raw'));
    assert.equal((await daemon.status()).sessions, 1, 'a modern client is connected only while it calls');
    assert.deepEqual(await daemon.home.json('sessions', 'list'), { sessions: (await control.call('sessions/list', {})).sessions });
  });

  it('rows by session, by endpoint as people name it, and across both edges by one id', async () => {
    const all = await control.call('sessions/rows', { endpoint: 'default', method: 'tools/call', after: 0 });
    assert.equal(all.rows.filter(({ edge }) => edge === 'server').length, 4);
    assert.equal(all.rows.filter(({ edge }) => edge === 'client').length, 6);
    const ids = new Set(all.rows.filter(({ toolUseId }) => toolUseId === 'toolu_7').map(({ seq }) => seq));
    assert.equal(ids.size, 8, 'a tool use of Claude Code is found at both edges, in requests and answers');
    const asked = all.rows.find(({ type, toolUseId }) => type === 'request' && toolUseId !== undefined);
    const one: Result<'sessions/event'> = await control.call('sessions/event', { seq: asked?.seq ?? 0 });
    assert.deepEqual(
      one.related.map(({ edge, direction, type }) => [edge, direction, type]),
      [
        ['server', 'out', 'request'],
        ['server', 'in', 'response'],
        ['client', 'out', 'response'],
      ],
    );
    await assert.rejects(
      control.call('sessions/event', { seq: 1_000_000 }),
      (error) => error instanceof SignalboxError && error.code === 'SBX_EVENT_UNKNOWN',
    );
  });

  it('nothing secret leaves the daemon unless it is to be revealed', async () => {
    const hidden = JSON.stringify(await control.call('sessions/rows', { messages: true, limit: 10_000, after: 0 }));
    assert.ok(hidden.includes('the token is') && !hidden.includes(TOKEN));
    assert.equal((await control.call('sessions/rows', { search: TOKEN, after: 0 })).rows.length, 0);
    const shown = JSON.stringify(await control.call('sessions/rows', { messages: true, reveal: true, limit: 10_000, after: 0 }));
    assert.ok(shown.includes(TOKEN));
    const { stdout } = await cli('show', '--messages', '--limit', '1000');
    assert.ok(stdout.includes('the token is') && !stdout.includes(TOKEN));
    const revealed = await cli('show', '--messages', '--limit', '1000', '--reveal');
    assert.ok(revealed.stdout.includes(TOKEN));
  });

  it('statistics per tool', async () => {
    const { tools } = await control.call('sessions/statistics', { client: 'test' });
    const echo = tools.find(({ name }) => name === 's__echo');
    assert.deepEqual([echo?.count, echo?.errors], [2, 0]);
    assert.ok((echo?.p50 ?? 0) > 0 && (echo?.bytesOut ?? 0) > 0 && (echo?.tokens ?? 0) > 0);
    const { code, stdout } = await cli('stats', 'client:test');
    assert.equal(code, 0);
    assert.match(stdout, /s__echo +2 +0/);
  });

  it('a request is sent again as the control client, and is seen as such', async () => {
    const params = { name: 's__echo', arguments: { text: 'resent' } };
    const { response } = await control.call('sessions/send', { method: 'tools/call', params });
    assert.equal(((response['result'] as Json)['structuredContent'] as Json)['text'], 'resent');
    const wrong = await control.call('sessions/send', { method: 'no/such' });
    assert.ok('error' in wrong.response, 'the whole answer, also when it is an error');
    const { rows } = await control.call('sessions/rows', { client: 'control', after: 0 });
    const calls = rows.filter(({ method }) => method === 'tools/call');
    assert.deepEqual(
      calls.map(({ edge, direction }) => `${edge} ${direction}`),
      ['client in', 'server out', 'server in', 'client out'],
    );
    assert.ok(calls.every(({ client, session }) => client === 'control' && session?.startsWith('control-')));
    assert.equal(calls[0]?.transport, 'control');
  });

  it('the command line shows the timeline, one event, and understands queries', async () => {
    const timeline = await cli('show', 'client:test', 'edge:client', 'tools/call');
    assert.equal(timeline.code, 0, timeline.stdout);
    assert.match(timeline.stdout, /^\d+ +\d\d:\d\d:\d\d\.\d{3} +test → +tools\/call s__echo #\d+/m);
    assert.match(timeline.stdout, /test ← +tools\/call s__echo #\d+ ok [\d.]+ ms/);
    const failed = parsed<'sessions/rows'>(await cli('show', '--client', 'test', 'is:error', '--limit', '1', '--json'));
    assert.equal(failed.rows[0]?.target, 's__nothing');
    const one = await cli('show', String(failed.rows[0]?.seq));
    assert.match(one.stdout, /^ +\d+ +\+0\.0 ms +test → +tools\/call s__nothing/m);
    assert.match(one.stdout, /^> .*error/m);
    assert.match(one.stdout, /"code": -32602/);
    const { sessions } = await control.call('sessions/list', {});
    const id = sessions.find(({ era }) => era === 'modern')?.id ?? '';
    const own = parsed<'sessions/rows'>(await cli('show', id, '--json'));
    assert.ok(own.rows.length > 0 && own.rows.every(({ session, edge }) => session === id || edge === 'server'));
    for (const [words, code] of [
      [['show', 'edge:side'], 2],
      [['show', '--limit', 'many'], 2],
      [['look'], 2],
      [['show', '999999'], 1],
      [['show', '--follow', '--json'], 2],
    ] as const)
      assert.equal((await cli(...words)).code, code, words.join(' '));
  });

  it('`tail` writes rows as they come, as text and as JSON lines, until it is interrupted', async () => {
    const [node, ...entry] = daemon.home.command;
    const tail = (...words: string[]): { child: ChildProcess; text: () => string } => {
      const child = spawn(node, [...entry, 'sessions', 'tail', ...words], { cwd: daemon.home.cwd, env: daemon.home.env });
      children.push(child);
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      return { child, text: () => text };
    };
    const plain = tail('tool:s__echo', 'edge:client');
    const lines = tail('--json', '--method', 'tools/call');
    // It may take a while until both listen.
    await until(async () => {
      await modern.call('tools/call', { name: 's__echo', arguments: { text: 'live' } });
      return plain.text().includes('s__echo') && lines.text().includes('s__echo');
    });
    const rows = lines
      .text()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as TrafficRow);
    assert.ok(rows.every(({ method, seq }) => method === 'tools/call' && seq > 0));
    for (const { child } of [plain, lines]) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      assert.equal(await ended, 0);
    }
  });

  it('a reader that never acknowledges slows nobody down, and is told what it missed when it does', async () => {
    const slow = await openControl(await runningDaemon(daemon.home.paths));
    const rows: TrafficRow[] = [];
    let dropped = 0;
    slow.onEvent((event, params) => {
      if (event !== 'traffic') return;
      const batch = params as SessionEvents['traffic'];
      rows.push(...batch.rows);
      dropped += batch.dropped;
    });
    const { tail } = await slow.call('sessions/tail', { messages: true });
    // Frames enough for what may be on the way and what may wait, and then some.
    const flood = new WebSocket(daemon.url.replace('http', 'ws').replace('/mcp/', '/bridge/v1/'), {
      headers: { authorization: `Bearer ${daemon.token}` },
    });
    await new Promise((resolve) => flood.once('open', resolve));
    const wanted = 13_000;
    let answered = 0;
    flood.on('message', () => {
      answered += 1;
    });
    for (let id = 1; id <= wanted; id++) flood.send(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    await until(() => answered === wanted);
    await until(() => rows.length === 2000);
    // Only an acknowledgement brings the rest.
    while (!rows.some(({ kind }) => kind === 'gap')) {
      const seen = rows.length;
      await slow.call('sessions/ack', { tail, seq: rows.at(-1)?.seq ?? 0 });
      await until(() => rows.length > seen);
    }
    assert.ok(dropped > 0);
    const kept = rows.filter(({ kind, method }) => kind === 'frame' && method === 'ping').length;
    assert.ok(kept >= 20_000, `${kept} frames came`);
    const gap = rows.find(({ kind }) => kind === 'gap');
    assert.match(gap?.text ?? '', /left out/);
    await slow.call('sessions/untail', { tail });
    await assert.rejects(
      slow.call('sessions/ack', { tail, seq: 1 }),
      (error) => error instanceof SignalboxError && error.code === 'SBX_TAIL_UNKNOWN',
    );
    slow.close();
    flood.close();
  });

  it('a workspace sees its own', async () => {
    const folder = join(daemon.home.dir, 'project');
    mkdirSync(join(folder, '.signalbox'), { recursive: true });
    writeFileSync(join(folder, '.signalbox', 'config.jsonc'), JSON.stringify({ servers: { s: ECHO } }));
    assert.equal((await daemon.home.signalbox(['trust', folder, '--yes'])).code, 0);
    await control.call('workspace/open', { folder });
    await control.call('tools/call', { name: 's__echo', arguments: { text: 'of the workspace' }, workspace: folder });
    const { rows } = await control.call('sessions/rows', { workspace: folder, messages: true, after: 0 });
    const [id] = new Set(rows.map(({ workspace }) => workspace));
    assert.ok(rows.length > 4 && id !== undefined && rows.every(({ workspace }) => workspace === id));
    assert.ok(JSON.stringify(rows).includes('of the workspace'));
    const { sessions } = await control.call('sessions/list', { workspace: folder });
    assert.deepEqual(
      sessions.map(({ client, workspace }) => [client, workspace]),
      [['control', id]],
    );
    const own = await control.call('sessions/rows', { endpoint: 'default', messages: true, after: 0 });
    assert.ok(!JSON.stringify(own).includes('of the workspace'));
  });
});
