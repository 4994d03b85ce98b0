/** What people call an endpoint or a workspace, and which one that is. */
import type { EndpointRef } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';
import { realFolder } from '../config/folders.ts';
import type { ConfigStore } from '../config/store.ts';
import type { EndpointSet, ServedEndpoint } from '../endpoints/endpoint-set.ts';

/** Id of a workspace by its folder or id; what is neither is given back. */
export function workspaceIdOf(config: ConfigStore, workspace: string | undefined): string | undefined {
  if (workspace === undefined) return undefined;
  const real = realFolder(workspace);
  return config.workspaces().find(({ id, folder }) => id === workspace || folder === real)?.id ?? workspace;
}

/**
 * The endpoint people name.
 * @throws SBX_ENDPOINT_UNKNOWN
 */
export function findEndpoint(
  endpoints: EndpointSet,
  config: ConfigStore,
  { endpoint = 'default', workspace }: EndpointRef,
): ServedEndpoint {
  const id = workspaceIdOf(config, workspace);
  const found = endpoints.at(id === undefined ? `/mcp/${endpoint}` : `/mcp/${id}/${endpoint}`);
  if (found !== undefined) return found;
  // Workspaces never see each other, in an error neither.
  const known = endpoints
    .all()
    .filter(({ view }) => view.endpoint.workspace === undefined || view.endpoint.workspace === id)
    .map(({ view }) => view.endpoint.path);
  throw new SignalboxError(
    'SBX_ENDPOINT_UNKNOWN',
    `There is no endpoint "${endpoint}"${workspace === undefined ? '' : ` in workspace ${workspace}`}.`,
    {
      why: `The endpoints are: ${known.join(', ') || 'none'}.`,
      fix: 'Name one of them; open a workspace with `signalbox up --workspace DIR`.',
    },
  );
}

/** The path of an endpoint people name as they do elsewhere (`default`); a path is left as it is. */
export function endpointPath(endpoint: string, workspace: string | undefined): string {
  if (endpoint.startsWith('/')) return endpoint;
  return workspace === undefined ? `/mcp/${endpoint}` : `/mcp/${workspace}/${endpoint}`;
}
