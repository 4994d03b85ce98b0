/** The client half of the control channel over any text socket; the CLI and the extension bring the WebSocket. No I/O of its own. */
import type { ControlEvents, ControlMethod, ControlMethods } from './control.ts';
import { type ErrorShape, errorFromShape, SignalboxError } from './errors.ts';

/** The part of a WebSocket the client needs. */
export interface TextSocket {
  send(text: string): void;
  close(): void;
  onText(listener: (text: string) => void): void;
  onClose(listener: () => void): void;
}

type Pending = { resolve: (value: unknown) => void; reject: (reason: unknown) => void };

/** Typed JSON-RPC client of the daemon's control channel. */
export class ControlClient {
  readonly #socket: TextSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(event: keyof ControlEvents, params: ControlEvents[keyof ControlEvents]) => void>();
  readonly #closeListeners = new Set<() => void>();
  #next = 1;
  #closed = false;

  constructor(socket: TextSocket) {
    this.#socket = socket;
    socket.onText((text) => this.#receive(text));
    socket.onClose(() => {
      this.#closed = true;
      for (const { reject } of this.#pending.values()) reject(connectionLost());
      this.#pending.clear();
      for (const listener of this.#closeListeners) listener();
    });
  }

  /** Sends one request. Rejects with the {@link SignalboxError} the daemon answered, or `SBX_DAEMON_UNREACHABLE` when the connection is lost. */
  call<M extends ControlMethod>(method: M, params: ControlMethods[M]['params']): Promise<ControlMethods[M]['result']> {
    if (this.#closed) return Promise.reject(connectionLost());
    const id = this.#next++;
    return new Promise<ControlMethods[M]['result']>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /** Listens to the daemon's events; returns the function that stops listening. */
  onEvent(listener: <E extends keyof ControlEvents>(event: E, params: ControlEvents[E]) => void): () => void {
    const untyped = listener as (event: keyof ControlEvents, params: ControlEvents[keyof ControlEvents]) => void;
    this.#listeners.add(untyped);
    return () => this.#listeners.delete(untyped);
  }

  /** Called once when the connection ends. */
  onClose(listener: () => void): void {
    this.#closeListeners.add(listener);
  }

  /** Ends the connection; pending calls reject. */
  close(): void {
    this.#socket.close();
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as {
      id?: number;
      method?: keyof ControlEvents;
      params?: ControlEvents[keyof ControlEvents];
      result?: unknown;
      error?: { data?: ErrorShape; message: string };
    };
    if (message.id !== undefined && message.method === undefined) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error === undefined) pending?.resolve(message.result);
      else pending?.reject(message.error.data === undefined ? new Error(message.error.message) : errorFromShape(message.error.data));
    } else if (message.method !== undefined) {
      for (const listener of this.#listeners) listener(message.method, message.params ?? {});
    }
  }
}

function connectionLost(): SignalboxError {
  return new SignalboxError('SBX_DAEMON_UNREACHABLE', 'The connection to the daemon was lost.', {
    why: 'The daemon stopped or was replaced.',
    fix: 'Run the command again; it starts the daemon if none runs.',
  });
}
