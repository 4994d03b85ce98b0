import type { ConfigProblem, EndpointEntry } from '../api/config.ts';
import { mergedClients, type Widens } from './clients.ts';
import type { LoadedConfig } from './file.ts';
import type { MergedBinding, MergedConfig, MergedServer } from './merged-config.ts';
import { mergedNamespaces } from './namespaces.ts';
import { unknownName } from './unknown-name.ts';
import { checkedUses } from './uses.ts';
import { type MergePlace, widening } from './widening.ts';

/**
 * Puts a trusted workspace's file over the user's, key by key (ARCHITECTURE section 5). A workspace may add servers and narrow the user's;
 * an entry that would widen anything is left out with `SBX_WORKSPACE_WIDENS`. What neither file says is implied: one namespace `default`
 * with every enabled server in file order, one endpoint `default` with every namespace.
 */
export function merge(user: LoadedConfig, workspace: LoadedConfig | undefined, place: MergePlace): MergedConfig {
  const problems: ConfigProblem[] = [];
  const widens: Widens = (path, what, fix): void => {
    if (workspace !== undefined) problems.push(workspace.problemAt(path, 'SBX_WORKSPACE_WIDENS', `${what} The entry is left out.`, fix));
  };
  const all = new Map<string, MergedServer>([...user.servers].map(([name, entry]) => [name, { entry, from: 'user', file: user }]));
  for (const [name, entry] of workspace?.servers ?? []) {
    const reason = widening(name, entry, user, place);
    if (workspace === undefined) continue;
    if (reason === undefined) all.set(name, { entry, from: 'workspace', file: workspace });
    else widens(workspace.serverPath(name), reason, 'Narrow the entry, or put it into your own configuration file, which may allow it.');
  }
  if (workspace !== undefined) refuseForeign(user, workspace, widens);
  const { servers, problems: unmet } = checkedUses(all, user);
  const namespaces = mergedNamespaces(user, workspace, servers, widens);
  const endpoints = mergeEndpoints(user, workspace, namespaces);
  const clients = mergedClients(user, workspace, widens);
  return {
    servers,
    namespaces,
    endpoints,
    clients,
    user,
    problems: [...problems, ...unmet, ...unknownNamespaces([user, workspace], namespaces)],
  };
}

/** Namespaces clients are limited to that are not there. */
function unknownNamespaces(files: readonly (LoadedConfig | undefined)[], namespaces: MergedConfig['namespaces']): readonly ConfigProblem[] {
  return files.flatMap((file) =>
    [...(file?.clients ?? [])].flatMap(([client, policy]) =>
      (policy.namespaces ?? []).flatMap((name, index) =>
        file === undefined || namespaces.has(name)
          ? []
          : [unknownName(file, ['clients', client, 'namespaces', index], 'namespace', name, namespaces.keys())],
      ),
    ),
  );
}

/** The keys only the user's file may have, and clients' scopes beyond the user's. */
function refuseForeign(user: LoadedConfig, workspace: LoadedConfig, widens: Widens): void {
  const only = 'Put it into your own configuration file.';
  if (workspace.messageBytes !== undefined)
    widens(['limits', 'messageBytes'], 'The limits of the daemon are the same for all workspaces.', only);
  if (workspace.port !== undefined) widens(['daemon', 'port'], 'The port belongs to all workspaces.', only);
  if (workspace.idleStopMinutes !== undefined) widens(['daemon', 'idleStopMinutes'], 'The idle stop belongs to all workspaces.', only);
  for (const [name, { scopes }] of workspace.clients) {
    const allowed = user.clients.get(name)?.scopes;
    if (allowed === undefined) continue;
    const beyond = scopes === undefined ? ['everything'] : scopes.filter((scope) => !allowed.includes(scope));
    if (beyond.length > 0)
      widens(
        ['clients', name],
        `\`${name}\` gets ${beyond.join(', ')}, which your own configuration does not allow it.`,
        'Name only scopes of your own configuration.',
      );
  }
}

function mergeEndpoints(
  user: LoadedConfig,
  workspace: LoadedConfig | undefined,
  namespaces: ReadonlyMap<string, readonly MergedBinding[]>,
): MergedConfig['endpoints'] {
  const endpoints = new Map<string, EndpointEntry & { from: LoadedConfig }>();
  for (const [name, entry] of user.endpoints ?? []) endpoints.set(name, { ...entry, from: user });
  for (const [name, entry] of workspace?.endpoints ?? []) endpoints.set(name, { ...entry, from: workspace ?? user });
  if (user.endpoints === undefined && workspace?.endpoints === undefined)
    endpoints.set('default', { namespaces: [...namespaces.keys()], from: user });
  const implied =
    workspace !== undefined && workspace.endpoints === undefined && [...namespaces.values()].flat().some(({ from }) => from === workspace);
  const standard = endpoints.get('default');
  // a workspace that only adds servers wants them to be seen: what it brought joins the default endpoint
  if (implied && standard !== undefined) {
    const brought = [...namespaces]
      .filter(([name, items]) => !standard.namespaces.includes(name) && items.length > 0 && items.every(({ from }) => from === workspace))
      .map(([name]) => name);
    endpoints.set('default', { ...standard, namespaces: [...standard.namespaces, ...brought] });
  }
  return endpoints;
}
