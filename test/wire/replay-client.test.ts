import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import type { ControlClient } from '../../daemon/api/control-client.ts';
import { signalboxPaths } from '../../daemon/api/paths.ts';
import type { RecordingInfo, ReplayReport, ReplayTarget } from '../../daemon/api/recordings.ts';
import { COMMANDS } from '../../daemon/cli/commands.ts';
import { openControl, runningDaemon } from '../../daemon/cli/connection.ts';
import { runProgram } from '../../daemon/cli/program.ts';
import { recordedAt } from '../../daemon/cli/replay-client/recorded-at.ts';
import { workspaceId } from '../../daemon/config/folders.ts';
import { type DaemonFixture, type Finished, startDaemonFixture } from '../fixtures/daemon.ts';
import { type LinkHouse, linkHouse, REPLAYED, type RecordedClient, recorded } from '../fixtures/recorded-session.ts';

type Json = Record<string, unknown>;
let daemon: DaemonFixture;
let control: ControlClient;
let house: LinkHouse;
let area: string;

/** What the bundled API server is given. */
const API = {
  openapi: '3.1.0',
  info: { title: 'Nothing', version: '1' },
  servers: [{ url: 'http://127.0.0.1:9' }],
  paths: { '/things': { get: { operationId: 'listThings', responses: { 200: { description: 'Things' } } } } },
};
/** The three bundled servers and one whose builds differ. */
before(async () => {
  house = linkHouse();
  daemon = await startDaemonFixture({
    config: (home) => {
      area = join(home.dir, 'area');
      mkdirSync(area);
      writeFileSync(join(area, 'notes.txt'), 'first line\nsecond line\n');
      const db = new DatabaseSync(join(area, 'app.db'));
      db.exec("CREATE TABLE person (id INTEGER, name TEXT); INSERT INTO person VALUES (1, 'Ada'), (2, 'Grace')");
      db.close();
      writeFileSync(join(home.dir, 'api.json'), JSON.stringify(API));
      return {
        servers: {
          fs: { plugin: 'filesystem', settings: { roots: [area], access: 'read' } },
          db: { plugin: 'database', settings: { connections: { main: `sqlite:${join(area, 'app.db')}` } } },
          api: { plugin: 'api', settings: { spec: join(home.dir, 'api.json') } },
          mine: server(),
        },
        namespaces: { all: ['fs', 'db', 'api', 'mine'] },
        endpoints: { default: { namespaces: ['all'] } },
      };
    },
  });
  control = await openControl(await runningDaemon(daemon.home.paths));
  // A list does not wait for ever for a server that is just starting: what is recorded first must be whole.
  for (let tries = 0; tries < 400; tries++) {
    const { tools } = await control.call('tools/list', {});
    if (new Set(tools.map((one) => one.server)).size === 4) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the servers did not start');
});
after(async () => {
  control.close();
  await house.close();
  await daemon.stop();
});

function server(...changes: string[]): Json {
  return { command: process.execPath, args: [REPLAYED, ...changes] };
}

/** What a client asks of all four servers. */
async function talk(client: RecordedClient): Promise<void> {
  await client.request('tools/list');
  await Promise.all([
    client.call('fs__read_text_file', { path: join(area, 'notes.txt') }),
    client.call('db__query', { sql: 'SELECT * FROM person ORDER BY id' }),
    client.call('mine__sum', { numbers: [1, 2] }),
  ]);
  await client.call('mine__fixed');
  const made = (await client.call('mine__ticket'))['result'] as { structuredContent: Json };
  await client.call('mine__use', made.structuredContent);
  await client.call('mine__count', { to: 3 }, { progressToken: 'p' });
  const waits = client.call('mine__wait');
  await new Promise((resolve) => setTimeout(resolve, 200));
  client.cancel(waits.id);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await client.call('mine__release');
  await client.request('prompts/list');
  await client.request('resources/list');
  await client.call('mine__write', { text: 'x' });
}

/** Records what a client says to the endpoint of the daemon. */
async function record(era: 'legacy' | 'modern', name: string): Promise<RecordingInfo> {
  await control.call('record/start', { name });
  await recorded(house.opener({ type: 'http', url: daemon.url, headers: { authorization: `Bearer ${daemon.token}` } }), era, talk);
  return control.call('record/stop', { recording: name });
}

const UNTIMED = { slower: { floorMs: 60_000 } };
/** A replay in the daemon. */
function replay(
  recording: string,
  against: ReplayTarget,
  more: { readonly update?: boolean; readonly server?: string } = {},
): Promise<ReplayReport> {
  return control.call('replay/run', { recording, against, rules: UNTIMED, timeoutMs: 60_000, ...more });
}
const alone = (name: string): ReplayTarget => ({ kind: 'server', server: name });
const ENDPOINT: ReplayTarget = { kind: 'endpoint', endpoint: 'default' };

/** The command line in this process, where no daemon runs. */
async function cli(...args: string[]): Promise<Finished> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const paths = signalboxPaths({
    platform: process.platform,
    home: daemon.home.dir,
    env: { SIGNALBOX_STATE_DIR: join(daemon.home.dir, 'nobody') },
  });
  const { env, cwd } = daemon.home;
  const words = ['replay', ...args.slice(0, 1), '--as', 'client', '--slower-floor', '60000', ...args.slice(1)];
  const code = await runProgram(COMMANDS, words, {
    paths,
    stdin: new PassThrough(),
    stdout,
    stderr,
    env,
    cwd,
    signal: new AbortController().signal,
  });
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}
const told = ({ differences }: ReplayReport): readonly string[] =>
  differences.map(
    ({ kind, method, target, changes }) =>
      `${kind} ${target ?? method} ${changes.map(({ pointer, inside = '' }) => pointer + inside).join(' ')}`,
  );

