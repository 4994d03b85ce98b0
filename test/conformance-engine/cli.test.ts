/** The command line from outside: findings, replays, a test that stands alone, exit codes, what a terminal is asked, watching. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { signalboxPaths } from '../../daemon/api/paths.ts';
import { COMMANDS } from '../../daemon/cli/commands.ts';
import { runProgram } from '../../daemon/cli/program.ts';
import type { Report } from '../../daemon/conformance/reporters/report.ts';

const CLI = fileURLToPath(new URL('../../daemon/cli/main.ts', import.meta.url));
const SERVER = fileURLToPath(new URL('./reference/main.ts', import.meta.url));
const WORLD = fileURLToPath(new URL('./reference/world.ts', import.meta.url));
const QUIET = '--disable-warning=ExperimentalWarning';
const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const folder = mkdtempSync(join(tmpdir(), 'signalbox-conform-'));
const { NODE_TEST_CONTEXT: _left, ...inherited } = process.env;
/** A state of its own: no daemon runs there. */
const environment = { ...inherited, SIGNALBOX_STATE_DIR: join(folder, 'state'), SIGNALBOX_CONFIG_DIR: join(folder, 'config') };
after(() => rmSync(folder, { recursive: true }));

/** Runs a program to its end. */
function run(
  words: readonly string[],
  cwd = folder,
  env: Record<string, string> = {},
): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [QUIET, ...words], { cwd, env: { ...environment, ...env }, maxBuffer: 64e6 }, (error, output, errors) =>
      done({ code: error === null ? 0 : Number(error.code), output, errors }),
    );
  });
}
const broken = ['--', process.execPath, QUIET, SERVER, 'TOOL-INPUT-VALIDATE'];
const common = ['--era', 'legacy', '--runs', '3', '--only', 'tools/invalid-arguments'];
/** In this process: a command line costs more to start than what it does here. */
const conform = (...words: readonly string[]): Promise<Seen> => program(['conform', ...words]);

