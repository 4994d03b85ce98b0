/** The extension's one connection to the daemon: made when something needs it, kept while the daemon lives. */
import type { FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import {
  CONTROL_PROTOCOL,
  type ControlEvents,
  type ControlMethod,
  type ControlMethods,
  type DaemonStatus,
} from '../../daemon/api/control.ts';
import type { ControlClient } from '../../daemon/api/control-client.ts';
import { errorFromShape, errorShape, SignalboxError } from '../../daemon/api/errors.ts';
import type { Paths } from '../../daemon/api/paths.ts';
import type { RuntimeFile } from '../../daemon/api/runtime.ts';
import type { Cli } from './start.ts';

/** What the person sees: `unknown` until something asked for the daemon. */
export type DaemonState = 'unknown' | 'starting' | 'running' | 'stopped' | 'failed';

/** What changed: the connection itself, or what the daemon says has changed. */
export type Change = 'connection' | ControlEvents['changed']['what'][number];

/** Hears events of the daemon: name and params. */
export type EventListener = <E extends keyof ControlEvents>(event: E, params: ControlEvents[E]) => void;

/** What the connection needs. */
export interface ConnectionParts {
  readonly paths: Paths;
  readonly cli: Cli;
  readonly version: string;
  readonly onLog: (entry: ControlEvents['log']) => void;
}

/** Finds or starts the daemon, follows its state, finds it again after a restart by someone else. */
export class DaemonConnection {
  readonly #parts: ConnectionParts;
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  readonly #eventListeners = new Set<EventListener>();
  #client: ControlClient | undefined;
  #opening: Promise<ControlClient | undefined> | undefined;
  #watcher: FSWatcher | undefined;
  #sought = false;
  #state: DaemonState = 'unknown';
  #status: DaemonStatus | undefined;
  #error: SignalboxError | undefined;
  #refreshing: Promise<void> | undefined;
  #disposed = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  get state(): DaemonState {
    return this.#state;
  }

  /** The last picture the daemon gave; `undefined` while not connected. */
  get status(): DaemonStatus | undefined {
    return this.#status;
  }

  /** Why the state is `failed`. */
  get error(): SignalboxError | undefined {
    return this.#error;
  }

  /** Calls `listener` after every change; returns the function that stops it. */
  onChange(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` with every event of the daemon, over all its restarts; returns the function that stops it. */
  onEvent(listener: EventListener): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** Sends one request, starting the daemon first if none runs. */
  async call<M extends ControlMethod>(method: M, params: ControlMethods[M]['params']): Promise<ControlMethods[M]['result']> {
    return (await this.start()).call(method, params);
  }

  /** Connects, starting the daemon if none runs. @throws SignalboxError when it cannot be started or reached */
  async start(): Promise<ControlClient> {
    this.#sought = true;
    for (;;) {
      // A look without starting may be under way; when it found nothing, the start is ours to make.
      const client = this.#client ?? (await this.#open(true));
      if (client !== undefined) return client;
    }
  }

  /** Connects if a daemon runs; never starts one. */
  async find(): Promise<ControlClient | undefined> {
    return this.#client ?? (await this.#open(false).catch(() => undefined));
  }

  /**
   * What a visible view wants: a running daemon, started at most once per window. A daemon that was stopped afterwards,
   * here or in a terminal, was stopped on purpose and stays so. A failure is in {@link error}.
   */
  async wanted(): Promise<void> {
    if (!this.#sought) await this.start().catch(() => undefined);
  }

  /** Stops the daemon for every client of this user and waits until its process has ended. */
  async stop(): Promise<void> {
    this.#sought = true;
    await this.#parts.cli(['stop']);
    this.#leave('stopped');
  }

  /** Replaces the daemon by a new one and connects to it. */
  async restart(): Promise<void> {
    this.#leave('starting');
    try {
      await this.#parts.cli(['restart']);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    await this.start();
  }

  /** Fetches the daemon's status again; resolves when {@link status} is new. */
  async refresh(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    const status = await client.call('status', {});
    if (this.#client === client) this.#status = status;
  }

  /** Ends the connection. The daemon lives on: other windows and clients use it. */
  dispose(): void {
    this.#disposed = true;
    this.#watcher?.close();
    this.#listeners.clear();
    this.#eventListeners.clear();
    this.#client?.close();
    this.#client = undefined;
  }

  #open(mayStart: boolean): Promise<ControlClient | undefined> {
    this.#opening ??= this.#connect(mayStart).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #connect(mayStart: boolean): Promise<ControlClient | undefined> {
    try {
      // Loaded when something needs the daemon, not when the extension is activated.
      const [{ connectControl }, { locateDaemon }] = await Promise.all([import('./client.ts'), import('./locate.ts')]);
      let runtime = await locateDaemon(this.#parts.paths.runtimeFile);
      if (mayStart && (runtime === undefined || isOlder(runtime))) {
        this.#set('starting');
        await this.#parts.cli(['up']); // replaces a daemon that is too old for us
        runtime = await locateDaemon(this.#parts.paths.runtimeFile);
        if (runtime === undefined) throw notThere(this.#parts.paths.runtimeFile);
      }
      if (runtime === undefined) {
        if (this.#state !== 'failed') this.#set('stopped');
        return undefined;
      }
      const client = await connectControl(runtime, this.#parts.version);
      this.#adopt(client);
      await this.refresh();
      this.#set('running');
      return client;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      await this.#follow();
    }
  }

  #adopt(client: ControlClient): void {
    this.#client = client;
    client.onEvent((event, params) => {
      if (event === 'log') this.#parts.onLog(params as ControlEvents['log']);
      if (event === 'changed') void this.#changed((params as ControlEvents['changed']).what);
      for (const listener of this.#eventListeners) listener(event, params);
    });
    client.onClose(() => {
      if (this.#client !== client) return;
      this.#sought = true;
      this.#leave('stopped');
    });
  }

  async #changed(what: readonly Change[]): Promise<void> {
    // One status request at a time; an event during it asks again, so the last picture is never old.
    while (this.#refreshing !== undefined) await this.#refreshing;
    this.#refreshing = this.refresh()
      .catch(() => undefined) // the connection was lost: `onClose` says so
      .finally(() => {
        this.#refreshing = undefined;
      });
    await this.#refreshing;
    this.#emit(what);
  }

  /** Sees a daemon started or restarted by someone else: the runtime file is renamed into place when it is ready. */
  async #follow(): Promise<void> {
    const { watch } = await import('node:fs');
    if (this.#watcher !== undefined || this.#disposed) return;
    const file = this.#parts.paths.runtimeFile;
    try {
      this.#watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
        if (name === basename(file) && this.#client === undefined) void this.find();
      });
      this.#watcher.on('error', () => {
        this.#watcher?.close();
        this.#watcher = undefined;
      });
    } catch {
      // no state directory yet: nothing of ours has ever run here; the next attempt tries again
    }
  }

  #leave(state: DaemonState): void {
    const client = this.#client;
    this.#client = undefined;
    this.#status = undefined;
    client?.close();
    this.#set(state);
  }

  #fail(error: unknown): void {
    this.#error = error instanceof SignalboxError ? error : errorFromShape(errorShape(error));
    this.#set('failed');
  }

  #set(state: DaemonState): void {
    if (state === this.#state && state !== 'failed') return;
    if (state !== 'failed') this.#error = undefined;
    this.#state = state;
    this.#emit(['connection']);
  }

  #emit(changes: readonly Change[]): void {
    for (const listener of this.#listeners) listener(changes);
  }
}

/** A daemon that serves no version this build speaks because it is older: `up` lets it drain and replaces it. */
function isOlder(runtime: RuntimeFile): boolean {
  return runtime.protocol[1] < CONTROL_PROTOCOL[0];
}

function notThere(runtimeFile: string): SignalboxError {
  return new SignalboxError('SBX_DAEMON_START', 'The daemon was started but does not answer.', {
    why: `Nobody proved to be the daemon named in ${runtimeFile}.`,
    fix: 'Run `signalbox doctor` in a terminal; it says what stands in the way.',
  });
}