/** Another build of the server runs from now on: the configuration is changed, and the daemon takes it over when it has seen that. */
function build(...changes: string[]): void {
  const config = JSON.parse(readFileSync(daemon.home.paths.configFile, 'utf8')) as { servers: Json };
  config.servers['mine'] = server(...changes);
  writeFileSync(daemon.home.paths.configFile, JSON.stringify(config, null, 2));
}

/** What differs against a target, as soon as it is what is expected, or after a while. */
async function differing(target: ReplayTarget, expected: readonly string[]): Promise<readonly string[]> {
  for (let tries = 1; ; tries++) {
    const found = told(await replay('first-legacy', target)).flatMap((line) =>
      line.startsWith('skipped') ? [] : [line.replace('mine__', '').replace(/tools\/\d+/, 'tools/N')],
    );
    if (tries === 60 || JSON.stringify(found) === JSON.stringify(expected)) return found;
  }
}

for (const era of ['legacy', 'modern'] as const) {
  test(`${era}: recorded through the daemon, replayed against its endpoint and each server: no difference`, async () => {
    const { id, frames } = await record(era, `first-${era}`);
    assert.ok(frames > 20);
    const seen: number[] = [];
    const stop = control.onEvent((event, params) => void (event === 'replay' && 'done' in params && seen.push(params.done)));
    const report = await replay(id, ENDPOINT);
    stop();
    assert.deepEqual(told(report), ['skipped mine__write ']);
    assert.ok(report.equal >= 10, JSON.stringify(report));
    assert.ok(seen.length > 0, 'events tell how far it is');
    for (const name of era === 'legacy' ? ['mine', 'fs', 'db'] : ['mine']) {
      const own = await replay(id, alone(name));
      assert.deepEqual(told(own), name === 'mine' ? ['skipped write '] : [], name);
      assert.ok(own.equal > 0, name);
    }
  });
}

