/**
 * A recording of real clients, played as a server to clients nobody here wrote: the v1 SDK and the v2 SDK in both eras, and the Inspector, over
 * standard streams and over HTTP, in the recorded era and in the other one. They hear what the recorded client heard, and are asked what it was asked.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import type { ControlClient } from '../../daemon/api/control-client.ts';
import { openControl, runningDaemon } from '../../daemon/cli/connection.ts';
import { type DaemonFixture, finish, type Home, startDaemonFixture } from '../fixtures/daemon.ts';
import { type Json, PEER_KINDS, type Peer, type PeerKind, type Person, type Target } from './peers.ts';
import { cachedInspector } from './programs.ts';

const ERAS = ['legacy', 'modern'] as const;
const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const PLAYERS = PEER_KINDS.filter(({ title }) => title.includes('HTTP'));
const PIPED = PEER_KINDS.filter(({ title }) => title.includes('bridge'));

let daemon: DaemonFixture;
let control: ControlClient;
/** What the recorded clients heard and were asked, by era. */
const heard: Record<string, Heard> = {};

interface Heard {
  readonly names: readonly string[];
  readonly texts: readonly string[];
  readonly asked: readonly string[];
  readonly progress: readonly unknown[];
}

before(async () => {
  const script = (era: string): object => ({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'servers', `${era}.ts`), '--stdio'],
  });
  daemon = await startDaemonFixture({
    config: {
      servers: { old: script('legacy'), new: script('modern') },
      namespaces: { all: ['old', 'new'] },
      endpoints: { default: { namespaces: ['all'] } },
    },
  });
  control = await openControl(await runningDaemon(daemon.home.paths));
  for (const era of ERAS) {
    await control.call('record/start', { name: era, client: 'test' });
    heard[era] = await story(recordedKind(era), daemon);
    const { frames } = await control.call('record/stop', { recording: era });
    assert.ok(frames > 20);
  }
});
after(async () => {
  control.close();
  await daemon.stop();
});

for (const era of ERAS)
  describe(`a recording of the ${era} era`, () => {
    let served: Served;
    before(async () => {
      served = await serve(daemon.home, era);
    });
    after(async () => {
      const { code, stderr } = await served.stop();
      assert.equal(code, 0, stderr);
      assert.match(stderr, /recorded requests played, 0 not answered/);
    });

    for (const kind of PLAYERS)
      it(`is a server for the ${kind.title}`, async () => {
        assert.deepEqual(await story(kind, { home: daemon.home, url: served.url, token: '' }), heard[era]);
      });

    // A process each: not every pairing but in the full tier.
    for (const kind of FULL ? PIPED : PIPED.filter(({ title }) => title.includes('modern') || title.includes('v1') === (era === 'legacy')))
      it(`is a server on standard streams for the ${kind.title.replace(' over the bridge', '')}`, async () => {
        assert.deepEqual(await story(kind, { home: played(daemon.home, era), url: '', token: '' }), heard[era]);
      });

    it('is a server of the configuration for clients of both eras, and recorded again it is the same', async () => {
      const { home } = daemon;
      const before = JSON.parse(readFileSync(home.paths.configFile, 'utf8')) as { servers: object; namespaces: object; endpoints: object };
      const endpoint = `mock-${era}`;
      const names = ['old', 'new'].map((server) => [server, `${endpoint}-${server}`] as const);
      const config = {
        servers: {
          ...before.servers,
          ...Object.fromEntries(names.map(([server, name]) => [name, { type: 'recording', recording: era, server }])),
        },
        namespaces: { ...before.namespaces, [endpoint]: names.map(([alias, server]) => ({ server, alias })) },
        endpoints: { ...before.endpoints, [endpoint]: { namespaces: [endpoint] } },
      };
      writeFileSync(home.paths.configFile, JSON.stringify(config));
      await until(async () => (await control.call('status', {})).endpoints.some(({ name }) => name === endpoint));
      const target = { home, ...(await control.call('clients/token', { client: 'mocked', endpoint })) };
      const again = `${era}-again`;
      await control.call('record/start', { name: again, client: 'mocked' });
      assert.deepEqual(await story(recordedKind(era), target), heard[era]);
      await control.call('record/stop', { recording: again });
      const { differences, equal } = await control.call('record/compare', { recording: era, with: again });
      assert.deepEqual(differences, []);
      assert.ok(equal >= 9, `${equal} requests`);
      // Clients of the other era hear the same by way of the daemon's bridge.
      for (const kind of PLAYERS.filter((other) => other !== recordedKind(era)))
        assert.deepEqual((await story(kind, target)).texts, heard[era]?.texts, kind.title);
      const { servers } = await control.call('status', {});
      assert.deepEqual(
        names.map(([, name]) => servers.find((server) => server.name === name)?.kind),
        ['recording', 'recording'],
      );
    });
  });

describe('a recording at a URL of the daemon', () => {
  it('is served until it is stopped, and nobody finds it by guessing', async () => {
    const { id, url } = await control.call('replay/serve', { recording: 'legacy', server: 'old' });
    const target = { home: daemon.home, url, token: '' };
    const peer = await kindOf(PLAYERS, 'v1 SDK').connect(target, new Ada());
    assert.equal(await peer.call('plain', {}), 'plain');
    await peer.close();
    assert.equal((await fetch(url.replace(/[^/]+$/, 'guessed'), { method: 'POST' })).status, 404);
    assert.equal((await fetch(url, { method: 'POST', headers: { origin: 'https://evil.example' } })).status, 403);
    assert.deepEqual(
      (await control.call('status', {})).replays?.map((replay) => replay.id),
      [id],
    );
    await control.call('replay/stop', { id });
    assert.equal((await control.call('status', {})).replays, undefined);
    await assert.rejects(fetch(url));
    await assert.rejects(control.call('replay/stop', { id }), { code: 'SBX_REPLAY_UNKNOWN' });
  });
});

