/** `node main.ts [--http] [STEM …]`: the reference server over stdio or HTTP, with the faults named. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isObject, type JsonObject } from '../../../daemon/protocol/message.ts';
import { ReferenceServer } from './server.ts';

/** Serves HTTP with these faults; resolves with the URL and a way to end it. */
export async function serveHttp(faults: readonly string[]): Promise<{ readonly url: string; close(): void }> {
  const broken = (stem: string): boolean => faults.includes(stem);
  const sessions = new Map<string, ReferenceServer>();
  const one = new ReferenceServer(broken);
  let counter = 0;
  const server = createServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const end = (status: number, body?: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, {
        ...(body === undefined ? {} : { 'content-type': broken('HTTP-CONTENT-TYPE') ? 'text/plain' : 'application/json' }),
        ...headers,
      });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const refuse = (status: number, code: number, message: string, id: unknown = null): void =>
      end(status, { jsonrpc: '2.0', id, error: { code, message } });
    const origin = request.headers.origin;
    if (origin !== undefined && !/^https?:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?$/.test(origin) && !broken('HTTP-ORIGIN'))
      return refuse(broken('HTTP-ORIGIN-403') ? 400 : 403, -32600, 'Origin refused');
    const version = request.headers['mcp-protocol-version'];
    const id = request.headers['mcp-session-id'];
    if (request.method === 'DELETE') {
      if (typeof id === 'string' && !broken('HTTP-SESSION-404')) sessions.delete(id);
      return end(version === '2026-07-28' ? 405 : broken('HTTP-SESSION-DELETE') ? 500 : 200);
    }
    if (request.method !== 'POST') return end(broken('HTTP-GET') ? 404 : 405);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString('utf8');
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      // the engine says it
    }
    const body = isObject(message) ? message : {};
    const modern =
      version === '2026-07-28' ||
      (isObject(body['params']) &&
        isObject(body['params']['_meta']) &&
        body['params']['_meta']['io.modelcontextprotocol/protocolVersion'] !== undefined);
    if (modern) {
      const problem = headerProblem(request, body, broken);
      if (problem !== undefined)
        return refuse(broken('HDR-MISMATCH-400') ? 200 : 400, broken('HDR-MISMATCH-CODE') ? -32600 : -32020, problem, body['id'] ?? null);
    } else if (
      version !== undefined &&
      !['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'].includes(String(version)) &&
      !broken('HTTP-VERSION-HEADER')
    )
      return refuse(400, -32600, 'Unsupported version', body['id'] ?? null);
    let target = one;
    let minted: Record<string, string> = {};
    if (!modern && body['method'] === 'initialize') {
      const made = broken('HTTP-SESSION-ASCII')
        ? `id with space ${randomUUID()}`
        : broken('HTTP-SESSION-ENTROPY')
          ? `s${++counter}`
          : randomUUID();
      target = new ReferenceServer(broken);
      sessions.set(made, target);
      minted = { 'mcp-session-id': made };
    } else if (!modern) {
      if (id === undefined && !broken('HTTP-SESSION-REQUIRED')) return refuse(400, -32600, 'Session required', body['id'] ?? null);
      const found = sessions.get(String(id));
      if (found === undefined && id !== undefined && !broken('HTTP-SESSION-404'))
        return refuse(404, -32600, 'No such session', body['id'] ?? null);
      target = found ?? one;
    } else if (broken('HTTP-SESSION-IGNORE')) minted = { 'mcp-session-id': randomUUID() };
    const sent: (JsonObject | string)[] = [];
    const streaming = isObject(body['params']) && body['method'] === 'tools/call';
    const data = (one: JsonObject | string): string =>
      broken('HTTP-SSE-FRAMING') ? `data: not json\n\ndata: ${JSON.stringify(one)}\n\n` : `data: ${JSON.stringify(one)}\n\n`;
    // the stream begins with the first message that is no refusal: a status can still be given to one
    const stream = (one: JsonObject | string): void => {
      if (!response.headersSent)
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          ...(broken('HTTP-XACCEL') ? {} : { 'x-accel-buffering': 'no' }),
          ...minted,
        });
      response.write(data(one));
    };
    await target.receive(text, {
      era: modern ? 'modern' : 'legacy',
      send: (one) => {
        const refused = !response.headersSent && isObject(one) && isObject(one['error']);
        if (streaming && !refused) stream(one);
        else sent.push(one);
      },
    });
    if (response.headersSent) {
      if (!broken('HTTP-SSE-CLOSE')) response.end();
      return;
    }
    const [first] = sent;
    if (!Object.hasOwn(body, 'id') && isObject(message) && typeof body['method'] === 'string')
      return broken('HTTP-NOTIF-202') ? end(200, {}) : first === undefined ? end(202) : end(202, first);
    if (first === undefined) return end(202);
    const code = isObject(first) && isObject(first['error']) ? first['error']['code'] : undefined;
    const status =
      code === undefined
        ? 200
        : code === -32700 || !Object.hasOwn(body, 'id') || typeof body['method'] !== 'string'
          ? 400
          : modern && code === -32601
            ? broken('HTTP-404-METHOD')
              ? 200
              : 404
            : modern && code === -32022
              ? broken('HDR-VERSION-UNSUPPORTED-400')
                ? 200
                : 400
              : modern && broken('META-REQUIRED-400')
                ? 200
                : modern
                  ? 400
                  : 200;
    end(status, sent.length > 1 ? first : first, minted);
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function headerProblem({ headers }: IncomingMessage, body: JsonObject, broken: (stem: string) => boolean): string | undefined {
  const params = isObject(body['params']) ? body['params'] : {};
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  const version = meta['io.modelcontextprotocol/protocolVersion'];
  const given = headers['mcp-protocol-version'];
  if (given === undefined && !broken('HDR-VERSION-REQUIRED')) return 'MCP-Protocol-Version is missing';
  if (given !== undefined && typeof version === 'string' && given !== version && !broken('HDR-VERSION-MATCH'))
    return 'MCP-Protocol-Version does not match';
  if (!Object.hasOwn(body, 'id') || typeof body['method'] !== 'string') return undefined;
  const same = (one: string, other: string): boolean =>
    broken('HDR-VALUE-CASE-SENS') ? one.toLowerCase() === other.toLowerCase() : one === other;
  const method = decoded(headers['mcp-method'], broken);
  if (method === undefined) {
    if (!broken('HDR-METHOD-REQUIRED') || headers['mcp-method'] !== undefined) return 'Mcp-Method is missing';
  } else if (!same(method, body['method']) && !broken('HDR-METHOD-MATCH')) return 'Mcp-Method does not match';
  const field = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' }[body['method']];
  const name = field === undefined ? undefined : params[field];
  if (typeof name !== 'string') return undefined;
  const mirrored = decoded(headers['mcp-name'], broken);
  if (mirrored === undefined)
    return broken('HDR-NAME-REQUIRED') && headers['mcp-name'] === undefined ? undefined : 'Mcp-Name is missing or broken';
  return same(mirrored, name) || broken('HDR-NAME-MATCH') ? undefined : 'Mcp-Name does not match';
}

