/** What the daemon does for each request of the control channel: thin calls into the parts. */
import { readFile } from 'node:fs/promises';
import type { ServerEntry } from '../api/config.ts';
import type { ConformanceMethods } from '../api/conformance.ts';
import type { DaemonStatus, EndpointRef, ServerStatus } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';
import type { FaultMethods } from '../api/faults.ts';
import type { Paths } from '../api/paths.ts';
import type { RecordingMethods } from '../api/recordings.ts';
import type { SessionMethods } from '../api/sessions.ts';
import type { ConfigStore } from '../config/store.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';
import type { EndpointSet, ServedEndpoint } from '../endpoints/endpoint-set.ts';
import { outcomeOf } from '../protocol/frame.ts';
import type { Outcome } from '../protocol/message.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Member } from '../router/member.ts';
import type { Router } from '../router/router.ts';
import type { SecretStore } from '../security/secrets.ts';
import type { TokenStore } from '../security/tokens.ts';
import { callHandlers } from './calls.ts';
import type { ControlClient } from './control-client.ts';
import { findEndpoint, workspaceIdOf } from './endpoint-lookup.ts';

/** The parts the handlers call. */
export interface ControlParts {
  readonly paths: Paths;
  readonly config: ConfigStore;
  readonly endpoints: EndpointSet;
  readonly router: Router;
  readonly client: ControlClient;
  readonly tokens: TokenStore;
  readonly secrets: SecretStore;
  readonly status: () => DaemonStatus;
  readonly url: (path: string) => string;
  readonly serverLog: (server: string, workspace: string | undefined) => readonly string[];
  readonly stop: (reason: string) => void;
}

