/** The daemon's half of the stdio bridge: one WebSocket per client process, one MCP message per text message. Protocol v1 is frozen. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { SignalboxError } from '../api/errors.ts';
import type { Origin, Tap, TapChannel } from '../api/sessions.ts';
import { RPC, rpcError, toolFailure } from '../protocol/codes.ts';
import { byteLength, encode, readFrame } from '../protocol/frame.ts';
import { isRequest, type Message, type Outcome, type Request, response } from '../protocol/message.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/handshake.ts';
import { MESSAGE_BYTES_HEADER } from './bridge-path.ts';
import type { ServedEndpoint } from './endpoint-set.ts';
import { Session } from './session.ts';

/**
 * A frame over `limits.messageBytes` is read so that its request can be answered: cutting the connection would fail every other
 * request with it. Beyond this many times the limit, or the bytes a bridge sends at most, it is cut all the same.
 */
const MEMORY_FACTOR = 4;
const LARGEST_BRIDGE_FRAME = 65 * 1024 * 1024;
/** Bytes a bridge may leave unread before it is cut: nothing waits without a bound for a reader that stopped reading. */
const BACKLOG = 256 * 1024 * 1024;

/** What the bridge needs. */
export interface BridgeServerOptions {
  readonly router: Router;
  readonly identity: Identity;
  readonly messageBytes: () => number;
  /** Sees every frame. Absent = nobody does. */
  readonly tap?: Tap | undefined;
  /** Called with a client that came; returns what to call when it left. */
  readonly onClient: (client: string) => () => void;
}

/** Serves bridge connections. */
export class BridgeServer {
  readonly #options: BridgeServerOptions;
  readonly #server: WebSocketServer;

  constructor(options: BridgeServerOptions) {
    this.#options = options;
    // UTF-8 is checked where a frame is read; once is enough.
    this.#server = new WebSocketServer({ noServer: true, perMessageDeflate: false, skipUTF8Validation: true });
    this.#server.on('headers', (headers) => headers.push(`${MESSAGE_BYTES_HEADER}: ${options.messageBytes()}`));
  }

  /** Open connections. */
  get sessions(): number {
    return this.#server.clients.size;
  }

  /** Takes an authenticated upgrade of `client` to `endpoint`. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, endpoint: ServedEndpoint, client: string): void {
    this.#server.options.maxPayload = Math.max(MEMORY_FACTOR * this.#options.messageBytes(), LARGEST_BRIDGE_FRAME);
    this.#server.handleUpgrade(request, socket, head, (connection) => this.#serve(connection, endpoint, client));
  }

  /** Tells every bridge that the daemon is leaving (1012, "service restart"): it comes back by itself. */
  close(): void {
    for (const connection of this.#server.clients) leave(connection);
    this.#server.close();
  }

  #serve(connection: WebSocket, { view, bridges }: ServedEndpoint, client: string): void {
    const { router, identity } = this.#options;
    const left = this.#options.onClient(client);
    const id = randomUUID();
    const channel = this.#options.tap?.open({
      edge: 'client',
      transport: 'bridge',
      client,
      endpoint: view.endpoint.path,
      session: id,
      ...(view.endpoint.workspace === undefined ? {} : { workspace: view.endpoint.workspace }),
    });
    const session = new Session({
      router,
      identity,
      view,
      caller: { principal: `${client} ${view.endpoint.path}`, client },
      id,
      deliver: (message, _related, by) => send(connection, message, channel, by),
    });
    const bridge = { client, close: () => leave(connection) };
    bridges.add(bridge);
    connection.on('message', (data) => this.#receive(connection, session, bytesOf(data), channel));
    // `close` follows every error, and says the same.
    connection.on('error', () => {});
    connection.on('close', () => {
      bridges.delete(bridge);
      session.dispose();
      channel?.close();
      left();
    });
  }

  #receive(connection: WebSocket, session: Session, bytes: Buffer, channel: TapChannel | undefined): void {
    let message: Message;
    try {
      message = readFrame(bytes);
    } catch (error) {
      channel?.fault(`What came is no message: ${error instanceof SignalboxError ? error.why : String(error)}`);
      return send(connection, response(null, { error: rpcError(error, RPC.parse) }), channel);
    }
    const origin = channel?.in(message, { bytes: bytes.length, origin: session.originOf(message) });
    if (bytes.length <= this.#options.messageBytes()) return session.receive(message, origin);
    channel?.fault(`The message has ${bytes.length} bytes; limits.messageBytes is ${this.#options.messageBytes()}.`, origin);
    // Only this request fails; without an id there is nobody to tell.
    if (isRequest(message)) send(connection, response(message.id, this.#tooLarge(message, bytes.length)), channel, origin);
  }

  #tooLarge({ method }: Request, bytes: number): Outcome {
    const error = new SignalboxError('SBX_MESSAGE_TOO_LARGE', `The message has ${bytes} bytes.`, {
      why: `limits.messageBytes is ${this.#options.messageBytes()}.`,
      fix: 'Send less, or raise limits.messageBytes in the configuration.',
    });
    return method === 'tools/call' ? toolFailure(error) : { error: rpcError(error, RPC.invalidRequest) };
  }
}

/** Ends a connection; a bridge that does not answer the close is cut. */
function leave(connection: WebSocket): void {
  connection.close(1012, 'Connect again.');
  setTimeout(() => connection.terminate(), 500).unref();
}

/** A text message as its bytes (`nodebuffer`, what `ws` gives by default, is one buffer). */
function bytesOf(data: RawData): Buffer {
  return Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** Sends one message; one that is made of pieces goes as the fragments of one, so that a big result is not copied. */
function send(connection: WebSocket, message: Message, channel: TapChannel | undefined, origin?: Origin): void {
  if (connection.bufferedAmount > BACKLOG) return connection.terminate();
  const frame = encode(message);
  channel?.out(message, { bytes: byteLength(frame), origin });
  if (typeof frame === 'string') return connection.send(frame);
  for (const [index, piece] of frame.entries()) connection.send(piece, { binary: false, fin: index === frame.length - 1 });
}
