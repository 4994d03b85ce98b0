/** One endpoint as its clients see it: members, merged catalogue, changes. */
import type { ResolvedEndpoint } from '../api/config.ts';
import type { ErrorShape } from '../api/errors.ts';
import type { Era } from '../protocol/eras.ts';
import type { JsonObject, Notification } from '../protocol/message.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { UpstreamHost } from '../upstreams/upstream-host.ts';
import { Audience, LIST_KINDS, type ViewListener } from './audience.ts';
import { type Catalog, type MergedLists, mergeLists, visibleCatalog } from './catalog.ts';
import { CatalogStore } from './catalog-store.ts';
import { Member } from './member.ts';
import type { NameBook } from './name-book.ts';
import type { Page } from './paging.ts';
import { together } from './patience.ts';
import { dependsOnClient, type Policy, policyOf } from './policy.ts';
import { type SearchAnswer, type SearchIndex, type SearchRequest, searchIndex } from './search.ts';
import { answerSearchTool, isSearchTool, SEARCH_TOOLS, type SearchToolAnswer } from './search-tools.ts';
import type { ListName } from './snapshot.ts';

/** What a view needs from its owner. */
export interface ViewOptions {
  readonly host: UpstreamHost;
  /** What is remembered of servers; one for all endpoints. Absent = one of its own that remembers nothing over a restart. */
  readonly catalogs?: CatalogStore;
  /** Called when the lists of a server were read anew, whether a client listens or not. */
  readonly onLists?: () => void;
}

/** Milliseconds a handshake or a subscription waits for servers of which nothing is known yet. */
const MOMENT_MS = 1000;
const ERAS: readonly Era[] = ['legacy', 'modern'];

/** The live view of one endpoint. What a client sees of it is decided by its name as wired and its era, by nothing else. */
export class EndpointView {
  endpoint: ResolvedEndpoint;
  readonly #options: ViewOptions;
  readonly #catalogs: CatalogStore;
  readonly #names: NameBook;
  readonly #audience: Audience;
  readonly #eras = new Set<Era>();
  readonly #policies = new Map<string, Policy>();
  readonly #merged = new Map<Era, MergedLists>();
  /** By policy: those with the same key show the same. */
  readonly #visible: Readonly<Record<Era, Map<string, Catalog>>> = { legacy: new Map(), modern: new Map() };
  readonly #indexes = new WeakMap<Catalog, SearchIndex>();
  #members: Member[] = [];

