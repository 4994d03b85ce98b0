/** The one HTTP listener: who may come in, and where to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorShape, SignalboxError } from '../api/errors.ts';
import { type Health, identityProof } from '../api/runtime.ts';
import { BRIDGE_PREFIX, type BridgeServer } from './bridge-server.ts';
import type { ControlServer } from './control-server.ts';
import type { EndpointSet, ServedEndpoint } from './endpoint-set.ts';

/** What the listener needs. */
export interface ListenerOptions {
  readonly controlToken: string;
  /** This daemon's id: a request that has come through it already is refused. */
  readonly daemonId: string;
  readonly endpoints: EndpointSet;
  readonly control: ControlServer;
  readonly bridge: BridgeServer;
  /** Whose bearer it is, for an endpoint path. */
  readonly verify: (bearer: string, path: string) => { readonly client: string } | 'unknown' | 'other-endpoint';
  /** Called with every request of a client; returns what to call when it is over. */
  readonly onRequest: (client: string) => () => void;
}

/** Makes the HTTP server; the caller listens and closes. */
export function createListener(options: ListenerOptions): Server {
  const server = createServer((request, response) => {
    const fault = placeFault(request);
    if (fault !== undefined) return refuse(response, 403, fault);
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (url.pathname === '/health') return health(url, response, options.controlToken);
    const found = authorize(request, url.pathname, options);
    if ('fault' in found) return refuse(response, found.status, found.fault);
    const done = options.onRequest(found.client);
    response.once('close', done);
    void found.endpoint.http.handle(request, response, found.client);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that vanishes in the middle of an upgrade is no fault of ours.
    socket.on('error', () => {});
    const fault = placeFault(request);
    if (fault !== undefined) return refuseUpgrade(socket, 403, fault);
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/control') return options.control.handleUpgrade(request, socket, head);
    const path = pathname.startsWith(`${BRIDGE_PREFIX}/`) ? `/mcp${pathname.slice(BRIDGE_PREFIX.length)}` : '';
    const found = authorize(request, path, options);
    if ('fault' in found) return refuseUpgrade(socket, found.status, found.fault);
    options.bridge.handleUpgrade(request, socket, head, found.endpoint, found.client);
  });
  // Calls may take as long as they need: their time-outs are the router's.
  server.requestTimeout = 0;
  server.headersTimeout = 20_000;
  server.keepAliveTimeout = 60_000;
  return server;
}

/** DNS rebinding and foreign pages (2025-11-25, transports, "Security warning"): only loopback names, no foreign Origin. */
function placeFault(request: IncomingMessage): ErrorShape | undefined {
  const host = request.headers.host ?? '';
  if (!isLoopback(`http://${host}`)) {
    return new SignalboxError('SBX_HOST_REFUSED', `Host ${JSON.stringify(host)} is refused.`, {
      why: 'Only loopback names are served, so that no web page can reach the daemon by DNS rebinding.',
      fix: 'Use http://127.0.0.1:PORT.',
    }).toJSON();
  }
  const origin = request.headers.origin;
  if (origin !== undefined && !isLoopback(origin)) {
    return new SignalboxError('SBX_ORIGIN_REFUSED', `Origin ${JSON.stringify(origin)} is refused.`, {
      why: 'A web page of another origin may not use the daemon.',
      fix: 'Call it from a program, or from a page served on loopback.',
    }).toJSON();
  }
  return undefined;
}

function isLoopback(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol) && ['127.0.0.1', 'localhost', '[::1]'].includes(parsed.hostname);
}

type Found = { readonly endpoint: ServedEndpoint; readonly client: string } | { readonly status: number; readonly fault: ErrorShape };

function authorize(request: IncomingMessage, path: string, { endpoints, verify }: ListenerOptions): Found {
  const bearer = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const denied = (
    status: number,
    code: 'SBX_TOKEN_MISSING' | 'SBX_TOKEN_INVALID' | 'SBX_TOKEN_WRONG_ENDPOINT',
    message: string,
    why: string,
  ): Found => ({
    status,
    fault: new SignalboxError(code, message, {
      why,
      fix: 'Get a token with `signalbox clients token NAME`, or wire the client with `signalbox wire`.',
    }).toJSON(),
  });
  if (bearer === undefined)
    return denied(
      401,
      'SBX_TOKEN_MISSING',
      'The request carries no bearer token.',
      'Every client has a token of its own for each endpoint.',
    );
  const verdict = verify(bearer, path);
  if (verdict === 'unknown')
    return denied(401, 'SBX_TOKEN_INVALID', 'The bearer token is not valid.', 'It was revoked, rotated, or never given out.');
  // The same answer for "wrong endpoint" and "no such endpoint": a token tells nothing about other workspaces.
  const endpoint = endpoints.at(path);
  if (verdict === 'other-endpoint')
    return denied(403, 'SBX_TOKEN_WRONG_ENDPOINT', `The token is not for ${path}.`, 'A token opens exactly one endpoint.');
  if (endpoint === undefined) {
    return {
      status: 404,
      fault: new SignalboxError('SBX_ENDPOINT_UNKNOWN', `There is no endpoint at ${path}.`, {
        why: 'It was removed from the configuration, or its workspace is not open.',
        fix: 'See `signalbox status` for the endpoints.',
      }).toJSON(),
    };
  }
  return { endpoint, client: verdict.client };
}

function health(url: URL, response: ServerResponse, controlToken: string): void {
  const nonce = url.searchParams.get('nonce');
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
