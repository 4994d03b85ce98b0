import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Access, Binding, PluginServer, ServerEntry, ServerLimits } from '../api/config.ts';
import { limitsSight } from './clients.ts';
import type { LoadedConfig } from './file.ts';
import { isInside } from './folders.ts';
import { needsOf } from './patterns.ts';

/** What the check of roots needs to know. */
export interface MergePlace {
  /** Real path of the workspace. */
  readonly workspaceFolder: string | undefined;
  readonly userHome: string;
}

const ACCESS: readonly Access[] = ['read', 'write', 'admin'];

/** Why a workspace's server would widen what the user allows; `undefined` when it does not. */
export function widening(name: string, entry: ServerEntry, user: LoadedConfig, place: MergePlace): string | undefined {
  const own = user.servers.get(name);
  if (own?.enabled === false && entry.enabled !== false) return `\`${name}\` is switched off in your own configuration.`;
  if (entry.faults !== undefined && !('recording' in entry))
    return `\`${name}\` has \`faults\`, which only your own configuration may put into a live server.`;
  if ('recording' in entry) {
    const file = resolve(place.workspaceFolder ?? '/', entry.recording.replaceAll('${workspaceFolder}', place.workspaceFolder ?? '/'));
    if (place.workspaceFolder === undefined || file.includes('${') || !isInside(file, place.workspaceFolder))
      return `\`${name}\` plays the recording ${JSON.stringify(entry.recording)}, which is outside the workspace.`;
  }
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
  if (own === undefined) return reaching(name, entry, user);
  // under the user's own name only what the user wrote may run: with less access, fewer roots and lower limits, but nothing else changed
  if (!isDeepStrictEqual(essence(own), essence(entry))) return `\`${name}\` is a server of your own configuration and is changed here.`;
  if (!within(entry.limits, own.limits)) return `\`${name}\` gets higher limits than in your own configuration.`;
  return undefined;
}

/** Tools that every binding of a server in the user's file hides. */
export function alwaysHidden(server: string, user: LoadedConfig): readonly string[] {
  const [first, ...others] = ownBindings(server, user).map((binding) => hiddenTools(binding));
  return (first ?? []).filter((tool) => others.every((hidden) => hidden.includes(tool)));
}

/** The bindings of a server in the user's file. */
export function ownBindings(server: string, user: LoadedConfig): readonly Binding[] {
  return [...(user.namespaces?.values() ?? [])].flat().filter((binding) => binding.server === server);
}

/** Names of the tools a binding hides. */
export function hiddenTools({ tools }: Binding): readonly string[] {
  return Object.entries(tools ?? {})
    .filter(([, { hidden }]) => hidden === true)
    .map(([name]) => name);
}

/** A step or fallback calls the user's servers by a new name, past everything the user says of them by name. */
function reaching(name: string, entry: ServerEntry, user: LoadedConfig): string | undefined {
  for (const { server, tool } of needsOf(entry)) {
    if (!user.servers.has(server)) continue;
    if (tool !== undefined && alwaysHidden(server, user).includes(tool))
      return `\`${name}\` calls \`${tool}\` of \`${server}\`, which your own configuration hides.`;
    if (ownBindings(server, user).some(({ pin }) => pin === true))
      return `\`${name}\` calls \`${server}\`, whose tools your own configuration pins.`;
    if (limitsSight(user)) return `\`${name}\` calls your own server \`${server}\`, past what your own configuration lets each client see.`;
  }
  return undefined;
}

function essence(entry: ServerEntry): unknown {
  const {
    enabled: _enabled,
    watch: _watch,
    timeoutMs: _timeoutMs,
    limits: _limits,
    type,
    ...rest
  } = entry as ServerEntry & { type?: string };
  // the other types only repeat what `command` and `url` say
  const kind = type === 'sse' || type === 'signalbox' ? { type } : {};
  if (!isPlugin(entry)) return { ...rest, ...kind };
  const { roots: _roots, access: _access, ...settings } = entry.settings ?? {};
  return { ...rest, settings };
}

function within(asked: ServerLimits | undefined, most: ServerLimits | undefined): boolean {
  return (['concurrency', 'queue', 'callsPerMinute'] as const).every(
    (key) => most?.[key] === undefined || (asked?.[key] ?? Number.POSITIVE_INFINITY) <= most[key],
  );
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
