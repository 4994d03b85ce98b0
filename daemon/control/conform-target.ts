/** From a server of the configuration to what the conformance runner starts: the same entry, in a fresh and private instance. */
import type { ResolvedEndpoint, ResolvedServer } from '../api/config.ts';
import type { ConformanceSettings, Target } from '../api/conformance.ts';
import { errorFromShape, SignalboxError } from '../api/errors.ts';
import { SETTINGS_FD } from '../api/plugin.ts';
import { withTokens } from '../conformance/tokens.ts';
import { pluginFolder } from '../upstreams/plugin-folder.ts';

/** What starting a plugin needs to know. */
export interface PluginStart {
  readonly node: { readonly command: string; readonly env: Readonly<Record<string, string>> };
  readonly pluginHost: string;
  readonly pluginsDir: string;
}

/** A server to test. */
export interface Tested {
  readonly target: Target;
  /** Of its entry. */
  readonly settings: ConformanceSettings;
}

/**
 * The server of that name in these endpoints.
 * @param workspace id of the workspace; the user's own servers without it
 * @throws SBX_SERVER_UNKNOWN
 */
export function configuredServer(endpoints: readonly ResolvedEndpoint[], name: string, workspace: string | undefined): ResolvedServer {
  const mine = endpoints.filter((endpoint) => endpoint.workspace === workspace).flatMap(({ servers }) => servers);
  // what only a fallback or a chain uses is in no endpoint of its own
  const found = mine.find((server) => server.name === name) ?? mine.map(({ uses }) => uses?.[name]).find((used) => used !== undefined);
  if (found !== undefined) return found;
  throw new SignalboxError('SBX_SERVER_UNKNOWN', `There is no server "${name}".`, {
    why: `The servers here are: ${[...new Set(mine.map((server) => server.name))].join(', ') || 'none'}.`,
    fix: 'Name one of them, or test a command: `signalbox conform -- COMMAND`. A workspace must be open and trusted.',
  });
}

/**
 * What to start, or where to send, to test a configured server. Holds its secrets.
 * @param base folder that a server without `cwd` starts in
 * @throws SBX_CONFORM_TARGET for one that has no transport of its own, and its own problem (a missing secret) when it has one
 */
export function targetOfServer({ name, entry, problem }: ResolvedServer, start: PluginStart, base: string): Tested {
  if (problem !== undefined) throw errorFromShape(problem as Parameters<typeof errorFromShape>[0]);
  const settings = entry.conformance ?? {};
  const cwd = entry.cwd ?? base;
  if ('url' in entry) {
    if (entry.type === 'sse') throw untestable(name, 'It speaks HTTP+SSE, which the current revisions have no requirements for.');
    const target: Target = { kind: 'http', url: entry.url, ...(entry.headers === undefined ? {} : { headers: entry.headers }) };
    return { target: settings.tokens === undefined ? target : withTokens(target, settings.tokens), settings };
  }
  if ('command' in entry)
    return { target: { kind: 'stdio', command: entry.command, args: entry.args ?? [], cwd, env: entry.env ?? {} }, settings };
  if (!('plugin' in entry)) throw untestable(name, 'It has no process and no URL of its own.');
  const folder = pluginFolder(entry.plugin, start.pluginsDir, cwd);
  return {
    target: {
      kind: 'stdio',
      command: start.node.command,
      args: ['--disable-warning=ExperimentalWarning', start.pluginHost, folder, '--settings-fd', String(SETTINGS_FD)],
      cwd,
      env: { ...entry.env, ...start.node.env },
      settings: entry.settings ?? {},
    },
    settings,
  };
}

function untestable(name: string, why: string): SignalboxError {
  return new SignalboxError('SBX_CONFORM_TARGET', `The server "${name}" cannot be tested.`, {
    why,
    fix: 'Test the servers behind it, or a command or a Streamable HTTP URL: `signalbox conform -- COMMAND`.',
  });
}
