/** The daemon is killed under load: nothing is left of it, nothing is run twice, nobody waits in vain, and the next one takes over. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import { type Answer, BridgeClient } from '../fixtures/bridge-client.ts';
import { type Home, makeHome } from '../fixtures/daemon.ts';
import { descendants, eventually, type ProcessIdentity, stillRunning } from '../fixtures/process-tree.ts';

/** A server that writes one line per call it runs, answers `quick` at once and `slow` never, and has a child of its own. */
const COUNTING = `
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
const send = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n');
const tool = (name) => ({ name, inputSchema: { type: 'object' } });
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') send(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'counting', version: '1' } });
  if (method === 'tools/list') send(id, { tools: [tool('slow'), tool('quick')] });
  if (method === 'tools/call') {
    appendFileSync(process.argv[2], params.name + ' ' + params.arguments.label + '\\n');
    if (params.name === 'quick') send(id, { content: [{ type: 'text', text: 'quick ' + params.arguments.label }] });
  }
});
`;

interface Loaded {
  readonly home: Home;
  readonly status: DaemonStatus;
  readonly credential: { readonly url: string; readonly token: string };
  /** Lines the counting server wrote: one per call that ran. */
  readonly runs: () => readonly string[];
}

async function loaded(): Promise<Loaded> {
  const home = makeHome();
  const server = join(home.dir, 'counting.mjs');
  const file = join(home.dir, 'runs.txt');
  writeFileSync(server, COUNTING);
  writeFileSync(
    home.paths.configFile,
    JSON.stringify({
      servers: {
        count: { command: process.execPath, args: [server, file] },
        fs: { plugin: 'filesystem', settings: { roots: [home.cwd] } },
        db: { plugin: 'database' },
        api: { plugin: 'api' },
      },
    }),
  );
  const status = await home.json<DaemonStatus>('up');
  const credential = await home.json<{ url: string; token: string }>('clients', 'token', 'test');
  return { home, status, credential, runs: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []) };
}

/** One call in the modern era over HTTP. */
async function post({ url, token }: Loaded['credential'], name: string, label: string): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name,
        arguments: { label },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  });
  return (await response.json()) as Answer;
}

function textOf({ result }: Answer): string {
  return (result?.['content'] as { text: string }[])[0]?.text ?? '';
}

/** The servers, once all of them run, and what they started: a workspace has servers of its own beside the user's. */
async function wholeTree({ home, status }: Loaded, endpoints: number): Promise<readonly ProcessIdentity[]> {
  await home.json('tools');
  await eventually('all servers run', async () => {
    const { servers } = await home.json<DaemonStatus>('status');
    return servers.length === 4 * endpoints && servers.every(({ pid, state }) => pid !== undefined && state === 'ready');
  });
  const tree = descendants(status.pid);
  assert.ok(tree.length >= 5 * endpoints, `four servers and a grandchild each: ${tree.map(({ command }) => command).join('; ')}`);
  return tree;
}

test('killed with HTTP calls under way: no orphan, a stale runtime file, and `up` takes over with the same address', async (t) => {
  const daemon = await loaded();
  t.after(() => daemon.home.remove());
  const { home, status, credential, runs } = daemon;
  const tree = await wholeTree(daemon, 1);
  const calls = ['a', 'b', 'c'].map((label) =>
    post(credential, 'count__slow', label).then(
      () => 'answered',
      () => 'connection lost',
    ),
  );
  await eventually('three calls run', () => runs().length === 3);

  process.kill(status.pid, 'SIGKILL');
  assert.deepEqual(await Promise.all(calls), ['connection lost', 'connection lost', 'connection lost']);
  await eventually('every process of the killed daemon has ended', () => stillRunning(tree).length === 0);

  assert.equal(
    (JSON.parse(readFileSync(home.paths.runtimeFile, 'utf8')) as { pid: number }).pid,
    status.pid,
    'the file still names the dead one',
  );
  const stale = await home.signalbox(['status', '--json']);
  assert.equal(stale.code, 3);
  assert.match(stale.stdout + stale.stderr, /SBX_RUNTIME_STALE/);

  const next = await home.json<DaemonStatus>('up');
  assert.notEqual(next.pid, status.pid);
  assert.equal(next.port, status.port);
  assert.equal(next.portNote, undefined);
  assert.equal(textOf(await post(credential, 'count__quick', 'after')), 'quick after', 'the old URL and token still open it');
  assert.deepEqual(runs(), ['slow a', 'slow b', 'slow c', 'quick after'], 'nothing ran twice');
});

test('killed under a bridge: calls under way are reported and never run again, lists are answered, the session goes on', async (t) => {
  const daemon = await loaded();
  const { home, status, credential, runs } = daemon;
  const client = new BridgeClient(home);
  t.after(async () => {
    await client.close();
    await home.remove();
  });
  await client.initialize();
  await client.request('tools/list');
  const tree = await wholeTree(daemon, 2);
  const call = (name: string, label: string): Promise<Answer> => client.request('tools/call', { name, arguments: { label } });
  const reached = [call('count__slow', 'a'), call('count__slow', 'b')];
  const overHttp = post(credential, 'count__slow', 'http').then(
    () => 'answered',
    () => 'connection lost',
  );
  await eventually('three calls run', () => runs().length === 3);

  // A stopped daemon takes no more: what is sent now is in flight for certain when it dies.
  process.kill(status.pid, 'SIGSTOP');
  const unread = call('count__slow', 'unread');
  const lists = [client.request('tools/list'), client.request('resources/list'), client.request('prompts/list'), client.request('ping')];
  process.kill(status.pid, 'SIGKILL');

  for (const answer of await Promise.all([...reached, unread])) {
    assert.equal(answer.result?.['isError'], true, JSON.stringify(answer));
    assert.match(textOf(answer), /^SBX_CALL_INTERRUPTED: .*\nCause: .+\nFix: .+/);
  }
  const [tools, resources, prompts, ping] = await Promise.all(lists);
  assert.ok(
    (tools?.result?.['tools'] as { name: string }[]).some(({ name }) => name === 'count__quick'),
    JSON.stringify(tools),
  );
  assert.ok(Array.isArray(resources?.result?.['resources']));
  assert.ok(Array.isArray(prompts?.result?.['prompts']));
  assert.deepEqual(ping?.result, {});
  assert.equal(await overHttp, 'connection lost');

  assert.equal(textOf(await call('count__quick', 'after')), 'quick after');
  const next = await home.json<DaemonStatus>('status');
  assert.notEqual(next.pid, status.pid);
  assert.equal(next.port, status.port);
  await eventually('every process of the killed daemon has ended', () => stillRunning(tree).length === 0);
  assert.deepEqual([...runs()].sort(), ['quick after', 'slow a', 'slow b', 'slow http'], 'no call ran twice, the unread one never');
  assert.equal(new Set(client.answered).size, client.answered.length, 'no request was answered twice');
});
