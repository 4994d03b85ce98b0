/** The daemon's half of the stdio bridge: one WebSocket per client process, one MCP message per text frame. Protocol v1 is frozen. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { RPC, rpcError } from '../protocol/codes.ts';
import { type Message, parseMessage } from '../protocol/message.ts';
import type { Router } from '../router/router.ts';
import type { Identity } from '../upstreams/connection.ts';
import type { ServedEndpoint } from './endpoint-set.ts';
import { Session } from './session.ts';

/** Path prefix of the bridge; what follows is the endpoint's path without `/mcp`. */
export const BRIDGE_PREFIX = '/bridge/v1';

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
    this.#server = new WebSocketServer({ noServer: true, maxPayload: options.messageBytes, perMessageDeflate: false });
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
    const session = new Session({ ...this.#options, view: endpoint.view, deliver: (message) => connection.send(JSON.stringify(message)) });
    connection.on('message', (data) => {
      let message: Message;
      try {
        message = parseMessage(String(data));
      } catch (error) {
        connection.send(JSON.stringify({ jsonrpc: '2.0', id: null, error: rpcError(error, RPC.parse) }));
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
}
