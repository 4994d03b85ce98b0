/**
 * A correct server of both eras over HTTP in another style: every answer is an event stream, answers take a while, lists have pages with
 * opaque cursors, things change and are told, streams can be resumed. `node streaming.ts` prints its URL.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const KEY = randomBytes(16);
const NS = 'io.modelcontextprotocol/';
const INFO = { name: 'streaming', version: '3.1' };
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const OLD = ['2025-11-25', '2025-06-18', '2025-03-26'];

/** A refusal. */
class Refusal extends Error {
  readonly code: number;
  readonly status: number;
  readonly data: unknown;
  constructor(code: number, message: string, status = 400, data?: unknown) {
    super(message);
    this.code = code;
    this.status = status;
    this.data = data;
  }
}

/** A listener: a GET stream of a session, or a `subscriptions/listen`. */
interface Listener {
  readonly modern: { readonly id: unknown; readonly filter: Json } | undefined;
  readonly session: Session | undefined;
  send(message: Json): void;
}
/** A legacy session. */
interface Session {
  readonly subscribed: Set<string>;
  readonly running: Map<unknown, AbortController>;
  readonly events: { readonly stream: string; readonly id: string; readonly text: string }[];
  level: number;
  streams: number;
}
/** What one request runs in. */
interface Turn {
  readonly id: unknown;
  readonly meta: Json;
  readonly modern: boolean;
  readonly session: Session | undefined;
  readonly signal: AbortSignal;
  send(message: Json): void;
}

const notes = new Map<string, string>(
  Array.from({ length: 23 }, (_, index) => [`note-${String(index).padStart(2, '0')}`, `text of note ${index}`]),
);
const listeners = new Set<Listener>();
const sessions = new Map<string, Session>();

const tool = (name: string, properties: Json, more: Json = {}, required: readonly string[] = Object.keys(properties)): Json => ({
  name,
  description: `The tool ${name}`,
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  },
  ...more,
});
const READS = { annotations: { readOnlyHint: true } };
const TOOLS: readonly Json[] = [
  tool('mirror', { text: { type: 'string' } }, READS),
  tool(
    'area',
    { width: { type: 'integer', minimum: 0, maximum: 1000 }, height: { type: 'integer', minimum: 0, maximum: 1000 } },
    {
      ...READS,
      outputSchema: { type: 'object', properties: { area: { type: 'integer' } }, required: ['area'] },
    },
  ),
  tool('travel', { steps: { type: 'integer', minimum: 1, maximum: 5 } }, READS, []),
  tool('add_note', { text: { type: 'string', maxLength: 200 } }, { annotations: { readOnlyHint: false, destructiveHint: false } }),
  tool('edit_first_note', { text: { type: 'string', maxLength: 200 } }, { annotations: { readOnlyHint: false } }),
  tool('header', { city: { type: 'string', pattern: '^[A-Za-z]{1,20}$', 'x-mcp-header': 'City' } }, READS),
  ...Array.from({ length: 12 }, (_, index) => tool(`constant_${index}`, {}, READS)),
];
const PROMPTS: readonly Json[] = [{ name: 'summary', arguments: [{ name: 'of', required: true }] }, { name: 'hello' }];

function seal(list: string, from: number): string {
  const plain = `${list}:${from}`;
  return `${Buffer.from(plain).toString('base64url')}.${createHmac('sha256', KEY).update(plain).digest('base64url').slice(0, 12)}`;
}

function page(list: string, items: readonly unknown[], params: Json, size: number): Json {
  const { cursor } = params;
  let from = 0;
  if (cursor !== undefined) {
    if (typeof cursor !== 'string') throw new Refusal(-32602, 'The cursor is a string');
    const plain = Buffer.from(cursor.split('.')[0] ?? '', 'base64url').toString();
    from = Number(plain.split(':')[1]);
    if (!plain.startsWith(`${list}:`) || seal(list, from) !== cursor) throw new Refusal(-32602, 'No such cursor');
  }
  return { [list]: items.slice(from, from + size), ...(from + size < items.length ? { nextCursor: seal(list, from + size) } : {}) };
}