  constructor(endpoint: ResolvedEndpoint, options: ViewOptions) {
    this.endpoint = endpoint;
    this.#options = options;
    this.#catalogs = options.catalogs ?? new CatalogStore();
    this.#names = this.#catalogs.names(endpoint.path);
    this.#audience = new Audience({
      catalog: (client, era) => this.catalog(client, era),
      unknown: (client) => this.#visibleMembers(client).filter((member) => !member.known),
    });
    this.update(endpoint);
  }

  /** Every server, whoever looks. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /** Takes a new configuration of the same endpoint; sessions stay, unchanged servers keep their state. */
  update(endpoint: ResolvedEndpoint): void {
    this.endpoint = endpoint;
    const before = this.#members;
    this.#members = endpoint.servers.flatMap((server) => {
      const upstream = this.#options.host.find(server, endpoint.workspace);
      if (upstream === undefined) return [];
      const kept = before.find((member) => member.upstream === upstream && sameBinding(member.server, server));
      return [kept ?? this.#member(server, upstream)];
    });
    for (const member of before) if (!this.#members.includes(member)) member.dispose();
    this.#policies.clear();
    this.#forget();
    // A new server is started right away when somebody is listening, so that its tools appear by themselves.
    if (this.#audience.present)
      for (const member of this.#members) if (!before.includes(member)) for (const era of this.#eras) void member.load(era);
    this.#audience.announce(LIST_KINDS);
    if (this.#members.length !== before.length || this.#members.some((member, index) => member !== before[index]))
      this.#audience.moved(true);
  }

  /**
   * The merged lists as known now.
   * @param client name the client was wired with; empty = one without a policy (people, on the control channel)
   */
  catalog(client = '', era: Era = 'legacy'): Catalog {
    const policy = this.#policy(client);
    const known = this.#visible[era].get(policy.key);
    if (known !== undefined) return known;
    const merged = this.#merged.get(era) ?? mergeLists(this.#members, era, this.#names);
    this.#merged.set(era, merged);
    const made = visibleCatalog({
      era,
      members: this.#members,
      merged,
      policy,
      personal: dependsOnClient(this.endpoint),
      ...(this.endpoint.tools === 'search' ? { searchTools: SEARCH_TOOLS } : {}),
    });
    this.#visible[era].set(policy.key, made);
    return made;
  }

  /**
   * The merged lists once every visible server is known from a snapshot, or has answered, or failed, or is slower than the others by so
   * much that nobody should wait for it: its tools come later by `list_changed`. No server with a snapshot is started.
   */
  async loadedCatalog(client = '', era: Era = 'legacy'): Promise<Catalog> {
    this.#eras.add(era);
    const members = this.#visibleMembers(client);
    const waits = members.flatMap((member) => member.patience(era) ?? []);
    if (waits.length > 0)
      await together(
        waits,
        members.some((member) => member.loaded(era)),
      );
    const catalog = this.catalog(client, era);
    this.#audience.saw(client, catalog);
    return catalog;
  }

  /** The lists once the servers a name may belong to have answered or used up their patience: for a call that comes before its list. */
  async catalogFor(name: string, client: string, era: Era): Promise<Catalog> {
    const late = this.#visibleMembers(client).filter((member) => name.startsWith(`${member.alias}__`) && !member.loaded(era));
    await Promise.all(late.map((member) => member.patience(era)?.answered));
    return this.catalog(client, era);
  }

  /** {@link loadedCatalog} for who needs no list: a server that was never met is given a moment to answer, and no more. */
  async met(client: string, era: Era): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const moment = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, MOMENT_MS);
    });
    await Promise.race([this.loadedCatalog(client, era), moment]);
    clearTimeout(timer);
  }

  /**
   * A page of a list of {@link catalog}; a list that is one page is the very same array.
   * @param list field or method of the list
   * @throws SBX_CURSOR_INVALID when the cursor is not one of ours for this list as it is now
   */
  page(items: readonly JsonObject[], list: string, client: string, era: Era, cursor: unknown): Page {
    return this.#catalogs.cursors.page({ items, scope: [this.endpoint.path, client, era, list].join('\n') }, cursor);
  }

  /** A server that a member uses (its fallback), if it is configured and its tool neither hidden from those who use it nor held by a pin. */
  usedBy(member: Member, name: string, tool: string, era: Era): Upstream | undefined {
    const { uses } = member.server;
    const used = uses !== undefined && Object.hasOwn(uses, name) ? uses[name] : undefined;
    const bound = this.#members.filter(({ server }) => server.name === name && server.pin === true);
    if (bound.some((pinned) => !pinned.tools(era).tools.some(({ own }) => own === tool))) return undefined;
    return used === undefined || used.hidden.includes(tool) ? undefined : this.#options.host.find(used, this.endpoint.workspace);
  }

  /** The tools visible to a client that fit a query best, best first. */
  search(client: string, era: Era, request: SearchRequest): SearchAnswer {
    const catalog = this.catalog(client, era);
    const known = this.#indexes.get(catalog);
    const index =
      known ??
      searchIndex(catalog.allTools.map((tool) => ({ tool, server: catalog.toolRoutes.get(String(tool['name']))?.member.alias ?? '' })));
    if (known === undefined) this.#indexes.set(catalog, index);
    return index.search(request);
  }

  /**
   * Answers `find_tools` and `describe_tool`, and says which call `call_tool` means; undefined for any other tool.
   * @param args arguments of the call
   */
  async searchTool(client: string, era: Era, name: string, args: unknown): Promise<SearchToolAnswer | undefined> {
    if (!isSearchTool(name)) return undefined;
    const catalog = await this.loadedCatalog(client, era);
    const search = (request: SearchRequest): SearchAnswer => this.search(client, era, request);
    return answerSearchTool({ catalog, search, unavailable: this.errors(client) }, name, args);
  }

  /** Servers whose lists could not be read, with the reason. */
  errors(client = ''): readonly { server: string; error: ErrorShape }[] {
    const policy = this.#policy(client);
    return this.#members.flatMap((member) => {
      const error = member.error ?? (member.upstream.state === 'down' ? member.upstream.reason : undefined);
      return error === undefined || !policy.server(member.server) ? [] : [{ server: member.server.name, error }];
    });
  }

  /** Instructions of the visible servers, each under its alias, as known from their snapshots. */
  instructions(client = '', era: Era = 'legacy'): string {
    const { members } = this.catalog(client, era);
    const aliases = members.map((member) => member.alias).join(', ') || 'no server yet';
    const parts = members.flatMap((member) => {
      const { instructions } = member.snapshot(era);
      return instructions === undefined ? [] : [`## ${member.alias}\n${instructions}`];
    });
    const intro =
      this.endpoint.tools === 'search'
        ? `Tools of several MCP servers behind Signalbox (${aliases}). They are not listed: look for one with find_tools, read its input with describe_tool, run it with call_tool.`
        : `Tools of several MCP servers behind Signalbox; a name is alias__tool (${aliases}).`;
    return [intro, ...parts].join('\n\n');
  }

  /**
   * Accepts changed definitions of a server's tools; see {@link Member.accept}.
   * @returns the server's own names of the tools accepted
   * @throws SBX_TOOL_UNKNOWN
   */
  accept(server: string, tool?: string): readonly string[] {
    const accepted = this.#members.filter((member) => member.server.name === server).flatMap((member) => member.accept(tool));
    this.#changed(['tools']);
    return [...new Set(accepted)];
  }

  /**
   * Listens for changes; returns the function that stops listening.
   * @param client name the client was wired with: it hears of what it can see
   */
  listen(listener: ViewListener, client = ''): () => void {
    return this.#audience.add(listener, client);
  }

  /** Ends the view. */
  dispose(): void {
    for (const member of this.#members) member.dispose();
    this.#audience.clear();
  }

  #member(server: ResolvedEndpoint['servers'][number], upstream: Member['upstream']): Member {
    const member: Member = new Member(server, upstream, {
      workspace: this.endpoint.workspace,
      store: this.#catalogs,
      listener: {
        changed: (lists) => this.#changed(lists),
        notified: (notification) => this.#notified(member, notification),
      },
    });
    return member;
  }

  #policy(client: string): Policy {
    const known = this.#policies.get(client);
    if (known !== undefined) return known;
    const policy = policyOf(this.endpoint, client);
    this.#policies.set(client, policy);
    return policy;
  }

  #visibleMembers(client: string): readonly Member[] {
    const policy = this.#policy(client);
    return policy.key === '' ? this.#members : this.#members.filter((member) => policy.server(member.server));
  }

  #forget(): void {
    this.#merged.clear();
    for (const era of ERAS) this.#visible[era].clear();
  }

  #changed(lists: readonly ListName[]): void {
    this.#forget();
    this.#audience.announce([...new Set(lists.map((list) => (list === 'templates' ? 'resources' : list)))]);
    if (lists.includes('resources')) this.#audience.moved(false);
    this.#options.onLists?.();
  }

  #notified(member: Member, notification: Notification): void {
    const uri = notification.params?.['uri'];
    const exposed =
      typeof uri === 'string'
        ? [...this.#merged.values()].map(({ uriAliases }) => uriAliases.get(member)?.get(uri)).find((alias) => alias !== undefined)
        : undefined;
    const told: Notification = exposed === undefined ? notification : { ...notification, params: { ...notification.params, uri: exposed } };
    this.#audience.tell(told, (client) => {
      const policy = this.#policy(client);
      return typeof uri === 'string' ? policy.resources(member.server) : policy.server(member.server);
    });
  }
}

/** Whether a binding is the same, so that nothing has to be read or announced again. The entry is the upstream's affair, but for its fallback. */
function sameBinding(a: ResolvedEndpoint['servers'][number], b: ResolvedEndpoint['servers'][number]): boolean {
  return JSON.stringify(bindingOf(a)) === JSON.stringify(bindingOf(b));
}

function bindingOf({ entry, uses, problem: _problem, ...binding }: ResolvedEndpoint['servers'][number]): unknown {
  return [binding, entry.fallback, Object.values(uses ?? {}).map(({ name, digest, hidden }) => [name, digest, hidden])];
}
