/** What a person gets from the extension, seen from inside VS Code, against the real daemon. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { SignalboxExtension } from '../../../extension/main.ts';
import type { ServerNode } from '../../../extension/views/server-node.ts';

describe('Signalbox in a real extension host', () => {
  let signalbox: SignalboxExtension;
  const runtimeFile = join(process.env['SIGNALBOX_STATE_DIR'] ?? '', 'runtime.json');

  before(async () => {
    const extension = vscode.extensions.getExtension<SignalboxExtension>('signalbox.mcp-signalbox');
    assert.ok(extension, 'the extension is installed');
    signalbox = await extension.activate();
  });
  after(() => vscode.commands.executeCommand('signalbox.stopDaemon'));

  it('activates without starting a daemon', async () => {
    assert.equal(await signalbox.daemon.find(), undefined);
    assert.equal(signalbox.daemon.state, 'stopped');
    assert.equal(existsSync(runtimeFile), false);
  });

  it('offers its endpoint to VS Code before the daemon runs, still without starting it', async () => {
    const [definition] = (await signalbox.definitions.provideMcpServerDefinitions()) ?? [];
    assert.equal(definition?.label, 'Signalbox');
    assert.deepEqual(definition.headers, {});
    assert.equal(signalbox.daemon.state, 'stopped');
  });

  it('has every command of the manifest in the palette', async () => {
    const extension = vscode.extensions.getExtension('signalbox.mcp-signalbox');
    assert.ok(extension);
    const { contributes } = extension.packageJSON as { contributes: { commands: { command: string }[] } };
    const registered = await vscode.commands.getCommands(true);
    for (const { command } of contributes.commands) assert.ok(registered.includes(command), `${command} is registered`);
  });

  it('starts the daemon with the command', async () => {
    await vscode.commands.executeCommand('signalbox.startDaemon');
    assert.equal(signalbox.daemon.error, undefined, signalbox.daemon.error?.why);
    assert.equal(signalbox.daemon.state, 'running');
    assert.ok(isAlive(signalbox.daemon.status?.pid ?? 0));
  });

  it('shows endpoints, servers and tools in the tree', async () => {
    const endpoints = await signalbox.servers.getChildren();
    assert.deepEqual(endpoints.map(label), ['default']);
    await until(signalbox, () => signalbox.daemon.status?.workspaces.length === 1);
    const namespaces = async (): Promise<ServerNode[]> => signalbox.servers.getChildren((await signalbox.servers.getChildren())[0]);
    await namespaces(); // what VS Code does when it draws an expanded row: the servers wake up
    await until(signalbox, () => signalbox.daemon.status?.servers.every((server) => server.tools > 0) === true);
    assert.deepEqual((await namespaces()).map(label), ['dev']);
    const servers = await signalbox.servers.getChildren((await namespaces())[0]);
    assert.deepEqual(servers.map(label), ['files', 'line', 'timetable']);
    for (const server of servers) {
      const rows = await signalbox.servers.getChildren(server);
      const groups = rows.filter((row) => row.kind === 'group');
      const tools = groups.length === 0 ? rows : await signalbox.servers.getChildren(groups.find(({ offers }) => offers === 'tools'));
      assert.ok(tools.length > 0, `${label(server)} has tools`);
      assert.ok(tools.every((tool) => tool.kind === 'tool' && tool.info.tool.name.includes('__')));
    }
  });

  it('calls a tool, shows its result, and sends it again', async () => {
    const path = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
    const request = { tool: 'files__read_text_file', arguments: { path: join(path, 'README.md') } };
    const result = await vscode.commands.executeCommand<Record<string, unknown>>('signalbox.callTool', request);
    assert.match(JSON.stringify(result), /small branch line/);
    const shown = vscode.window.activeTextEditor?.document;
    assert.ok(shown);
    assert.match(shown.getText(), /small branch line/);
    assert.equal(shown.languageId, 'markdown');
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', shown.uri);
    const again = lenses.map(({ command }) => command).find((command) => command?.title.includes('Call again'));
    assert.ok(again);
    assert.match(JSON.stringify(await vscode.commands.executeCommand(again.command, ...(again.arguments ?? []))), /small branch line/);
    const asJson = lenses.map(({ command }) => command).find((command) => command?.title.includes('JSON'));
    await vscode.commands.executeCommand(asJson?.command ?? '', ...(asJson?.arguments ?? []));
    assert.equal(vscode.window.activeTextEditor?.document.languageId, 'json');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('says what is wrong in the configuration at its line, and finds a server in it', async () => {
    const file = signalbox.daemon.status?.configFile ?? '';
    const before_ = readFileSync(file, 'utf8');
    const place = await vscode.commands.executeCommand<{ line: number }>('signalbox.editServer', { name: 'line' });
    const editor = vscode.window.activeTextEditor;
    assert.equal(editor?.document.uri.fsPath, file);
    assert.equal(editor.selection.active.line, place.line - 1);
    const found = (): vscode.Diagnostic[] =>
      vscode.languages.getDiagnostics(vscode.Uri.file(file)).filter(({ source }) => source === 'Signalbox');
    assert.deepEqual(found(), []);
    const broken = before_.replace(/"servers":\s*\{/, (opening) => `${opening}\n"odd":{"nonsense":1},\n`);
    writeFileSync(file, broken);
    await until(signalbox, () => found().length > 0);
    assert.equal(found()[0]?.range.start.line, broken.slice(0, broken.indexOf('"odd"')).split('\n').length - 1);
    assert.equal(found()[0]?.code, 'SBX_CONFIG_INVALID');
    writeFileSync(file, before_);
    await until(signalbox, () => found().length === 0);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('completes and validates a configuration, the settings of bundled plugins too', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file('/');
    const file = vscode.Uri.joinPath(folder, '.signalbox', 'config.jsonc');
    const text = '{\n  // mine\n  "servers": { "mine": { "plugin": "filesystem", "settings": { "access": "everything",  } } },\n}\n';
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
    const document = await vscode.workspace.openTextDocument(file);
    await vscode.window.showTextDocument(document);
    assert.equal(document.languageId, 'jsonc');
    const wrong = (): boolean => vscode.languages.getDiagnostics(file).some(({ message }) => /read|not accepted/.test(message));
    while (!wrong()) await new Promise((resolve) => setTimeout(resolve, 100)); // Mocha's limit ends a wait in vain
    const { items } = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      file,
      document.positionAt(text.indexOf(',  }') + 2),
    );
    const labels = items.map(({ label: name }) => (typeof name === 'string' ? name : name.label));
    assert.ok(labels.includes('roots'), labels.join());
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await vscode.workspace.fs.delete(vscode.Uri.joinPath(folder, '.signalbox'), { recursive: true });
  });

  it('switches a server off and on again where it stands, and keeps the row to switch it on', async () => {
    await vscode.commands.executeCommand('signalbox.disableServer', { name: 'line' });
    await until(
      signalbox,
      () => signalbox.daemon.status?.servers.some(({ name, state }) => name === 'line' && state === 'disabled') === true,
    );
    const off = (await signalbox.servers.getChildren()).find(({ kind }) => kind === 'disabled');
    const [row] = await signalbox.servers.getChildren(off);
    assert.equal(row && label(row), 'line');
    await vscode.commands.executeCommand('signalbox.enableServer', row);
    await until(signalbox, () => signalbox.daemon.status?.servers.every(({ state }) => state !== 'disabled') === true);
  });

  it('lists the nine clients with what is wired', async () => {
    const clients = await signalbox.clients.getChildren();
    assert.equal(clients.length, 9);
    assert.ok(clients.every((client) => signalbox.clients.getTreeItem(client).description !== ''));
  });

  it('resolves its MCP definition to a URL with a token of its own', async () => {
    const [definition] = (await signalbox.definitions.provideMcpServerDefinitions()) ?? [];
    assert.ok(definition);
    assert.deepEqual(definition.headers, {}, 'no token before VS Code starts the server');
    assert.match(definition.version ?? '', /^[0-9a-f]{12}$/);
    const resolved = await signalbox.definitions.resolveMcpServerDefinition(definition);
    assert.ok(resolved instanceof vscode.McpHttpServerDefinition);
    assert.match(resolved.uri.path, /^\/mcp\/branch-line-[a-z0-9]+\/default$/);
    assert.match(resolved.headers['Authorization'] ?? '', /^Bearer \S{20,}$/);
    const response = await fetch(resolved.uri.toString(), {
      method: 'POST',
      headers: { ...resolved.headers, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      }),
    });
    assert.equal(response.status, 200);
    assert.match(await response.text(), /"protocolVersion":"2025-11-25"/);
  });

  it('changes the version of its definition when the tools change', async () => {
    const version = async (): Promise<string | undefined> => (await signalbox.definitions.provideMcpServerDefinitions())?.[0]?.version;
    const before_ = await version();
    const changed = event(signalbox.definitions.onDidChangeMcpServerDefinitions);
    await signalbox.daemon.call('servers/enable', { name: 'timetable', enabled: false });
    await changed;
    await until(
      signalbox,
      () => signalbox.daemon.status?.servers.filter(({ name }) => name === 'timetable').every(({ state }) => state === 'disabled') === true,
    );
    assert.notEqual(await version(), before_);
    await signalbox.daemon.call('servers/enable', { name: 'timetable', enabled: true });
    await until(signalbox, () => signalbox.daemon.status?.servers.every(({ state }) => state !== 'disabled') === true);
  });

  it('restarts the daemon and is connected to the new one', async () => {
    const old = signalbox.daemon.status?.pid ?? 0;
    await vscode.commands.executeCommand('signalbox.restartDaemon');
    assert.equal(signalbox.daemon.error, undefined, signalbox.daemon.error?.why);
    // The end of the old connection may be heard after the command has ended.
    await until(
      signalbox,
      () => signalbox.daemon.state === 'running' && signalbox.daemon.status !== undefined && signalbox.daemon.status.pid !== old,
    );
    assert.equal(isAlive(old), false);
  });

  it('stops the daemon and leaves no process', async () => {
    const pids = [signalbox.daemon.status?.pid ?? 0, ...(signalbox.daemon.status?.servers ?? []).flatMap(({ pid }) => pid ?? [])];
    await vscode.commands.executeCommand('signalbox.stopDaemon');
    assert.equal(signalbox.daemon.state, 'stopped');
    assert.deepEqual(pids.filter(isAlive), []);
    assert.deepEqual(await signalbox.servers.getChildren(), [], 'the welcome view shows');
    assert.equal(signalbox.daemon.state, 'stopped', 'a visible view does not start what a person stopped');
  });

  function label(node: ServerNode): string {
    return String(signalbox.servers.getTreeItem(node).label);
  }
});

/** Waits for the daemon's own change events until the condition holds; Mocha's limit ends a wait in vain. */
function until(signalbox: SignalboxExtension, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (condition()) {
      resolve();
      return;
    }
    const stop = signalbox.daemon.onChange(() => {
      if (!condition()) return;
      stop();
      resolve();
    });
  });
}

function event(source: vscode.Event<void>): Promise<void> {
  return new Promise((resolve) => {
    const subscription = source(() => {
      subscription.dispose();
      resolve();
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid > 0;
  } catch {
    return false;
  }
}
