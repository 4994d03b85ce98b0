import type { ConfigProblem, EndpointEntry, ResolvedEndpoint, ResolvedServer, ToolOverride } from '../api/config.ts';
import { aliasesOf } from './aliases.ts';
import type { LoadedConfig } from './file.ts';
import type { MergedBinding, MergedConfig } from './merged-config.ts';
import { type Resolving, resolveServers } from './resolved-server.ts';
import { unknownName } from './unknown-name.ts';
import { hiddenTools } from './widening.ts';

/** Turns a merged configuration into endpoints ready to be served. A server that lacks something carries its `problem`; the others do not care. */
export function resolveEndpoints(
  config: MergedConfig,
  resolving: Resolving,
): { readonly endpoints: readonly ResolvedEndpoint[]; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = checkNamespaces(config);
  const servers = resolveServers(config, resolving);
  const endpoints = [...config.endpoints].map(([name, endpoint]): ResolvedEndpoint => {
    const bound = bindingsOf(name, endpoint, config, problems);
    const aliases = aliasesOf(
      bound.map(({ binding }) => binding),
      config,
      problems,
    );
    const resolved = bound.flatMap(({ binding, namespaces, hidden }, index): ResolvedServer[] => {
      const server = servers.get(binding.server);
      const alias = aliases[index];
      if (server === undefined || alias === undefined) return [];
      const overrides = overridesOf(binding);
      return [
        {
          ...server,
          alias,
          hidden,
          namespaces,
          ...(Object.keys(overrides).length === 0 ? {} : { overrides }),
          ...(binding.pin === true ? { pin: true } : {}),
        },
      ];
    });
    return endpointOf(name, endpoint, resolved, config, resolving);
  });
  return { endpoints, problems };
}

/** An endpoint with its path: `/mcp/<endpoint>`, or `/mcp/<workspace>/<endpoint>`. */
function endpointOf(
  name: string,
  { tools }: EndpointEntry,
  servers: readonly ResolvedServer[],
  { clients }: MergedConfig,
  { workspace }: Resolving,
): ResolvedEndpoint {
  const place =
    workspace === undefined
      ? { path: `/mcp/${name}` }
      : { workspace: workspace.id, path: `/mcp/${workspace.id}/${name}`, folder: workspace.folder };
  return { name, ...place, servers, ...(tools === undefined ? {} : { tools }), ...(Object.keys(clients).length === 0 ? {} : { clients }) };
}

/** What a binding says of tools besides hiding them. */
function overridesOf({ tools }: MergedBinding): Readonly<Record<string, ToolOverride>> {
  const all = Object.entries(tools ?? {}).map(([tool, { hidden: _hidden, ...override }]) => [tool, override] as const);
  return Object.fromEntries(all.filter(([, override]) => Object.keys(override).length > 0));
}

function checkNamespaces({ namespaces, servers }: MergedConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [name, bindings] of namespaces) {
    for (const [index, { server, from }] of bindings.entries()) {
      if (servers.has(server)) continue;
      problems.push(unknownName(from, ['namespaces', name, index], 'server', server, servers.keys()));
    }
  }
  return problems;
}

/** One binding of an endpoint, once, with every namespace it came in by. */
interface Bound {
  readonly binding: MergedBinding;
  readonly namespaces: readonly string[];
  readonly hidden: readonly string[];
}

function bindingsOf(
  name: string,
  { namespaces, from }: EndpointEntry & { from: LoadedConfig },
  config: MergedConfig,
  problems: ConfigProblem[],
): readonly Bound[] {
  const bound = new Map<string, Bound>();
  for (const [index, namespace] of namespaces.entries()) {
    const bindings = config.namespaces.get(namespace);
    if (bindings === undefined)
      problems.push(unknownName(from, ['endpoints', name, 'namespaces', index], 'namespace', namespace, config.namespaces.keys()));
    for (const binding of bindings ?? []) {
      const server = config.servers.get(binding.server);
      if (server === undefined || server.entry.enabled === false) continue;
      const key = JSON.stringify([binding.server, binding.alias]);
      bound.set(key, joined(bound.get(key), binding, namespace));
    }
  }
  return [...bound.values()];
}

/** The same server under the same alias by two namespaces is one: the first says how its tools look, either may hide and pin. */
function joined(first: Bound | undefined, binding: MergedBinding, namespace: string): Bound {
  if (first === undefined) return { binding, namespaces: [namespace], hidden: hiddenTools(binding) };
  return {
    binding: binding.pin === true ? { ...first.binding, pin: true } : first.binding,
    namespaces: [...new Set([...first.namespaces, namespace])],
    hidden: [...new Set([...first.hidden, ...hiddenTools(binding)])],
  };
}
