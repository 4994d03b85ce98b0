import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Access, Binding, ConfigProblem, EndpointEntry, PluginServer, ServerEntry } from '../api/config.ts';
import type { LoadedConfig } from './file.ts';
import { isInside } from './folders.ts';

/** A server with the file it comes from. */
export interface MergedServer {
  readonly entry: ServerEntry;
  readonly from: 'user' | 'workspace';
}
/** A server in a namespace with the file that put it there. */
export interface MergedBinding extends Binding {
  readonly from: LoadedConfig;
}
/** User and workspace put together. */
export interface MergedConfig {
  readonly servers: ReadonlyMap<string, MergedServer>;
  readonly namespaces: ReadonlyMap<string, readonly MergedBinding[]>;
  readonly endpoints: ReadonlyMap<string, EndpointEntry & { readonly from: LoadedConfig }>;
  readonly problems: readonly ConfigProblem[];
}
/** What the check of roots needs to know. */
export interface MergePlace {
  /** Real path of the workspace. */
  readonly workspaceFolder: string | undefined;
  readonly userHome: string;
}

/**
 * Puts a trusted workspace's file over the user's, key by key (ARCHITECTURE section 5). A workspace may add servers and narrow the user's;
 * an entry that would widen anything is left out with `SBX_WORKSPACE_WIDENS`. What neither file says is implied: one namespace `default`
 * with every enabled server in file order, one endpoint `default` with every namespace.
 */
export function merge(user: LoadedConfig, workspace: LoadedConfig | undefined, place: MergePlace): MergedConfig {
  const problems: ConfigProblem[] = [];
  const widens = (path: readonly (string | number)[], what: string, fix: string): void => {
    if (workspace !== undefined) problems.push(workspace.problemAt(path, 'SBX_WORKSPACE_WIDENS', `${what} The entry is left out.`, fix));
  };
  const servers = new Map<string, MergedServer>([...user.servers].map(([name, entry]) => [name, { entry, from: 'user' }]));
  for (const [name, entry] of workspace?.servers ?? []) {
    const reason = widening(name, entry, user, place);
    if (reason === undefined) servers.set(name, { entry, from: 'workspace' });
    else
      widens(
        workspace?.serverPath(name) ?? [],
        reason,
        'Narrow the entry, or put it into your own configuration file, which may allow it.',
      );
  }
  if (workspace !== undefined) refuseForeign(user, workspace, widens);
  const namespaces = mergeNamespaces(user, workspace, servers, widens);
  return { servers, namespaces, endpoints: mergeEndpoints(user, workspace, namespaces), problems };
}

const ACCESS: readonly Access[] = ['read', 'write', 'admin'];

/** Why a workspace's server would widen what the user allows; `undefined` when it does not. */
function widening(name: string, entry: ServerEntry, user: LoadedConfig, place: MergePlace): string | undefined {
  const own = user.servers.get(name);
  if (own?.enabled === false && entry.enabled !== false) return `\`${name}\` is switched off in your own configuration.`;
  if (isPlugin(entry)) {
    const same =
      own !== undefined && isPlugin(own) && own.plugin === entry.plugin
        ? [own]
        : [...user.servers.values()].filter(isPlugin).filter((other) => other.plugin === entry.plugin);
    const asked = accessOf(entry);
    const allowed = same.length === 0 ? ACCESS.length : Math.max(...same.map(accessOf));
    if (asked > allowed)
      return `\`${name}\` asks for \`${ACCESS[asked] ?? String(entry.settings?.['access'])}\` where your own configuration allows \`${ACCESS[allowed] ?? 'read'}\`.`;
    for (const root of rootsOf(entry, place)) {
      if (place.workspaceFolder === undefined || !isInside(root, place.workspaceFolder))
        return `\`${name}\` names the root ${JSON.stringify(root)}, which is outside the workspace.`;
      const ownRoots = own !== undefined && isPlugin(own) ? rootsOf(own, place) : [];
      if (ownRoots.length > 0 && !ownRoots.some((allowedRoot) => isInside(root, allowedRoot)))
        return `\`${name}\` names the root ${JSON.stringify(root)}, which your own configuration does not allow.`;
    }
  }
  // under the user's own name only what the user wrote may run: with less access and fewer roots, but nothing else changed
  if (own !== undefined && !isDeepStrictEqual(essence(own), essence(entry)))
    return `\`${name}\` is a server of your own configuration and is changed here.`;
  return undefined;
}

