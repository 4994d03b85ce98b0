import type { ClientEntry, ServerLimits } from '../api/config.ts';
import type { JsonPath } from './document.ts';
import type { LoadedConfig } from './file.ts';

/** Reports an entry of a workspace that would widen what the user allows. */
export type Widens = (path: JsonPath, what: string, fix: string) => void;

/** Policies of clients as endpoints get them. */
export type ClientPolicies = Readonly<Record<string, ClientEntry>>;

/**
 * The policies in force in a workspace: the user's, and where the workspace has one too what both allow. What a workspace allows beyond the
 * user's is reported and does not count.
 */
export function mergedClients(user: LoadedConfig, workspace: LoadedConfig | undefined, widens: Widens): ClientPolicies {
  const merged = new Map<string, ClientEntry>([...user.clients].map(([name, { scopes: _scopes, ...entry }]) => [name, entry]));
  for (const [name, { scopes: _scopes, ...entry }] of workspace?.clients ?? []) {
    const own = merged.get(name);
    merged.set(name, own === undefined ? entry : narrowed(name, own, entry, widens));
  }
  return Object.fromEntries(merged);
}

/** Whether the user's file limits what some client sees, so that it matters by what name and in which namespace a server is seen. */
export function limitsSight({ clients }: LoadedConfig): boolean {
  return [...clients.values()].some(({ namespaces, tools }) => namespaces !== undefined || limitsTools(tools));
}

/** Whether a policy limits tools by their names. */
export function limitsTools(tools: ClientEntry['tools']): boolean {
  return tools?.allow !== undefined || (tools?.deny ?? []).length > 0;
}

function narrowed(name: string, own: ClientEntry, here: ClientEntry, widens: Widens): ClientEntry {
  const fix = 'Name only what your own configuration allows.';
  const namespaces = both(
    own.namespaces,
    here.namespaces,
    (namespace) => own.namespaces?.includes(namespace) === true,
    (index, namespace) =>
      widens(
        ['clients', name, 'namespaces', index],
        `\`${name}\` sees the namespace \`${namespace}\`, which your own configuration does not show it.`,
        fix,
      ),
  );
  const allow = both(
    own.tools?.allow,
    here.tools?.allow,
    (glob) => own.tools?.allow?.some((wider) => covers(wider, glob)) === true,
    (index, glob) =>
      widens(
        ['clients', name, 'tools', 'allow', index],
        `\`${glob}\` goes beyond the tools your own configuration allows \`${name}\`.`,
        fix,
      ),
  );
  const deny = [...(own.tools?.deny ?? []), ...(here.tools?.deny ?? [])];
  const tools = { ...(allow === undefined ? {} : { allow }), ...(deny.length === 0 ? {} : { deny }) };
  const limits = leastLimits(own.limits, here.limits, (key) =>
    widens(['clients', name, 'limits', key], `\`${key}\` of \`${name}\` is above that of your own configuration.`, 'Lower it.'),
  );
  const endpoint = here.endpoint ?? own.endpoint;
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(Object.keys(tools).length === 0 ? {} : { tools }),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** What stands in both lists; an absent list is everything. `beyond` hears of what only `here` has. */
function both(
  own: readonly string[] | undefined,
  here: readonly string[] | undefined,
  within: (item: string) => boolean,
  beyond: (index: number, item: string) => void,
): readonly string[] | undefined {
  if (own === undefined || here === undefined) return here ?? own;
  return here.filter((item, index) => {
    const allowed = within(item);
    if (!allowed) beyond(index, item);
    return allowed;
  });
}

/** The lower of each limit; `above` hears of keys where `here` is higher. */
function leastLimits(
  own: ServerLimits | undefined,
  here: ServerLimits | undefined,
  above: (key: keyof ServerLimits) => void,
): ServerLimits | undefined {
  if (own === undefined || here === undefined) return own ?? here;
  const limits: { -readonly [K in keyof ServerLimits]: ServerLimits[K] } = { ...own };
  for (const key of ['concurrency', 'queue', 'callsPerMinute'] as const) {
    const [most, asked] = [own[key], here[key]];
    if (asked === undefined) continue;
    if (most !== undefined && asked > most) above(key);
    limits[key] = Math.min(asked, most ?? asked);
  }
  return limits;
}

/** Whether a glob matches everything another does: the other, read as a text whose `*` only a `*` can stand for. */
export function covers(wider: string, glob: string): boolean {
  const pattern = wider
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`, 's').test(glob);
}
