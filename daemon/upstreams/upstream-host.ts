/** All servers of the daemon, one upstream per instance key; a configuration change touches only what changed. */
import type { ResolvedEndpoint, ResolvedServer } from '../api/config.ts';
import { Upstream, type UpstreamOptions } from './upstream.ts';

/** Makes the options of one upstream. */
export type UpstreamFactory = (server: ResolvedServer, workspace: string | undefined) => UpstreamOptions;

/** The upstreams of the current configuration. */
export class UpstreamHost {
  readonly #create: UpstreamFactory;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(create: UpstreamFactory) {
    this.#create = create;
  }

  /** Brings the set in line with the endpoints: same instance key, same running server. Returns when the removed ones have ended. */
  async sync(endpoints: readonly ResolvedEndpoint[]): Promise<void> {
    const wanted = new Map<string, { server: ResolvedServer; workspace: string | undefined }>();
    for (const endpoint of endpoints)
      for (const server of endpoint.servers) wanted.set(instanceKey(server, endpoint.workspace), { server, workspace: endpoint.workspace });
    const leaving: Upstream[] = [];
    for (const [key, upstream] of this.#upstreams) {
      if (wanted.has(key)) continue;
      this.#upstreams.delete(key);
      leaving.push(upstream);
    }
    for (const [key, { server, workspace }] of wanted) {
      if (!this.#upstreams.has(key)) this.#upstreams.set(key, new Upstream(server, this.#create(server, workspace)));
    }
    await Promise.all(leaving.map((upstream) => upstream.stop()));
  }

  /** The upstream of a server of an endpoint of the last {@link sync}. */
  find(server: ResolvedServer, workspace: string | undefined): Upstream | undefined {
    return this.#upstreams.get(instanceKey(server, workspace));
  }

  /** Every upstream. */
  all(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  /** Ends every server. */
  async close(): Promise<void> {
    const all = this.all();
    this.#upstreams.clear();
    await Promise.all(all.map((upstream) => upstream.stop()));
  }
}

/** Workspaces never share a server, equal configurations of one workspace do. */
function instanceKey(server: ResolvedServer, workspace: string | undefined): string {
  return `${workspace ?? ''}\n${server.name}\n${server.digest}`;
}
