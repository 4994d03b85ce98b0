import { createHmac } from 'node:crypto';
import { isAbsolute, join, resolve } from 'node:path';
import type { PatternServer, ResolvedServer, ServerEntry } from '../api/config.ts';
import { errorShape } from '../api/errors.ts';
import { aliasOf } from './alias.ts';
import type { MergedConfig, MergedServer } from './merged-config.ts';
import { isPattern, needsOf } from './patterns.ts';
import { substitute, type Variables } from './substitution.ts';
import { alwaysHidden } from './widening.ts';

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

/** A server before a namespace gives it its alias. */
export type UnboundServer = Omit<ResolvedServer, 'alias' | 'hidden'>;

/**
 * Every server, substituted, with what it needs of others: `uses` holds its fallback and the servers of its steps, and theirs in turn.
 * A digest changes with whatever a running server (for a pattern: a server of its steps) would have to be started anew for; a fallback is not that.
 */
export function resolveServers({ servers, user }: MergedConfig, resolving: Resolving): ReadonlyMap<string, UnboundServer> {
  const resolved = new Map<string, UnboundServer>();
  const find = (name: string): UnboundServer | undefined => {
    const known = resolved.get(name);
    const server = servers.get(name);
    if (known !== undefined || server === undefined) return known;
    const uses: Record<string, ResolvedServer> = {};
    const needs = new Set(needsOf(server.entry).map((need) => need.server));
    const direct: ResolvedServer[] = [...needs].flatMap((needed) => {
      const found = find(needed);
      // past the user's own bindings a workspace gets no further than they go
      const hidden = server.from === 'workspace' && user.servers.has(needed) ? alwaysHidden(needed, user) : [];
      return found === undefined ? [] : [{ ...found, alias: aliasOf(needed, new Set()), hidden }];
    });
    for (const { uses: theirs } of direct) Object.assign(uses, theirs);
    for (const use of direct) uses[use.name] = use;
    const unbound = { ...resolveServer(name, server, direct, resolving), ...(direct.length === 0 ? {} : { uses }) };
    resolved.set(name, unbound);
    return unbound;
  };
  for (const name of servers.keys()) find(name);
  return resolved;
}

function resolveServer(name: string, server: MergedServer, uses: readonly ResolvedServer[], resolving: Resolving): UnboundServer {
  const { enabled, ...written } = server.entry;
  const digest = (entry: ServerEntry, problem?: string): string => {
    // neither changes what runs
    const { fallback: _fallback, conformance: _conformance, ...own } = entry;
    const called = new Set(needsOf(entry).flatMap(({ server, tool }) => (tool === undefined ? [] : [server])));
    const steps = uses.filter((use) => called.has(use.name)).map((use) => [use.name, use.digest]);
    const parts = [own, ...(steps.length === 0 ? [] : [steps]), ...(problem === undefined ? [] : [problem])];
    return createHmac('sha256', resolving.digestKey).update(parts.map(canonical).join('\n')).digest('hex');
  };
  if (enabled === false)
    return { name, entry: written as ServerEntry, digest: digest(written as ServerEntry, 'off'), problem: switchedOff(name) };
  try {
    const secret = (wanted: string): string => resolving.secretFor(wanted, name, server);
    const entry = placed(substituted(written as ServerEntry, { ...resolving.variables, secret }), server, resolving);
    return { name, entry, digest: digest(entry) };
  } catch (error) {
    const problem = errorShape(error);
    return { name, entry: written as ServerEntry, digest: digest(written as ServerEntry, problem.code), problem };
  }
}

function switchedOff(name: string): NonNullable<ResolvedServer['problem']> {
  return {
    code: 'SBX_SERVER_DISABLED',
    message: `The server \`${name}\` is switched off.`,
    cause: 'Its entry has "enabled": false.',
    fix: `\`signalbox servers enable ${name}\`.`,
  };
}

/** Of a pattern only the templates: its schemas and descriptions may have a `${` of their own. */
function substituted(entry: ServerEntry, variables: Variables): ServerEntry {
  if (!isPattern(entry)) return substitute(entry, variables);
  const each = <T extends object>(tools: Readonly<Record<string, T>>, keys: readonly string[]): Readonly<Record<string, T>> =>
    Object.fromEntries(
      Object.entries(tools).map(([name, tool]) => {
        const templates = Object.entries(tool).filter(([key]) => keys.includes(key));
        return [name, { ...tool, ...substitute(Object.fromEntries(templates), variables) }];
      }),
    );
  const pattern: PatternServer = {
    ...entry,
    ...(entry.chain === undefined ? {} : { chain: each(entry.chain, ['steps', 'result']) }),
    ...(entry.aggregate === undefined ? {} : { aggregate: each(entry.aggregate, ['calls']) }),
  };
  return pattern;
}

/** Relative paths get their base: a plugin folder the file it stands in, `cwd` the workspace, else the home. A pattern waits as long as its steps do. */
function placed(entry: ServerEntry, { from }: MergedServer, { workspace, configDir, variables }: Resolving): ServerEntry {
  if ('url' in entry) return entry;
  if (isPattern(entry)) return { ...entry, timeoutMs: entry.timeoutMs ?? 0 };
  const base = workspace?.folder ?? variables.userHome;
  if ('recording' in entry)
    return { ...entry, recording: recordingPath(entry.recording, from === 'workspace' ? base : undefined, configDir) };
  const cwd = entry.cwd === undefined ? base : resolve(base, entry.cwd);
  if (!('plugin' in entry)) return { ...entry, cwd };
  const isFolder = /^\.{1,2}(?:[\\/]|$)/.test(entry.plugin) || isAbsolute(entry.plugin);
  return { ...entry, cwd, plugin: isFolder ? resolve(from === 'workspace' ? base : configDir, entry.plugin) : entry.plugin };
}

/**
 * A recording by its path. A workspace shares its own: a name there is that of a file in `.signalbox/recordings`, never one of the state
 * directory, which holds what all workspaces said. In the user's file a name stays one.
 */
function recordingPath(recording: string, workspace: string | undefined, configDir: string): string {
  const isPath = /[\\/]|\.jsonl$/.test(recording);
  if (workspace === undefined) return isPath ? resolve(configDir, recording) : recording;
  return resolve(workspace, isPath ? recording : join('.signalbox', 'recordings', `${recording}.jsonl`));
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
