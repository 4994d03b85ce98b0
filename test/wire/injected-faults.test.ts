/** Faults put into live calls on purpose: each kind by rule through a real daemon, visible while they hold, gone when they are cleared. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { text as textOfStream } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import type { ControlClient } from '../../daemon/api/control-client.ts';
import type { FaultRule } from '../../daemon/api/faults.ts';
import { COMMANDS } from '../../daemon/cli/commands.ts';
import { openControl, runningDaemon } from '../../daemon/cli/connection.ts';
import { runProgram } from '../../daemon/cli/program.ts';
import { statusText } from '../../daemon/cli/status.ts';
import { ActiveRule } from '../../daemon/sessions/faults/rule.ts';
import { type DaemonFixture, startDaemonFixture } from '../fixtures/daemon.ts';
import { SCRIPTED } from '../fixtures/gateway.ts';

type Json = Record<string, unknown>;

let daemon: DaemonFixture;
let control: ControlClient;
const CONFIG = {
  servers: {
    one: { command: process.execPath, args: [SCRIPTED] },
    two: { command: process.execPath, args: [SCRIPTED] },
    // Only here something is waited for in vain: a short wait elsewhere would be one that a busy machine breaks.
    lost: { command: process.execPath, args: [SCRIPTED], timeoutMs: 1500 },
  },
  namespaces: { all: ['one', 'two', 'lost'] },
  endpoints: { default: { namespaces: ['all'] } },
};

before(async () => {
  daemon = await startDaemonFixture({ config: CONFIG });
  control = await openControl(await runningDaemon(daemon.home.paths));
  await control.call('tools/list', {});
});
after(async () => {
  control.close();
  await daemon.stop();
});
afterEach(async () => {
  await control.call('faults/clear', {});
});

const set = (rule: FaultRule, minutes?: number): ReturnType<typeof control.call<'faults/set'>> =>
  control.call('faults/set', { rule: { ...rule }, ...(minutes === undefined ? {} : { minutes }) });
const call = (name: string, text = 'x'): Promise<Json> => control.call('tools/call', { name, arguments: { text } });
const textOf = (result: Json): string => (result['content'] as { text: string }[]).map(({ text }) => text).join('\n');
const echo = async (server = 'one', text = 'x'): Promise<string> => textOf(await call(`${server}__echo`, text));
/** The command line in this process: starting another one takes most of the time. */
async function run(...words: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  const stdout = new PassThrough();
  const { paths, env, cwd } = daemon.home;
  const signal = new AbortController().signal;
  const code = await runProgram(COMMANDS, words, {
    paths,
    env,
    cwd,
    signal,
    stdin: Readable.from([]),
    stdout,
    stderr: new PassThrough().resume(),
  });
  stdout.end();
  return { code, stdout: await textOfStream(stdout) };
}

const failed = async (name: string): Promise<string> => {
  const result = await call(name);
  assert.equal(result['isError'], true, JSON.stringify(result));
  return textOf(result);
};

