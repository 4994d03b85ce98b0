/** The picture of what runs, for people. */
import type { DaemonStatus } from './api/control.ts';
import type { ConfigStore } from './config/store.ts';
import { serverStatus } from './control/handlers.ts';
import type { BridgeServer } from './endpoints/bridge-server.ts';
import type { EndpointSet } from './endpoints/endpoint-set.ts';

/** What the picture is drawn from. */
export interface StatusParts {
  readonly config: ConfigStore;
  readonly endpoints: EndpointSet;
  readonly bridge: BridgeServer;
  readonly url: (path: string) => string;
}

/** Endpoints, servers (each once, however many endpoints it is in), workspaces, problems and sessions. */
export function statusOf({
  config,
  endpoints,
  bridge,
  url,
}: StatusParts): Pick<DaemonStatus, 'endpoints' | 'servers' | 'workspaces' | 'problems' | 'sessions'> {
  const served = endpoints.all();
  const servers = served.flatMap(({ view }) =>
    view.members.map((member) => [member.upstream, serverStatus(member, view.endpoint.workspace)] as const),
  );
  return {
    endpoints: served.map(({ view: { endpoint } }) => ({
      name: endpoint.name,
      url: url(endpoint.path),
      servers: endpoint.servers.map((server) => server.name),
      ...(endpoint.workspace === undefined ? {} : { workspace: endpoint.workspace }),
    })),
    servers: [...new Map(servers).values()],
    workspaces: config.workspaces(),
    problems: config.problems(),
    sessions: bridge.sessions + served.reduce((sum, { http }) => sum + http.sessions, 0),
  };
}
