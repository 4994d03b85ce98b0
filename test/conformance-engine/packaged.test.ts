/** The packaged form: what `npm run build` makes tests a server from an empty folder, without the sources and without node_modules. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../daemon/conformance/reporters/report.ts';

const BUILD = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'signalbox-packaged-'));
const [dist, empty] = [join(dir, 'dist'), join(dir, 'empty')];
after(() => rmSync(dir, { recursive: true }));

/** A server that answers every call alike, whatever the arguments. */
const SERVER = `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  if (id === undefined) return;
  const tool = { name: 'add', inputSchema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }, annotations: { readOnlyHint: true } };
  const result = { initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'plain', version: '1' } }, 'tools/list': { tools: [tool] }, 'tools/call': { content: [] }, ping: {} }[method];
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: 'Method not found' } }) }));
});`;

function run(words: readonly string[]): Promise<{ code: number; output: string; errors: string }> {
  const { NODE_TEST_CONTEXT: _left, NODE_PATH: _path, ...env } = process.env;
  return new Promise((done) => {
    execFile(
      process.execPath,
      [...words],
      { cwd: empty, env: { ...env, SIGNALBOX_STATE_DIR: join(dir, 'state') }, maxBuffer: 64e6 },
      (error, output, errors) => done({ code: error === null ? 0 : Number(error.code), output, errors }),
    );
  });
}

describe('the package', () => {
  before(async () => {
    mkdirSync(empty);
    const built = await run(['--disable-warning=ExperimentalWarning', BUILD, dist]);
    assert.equal(built.code, 0, built.errors);
    writeFileSync(join(dir, 'server.cjs'), SERVER);
  });
  const cli = (...words: readonly string[]): ReturnType<typeof run> => run([join(dist, 'signalbox.cjs'), ...words]);

  it('finds a fault, replays it and saves a test that runs alone', async () => {
    const only = ['--era', 'legacy', '--runs', '3', '--only', 'tools/invalid-arguments'];
    const found = await cli('conform', ...only, '--json', '--', process.execPath, join(dir, 'server.cjs'));
    assert.equal(found.code, 1, found.errors);
    const { findings } = JSON.parse(found.output) as Report;
    const [finding] = findings.filter(({ requirement }) => requirement === 'L-TOOL-INPUT-VALIDATE');
    assert.ok(finding !== undefined);
    const again = await cli('conform', '--replay', finding.id, '--json');
    assert.equal(again.code, 1, again.errors);
    const saved = await cli('conform', '--save-as-test', finding.id, '--json');
    rmSync(dist, { recursive: true });
    const tested = await run(['--test', (JSON.parse(saved.output) as { file: string }).file]);
    assert.equal(tested.code, 1);
    assert.match(tested.output, /expected an error/);
    assert.deepEqual(readdirSync(empty), ['.signalbox']);
  });
});
