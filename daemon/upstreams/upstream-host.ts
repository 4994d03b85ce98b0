/** All servers of the daemon, one upstream per instance key; a configuration change touches only what changed. */
import type { ResolvedEndpoint, ResolvedServer } from '../api/config.ts';
import { Upstream, type UpstreamOptions } from './upstream.ts';

/**
 * Makes the options of one upstream.
 * @param workspace slug of the workspace, if it is one's
 * @param folder its folder
 */
export type UpstreamFactory = (
  server: ResolvedServer,
  workspace: string | undefined,
  folder: string | undefined,
) => Omit<UpstreamOptions, 'key' | 'folder'>;

interface Wanted {
  readonly server: ResolvedServer;
  readonly workspace: string | undefined;
  readonly folder: string | undefined;
}

/** The upstreams of the current configuration. */
export class UpstreamHost {
  readonly #create: UpstreamFactory;
  readonly #upstreams = new Map<string, Upstream>();
  /** Removed ones that still let calls end. */
  readonly #leaving = new Set<Upstream>();

  constructor(create: UpstreamFactory) {
    this.#create = create;
  }

  /**
   * Brings the set in line with the endpoints: same instance key, same running server. New ones are there at once; returns when the removed ones
   * have ended, which lets their running calls end first.
   */
  async sync(endpoints: readonly ResolvedEndpoint[]): Promise<void> {
    const wanted = new Map<string, Wanted>();
    const want = ({ server, workspace, folder }: Wanted): void => {
      const key = instanceKey(server, workspace);
      if (wanted.has(key)) return;
      wanted.set(key, { server, workspace, folder });
      for (const used of Object.values(server.uses ?? {})) want({ server: used, workspace, folder });
    };
    for (const { servers, workspace, folder } of endpoints) for (const server of servers) want({ server, workspace, folder });
    const leaving: Upstream[] = [];
    for (const [key, upstream] of this.#upstreams) {
      if (wanted.has(key)) continue;
      this.#upstreams.delete(key);
      leaving.push(upstream);
    }
    for (const [key, { server, workspace, folder }] of wanted) {
      if (this.#upstreams.has(key)) continue;
      const options = this.#create(server, workspace, folder);
      this.#upstreams.set(key, new Upstream(server, { ...options, key, ...(folder === undefined ? {} : { folder }) }));
    }
    await Promise.all(leaving.map((upstream) => this.#retire(upstream)));
  }

  /** The upstream of a server of an endpoint of the last {@link sync}, or of one that such a server uses. */
  find(server: ResolvedServer, workspace: string | undefined): Upstream | undefined {
    return this.#upstreams.get(instanceKey(server, workspace));
  }

  /** Every upstream. */
  all(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  /** A legacy session of a client is over: connections that were its own end. */
  async endSession(id: string): Promise<void> {
    await Promise.all(this.all().map((upstream) => upstream.endSession(id)));
  }

  /** Ends every server, now. */
  async close(): Promise<void> {
    const all = [...this.#upstreams.values(), ...this.#leaving];
    this.#upstreams.clear();
    await Promise.all(all.map((upstream) => upstream.stop()));
  }

  async #retire(upstream: Upstream): Promise<void> {
    this.#leaving.add(upstream);
    await upstream.retire();
    this.#leaving.delete(upstream);
  }
}

/** Workspaces never share a server, equal configurations of one workspace do. */
function instanceKey(server: ResolvedServer, workspace: string | undefined): string {
  return `${workspace ?? ''}\n${server.name}\n${server.digest}`;
}
