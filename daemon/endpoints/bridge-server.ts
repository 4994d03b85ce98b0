/** The daemon's half of the stdio bridge: one WebSocket per client process, one MCP message per text frame. Protocol v1 is frozen. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SignalboxError } from '../api/errors.ts';
import { RPC, rpcError, toolFailure } from '../protocol/codes.ts';
import { isRequest, type Message, type Outcome, parseMessage, type Request } from '../protocol/message.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/connection.ts';
import type { ServedEndpoint } from './endpoint-set.ts';
import { Session } from './session.ts';

/** Path prefix of the bridge; what follows is the endpoint's path without `/mcp`. */
export const BRIDGE_PREFIX = '/bridge/v1';

/**
 * A frame over `limits.messageBytes` is read so that its request can be answered: cutting the connection would fail every other
 * request with it. Beyond this many times the limit, or the bytes a bridge sends at most, it is cut all the same.
 */
const MEMORY_FACTOR = 4;
const LARGEST_BRIDGE_FRAME = 65 * 1024 * 1024;

/** What the bridge needs. */
export interface BridgeServerOptions {
  readonly router: Router;
  readonly identity: Identity;
  readonly messageBytes: number;
  /** Called with a client that came; returns what to call when it left. */
  readonly onClient: (client: string) => () => void;
}

/** Serves bridge connections. */
export class BridgeServer {
  readonly #options: BridgeServerOptions;
  readonly #server: WebSocketServer;

  constructor(options: BridgeServerOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: Math.max(MEMORY_FACTOR * options.messageBytes, LARGEST_BRIDGE_FRAME),
      perMessageDeflate: false,
    });
  }

  /** Open connections. */
  get sessions(): number {
    return this.#server.clients.size;
  }

  /** Takes an authenticated upgrade of `client` to `endpoint`. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, endpoint: ServedEndpoint, client: string): void {
    this.#server.handleUpgrade(request, socket, head, (connection) => this.#serve(connection, endpoint, client));
  }

  /** Tells every bridge that the daemon is leaving (1012, "service restart"): it comes back by itself. */
  close(): void {
    for (const connection of this.#server.clients) {
      connection.close(1012, 'The daemon is leaving.');
      // A bridge that does not answer the close is cut when the process ends.
      setTimeout(() => connection.terminate(), 500).unref();
    }
    this.#server.close();
  }

  #serve(connection: WebSocket, endpoint: ServedEndpoint, client: string): void {
    const left = this.#options.onClient(client);
    const session = new Session({
      ...this.#options,
      view: endpoint.view,
      deliver: (message) => connection.send(JSON.stringify(message)),
      caller: { principal: `${client} ${endpoint.view.endpoint.path}`, client },
    });
    connection.on('message', (data) => {
      const text = String(data);
      let message: Message;
      try {
        message = parseMessage(text);
      } catch (error) {
        connection.send(JSON.stringify({ jsonrpc: '2.0', id: null, error: rpcError(error, RPC.parse) }));
        return;
      }
      const bytes = Buffer.byteLength(text);
      if (bytes > this.#options.messageBytes) {
        // Only this request fails; without an id there is nobody to tell.
        if (isRequest(message)) connection.send(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...this.#tooLarge(message, bytes) }));
        return;
      }
      session.receive(message);
    });
    // `close` follows every error, and says the same.
    connection.on('error', () => {});
    connection.on('close', () => {
      session.dispose();
      left();
    });
  }

  #tooLarge({ method }: Request, bytes: number): Outcome {
    const error = new SignalboxError('SBX_MESSAGE_TOO_LARGE', `The message has ${bytes} bytes.`, {
      why: `limits.messageBytes is ${this.#options.messageBytes}.`,
      fix: 'Send less, or raise limits.messageBytes in the configuration.',
    });
    return method === 'tools/call' ? toolFailure(error) : { error: rpcError(error, RPC.invalidRequest) };
  }
}
