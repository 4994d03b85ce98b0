/** Entry of the extension: wires the parts. Nothing here touches the disk, the network or the daemon; each part does when it is looked at. */
import { homedir } from 'node:os';
import * as editor from 'vscode';
import { signalboxPaths } from '../daemon/api/paths.ts';
import type { Calls } from './call/calls.ts';
import { MemoryFiles } from './call/documents.ts';
import { PreviewDocuments } from './clients/previews.ts';
import { ClientsTree } from './clients/tree.ts';
import { registerCommands } from './commands.ts';
import { DaemonConnection } from './daemon/connection.ts';
import type { Cli } from './daemon/start.ts';
import { watchWorkspaces } from './dialogs/workspace-trust.ts';
import { EndpointDefinitions } from './endpoints/definitions.ts';
import { Log } from './log.ts';
import { plainMessages } from './plain-messages.ts';
import { showProblems } from './servers/problems.ts';
import { type SessionViews, showSessions } from './sessions.ts';
import { ConformanceTests } from './testing/controller.ts';
import { ServersTree } from './views/servers.ts';
import { showStatus } from './views/status.ts';

/** What `activate` returns: the parts a test or another extension may look at. */
export interface SignalboxExtension {
  readonly daemon: DaemonConnection;
  readonly servers: ServersTree;
  readonly clients: ClientsTree;
  readonly definitions: EndpointDefinitions;
  readonly sessions: SessionViews;
  readonly tests: ConformanceTests;
}

/** Called by VS Code once. */
export function activate(context: editor.ExtensionContext): SignalboxExtension {
  const vscode = plainMessages(editor);
  const { version } = context.extension.packageJSON as { version: string };
  const paths = signalboxPaths({ platform: process.platform, home: homedir(), env: process.env });
  const cli: Cli = async (...args) => (await import('./daemon/start.ts')).packagedCli(context.extensionPath, process.env)(...args);
  const log = new Log(vscode);
  const daemon = new DaemonConnection({ paths, cli, version, onLog: (entry) => log.daemon(entry) });
  const servers = new ServersTree(vscode, daemon);
  const clients = new ClientsTree(vscode, daemon, cli);
  const definitions = new EndpointDefinitions(vscode, daemon, context.workspaceState);
  const previews = new PreviewDocuments();
  const sessions = showSessions(vscode, daemon, log, context.extensionUri);
  const tests = new ConformanceTests(sessions);
  const files = new MemoryFiles(vscode);
  let made: Promise<Calls> | undefined;
  const calls = (): Promise<Calls> => {
    made ??= import('./call/calls.ts').then((module) => {
      const parts = new module.Calls({ vscode, daemon, log, files, memory: context.workspaceState });
      context.subscriptions.push(parts);
      return parts;
    });
    return made;
  };
  context.subscriptions.push(
    log,
    daemon,
    servers,
    clients,
    definitions,
    sessions,
    tests,
    vscode.window.createTreeView('signalbox.servers', { treeDataProvider: servers, showCollapseAll: true }),
    vscode.window.createTreeView('signalbox.clients', { treeDataProvider: clients }),
    showStatus(vscode, daemon),
    showProblems(vscode, daemon),
    previews.register(vscode),
    files.register(),
    registerCommands({ vscode, daemon, cli, log, servers, clients, previews, sessions, tests, calls }),
    watchWorkspaces(vscode, daemon, (error) => log.note(error)),
    vscode.lm.registerMcpServerDefinitionProvider('signalbox.endpoints', definitions),
    lookLater(daemon),
  );
  return { daemon, servers, clients, definitions, sessions, tests };
}

/** Called by VS Code when the window closes. The daemon lives on; `subscriptions` end the connection. */
export function deactivate(): void {
  // nothing beyond the subscriptions
}

/** Only looks, and not before VS Code is done with us: a daemon that runs shows in the status bar. */
function lookLater(daemon: DaemonConnection): editor.Disposable {
  const timer = setTimeout(() => void daemon.find());
  return { dispose: () => clearTimeout(timer) };
}
