/** The conformance runner behind the control channel: a private instance of a configured server, its events, its end. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ConformanceEvents, Finding, Summary } from '../../daemon/api/conformance.ts';
import type { ControlClient } from '../../daemon/api/control-client.ts';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { openControl, runningDaemon } from '../../daemon/cli/connection.ts';
import { type DaemonFixture, isRunning, REPOSITORY, startDaemonFixture } from '../fixtures/daemon.ts';

const SERVER = join(REPOSITORY, 'test', 'conformance-engine', 'reference', 'main.ts');
const QUIET = '--disable-warning=ExperimentalWarning';
const PASSWORD = 'correct-horse-battery-staple';
type Event = ConformanceEvents['conform']['event'];

describe('conformance on the control channel', () => {
  let daemon: DaemonFixture;
  let client: ControlClient;
  let folder = '';
  const open = async (): Promise<ControlClient> => openControl(await runningDaemon(daemon.home.paths));

  before(async () => {
    daemon = await startDaemonFixture({
      config: ({ cwd }) => ({
        servers: {
          faulty: {
            command: process.execPath,
            args: [QUIET, SERVER, 'TOOL-INPUT-VALIDATE', `--key=${'${secret:key}'}`],
            env: { KEY: '${secret:key}' },
          },
          fs: { plugin: 'filesystem', settings: { roots: [cwd] } },
          made: {
            chain: { twice: { description: 'x', inputSchema: { type: 'object' }, steps: [{ server: 'fs', tool: 'list_directory' }] } },
          },
        },
      }),
    });
    client = await open();
    await client.call('secrets/set', { name: 'key', value: PASSWORD });
    folder = daemon.home.cwd;
  });
  after(async () => {
    // a run that goes on ends with the daemon
    const { run: id } = await run(client, { target: { kind: 'server', server: 'faulty' }, eras: ['legacy'], runs: 200 });
    assert.ok(id);
    const running = (): number[] => readdirSync(daemon.home.paths.childrenDir).map((name) => Number(name.replace('.json', '')));
    await until(() => running().length > 0);
    const pids = running();
    await daemon.stop();
    assert.deepEqual(pids.filter(isRunning), []);
    client.close();
  });

  /** Begins a run and collects its events to the last. */
  async function run(
    on: ControlClient,
    params: Parameters<typeof client.call<'conform/run'>>[1],
  ): Promise<{ run: string; events: Event[]; over: Promise<Event[]> }> {
    const events: Event[] = [];
    let finish: (events: Event[]) => void = () => {};
    const over = new Promise<Event[]>((done) => {
      finish = done;
    });
    const told: ConformanceEvents['conform'][] = [];
    on.onEvent((name, event) => {
      if (name === 'conform') told.push(event as ConformanceEvents['conform']);
      for (const { run: of, event: one } of told.splice(0)) {
        if (id !== undefined && of !== id) continue;
        events.push(one);
        if (one.type === 'end' || one.type === 'failed') finish(events);
      }
    });
    let id: string | undefined;
    const { run } = await on.call('conform/run', params);
    id = run;
    return { run, events, over };
  }
  const findingsIn = (events: readonly Event[]): readonly Finding[] =>
    events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));

  it('lists the properties with their requirements', async () => {
    const { properties } = await client.call('conform/discover', {});
    const one = properties.find(({ name }) => name === 'tools/invalid-arguments');
    assert.ok(one?.requirements.includes('L-TOOL-INPUT-VALIDATE') && one.requirements.includes('M-TOOL-INPUT-VALIDATE'));
    assert.equal(new Set(properties.map(({ name }) => name)).size, properties.length);
  });

  it('tests a fresh instance of a configured server, stores what it finds without secrets, and reports', async () => {
    const { run: id, over } = await run(client, {
      target: { kind: 'server', server: 'faulty' },
      eras: ['legacy'],
      runs: 3,
      only: ['tools/invalid-arguments', 'lifecycle/handshake'],
      folder,
    });
    const events = await over;
    assert.equal(events[0]?.type, 'start');
    const last = events.at(-1);
    assert.equal(last?.type, 'end', JSON.stringify(last));
    const { outcomes } = (last as { summary: Summary }).summary;
    // both properties ran, and no third
    assert.equal(outcomes.find(({ requirement }) => requirement === 'L-LC-INIT-RESPOND')?.verdict, 'passed');
    assert.equal(outcomes.find(({ requirement }) => requirement === 'L-PAG-PARTITION')?.verdict, 'not-exercised');
    const [finding] = findingsIn(events).filter(({ requirement }) => requirement === 'L-TOOL-INPUT-VALIDATE');
    assert.equal(finding?.configured, 'faulty');
    assert.doesNotMatch(JSON.stringify(events), new RegExp(PASSWORD));
    assert.match(JSON.stringify(finding.target), /--key=/);
    const stored = readFileSync(join(folder, '.signalbox', 'conformance', `${finding.id}.json`), 'utf8');
    assert.doesNotMatch(stored, new RegExp(PASSWORD));
    assert.deepEqual(
      (await client.call('conform/findings', { folder })).findings.map((one) => one.id),
      findingsIn(events).map((one) => one.id),
    );
    // not the instance that clients use
    const faulty = (await client.call('status', {})).servers.find(({ name }) => name === 'faulty');
    assert.equal(faulty?.pid, undefined);
    for (const reporter of ['html', 'junit', 'sarif', 'json'])
      assert.match((await client.call('conform/report', { run: id, reporter })).text, /L-TOOL-INPUT-VALIDATE/);
    const again = await client.call('conform/replay', { id: finding.id, folder });
    assert.equal(again.holds, false);
    assert.match(again.finding?.got ?? '', /result/);
    const { file } = await client.call('conform/save', { id: finding.id, folder });
    assert.ok(existsSync(file));
  });

  it('starts a plugin with its settings, and refuses what has no process of its own', async () => {
    const { over } = await run(client, {
      target: { kind: 'server', server: 'fs' },
      eras: ['legacy'],
      runs: 1,
      only: ['tools/definitions', 'lifecycle/handshake'],
    });
    const events = await over;
    const last = events.at(-1) as { type: string; summary: Summary };
    assert.equal(last.type, 'end', JSON.stringify(last));
    assert.match(last.summary.server, /filesystem/);
    const tools = events.find((event) => event.type === 'tools');
    assert.ok((tools?.called.length ?? 0) > 0);
    const refused = (code: string) => (error: unknown) => error instanceof SignalboxError && error.code === code;
    await assert.rejects(client.call('conform/run', { target: { kind: 'server', server: 'made' } }), refused('SBX_CONFORM_TARGET'));
    await assert.rejects(client.call('conform/run', { target: { kind: 'server', server: 'nobody' } }), refused('SBX_SERVER_UNKNOWN'));
    await assert.rejects(client.call('conform/run', { target: { kind: 'stdio' } as never }), refused('SBX_USAGE'));
    const nowhere = { target: { kind: 'server', server: 'fs' } as const, folder: join(folder, 'nowhere') };
    await assert.rejects(client.call('conform/run', nowhere), refused('SBX_USAGE'));
    await assert.rejects(client.call('conform/report', { run: 'x', reporter: 'html' }), refused('SBX_CONFORM_RUN'));
  });

  it('is what `signalbox conform NAME` does, with the replay of what it found', async () => {
    const words = ['conform', 'faulty', '--era', 'legacy', '--runs', '2', '--only', 'tools/invalid-arguments', '--reporter', 'json'];
    const { code, stdout, stderr } = await daemon.home.signalbox(words);
    assert.equal(code, 1, stderr);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    const finding = findings.find(({ requirement }) => requirement === 'L-TOOL-INPUT-VALIDATE');
    assert.equal(finding?.configured, 'faulty');
    const again = await daemon.home.signalbox(['conform', '--replay', finding.id, '--json']);
    assert.equal(again.code, 1, again.stderr);
    assert.equal((JSON.parse(again.stdout) as { broken: boolean }).broken, true);
    assert.doesNotMatch(stdout + again.stdout, new RegExp(PASSWORD));
    const unknown = await daemon.home.signalbox(['conform', 'nobody']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /SBX_SERVER_UNKNOWN[\s\S]*faulty, fs/);
  });

  it('asks before tools are called, and calls none after a no', async () => {
    const { run: id, over } = await run(client, {
      target: { kind: 'server', server: 'faulty' },
      eras: ['legacy'],
      runs: 3,
      only: ['tools/invalid-arguments'],
      ask: true,
    });
    client.onEvent((name, params) => {
      const { run: of, event } = params as ConformanceEvents['conform'];
      if (name === 'conform' && of === id && event.type === 'tools') void client.call('conform/answer', { run: id, call: false });
    });
    const events = await over;
    assert.equal(events.at(-1)?.type, 'end');
    assert.deepEqual(findingsIn(events), []);
  });

  it('ends a run that is cancelled, and one whose connection ends, and leaves no process', async () => {
    const target = { kind: 'server', server: 'faulty' } as const;
    const pids = (): number[] => readdirSync(daemon.home.paths.childrenDir).map((name) => Number(name.replace('.json', '')));
    const none = new Set(pids());
    const mine = (): number[] => pids().filter((pid) => !none.has(pid) && isRunning(pid));

    const { run: id, over } = await run(client, { target, eras: ['legacy'], runs: 200 });
    await until(() => mine().length === 1);
    await client.call('conform/cancel', { run: id });
    const last = (await over).at(-1);
    if (last?.type === 'end') assert.ok(last.summary.outcomes.some(({ reason }) => reason === 'the run was ended before'));
    else assert.equal(last?.type === 'failed' && last.error.code, 'SBX_CONFORM_RUNNER');
    await until(() => mine().length === 0);

    const other = await open();
    await run(other, { target, eras: ['legacy'], runs: 200 });
    await until(() => mine().length === 1);
    other.close();
    await until(() => mine().length === 0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !condition(); ) {
    if (Date.now() > end) throw new Error('it never came');
    await new Promise((done) => setTimeout(done, 50));
  }
}
