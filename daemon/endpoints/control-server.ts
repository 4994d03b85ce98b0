/** The daemon's half of the control channel: JSON-RPC 2.0 over the WebSocket `/control`, for the CLI and the extension. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { CONTROL_PROTOCOL, type ControlEvents, type ControlMethod, type ControlMethods } from '../api/control.ts';
import { type ErrorShape, errorShape, SignalboxError } from '../api/errors.ts';
import { checkParams, isControlMethod, isObject } from './control-params.ts';

/** The connection a control request came on. */
export interface ControlPeer {
  /** Sends an event to this connection alone. */
  notify<E extends keyof ControlEvents>(event: E, params: ControlEvents[E]): void;
  /** Bytes it has not read yet. */
  readonly backlog: number;
  /** Aborted when the connection ends. */
  readonly gone: AbortSignal;
}
/** What the daemon does for each control request. */
export type ControlHandlers = {
  readonly [M in Exclude<ControlMethod, 'hello'>]: (
    params: ControlMethods[M]['params'],
    peer: ControlPeer,
  ) => Promise<ControlMethods[M]['result']>;
};

/** What a control server is built from. */
export interface ControlServerOptions {
  /** Bearer expected on the upgrade. */
  readonly controlToken: string;
  readonly handlers: ControlHandlers;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  /** What `hello` answers about this daemon. */
  readonly identity: { readonly version: string; readonly build: string };
  /** Largest message in bytes, both directions; a longer one ends the connection. Default 64 MiB. */
  readonly messageBytes?: number;
  /** Called whenever the number of greeted connections changes (idle stop). */
  readonly onConnections?: (count: number) => void;
}

const JSONRPC = { parse: -32700, request: -32600, method: -32601, params: -32602, server: -32000 } as const;
type Id = string | number | null;