describe('a fault by rule', () => {
  it('latency: the answer waits, others do not', async () => {
    await set({ fault: 'latency', ms: 700, tool: 'echo', nth: 1 });
    const order: string[] = [];
    const slow = echo('one', 'slow').then((text) => order.push(text));
    const quick = echo('one', 'quick').then((text) => order.push(text));
    await Promise.all([slow, quick]);
    assert.deepEqual(order, ['quick', 'slow']);
  });

  it('drop: the answer is lost though the call ran, or the server never hears of it', async () => {
    await set({ fault: 'drop', server: 'lost', tool: 'grow', lose: 'request' });
    assert.match(await failed('lost__grow'), /SBX_SERVER_TIMEOUT/);
    await control.call('faults/clear', {});
    await assert.rejects(call('lost__grown'), /grown/);
    await set({ fault: 'drop', server: 'lost', tool: 'grow' });
    assert.match(await failed('lost__grow'), /SBX_SERVER_TIMEOUT/);
    const grown = async (): Promise<boolean> =>
      (await control.call('tools/list', {})).tools.some(({ tool }) => tool.name === 'lost__grown');
    for (const end = Date.now() + 20_000; !(await grown()); ) assert.ok(Date.now() < end, 'the call has run');
  });

  it('error: what the rule says, and the server never hears of it', async () => {
    const reads = Number(textOf(await call('one__cancelled')));
    await set({ fault: 'error', tool: 'cancelled', code: -32099, message: 'out of coal' });
    await assert.rejects(call('one__cancelled'), (error: Error) => /out of coal/.test(error.message));
    await control.call('faults/clear', {});
    assert.equal(Number(textOf(await call('one__cancelled'))), reads);
  });

  it('truncate: an answer that is no JSON', async () => {
    await set({ fault: 'truncate', tool: 'echo', bytes: 20 });
    const text = await failed('one__echo');
    assert.match(text, /SBX_SERVER_NOT_JSON/);
    assert.match(text, /begins with: \{"jsonrpc":"2\.0","id$/m);
  });

  it('disconnect: the connection breaks, and the next call finds another one', async () => {
    await set({ fault: 'disconnect', tool: 'echo', times: 1, server: 'two' });
    const text = await failed('two__echo');
    assert.match(text, /SBX_FAULT|SBX_SERVER_EXITED|SBX_CALL_INTERRUPTED/);
    const again = async (): Promise<boolean> => (await call('two__echo').catch(() => undefined))?.['isError'] === undefined;
    for (const end = Date.now() + 20_000; !(await again()); ) assert.ok(Date.now() < end, 'it comes back');
  });

  it('strikes only the server, the method and the tool it names, and only the nth or with its dice', async () => {
    await set({ fault: 'error', server: 'o*', method: 'tools/*', tool: 'ec*', nth: 2, message: 'no' });
    assert.equal(await echo('one'), 'x');
    assert.equal(await echo('two'), 'x');
    await assert.rejects(echo('one'), /no/);
    assert.equal(await echo('one'), 'x');
    await control.call('faults/clear', {});
    const rule: FaultRule = { fault: 'error', probability: 0.5, seed: 7, tool: 'echo', message: 'no' };
    await set(rule);
    const dice = new ActiveRule(rule);
    for (let index = 0; index < 20; index++) {
      const struck = dice.strikes('one', 'tools/call', 'echo');
      assert.equal(
        await echo().then(
          () => false,
          () => true,
        ),
        struck,
        `throw ${index}`,
      );
    }
    assert.ok(dice.made > 3 && dice.made < 17);
  });
});

describe('faults', () => {
  it('are seen in the status and at their servers as long as they hold, and end by themselves', async () => {
    assert.equal((await daemon.status()).faults, undefined);
    const { id } = await set({ fault: 'latency', ms: 1, server: 'one' });
    const { faults, servers } = await daemon.status();
    assert.deepEqual(
      faults?.map((fault) => [fault.id, fault.from]),
      [[id, 'set']],
    );
    assert.deepEqual(
      servers.map(({ name, problems }) => [name, problems?.[0]?.code]),
      [
        ['one', 'SBX_FAULT'],
        ['two', undefined],
        ['lost', undefined],
      ],
    );
    const shown = statusText(await daemon.status());
    assert.match(shown, /FAULTS ARE PUT INTO CALLS ON PURPOSE/);
    await control.call('faults/clear', {});
    await set({ fault: 'latency', ms: 1, server: 'one' }, 0.005);
    for (const end = Date.now() + 20_000; (await control.call('faults/list', {})).faults.length > 0; ) assert.ok(Date.now() < end);
  });

  it('are set, listed and cleared on the command line', async () => {
    const made = JSON.parse((await run('faults', 'set', 'error,tool=echo,message=no steam', '--minutes', '5', '--json')).stdout) as {
      id: string;
    };
    await assert.rejects(echo(), /no steam/);
    const listed = await run('faults', 'list');
    assert.match(listed.stdout, new RegExp(`${made.id}.*1 of 1 requests`));
    assert.equal((await run('faults', 'clear', 'nothing')).code, 1);
    assert.equal((await run('faults', 'clear', made.id)).stdout, '1 cleared.\n');
    assert.equal((await run('faults', 'set', 'latency')).code, 2);
    assert.equal((await run('faults', 'set', 'drop', '--minutes', '0')).code, 2);
    assert.equal(await echo(), 'x');
  });

  it('of the configuration hold as long as they stand there', async () => {
    const servers = {
      ...CONFIG.servers,
      two: { ...CONFIG.servers.two, faults: [{ fault: 'error', tool: 'echo', message: 'closed for works' }] },
    };
    writeFileSync(daemon.home.paths.configFile, JSON.stringify({ ...CONFIG, servers }));
    for (const end = Date.now() + 20_000; (await control.call('faults/list', {})).faults.length === 0; ) assert.ok(Date.now() < end);
    await assert.rejects(echo('two'), /closed for works/);
    assert.equal(await echo('one'), 'x');
    assert.equal((await control.call('faults/clear', {})).cleared, 0);
    writeFileSync(daemon.home.paths.configFile, JSON.stringify(CONFIG));
    for (const end = Date.now() + 20_000; (await control.call('faults/list', {})).faults.length > 0; ) assert.ok(Date.now() < end);
    assert.equal(await echo('two'), 'x');
  });
});
