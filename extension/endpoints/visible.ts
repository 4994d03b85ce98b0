/** Which endpoints belong to this window. Workspaces share the daemon and never see each other. */
import type { DaemonStatus, EndpointStatus } from '../../daemon/api/control.ts';

/**
 * The endpoints of the open folders, and the user's own that no open folder has under the same name
 * (a folder's `default` is the user's `default` with `${workspaceFolder}` filled in: showing both would show every server twice).
 *
 * @param folders absolute paths of the window's folders
 */
export function visibleEndpoints(status: DaemonStatus | undefined, folders: readonly string[]): readonly EndpointStatus[] {
  if (status === undefined) return [];
  const open = new Set(status.workspaces.filter((workspace) => folders.includes(workspace.folder)).map((workspace) => workspace.id));
  const ofFolders = status.endpoints.filter((endpoint) => endpoint.workspace !== undefined && open.has(endpoint.workspace));
  const names = new Set(ofFolders.map((endpoint) => endpoint.name));
  const ofUser = status.endpoints.filter((endpoint) => endpoint.workspace === undefined && !names.has(endpoint.name));
  return [...ofFolders, ...ofUser];
}