function tell(kind: 'resourcesListChanged' | 'updated', uri = ''): void {
  const method = kind === 'updated' ? 'notifications/resources/updated' : 'notifications/resources/list_changed';
  const params = kind === 'updated' ? { uri } : {};
  const told = new Set<Session>();
  for (const { modern, session, send } of listeners) {
    if (modern !== undefined) {
      const wanted =
        kind === 'updated' ? (modern.filter['resourceSubscriptions'] as unknown[] | undefined)?.includes(uri) : modern.filter[kind];
      if (wanted === true) send({ method, params: { ...params, _meta: { [`${NS}subscriptionId`]: modern.id } } });
    } else if (session !== undefined && !told.has(session) && (kind !== 'updated' || session.subscribed.has(uri))) {
      told.add(session);
      send({ method, params });
    }
  }
}

async function call(params: Json, turn: Turn): Promise<Json> {
  const definition = TOOLS.find(({ name }) => name === params['name']);
  if (definition === undefined) throw new Refusal(-32602, 'No such tool');
  const args = params['arguments'] ?? {};
  if (!isObject(args)) throw new Refusal(-32602, 'arguments is an object');
  const text = (words: string): Json => ({ content: [{ type: 'text', text: words }] });
  const bad = (words: string): Json => ({ ...text(words), isError: true });
  const { properties, required } = definition['inputSchema'] as { properties: Json; required: string[] };
  const unknown = Object.keys(args).find((key) => !Object.hasOwn(properties, key));
  if (unknown !== undefined) return bad(`There is no argument ${unknown}`);
  const missing = required.find((key) => !Object.hasOwn(args, key));
  if (missing !== undefined) return bad(`${missing} is required`);
  for (const [key, schema] of Object.entries(properties) as [string, Json][]) {
    const value = args[key];
    if (value === undefined) continue;
    if (schema['type'] === 'string' && typeof value !== 'string') return bad(`${key} is a string`);
    if (typeof value === 'string' && [...value].length > Number(schema['maxLength'] ?? 1e9)) return bad(`${key} is too long`);
    if (typeof schema['pattern'] === 'string' && !new RegExp(schema['pattern']).test(String(value))) return bad(`${key} is no name`);
    if (schema['type'] !== 'integer') continue;
    if (!Number.isInteger(value) || Number(value) < Number(schema['minimum']) || Number(value) > Number(schema['maximum']))
      return bad(`${key} is out of range`);
  }
  log(turn, 'info', `calling ${String(definition['name'])}`);
  const words = String(args['text'] ?? '');
  switch (definition['name']) {
    case 'mirror':
      return text(words);
    case 'header':
      return text(String(args['city']));
    case 'area': {
      const structuredContent = { area: Number(args['width']) * Number(args['height']) };
      return { ...text(JSON.stringify(structuredContent)), structuredContent };
    }
    case 'travel':
      return travel(Number(args['steps'] ?? 2), turn, text);
    case 'add_note': {
      const name = `note-${String(notes.size).padStart(2, '0')}`;
      notes.set(name, words);
      tell('resourcesListChanged');
      return text(name);
    }
    case 'edit_first_note':
      notes.set('note-00', `${words} ${randomUUID()}`);
      tell('updated', 'note://all/note-00');
      return text('edited');
    default:
      return text('the same every time');
  }
}

async function travel(steps: number, turn: Turn, text: (words: string) => Json): Promise<Json> {
  const progressToken = turn.meta['progressToken'];
  for (let step = 1; step <= steps; step++) {
    await pause(90, undefined, { signal: turn.signal });
    if (progressToken !== undefined)
      turn.send({
        method: 'notifications/progress',
        params: { progressToken, progress: step / 2, total: steps / 2, message: `step ${step}` },
      });
  }
  return text(`${steps} steps`);
}

function log(turn: Turn, level: string, data: unknown): void {
  const wanted = turn.modern ? turn.meta[`${NS}logLevel`] : LEVELS[turn.session?.level ?? 0];
  if (wanted !== undefined && LEVELS.indexOf(level) >= LEVELS.indexOf(String(wanted)))
    turn.send({ method: 'notifications/message', params: { level, logger: 'calls', data } });
}

function read({ uri }: Json): Json {
  if (typeof uri !== 'string') throw new Refusal(-32602, 'uri is a string');
  const name = /^note:\/\/all\/(note-\d+)$/.exec(uri)?.[1];
  const found = name === undefined ? undefined : notes.get(name);
  if (found === undefined) throw new Refusal(-32602, 'Resource not found', 400, { uri });
  return { contents: [{ uri, mimeType: 'text/plain', text: found }] };
}