/** Serves the control channel on upgrades of the one HTTP listener. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: WebSocketServer;
  readonly #greeted = new Map<WebSocket, ControlPeer>();

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({ noServer: true, maxPayload: options.messageBytes ?? 64 * 1024 * 1024 });
  }

  /** Connections that have said hello. */
  get connections(): number {
    return this.#greeted.size;
  }

  /**
   * Takes an HTTP upgrade of `/control`. A request with an Origin comes from a web page and is refused (403), one without
   * the control token too (401); both answers carry an {@link ErrorShape}.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.headers.origin !== undefined) {
      refuse(socket, 403, {
        code: 'SBX_ORIGIN_REFUSED',
        message: `The control channel does not talk to web pages (Origin ${request.headers.origin}).`,
        cause: 'A request with an Origin header comes from a browser.',
        fix: 'Use the `signalbox` command or the VS Code extension.',
      });
    } else if (!isBearer(request.headers.authorization, this.#options.controlToken)) {
      const missing = request.headers.authorization === undefined;
      refuse(socket, 401, {
        code: missing ? 'SBX_TOKEN_MISSING' : 'SBX_TOKEN_INVALID',
        message: missing ? 'The control channel needs its token.' : 'The control token is wrong.',
        cause: 'The token stands in the runtime file of the state directory and changes with every start of the daemon.',
        fix: 'Run the command again; it reads the token anew. A client token does not open the control channel.',
      });
    } else {
      this.#server.handleUpgrade(request, socket, head, (connection) => this.#serve(connection));
    }
  }

  /** Sends one event to every greeted connection. */
  broadcast<E extends keyof ControlEvents>(event: E, params: ControlEvents[E]): void {
    const text = JSON.stringify({ jsonrpc: '2.0', method: event, params });
    for (const connection of this.#greeted.keys()) connection.send(text);
  }

  /** Ends every connection (1001) and resolves when the last is gone; one that does not answer within a second is cut. */
  async close(): Promise<void> {
    const open = [...this.#server.clients];
    const ended = open.map((connection) => new Promise((resolve) => connection.once('close', resolve)));
    for (const connection of open) connection.close(1001, 'The daemon is stopping.');
    const cut = setTimeout(() => {
      for (const connection of open) connection.terminate();
    }, 1000);
    await Promise.all(ended);
    clearTimeout(cut);
    this.#server.close();
  }

  #serve(connection: WebSocket): void {
    connection.on('message', (data) => void this.#receive(connection, data));
    connection.on('error', (error) => this.#options.log('warn', `Control connection: ${error.message}`));
    connection.on('close', () => {
      if (this.#greeted.delete(connection)) this.#options.onConnections?.(this.#greeted.size);
    });
  }

  async #receive(connection: WebSocket, data: RawData): Promise<void> {
    const message = parse(data.toString());
    if (message === undefined) {
      fail(connection, null, JSONRPC.parse, invalid('The message is not JSON.'));
      connection.close(1008, 'not JSON');
      return;
    }
    const { id, method, params } = message;
    if (typeof method !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) {
      fail(connection, null, JSONRPC.request, invalid('The message is not a JSON-RPC request with an id and a method.'));
    } else if (!this.#greeted.has(connection)) this.#hello(connection, id, method, params);
    else if (!isControlMethod(method)) {
      const message = `The control channel has no method \`${method}\`.`;
      const detail = { why: 'It is misspelt or belongs to another version.', fix: 'Compare `signalbox version` with `signalbox status`.' };
      fail(connection, id, JSONRPC.method, new SignalboxError('SBX_METHOD_UNKNOWN', message, detail));
    } else await this.#handle(connection, id, method, params);
  }

  #hello(connection: WebSocket, id: Id, method: string, params: unknown): void {
    try {
      const protocol = agree(method, params, this.#options.identity.version);
      this.#greeted.set(connection, peerOf(connection));
      this.#options.onConnections?.(this.#greeted.size);
      send(connection, { id, result: { protocol, ...this.#options.identity, pid: process.pid } });
    } catch (error) {
      fail(connection, id, JSONRPC.params, error);
      connection.close(1008, errorShape(error).code);
    }
  }

  async #handle<M extends Exclude<ControlMethod, 'hello'>>(connection: WebSocket, id: Id, method: M, params: unknown): Promise<void> {
    let checked: ControlMethods[M]['params'];
    try {
      checked = checkParams(method, params) as ControlMethods[M]['params'];
    } catch (error) {
      fail(connection, id, JSONRPC.params, error);
      return;
    }
    const peer = this.#greeted.get(connection) ?? peerOf(connection);
    try {
      send(connection, { id, result: await this.#options.handlers[method](checked, peer) });
    } catch (error) {
      // what is not ours has a trace worth keeping; an expected error is the client's to show
      if (!(error instanceof SignalboxError))
        this.#options.log('error', `${method}: ${error instanceof Error ? error.stack : String(error)}`);
      fail(connection, id, JSONRPC.server, error);
    }
  }
}

function peerOf(connection: WebSocket): ControlPeer {
  const gone = new AbortController();
  connection.once('close', () => gone.abort(new Error('the control connection ended')));
  return {
    notify: (event, params) => connection.send(JSON.stringify({ jsonrpc: '2.0', method: event, params })),
    get backlog() {
      return connection.bufferedAmount;
    },
    gone: gone.signal,
  };
}

/**
 * The control protocol to speak: the highest both sides know.
 * @throws SBX_USAGE when the first message is no proper `hello`, SBX_DAEMON_VERSION when the ranges do not overlap
 */
function agree(method: string, params: unknown, version: string): number {
  if (method !== 'hello') throw usage(`The first message must be \`hello\`, not \`${method}\`.`);
  const range: unknown = isObject(params) ? params['protocol'] : undefined;
  if (!Array.isArray(range) || typeof range[0] !== 'number' || typeof range[1] !== 'number')
    throw usage('`hello` needs `protocol`, the range [min, max] of control protocols the client speaks.');
  const [min, max] = CONTROL_PROTOCOL;
  const protocol = Math.min(max, range[1]);
  if (protocol >= Math.max(min, range[0])) return protocol;
  const newer = range[0] > max;
  const message = `The daemon speaks control protocol ${min} to ${max}, the client ${range[0]} to ${range[1]}.`;
  throw new SignalboxError('SBX_DAEMON_VERSION', message, {
    why: newer ? `The daemon (${version}) is older than the client.` : 'The client is older than the daemon.',
    fix: newer
      ? 'Run `signalbox restart` with the newer version.'
      : 'Update the client: reload the VS Code window or reinstall the command.',
  });
}

function send(connection: WebSocket, message: object): void {
  if (connection.readyState === WebSocket.OPEN) connection.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
}

function fail(connection: WebSocket, id: Id, code: number, thrown: unknown): void {
  const data = errorShape(thrown);
  send(connection, { id, error: { code, message: data.message, data } });
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return undefined;
  }
}

function invalid(message: string): SignalboxError {
  return new SignalboxError('SBX_MESSAGE_INVALID', message, {
    why: 'The control channel speaks JSON-RPC 2.0, one message per WebSocket frame.',
    fix: 'Use the `signalbox` command, the extension, or daemon/api/control-client.ts.',
  });
}

function usage(message: string): SignalboxError {
  return new SignalboxError('SBX_USAGE', message, { why: 'Both sides must agree on a protocol first.', fix: 'Send `hello` first.' });
}

/** Compares digests, so that neither content nor length of the token shows in the time it takes. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

function refuse(socket: Duplex, status: 401 | 403, error: ErrorShape): void {
  const body = JSON.stringify({ error });
  const reason = status === 401 ? 'Unauthorized' : 'Forbidden';
  const challenge = status === 401 ? 'WWW-Authenticate: Bearer realm="signalbox-control"\r\n' : '';
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${challenge}Connection: close\r\n\r\n${body}`,
  );
}
