/** Every client: where its file is on each system, what stands in it, and that whatever else stands there survives. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { parse as parseToml } from 'smol-toml';
import { signalboxPaths } from '../../../../daemon/api/paths.ts';
import { readClientFile, valueAt } from '../../../../daemon/wiring/client-file.ts';
import { WIRABLE_CLIENTS } from '../../../../daemon/wiring/clients.ts';
import { wiringOf } from '../../../../daemon/wiring/entry-wiring.ts';
import { clientStatus } from '../../../../daemon/wiring/status.ts';
import type { WiringEnvironment } from '../../../../daemon/wiring/wiring.ts';

const dirs: string[] = [];
after(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

function machine(platform: NodeJS.Platform = process.platform): WiringEnvironment {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-clients-')));
  dirs.push(dir);
  for (const name of ['home', 'project']) mkdirSync(join(dir, name));
  const paths = signalboxPaths({ platform: process.platform, home: join(dir, 'home'), env: { SIGNALBOX_STATE_DIR: join(dir, 'state') } });
  return { paths, env: { PATH: '' }, cwd: join(dir, 'project'), platform, home: join(dir, 'home') };
}

const clientNamed = (name: string) => {
  const found = WIRABLE_CLIENTS.find((client) => client.name === name);
  assert.ok(found);
  return found;
};

/** Home and project stand for themselves; POSIX separators. */
const FILES: Record<string, Record<string, string>> = {
  'claude-code': { user: 'home/.claude.json', local: 'home/.claude.json', project: 'project/.mcp.json' },
  vscode: { user: 'home/.config/Code/User/mcp.json', project: 'project/.vscode/mcp.json' },
  cursor: { user: 'home/.cursor/mcp.json', project: 'project/.cursor/mcp.json' },
  codex: { user: 'home/.codex/config.toml', project: 'project/.codex/config.toml' },
  gemini: { user: 'home/.gemini/settings.json', project: 'project/.gemini/settings.json' },
  copilot: { user: 'home/.copilot/mcp-config.json', project: 'project/.github/mcp.json' },
  zed: { user: 'home/.config/zed/settings.json', project: 'project/.zed/settings.json' },
  windsurf: { user: 'home/.codeium/windsurf/mcp_config.json' },
  'claude-desktop': { user: 'home/.config/Claude/claude_desktop_config.json' },
};
const MAC: Record<string, string> = {
  vscode: 'home/Library/Application Support/Code/User/mcp.json',
  zed: 'home/.config/zed/settings.json',
  'claude-desktop': 'home/Library/Application Support/Claude/claude_desktop_config.json',
};

