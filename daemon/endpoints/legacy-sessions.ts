/** The legacy HTTP sessions of one endpoint: opened, found, taken up again after a restart, forgotten. */
import { randomUUID } from 'node:crypto';
import type { Tap } from '../api/sessions.ts';
import type { EndpointView } from '../router/endpoint-view.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/handshake.ts';
import type { EventIds } from './event-id.ts';
import { LegacySession } from './legacy-session.ts';
import type { SessionState } from './session.ts';
import { SESSION_IDLE_MS, type SessionStore } from './session-store.ts';

/** Sessions kept in memory; beyond that the one unused for longest is put away, to be taken up again when it is used. */
const IN_MEMORY = 1000;

/** What the sessions of an endpoint need. */
export interface LegacySessionsOptions {
  readonly view: EndpointView;
  readonly router: Router;
  readonly identity: Identity;
  readonly store: SessionStore;
  readonly ids: EventIds;
  /** Sees every frame. Absent = nobody does. */
  readonly tap?: Tap | undefined;
}

/** The sessions of one endpoint, by id. */
export class LegacySessions {
  readonly #options: LegacySessionsOptions;
  readonly #sessions = new Map<string, LegacySession>();

  constructor(options: LegacySessionsOptions) {
    this.#options = options;
  }

  /** Sessions in memory. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Opens a session. It is kept from the moment its handshake is answered. */
  open(client: string, single = false): LegacySession {
    this.#makeRoom();
    return this.#begin(randomUUID(), client, single);
  }

  /** The session of that id if it is this client's; one of before a restart is taken up where it was. */
  find(id: string, client: string, single = false): LegacySession | undefined {
    let found = this.#sessions.get(id);
    if (found === undefined) {
      const kept = this.#options.store.find(id, client, this.#path);
      if (kept === undefined) return undefined;
      this.#makeRoom();
      found = this.#begin(id, client, single, kept.state);
    }
    if (found.client !== client) return undefined;
    const now = Date.now();
    // Most requests come soon after another: no reason to look into the store each time.
    if (now - found.usedAt > 60_000) this.#options.store.used(id);
    found.usedAt = now;
    return found;
  }

  /** Ends a session for good. */
  remove(session: LegacySession): void {
    this.#sessions.delete(session.id);
    this.#options.store.remove(session.id);
    session.close();
  }

  /** Forgets sessions nobody used for an hour. */
  sweep(): void {
    const old = Date.now() - SESSION_IDLE_MS;
    for (const session of this.#sessions.values()) {
      if (session.active) {
        session.usedAt = Date.now();
        this.#options.store.used(session.id);
      } else if (session.usedAt < old) this.remove(session);
    }
  }

  /** Whether a session is in memory. */
  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** The daemon is leaving or the endpoint is gone: whoever waits is told. What is kept stays kept. */
  close(): void {
    for (const session of this.#sessions.values()) session.farewell();
    this.#sessions.clear();
  }

  /** Ends every session of a client whose credential is no more. */
  revoke(client: string): void {
    for (const session of [...this.#sessions.values()]) if (session.client === client) this.remove(session);
  }

  get #path(): string {
    return this.#options.view.endpoint.path;
  }

  #begin(id: string, client: string, single: boolean, restored?: SessionState): LegacySession {
    const { store } = this.#options;
    const path = this.#path;
    const session = new LegacySession({
      ...this.#options,
      id,
      single,
      caller: { principal: `${client} ${path}`, client },
      onState: (state) => store.keep(id, client, path, state),
      ...(restored === undefined ? {} : { restored }),
    });
    this.#sessions.set(id, session);
    return session;
  }

  #makeRoom(): void {
    if (this.#sessions.size < IN_MEMORY) return;
    const idle = [...this.#sessions.values()].filter((session) => !session.active);
    const oldest = idle.sort((a, b) => a.usedAt - b.usedAt)[0];
    if (oldest === undefined) return;
    this.#sessions.delete(oldest.id);
    oldest.close();
  }
}