function prompt(params: Json): Json {
  const { name } = params;
  const args = params['arguments'] ?? {};
  if (!PROMPTS.some((one) => one['name'] === name) || !isObject(args)) throw new Refusal(-32602, 'No such prompt');
  if (Object.values(args).some((value) => typeof value !== 'string')) throw new Refusal(-32602, 'Arguments are strings');
  if (name === 'summary' && args['of'] === undefined) throw new Refusal(-32602, 'of is required');
  return { messages: [{ role: 'user', content: { type: 'text', text: name === 'hello' ? 'Hello' : `Summarise: ${String(args['of'])}` } }] };
}

function complete({ ref, argument }: Json): Json {
  if (!isObject(ref) || !isObject(argument) || typeof argument['name'] !== 'string' || typeof argument['value'] !== 'string')
    throw new Refusal(-32602, 'ref and argument');
  const known =
    (ref['type'] === 'ref/prompt' && PROMPTS.some(({ name }) => name === ref['name'])) ||
    (ref['type'] === 'ref/resource' && ref['uri'] === 'note://all/{name}');
  if (!known) throw new Refusal(-32602, 'No such reference');
  const values = [...notes.keys()].filter((name) => name.startsWith(String(argument['value']))).slice(0, 100);
  return { completion: { values, total: values.length, hasMore: false } };
}

const cached = new Set(['server/discover', 'tools/list', 'resources/list', 'resources/templates/list', 'resources/read', 'prompts/list']);

async function result(method: string, params: Json, turn: Turn): Promise<Json> {
  const { modern, session } = turn;
  const level = turn.meta[`${NS}logLevel`];
  if (modern && level !== undefined && !LEVELS.includes(String(level))) throw new Refusal(-32602, 'No such level');
  const capabilities = {
    tools: {},
    resources: { listChanged: true, subscribe: true },
    prompts: {},
    logging: {},
    completions: {},
  };
  if (modern && method === 'server/discover') return { supportedVersions: ['2026-07-28'], capabilities };
  if (!modern && method === 'initialize') {
    const asked = params['protocolVersion'];
    if (typeof asked !== 'string') throw new Refusal(-32602, 'protocolVersion is a string');
    return { protocolVersion: OLD.includes(asked) ? asked : OLD[0], capabilities, serverInfo: INFO, instructions: 'Take notes.' };
  }
  if (!modern && method === 'ping') return {};
  if (!modern && session !== undefined && method === 'logging/setLevel') {
    if (!LEVELS.includes(String(params['level']))) throw new Refusal(-32602, 'No such level');
    session.level = LEVELS.indexOf(String(params['level']));
    return {};
  }
  if (!modern && session !== undefined && (method === 'resources/subscribe' || method === 'resources/unsubscribe')) {
    read(params);
    session.subscribed[method.endsWith('unsubscribe') ? 'delete' : 'add'](String(params['uri']));
    return {};
  }
  const resources = [...notes.keys()].map((name) => ({ uri: `note://all/${name}`, name, mimeType: 'text/plain' }));
  switch (method) {
    case 'tools/list':
      return page('tools', TOOLS, params, 7);
    case 'tools/call':
      return call(params, turn);
    case 'resources/list':
      return page('resources', resources, params, 10);
    case 'resources/templates/list':
      return page('resourceTemplates', [{ uriTemplate: 'note://all/{name}', name: 'a note' }], params, 10);
    case 'resources/read':
      return read(params);
    case 'prompts/list':
      return page('prompts', PROMPTS, params, 10);
    case 'prompts/get':
      return prompt(params);
    case 'completion/complete':
      return complete(params);
    default:
      throw new Refusal(-32601, 'Method not found', modern ? 404 : 200);
  }
}

