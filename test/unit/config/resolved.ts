/** A user's and a workspace's file resolved as the store does it, without files. */
import { tmpdir } from 'node:os';
import type { ConfigProblem, ResolvedEndpoint, ResolvedServer } from '../../../daemon/api/config.ts';
import { parseConfig } from '../../../daemon/config/file.ts';
import { merge } from '../../../daemon/config/merge.ts';
import { resolveEndpoints } from '../../../daemon/config/resolution.ts';

/** A folder that is there: servers are started in it. */
const HOME = tmpdir();

/** What came of it. */
export interface Resolved {
  readonly problems: readonly ConfigProblem[];
  readonly endpoints: readonly ResolvedEndpoint[];
  /** `code path` of each problem. */
  readonly said: readonly string[];
  /** A server of the endpoint `default`. */
  server(name: string): ResolvedServer | undefined;
}

/** Resolves two files, given as text or as values. */
export function resolved(user: unknown, workspace?: unknown): Resolved {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  const own = parseConfig('user', text(user));
  const theirs = workspace === undefined ? undefined : parseConfig('workspace', text(workspace));
  const merged = merge(own, theirs, { workspaceFolder: theirs && '/project', userHome: HOME });
  const { endpoints, problems } = resolveEndpoints(merged, {
    workspace: theirs && { id: 'project-x', folder: '/project' },
    configDir: '/config',
    variables: { workspaceFolder: theirs && '/project', userHome: HOME, env: { TEAM: 'red' } },
    secretFor: (secret) => `<${secret}>`,
    digestKey: new Uint8Array(32),
  });
  const all = [...own.problems, ...(theirs?.problems ?? []), ...merged.problems, ...problems];
  return {
    problems: all,
    endpoints,
    said: all.map(({ code, path }) => `${code} ${path}`),
    server: (name) => endpoints.find((endpoint) => endpoint.name === 'default')?.servers.find((server) => server.name === name),
  };
}