function essence(entry: ServerEntry): unknown {
  const { enabled: _enabled, watch: _watch, timeoutMs: _timeoutMs, type: _type, ...rest } = entry as ServerEntry & { type?: string };
  if (!isPlugin(entry)) return rest;
  const { roots: _roots, access: _access, ...settings } = entry.settings ?? {};
  return { ...rest, settings };
}

function isPlugin(entry: ServerEntry): entry is PluginServer {
  return 'plugin' in entry;
}

function accessOf(entry: PluginServer): number {
  const access = entry.settings?.['access'];
  if (access === undefined) return 0;
  const rank = ACCESS.indexOf(access as Access);
  // a word we do not know must not pass for the least
  return rank < 0 ? ACCESS.length : rank;
}

/** The folders in `settings.roots`, absolute; anything we cannot read as a folder becomes `/`, which is inside nothing. */
function rootsOf(entry: PluginServer, { workspaceFolder, userHome }: MergePlace): readonly string[] {
  const roots = entry.settings?.['roots'];
  if (roots === undefined) return [];
  return (Array.isArray(roots) ? (roots as unknown[]) : [roots]).map((root) => {
    const path: unknown = typeof root === 'object' && root !== null ? (root as { path?: unknown }).path : root;
    if (typeof path !== 'string') return '/';
    const known = path.replaceAll('${workspaceFolder}', workspaceFolder ?? '/').replaceAll('${userHome}', userHome);
    return known.includes('${') ? '/' : resolve(workspaceFolder ?? '/', known.replace(/^file:\/\//, ''));
  });
}

type Widens = (path: readonly (string | number)[], what: string, fix: string) => void;

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

function mergeNamespaces(
  user: LoadedConfig,
  workspace: LoadedConfig | undefined,
  servers: ReadonlyMap<string, MergedServer>,
  widens: Widens,
): ReadonlyMap<string, readonly MergedBinding[]> {
  const enabled = [...servers].filter(([, { entry }]) => entry.enabled !== false).map(([name]) => name);
  const namespaces = new Map<string, readonly MergedBinding[]>();
  for (const [name, items] of user.namespaces ?? [])
    namespaces.set(
      name,
      items.map((item) => ({ ...item, from: user })),
    );
  if (user.namespaces === undefined)
    namespaces.set(
      'default',
      enabled.filter((name) => user.servers.has(name)).map((server) => ({ server, from: user })),
    );
  if (workspace === undefined) return namespaces;
  for (const [name, items] of workspace.namespaces ?? []) {
    const kept = items.filter((item, index) => {
      const shown = unhidden(item, user);
      if (shown.length > 0)
        widens(
          ['namespaces', name, index],
          `It shows ${shown.join(', ')} of \`${item.server}\`, which your own configuration hides.`,
          'Hide the same tools here.',
        );
      return shown.length === 0;
    });
    namespaces.set(
      name,
      kept.map((item) => ({ ...item, from: workspace })),
    );
  }
  if (workspace.namespaces === undefined) {
    const present = namespaces.get('default') ?? [];
    const added = enabled.filter((name) => workspace.servers.has(name) && !user.servers.has(name));
    if (added.length > 0) namespaces.set('default', [...present, ...added.map((server) => ({ server, from: workspace }))]);
  }
  return namespaces;
}

/** Tools that every binding in the user's file hides and this one does not. */
function unhidden(item: Binding, user: LoadedConfig): readonly string[] {
  const own = [...(user.namespaces?.values() ?? [])].flat().filter(({ server }) => server === item.server);
  const [first, ...others] = own.map((binding) => hiddenTools(binding));
  const always = (first ?? []).filter((tool) => others.every((hidden) => hidden.includes(tool)));
  const here = hiddenTools(item);
  return always.filter((tool) => !here.includes(tool));
}

/** Names of the tools a binding hides. */
export function hiddenTools({ tools }: Binding): readonly string[] {
  return Object.entries(tools ?? {})
    .filter(([, { hidden }]) => hidden === true)
    .map(([name]) => name);
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
