/** The tree of the activity bar: endpoints, their namespaces, the servers with live state, and what each offers. */
import type * as VSCode from 'vscode';
import type { EndpointStatus, ServerStatus } from '../../daemon/api/control.ts';
import type { Change, DaemonConnection } from '../daemon/connection.ts';
import { visibleEndpoints } from '../endpoints/visible.ts';
import { endpointRef, localFolders } from './folders.ts';
import type { OfferKind, ServerNode } from './server-node.ts';
import { rowItem } from './server-rows.ts';

type Offer = Extract<ServerNode, { kind: 'tool' | 'resource' | 'prompt' }>;
/** Everything an endpoint offers, by the name of the server it comes from. */
type Offers = Readonly<Record<OfferKind, readonly { readonly server: string; readonly node: Offer }[]>>;

const KINDS: readonly OfferKind[] = ['tools', 'resources', 'prompts'];

/** Data of the `signalbox.servers` view. It asks for the daemon only when VS Code asks for rows, which it does when the view is visible. */
export class ServersTree implements VSCode.TreeDataProvider<ServerNode> {
  readonly #vscode: typeof VSCode;
  readonly #daemon: DaemonConnection;
  readonly #changed: VSCode.EventEmitter<ServerNode | undefined>;
  readonly #unsubscribe: () => void;
  /** By endpoint URL, until the daemon says something changed. */
  readonly #offers = new Map<string, Promise<Offers>>();
  /** Endpoints whose servers were woken since the connection was made: a server starts when its tools are first asked for. */
  readonly #woken = new Set<string>();
  readonly onDidChangeTreeData: VSCode.Event<ServerNode | undefined>;

  constructor(vscode: typeof VSCode, daemon: DaemonConnection) {
    this.#vscode = vscode;
    this.#daemon = daemon;
    this.#changed = new vscode.EventEmitter();
    this.onDidChangeTreeData = this.#changed.event;
    this.#unsubscribe = daemon.onChange((changes) => this.#forget(changes));
  }

  /** Drops what is remembered and draws again. */
  refresh(): void {
    this.#offers.clear();
    this.#changed.fire(undefined);
  }

  dispose(): void {
    this.#unsubscribe();
    this.#changed.dispose();
  }

  async getChildren(node?: ServerNode): Promise<ServerNode[]> {
    switch (node?.kind) {
      case undefined:
        await this.#daemon.wanted();
        return this.#roots();
      case 'endpoint':
        this.#wake(node.endpoint);
        return this.#namespaces(node.endpoint);
      case 'namespace':
        return this.#servers(node.endpoint, node.servers);
      case 'disabled':
        return node.servers.map((server) => ({ kind: 'off', server }));
      case 'server':
        return this.#offered(node.endpoint, node.server);
      case 'group':
        return (await this.#list(node.endpoint))[node.offers]
          .filter(({ server }) => server === node.server.name)
          .map((offer) => offer.node);
      default:
        return [];
    }
  }

  getTreeItem(node: ServerNode): VSCode.TreeItem {
    return rowItem(this.#vscode, node);
  }

  /** No rows means the welcome view, which has the button for each state. */
  #roots(): ServerNode[] {
    const { status } = this.#daemon;
    const endpoints = visibleEndpoints(status, localFolders(this.#vscode));
    const workspaces = new Set(endpoints.map(({ workspace }) => workspace));
    const off = (status?.servers ?? []).filter(
      ({ state, workspace }) => state === 'disabled' && (workspace === undefined || workspaces.has(workspace)),
    );
    const rows = endpoints.map((endpoint): ServerNode => ({ kind: 'endpoint', endpoint }));
    return off.length === 0 ? rows : [...rows, { kind: 'disabled', servers: off }];
  }

  /** A level of its own only where there is more than one: `default` alone says nothing. */
  #namespaces(endpoint: EndpointStatus): ServerNode[] {
    const { namespaces = [] } = endpoint;
    const [only] = namespaces;
    if (namespaces.length > 1 || (only !== undefined && only.name !== 'default'))
      return namespaces.map(({ name, servers }) => ({ kind: 'namespace', endpoint, name, servers }));
    return this.#servers(endpoint, endpoint.servers);
  }

  #servers(endpoint: EndpointStatus, names: readonly string[]): ServerNode[] {
    const servers = this.#daemon.status?.servers ?? [];
    return names.flatMap((name): ServerNode[] => {
      const server =
        servers.find((candidate) => candidate.name === name && candidate.workspace === endpoint.workspace) ??
        servers.find((candidate) => candidate.name === name);
      return server === undefined ? [] : [{ kind: 'server', endpoint, server }];
    });
  }

  /** Not awaited: rows appear at once and change as the servers come up. A failure shows where the tools are. */
  #wake(endpoint: EndpointStatus): void {
    if (this.#woken.has(endpoint.url)) return;
    this.#woken.add(endpoint.url);
    this.#list(endpoint).catch(() => this.#offers.delete(endpoint.url));
  }

  /** Tools alone stand directly below their server; with resources or prompts each kind is a row of its own. */
  async #offered(endpoint: EndpointStatus, server: ServerStatus): Promise<ServerNode[]> {
    try {
      const offers = await this.#list(endpoint);
      const own = KINDS.map((offers_) => ({ offers: offers_, nodes: offers[offers_].filter((offer) => offer.server === server.name) }));
      const present = own.filter(({ nodes }) => nodes.length > 0);
      if (present.length === 1 && present[0]?.offers === 'tools') return present[0].nodes.map(({ node }) => node);
      return present.map(({ offers: kind, nodes }) => ({ kind: 'group', endpoint, server, offers: kind, count: nodes.length }));
    } catch (error) {
      this.#offers.delete(endpoint.url);
      const detail = error instanceof Error ? error.message : String(error);
      return [{ kind: 'failure', message: this.#vscode.l10n.t('Tools cannot be listed'), detail }];
    }
  }

  #list(endpoint: EndpointStatus): Promise<Offers> {
    let offers = this.#offers.get(endpoint.url);
    if (offers === undefined) {
      offers = this.#fetch(endpoint);
      this.#offers.set(endpoint.url, offers);
    }
    return offers;
  }

  async #fetch(endpoint: EndpointStatus): Promise<Offers> {
    const ref = endpointRef(endpoint);
    const [{ tools }, { resources, servers: ofResources }, { prompts, servers: ofPrompts }] = await Promise.all([
      this.#daemon.call('tools/list', ref),
      this.#daemon.call('resources/list', ref),
      this.#daemon.call('prompts/list', ref),
    ]);
    return {
      tools: tools.map((info) => ({ server: info.server, node: { kind: 'tool', endpoint, info } })),
      resources: resources.map((resource, index) => ({ server: ofResources[index] ?? '', node: { kind: 'resource', endpoint, resource } })),
      prompts: prompts.map((prompt, index) => ({ server: ofPrompts[index] ?? '', node: { kind: 'prompt', endpoint, prompt } })),
    };
  }

  #forget(changes: readonly Change[]): void {
    if (changes.every((change) => change === 'sessions' || change === 'recordings' || change === 'clients')) return;
    if (changes.includes('connection')) this.#woken.clear();
    this.refresh();
  }
}
