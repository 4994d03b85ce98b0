/** Where a recording was made: its own endpoint serves what the client saw then, another one something else. */
import { dirname } from 'node:path';
import type { ControlClient } from '../../api/control-client.ts';
import type { ReplayTarget } from '../../api/recordings.ts';
import { realFolder, workspaceId } from '../../config/folders.ts';

/**
 * The endpoint its first client was at, while that is there; of a workspace nobody has opened since, only if it is above the working directory.
 * @returns the user's own `default` otherwise
 */
export async function recordedAt(client: ControlClient, recording: string, cwd: string): Promise<ReplayTarget> {
  const [session] = (await client.call('record/show', { recording, edge: 'client', limit: 1 })).sessions;
  const name = session?.endpoint.split('/').at(-1) || 'default';
  const { endpoints, workspaces } = await client.call('status', {});
  const id = session?.workspace;
  const workspace = id === undefined ? undefined : (workspaces.find((one) => one.id === id)?.folder ?? folderAbove(cwd, id));
  if (workspace !== undefined) return { kind: 'endpoint', endpoint: name, workspace };
  const known = endpoints.some((one) => one.workspace === undefined && one.name === name);
  return { kind: 'endpoint', endpoint: known ? name : 'default' };
}

function folderAbove(cwd: string, id: string): string | undefined {
  for (let folder = realFolder(cwd) ?? cwd; ; folder = dirname(folder)) {
    if (workspaceId(folder) === id) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
