import type { ServerEntry } from '../api/config.ts';
import { type LoadedConfig, parseConfig } from './file.ts';
import { mayBeDefaultRoot } from './folders.ts';

/** The filesystem server nobody configured: read-only on the workspace, or on nothing where that would be the home or worse. */
export function defaultFilesystem(
  folder: string | undefined,
  kept: { readonly home: string; readonly stateDir: string; readonly configDir: string },
): ServerEntry {
  const roots = folder !== undefined && mayBeDefaultRoot(folder, kept) ? [folder] : [];
  return { plugin: 'filesystem', settings: { roots, access: 'read' } };
}

/** The user's configuration with the three bundled servers where it names none (ARCHITECTURE section 5): `fs`, `db` and `api` without settings. */
export function withDefaults(user: LoadedConfig, filesystem: ServerEntry): LoadedConfig {
  if (user.hasServers) return user;
  const servers = new Map<string, ServerEntry>([
    ['fs', filesystem],
    ['db', { plugin: 'database' }],
    ['api', { plugin: 'api' }],
  ]);
  return { ...user, servers };
}

/** The user's configuration as a workspace sees it whose own file counts for nothing: a `default` endpoint for sure, with a filesystem server. */
export function forPlainWorkspace(user: LoadedConfig, filesystem: ServerEntry): LoadedConfig {
  const full = withDefaults(user, filesystem);
  if ([...full.servers.values()].some((entry) => 'plugin' in entry && entry.plugin === 'filesystem') || full.servers.has('fs'))
    return ensured(full);
  return ensured({
    ...full,
    servers: new Map([...full.servers, ['fs', filesystem]]),
    namespaces: full.namespaces && new Map([...full.namespaces, ['fs-of-workspace', [{ server: 'fs' }]]]),
  });
}

function ensured(config: LoadedConfig): LoadedConfig {
  const { endpoints } = config;
  if (endpoints === undefined) return config;
  const standard = endpoints.get('default') ?? { namespaces: [] };
  const extra = config.namespaces?.has('fs-of-workspace') === true ? ['fs-of-workspace'] : [];
  return { ...config, endpoints: new Map([...endpoints, ['default', { ...standard, namespaces: [...standard.namespaces, ...extra] }]]) };
}

/** No configuration at all. */
export function noConfig(file: string): LoadedConfig {
  return parseConfig(file, '{}');
}
