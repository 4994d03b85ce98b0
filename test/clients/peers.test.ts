/** Clients and servers nobody here wrote, through a real daemon: every client × upstream `server-everything` over stdio and over HTTP. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type DaemonFixture, finish, REPOSITORY, startDaemonFixture } from '../fixtures/daemon.ts';
import { type Json, PEER_KINDS, type Peer, type Person } from './peers.ts';
import { cachedInspector } from './programs.ts';

const EVERYTHING = join(REPOSITORY, 'node_modules', '@modelcontextprotocol', 'server-everything', 'dist', 'index.js');
const UPSTREAMS = [
  { title: 'server-everything over stdio', alias: 'std' },
  { title: 'server-everything over HTTP', alias: 'web' },
] as const;

let daemon: DaemonFixture;
let everything: ChildProcess;

before(async () => {
  everything = fork(EVERYTHING, ['streamableHttp'], {
    execArgv: ['--import', join(REPOSITORY, 'test', 'fixtures', 'loopback.ts')],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const [{ port }] = (await once(everything, 'message')) as [{ port: number }];
  daemon = await startDaemonFixture({
    config: {
      servers: {
        std: { type: 'stdio', command: process.execPath, args: [EVERYTHING, 'stdio'] },
        web: { type: 'http', url: `http://127.0.0.1:${port}/mcp` },
      },
      namespaces: { all: ['std', 'web'] },
      endpoints: { default: { namespaces: ['all'] } },
    },
  });
});

after(async () => {
  const ended = once(everything, 'exit');
  everything.kill('SIGKILL');
  await ended;
  await daemon.stop();
});

for (const kind of PEER_KINDS) {
  describe(kind.title, () => {
    let peer: Peer;
    before(async () => {
      peer = await kind.connect(daemon);
    });
    after(() => peer.close());

    it(`speaks ${kind.revision}`, () => assert.equal(peer.revision, kind.revision));

    it('lists the tools of both servers, each once', async () => {
      const names = await peer.toolNames();
      for (const { alias } of UPSTREAMS)
        for (const tool of ['echo', 'get-sum', 'trigger-long-running-operation'])
          assert.ok(names.includes(`${alias}__${tool}`), names.join(' '));
      assert.equal(new Set(names).size, names.length);
    });

    for (const { title, alias } of UPSTREAMS) {
      it(`calls ${title}`, async () => {
        assert.equal(await peer.call(`${alias}__echo`, { message: 'grüße ✓' }), 'Echo: grüße ✓');
        assert.match(await peer.call(`${alias}__get-sum`, { a: 20, b: 22 }), /42/);
      });

      it(`gets the progress of ${title}`, async () => {
        const steps: (readonly [number, number | undefined])[] = [];
        const text = await peer.call(
          `${alias}__trigger-long-running-operation`,
          { duration: 0.3, steps: 3 },
          { onprogress: ({ progress, total }) => steps.push([progress, total]) },
        );
        assert.match(text, /completed/);
        // The answer follows the last step at once, and a client may forget the token with the answer.
        const [first, second] = steps;
        assert.deepEqual(
          [first, second],
          [
            [1, 3],
            [2, 3],
          ],
        );
      });

      it(`cancels a call to ${title} and goes on`, async () => {
        const cancel = new AbortController();
        const call = peer.call(
          `${alias}__trigger-long-running-operation`,
          { duration: 30, steps: 300 },
          { signal: cancel.signal, onprogress: () => cancel.abort(new Error('not needed any more')) },
        );
        await assert.rejects(call, /not needed any more/);
        assert.equal(await peer.call(`${alias}__echo`, { message: 'still here' }), 'Echo: still here');
      });

      it(`names an unknown tool of ${title}`, async () => {
        await assert.rejects(peer.call(`${alias}__no-such-tool`, {}), new RegExp(`${alias}__no-such-tool`));
      });
    }

    it('names a tool of no server', async () => {
      await assert.rejects(peer.call('nowhere__tool', {}), /nowhere__tool/);
    });
  });
}

describe('what server-everything asks in the middle of a call', () => {
  for (const kind of PEER_KINDS)
    for (const { title, alias } of UPSTREAMS)
      it(`${kind.title}, ${title}`, async () => {
        const asked: string[] = [];
        const peer = await kind.connect(daemon, person(asked));
        try {
          assert.match(await peer.call(`${alias}__trigger-elicitation-request`, {}), /Name: Ada/);
          assert.match(await peer.call(`${alias}__trigger-sampling-request`, { prompt: 'a rhyme' }), /Loopback rhymes/);
          const page = `https://rail.example/${alias}/${kind.title.replaceAll(/\W+/g, '-')}`;
          assert.match(await peer.call(`${alias}__trigger-url-elicitation`, { url: page }), /completed the URL elicitation/);
          assert.deepEqual(asked, ['form', 'sample', page]);
        } finally {
          await peer.close();
        }
      });
});

function person(asked: string[]): Person {
  return {
    elicit: ({ mode, url }: Json) => {
      asked.push(mode === 'url' ? String(url) : 'form');
      return mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } };
    },
    sample: () => {
      asked.push('sample');
      return { role: 'assistant', model: 'loopback', content: { type: 'text', text: 'Loopback rhymes' } };
    },
    roots: [],
    completed: () => {},
  };
}

const inspector = cachedInspector();
const skip = inspector === undefined && 'The MCP Inspector is not installed: run test/clients/install.sh.';

describe('MCP Inspector, command line', { skip }, () => {
  async function inspect<T>(...args: readonly string[]): Promise<T> {
    const { home } = daemon;
    const words = [inspector ?? '', '--cli', ...args, '--format', 'json', '--quiet'];
    const { code, stdout, stderr } = await finish(process.execPath, words, { cwd: home.cwd, env: home.env });
    assert.equal(code, 0, stdout + stderr);
    const answer = JSON.parse(stdout) as { result?: T };
    return answer.result ?? (answer as T);
  }

  for (const era of ['legacy', 'modern'] as const) {
    const overHttp = (): string[] => [
      '--server-url',
      daemon.url,
      '--transport',
      'http',
      '--header',
      `Authorization: Bearer ${daemon.token}`,
    ];

    it(`lists the tools over HTTP, ${era} era`, async () => {
      const { tools } = await inspect<{ tools: { name: string }[] }>(...overHttp(), '--protocol-era', era, '--method', 'tools/list');
      assert.ok(tools.some(({ name }) => name === 'std__echo'));
    });

    it(`calls a tool over HTTP, ${era} era`, async () => {
      const call = ['--method', 'tools/call', '--tool-name', 'web__echo', '--tool-arg', 'message=inspected'];
      const { content } = await inspect<{ content: { text: string }[] }>(...overHttp(), '--protocol-era', era, ...call);
      assert.equal(content[0]?.text, 'Echo: inspected');
    });
  }

  it('calls a tool over the bridge', async () => {
    const file = join(daemon.home.dir, 'inspector.json');
    const [command, ...args] = daemon.home.command;
    const entry = { type: 'stdio', command, args: [...args, 'connect', '--client', 'test'], env: daemon.home.env };
    await writeFile(file, JSON.stringify({ mcpServers: { signalbox: entry } }));
    const call = ['--method', 'tools/call', '--tool-name', 'std__echo', '--tool-arg', 'message=inspected'];
    const { content } = await inspect<{ content: { text: string }[] }>('--config', file, '--server', 'signalbox', ...call);
    assert.equal(content[0]?.text, 'Echo: inspected');
  });
});
