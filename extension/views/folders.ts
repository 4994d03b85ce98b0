/** The window's folders, and how a control request names an endpoint. */
import type * as VSCode from 'vscode';
import type { EndpointStatus } from '../../daemon/api/control.ts';

/** How a control request names an endpoint. */
export function endpointRef(endpoint: Pick<EndpointStatus, 'name' | 'workspace'>): { endpoint: string; workspace?: string } {
  return endpoint.workspace === undefined ? { endpoint: endpoint.name } : { endpoint: endpoint.name, workspace: endpoint.workspace };
}

/** Absolute paths of the window's folders on this machine. */
export function localFolders(vscode: typeof VSCode): string[] {
  return (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === 'file').map((folder) => folder.uri.fsPath);
}
