/** The command palette: one table of every entry and the function behind it. */
import type * as VSCode from 'vscode';
import type { DaemonConnection } from './daemon/connection.ts';
import type { Cli } from './daemon/start.ts';
import { connectClaudeCode, type PreviewDocuments } from './dialogs/claude-code.ts';
import { addServer, type ServerRequest } from './dialogs/server-entry.ts';
import { callTool, type ToolCallRequest } from './dialogs/tool-call.ts';
import { trustWorkspace } from './dialogs/workspace-trust.ts';
import type { Log } from './log.ts';
import { RECORDING_COMMANDS } from './recordings/commands.ts';
import type { SessionViews } from './sessions.ts';
import { TESTING_COMMANDS } from './testing/commands.ts';
import type { ConformanceTests } from './testing/controller.ts';
import { TRAFFIC_COMMANDS } from './traffic/commands.ts';
import type { ServerNode, ServersTree } from './views/servers.ts';

/** What the commands work with. */
export interface CommandParts {
  readonly vscode: typeof VSCode;
  readonly daemon: DaemonConnection;
  readonly cli: Cli;
  readonly log: Log;
  readonly servers: ServersTree;
  readonly previews: PreviewDocuments;
  readonly sessions: SessionViews;
  readonly tests: ConformanceTests;
}

/** Every command; the names are those of `contributes.commands`. `from` is what a menu or a caller hands over. */
export const COMMANDS: Readonly<Record<string, (parts: CommandParts, from: unknown) => Promise<unknown>>> = {
  'signalbox.startDaemon': ({ daemon }) => daemon.start().then(() => undefined),
  'signalbox.stopDaemon': ({ daemon }) => daemon.stop(),
  'signalbox.restartDaemon': ({ daemon }) => daemon.restart(),
  'signalbox.addServer': ({ vscode, daemon }, from) => addServer(vscode, daemon, from as ServerRequest | undefined),
  'signalbox.connectClaudeCode': ({ vscode, cli, previews }) => connectClaudeCode(vscode, cli, previews),
  'signalbox.callTool': ({ vscode, daemon }, from) => callTool(vscode, daemon, from as ServerNode | ToolCallRequest | undefined),
  'signalbox.trustWorkspace': ({ vscode, daemon }, from) => trustWorkspace(vscode, daemon, typeof from === 'string' ? from : undefined),
  'signalbox.showLog': ({ daemon, log }) => log.show(daemon),
  'signalbox.refresh': async ({ daemon, servers }) => {
    if (daemon.state === 'running') await daemon.refresh();
    else await daemon.find();
    servers.refresh();
  },
  ...TRAFFIC_COMMANDS,
  ...RECORDING_COMMANDS,
  ...TESTING_COMMANDS,
};

/** Registers the table. A failure is logged with its cause and fix and shown once; the command then returns `undefined`. */
export function registerCommands(parts: CommandParts): VSCode.Disposable {
  const { vscode, log } = parts;
  return vscode.Disposable.from(
    ...Object.entries(COMMANDS).map(([id, run]) =>
      vscode.commands.registerCommand(id, async (from: unknown) => {
        try {
          return await run(parts, from);
        } catch (error) {
          log.report(error);
          return undefined;
        }
      }),
    ),
  );
}
