import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundled, connect, hostArgs, PEERS } from './client.ts';

const HELLO = fileURLToPath(new URL('../fixtures/plugins/hello', import.meta.url));
let base: string;
/** The example as a third party has it: far from any node_modules. */
let hello: string;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'sbx-host-'));
  hello = join(base, 'hello');
  cpSync(HELLO, hello, { recursive: true });
});
after(() => rmSync(base, { recursive: true, force: true }));

/** Runs the host to its end with `input` on stdin and `settings` on descriptor 3. */
async function run(folder: string, args: readonly string[], { input = '', settings }: { input?: string; settings?: string } = {}) {
  const child = spawn(process.execPath, hostArgs(folder, ...args), { stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'] });
  const [stdin, stdout, stderr, fd3, fd4] = child.stdio;
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  for (const stream of [stdin, fd3]) stream?.on('error', () => undefined);
  (fd3 as NodeJS.WritableStream).end(settings ?? '');
  stdin?.write(input);
  // A host that refuses must end although its standard input stays open.
  const answers = (input.match(/"id"/g) ?? []).length;
  let out = '';
  stdout?.on('data', (chunk) => {
    out += String(chunk);
    // Every request is answered: now the client goes, and the plugin must end by itself.
    if (out.split('\n').length > answers) stdin?.end();
  });
  const [errors, audit, code] = await Promise.all([text(stderr as never), text(fd4 as never), exit]);
  stdin?.end();
  return { code, out, errors, audit };
}

function plugin(name: string, manifest: unknown, main?: string): string {
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'plugin.json'), typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  if (main !== undefined) writeFileSync(join(folder, 'index.mjs'), main);
  return folder;
}
const MANIFEST = { name: 'x', version: '1.0.0', title: 'X', description: 'X', main: 'index.mjs', settings: { type: 'object' } };
const INITIALIZE = [
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
  '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  '',
].join('\n');
const greet = (name: string): string =>
  `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"greet","arguments":{"name":"${name}"}}}\n`;

describe('a third-party plugin', () => {
  for (const peer of PEERS) {
    it(`greets a ${peer} client`, async () => {
      const session = await connect(peer, hello, ['--greeting', 'Ahoy']);
      try {
        assert.deepEqual(await session.tools(), ['greet']);
        assert.deepEqual((await session.call('greet', { name: 'Ada' })).structured, { greeting: 'Ahoy, Ada!' });
        const refused = await session.call('greet', { name: 'nobody' });
        assert.ok(refused.isError);
        assert.equal(refused.text, 'HELLO_NOBODY: Nobody is there.\nCause: The name is "nobody".\nFix: Give a real name.');
        assert.ok((await session.call('greet', { name: 5 })).isError);
      } finally {
        await session.close();
      }
    });
  }
  it('gets its settings on descriptor 3, audits on 4, and ends with its client', async () => {
    const ended = await run(hello, ['--settings-fd', '3', '--audit-fd', '4'], {
      settings: '{"greeting":"Moin"}',
      input: INITIALIZE + greet('Bo'),
    });
    assert.equal(ended.code, 0, ended.errors);
    assert.match(ended.out, /Moin, Bo!/);
    const line = JSON.parse(ended.audit) as Record<string, unknown>;
    assert.deepEqual({ ...line, time: '' }, { time: '', plugin: 'hello', tool: 'greet', name: 'Bo' });
  });
  it('keeps standard output for the protocol, whatever the plugin prints', async () => {
    const noisy = plugin(
      'noisy',
      MANIFEST,
      `import { definePlugin } from 'mcp-signalbox/plugin';
console.log('noise 1'); process.stdout.write('noise 2\\n');
setInterval(() => undefined, 1000);
export default definePlugin({ register(server) { console.info('noise 3'); server.registerPrompt('p', {}, () => ({ messages: [] })); } });`,
    );
    const ended = await run(noisy, [], { input: INITIALIZE });
    assert.equal(ended.code, 0, ended.errors);
    for (const line of ended.out.trim().split('\n')) assert.equal((JSON.parse(line) as { jsonrpc: string }).jsonrpc, '2.0');
    for (const noise of ['noise 1', 'noise 2', 'noise 3']) assert.ok(ended.errors.includes(noise), noise);
  });
});

describe('the revision of a request', () => {
  const list = (id: number, version: string): string =>
    `${JSON.stringify({
      jsonrpc: '2.0',
      id,
      method: 'tools/list',
      params: { _meta: { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {} } },
    })}\n`;

  it('is judged for each request, after one that was served too', async () => {
    const { out, errors } = await run(hello, [], { input: list(1, '2026-07-28') + list(2, '1999-01-01') + list(3, '2026-07-28') });
    const answers = new Map(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: number; result?: object; error?: object })
        .map((answer) => [answer.id, answer]),
    );
    assert.deepEqual(
      [1, 3].map((id) => answers.get(id)?.result !== undefined),
      [true, true],
      errors,
    );
    assert.deepEqual(answers.get(2)?.error, {
      code: -32022,
      message: 'Unsupported protocol version: 1999-01-01',
      data: { supported: ['2026-07-28'], requested: '1999-01-01' },
    });
  });
});