test('another build of a server: exactly that difference, through the endpoint and alone', async () => {
  for (const [change, expected] of [
    ['value', 'changed fixed /result/content/0/text/answer'],
    ['error', 'changed fixed /result/content/0/text /result/isError'],
  ] as const) {
    build(change);
    assert.deepEqual(await differing(alone('mine'), [expected]), [expected]);
    assert.deepEqual(await differing(ENDPOINT, [expected]), [expected]);
  }
  build('description');
  const listed = ['changed tools/list /result/tools/N/description'];
  assert.deepEqual(await differing(ENDPOINT, listed), listed);
  build();
  assert.deepEqual(await differing(ENDPOINT, []), []);
});

test('an exported recording against a command line, without the daemon: reports, exit codes, rules', async () => {
  const file = join(daemon.home.cwd, 'mine.jsonl');
  await control.call('record/export', { recording: 'first-legacy', to: file });
  const run = (changes: readonly string[], ...flags: string[]): Promise<Finished> =>
    cli(file, '--server', 'mine', ...flags, '--', process.execPath, REPLAYED, ...changes);
  const same = await run([]);
  assert.equal(same.code, 0, same.stdout + same.stderr);
  assert.match(same.stdout, /Not sent:\n {2}tools\/call write: /);
  assert.equal((await run([], '--fail-on-skipped')).code, 1);
  assert.equal((await run([], '--fail-on-skipped', '--allow', 'wr*')).code, 0);
  const other = await run(['value'], '--reporter', 'junit', '--output', 'report.xml');
  assert.equal(other.code, 1);
  const xml = readFileSync(join(daemon.home.cwd, 'report.xml'), 'utf8');
  assert.match(xml, /<testsuite [^>]*failures="1" skipped="1"/);
  assert.match(xml, /~ \/result\/content\/0\/text \(JSON\) \/answer: 42 → 43/);
  assert.equal((await run(['value'], '--ignore', '/result/content/0/text/answer')).code, 0);
  mkdirSync(join(daemon.home.cwd, '.signalbox'));
  const rules = join(daemon.home.cwd, '.signalbox', 'replay.jsonc');
  writeFileSync(rules, '// of this project\n{ "tools": { "fix*": { "volatile": ["/result/content/0/text/answer"] } } }');
  assert.equal((await run(['value'])).code, 0, 'the rules of the project');
  writeFileSync(rules, '{ "tool": {} }');
  const wrong = await run([]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /SBX_REPLAY_RULES/);
  writeFileSync(rules, '{}');
  assert.equal((await run([], '--reporter', 'sarif')).code, 2);
  assert.match((await run([], '--output', 'no/such/folder')).stderr, /SBX_USAGE: The report cannot be written/);
  const nobody = await cli(file, '--server', 'nobody', '--', process.execPath, REPLAYED);
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /SBX_REPLAY_NOTHING/);
  const unclear = await cli(file, '--', process.execPath, REPLAYED);
  assert.match(unclear.stderr, /has \d: .*db, fs, mine/);
  const served = await house.serve('value');
  const overHttp = await cli(file, '--server', 'mine', '--against', served, '--json');
  assert.equal(overHttp.code, 1, overHttp.stderr);
  assert.deepEqual(told(JSON.parse(overHttp.stdout) as ReplayReport), ['changed fixed /result/content/0/text/answer', 'skipped write ']);
  const gone = await cli(file, '--against', 'http://127.0.0.1:9/mcp');
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /SBX_SERVER_UNREACHABLE/);
  assert.equal((await cli(file, '--against', 'endpoint:default')).code, 3, 'an endpoint needs the daemon');
});