const inspector = cachedInspector();
const skip = inspector === undefined && 'The MCP Inspector is not installed: run test/clients/install.sh.';

describe('MCP Inspector, command line, against a recording', { skip }, () => {
  async function inspect<T>(...args: readonly string[]): Promise<T> {
    const words = [inspector ?? '', '--cli', ...args, '--format', 'json', '--quiet'];
    const { code, stdout, stderr } = await finish(process.execPath, words, { cwd: daemon.home.cwd, env: daemon.home.env });
    assert.equal(code, 0, stdout + stderr);
    const answer = JSON.parse(stdout) as { result?: T };
    return answer.result ?? (answer as T);
  }
  const call = ['--method', 'tools/call', '--tool-name', 'old__plain'];

  for (const era of FULL ? ERAS : (['modern'] as const))
    it(`lists and calls over HTTP, ${era} era`, async () => {
      const served = await serve(daemon.home, era);
      try {
        const http = ['--server-url', served.url, '--transport', 'http', '--protocol-era', era];
        const { tools } = await inspect<{ tools: { name: string }[] }>(...http, '--method', 'tools/list');
        assert.deepEqual(
          tools.map(({ name }) => name),
          heard[era]?.names,
        );
        const { content } = await inspect<{ content: { text: string }[] }>(...http, ...call);
        assert.equal(content[0]?.text, 'plain');
      } finally {
        await served.stop();
      }
    });

  it('calls on standard streams', async () => {
    const file = join(daemon.home.dir, 'inspector.json');
    const [command, ...args] = daemon.home.command;
    const entry = { type: 'stdio', command, args: [...args, 'replay', 'legacy', '--as', 'server'], env: daemon.home.env };
    writeFileSync(file, JSON.stringify({ mcpServers: { mock: entry } }));
    const { content } = await inspect<{ content: { text: string }[] }>('--config', file, '--server', 'mock', ...call);
    assert.equal(content[0]?.text, 'plain');
  });
});

/** What a client does: in both eras the same calls, with questions, progress, two questions at once, a refusal. */
async function story(kind: PeerKind, target: Target): Promise<Heard> {
  const person = new Ada();
  const peer = await kind.connect(target, person);
  try {
    const names = await peer.toolNames();
    const texts = await calls(peer, person, ['old', 'new']);
    return { names, texts, asked: person.asked, progress: peer.progress.map(({ progress, total }) => [progress, total]) };
  } finally {
    await peer.close();
  }
}

async function calls(peer: Peer, person: Ada, servers: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const server of servers) {
    texts.push(await peer.call(`${server}__book`, { from: 'Crewe' }, { onprogress: () => {} }));
    texts.push(await peer.call(`${server}__both`, { from: 'Crewe' }));
    person.action = 'decline';
    texts.push(await peer.call(`${server}__confirm`, {}));
    person.action = 'accept';
    texts.push(await peer.call(`${server}__plain`, {}));
  }
  return texts;
}

class Ada implements Person {
  readonly asked: string[] = [];
  readonly roots = [];
  action = 'accept';

  elicit({ message }: Json): Json {
    this.asked.push(`elicit: ${message}`);
    return this.action === 'accept' ? { action: 'accept', content: { name: 'Ada' } } : { action: this.action };
  }

  sample({ messages }: Json): Json {
    const [message] = messages as readonly { readonly content: unknown }[];
    const [block] = [message?.content].flat() as readonly { readonly text: string }[];
    this.asked.push(`sample: ${block?.text}`);
    return { role: 'assistant', model: 'loopback', content: { type: 'text', text: `${block?.text}, in rhyme` } };
  }

  completed(): void {}
}

interface Served {
  readonly url: string;
  stop(): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** `signalbox replay R --as server --http` in a process of its own. */
async function serve(home: Home, recording: string): Promise<Served> {
  const [node, ...args] = home.command;
  const child: ChildProcess = spawn(node, [...args, 'replay', recording, '--as', 'server', '--http', '--json'], {
    cwd: home.cwd,
    env: home.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  let document = '';
  for await (const line of lines) {
    document += line;
    if (line.startsWith('}') || document.endsWith('}')) break;
  }
  const { url } = JSON.parse(document) as { url: string };
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      const [code] = await ended;
      return { code, stderr };
    },
  };
}

/** A home whose command line is the replay, whatever is asked of it: what a client is told to start. */
function played(home: Home, recording: string): Home {
  const words = [...home.command, 'replay', recording, '--as', 'server'].map((word) => `'${word}'`).join(' ');
  return { ...home, command: ['/bin/sh', '-c', `exec ${words}`] };
}

/** The client that is recorded in an era. */
function recordedKind(era: (typeof ERAS)[number]): PeerKind {
  return kindOf(PLAYERS, era === 'legacy' ? 'v1 SDK' : 'modern');
}

function kindOf(kinds: readonly PeerKind[], words: string): PeerKind {
  const found = kinds.find(({ title }) => title.includes(words));
  assert.ok(found !== undefined);
  return found;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await condition()); ) assert.ok(Date.now() < end, 'it did not come to pass');
}
