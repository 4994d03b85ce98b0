/** The command line from outside: a finding, its replay on a broken and a mended server, its test, every report. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ConformReport } from '../../daemon/conformance/conform.ts';
import { htmlReport } from '../../daemon/conformance/reporters/html.ts';
import { junitReport } from '../../daemon/conformance/reporters/junit.ts';
import { prettyReport } from '../../daemon/conformance/reporters/pretty.ts';
import { sarifReport } from '../../daemon/conformance/reporters/sarif.ts';

const CLI = fileURLToPath(new URL('../../daemon/cli/main.ts', import.meta.url));
const SERVER = fileURLToPath(new URL('./reference/main.ts', import.meta.url));
const QUIET = '--disable-warning=ExperimentalWarning';

/** Runs a program to its end. */
function run(words: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<{ code: number; output: string }> {
  return new Promise((done) => {
    const { NODE_TEST_CONTEXT: _left, ...own } = process.env;
    execFile(process.execPath, [QUIET, ...words], { cwd, env: { ...own, ...env }, maxBuffer: 64e6 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), output: stdout + (error === null ? '' : stderr) }),
    );
  });
}

describe('signalbox conform', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-conform-'));
  const common = ['--era', 'legacy', '--runs', '3', '--only', 'tools/invalid-arguments'];
  let id = '';
  let report = {} as ConformReport;
  before(async () => {
    const { code, output } = await run(
      [CLI, 'conform', ...common, '--reporter', 'json', '--', process.execPath, QUIET, SERVER, 'TOOL-INPUT-VALIDATE'],
      folder,
    );
    assert.equal(code, 1, output);
    report = JSON.parse(output) as ConformReport;
    const found = report.findings.find(({ requirement }) => requirement === 'L-TOOL-INPUT-VALIDATE');
    id = found?.id ?? '';
    assert.ok(readdirSync(join(folder, '.signalbox', 'conformance')).includes(`${id}.json`));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('replays a case on the server it was found on, and on a mended one', async () => {
    const broken = await run([CLI, 'conform', '--replay', id, '--json'], folder);
    assert.equal(broken.code, 1, broken.output);
    const mended = await run([CLI, 'conform', '--replay', id, '--json', '--', process.execPath, QUIET, SERVER], folder);
    assert.equal(mended.code, 0, mended.output);
  });

  it('saves a case as a test that fails until the server is mended', async () => {
    const saved = await run([CLI, 'conform', '--save-as-test', id, '--json'], folder);
    const { file } = JSON.parse(saved.output) as { file: string };
    const SIGNALBOX = JSON.stringify([process.execPath, QUIET, CLI]);
    assert.equal((await run(['--test', file], folder, { SIGNALBOX })).code, 1);
    const stored = file.replace('.test.mjs', '.json');
    writeFileSync(stored, readFileSync(stored, 'utf8').replace('"TOOL-INPUT-VALIDATE"', '"NOTHING"'));
    const mended = await run(['--test', file], folder, { SIGNALBOX });
    assert.equal(mended.code, 0, mended.output);
  });

  it('writes every report', async () => {
    assert.match(prettyReport(report), /ERROR L-TOOL-INPUT-VALIDATE/);
    assert.match(junitReport(report), /<testcase classname="tools" name="L-TOOL-INPUT-VALIDATE"><failure/);
    assert.match(sarifReport(report), /"ruleId": "L-TOOL-INPUT-VALIDATE"/);
    assert.match(htmlReport(report), /<h2 class="error">L-TOOL-INPUT-VALIDATE/);
    const { code, output } = await run(
      [CLI, 'conform', ...common, '--no-store', '--reporter', 'events', '--', process.execPath, QUIET, SERVER, 'TOOL-INPUT-VALIDATE'],
      folder,
    );
    assert.equal(code, 1, output);
    const types = output
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    assert.deepEqual([types[0], types.at(-1), types.includes('finding')], ['start', 'end', true]);
  });

  it('counts a known finding of the baseline as known, and says when a server is silent', async () => {
    writeFileSync(join(folder, 'known.json'), '["L-TOOL-INPUT-VALIDATE"]');
    const { code } = await run(
      [CLI, 'conform', ...common, '--no-store', '--baseline', 'known.json', '--', process.execPath, QUIET, SERVER, 'TOOL-INPUT-VALIDATE'],
      folder,
    );
    assert.equal(code, 0);
    const silent = await run([CLI, 'conform', '--', process.execPath, '-e', 'process.exit(0)'], folder);
    assert.match(silent.output, /SBX_SERVER_UNREACHABLE/);
  });
});
