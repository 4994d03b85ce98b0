/** The resources one client is subscribed to: each counted once at its server, and followed when the configuration leads it elsewhere. */
import type { Origin } from '../api/sessions.ts';
import type { Outcome } from '../protocol/message.ts';

/** What subscribing came to. */
export interface Subscribed {
  readonly outcome: Outcome;
  /** Gives the subscription up, once; absent where it was refused. */
  readonly release?: (origin?: Origin) => Promise<Outcome>;
}
/** Subscribes at the server a URI leads to now, for the client's request `origin` if there is one. Never rejects. */
export type Subscribe = (uri: string, origin?: Origin) => Promise<Subscribed>;

interface Held {
  release: Subscribed['release'];
}

const DONE: Outcome = { result: {} };

/** One client's subscriptions by URI as exposed. */
export class HeldSubscriptions {
  readonly #subscribe: Subscribe;
  readonly #held = new Map<string, Held>();

  constructor(subscribe: Subscribe) {
    this.#subscribe = subscribe;
  }

  /** What is subscribed to, in the order it was asked for. */
  get uris(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Whether the client hears of a resource; from the moment it asks, for the server may tell before it has answered. */
  has(uri: string): boolean {
    return this.#held.has(uri);
  }

  /** Subscribes. A second time changes nothing. */
  async add(uri: string, origin?: Origin): Promise<Outcome> {
    if (this.#held.has(uri)) return DONE;
    const held = this.#begin(uri);
    const outcome = await this.#make(uri, held, origin);
    if ('error' in outcome && this.#held.get(uri) === held) this.#held.delete(uri);
    return outcome;
  }

  /** Subscribes again after a restart: what cannot be reached now is tried again when something changes. */
  resume(uri: string): void {
    void this.#make(uri, this.#begin(uri));
  }

  /** Gives one up; what this client does not hold is somebody else's. */
  async remove(uri: string, origin?: Origin): Promise<Outcome> {
    const held = this.#held.get(uri);
    this.#held.delete(uri);
    return (await held?.release?.(origin)) ?? DONE;
  }

  /**
   * Subscribes where each URI leads now; the new subscription is there before the old one ends.
   * @param all false: only those that could not be made
   */
  follow(all: boolean): void {
    for (const [uri, held] of this.#held) if (all || held.release === undefined) void this.#make(uri, held);
  }

  /** Gives all up. */
  close(): void {
    for (const uri of this.uris) void this.remove(uri);
  }

  #begin(uri: string): Held {
    const held: Held = { release: undefined };
    this.#held.set(uri, held);
    return held;
  }

  async #make(uri: string, held: Held, origin?: Origin): Promise<Outcome> {
    const { outcome, release } = await this.#subscribe(uri, origin);
    if (this.#held.get(uri) !== held) {
      void release?.(); // given up meanwhile
      return outcome;
    }
    void held.release?.();
    held.release = release;
    return outcome;
  }
}
