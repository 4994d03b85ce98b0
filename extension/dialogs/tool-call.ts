/** "Call a Tool…": pick a tool, fill in its arguments, read the result as a document. */
import type * as VSCode from 'vscode';
import type { EndpointStatus, ToolInfo } from '../../daemon/api/control.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import { visibleEndpoints } from '../endpoints/visible.ts';
import { endpointRef, localFolders, type ServerNode } from '../views/servers.ts';
import { argumentsSkeleton } from './arguments.ts';

/** Arguments of the command when a keybinding, a task or a test runs it without dialogs. */
export interface ToolCallRequest {
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
  readonly endpoint?: string;
  readonly workspace?: string;
}

type Choice = VSCode.QuickPickItem & { readonly info: ToolInfo; readonly endpoint: Pick<EndpointStatus, 'name' | 'workspace'> };

/**
 * @param from a row of the tree, a complete request, or nothing: then the person picks
 * @returns the tool's result as MCP defines it, or `undefined` when the person went away
 */
export async function callTool(
  vscode: typeof VSCode,
  daemon: DaemonConnection,
  from: ServerNode | ToolCallRequest | undefined,
): Promise<Record<string, unknown> | undefined> {
  if (from !== undefined && 'tool' in from) {
    const { tool: name, ...rest } = from;
    return show(vscode, await daemon.call('tools/call', { ...rest, name }));
  }
  const choice = from?.kind === 'tool' ? { info: from.info, endpoint: from.endpoint } : await pickTool(vscode, daemon);
  if (choice === undefined) return undefined;
  const { tool } = choice.info;
  const typed = await vscode.window.showInputBox({
    title: `Call ${tool.name}`,
    prompt: 'Arguments as one JSON object',
    value: JSON.stringify(argumentsSkeleton(tool.inputSchema)),
    ignoreFocusOut: true,
    validateInput: (text) =>
      parseArguments(text) === undefined ? 'This is not a JSON object, for example {"path": "README.md"}' : undefined,
  });
  const values = typed === undefined ? undefined : parseArguments(typed);
  if (values === undefined) return undefined;
  const result = await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: `Calling ${tool.name}` }, () =>
    daemon.call('tools/call', { ...endpointRef(choice.endpoint), name: tool.name, arguments: values }),
  );
  return show(vscode, result);
}

async function pickTool(vscode: typeof VSCode, daemon: DaemonConnection): Promise<Choice | undefined> {
  const choices = async (): Promise<Choice[]> => {
    await daemon.start();
    const endpoints = visibleEndpoints(daemon.status, localFolders(vscode));
    const lists = await Promise.all(
      endpoints.map(async (endpoint) => {
        const { tools } = await daemon.call('tools/list', endpointRef(endpoint));
        return tools.map(
          (info): Choice => ({
            label: info.tool.name,
            description: endpoints.length > 1 ? endpoint.name : info.server,
            detail: info.tool.description?.split('\n', 1)[0] ?? '',
            info,
            endpoint,
          }),
        );
      }),
    );
    return lists.flat();
  };
  return vscode.window.showQuickPick(choices(), { title: 'Call a Tool', placeHolder: 'Tool', matchOnDetail: true });
}

async function show(vscode: typeof VSCode, result: Record<string, unknown>): Promise<Record<string, unknown>> {
  const document = await vscode.workspace.openTextDocument({ language: 'json', content: JSON.stringify(result, null, 2) });
  await vscode.window.showTextDocument(document, { preview: true });
  return result;
}

/** The typed text as an object; `undefined` when it is not one. */
export function parseArguments(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
