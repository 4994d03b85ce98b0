import type { Binding, ToolOverride } from '../api/config.ts';
import { limitsTools, type Widens } from './clients.ts';
import type { LoadedConfig } from './file.ts';
import type { MergedBinding, MergedServer } from './merged-config.ts';
import { alwaysHidden, hiddenTools, ownBindings } from './widening.ts';

/**
 * The namespaces in force: the user's and, key by key, the workspace's. A workspace may hide and rename tools of the user's servers in its own
 * namespaces; what the user says of them (alias, names, words, pin) holds there too.
 */
export function mergedNamespaces(
  user: LoadedConfig,
  workspace: LoadedConfig | undefined,
  servers: ReadonlyMap<string, MergedServer>,
  widens: Widens,
): ReadonlyMap<string, readonly MergedBinding[]> {
  const enabled = [...servers].filter(([, { entry }]) => entry.enabled !== false).map(([name]) => name);
  const implied = (names: readonly string[], from: LoadedConfig): readonly MergedBinding[] =>
    names.map((server) => ({ server, from, at: from.serverPath(server) }));
  const namespaces = new Map<string, readonly MergedBinding[]>();
  for (const [name, items] of user.namespaces ?? [])
    namespaces.set(
      name,
      items.map((item, index) => ({ ...item, from: user, at: ['namespaces', name, index] })),
    );
  if (user.namespaces === undefined)
    namespaces.set(
      'default',
      implied(
        enabled.filter((name) => user.servers.has(name)),
        user,
      ),
    );
  if (workspace === undefined) return namespaces;
  const before = new Map(namespaces);
  for (const [name, items] of workspace.namespaces ?? [])
    namespaces.set(
      name,
      items.flatMap((item, index): MergedBinding[] => {
        const at = ['namespaces', name, index];
        const wrong = user.servers.has(item.server) ? bindingWidens(item, name, before.get(name) ?? [], user) : undefined;
        if (wrong !== undefined) widens(at, ...wrong);
        return wrong === undefined ? [{ ...inherited(item, user), from: workspace, at }] : [];
      }),
    );
  if (workspace.namespaces === undefined) {
    const present = namespaces.get('default') ?? [];
    const added = enabled.filter((name) => workspace.servers.has(name) && !user.servers.has(name));
    if (added.length > 0) namespaces.set('default', [...present, ...implied(added, workspace)]);
  }
  return namespaces;
}

/** Why a workspace's binding of a server of the user's would widen what the user allows, and what to do. */
function bindingWidens(
  item: Binding,
  namespace: string,
  own: readonly Binding[],
  user: LoadedConfig,
): readonly [what: string, fix: string] | undefined {
  const hidden = hiddenTools(item);
  const shown = alwaysHidden(item.server, user).filter((tool) => !hidden.includes(tool));
  if (shown.length > 0)
    return [`It shows ${shown.join(', ')} of \`${item.server}\`, which your own configuration hides.`, 'Hide the same tools here.'];
  const policies = [...user.clients.values()];
  for (const [tool, { title, description, annotations, name }] of Object.entries(item.tools ?? {})) {
    if (title !== undefined || description !== undefined || annotations !== undefined)
      return [
        `It changes what \`${tool}\` of your own server \`${item.server}\` says of itself.`,
        'Write title, description and annotations into your own configuration file.',
      ];
    if (name !== undefined && policies.some(({ tools }) => limitsTools(tools)))
      return [
        `It renames \`${tool}\` of your own server \`${item.server}\`, past the names your own configuration allows clients.`,
        'Rename it in your own configuration file.',
      ];
  }
  if (policies.some(({ namespaces }) => namespaces?.includes(namespace) === true) && !own.some(({ server }) => server === item.server))
    return [
      `It puts your own server \`${item.server}\` into \`${namespace}\`, a namespace your own configuration limits clients to.`,
      'Put it into another namespace, or write it into your own configuration file.',
    ];
  return undefined;
}

/** A binding with what the user's own bindings of the same server say where it is silent. */
function inherited(item: Binding, user: LoadedConfig): Binding {
  const own = user.servers.has(item.server) ? ownBindings(item.server, user) : [];
  if (own.length === 0) return item;
  const alias = item.alias ?? own.find((binding) => binding.alias !== undefined)?.alias;
  const tools = new Map<string, ToolOverride>();
  for (const binding of own) {
    for (const [tool, { hidden: _hidden, ...override }] of Object.entries(binding.tools ?? {}))
      if (Object.keys(override).length > 0) tools.set(tool, { ...override, ...tools.get(tool) });
  }
  for (const [tool, override] of Object.entries(item.tools ?? {})) tools.set(tool, { ...tools.get(tool), ...override });
  return {
    server: item.server,
    ...(alias === undefined ? {} : { alias }),
    ...(tools.size === 0 ? {} : { tools: Object.fromEntries(tools) }),
    ...(item.pin === true || own.some(({ pin }) => pin === true) ? { pin: true } : {}),
  };
}