describe('the host refuses, with exit code 2 and one readable message', () => {
  const cases: [string, () => readonly [string, readonly string[], string?], RegExp][] = [
    ['a folder without a manifest', () => [join(base, 'nothing'), []], /^SBX_PLUGIN_NOT_FOUND: [\s\S]*fix: /],
    ['a manifest that is not JSON', () => [plugin('broken', '{ nope'), []], /^SBX_PLUGIN_MANIFEST: .*is not JSON/],
    [
      'a manifest with a bad name',
      () => [plugin('named', { ...MANIFEST, name: 'No Good' }), []],
      /^SBX_PLUGIN_MANIFEST: [\s\S]*cause: name: /,
    ],
    ['a manifest without main', () => [plugin('mainless', { ...MANIFEST, main: undefined }), []], /^SBX_PLUGIN_MANIFEST: [\s\S]*"main"/],
    [
      'a main outside the folder',
      () => [plugin('climbing', { ...MANIFEST, main: '../x.mjs' }), []],
      /^SBX_PLUGIN_MANIFEST: [\s\S]*cause: main: /,
    ],
    ['an unknown key', () => [plugin('keyed', { ...MANIFEST, colour: 'red' }), []], /^SBX_PLUGIN_MANIFEST: [\s\S]*"colour"/],
    ['a main that is missing', () => [plugin('empty', MANIFEST), []], /^SBX_PLUGIN_MANIFEST: [\s\S]*does not exist/],
    ['a main without a plugin', () => [plugin('other', MANIFEST, 'export default {}'), []], /^SBX_PLUGIN_MANIFEST: [\s\S]*definePlugin/],
    [
      'wrong settings',
      () => [hello, ['--settings-fd', '3'], '{"greeting":5}'],
      /^SBX_PLUGIN_SETTINGS: [\s\S]*cause: greeting: [\s\S]*fix: .*greeting/,
    ],
    [
      'unknown settings',
      () => [bundled('filesystem'), ['--settings-fd', '3'], '{"rots":["."]}'],
      /^SBX_PLUGIN_SETTINGS: [\s\S]*"rots"[\s\S]*Known settings: roots/,
    ],
    ['settings that are not JSON', () => [hello, ['--settings-fd', '3'], '{'], /^SBX_PLUGIN_SETTINGS: /],
    ['settings that are no object', () => [hello, ['--settings-fd', '3'], '[]'], /^SBX_PLUGIN_SETTINGS: /],
    ['an unknown flag', () => [hello, ['--colour', 'red']], /^SBX_USAGE: [\s\S]*--greeting/],
    ['a connection without a name', () => [bundled('database'), ['--connection', 'x.db']], /^SBX_USAGE: [\s\S]*name=value/],
  ];
  for (const [name, make, expected] of cases) {
    it(name, async () => {
      const [folder, args, settings] = make();
      const ended = await run(folder, args, settings === undefined ? {} : { settings });
      assert.equal(ended.code, 2, ended.errors);
      assert.match(ended.errors, expected);
      assert.equal(ended.out, '');
    });
  }
  it('says where a plugin crashed, with exit code 1', async () => {
    const folder = plugin('crash', MANIFEST, "throw new Error('kaput');");
    const ended = await run(folder, []);
    assert.equal(ended.code, 1);
    assert.match(ended.errors, /^SBX_PLUGIN_CRASHED: [\s\S]*kaput[\s\S]*index\.mjs/);
  });
});