/** The text of a header; undefined when it is missing or its base64 is broken. */
function decoded(value: string | string[] | undefined, broken: (stem: string) => boolean): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const match = (broken('HDR-BASE64-SENTINEL') ? /^=\?base64\?(.*)\?=$/i : /^=\?base64\?(.*)\?=$/).exec(text);
  if (match === null || broken('HDR-BASE64-DECODE')) return text;
  const inner = match[1] ?? '';
  if (broken('HDR-BASE64-INVALID'))
    return /^[A-Za-z0-9+/]*={0,2}$/.test(inner) && inner !== '/w==' ? Buffer.from(inner, 'base64').toString('utf8') : 'plain';
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(inner)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(inner, 'base64'));
  } catch {
    return undefined;
  }
}

/** Serves stdio with these faults. */
function serveStdio(faults: readonly string[]): void {
  const broken = (stem: string): boolean => faults.includes(stem);
  const server = new ReferenceServer(broken);
  let era: 'legacy' | 'modern' | undefined;
  let rest = Buffer.alloc(0);
  if (broken('STD-STDOUT-PURE')) process.stdout.write('reference server started\n');
  const send = (frame: JsonObject | string): void =>
    void process.stdout.write(`${typeof frame === 'string' ? frame : JSON.stringify(frame, null, broken('STD-NEWLINE') ? 1 : 0)}\n`);
  process.stdin.on('data', (chunk: Buffer) => {
    if (broken('STD-PARTIAL-READ')) {
      for (const line of chunk.toString('utf8').split('\n')) if (line !== '') take(line);
      return;
    }
    rest = Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      const line = rest.subarray(0, at);
      rest = rest.subarray(at + 1);
      if (broken('STD-LARGE') && line.length > 65_536) process.exit(1);
      take(line.toString('utf8'));
    }
  });
  const take = (line: string): void => {
    era ??=
      line.includes('"initialize"') || line.includes('"ping"')
        ? 'legacy'
        : line.includes('io.modelcontextprotocol/protocolVersion')
          ? 'modern'
          : undefined;
    void server.receive(line, { era: era ?? 'legacy', send });
  };
  if (broken('LC-STDIO-EOF')) setInterval(() => {}, 1000);
  else process.stdin.on('end', () => process.exit(0));
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  if (words.includes('--http')) console.log((await serveHttp(words.filter((word) => word !== '--http'))).url);
  else serveStdio(words);
}
