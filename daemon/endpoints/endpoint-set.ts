/** Every endpoint of the current configuration, by path; a change keeps the sessions of what stays. */
import type { ResolvedEndpoint } from '../api/config.ts';
import { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/connection.ts';
import type { UpstreamHost } from '../upstreams/upstream-host.ts';
import { HttpEndpoint } from './http-endpoint.ts';

/** One endpoint being served. */
export interface ServedEndpoint {
  readonly view: EndpointView;
  readonly http: HttpEndpoint;
}

/** What serving endpoints needs. */
export interface EndpointSetOptions {
  readonly host: UpstreamHost;
  readonly router: Router;
  readonly identity: Identity;
  readonly messageBytes: () => number;
  /** Called when the lists of a server were read anew. */
  readonly onLists?: () => void;
}

/** The endpoints by path. */
export class EndpointSet {
  readonly #options: EndpointSetOptions;
  readonly #endpoints = new Map<string, ServedEndpoint>();

  constructor(options: EndpointSetOptions) {
    this.#options = options;
  }

  /** Brings upstreams and endpoints in line with the configuration. */
  async sync(endpoints: readonly ResolvedEndpoint[]): Promise<void> {
    // New upstreams exist when this returns its promise; waiting is only for the leaving ones.
    const left = this.#options.host.sync(endpoints);
    const wanted = new Set(endpoints.map((endpoint) => endpoint.path));
    for (const [path, { view, http }] of this.#endpoints) {
      if (wanted.has(path)) continue;
      this.#endpoints.delete(path);
      http.close();
      view.dispose();
    }
    for (const endpoint of endpoints) {
      const served = this.#endpoints.get(endpoint.path);
      if (served !== undefined) served.view.update(endpoint);
      else {
        const view = new EndpointView(endpoint, this.#options.host, this.#options.onLists);
        this.#endpoints.set(endpoint.path, { view, http: new HttpEndpoint({ ...this.#options, view }) });
      }
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

  /** Ends every session. */
  close(): void {
    for (const { view, http } of this.#endpoints.values()) {
      http.close();
      view.dispose();
    }
    this.#endpoints.clear();
  }
}