/** The headers of the modern era against the body. */
function checkHeaders({ headers }: IncomingMessage, message: Json, params: Json, meta: Json): void {
  const decoded = (value: string | string[] | undefined): string | undefined => {
    if (typeof value !== 'string') return undefined;
    const inner = /^=\?base64\?(.*)\?=$/.exec(value.trim())?.[1];
    if (inner === undefined) return /^[\x20-\x7e]*$/.test(value) ? value.trim() : undefined;
    const bytes = Buffer.from(inner, 'base64');
    const text = bytes.toString('utf8');
    return bytes.toString('base64') === inner && Buffer.from(text).equals(bytes) ? text : undefined;
  };
  const wrong = (what: string): never => {
    throw new Refusal(-32020, `${what} does not match`);
  };
  if (decoded(headers['mcp-protocol-version']) !== meta[`${NS}protocolVersion`] && meta[`${NS}protocolVersion`] !== undefined)
    wrong('Version');
  if (headers['mcp-protocol-version'] === undefined) wrong('Version');
  if (decoded(headers['mcp-method']) !== message['method']) wrong('Mcp-Method');
  const field = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' }[String(message['method'])];
  if (field !== undefined && typeof params[field] === 'string' && decoded(headers['mcp-name']) !== params[field]) wrong('Mcp-Name');
  const city = isObject(params['arguments']) ? params['arguments']['city'] : undefined;
  if (params['name'] === 'header' && typeof city === 'string' && decoded(headers['mcp-param-city']) !== city) wrong('Mcp-Param-City');
}

function checkEnvelope(meta: Json): void {
  const version = meta[`${NS}protocolVersion`];
  if (typeof version !== 'string') throw new Refusal(-32602, 'protocolVersion is required');
  if (version !== '2026-07-28') throw new Refusal(-32022, 'Unsupported version', 400, { supported: ['2026-07-28'], requested: version });
  if (!isObject(meta[`${NS}clientCapabilities`])) throw new Refusal(-32602, 'clientCapabilities is required');
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const json = (status: number, body: unknown, headers: Record<string, string> = {}): void =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const refuse = (status: number, code: number, message: string, id?: unknown, data?: unknown): void =>
    json(status, {
      jsonrpc: '2.0',
      ...(id === undefined ? {} : { id }),
      error: { code, message, ...(data === undefined ? {} : { data }) },
    });
  const { origin } = request.headers;
  if (origin !== undefined && !/^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(origin)) return refuse(403, -32600, 'Origin');
  const key = request.headers['mcp-session-id'];
  const session = typeof key === 'string' ? sessions.get(key) : undefined;
  const version = request.headers['mcp-protocol-version'];
  const legacyVersion = version === undefined || OLD.includes(String(version));
  if (request.method !== 'POST' && version === '2026-07-28') return void response.writeHead(405, { allow: 'POST' }).end();
  if (request.method === 'DELETE') {
    if (session === undefined) return refuse(404, -32600, 'No such session');
    sessions.delete(String(key));
    return void response.writeHead(204).end();
  }
  if (request.method === 'GET') {
    if (key === undefined) return refuse(400, -32600, 'Which session?');
    if (session === undefined) return refuse(404, -32600, 'No such session');
    return standing(request, response, session);
  }
  if (request.method !== 'POST') return void response.writeHead(405).end();
  let text = '';
  request.setEncoding('utf8');
  for await (const part of request) text += part;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return refuse(400, -32700, 'Parse error');
  }
  if (!isObject(message)) return refuse(400, -32600, 'One message at a time');
  const { id, method } = message;
  const hasId = Object.hasOwn(message, 'id');
  const plainId = typeof id === 'string' || Number.isInteger(id) ? id : undefined;
  if (message['jsonrpc'] !== '2.0') return refuse(400, -32600, 'jsonrpc is 2.0', plainId);
  if (method === undefined && ('result' in message || 'error' in message)) return void response.writeHead(202).end();
  if (typeof method !== 'string' || (hasId && plainId === undefined)) return refuse(400, -32600, 'Invalid request', plainId);
  if (message['params'] !== undefined && !isObject(message['params'])) return refuse(400, -32602, 'params is an object', plainId);
  const params = isObject(message['params']) ? message['params'] : {};
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  const modern = version === '2026-07-28' || Object.hasOwn(meta, `${NS}protocolVersion`);
  if (!modern && !legacyVersion && method !== 'initialize')
    return refuse(400, -32600, `No version ${String(version).slice(0, 40)}`, plainId);
  if (!modern && method !== 'initialize') {
    if (key === undefined) return refuse(400, -32600, 'Which session?', plainId);
    if (session === undefined) return refuse(404, -32600, 'No such session', plainId);
  }
  if (!hasId) {
    if (method === 'notifications/cancelled') session?.running.get(params['requestId'])?.abort();
    return void response.writeHead(202).end();
  }
  await answer(request, response, { message, params, meta, modern, session, method, refuse });
}

