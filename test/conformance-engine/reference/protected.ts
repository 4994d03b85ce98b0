/** The second small server behind OAuth 2.1 as a resource server over HTTP, both eras: signed tokens, a challenge, metadata; a switch for each fault. */
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Tokens } from '../../../daemon/api/conformance.ts';
import { isObject, type JsonObject } from '../../../daemon/protocol/message.ts';
import { answer, type Fault } from './tasked.ts';

const SECRET = randomUUID();
const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const signature = (text: string): string => createHmac('sha256', SECRET).update(text).digest('base64url');

interface Claims {
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly scope: string;
}

function token(claims: Claims): string {
  const text = `${b64({ alg: 'HS256', typ: 'JWT' })}.${b64(claims)}`;
  return `${text}.${signature(text)}`;
}

/** The claims of a good token; a text says what is wrong with it. */
function read(given: string, aud: string, fault: Fault): Claims | string {
  const [head = '', body = '', sign = '', more] = given.split('.');
  try {
    const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg?: unknown };
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims;
    if (alg === 'none' && fault('AUTH-401-UNSIGNED')) return claims;
    if (more !== undefined || alg !== 'HS256' || sign !== signature(`${head}.${body}`)) return 'signature';
    if (claims.aud !== aud && !fault('AUTH-AUDIENCE')) return 'audience';
    if (claims.exp < Date.now() / 1000 && !fault('AUTH-401-EXPIRED')) return 'expired';
    return claims;
  } catch {
    return 'malformed';
  }
}

/** A protected server that runs. */
export interface Protected {
  readonly url: string;
  readonly tokens: Tokens;
  close(): void;
}

/** Serves it with these faults. */
export async function serveProtected(faults: readonly string[]): Promise<Protected> {
  const fault: Fault = (stem) => faults.includes(stem);
  const sessions = new Set<string>();
  const http = createServer((request, response) => void serve(request, response));
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const url = `${origin}/mcp`;
  const wellKnown = '/.well-known/oauth-protected-resource/mcp';

  const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  const challenge = (response: ServerResponse, status: number, error: string | undefined): void => {
    const scope = fault('AUTH-NO-OFFLINE') ? 'tools offline_access' : 'tools';
    const parts = [
      ...(error === undefined ? [] : [`error="${error}"`]),
      ...(fault('AUTH-SCOPE-HINT') && status === 401 ? [] : [`scope="${scope}"`]),
      ...(fault('AUTH-PRM-DISCOVERY') ? [] : [`resource_metadata="${origin}${wellKnown}"`]),
    ];
    const bare = fault('AUTH-403-SCOPE') && status === 403;
    json(response, status, { error: error ?? 'unauthorized' }, bare ? {} : { 'www-authenticate': `Bearer ${parts.join(', ')}` });
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? '/', origin);
    if (at.pathname === wellKnown && !fault('AUTH-PRM-DISCOVERY'))
      return json(response, 200, {
        ...(fault('AUTH-PRM') ? {} : { resource: fault('AUTH-PRM-RESOURCE') ? 'https://elsewhere.example/mcp' : url }),
        authorization_servers: fault('AUTH-PRM-AS') ? [] : ['https://issuer.example'],
        scopes_supported: ['tools'],
      });
    if (at.pathname !== '/mcp') return json(response, 404, undefined);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    let message: JsonObject = {};
    try {
      const parsed: unknown = JSON.parse(Buffer.concat(parts).toString('utf8') || '{}');
      if (isObject(parsed)) message = parsed;
    } catch {
      return json(response, 400, { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } });
    }
    const session = request.headers['mcp-session-id'];
    const opening = message['method'] === 'initialize' || message['method'] === 'server/discover';
    const header = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const given = header ?? (fault('AUTH-QUERY') ? (at.searchParams.get('access_token') ?? undefined) : undefined);
    const free =
      (fault('AUTH-401') && request.headers.authorization === undefined) ||
      (fault('AUTH-EVERY-REQ') && !opening) ||
      (fault('AUTH-SESSION-NOT-AUTH') && typeof session === 'string' && sessions.has(session));
    const claims = given === undefined ? undefined : read(given, url, fault);
    if (!free && claims === undefined) return challenge(response, 401, undefined);
    if (!free && typeof claims === 'string') return challenge(response, fault('AUTH-STATUS') ? 403 : 401, 'invalid_token');
    const who = typeof claims === 'object' ? claims : { sub: 'one', scope: 'tools' };
    if (request.method === 'DELETE') return json(response, 200, undefined);
    if (request.method !== 'POST') return json(response, 405, undefined);
    if (message['method'] === 'tools/call' && !who.scope.includes('tools') && !fault('TOOL-ACCESS'))
      return challenge(response, 403, 'insufficient_scope');
    const modern = request.headers['mcp-protocol-version'] === '2026-07-28';
    if (!modern && !opening && (typeof session !== 'string' || !sessions.has(session)))
      return json(response, typeof session === 'string' ? 404 : 400, {
        jsonrpc: '2.0',
        id: message['id'] ?? null,
        error: { code: -32600, message: 'No session' },
      });
    const minted = !modern && message['method'] === 'initialize' ? randomUUID() : undefined;
    if (minted !== undefined) sessions.add(minted);
    const made = await answer(message, { era: modern ? 'modern' : 'legacy', principal: who.sub, notify: () => {} }, fault);
    json(
      response,
      made === undefined ? 202 : modern && isObject(made['error']) ? (made['error']['code'] === -32601 ? 404 : 400) : 200,
      made,
      {
        ...(minted === undefined ? {} : { 'mcp-session-id': minted }),
      },
    );
  }

  const later = Math.floor(Date.now() / 1000) + 3600;
  const one: Claims = { sub: 'one', aud: url, exp: later, scope: 'tools' };
  return {
    url,
    tokens: {
      valid: token(one),
      second: token({ ...one, sub: 'two' }),
      expired: token({ ...one, exp: later - 7200 }),
      otherAudience: token({ ...one, aud: 'https://elsewhere.example/mcp' }),
      narrow: token({ ...one, scope: 'nothing' }),
    },
    close() {
      http.closeAllConnections();
      http.close();
    },
  };
}