describe('where clients keep their servers', () => {
  it('covers all nine', () => assert.deepEqual(WIRABLE_CLIENTS.map(({ name }) => name).sort(), Object.keys(FILES).sort()));

  for (const [name, scopes] of Object.entries(FILES))
    it(`${name}: every scope it has, on Linux`, () => {
      const environment = machine('linux');
      const root = dirname(environment.home);
      const found = Object.fromEntries(
        clientNamed(name).scopes.map((scope) => [
          scope,
          clientNamed(name)
            .place(scope, environment)
            .file.slice(root.length + 1),
        ]),
      );
      assert.deepEqual(found, scopes);
    });

  it('elsewhere on macOS, and in APPDATA on Windows', () => {
    const mac = machine('darwin');
    for (const [name, file] of Object.entries(MAC))
      assert.equal(
        clientNamed(name)
          .place('user', mac)
          .file.slice(dirname(mac.home).length + 1),
        file,
      );
    const windows = { ...machine('win32'), env: { APPDATA: '/appdata' } };
    for (const name of Object.keys(MAC)) assert.match(clientNamed(name).place('user', windows).file, /^\/appdata\/(Code|Zed|Claude)\//);
  });

  it('follows the variables clients move their files with', () => {
    const moved = { ...machine('linux'), env: { CODEX_HOME: '/c', COPILOT_HOME: '/p', GEMINI_CLI_HOME: '/g', XDG_CONFIG_HOME: '/x' } };
    const file = (name: string): string => clientNamed(name).place('user', moved).file;
    assert.deepEqual(['codex', 'copilot', 'gemini', 'vscode', 'zed'].map(file), [
      '/c/config.toml',
      '/p/mcp-config.json',
      '/g/.gemini/settings.json',
      '/x/Code/User/mcp.json',
      '/x/zed/settings.json',
    ]);
  });
});

describe('what is written', () => {
  for (const client of WIRABLE_CLIENTS)
    for (const scope of client.scopes)
      it(`${client.name}, ${scope}: preview is what is written, twice is once, undo leaves no file`, async () => {
        const environment = machine();
        const wiring = wiringOf(client, scope, environment);
        const { file, path, format } = client.place(scope, environment);
        const preview = await wiring.preview();
        assert.equal(existsSync(file), false, 'a preview writes nothing');
        assert.match(preview.diff ?? '', /^\+.*signalbox/m);
        assert.equal((await wiring.write()).changed, true);
        const entry = valueAt(readClientFile(file, format), path) as { command: string; args: string[] };
        assert.equal(entry.command, scope === 'project' ? 'npx' : environment.paths.launcher);
        assert.deepEqual(entry.args.slice(-2), ['--client', client.name]);
        if (scope === 'project')
          assert.equal(readFileSync(file, 'utf8').includes(dirname(environment.home)), false, 'nothing of this machine');
        assert.equal((await wiring.write()).changed, false);
        assert.deepEqual(
          clientStatus(client, environment)
            .scopes.filter(({ wired }) => wired)
            .map((status) => status.scope),
          [scope],
        );
        await wiring.undo();
        assert.equal(existsSync(file), false);
      });

  it('Copilot is allowed all tools, Zed is told it is a custom server', async () => {
    const environment = machine();
    for (const name of ['copilot', 'zed']) await wiringOf(clientNamed(name), 'user', environment).write();
    const entry = (name: string): unknown => {
      const { file, path, format } = clientNamed(name).place('user', environment);
      return valueAt(readClientFile(file, format), path);
    };
    assert.partialDeepStrictEqual(entry('copilot'), { type: 'local', tools: ['*'] });
    assert.partialDeepStrictEqual(entry('zed'), { source: 'custom' });
  });
});

/** Texts as people and programs leave them: layout, comments, byte order marks and Windows line ends included. */
const word = fc.stringMatching(/^[a-zA-Z][\w-]{0,8}$/).filter((key) => key !== 'signalbox');
const comment = fc.constantFrom('', '// mine\n', '/* keep\n this */ ', '\n\n', '\t');
const json = fc
  .dictionary(word, fc.jsonValue(), { maxKeys: 5 })
  .chain((value) => fc.constantFrom(undefined, 2, 4, '\t').map((indent) => JSON.stringify(value, null, indent)));
const jsonc = fc
  .tuple(comment, json, comment)
  .map(([before, text, after]) => `${before}${text.replace(/^\{(?=.)/s, `{ ${before}`)}\n${after}`);
const tomlLine = fc.oneof(
  fc
    .tuple(
      word,
      fc.oneof(
        fc.integer(),
        fc.boolean(),
        fc.constant('"a # b"'),
        fc.constant("'''\n[not.a.header]\n'''"),
        fc.constant('[1,\n  2, # two\n]'),
      ),
    )
    .map(([key, value]) => `${key} = ${value}`),
  fc.constantFrom('# a comment', '', '   ', '#[mcp_servers.signalbox]'),
);
const toml = fc
  .tuple(
    fc.array(tomlLine, { maxLength: 4 }),
    fc.uniqueArray(fc.tuple(word, fc.array(tomlLine, { maxLength: 3 })), { maxLength: 3, selector: ([key]) => key }),
    fc.boolean(),
  )
  .map(
    ([top, tables, end]) =>
      [
        ...top,
        ...tables.flatMap(([key, lines], index) => [index % 2 === 0 ? `[mcp_servers.${key}] # ${index}` : `[[x.${key}]]`, ...lines]),
      ].join('\n') + (end ? '\n' : ''),
  )
  .filter((text) => {
    try {
      parseToml(text);
      return true;
    } catch {
      return false; // the same key twice
    }
  });
const decorated = (text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(text, fc.boolean(), fc.boolean())
    .map(([body, bom, crlf]) => Buffer.from((bom ? '\uFEFF' : '') + (crlf ? body.replaceAll(/\r?\n/g, '\r\n') : body)));
const texts = { json: decorated(json), jsonc: decorated(jsonc), toml: decorated(toml) };

describe('whatever else stands in the file', () => {
  for (const client of WIRABLE_CLIENTS)
    it(`${client.name}: write and undo leave every byte`, async () => {
      const environment = machine();
      const { file, path, format } = client.place('user', environment);
      mkdirSync(dirname(file), { recursive: true });
      await fc.assert(
        fc.asyncProperty(texts[format], async (bytes) => {
          writeFileSync(file, bytes);
          const wiring = wiringOf(client, 'user', environment);
          await wiring.write();
          const written = readClientFile(file, format);
          assert.notEqual(valueAt(written, path), undefined);
          await wiring.undo();
          assert.deepEqual(readFileSync(file), bytes);
        }),
        { numRuns: 60, seed: 9 },
      );
    });

  for (const name of ['cursor', 'codex', 'windsurf'])
    it(`${name}: an undo after somebody else's edit takes out only our entry`, async () => {
      const environment = machine();
      const client = clientNamed(name);
      const { file, format } = client.place('user', environment);
      mkdirSync(dirname(file), { recursive: true });
      await fc.assert(
        fc.asyncProperty(texts[format], async (bytes) => {
          writeFileSync(file, bytes);
          const before = valueAt(readClientFile(file, format), []) as object;
          const wiring = wiringOf(client, 'user', environment);
          await wiring.write();
          const written = readFileSync(file, 'utf8');
          const theirs = format === 'toml' ? `${written}\n[theirs]\nx = 1 # kept\n` : written.replace('{', '{"theirs":{"x":1},');
          writeFileSync(file, theirs);
          await wiring.undo();
          assert.deepEqual(valueAt(readClientFile(file, format), []), { ...before, theirs: { x: 1 } });
          if (format === 'toml') assert.match(readFileSync(file, 'utf8'), /x = 1 # kept/);
        }),
        { numRuns: 40, seed: 9 },
      );
    });

  it('keeps comments of a file that has them', async () => {
    const environment = machine();
    const { file } = clientNamed('zed').place('user', environment);
    mkdirSync(dirname(file), { recursive: true });
    const before = '// Zed settings\n{\n  // dark\n  "theme": "One", /* why */\n}\n';
    writeFileSync(file, before);
    await wiringOf(clientNamed('zed'), 'user', environment).write();
    const text = readFileSync(file, 'utf8');
    for (const kept of ['// Zed settings', '// dark', '/* why */']) assert.ok(text.includes(kept), kept);
  });

  it('a file of comments alone, as editors make it, counts as empty', async () => {
    const environment = machine();
    const { file } = clientNamed('vscode').place('user', environment);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '// nothing yet\n');
    await wiringOf(clientNamed('vscode'), 'user', environment).write();
    assert.match(readFileSync(file, 'utf8'), /^\/\/ nothing yet\n\{\n {2}"servers"/);
    await wiringOf(clientNamed('vscode'), 'user', environment).undo();
    assert.equal(readFileSync(file, 'utf8'), '// nothing yet\n');
  });
});

describe('what is refused', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['codex', 'broken TOML', 'a = = 1\n', 'SBX_WIRE_UNREADABLE'],
    ['codex', 'an inline table of servers', 'mcp_servers = { other = { command = "x" } }\n', 'SBX_WIRE_UNREADABLE'],
    ['codex', "somebody's own entry", '[mcp_servers.signalbox]\ncommand = "theirs"\n', 'SBX_WIRE_CONFLICT'],
    ['codex', 'servers that are no table', 'mcp_servers = 3\n', 'SBX_WIRE_UNREADABLE'],
    ['cursor', 'broken JSON', '{ "mcpServers": ', 'SBX_WIRE_UNREADABLE'],
    ['windsurf', 'comments Windsurf could not read itself', '{ /* mine */ }', 'SBX_WIRE_UNREADABLE'],
    ['zed', "somebody's own entry", '{"context_servers": {"signalbox": {"command": "theirs"}}}', 'SBX_WIRE_CONFLICT'],
  ];
  for (const [name, what, text, code] of cases)
    it(`${name}: ${what}`, async () => {
      const environment = machine();
      const { file } = clientNamed(name).place('user', environment);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      await assert.rejects(wiringOf(clientNamed(name), 'user', environment).write(), { code });
      assert.equal(readFileSync(file, 'utf8'), text);
    });
});
