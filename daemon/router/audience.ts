/** Who listens to an endpoint, what each client has seen of its lists, and who is told when that is no longer so. */
import type { Era } from '../protocol/eras.ts';
import type { Notification } from '../protocol/message.ts';
import type { Catalog } from './catalog.ts';
import type { Member } from './member.ts';
import { listDigest } from './paging.ts';

/** What a list is about, in `notifications/<kind>/list_changed`. */
export type ListKind = 'tools' | 'prompts' | 'resources';

/** What a session hears from its endpoint. */
export interface ViewListener {
  /** The lists visible to the listener's client in this era changed; those of the other era may not have. */
  listChanged(kind: ListKind, era: Era): void;
  /** A visible server said something else: `notifications/message`, `notifications/resources/updated` (URI as exposed), … */
  notified(notification: Notification): void;
  /** What the listener is subscribed to may lead to another server now (`all`), or can be reached at last. */
  moved?(all: boolean): void;
}

/** What an audience asks its view. */
export interface AudienceParts {
  /** What a client would see now. */
  readonly catalog: (client: string, era: Era) => Catalog;
  /** Servers visible to a client of which nothing is known yet. */
  readonly unknown: (client: string) => readonly Member[];
}

export const LIST_KINDS: readonly ListKind[] = ['tools', 'prompts', 'resources'];
const ERAS: readonly Era[] = ['legacy', 'modern'];

/** The listeners of an endpoint. */
export class Audience {
  readonly #parts: AudienceParts;
  /** Listener → its client. */
  readonly #listeners = new Map<ViewListener, string>();
  /** By client: era and kind → digest of what it last saw or was told to look at again. */
  readonly #seen = new Map<string, Map<string, string>>();

  constructor(parts: AudienceParts) {
    this.#parts = parts;
  }

  /** Whether anybody listens. */
  get present(): boolean {
    return this.#listeners.size > 0;
  }

  /** Listens on behalf of a client; returns the function that stops listening. */
  add(listener: ViewListener, client: string): () => void {
    this.#listeners.set(listener, client);
    const seen = this.#seenBy(client);
    // A client that comes back after a restart holds the lists of the snapshots.
    if (this.#parts.unknown(client).length === 0)
      for (const era of ERAS)
        for (const kind of LIST_KINDS)
          if (!seen.has(`${era} ${kind}`)) seen.set(`${era} ${kind}`, kindDigest(this.#parts.catalog(client, era), kind));
    return () => this.#listeners.delete(listener);
  }

  /** A client was shown its lists. */
  saw(client: string, catalog: Catalog): void {
    const seen = this.#seenBy(client);
    for (const kind of LIST_KINDS) seen.set(`${catalog.era} ${kind}`, kindDigest(catalog, kind));
  }

  /** Tells each client of the lists that are no longer what it saw; what nobody has seen has not changed. */
  announce(kinds: readonly ListKind[]): void {
    for (const [client, seen] of this.#seen) {
      const listeners = [...this.#listeners].flatMap(([listener, of]) => (of === client ? [listener] : []));
      // Where nobody listens, the next client to come reads for itself.
      if (listeners.length === 0) this.#seen.delete(client);
      else for (const era of ERAS) for (const kind of kinds) this.#compare(client, era, kind, seen, listeners);
    }
  }

  /** Passes on what a server said, to the clients that may hear it. */
  tell(notification: Notification, mayHear: (client: string) => boolean): void {
    for (const [listener, client] of this.#listeners) if (mayHear(client)) listener.notified(notification);
  }

  /** Tells everybody that resources may be elsewhere; see {@link ViewListener.moved}. */
  moved(all: boolean): void {
    for (const listener of [...this.#listeners.keys()]) listener.moved?.(all);
  }

  /** Sends everybody home. */
  clear(): void {
    this.#listeners.clear();
    this.#seen.clear();
  }

  #compare(client: string, era: Era, kind: ListKind, seen: Map<string, string>, listeners: readonly ViewListener[]): void {
    const before = seen.get(`${era} ${kind}`);
    // A client that calls without listing hears of changes too, but not that servers come up.
    if (before === undefined && this.#parts.unknown(client).some(({ upstream }) => upstream.state === 'starting')) return;
    const now = kindDigest(this.#parts.catalog(client, era), kind);
    seen.set(`${era} ${kind}`, now);
    if (before !== undefined && now !== before) for (const listener of listeners) listener.listChanged(kind, era);
  }

  #seenBy(client: string): Map<string, string> {
    const known = this.#seen.get(client);
    if (known !== undefined) return known;
    const seen = new Map<string, string>();
    this.#seen.set(client, seen);
    return seen;
  }
}

function kindDigest(catalog: Catalog, kind: ListKind): string {
  return kind === 'resources' ? `${listDigest(catalog.resources)} ${listDigest(catalog.resourceTemplates)}` : listDigest(catalog[kind]);
}