describe('signalbox conform', { concurrency: 3 }, () => {
  let id = '';
  before(async () => {
    const { code, output, errors } = await conform(...common, '--reporter', 'json', ...broken);
    assert.equal(code, 1, output + errors);
    const report = JSON.parse(output) as Report;
    id = report.findings.find(({ requirement }) => requirement === 'L-TOOL-INPUT-VALIDATE')?.id ?? '';
    assert.ok(readdirSync(join(folder, '.signalbox', 'conformance')).includes(`${id}.json`));
  });

  it('replays a case on the server it was found on, every time, and on a mended one', async () => {
    for (let round = 0; round < (FULL ? 10 : 2); round++) {
      const again = await conform('--replay', id, '--json');
      assert.equal(again.code, 1, again.output + again.errors);
    }
    const mended = await conform('--replay', id, '--json', '--', process.execPath, QUIET, SERVER);
    assert.equal(mended.code, 0, mended.output);
  });

  it('saves a case as a test that stands alone, and fails until the server is mended', async () => {
    const saved = await conform('--save-as-test', id, '--json');
    const { file } = JSON.parse(saved.output) as { file: string };
    assert.doesNotMatch(readFileSync(file, 'utf8'), /from '(?!node:)/);
    // another folder, with nothing but these files and no node_modules above it
    const alone = join(folder, 'alone');
    const cases = join(alone, '.signalbox', 'conformance');
    mkdirSync(cases, { recursive: true });
    for (const name of readdirSync(join(folder, '.signalbox', 'conformance')))
      if (name.startsWith(id) || name.startsWith('checker-')) cpSync(join(folder, '.signalbox', 'conformance', name), join(cases, name));
    const copy = join(cases, `${id}.test.mjs`);
    const failing = await run(['--test', copy], alone);
    assert.equal(failing.code, 1, failing.output);
    assert.match(failing.output, /expected an error/);
    const mended = await run(['--test', copy], alone, { SIGNALBOX_TARGET: JSON.stringify([process.execPath, QUIET, SERVER]) });
    assert.equal(mended.code, 0, mended.output);
  });

  it('writes events as they come, and a report into a file', async () => {
    const { code, output } = await conform(...common, '--no-store', '--reporter', 'events', ...broken);
    assert.equal(code, 1, output);
    const types = output
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    assert.deepEqual([types[0], types.at(-1), types.includes('finding'), types.includes('tools')], ['start', 'end', true, true]);
    const html = await conform(...common, '--no-store', '--reporter', 'html', '--output', 'report.html', ...broken);
    assert.equal(html.output, '');
    assert.match(readFileSync(join(folder, 'report.html'), 'utf8'), /L-TOOL-INPUT-VALIDATE/);
  });

  it('counts what --fail-on and --baseline say', async () => {
    const written = await conform(...common, '--no-store', '--write-baseline', 'known.json', ...broken);
    assert.equal(written.code, 1, written.output);
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8')), [id]);
    assert.equal((await conform(...common, '--no-store', '--baseline', 'known.json', ...broken)).code, 0);
    writeFileSync(join(folder, 'requirements.json'), '["L-TOOL-INPUT-VALIDATE"]');
    assert.equal((await conform(...common, '--no-store', '--baseline', 'requirements.json', ...broken)).code, 0);
    const warned = ['--era', 'legacy', '--runs', '1', '--only', 'changes/announced', '--no-store', '--settings', 'roles.json'];
    writeFileSync(join(folder, 'roles.json'), '{ "arguments": { "grow": { "really": true } }, "roles": { "changes": "grow" } }');
    const world = ['--', process.execPath, QUIET, WORLD, join(folder, 'world.log')];
    assert.deepEqual(
      (await Promise.all([conform(...warned, ...world), conform(...warned, '--fail-on', 'warning', ...world)])).map(({ code }) => code),
      [0, 1],
    );
  });

  it('says what is wrong with what it was given', async () => {
    const silent = await conform('--', process.execPath, '-e', 'process.exit(0)');
    assert.equal(silent.code, 1);
    assert.match(silent.errors, /SBX_SERVER_UNREACHABLE/);
    for (const [words, code, text] of [
      [['no-such-server'], 3, /SBX_DAEMON_UNREACHABLE/],
      [[], 2, /needs a server/],
      [['--reporter', 'xml', ...broken], 2, /no reporter `xml`/],
      [['--fail-on', 'all', ...broken], 2, /not a severity/],
      [['--baseline', 'none.json', ...broken], 2, /cannot be read/],
      [['--runs', '0', ...broken], 2, /above zero/],
      [['--token', '@none', 'http://127.0.0.1:9/mcp'], 2, /--token names a file/],
      [['--settings', 'none.jsonc', ...broken], 2, /SBX_CONFORM_SETTINGS/],
      [['--replay', 'ffffffffff'], 2, /SBX_CONFORM_CASE/],
    ] as const) {
      const refused = await conform(...words);
      assert.equal(refused.code, code, `${words.join(' ')}: ${refused.output}${refused.errors}`);
      assert.match(refused.errors, text);
    }
  });

  it('asks on a terminal before it calls tools, and calls none after a no', async () => {
    const log = join(folder, 'asked.log');
    const words = [
      'conform',
      '--era',
      'legacy',
      '--no-store',
      '--allow',
      'deploy',
      '--runs',
      '2',
      '--only',
      'tools/valid-arguments',
      '--',
      process.execPath,
      QUIET,
      WORLD,
      log,
    ];
    const no = await program(words, 'n');
    assert.match(no.errors, /tools that will be called: deploy; not called.*nap/);
    assert.match(no.errors, /Call this tool with generated arguments\? \[y\/N\]/);
    assert.equal(no.code, 0);
    assert.equal(existsSync(log), false);
    assert.equal((await program(words, 'y')).code, 0);
    assert.match(readFileSync(log, 'utf8'), /deploy/);
    const unasked = await program(['conform', '--yes', ...words.slice(1)], '');
    assert.doesNotMatch(unasked.errors, /\[y\/N\]/);
  });

  it('watches: runs again when a source changes, what failed first, until it is ended', async () => {
    const own = join(folder, 'watched');
    mkdirSync(own);
    const source = join(own, 'server.mjs');
    const server = (faults: string): string =>
      `import { spawn } from 'node:child_process'; spawn(process.execPath, ['${QUIET}', ${JSON.stringify(SERVER)}${faults}], { stdio: 'inherit' }).on('exit', (code) => process.exit(code ?? 1));`;
    writeFileSync(source, server(", 'RES-NOT-FOUND-EMPTY'"));
    const words = [
      QUIET,
      CLI,
      'conform',
      '--watch',
      '*.mjs',
      '--era',
      'legacy',
      '--runs',
      '2',
      '--only',
      'resources/',
      '--only',
      'lifecycle/handshake',
      '--reporter',
      'events',
      '--no-store',
      '--',
      process.execPath,
      source,
    ];
    const child = spawn(process.execPath, words, { cwd: own, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines = events(child);
    await lines.until((seen) => seen.some(({ type }) => type === 'end'));
    await lines.waiting();
    const failed = lines.seen.find(({ type }) => type === 'finding')?.finding?.property;
    assert.ok(failed !== undefined);
    const first = lines.seen.find(({ type }) => type === 'progress')?.property;
    assert.notEqual(first, failed);
    lines.seen.length = 0;
    writeFileSync(source, server(''));
    await lines.until((seen) => seen.some(({ type }) => type === 'end'));
    // what failed comes first, and holds
    assert.equal(lines.seen.find(({ type }) => type === 'progress')?.property, failed);
    assert.deepEqual(
      lines.seen.filter(({ finding }) => finding?.severity === 'error'),
      [],
    );
    await lines.waiting();
    const over = new Promise((done) => child.once('exit', done));
    child.kill('SIGINT');
    assert.equal(await over, 0);
    assert.match(lines.errors(), /holds now: L-RES-NOT-FOUND-EMPTY/);
  });
});

interface Line {
  readonly type: string;
  readonly property?: string;
  readonly finding?: { readonly property: string; readonly severity: string };
}

/** The events a child writes, as they come. */
function events(child: ChildProcess): {
  readonly seen: Line[];
  errors(): string;
  until(condition: (seen: readonly Line[]) => boolean): Promise<void>;
  waiting(): Promise<void>;
} {
  const seen: Line[] = [];
  let [rest, errors, waits] = ['', '', 0];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    seen.push(...lines.map((line) => JSON.parse(line) as Line));
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const poll = async (condition: () => boolean): Promise<void> => {
    for (const end = Date.now() + 40_000; !condition(); ) {
      if (Date.now() > end || child.exitCode !== null) throw new Error(`it never came: ${errors}`);
      await new Promise((done) => setTimeout(done, 30));
    }
  };
  return {
    seen,
    errors: () => errors,
    until: (condition) => poll(() => condition(seen)),
    waiting: () => {
      waits++;
      return poll(() => (errors.match(/Watching\./g)?.length ?? 0) >= waits);
    },
  };
}

interface Seen {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command line; with `typed` as on a terminal where somebody answers the first question so. */
async function program(words: readonly string[], typed?: string): Promise<Seen> {
  const said = { output: '', errors: '' };
  const isTTY = typed !== undefined;
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const into = (key: 'output' | 'errors'): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[key] += chunk.toString();
        if (key === 'errors' && chunk.toString().includes('[y/N]')) stdin.write(`${typed}\n`);
        done();
      },
    });
  const code = await runProgram(COMMANDS, words, {
    paths: signalboxPaths({ platform: process.platform, home: folder, env: environment }),
    stdin,
    stdout: Object.assign(into('output'), { isTTY, columns: 100 }),
    stderr: into('errors'),
    env: environment,
    cwd: folder,
    signal: new AbortController().signal,
  });
  return { code, ...said };
}
