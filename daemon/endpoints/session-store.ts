/** Legacy HTTP sessions as they are kept over a restart: table `sessions` of the state store, by session id. */
import type { StateStore } from '../api/state.ts';
import type { SessionState } from './session.ts';

/** One kept session. Whose it is decides who may go on with it. */
export interface KeptSession {
  /** Name of the client as wired. */
  readonly client: string;
  /** Path of the endpoint, `/mcp/…`. */
  readonly path: string;
  readonly state: SessionState;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly usedAt: number;
}

/** Milliseconds without a request or an open stream after which a session is forgotten. */
export const SESSION_IDLE_MS = 60 * 60_000;
/** A use is written down once in this many milliseconds. */
const USE_NOTED_EVERY_MS = 5 * 60_000;

/** Keeps sessions. */
export class SessionStore {
  readonly #state: StateStore;
  readonly #now: () => number;

  /** @param now clock in milliseconds, for tests */
  constructor(state: StateStore, now: () => number = Date.now) {
    this.#state = state;
    this.#now = now;
  }

  /** A session that may be gone on with by this client at this endpoint. */
  find(id: string, client: string, path: string): KeptSession | undefined {
    const kept = this.#state.get<KeptSession>('sessions', id);
    if (kept?.client !== client || kept.path !== path) return undefined;
    if (kept.usedAt >= this.#now() - SESSION_IDLE_MS) return kept;
    this.remove(id);
    return undefined;
  }

  /** Keeps the state a session has now. */
  keep(id: string, client: string, path: string, state: SessionState): void {
    const now = this.#now();
    const createdAt = this.#state.get<KeptSession>('sessions', id)?.createdAt ?? now;
    this.#state.set('sessions', id, { client, path, state, createdAt, usedAt: now } satisfies KeptSession);
  }

  /** Notes that a session was used; often too soon to be worth a write. */
  used(id: string): void {
    const kept = this.#state.get<KeptSession>('sessions', id);
    const now = this.#now();
    if (kept !== undefined && now - kept.usedAt > USE_NOTED_EVERY_MS) this.#state.set('sessions', id, { ...kept, usedAt: now });
  }

  /** Forgets a session. */
  remove(id: string): void {
    this.#state.delete('sessions', id);
  }

  /**
   * Forgets what nobody used for long, also of endpoints that are no more.
   * @param alive whether a session is in use though nothing was noted
   */
  sweep(alive: (id: string) => boolean): void {
    const old = this.#now() - SESSION_IDLE_MS;
    for (const [id, kept] of this.#state.entries<KeptSession>('sessions')) {
      if (!(kept.usedAt >= old) && !alive(id)) this.remove(id);
    }
  }
}
