/** What we want to hear from one server: counted resource subscriptions, and the one listen stream of a modern server. */
import type { Origin } from '../api/sessions.ts';
import type { Notification, Outcome } from '../protocol/message.ts';
import type { Connection } from './connection.ts';

/** What subscriptions need from their leg. */
export interface SubscriptionsOptions {
  /** The connection to subscribe on, opened if needed. */
  readonly ready: () => Promise<Connection>;
  /** Single clients' own connections that live now. */
  readonly own: () => readonly Connection[];
  /** Something went wrong that nobody waits for. */
  readonly onFault: (error: unknown) => void;
  /** Says again what may have been missed. */
  readonly onNotification: (notification: Notification) => void;
}

/** Milliseconds before a listen stream that ended is opened again: at first, at most. */
const RELISTEN_MS = 1000;
const RELISTEN_MAX_MS = 30_000;
const LISTS = ['tools', 'prompts', 'resources'] as const;

/** The subscriptions of one leg. They are made again on every new connection. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #counts = new Map<string, number>();
  /** Subscriptions that were made when the connection was. */
  readonly #made = new Map<string, Promise<Outcome>>();
  #connection: Connection | undefined;
  #listening: AbortController | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Subscribes everything on this connection from now on; undefined when there is none. */
  attach(connection: Connection | undefined): void {
    this.#connection = connection;
    this.#listening?.abort();
    this.#listening = undefined;
    this.#made.clear();
    if (connection === undefined) return;
    if (connection.era === 'modern') this.#listen(connection);
    else for (const uri of this.#counts.keys()) this.#made.set(uri, this.#subscribe(connection, uri));
  }

  /** Counts a subscription to a resource; the first one subscribes at the server. */
  async add(uri: string, origin?: Origin): Promise<Outcome> {
    const count = (this.#counts.get(uri) ?? 0) + 1;
    this.#counts.set(uri, count);
    if (count > 1) return { result: {} };
    for (const own of this.#options.own()) this.#mirror(own, 'resources/subscribe', uri);
    try {
      const there = this.#connection;
      const connection = there ?? (await this.#options.ready());
      if (connection.era === 'modern') {
        if (there !== undefined) this.#listen(connection);
        return { result: {} };
      }
      const made = there === undefined ? this.#made.get(uri) : undefined;
      const outcome = await (made ?? connection.request('resources/subscribe', { uri }, { origin: () => origin }));
      if ('error' in outcome) this.#counts.delete(uri);
      return outcome;
    } catch (error) {
      this.#counts.delete(uri);
      throw error;
    }
  }

  /** Counts down; the last one unsubscribes at the server. */
  async remove(uri: string, origin?: Origin): Promise<Outcome> {
    const count = (this.#counts.get(uri) ?? 0) - 1;
    if (count > 0) {
      this.#counts.set(uri, count);
      return { result: {} };
    }
    const connection = this.#connection;
    if (!this.#counts.delete(uri)) return { result: {} };
    for (const own of this.#options.own()) this.#mirror(own, 'resources/unsubscribe', uri);
    if (connection === undefined) return { result: {} };
    if (connection.era === 'legacy') return connection.request('resources/unsubscribe', { uri }, { origin: () => origin });
    this.#listen(connection);
    return { result: {} };
  }

  /**
   * Subscribes on a client's own connection what is subscribed here: what changes by that client's calls may be known in its process only.
   * Who hears of it is decided above, by what each client asked for.
   */
  copyTo(own: Connection): void {
    for (const uri of this.#counts.keys()) this.#mirror(own, 'resources/subscribe', uri);
  }

  #mirror(own: Connection, method: string, uri: string): void {
    if (own.era === 'modern' || own.capabilities['resources'] === undefined) return;
    own.request(method, { uri }).catch((error: unknown) => this.#options.onFault(error));
  }

  #subscribe(connection: Connection, uri: string): Promise<Outcome> {
    const made = connection.request('resources/subscribe', { uri });
    made.catch((error: unknown) => this.#options.onFault(error));
    return made;
  }

  /** One upstream `subscriptions/listen` with everything we want to hear (2026-07-28, "Subscriptions"); the new one before the old one ends. */
  #listen(connection: Connection, waitMs = RELISTEN_MS): void {
    const before = this.#listening;
    const abort = new AbortController();
    this.#listening = abort;
    const notifications = {
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: [...this.#counts.keys()],
    };
    const again = (): void => {
      const timer = setTimeout(() => {
        if (abort.signal.aborted || this.#connection !== connection) return;
        this.#listen(connection, Math.min(waitMs * 2, RELISTEN_MAX_MS));
        // What changed while nobody listened was not heard: look.
        for (const list of LISTS) this.#options.onNotification({ jsonrpc: '2.0', method: `notifications/${list}/list_changed` });
      }, waitMs);
      timer.unref();
    };
    connection.request('subscriptions/listen', { notifications }, { signal: abort.signal, timeoutMs: 0 }).then(
      // A refusal is final; an end is not.
      (outcome) => 'result' in outcome && again(),
      (error: unknown) => {
        if (abort.signal.aborted || this.#connection !== connection) return;
        this.#options.onFault(error);
        again();
      },
    );
    before?.abort();
  }
}
