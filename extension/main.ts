/** Entry of the extension: wires the parts. Nothing here starts the daemon. */
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { signalboxPaths } from '../daemon/api/paths.ts';
import { registerCommands } from './commands.ts';
import { DaemonConnection } from './daemon/connection.ts';
import { packagedCli } from './daemon/start.ts';
import { PreviewDocuments } from './dialogs/claude-code.ts';
import { watchWorkspaces } from './dialogs/workspace-trust.ts';
import { EndpointDefinitions } from './endpoints/definitions.ts';
import { Log } from './log.ts';
import { type SessionViews, showSessions } from './sessions.ts';
import { ConformanceTests } from './testing/controller.ts';
import { ServersTree } from './views/servers.ts';
import { showStatus } from './views/status.ts';

/** What `activate` returns: the parts a test or another extension may look at. */
export interface SignalboxExtension {
  readonly daemon: DaemonConnection;
  readonly servers: ServersTree;
  readonly definitions: EndpointDefinitions;
  readonly sessions: SessionViews;
  readonly tests: ConformanceTests;
}

/** Called by VS Code once. */
export function activate(context: vscode.ExtensionContext): SignalboxExtension {
  const { version } = context.extension.packageJSON as { version: string };
  const paths = signalboxPaths({ platform: process.platform, home: homedir(), env: process.env });
  const cli = packagedCli(context.extensionPath, process.env);
  const log = new Log(vscode);
  const daemon = new DaemonConnection({ paths, cli, version, onLog: (entry) => log.daemon(entry) });
  const servers = new ServersTree(vscode, daemon);
  const definitions = new EndpointDefinitions(vscode, daemon, context.workspaceState);
  const previews = new PreviewDocuments();
  const sessions = showSessions(vscode, daemon, log, context.extensionUri);
  const tests = new ConformanceTests(sessions);
  context.subscriptions.push(
    log,
    daemon,
    servers,
    definitions,
    sessions,
    tests,
    vscode.window.createTreeView('signalbox.servers', { treeDataProvider: servers, showCollapseAll: true }),
    showStatus(vscode, daemon),
    previews.register(vscode),
    registerCommands({ vscode, daemon, cli, log, servers, previews, sessions, tests }),
    watchWorkspaces(vscode, daemon, (error) => log.note(error)),
    vscode.lm.registerMcpServerDefinitionProvider('signalbox.endpoints', definitions),
  );
  // Only looks: reads the runtime file, so that the status bar is right when a daemon already runs.
  void daemon.find();
  return { daemon, servers, definitions, sessions, tests };
}

/** Called by VS Code when the window closes. The daemon lives on; `subscriptions` end the connection. */
export function deactivate(): void {
  // nothing beyond the subscriptions
}