/** The standing stream of a session, or the rest of one that was cut. */
function standing(request: IncomingMessage, response: ServerResponse, session: Session): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  const last = request.headers['last-event-id'];
  if (typeof last === 'string') {
    const at = session.events.findIndex((event) => event.id === last);
    const stream = session.events[at]?.stream;
    for (const event of at < 0 ? [] : session.events.slice(at + 1))
      if (event.stream === stream) response.write(`id: ${event.id}\ndata: ${event.text}\n\n`);
    return;
  }
  const listener: Listener = {
    modern: undefined,
    session,
    send: (message) => void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`),
  };
  listeners.add(listener);
  response.on('close', () => listeners.delete(listener));
}

interface Asked {
  readonly message: Json;
  readonly params: Json;
  readonly meta: Json;
  readonly modern: boolean;
  readonly session: Session | undefined;
  readonly method: string;
  refuse(status: number, code: number, message: string, id?: unknown, data?: unknown): void;
}

async function answer(request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> {
  const { message, params, meta, modern, method } = asked;
  let { session } = asked;
  const { id } = message;
  const headers: Record<string, string> = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no', 'cache-control': 'no-cache' };
  const work = new AbortController();
  try {
    if (modern) {
      if (request.headers['mcp-protocol-version'] === meta[`${NS}protocolVersion`]) checkEnvelope(meta);
      checkHeaders(request, message, params, meta);
      checkEnvelope(meta);
      if (method === 'subscriptions/listen') return listen(response, headers, id, params);
    } else if (method === 'initialize') {
      headers['mcp-session-id'] = randomUUID();
      session = { subscribed: new Set(), running: new Map(), events: [], level: 0, streams: 0 };
    }
    const stream = String(session === undefined ? 0 : ++session.streams);
    let open = false;
    let count = 0;
    const write = (one: Json): void => {
      if (!open) response.writeHead(200, headers);
      open = true;
      const text = JSON.stringify({ jsonrpc: '2.0', ...one });
      const event = { stream, id: `${stream}-${++count}`, text };
      session?.events.push(event);
      // a multi-line event now and then: the format allows it
      response.write(`: still here\n${modern ? '' : `id: ${event.id}\n`}data: ${text}\n\n`);
    };
    if (modern) response.on('close', () => work.abort());
    else session?.running.set(id, work);
    await pause(2);
    const made = await result(method, params, { id, meta, modern, session, signal: work.signal, send: write });
    const whole = modern
      ? {
          resultType: 'complete',
          ...(cached.has(method) ? { ttlMs: 0, cacheScope: 'private' } : {}),
          ...made,
          _meta: { [`${NS}serverInfo`]: INFO },
        }
      : made;
    if (headers['mcp-session-id'] !== undefined && session !== undefined) sessions.set(headers['mcp-session-id'], session);
    write({ id, result: whole });
    response.end();
  } catch (error) {
    // a cancelled request has no answer
    if (work.signal.aborted) return void response.end();
    const known = error instanceof Refusal ? error : new Refusal(-32603, 'Internal error', 500);
    const body = {
      jsonrpc: '2.0',
      id,
      error: { code: known.code, message: known.message, ...(known.data === undefined ? {} : { data: known.data }) },
    };
    if (response.headersSent) return void response.end(`data: ${JSON.stringify(body)}\n\n`);
    asked.refuse(modern ? known.status : 200, known.code, known.message, id, known.data);
  } finally {
    session?.running.delete(id);
  }
}

function listen(response: ServerResponse, headers: Record<string, string>, id: unknown, params: Json): void {
  const filter = params['notifications'];
  if (!isObject(filter)) throw new Refusal(-32602, 'notifications is an object');
  response.writeHead(200, headers);
  const send = (message: Json): void => void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
  const granted: Json = {};
  if (filter['resourcesListChanged'] === true) granted['resourcesListChanged'] = true;
  if (Array.isArray(filter['resourceSubscriptions'])) granted['resourceSubscriptions'] = filter['resourceSubscriptions'];
  send({ method: 'notifications/subscriptions/acknowledged', params: { notifications: granted, _meta: { [`${NS}subscriptionId`]: id } } });
  const listener: Listener = { modern: { id, filter: granted }, session: undefined, send };
  listeners.add(listener);
  response.on('close', () => listeners.delete(listener));
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
