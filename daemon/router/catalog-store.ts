/** What the daemon remembers of servers and of what endpoints made of them. One for all endpoints. */
import type { StateStore } from '../api/state.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { Definitions } from './definitions.ts';
import { NameBook } from './name-book.ts';
import { Cursors } from './paging.ts';
import { ServerLists } from './server-lists.ts';

/** What a {@link CatalogStore} needs. */
export interface CatalogStoreParts {
  /** Absent = nothing is remembered over a restart. */
  readonly state?: StateStore;
  /** Version of Signalbox. */
  readonly version?: string;
  /** Our daemon's id: definitions that came through it are left out. */
  readonly own?: string;
  readonly log?: (level: 'info' | 'warn', message: string) => void;
  /** Definitions on a page of a list. */
  readonly pageSize?: number;
}

/** Snapshots, accepted definitions, names and cursors. */
export class CatalogStore {
  readonly definitions: Definitions;
  readonly cursors: Cursors;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  readonly #parts: CatalogStoreParts;
  readonly #lists = new WeakMap<Upstream, ServerLists>();

  constructor(parts: CatalogStoreParts = {}) {
    this.#parts = parts;
    this.log = parts.log ?? (() => {});
    this.definitions = new Definitions(parts.state);
    this.cursors = new Cursors(parts.state, parts.pageSize);
  }

  /** The lists of a server, the same for every endpoint it is in. */
  lists(upstream: Upstream, workspace: string | undefined): ServerLists {
    const known = this.#lists.get(upstream);
    if (known !== undefined) return known;
    const { state, version = '', own = '' } = this.#parts;
    const { name, digest } = upstream.server;
    const server = `${workspace ?? ''}\n${name}\n`;
    const key = `${server}${digest}`;
    // A server configured in another way is another server; what the old one offered is of no use.
    for (const [old] of state?.entries('snapshots', server) ?? []) if (!old.startsWith(`${key}\n`)) state?.delete('snapshots', old);
    const lists = new ServerLists(upstream, { key, state, version, own });
    this.#lists.set(upstream, lists);
    return lists;
  }

  /** The names of the endpoint at a path. */
  names(path: string): NameBook {
    return new NameBook(this.#parts.state, path);
  }
}
