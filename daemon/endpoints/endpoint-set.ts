/** Every endpoint of the current configuration, by path; a change keeps the sessions of what stays. */
import { randomBytes } from 'node:crypto';
import type { ResolvedEndpoint } from '../api/config.ts';
import type { Tap } from '../api/sessions.ts';
import type { StateStore } from '../api/state.ts';
import type { CatalogStore } from '../router/catalog-store.ts';
import { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/handshake.ts';
import type { UpstreamHost } from '../upstreams/upstream-host.ts';
import { EventIds } from './event-id.ts';
import { HttpEndpoint } from './http-endpoint.ts';
import { SessionStore } from './session-store.ts';
import { SseEndpoint } from './sse-endpoint.ts';

/** Milliseconds between looks for sessions nobody uses. */
const SWEEP_MS = 60_000;

/** One endpoint being served. */
export interface ServedEndpoint {
  readonly view: EndpointView;
  readonly http: HttpEndpoint;
  readonly sse: SseEndpoint;
  /** Bridges connected to it now. */
  readonly bridges: Set<BridgeConnection>;
}

/** A bridge that is connected. */
export interface BridgeConnection {
  readonly client: string;
  /** Ends the connection; a bridge that still may comes back by itself. */
  close(): void;
}

/** What serving endpoints needs. */
export interface EndpointSetOptions {
  readonly host: UpstreamHost;
  readonly router: Router;
  readonly identity: Identity;
  readonly messageBytes: () => number;
  /** Where sessions are kept over a restart. */
  readonly state: StateStore;
  /** What is remembered of servers. */
  readonly catalogs?: CatalogStore;
  /** Id of this daemon among others. */
  readonly daemonId: string;
  /** Sees every frame. Absent = nobody does. */
  readonly tap?: Tap | undefined;
  /** Called when the lists of a server were read anew. */
  readonly onLists?: () => void;
}

/** The endpoints by path. */
export class EndpointSet {
  readonly #options: EndpointSetOptions;
  readonly #endpoints = new Map<string, ServedEndpoint>();
  readonly #store: SessionStore;
  readonly #ids: EventIds;
  readonly #sweep: NodeJS.Timeout;

  constructor(options: EndpointSetOptions) {
    this.#options = options;
    this.#store = new SessionStore(options.state);
    this.#ids = new EventIds(eventKey(options.state));
    this.#sweep = setInterval(() => this.#sweepSessions(), SWEEP_MS).unref();
  }

  /** Brings upstreams and endpoints in line with the configuration. */
  async sync(endpoints: readonly ResolvedEndpoint[]): Promise<void> {
    // New upstreams exist when this returns its promise; waiting is only for the leaving ones.
    const left = this.#options.host.sync(endpoints);
    const wanted = new Set(endpoints.map((endpoint) => endpoint.path));
    for (const [path, { view, http, bridges }] of this.#endpoints) {
      if (wanted.has(path)) continue;
      this.#endpoints.delete(path);
      http.close();
      for (const bridge of bridges) bridge.close();
      view.dispose();
    }
    for (const endpoint of endpoints) {
      const served = this.#endpoints.get(endpoint.path);
      if (served !== undefined) served.view.update(endpoint);
      else this.#endpoints.set(endpoint.path, this.#serve(endpoint));
    }
    await left;
  }

  /** The endpoint at a path (`/mcp/…`). */
  at(path: string): ServedEndpoint | undefined {
    return this.#endpoints.get(path);
  }

  /** Every endpoint. */
  all(): readonly ServedEndpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Ends the sessions, subscriptions and bridges of a client whose credential was taken back or replaced. */
  revoke(client: string, path?: string): void {
    for (const [own, { http, bridges }] of this.#endpoints) {
      if (path !== undefined && path !== own) continue;
      http.revoke(client);
      for (const bridge of bridges) if (bridge.client === client) bridge.close();
    }
  }

  /** The daemon is leaving: requests under way are answered as interrupted, connections end. Kept sessions stay kept. */
  close(): void {
    clearInterval(this.#sweep);
    for (const { view, http } of this.#endpoints.values()) {
      http.close();
      view.dispose();
    }
    this.#endpoints.clear();
  }

  #serve(endpoint: ResolvedEndpoint): ServedEndpoint {
    const { messageBytes } = this.#options;
    const view = new EndpointView(endpoint, this.#options);
    const http = new HttpEndpoint({ ...this.#options, view, store: this.#store, ids: this.#ids });
    return { view, http, sse: new SseEndpoint({ sessions: http.legacy, ids: this.#ids, messageBytes }), bridges: new Set() };
  }

  #sweepSessions(): void {
    const endpoints = this.all();
    for (const { http } of endpoints) http.legacy.sweep();
    this.#store.sweep((id) => endpoints.some(({ http }) => http.legacy.has(id)));
  }
}

/** The key event ids are sealed with; kept, because a client comes back with an id the daemon before this one made. */
function eventKey(state: StateStore): Buffer {
  const kept = state.get<unknown>('keys', 'event-ids');
  const key = typeof kept === 'string' ? Buffer.from(kept, 'base64') : undefined;
  if (key?.length === 32) return key;
  const made = randomBytes(32);
  state.set('keys', 'event-ids', made.toString('base64'));
  return made;
}
