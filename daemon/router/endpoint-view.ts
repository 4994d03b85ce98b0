/** One endpoint as its clients see it: members, merged catalogue, changes. */
import type { ResolvedEndpoint } from '../api/config.ts';
import type { ErrorShape } from '../api/errors.ts';
import type { Notification } from '../protocol/message.ts';
import type { UpstreamHost } from '../upstreams/upstream-host.ts';
import { type Catalog, mergeCatalog } from './catalog.ts';
import { Member } from './member.ts';
import type { ListName } from './snapshot.ts';

/** What a session hears from its endpoint. */
export interface ViewListener {
  /** The visible lists changed. */
  listChanged(kind: 'tools' | 'prompts' | 'resources'): void;
  /** A server said something else: `notifications/message`, `notifications/resources/updated` (URI as exposed), … */
  notified(notification: Notification): void;
}

/** The live view of one endpoint. */
export class EndpointView {
  endpoint: ResolvedEndpoint;
  readonly #listeners = new Set<ViewListener>();
  readonly #host: UpstreamHost;
  readonly #onLists: () => void;
  #members: Member[] = [];
  #catalog: Catalog | undefined;

  /** @param onLists called when the lists of a server were read anew, whether a client listens or not */
  constructor(endpoint: ResolvedEndpoint, host: UpstreamHost, onLists: () => void = () => {}) {
    this.endpoint = endpoint;
    this.#host = host;
    this.#onLists = onLists;
    this.update(endpoint);
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Takes a new configuration of the same endpoint; sessions stay, unchanged servers keep their state. */
  update(endpoint: ResolvedEndpoint): void {
    this.endpoint = endpoint;
    const before = this.#members;
    this.#members = endpoint.servers.flatMap((server) => {
      const upstream = this.#host.find(server, endpoint.workspace);
      if (upstream === undefined) return [];
      const kept = before.find(
        (member) =>
          member.upstream === upstream && member.server.alias === server.alias && member.server.hidden.join() === server.hidden.join(),
      );
      return [kept ?? this.#member(server, upstream)];
    });
    const removed = before.filter((member) => !this.#members.includes(member));
    for (const member of removed) member.dispose();
    this.#catalog = undefined;
    if (removed.length > 0 || this.#members.some((member) => !before.includes(member))) {
      // A new server is started right away when somebody is listening, so that its tools appear by themselves.
      if (this.#listeners.size > 0) for (const member of this.#members) void member.load();
      if (removed.length > 0) this.#announce(['tools', 'prompts', 'resources']);
    }
  }

  /** The merged lists as known now. */
  catalog(): Catalog {
    this.#catalog ??= mergeCatalog(this.#members);
    return this.#catalog;
  }

  /**
   * The merged lists once every server has answered, failed, or used up its patience: a hung server delays the first
   * list only, and its tools come later by `list_changed`.
   */
  async loadedCatalog(): Promise<Catalog> {
    await Promise.all(this.#members.map((member) => member.patience()));
    return this.catalog();
  }

  /** Servers whose lists could not be read, with the reason. */
  errors(): readonly { server: string; error: ErrorShape }[] {
    return this.#members.flatMap((member) => {
      const error = member.error ?? (member.upstream.state === 'down' ? member.upstream.reason : undefined);
      return error === undefined ? [] : [{ server: member.server.name, error }];
    });
  }

  /** Instructions of the servers that are ready, each under its alias. */
  instructions(): string {
    const parts = this.#members.flatMap((member) => {
      const text = member.upstream.connection?.instructions;
      return text === undefined ? [] : [`## ${member.alias}\n${text}`];
    });
    return [
      `Tools of several MCP servers behind Signalbox; a name is alias__tool (${this.#members.map((member) => member.alias).join(', ') || 'no server yet'}).`,
      ...parts,
    ].join('\n\n');
  }

  /** Listens for changes; returns the function that stops listening. */
  listen(listener: ViewListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the view. */
  dispose(): void {
    for (const member of this.#members) member.dispose();
    this.#listeners.clear();
  }

  #member(server: ResolvedEndpoint['servers'][number], upstream: Member['upstream']): Member {
    const member: Member = new Member(server, upstream, {
      changed: (lists) => this.#changed(lists),
      notified: (notification) => this.#notified(member, notification),
    });
    return member;
  }

  #changed(lists: readonly ListName[]): void {
    this.#catalog = undefined;
    const kinds = new Set(lists.map((list) => (list === 'templates' ? 'resources' : list)));
    this.#announce([...kinds]);
    this.#onLists();
  }

  #announce(kinds: readonly ('tools' | 'prompts' | 'resources')[]): void {
    for (const listener of this.#listeners) for (const kind of kinds) listener.listChanged(kind);
  }

  #notified(member: Member, notification: Notification): void {
    const uri = notification.params?.['uri'];
    const exposed = typeof uri === 'string' ? this.catalog().uriAliases.get(member)?.get(uri) : undefined;
    const told: Notification = exposed === undefined ? notification : { ...notification, params: { ...notification.params, uri: exposed } };
    for (const listener of this.#listeners) listener.notified(told);
  }
}
