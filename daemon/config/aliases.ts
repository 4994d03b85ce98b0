import type { ConfigProblem } from '../api/config.ts';
import { aliasOf, isAlias } from './alias.ts';
import { limitsTools } from './clients.ts';
import type { LoadedConfig } from './file.ts';
import type { MergedBinding, MergedConfig } from './merged-config.ts';
import { ownBindings } from './widening.ts';

/**
 * The aliases of an endpoint's bindings, undefined for one that may not be served. Aliases written down come first, then names that are aliases as
 * they are, then the derived: the order of servers changes no plain name. All of the user's own servers come before any of the workspace's, so that
 * no workspace takes a name away from what the user knows by it.
 */
export function aliasesOf(
  bindings: readonly MergedBinding[],
  { user }: MergedConfig,
  problems: ConfigProblem[],
): readonly (string | undefined)[] {
  const taken = new Set<string>();
  const aliases = new Map<number, string>();
  const isOwn = ({ server }: MergedBinding): boolean => user.servers.has(server);
  const all = [...bindings.entries()];
  give(
    all.filter(([, binding]) => isOwn(binding)),
    aliases,
    taken,
    problems,
  );
  give(
    all.filter(([, binding]) => !isOwn(binding)),
    aliases,
    taken,
    problems,
  );
  const byName = [...user.clients.values()].some(({ tools }) => limitsTools(tools));
  return bindings.map((binding, index) => {
    const alias = aliases.get(index);
    const known = aliasesOfUser(binding.server, user);
    if (!byName || alias === undefined || binding.from === user || !isOwn(binding) || known.includes(alias)) return alias;
    problems.push(
      binding.from.problemAt(
        binding.at,
        'SBX_WORKSPACE_WIDENS',
        `It gives your own server \`${binding.server}\` the alias \`${alias}\`, past the names your own configuration allows clients. The entry is left out.`,
        `Leave the alias \`${known[0] ?? ''}\`, and give it to no other server of the endpoint.`,
      ),
    );
    return undefined;
  });
}

function give(
  bindings: readonly (readonly [index: number, binding: MergedBinding])[],
  aliases: Map<number, string>,
  taken: Set<string>,
  problems: ConfigProblem[],
): void {
  const set = (index: number, alias: string): void => {
    aliases.set(index, alias);
    taken.add(alias);
  };
  for (const [index, { alias, from, server, at }] of bindings) {
    if (alias === undefined || !isAlias(alias)) continue;
    if (!taken.has(alias)) set(index, alias);
    else
      problems.push(
        from.problemAt(
          [...at, 'alias'],
          'SBX_ALIAS_INVALID',
          `The alias \`${alias}\` of \`${server}\` is already another server's in the same endpoint; one is made from the server's name.`,
          'Choose another alias.',
        ),
      );
  }
  for (const [index, { server }] of bindings) if (!aliases.has(index) && isAlias(server) && !taken.has(server)) set(index, server);
  for (const [index, { server }] of bindings) if (!aliases.has(index)) set(index, aliasOf(server, taken));
}

/** The aliases a server has in the user's own namespaces. */
function aliasesOfUser(server: string, user: LoadedConfig): readonly string[] {
  const bindings = ownBindings(server, user);
  const natural = aliasOf(server, new Set());
  return bindings.length === 0 ? [natural] : bindings.map(({ alias }) => (alias !== undefined && isAlias(alias) ? alias : natural));
}
