/** The command palette: one table of every entry and the function behind it. What a command needs is loaded when it runs. */
import type * as VSCode from 'vscode';
import type { CallStart, Calls } from './call/calls.ts';
import type { WiringRequest } from './clients/connect.ts';
import type { ListedClient } from './clients/plan.ts';
import type { PreviewDocuments } from './clients/previews.ts';
import type { ClientsTree } from './clients/tree.ts';
import type { DaemonConnection } from './daemon/connection.ts';
import type { Cli } from './daemon/start.ts';
import type { Log } from './log.ts';
import { RECORDING_COMMANDS } from './recordings/commands.ts';
import type { ServerRequest } from './servers/add.ts';
import type { ServerVerb } from './servers/commands.ts';
import type { SessionViews } from './sessions.ts';
import { TESTING_COMMANDS } from './testing/commands.ts';
import type { ConformanceTests } from './testing/controller.ts';
import { TRAFFIC_COMMANDS } from './traffic/commands.ts';
import { endpointRef } from './views/folders.ts';
import type { ServerNode } from './views/server-node.ts';
import type { ServersTree } from './views/servers.ts';

/** What the commands work with. */
export interface CommandParts {
  readonly vscode: typeof VSCode;
  readonly daemon: DaemonConnection;
  readonly cli: Cli;
  readonly log: Log;
  readonly servers: ServersTree;
  readonly clients: ClientsTree;
  readonly previews: PreviewDocuments;
  readonly sessions: SessionViews;
  readonly tests: ConformanceTests;
  /** Made at the first call. */
  readonly calls: () => Promise<Calls>;
}

type Command = (parts: CommandParts, from: unknown, more?: unknown) => Promise<unknown>;
type Wiring = typeof import('./clients/connect.ts');

/** Every command; the names are those of `contributes.commands`. `from` is what a menu or a caller hands over. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  'signalbox.startDaemon': ({ daemon }) => daemon.start().then(() => undefined),
  'signalbox.stopDaemon': ({ daemon }) => daemon.stop(),
  'signalbox.restartDaemon': ({ daemon }) => daemon.restart(),
  'signalbox.addServer': async (parts, from) => (await import('./servers/add.ts')).addServer(parts, from as ServerRequest | undefined),
  'signalbox.restartServer': onServer('restart'),
  'signalbox.enableServer': onServer('enable'),
  'signalbox.disableServer': onServer('disable'),
  'signalbox.removeServer': onServer('remove'),
  'signalbox.acceptDefinitions': onServer('accept'),
  'signalbox.editServer': onServer('edit'),
  'signalbox.showServerLog': onServer('logs'),
  'signalbox.connectClient': wiring((connect, parts, request) => connect.connectClient(parts, request)),
  'signalbox.connectClaudeCode': wiring((connect, parts, request) => connect.connectClient(parts, { ...request, client: 'claude-code' })),
  'signalbox.checkClient': wiring((connect, parts, request) => connect.checkClient(parts, request)),
  'signalbox.disconnectClient': wiring((connect, parts, request) => connect.disconnectClient(parts, request)),
  'signalbox.callTool': async ({ calls }, from) => (await calls()).call(from as CallStart | undefined),
  'signalbox.callHistory': async ({ calls }) => (await calls()).history(),
  'signalbox.sendArguments': async ({ calls }, from) => (await calls()).send(from as VSCode.Uri | undefined),
  'signalbox.callResult': async ({ calls }, from, more) => (await calls()).result(from as VSCode.Uri, more as 'again'),
  'signalbox.readResource': async ({ calls }, from) => {
    const node = from as Extract<ServerNode, { kind: 'resource' }> | { uri: string; endpoint?: string; workspace?: string };
    if ('uri' in node) return (await calls()).read(node.uri, refOf(node));
    return (await calls()).read(String(node.resource['uri']), endpointRef(node.endpoint));
  },
  'signalbox.getPrompt': async ({ calls }, from) => {
    const node = from as Extract<ServerNode, { kind: 'prompt' }>;
    return (await calls()).prompt(node.prompt, endpointRef(node.endpoint));
  },
  'signalbox.trustWorkspace': async ({ vscode, daemon }, from) =>
    (await import('./dialogs/workspace-trust.ts')).trustWorkspace(vscode, daemon, typeof from === 'string' ? from : undefined),
  'signalbox.copyEndpointUrl': async ({ vscode }, from) => {
    const { url } = (from as Extract<ServerNode, { kind: 'endpoint' }>).endpoint;
    // In a remote window the daemon listens there; this is the address it has here.
    const here = await vscode.env.asExternalUri(vscode.Uri.parse(url));
    await vscode.env.clipboard.writeText(here.toString(true));
  },
  'signalbox.openConfiguration': async ({ vscode, daemon }) => {
    await daemon.start();
    const file = vscode.Uri.file(daemon.status?.configFile ?? '');
    const exists = await vscode.workspace.fs.stat(file).then(
      () => true,
      () => false,
    );
    // A new file is not written before the person saves it.
    await vscode.window.showTextDocument(exists ? file : file.with({ scheme: 'untitled' }));
  },
  'signalbox.showLog': ({ daemon, log }) => log.show(daemon),
  'signalbox.refresh': async ({ daemon, servers, clients }) => {
    if (daemon.state === 'running') await daemon.refresh();
    else await daemon.find();
    servers.refresh();
    clients.refresh();
  },
  ...TRAFFIC_COMMANDS,
  ...RECORDING_COMMANDS,
  ...TESTING_COMMANDS,
};

function onServer(verb: ServerVerb): Command {
  return async (parts, from) => (await import('./servers/commands.ts')).onServer(parts, verb, from);
}

/** A row of the Clients view stands for its client. */
function wiring(
  run: (connect: Wiring, parts: Parameters<Wiring['connectClient']>[0], request: WiringRequest) => Promise<unknown>,
): Command {
  return async (parts, from) => {
    const row = from as (ListedClient & WiringRequest) | undefined;
    const request = row?.scopes === undefined ? (row ?? {}) : { client: row.name };
    return run(await import('./clients/connect.ts'), { ...parts, onWired: () => parts.clients.refresh() }, request);
  };
}

function refOf({ endpoint, workspace }: { endpoint?: string; workspace?: string }): { endpoint?: string; workspace?: string } {
  return { ...(endpoint === undefined ? {} : { endpoint }), ...(workspace === undefined ? {} : { workspace }) };
}

/** Registers the table. A failure is logged with its cause and fix and shown once; the command then returns `undefined`. */
export function registerCommands(parts: CommandParts): VSCode.Disposable {
  const { vscode, log } = parts;
  return vscode.Disposable.from(
    ...Object.entries(COMMANDS).map(([id, run]) =>
      vscode.commands.registerCommand(id, async (from: unknown, more: unknown) => {
        try {
          return await run(parts, from, more);
        } catch (error) {
          log.report(error);
          return undefined;
        }
      }),
    ),
  );
}
