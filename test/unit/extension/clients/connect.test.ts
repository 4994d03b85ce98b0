/** Connecting, checking and disconnecting clients through the real command line, with what a person would see. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkClient, connectClient, describeClient, disconnectClient, listClients } from '../../../../extension/clients/connect.ts';
import { sidesOf } from '../../../../extension/clients/plan.ts';
import { PreviewDocuments } from '../../../../extension/clients/previews.ts';
import { packagedCli } from '../../../../extension/daemon/start.ts';
import { type Home, makeHome, REPOSITORY } from '../../../fixtures/daemon.ts';
import { type Answer, editorDouble } from '../editor-double.ts';

describe('connecting a client', () => {
  let home: Home;
  let npx = '';
  const file = (): string => join(home.dir, 'home', '.cursor', 'mcp.json');
  before(() => {
    const bin = mkdtempSync(join(tmpdir(), 'sbx-npx-'));
    npx = join(bin, 'npx');
    home = makeHome({ PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin` });
    // The package is not fetched from anywhere: what npx would run is this command line.
    writeFileSync(
      npx,
      `#!/bin/sh\n[ "$1" = mcp-signalbox ] || exit 9\nshift\nexec ${home.command.map((word) => `'${word}'`).join(' ')} "$@"\n`,
      { mode: 0o755 },
    );
    mkdirSync(dirname(file()), { recursive: true });
    writeFileSync(file(), '{\n  // mine\n  "mcpServers": { "other": { "command": "x" } }\n}\n');
  });
  after(async () => {
    await home.remove();
    rmSync(dirname(npx), { recursive: true });
  });

  function parts(answers: Answer[]) {
    const double = editorDouble(answers, [home.cwd]);
    const previews = new PreviewDocuments();
    let wired = 0;
    const count = (): void => {
      wired += 1;
    };
    const cli = packagedCli(REPOSITORY, { ...home.env });
    return {
      ...double,
      previews,
      cli,
      wired: () => wired,
      parts: { vscode: double.vscode, cli, previews, onWired: count },
    };
  }

  it('shows both sides of the change and writes nothing when the person goes away', async () => {
    const before_ = readFileSync(file(), 'utf8');
    const seen = parts(['Cursor', 'user']);
    assert.equal(await connectClient(seen.parts), false);
    const [diff] = seen.commands;
    assert.equal(diff?.[0], 'vscode.diff');
    const text = (at: number): string => seen.previews.provideTextDocumentContent(diff?.[at] as never);
    assert.doesNotMatch(text(1), /signalbox/);
    assert.match(text(2), /signalbox[\s\S]*--client[\s\S]*cursor/);
    assert.equal(readFileSync(file(), 'utf8'), before_);
    assert.match(seen.shown[0]?.rows.join('\n') ?? '', /Cursor \| installed, not wired/);
  });

  it('writes what was shown, tries it, and says what it saw', async () => {
    const seen = parts(['Write']);
    assert.equal(await connectClient(seen.parts, { client: 'cursor', scope: 'user' }), true);
    assert.equal(seen.wired(), 1);
    assert.match(readFileSync(file(), 'utf8'), /"signalbox"/);
    assert.match(seen.messages.join('\n'), /Cursor reaches Signalbox: signalbox .* tools/);
    const again = parts([]);
    assert.equal(await connectClient(again.parts, { client: 'cursor', scope: 'user' }), false);
    assert.match(again.messages[0] ?? '', /already connected/);
  });

  it('says why a client that is wired does not reach Signalbox', async () => {
    // The entry is ours, its program is gone.
    const text = readFileSync(file(), 'utf8');
    const { launcher } = home.paths;
    const moved = readFileSync(launcher);
    writeFileSync(launcher, '#!/bin/sh\necho gone >&2\nexit 3\n', { mode: 0o755 });
    const seen = parts([]);
    const check = await checkClient(seen.parts, { client: 'cursor' });
    assert.equal(check?.ok, false);
    assert.match(seen.messages.join('\n'), /Cursor does not reach Signalbox: .*gone/);
    writeFileSync(launcher, moved, { mode: 0o755 });
    assert.equal(readFileSync(file(), 'utf8'), text);
  });

  it('takes it back as shown', async () => {
    const seen = parts(['Disconnect']);
    assert.equal(await disconnectClient(seen.parts, { client: 'cursor' }), true);
    assert.equal(readFileSync(file(), 'utf8'), '{\n  // mine\n  "mcpServers": { "other": { "command": "x" } }\n}\n');
    const none = parts([]);
    assert.equal(await disconnectClient(none.parts, { client: 'cursor' }), false);
    assert.match(none.messages[0] ?? '', /not connected/);
  });

  it('says that nothing is wired where there is nothing to check or to take back', async () => {
    for (const run of [checkClient, disconnectClient]) {
      const seen = parts(['Connect a Client']);
      await run(seen.parts);
      assert.deepEqual(seen.messages, ['No client is connected to Signalbox.']);
      assert.deepEqual(seen.shown, []);
      await new Promise((later) => setImmediate(later));
      assert.deepEqual(seen.commands, [['signalbox.connectClient']]);
    }
  });

  it('uses the folder of the window for what is wired in a project', async () => {
    const seen = parts([]);
    assert.equal(await connectClient(seen.parts, { client: 'vscode', scope: 'project', yes: true }), true);
    assert.match(seen.messages.join('\n'), /VS Code reaches Signalbox/);
    assert.ok(existsSync(join(home.cwd, '.vscode', 'mcp.json')));
    assert.equal(await disconnectClient(parts([]).parts, { client: 'vscode', scope: 'project', yes: true }), true);
  });

  it('reads nothing of a folder that VS Code does not trust, and offers its scopes neither there nor without a folder', async () => {
    writeFileSync(join(home.cwd, '.mcp.json'), 'not JSON');
    const cli = packagedCli(REPOSITORY, { ...home.env });
    const { vscode } = editorDouble([], [home.cwd]);
    const problems = async (): Promise<string[]> =>
      (await listClients(vscode, cli)).flatMap(({ scopes }) => scopes.flatMap(({ problem }) => problem?.code ?? []));
    assert.deepEqual(await problems(), ['SBX_WIRE_UNREADABLE']);
    Object.assign(vscode.workspace, { isTrusted: false });
    assert.deepEqual(await problems(), []);
    for (const window of [vscode, editorDouble().vscode])
      for (const { scopes } of await listClients(window, cli))
        assert.deepEqual(
          scopes.map(({ scope }) => scope),
          ['user'],
        );
    rmSync(join(home.cwd, '.mcp.json'));
  });
});

describe('what is said of a client', () => {
  const { vscode } = editorDouble();
  const scope = { scope: 'user', file: '/f', wired: true } as const;
  it('is what is wired and who is connected', () => {
    assert.equal(
      describeClient(vscode, { name: 'x', title: 'X', installed: true, scopes: [scope], sessions: 2 }),
      'wired (user) · connected, 2 sessions',
    );
    assert.equal(
      describeClient(vscode, { name: 'x', title: 'X', installed: false, scopes: [{ ...scope, wired: false }] }),
      'not found here',
    );
  });
  it('has two sides made of one hunk', () => {
    assert.deepEqual(sidesOf('--- /f\n+++ /f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file'), {
      before: 'a\nb',
      after: 'a\nc',
    });
  });
});