test('unless told otherwise it is played where it was recorded, while that is there', async () => {
  const { cwd } = daemon.home;
  const file = join(cwd, 'place.jsonl');
  await control.call('record/export', { recording: 'first-legacy', to: file });
  const recordedIn = (name: string, workspace?: string): void => {
    const place = workspace === undefined ? '' : `,"workspace":"${workspace}"`;
    const path = `"endpoint":"/mcp/${workspace === undefined ? '' : `${workspace}/`}${name}"${place}`;
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/"endpoint":"[^"]*"(?:,"workspace":"[^"]*")?/g, path));
  };
  assert.deepEqual(await recordedAt(control, file, cwd), { kind: 'endpoint', endpoint: 'default' });
  const folder = join(cwd, 'project');
  mkdirSync(join(folder, 'src'), { recursive: true });
  recordedIn('default', workspaceId(folder));
  // nobody has opened it, and it is not here
  assert.deepEqual(await recordedAt(control, file, cwd), { kind: 'endpoint', endpoint: 'default' });
  const there = { kind: 'endpoint', endpoint: 'default', workspace: folder };
  assert.deepEqual(await recordedAt(control, file, join(folder, 'src')), there);
  await control.call('workspace/open', { folder });
  assert.deepEqual(await recordedAt(control, file, cwd), there);
  recordedIn('gone');
  assert.deepEqual(await recordedAt(control, file, cwd), { kind: 'endpoint', endpoint: 'default' });
});

test('accepted answers are a new version of the recording, the old one stays', async () => {
  const file = join(daemon.home.cwd, 'kept.jsonl');
  await control.call('record/export', { recording: 'first-legacy', to: file });
  const command = (...changes: string[]): ReplayTarget => ({
    kind: 'stdio',
    command: process.execPath,
    args: [REPLAYED, ...changes],
    cwd: daemon.home.cwd,
  });
  const before = readFileSync(file, 'utf8');
  const first = await replay(file, command('value'), { update: true, server: 'mine' });
  assert.deepEqual([first.updated?.accepted, first.updated?.path], [1, file]);
  assert.equal(readFileSync(first.updated?.old ?? '', 'utf8'), before);
  const lines = new Set(before.split('\n'));
  const changed = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !lines.has(line));
  assert.equal(changed.length, 1, 'a diff of the files shows that answer alone');
  assert.deepEqual(told(await replay(file, command('value'), { server: 'mine' })), ['skipped write ']);

  // A notification more: everything behind it has another number.
  const second = await replay(file, command('value', 'notification'), { update: true, server: 'mine' });
  assert.match(second.updated?.old ?? '', /kept\.v2\.jsonl$/);
  assert.deepEqual(told(await replay(file, command('value', 'notification'), { server: 'mine' })), ['skipped write ']);

  const kept = await replay('first-modern', command('value'), { update: true, server: 'mine' });
  const { path = '', old = '' } = kept.updated ?? {};
  assert.ok(existsSync(old) && existsSync(path) && path !== old, 'a recording of the state directory');
  assert.deepEqual(told(await replay(path, command('value'), { server: 'mine' })), ['skipped write ']);
  assert.deepEqual(
    readdirSync(daemon.home.paths.recordingsDir).filter((name) => name.startsWith('.')),
    [],
  );
  assert.deepEqual(told(await control.call('record/compare', { recording: first.updated?.old ?? '', with: 'first-legacy' })), []);
});

test('what is asked for wrongly is refused', async () => {
  for (const against of [
    {},
    { kind: 'server' },
    { kind: 'stdio', command: 'x', args: [], cwd: 'relative' },
    { kind: 'http', url: 'ftp://x' },
  ])
    await assert.rejects(replay('first-legacy', against as never), { code: 'SBX_USAGE' });
  await assert.rejects(replay('first-legacy', { kind: 'server', server: 'nobody' }), { code: 'SBX_SERVER_UNKNOWN' });
  await assert.rejects(replay('first-legacy', { kind: 'endpoint', endpoint: 'nobody' }), { code: 'SBX_ENDPOINT_UNKNOWN' });
  await assert.rejects(replay('no-such', ENDPOINT), { code: 'SBX_RECORDING_UNKNOWN' });
  const clients = await control.call('clients/list', {});
  assert.ok(!clients.clients.some(({ client }) => client.startsWith('signalbox-replay')), 'the credential of a replay is taken back');
});
