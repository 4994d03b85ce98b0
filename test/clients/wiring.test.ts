/** Real clients read what `signalbox wire` wrote; Gemini CLI connects through it. None of them has an account or talks to a model. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { finish, type Home, makeHome } from '../fixtures/daemon.ts';
import { cachedProgram } from './programs.ts';

describe('real clients', () => {
  let home: Home;
  before(() => {
    home = makeHome();
    // Somebody's own settings, with a comment where the client takes one.
    mkdirSync(join(home.dir, 'home', '.codex'));
    writeFileSync(join(home.dir, 'home', '.codex', 'config.toml'), '# mine\n[mcp_servers.other] # kept\ncommand = "other"\n');
  });
  after(() => home.remove());

  async function run(client: 'codex' | 'gemini' | 'copilot', ...words: string[]): Promise<string> {
    const program = cachedProgram(client) ?? '';
    const env = {
      ...home.env,
      PATH: [dirname(process.execPath), home.env['PATH'] ?? ''].join(delimiter),
      NO_COLOR: '1',
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
    };
    const { stdout, stderr } = await finish(program, words, { cwd: home.cwd, env });
    return stdout + stderr;
  }
  const skip = (client: 'codex' | 'gemini' | 'copilot'): string | false =>
    cachedProgram(client) === undefined && `${client} is not installed: run test/clients/install.sh`;

  it('Codex lists our entry beside its own', { skip: skip('codex') }, async () => {
    await home.json('wire', 'codex');
    const listed = await run('codex', 'mcp', 'list');
    assert.match(listed, /^signalbox +\S*signalbox +connect --client codex/m);
    assert.match(listed, /^other /m);
    await home.json('wire', 'codex', '--undo');
    assert.doesNotMatch(await run('codex', 'mcp', 'list'), /signalbox/);
    assert.equal(
      readFileSync(join(home.dir, 'home', '.codex', 'config.toml'), 'utf8'),
      '# mine\n[mcp_servers.other] # kept\ncommand = "other"\n',
    );
  });

  it('Gemini CLI connects through our entry', { skip: skip('gemini') }, async () => {
    await home.json('wire', 'gemini');
    // It gives a server five seconds, and a machine that runs all tests at once may need more for the first start.
    await home.json('up');
    let said = '';
    for (let tries = 0; tries < 3 && !said.includes('✓'); tries += 1) said = await run('gemini', 'mcp', 'list');
    assert.match(said, /✓ signalbox: .*connect --client gemini.*Connected/);
    const { clients } = await home.json<{ clients: { client: string; lastUsedAt?: string }[] }>('clients', 'list');
    assert.ok(clients.some(({ client, lastUsedAt }) => client === 'gemini' && lastUsedAt !== undefined));
  });

  it('Copilot CLI lists our entry', { skip: skip('copilot') }, async () => {
    await home.json('wire', 'copilot');
    assert.match(await run('copilot', 'mcp', 'list'), /signalbox \(local\)/);
  });

  it('of a project are wired in its own folder', async () => {
    await home.json('wire', 'copilot', '--scope', 'project');
    await home.json('wire', 'gemini', '--scope', 'project');
    const { clients } = await home.json<{ clients: { name: string; scopes: { scope: string; wired: boolean }[] }[] }>('wire', '--list');
    const wired = clients.flatMap(({ name, scopes }) => scopes.filter((scope) => scope.wired).map(({ scope }) => `${name} ${scope}`));
    assert.ok(wired.includes('copilot project') && wired.includes('gemini project'), wired.join());
  });
});
