import { createHmac } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import type { ConfigProblem, EndpointEntry, ResolvedEndpoint, ResolvedServer, ServerEntry } from '../api/config.ts';
import { errorShape } from '../api/errors.ts';
import { aliasOf, isAlias } from './alias.ts';
import type { LoadedConfig } from './file.ts';
import { hiddenTools, type MergedBinding, type MergedConfig, type MergedServer } from './merge.ts';
import { substitute, type Variables } from './substitution.ts';
import { nearest } from './suggestion.ts';

/** What resolving needs besides the merged configuration. */
export interface Resolving {
  readonly workspace: { readonly id: string; readonly folder: string } | undefined;
  /** Folder of the user's configuration file. */
  readonly configDir: string;
  readonly variables: Omit<Variables, 'secret'>;
  /** The value of a secret for one server as written; throws when that server may not have it. */
  secretFor(secret: string, name: string, server: MergedServer): string;
  /** Key of the digests: a digest may reach a log, and a short secret must not be guessed from it. */
  readonly digestKey: Uint8Array;
}

/** Turns a merged configuration into endpoints ready to be served. A server that lacks something carries its `problem`; the others do not care. */
export function resolveEndpoints(
  config: MergedConfig,
  resolving: Resolving,
): { readonly endpoints: readonly ResolvedEndpoint[]; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = checkNamespaces(config);
  const servers = new Map<string, ReturnType<typeof resolveServer>>();
  for (const [name, server] of config.servers) servers.set(name, resolveServer(name, server, resolving));
  const endpoints = [...config.endpoints].map(([name, endpoint]): ResolvedEndpoint => {
    const bindings = bindingsOf(name, endpoint, config, problems);
    const aliases = aliasesOf(bindings, problems);
    const resolved = bindings.flatMap((binding, index) => {
      const server = servers.get(binding.server);
      const alias = aliases[index];
      return server === undefined || alias === undefined ? [] : [{ ...server, alias, hidden: hiddenTools(binding) }];
    });
    return endpointOf(name, resolved, resolving.workspace?.id);
  });
  return { endpoints, problems };
}

/** An endpoint with its path: `/mcp/<endpoint>`, or `/mcp/<workspace>/<endpoint>`. */
export function endpointOf(name: string, servers: readonly ResolvedServer[], workspace: string | undefined): ResolvedEndpoint {
  return workspace === undefined
    ? { name, path: `/mcp/${name}`, servers }
    : { name, workspace, path: `/mcp/${workspace}/${name}`, servers };
}

function resolveServer(name: string, server: MergedServer, resolving: Resolving): Omit<ResolvedServer, 'alias' | 'hidden'> {
  const digest = (entry: ServerEntry): string => createHmac('sha256', resolving.digestKey).update(canonical(entry)).digest('hex');
  const { enabled: _enabled, ...written } = server.entry;
  try {
    const entry = placed(
      substitute(written as ServerEntry, { ...resolving.variables, secret: (secret) => resolving.secretFor(secret, name, server) }),
      server,
      resolving,
    );
    return { name, entry, digest: digest(entry) };
  } catch (error) {
    const entry = written as ServerEntry;
    return { name, entry, digest: digest(entry), problem: errorShape(error) };
  }
}

/** Relative paths get their base: a plugin folder the file it stands in, `cwd` the workspace, else the home. */
function placed(entry: ServerEntry, { from }: MergedServer, { workspace, configDir, variables }: Resolving): ServerEntry {
  if ('url' in entry) return entry;
  const base = workspace?.folder ?? variables.userHome;
  const cwd = entry.cwd === undefined ? base : resolve(base, entry.cwd);
  if (!('plugin' in entry)) return { ...entry, cwd };
  const isFolder = /^\.{1,2}(?:[\\/]|$)/.test(entry.plugin) || isAbsolute(entry.plugin);
  return { ...entry, cwd, plugin: isFolder ? resolve(from === 'workspace' ? base : configDir, entry.plugin) : entry.plugin };
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

function bindingsOf(
  name: string,
  { namespaces, from }: EndpointEntry & { from: LoadedConfig },
  config: MergedConfig,
  problems: ConfigProblem[],
): readonly MergedBinding[] {
  const seen = new Set<string>();
  return namespaces.flatMap((namespace, index) => {
    const bindings = config.namespaces.get(namespace);
    if (bindings === undefined)
      problems.push(unknownName(from, ['endpoints', name, 'namespaces', index], 'namespace', namespace, config.namespaces.keys()));
    return (bindings ?? []).filter(({ server, alias }) => {
      const key = JSON.stringify([server, alias]);
      const first = !seen.has(key) && config.servers.has(server) && config.servers.get(server)?.entry.enabled !== false;
      seen.add(key);
      return first;
    });
  });
}

function unknownName(
  from: LoadedConfig,
  path: readonly (string | number)[],
  kind: string,
  name: string,
  known: Iterable<string>,
): ConfigProblem {
  const names = [...known];
  const meant = nearest(name, names);
  const fix =
    meant === undefined ? `There ${names.length === 0 ? `is no ${kind} yet` : `are: ${names.join(', ')}`}.` : `Did you mean \`${meant}\`?`;
  return from.problemAt(path, 'SBX_CONFIG_INVALID', `There is no ${kind} \`${name}\`.`, fix);
}

/** Aliases written down come first, then names that are aliases as they are, then the derived: the order of servers changes no plain name. */
function aliasesOf(bindings: readonly MergedBinding[], problems: ConfigProblem[]): readonly (string | undefined)[] {
  const taken = new Set<string>();
  const aliases = new Map<number, string>();
  const give = (index: number, alias: string): void => {
    aliases.set(index, alias);
    taken.add(alias);
  };
  for (const [index, { alias, from, server }] of bindings.entries()) {
    if (alias === undefined || !isAlias(alias)) continue;
    if (!taken.has(alias)) give(index, alias);
    else
      problems.push(
        from.problemAt(
          ['namespaces'],
          'SBX_ALIAS_INVALID',
          `The alias \`${alias}\` of \`${server}\` is already another server's in the same endpoint; one is made from the server's name.`,
          'Choose another alias.',
        ),
      );
  }
  for (const [index, { server }] of bindings.entries())
    if (!aliases.has(index) && isAlias(server) && !taken.has(server)) give(index, server);
  for (const [index, { server }] of bindings.entries()) if (!aliases.has(index)) give(index, aliasOf(server, taken));
  return bindings.map((_, index) => aliases.get(index));
}

/** JSON with sorted keys: the order in which someone writes an entry does not restart a server. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const pairs = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}
