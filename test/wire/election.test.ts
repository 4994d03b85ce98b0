/** Six `signalbox up` at once: one daemon, whatever stands in the way, and its address and tokens kept where they can be. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { DaemonStatus } from '../../daemon/api/control.ts';
import { type Home, makeHome, REPOSITORY } from '../fixtures/daemon.ts';
import { eventually } from '../fixtures/process-tree.ts';

const CONTENDERS = 6;
const OWNER = join(REPOSITORY, 'test', 'unit', 'lifecycle', 'fixtures', 'contender.ts');

interface Credential {
  readonly url: string;
  readonly token: string;
}

/** A home whose daemon ran once: it remembers a port and gave out a token. */
async function remembered(): Promise<{ readonly home: Home; readonly port: number; readonly credential: Credential }> {
  const home = makeHome();
  const { port } = await home.json<DaemonStatus>('up');
  const credential = await home.json<Credential>('clients', 'token', 'test');
  assert.equal((await home.signalbox(['stop'])).code, 0);
  return { home, port, credential };
}

/** Six at once, and the one daemon all of them report. */
async function race(home: Home): Promise<DaemonStatus> {
  const reports = await Promise.all(Array.from({ length: CONTENDERS }, () => home.json<DaemonStatus>('up')));
  const pids = new Set(reports.map(({ pid }) => pid));
  assert.equal(pids.size, 1, `the six report ${[...pids].join(', ')}`);
  const [first] = reports;
  assert.ok(first);
  assert.equal((JSON.parse(readFileSync(home.paths.runtimeFile, 'utf8')) as { pid: number }).pid, first.pid);
  assert.equal((await home.json<DaemonStatus>('status')).pid, first.pid);
  return first;
}

/** What an MCP client with a token gets: the status of a ping in a new session. */
async function initializes(url: string, token: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    }),
  });
  await response.arrayBuffer();
  return response.status;
}

test('six at once, the remembered port free: one daemon, the same port, the old token opens it', async (t) => {
  const { home, port, credential } = await remembered();
  t.after(() => home.remove());
  const status = await race(home);
  assert.equal(status.port, port);
  assert.equal(status.portNote, undefined);
  assert.equal(await initializes(credential.url, credential.token), 200);
});

test('six at once on a state directory nobody used yet: one daemon', async (t) => {
  const home = makeHome();
  t.after(() => home.remove());
  const status = await race(home);
  assert.ok(status.port >= 10_000 && status.port <= 32_767);
});

test('six at once, the remembered port taken by a stranger: one daemon elsewhere that says so, the old token opens it', async (t) => {
  const { home, port, credential } = await remembered();
  const seen: (string | undefined)[] = [];
  const stranger = await listen(port, seen);
  t.after(async () => {
    await home.remove();
    stranger.close();
    stranger.closeAllConnections();
  });
  const status = await race(home);
  assert.notEqual(status.port, port);
  assert.match(status.portNote ?? '', new RegExp(`Port ${port} is taken by another program.*port ${status.port} instead`));
  assert.match(status.portNote ?? '', /SBX_PORT_TAKEN/);
  const now = await home.json<Credential>('clients', 'token', 'test');
  assert.equal(now.token, credential.token, 'the token is kept');
  assert.equal(await initializes(now.url, credential.token), 200);
  assert.deepEqual(
    seen.filter((header) => header !== undefined),
    [],
    'the stranger was never sent a credential',
  );
});

test('six at once while a slow owner holds the election: they wait, it dies unpublished, one of theirs takes over', async (t) => {
  const { home, port, credential } = await remembered();
  const owner = spawn(process.execPath, [OWNER, home.paths.stateDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    owner.kill('SIGKILL');
    await home.remove();
  });
  await holdElection(owner);
  const racing = race(home);
  // The first contender that lost says so in the log: by then the six are waiting for an owner that publishes nothing.
  await lostElection(home);
  owner.kill('SIGKILL');
  const status = await racing;
  assert.notEqual(status.pid, owner.pid);
  assert.equal(status.port, port);
  assert.equal(await initializes(credential.url, credential.token), 200);
});

test('six at once while another `up --foreground` is about to publish: all attach to it', async (t) => {
  const { home } = await remembered();
  const [node, ...args] = home.command;
  const owner = spawn(node, [...args, 'up', '--foreground', '--json'], {
    cwd: home.cwd,
    env: home.env,
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  t.after(async () => {
    await home.remove();
    if (owner.exitCode === null && owner.signalCode === null) owner.kill('SIGKILL');
  });
  // Whichever of the seven wins, all six report it.
  await race(home);
});

async function listen(port: number, seen: (string | undefined)[]): Promise<Server> {
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end('{"ok":true,"name":"signalbox"}');
  });
  server.on('upgrade', (request, socket) => {
    seen.push(request.headers.authorization);
    socket.destroy();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function holdElection(owner: ChildProcess): Promise<void> {
  if (owner.stdout === null) throw new Error('no standard output');
  const lines = createInterface({ input: owner.stdout });
  const answer = once(lines, 'line');
  owner.stdin?.write('acquire\n');
  assert.deepEqual(await answer, ['owner']);
}

async function lostElection(home: Home): Promise<void> {
  await eventually('a contender lost', () => readFileSync(home.paths.logFile, 'utf8').includes('Another process is the daemon already'));
}
