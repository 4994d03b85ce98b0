/**
 * What stands between the suite and the daemon: adds the bearer token the suite cannot send and takes the server's alias off the names
 * (`alias__tool`), since the suite calls its tools by fixed names. Everything else passes as it came, streamed both ways.
 * Without token and alias it is an identity, which the suite itself proves (conformance.test.ts).
 */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Where requests go, and what is changed on the way. */
export interface ProxyOptions {
  /** URL of an MCP endpoint on loopback. */
  readonly target: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** Alias of the server; names gain `alias__` inwards and lose it outwards. */
  readonly alias?: string;
}

/** A running proxy. */
export interface Proxy {
  /** `http://127.0.0.1:PORT/mcp` */
  readonly url: string;
  close(): Promise<void>;
}

type Json = { [key: string]: unknown };

/** Starts one on a free loopback port. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const target = new URL(options.target);
  const names = new Names(options.alias);
  const server = createServer((request, response) => {
    forward(request, response, { target, names, token: options.token }).catch((thrown: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(String(thrown));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { target, names, token }: { readonly target: URL; readonly names: Names; readonly token: string | undefined },
): Promise<void> {
  const own = `:${(request.socket.address() as AddressInfo).port}`;
  const sent = request.method === 'POST' ? await buffer(request) : undefined;
  const inward = sent === undefined ? undefined : names.inward(sent);
  const headers: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [name = '', value = ''] = [request.rawHeaders[index], request.rawHeaders[index + 1]];
    const lower = name.toLowerCase();
    if (lower === 'content-length' || lower === 'transfer-encoding') continue;
    // What names this proxy names the target there; a stranger's host or origin stays a stranger's.
    if (lower === 'host' || lower === 'origin') headers.push(name, value.replace(own, `:${target.port}`));
    else if (lower === 'mcp-name') headers.push(name, names.header(value, inward?.named ?? false));
    else headers.push(name, value);
  }
  if (token !== undefined) headers.push('Authorization', `Bearer ${token}`);
  if (inward !== undefined) headers.push('Content-Length', String(inward.body.length));
  const { hostname, port, pathname: path } = target;
  const upward = send({ hostname, port, path, method: request.method, headers, agent: false });
  response.on('close', () => upward.destroy());
  upward.end(inward?.body);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => upward.on('response', resolve).on('error', reject));
  await backward(answer, response, names);
}

/** Answers as they come: event streams event by event, JSON whole (its length may change). */
async function backward(answer: IncomingMessage, response: ServerResponse, names: Names): Promise<void> {
  const type = answer.headers['content-type'] ?? '';
  const json = type.startsWith('application/json');
  const raw = answer.rawHeaders.flatMap((name, index, all) => {
    const dropped = name.toLowerCase() === 'connection' || (json && /^(content-length|transfer-encoding)$/i.test(name));
    return index % 2 === 1 || dropped ? [] : [name, all[index + 1] ?? ''];
  });
  const body = json ? names.outward(await buffer(answer)) : undefined;
  response.writeHead(answer.statusCode ?? 502, body === undefined ? raw : [...raw, 'Content-Length', String(body.length)]);
  if (body !== undefined) return void response.end(body);
  response.flushHeaders();
  if (!type.startsWith('text/event-stream')) return void answer.pipe(response);
  let rest = '';
  answer.setEncoding('utf8');
  for await (const chunk of answer) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop() ?? '';
    response.write(lines.map((line) => `${names.line(line)}\n`).join(''));
  }
  response.end(rest);
}

/** The names of one server behind an alias. */
class Names {
  readonly #prefix: string;

  constructor(alias: string | undefined) {
    this.#prefix = alias === undefined ? '' : `${alias}__`;
  }

  /** A request body with the exposed names; `named` when a name was in it. What is not JSON stays as it is. */
  inward(body: Buffer): { readonly body: Buffer; readonly named: boolean } {
    const message = parse(body.toString());
    const params = message?.['params'] as Json | undefined;
    const holder = message?.['method'] === 'completion/complete' ? (params?.['ref'] as Json | undefined) : params;
    const method = String(message?.['method']);
    const applies =
      method === 'tools/call' || method === 'prompts/get' || (method === 'completion/complete' && holder?.['type'] === 'ref/prompt');
    if (this.#prefix === '' || !applies || typeof holder?.['name'] !== 'string') return { body, named: applies };
    holder['name'] = this.#prefix + holder['name'];
    return { body: Buffer.from(JSON.stringify(message)), named: true };
  }

  /** `Mcp-Name` of a request whose body has a name (a resource's URI is nobody's alias). */
  header(value: string, named: boolean): string {
    return named ? this.#prefix + value : value;
  }

  /** An answer with the server's own names. */
  outward(body: Buffer): Buffer {
    const text = body.toString();
    const stripped = this.#strip(text);
    return stripped === text ? body : Buffer.from(stripped);
  }

  /** A line of an event stream. */
  line(line: string): string {
    return line.startsWith('data:') ? `data:${this.#strip(line.slice('data:'.length))}` : line;
  }

  /** Written anew only where a list is in it, so that all other answers keep their bytes. */
  #strip(text: string): string {
    if (this.#prefix === '' || !text.includes(this.#prefix)) return text;
    const message = parse(text);
    const result = message?.['result'] as Json | undefined;
    const lists = ['tools', 'prompts'].flatMap((key) => (Array.isArray(result?.[key]) ? [result[key] as Json[]] : []));
    for (const entry of lists.flat())
      if (String(entry['name']).startsWith(this.#prefix)) entry['name'] = String(entry['name']).slice(this.#prefix.length);
    return lists.length === 0 ? text : (text.startsWith(' ') ? ' ' : '') + JSON.stringify(message);
  }
}

function parse(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined; // not ours to judge: the far side answers it
  }
}