/** Builds the handler table. */
export function controlHandlers(
  parts: ControlParts,
): Omit<ControlHandlers, keyof SessionMethods | keyof RecordingMethods | keyof ConformanceMethods | keyof FaultMethods> {
  const { config, endpoints, router, client, tokens, secrets, paths } = parts;
  const served = (ref: EndpointRef): ServedEndpoint => findEndpoint(endpoints, config, ref);
  const call = async (view: EndpointView, method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> =>
    resultOf(outcomeOf(await client.request(view, method, params)));
  const members = (name: string, workspace: string | undefined): Member[] => {
    const id = workspaceIdOf(config, workspace);
    const found = endpoints
      .all()
      .flatMap(({ view }) =>
        workspace === undefined || view.endpoint.workspace === id ? view.members.filter((member) => member.server.name === name) : [],
      );
    if (found.length > 0) return found;
    throw new SignalboxError('SBX_SERVER_UNKNOWN', `There is no server "${name}".`, {
      why: 'No endpoint has it: it is not configured, or disabled.',
      fix: 'See `signalbox servers list`.',
    });
  };
  return {
    status: async () => parts.status(),
    'servers/list': async ({ workspace }) => {
      const id = workspaceIdOf(config, workspace);
      return { servers: parts.status().servers.filter((server) => workspace === undefined || server.workspace === id) };
    },
    'servers/add': async ({ name, entry, workspace }) => config.addServer(name, entry, workspace),
    'servers/remove': async ({ name, workspace }) => config.removeServer(name, workspace),
    'servers/enable': async ({ name, enabled, workspace }) => config.enableServer(name, enabled, workspace),
    'servers/restart': async ({ name, workspace }) => {
      await Promise.all([...new Set(members(name, workspace).map((member) => member.upstream))].map((upstream) => upstream.restart()));
      return {};
    },
    'servers/accept': async ({ name, tool, workspace }) => {
      const mine = new Set(members(name, workspace));
      const views = endpoints.all().filter(({ view }) => view.members.some((member) => mine.has(member)));
      return { accepted: [...new Set(views.flatMap(({ view }) => view.accept(name, tool)))].sort() };
    },
    'servers/where': async ({ name, workspace }) => config.whereIsServer(name, workspace),
    'servers/logs': async ({ name, lines = 200, workspace }) => ({
      lines: parts.serverLog(name, workspaceIdOf(config, workspace)).slice(-lines),
    }),
    'endpoint/describe': async (ref) => {
      const { endpoint } = served(ref).view;
      return {
        name: endpoint.name,
        path: endpoint.path,
        url: parts.url(endpoint.path),
        servers: endpoint.servers.map((server) => server.name),
        ...(endpoint.workspace === undefined ? {} : { workspace: endpoint.workspace }),
      };
    },
    'tools/list': async (ref) => {
      const { view } = served(ref);
      const catalog = await view.loadedCatalog();
      return {
        // People want to see the tools also where clients have to search for them.
        tools: catalog.allTools.map((tool) => ({
          server: catalog.toolRoutes.get(String(tool['name']))?.member.server.name ?? '',
          tool: tool as never,
        })),
        errors: view.errors().map(({ server, error }) => ({ server, ...error })),
      };
    },
    'tools/call': async ({ name, arguments: args, ...ref }) => call(served(ref).view, 'tools/call', { name, arguments: args }),
    ...callHandlers({ router, client, view: (ref) => served(ref).view, resultOf }),
    'resources/list': async (ref) => {
      const { resources, resourceRoutes } = await served(ref).view.loadedCatalog();
      return { resources, servers: resources.map(({ uri }) => resourceRoutes.get(String(uri))?.member.server.name ?? '') };
    },
    'resources/read': async ({ uri, ...ref }) => call(served(ref).view, 'resources/read', { uri }),
    'prompts/list': async (ref) => {
      const { prompts, promptRoutes } = await served(ref).view.loadedCatalog();
      return { prompts, servers: prompts.map(({ name }) => promptRoutes.get(String(name))?.member.server.name ?? '') };
    },
    'prompts/get': async ({ name, arguments: args, ...ref }) => call(served(ref).view, 'prompts/get', { name, arguments: args }),
    'workspace/open': async ({ folder }) => config.openWorkspace(folder),
    'workspace/trust': async ({ folder, trusted }) => config.trustWorkspace(folder, trusted),
    'clients/list': async () => ({ clients: tokens.list().map(({ path: _path, ...credential }) => credential) }),
    'clients/token': async ({ client, rotate, ...ref }) => {
      const { path } = served(ref).view.endpoint;
      const { token } = rotate === true ? tokens.rotate({ client, path }) : tokens.ensure({ client, path });
      return { url: parts.url(path), token };
    },
    'clients/revoke': async ({ client, ...ref }) => {
      const named = ref.endpoint !== undefined || ref.workspace !== undefined;
      return { revoked: tokens.revoke(client, named ? served(ref).view.endpoint.path : undefined) };
    },
    'secrets/list': async () => ({ secrets: secrets.list() }),
    'secrets/set': async ({ name, value }) => {
      secrets.set(name, value);
      return {};
    },
    'secrets/remove': async ({ name }) => ({ removed: secrets.remove(name) }),
    'secrets/grant': async ({ name, server, workspace }) => {
      config.grantSecret(name, server, workspace);
      return {};
    },
    'logs/tail': async ({ lines }) => ({
      lines: (await readFile(paths.logFile, 'utf8').catch(() => ''))
        .split('\n')
        .filter((line) => line !== '')
        .slice(-lines),
    }),
    'daemon/stop': async () => {
      parts.stop('asked to by `signalbox stop`');
      return {};
    },
  };
}

/** The status of one server of an endpoint. */
export function serverStatus(member: Member, workspace: string | undefined): ServerStatus {
  const { server, upstream } = member;
  const { entry } = server;
  const { shared, own } = upstream.connections;
  const { tools, resources, prompts } = member.snapshot('legacy');
  const problems = member.problems();
  return {
    name: server.name,
    alias: server.alias,
    kind: kindOf(entry),
    state: upstream.state,
    ...(upstream.questions === 0 ? {} : { asking: upstream.questions }),
    tools: tools.length,
    resources: resources.length,
    prompts: prompts.length,
    ...(problems.length === 0 ? {} : { problems }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(upstream.era === undefined ? {} : { era: upstream.era }),
    ...(upstream.pid === undefined ? {} : { pid: upstream.pid }),
    ...(shared + own > 1 ? { connections: { shared, own } } : {}),
    ...(upstream.reason === undefined ? {} : { reason: upstream.reason }),
  };
}

/** What a server is, by its entry. */
export function kindOf(entry: ServerEntry): ServerStatus['kind'] {
  return 'url' in entry
    ? 'http'
    : 'command' in entry
      ? 'stdio'
      : 'plugin' in entry
        ? 'plugin'
        : 'recording' in entry
          ? 'recording'
          : 'pattern';
}

function resultOf(outcome: Outcome): Record<string, unknown> {
  if ('result' in outcome) return outcome.result;
  const { data, message } = outcome.error;
  const shape = data as { code?: unknown; message?: unknown; cause?: unknown; fix?: unknown } | undefined;
  if (typeof shape?.code === 'string' && shape.code.startsWith('SBX_'))
    throw new SignalboxError(shape.code as 'SBX_INTERNAL', String(shape.message), { why: String(shape.cause), fix: String(shape.fix) });
  throw new SignalboxError('SBX_SERVER_PROTOCOL', message, {
    why: `The server answered with error ${outcome.error.code}.`,
    fix: 'Check the name and the arguments.',
  });
}
