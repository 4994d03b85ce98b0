/** The one HTTP listener: who may come in, and where to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorShape, errorShape } from '../api/errors.ts';
import { type Health, identityProof } from '../api/runtime.ts';
import { Admission, type AdmissionOptions, placeFault } from './admission.ts';
import { BRIDGE_PREFIX } from './bridge-path.ts';
import type { BridgeServer } from './bridge-server.ts';
import type { ControlServer } from './control-server.ts';
import { SSE_PREFIX } from './sse-endpoint.ts';
import { viaFault } from './via.ts';

/** What the listener needs. */
export interface ListenerOptions extends AdmissionOptions {
  readonly controlToken: string;
  /** This daemon's id: a request that has come through it already is refused. */
  readonly daemonId: string;
  readonly control: ControlServer;
  readonly bridge: BridgeServer;
  /** Called with every request of a client; returns what to call when it is over. */
  readonly onRequest: (client: string) => () => void;
  /** Whether the daemon is leaving: a client is asked to come back instead of being told that its session is gone. */
  readonly leaving?: () => boolean;
}

const ENDPOINT_PREFIX = '/mcp';

/** Makes the HTTP server; the caller listens and closes. */
export function createListener(options: ListenerOptions): Server {
  const admission = new Admission(options);
  const server = createServer((request, response) => {
    const fault = placeFault(request);
    if (fault !== undefined) return refuse(response, 403, fault);
    const path = pathOf(request);
    if (path === '/health') return health(request, response, options.controlToken);
    if (options.leaving?.() === true) return void response.writeHead(503, { 'retry-after': '1', connection: 'close' }).end();
    const old = path.startsWith(`${SSE_PREFIX}/`);
    const found = admission.admit(request, old ? ENDPOINT_PREFIX + path.slice(SSE_PREFIX.length) : path);
    if ('fault' in found) return refuse(response, found.status, found.fault);
    response.once('close', options.onRequest(found.client));
    (old ? found.endpoint.sse : found.endpoint.http).handle(request, response, found.client);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that vanishes in the middle of an upgrade is no fault of ours.
    socket.on('error', () => {});
    const fault = placeFault(request);
    if (fault !== undefined) return refuseUpgrade(socket, 403, fault);
    const path = pathOf(request);
    if (path === '/control') return options.control.handleUpgrade(request, socket, head);
    const found = admission.admit(request, path.startsWith(`${BRIDGE_PREFIX}/`) ? ENDPOINT_PREFIX + path.slice(BRIDGE_PREFIX.length) : '');
    if ('fault' in found) return refuseUpgrade(socket, found.status, found.fault);
    const circle = viaFault(request.headers.via, options.daemonId);
    if (circle !== undefined) return refuseUpgrade(socket, 508, errorShape(circle));
    options.bridge.handleUpgrade(request, socket, head, found.endpoint, found.client);
  });
  // Calls may take as long as they need: their time-outs are the router's.
  server.requestTimeout = 0;
  server.headersTimeout = 20_000;
  server.keepAliveTimeout = 60_000;
  return server;
}

/** The path of a request; paths of ours have nothing to decode. */
function pathOf({ url = '/' }: IncomingMessage): string {
  // A request by way of a proxy names the whole URL (RFC 9112, section 3.2.2).
  if (!url.startsWith('/')) return URL.parse(url)?.pathname ?? '/';
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

function health(request: IncomingMessage, response: ServerResponse, controlToken: string): void {
  const nonce = new URLSearchParams((request.url ?? '').split('?', 2)[1]).get('nonce');
  const body: Health = { ok: true, name: 'signalbox', ...(nonce === null ? {} : { proof: identityProof(controlToken, nonce) }) };
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, fault: ErrorShape): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="signalbox"' } : {}),
  });
  response.end(
    JSON.stringify({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32600, message: `${fault.message} ${fault.fix} (${fault.code})`, data: fault },
    }),
  );
}

function refuseUpgrade(socket: Duplex, status: number, fault: ErrorShape): void {
  const body = JSON.stringify({ error: fault });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
