/** The picture of what runs, for people. */
import type { ResolvedEndpoint } from './api/config.ts';
import type { DaemonStatus, EndpointStatus, ServerStatus } from './api/control.ts';
import type { ErrorShape } from './api/errors.ts';
import type { ConfigStore, ConfiguredServer } from './config/store.ts';
import { kindOf, serverStatus } from './control/handlers.ts';
import type { BridgeServer } from './endpoints/bridge-server.ts';
import type { EndpointSet } from './endpoints/endpoint-set.ts';

/** What the picture is drawn from. */
export interface StatusParts {
  readonly config: ConfigStore;
  readonly endpoints: EndpointSet;
  readonly bridge: BridgeServer;
  readonly url: (path: string) => string;
  /** What people are told of a server whose requests go wrong on purpose. */
  readonly faulty?: (server: string) => ErrorShape | undefined;
}

/** Endpoints, servers (each once, however many endpoints it is in), workspaces, problems and sessions. */
export function statusOf({
  config,
  endpoints,
  bridge,
  url,
  faulty,
}: StatusParts): Pick<DaemonStatus, 'endpoints' | 'servers' | 'workspaces' | 'problems' | 'sessions'> {
  const served = endpoints.all();
  const servers = served.flatMap(({ view }) =>
    view.members.map((member) => [member.upstream, withFaults(serverStatus(member, view.endpoint.workspace), faulty)] as const),
  );
  return {
    endpoints: served.map(({ view: { endpoint } }) => ({
      name: endpoint.name,
      url: url(endpoint.path),
      servers: endpoint.servers.map((server) => server.name),
      namespaces: namespacesOf(endpoint),
      ...(endpoint.workspace === undefined ? {} : { workspace: endpoint.workspace }),
    })),
    servers: [
      ...new Map(servers).values(),
      ...config
        .servers()
        .filter(({ enabled }) => !enabled)
        .map(disabledStatus),
    ],
    workspaces: config.workspaces(),
    problems: config.problems(),
    sessions: bridge.sessions + served.reduce((sum, { http }) => sum + http.sessions, 0),
  };
}

function withFaults(status: ServerStatus, faulty: StatusParts['faulty']): ServerStatus {
  const problem = faulty?.(status.name);
  return problem === undefined ? status : { ...status, problems: [problem, ...(status.problems ?? [])] };
}

function namespacesOf({ servers }: ResolvedEndpoint): NonNullable<EndpointStatus['namespaces']> {
  const byName = new Map<string, string[]>();
  for (const { name, namespaces = [] } of servers)
    for (const namespace of namespaces) byName.set(namespace, [...(byName.get(namespace) ?? []), name]);
  return [...byName].map(([name, own]) => ({ name, servers: own }));
}

/** No endpoint has it, but people must find it to switch it on again. */
function disabledStatus({ name, workspace, entry }: ConfiguredServer): ServerStatus {
  const none = { tools: 0, resources: 0, prompts: 0 };
  return { name, alias: '', kind: kindOf(entry), state: 'disabled', ...none, ...(workspace === undefined ? {} : { workspace }) };
}
