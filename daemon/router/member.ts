/** One server inside an endpoint: its lists under the alias and the overrides of its binding. */
import type { ResolvedServer } from '../api/config.ts';
import { type ErrorShape, SignalboxError } from '../api/errors.ts';
import type { Era } from '../protocol/eras.ts';
import type { JsonObject, Notification } from '../protocol/message.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { CatalogStore } from './catalog-store.ts';
import { type OverriddenTools, overrideTools } from './definitions.ts';
import type { Wait } from './patience.ts';
import type { ServerLists } from './server-lists.ts';
import { EMPTY, type ListName, type Snapshot } from './snapshot.ts';

/** Milliseconds a server that is starting is waited for at most, when no other one has answered before. */
const PATIENCE_MS = 6000;
const ERAS: readonly Era[] = ['legacy', 'modern'];

/** Reacts to what happens at a member. */
export interface MemberListener {
  /** The named lists are not what they were. */
  changed(lists: readonly ListName[]): void;
  /** The server said something else. */
  notified(notification: Notification): void;
}

/** Where a member stands. */
export interface MemberParts {
  readonly workspace: string | undefined;
  readonly store: CatalogStore;
  readonly listener: MemberListener;
}

/** A server as one endpoint has it. */
export class Member {
  readonly server: ResolvedServer;
  readonly upstream: Upstream;
  readonly lists: ServerLists;
  readonly #workspace: string | undefined;
  readonly #store: CatalogStore;
  readonly #unlisten: () => void;
  readonly #patience = new Map<Era, Wait>();
  readonly #tools = new Map<readonly JsonObject[], OverriddenTools>();
  readonly #exposed = new WeakMap<JsonObject, JsonObject>();
  readonly #told = new Set<string>();

  constructor(server: ResolvedServer, upstream: Upstream, { workspace, store, listener }: MemberParts) {
    this.server = server;
    this.upstream = upstream;
    this.lists = store.lists(upstream, workspace);
    this.#workspace = workspace;
    this.#store = store;
    this.#unlisten = this.lists.listen({
      ...listener,
      problems: () => ERAS.filter((era) => this.loaded(era)).flatMap((era) => this.tools(era).changed),
    });
  }

  get alias(): string {
    return this.server.alias;
  }
  /** Why the lists could not be read. */
  get error(): ErrorShape | undefined {
    return this.lists.error;
  }

  /** The lists a client of this era gets: those of the other era as long as nothing else is known; empty while nothing is. */
  snapshot(era: Era): Snapshot {
    return this.lists.snapshot(era) ?? this.lists.any() ?? EMPTY;
  }

  /** Whether anything is known of its lists, in whatever era: a client of the other one is answered from that. */
  get known(): boolean {
    return this.lists.any() !== undefined;
  }

  /** Whether the server has ever answered a client of this era, now or before the daemon started. */
  loaded(era: Era): boolean {
    return this.lists.snapshot(era) !== undefined;
  }

  /** The tools of the binding: without the hidden, overridden where the override holds. */
  tools(era: Era): OverriddenTools {
    const { tools } = this.snapshot(era);
    const known = this.#tools.get(tools);
    if (known !== undefined) return known;
    const made = overrideTools(this.server, this.#workspace, this.#store.definitions, tools);
    for (const changed of made.changed) {
      if (!this.#told.has(changed.message)) this.#store.log('warn', `${changed.message} ${changed.cause} ${changed.fix} (${changed.code})`);
      this.#told.add(changed.message);
    }
    // What no era has any more is not kept.
    const current = ERAS.map((each) => this.snapshot(each).tools);
    for (const old of this.#tools.keys()) if (!current.includes(old)) this.#tools.delete(old);
    this.#tools.set(tools, made);
    return made;
  }

  /** A definition under another name or URI; the same object as long as it is the same definition, so its digest is made once. */
  exposed(definition: JsonObject, field: 'name' | 'uri', value: string): JsonObject {
    const known = this.#exposed.get(definition);
    if (known?.[field] === value) return known;
    const made = { ...definition, [field]: value };
    this.#exposed.set(definition, made);
    return made;
  }

  /** What a person should know of the server though it works, in any endpoint: definitions left out, definitions that changed. */
  problems(): readonly ErrorShape[] {
    return this.lists.problems();
  }

  /**
   * Accepts changed definitions.
   * @param tool the server's own name of one tool; absent = every tool that changed
   * @returns the server's own names of the tools accepted
   * @throws SBX_TOOL_UNKNOWN when the server has no tool of that name
   */
  accept(tool?: string): readonly string[] {
    const definitions = new Map<string, JsonObject[]>();
    for (const definition of ERAS.flatMap((era) => this.snapshot(era).tools)) {
      const name = String(definition['name']);
      definitions.set(name, [...(definitions.get(name) ?? []), definition]);
    }
    if (tool !== undefined && !definitions.has(tool))
      throw new SignalboxError('SBX_TOOL_UNKNOWN', `Server "${this.server.name}" has no tool "${tool}".`, {
        why: 'A tool is accepted under the name its server gives it, without the alias.',
        fix: `Leave the tool out to accept all of them, or see \`signalbox tools\`.`,
      });
    const accepted: string[] = [];
    for (const [name, of] of definitions) {
      if (tool === undefined ? !this.#bound(name) || !this.#changed(name, of) : name !== tool) continue;
      this.#store.definitions.accept(this.#workspace, this.server.name, name, of);
      accepted.push(name);
    }
    this.#tools.clear();
    this.#told.clear();
    return accepted;
  }

  /** Reads the lists if nothing is known yet, which starts the server. Never rejects: a failure is in {@link error}. */
  load(era: Era): Promise<void> {
    return this.lists.load(era);
  }

  /**
   * {@link load}, for a list that waits: for a slow server once and for a limited time only. Undefined when there is nothing to wait for;
   * what is known is refreshed in the background.
   */
  patience(era: Era): Wait | undefined {
    if (this.loaded(era)) {
      this.lists.touch(era);
      return undefined;
    }
    if (this.upstream.state === 'down' || (!this.#patience.has(era) && this.lists.slow(era))) {
      // It has failed before, or used up its patience in a daemon before this one: try again, but nobody waits for it.
      void this.load(era);
      return undefined;
    }
    const waiting = this.#patience.get(era);
    if (waiting !== undefined) return waiting;
    const gaveUp = (): void => this.lists.wasSlow(era);
    const answered = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        gaveUp();
        resolve(false);
      }, PATIENCE_MS);
      void this.load(era).finally(() => {
        clearTimeout(timer);
        resolve(this.loaded(era));
      });
    });
    const wait: Wait = { since: Date.now(), answered, gaveUp };
    this.#patience.set(era, wait);
    return wait;
  }

  /** Stops listening; the upstream belongs to its host, the lists to all endpoints. */
  dispose(): void {
    this.#unlisten();
  }

  #changed(tool: string, definitions: readonly JsonObject[]): boolean {
    return definitions.some((definition) => !this.#store.definitions.accepts(this.#workspace, this.server.name, tool, definition));
  }

  /** Whether anything was said of this tool's definition. */
  #bound(tool: string): boolean {
    return this.server.pin === true || (this.server.overrides !== undefined && Object.hasOwn(this.server.overrides, tool));
  }
}
