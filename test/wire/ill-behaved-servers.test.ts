/** Servers that break the rules: each costs its own users as little as possible, and nobody else anything. From a hostile review. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { startDaemonFixture } from '../fixtures/daemon.ts';
import { type Gateway, scripted, startGateway } from '../fixtures/gateway.ts';
import { eventually } from '../fixtures/process-tree.ts';

/** Sends one legacy request in a session made for it and gives its result. */
async function ask(gateway: Gateway, method: string, params: object): Promise<Record<string, unknown>> {
  const opened = await gateway.post({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  });
  await opened.text();
  const answer = await gateway.post(
    { jsonrpc: '2.0', id: 1, method, params },
    { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' },
  );
  return (await answer.json()) as Record<string, unknown>;
}
async function toolNames(gateway: Gateway): Promise<string[]> {
  const { result } = (await ask(gateway, 'tools/list', {})) as { result: { tools: { name: string }[] } };
  return result.tools.map((tool) => tool.name);
}
async function withGateway(entry: ReturnType<typeof scripted>, run: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = await startGateway({ s: entry });
  try {
    await run(gateway);
  } finally {
    await gateway.close();
  }
}

describe('ill-behaved servers', () => {
  it('a list that could not be read is read again, and the others count meanwhile', async () => {
    await withGateway(scripted('--flaky'), async (gateway) => {
      const { result } = (await ask(gateway, 'resources/list', {})) as { result: { resources: unknown[] } };
      assert.equal(result.resources.length, 1);
      await eventually('the tools are there', async () => (await toolNames(gateway)).includes('s__echo'));
    });
  });

  it('one that announces a change at every reading is read at most four times a second', async () => {
    await withGateway(scripted('--chatty'), async (gateway) => {
      const started = performance.now();
      assert.ok((await toolNames(gateway)).includes('s__echo'));
      for (let calls = 0; calls < 100; calls++) await ask(gateway, 'tools/call', { name: 's__echo', arguments: { text: '' } });
      const { result } = (await ask(gateway, 'tools/call', { name: 's__reads', arguments: {} })) as {
        result: { content: { text: string }[] };
      };
      const pages = 2;
      // A bound by what the pause allows in the time that really passed, on a machine of any speed.
      const allowed = pages * (2 + (performance.now() - started) / 250);
      assert.ok(Number(result.content[0]?.text) <= allowed, `${result.content[0]?.text} readings, ${allowed} allowed`);
    });
  });

  it('one whose pages never end is refused and named', async () => {
    await withGateway(scripted('--endless'), async (gateway) => {
      assert.deepEqual(await toolNames(gateway), []);
      const answer = JSON.stringify(await ask(gateway, 'tools/call', { name: 's__echo', arguments: {} }));
      assert.match(answer, /SBX_SERVER_PROTOCOL/);
    });
  });

  it('an answer over the limit fails its own call at once, while others are open', async () => {
    const gateway = await startGateway({ s: scripted('--huge', '200000') }, { messageBytes: 100_000 });
    try {
      await toolNames(gateway);
      const waiting = ask(gateway, 'tools/call', { name: 's__wait', arguments: {} }).catch(() => undefined);
      const answers = await Promise.all([1, 2, 3].map(() => ask(gateway, 'tools/call', { name: 's__huge', arguments: {} })));
      for (const answer of answers) assert.match(JSON.stringify(answer), /SBX_MESSAGE_TOO_LARGE/);
      await gateway.close();
      await waiting;
    } finally {
      await gateway.close();
    }
  });
});

describe('secrets', () => {
  it('stay out of every error, whatever a server prints or a command line holds', async (t) => {
    const secret = 'do-not-show-5e1f';
    const daemon = await startDaemonFixture({
      config: ({ dir }) => {
        writeFileSync(`${dir}/leak.mjs`, 'process.stderr.write(`token ${process.env.TOK}\\n`); process.exitCode = 4;');
        return {
          servers: {
            gone: { command: '/nonexistent/${secret:mysec}' },
            leak: { command: process.execPath, args: [`${dir}/leak.mjs`], env: { TOK: '${secret:mysec}' } },
          },
        };
      },
    });
    t.after(() => daemon.stop());
    const { home } = daemon;
    const [node, ...args] = home.command;
    const set = spawn(node, [...args, 'secret', 'set', 'mysec'], { cwd: home.cwd, env: home.env, stdio: ['pipe', 'ignore', 'inherit'] });
    set.stdin.end(secret);
    assert.deepEqual(await once(set, 'exit'), [0, null]);
    const seen: string[] = [];
    const run = async (...words: string[]): Promise<void> => {
      const { stdout, stderr } = await home.signalbox(words);
      seen.push(stdout, stderr);
    };
    await eventually('both servers have failed', async () => {
      await run('tools', '--json');
      const { stdout } = await home.signalbox(['status', '--json']);
      seen.push(stdout);
      return stdout.includes('SBX_SERVER_COMMAND') && stdout.includes('SBX_SERVER_EXITED');
    });
    for (const words of [
      ['call', 'leak__x', '--json'],
      ['servers', 'list', '--json'],
      ['servers', 'logs', 'leak'],
      ['doctor', '--json'],
      ['logs'],
    ])
      await run(...words);
    assert.ok(seen.join('').includes('SBX_TOOL_UNKNOWN'));
    assert.ok(!seen.join('').includes(secret));
  });
});
