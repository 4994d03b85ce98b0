/**
 * A small server of both eras written without any SDK, correct by itself, with one switch for each fault: what the properties are
 * measured against. `broken(NAME)` is true when the requirement of that stem is to be broken.
 */
import { isObject, type JsonObject } from '../../../daemon/protocol/message.ts';

/** Where the server's messages for one exchange go. */
export interface Peer {
  readonly era: 'legacy' | 'modern';
  /** Sends a message, or a text as it is. */
  send(message: JsonObject | string): void;
}
type Broken = (stem: string) => boolean;

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const VERSION = 'io.modelcontextprotocol/protocolVersion';
const CAPS = 'io.modelcontextprotocol/clientCapabilities';
const LEVEL = 'io.modelcontextprotocol/logLevel';
const INFO = { name: 'reference', version: '1.0.0' };
const IMAGE = 'iVBORw0KGgo=';
const object = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

function tools(broken: Broken): JsonObject[] {
  const hints = { readOnlyHint: true };
  const list: JsonObject[] = [
    { name: 'echo', description: 'Gives its text back', inputSchema: object({ text: { type: 'string' } }, ['text']), annotations: hints },
    {
      name: 'add',
      description: 'Adds',
      inputSchema: object({ a: { type: 'integer', minimum: 0, maximum: 100 }, b: { type: 'integer' }, mode: { enum: ['plain', 'loud'] } }, [
        'a',
        'b',
      ]),
      outputSchema: { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'] },
      annotations: { ...hints, idempotentHint: true },
    },
    { name: 'picture', description: 'Every kind of content', inputSchema: object({}), annotations: hints },
    { name: 'slow', description: 'Takes its time', inputSchema: object({}), annotations: hints },
  ];
  const [first = {}] = list;
  if (broken('TOOL-INPUTSCHEMA-OBJECT')) first['inputSchema'] = { type: 'string' };
  if (broken('TOOL-NAME-CHARS')) list.push({ ...first, name: 'a tool, with spaces' });
  if (broken('TOOL-NAME-LEN')) list.push({ ...first, name: 'x'.repeat(129) });
  if (broken('TOOL-NAME-UNIQUE')) list.push({ ...first });
  if (broken('TOOL-ANNOT-BOOL')) list.push({ ...first, name: 'hinted', annotations: { readOnlyHint: 'yes' } });
  if (broken('TOOL-ICONS')) list.push({ ...first, name: 'iconic', icons: [{ src: 'javascript:alert(1)' }] });
  if (broken('TOOL-OUTPUTSCHEMA-VALID')) list.push({ ...first, name: 'odd', outputSchema: { type: 'nonsense' } });
  if (broken('RPC-SCHEMA-DIALECT'))
    list.push({ ...first, name: 'pattern', inputSchema: { type: 'object', properties: { a: { minimum: 'zero' } } } });
  if (broken('RPC-SCHEMA-RESULT')) first['description'] = 7;
  if (broken('TOOL-XHDR-NONEMPTY')) list.push({ ...first, name: 'h1', inputSchema: object({ a: { type: 'string', 'x-mcp-header': '' } }) });
  if (broken('TOOL-XHDR-TOKEN')) list.push({ ...first, name: 'h2', inputSchema: object({ a: { type: 'string', 'x-mcp-header': 'a b' } }) });
  if (broken('TOOL-XHDR-PRIMITIVE'))
    list.push({ ...first, name: 'h3', inputSchema: object({ a: { type: 'number', 'x-mcp-header': 'A' } }) });
  if (broken('TOOL-XHDR-UNIQUE'))
    list.push({
      ...first,
      name: 'h4',
      inputSchema: object({ a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } }),
    });
  if (broken('TOOL-XHDR-REACHABLE'))
    list.push({ ...first, name: 'h5', inputSchema: object({ a: { type: 'array', items: { type: 'string', 'x-mcp-header': 'A' } } }) });
  return list;
}

const RESOURCES: readonly JsonObject[] = Array.from({ length: 5 }, (_, index) => ({
  uri: `ref://item/${index}`,
  name: `item ${index}`,
  mimeType: index === 4 ? 'image/png' : 'text/plain',
}));
const PROMPTS: readonly JsonObject[] = [
  { name: 'plain' },
  { name: 'greet', arguments: [{ name: 'who', required: true }, { name: 'tone' }] },
];

/** One server; `stateful` things live as long as it does. */
export class ReferenceServer {
  readonly #broken: Broken;
  #calls = 0;
  #logLevel = 'debug';
  #sticky = false;
  readonly #cancelled = new Set<unknown>();
  readonly #running = new Set<string>();
  #lastText = '';

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  /** Takes one text of the wire. */
  async receive(text: string, peer: Peer): Promise<void> {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      if (this.#broken('ROB-NO-CRASH')) process.exit(1);
      if (this.#broken('RPC-SURVIVE-GARBAGE')) this.#dead = true;
      if (this.#broken('RPC-PARSE-ERROR')) return this.#fail(peer, null, -32600, 'not JSON');
      return this.#fail(peer, null, -32700, 'Parse error');
    }
    if (this.#dead) return;
    if (Array.isArray(message) && this.#broken('RPC-NO-BATCH')) {
      for (const one of message) await this.#take(one as JsonObject, peer);
      return;
    }
    if (!isObject(message)) return this.#fail(peer, null, -32600, 'Invalid request');
    await this.#take(message, peer);
  }
  #dead = false;

  async #take(message: JsonObject, peer: Peer): Promise<void> {
    const { id, method, params } = message;
    const valid =
      (message['jsonrpc'] === '2.0' || this.#broken('RPC-INVALID-REQUEST')) &&
      typeof method === 'string' &&
      (params === undefined || isObject(params));
    if (!Object.hasOwn(message, 'id')) {
      if (!valid) return this.#fail(peer, null, -32600, 'Invalid request');
      if (method === 'notifications/cancelled' && isObject(params)) this.#cancelled.add(params['requestId']);
      if (this.#broken('RPC-NO-REPLY-NOTIF') && method !== 'notifications/initialized') peer.send({ jsonrpc: '2.0', id: null, result: {} });
      if (this.#broken('CAN-UNKNOWN-IGNORED') && method === 'notifications/cancelled')
        peer.send({ jsonrpc: '2.0', id: null, error: { code: -32602, message: 'no such request' } });
      return;
    }
    if (Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')) return;
    const goodId = typeof id === 'string' || Number.isInteger(id) || (id === null && this.#broken('RPC-ID-NULL-REJECT'));
    if (!goodId) return this.#fail(peer, null, -32600, 'Invalid request');
    if (!valid) return this.#fail(peer, id, -32600, 'Invalid request');
    await this.#answer(peer, id, String(method), isObject(params) ? params : {});
  }

  #fail(peer: Peer, id: unknown, code: number, text: string, data?: unknown): void {
    const b = this.#broken;
    const error: JsonObject = { code, message: text, ...(data === undefined ? {} : { data }) };
    if (b('RPC-ERR-SHAPE')) delete error['message'];
    if (b('RPC-ERR-CODE-INT')) error['code'] = String(code);
    if (b('RPC-ERR-CONCISE') || b('ROB-NO-LEAK'))
      error['message'] = `${text}\n    at handler (/srv/app/server.js:12:5)\n    at run (/srv/app/server.js:40:1)`;
    if (b('ERR-RESERVED') && code === -32602) error['code'] = -32050;
    if (b('ERR-RETIRED') && code === -32602) error['code'] = -32002;
    if (b('ERR-LEGACY-RANGE') && code === -32602) error['code'] = -32001;
    const answer: JsonObject = {
      jsonrpc: b('RPC-VERSION') ? '1.0' : '2.0',
      id: b('RPC-ERR-ID') && id !== null ? String(id) + 1 : id,
      error,
    };
    if (b('RPC-RESULT-XOR-ERROR')) answer['result'] = {};
    peer.send(answer);
  }

  async #answer(peer: Peer, id: unknown, method: string, params: JsonObject): Promise<void> {
    const b = this.#broken;
    const meta = isObject(params['_meta']) ? params['_meta'] : {};
    try {
      if (peer.era === 'modern') checkEnvelope(meta, b);
      else if (b('RPC-META-TOLERATE') && Object.keys(meta).some((key) => key.startsWith('com.example/')))
        throw new Refusal(-32602, 'unknown key');
      const result = await this.#result(peer, id, method, params, meta);
      if (result === undefined) return;
      const whole = peer.era === 'modern' ? modern(result, method, b) : result;
      if (b('RPC-META-KEYS')) whole['_meta'] = { ...(whole['_meta'] as object | undefined), '-bad key-/': 1 };
      const answer: JsonObject = {
        jsonrpc: '2.0',
        id: b('RPC-ID-ECHO') && typeof id === 'number' ? String(id) : id,
        result: b('RPC-RESULT-FIELD') && method === 'ping' ? [] : b('RPC-RESULT-FIELD') && method === 'tools/list' ? 'text' : whole,
      };
      peer.send(answer);
      if (b('RPC-ONE-RESPONSE') && (method.endsWith('/list') || method === 'tools/call')) peer.send(answer);
    } catch (error) {
      if (error instanceof Refusal) this.#fail(peer, id, error.code, error.message, error.data);
      else this.#fail(peer, id, -32603, 'Internal error');
    }
  }

  async #result(peer: Peer, id: unknown, method: string, params: JsonObject, meta: JsonObject): Promise<JsonObject | undefined> {
    const b = this.#broken;
    const capabilities: JsonObject = {
      tools: { listChanged: b('LC-CAP-SHAPE') ? 'yes' : false },
      resources: { subscribe: true },
      prompts: {},
      logging: {},
      completions: {},
    };
    for (const [stem, name] of [
      ['TOOL-CAP', 'tools'],
      ['RES-CAP', 'resources'],
      ['PRM-CAP', 'prompts'],
      ['LOG-CAP', 'logging'],
      ['CMP-CAP', 'completions'],
    ] as const)
      if (b(stem)) delete capabilities[name];
    if (method === 'initialize' && peer.era === 'legacy') {
      const asked = params['protocolVersion'];
      const version =
        LEGACY.includes(String(asked)) && !b('LC-VERSION-ECHO')
          ? asked
          : b('LC-VERSION-FALLBACK')
            ? asked
            : b('LC-VERSION-LATEST')
              ? LEGACY[1]
              : b('LC-VERSION-ECHO')
                ? asked === LEGACY[0]
                  ? LEGACY[1]
                  : LEGACY[0]
                : LEGACY[0];
      if (b('LC-NO-EARLY-REQ')) peer.send({ jsonrpc: '2.0', id: 's1', method: 'roots/list' });
      return {
        protocolVersion: version,
        capabilities,
        ...(b('LC-INIT-RESPOND') ? {} : { serverInfo: INFO }),
        ...(b('LC-INSTRUCTIONS-STRING') ? { instructions: 7 } : {}),
      };
    }
    if (method === 'server/discover' && peer.era === 'modern')
      return {
        supportedVersions: b('DIS-SHAPE') ? ['2099-01-01'] : ['2026-07-28'],
        capabilities,
        ...(b('LC-INSTRUCTIONS-STRING') ? { instructions: 7 } : {}),
      };
    if (method === 'ping' && peer.era === 'legacy') {
      if (b('LC-PING-PROMPT') && this.#running.size > 0) await new Promise((done) => setTimeout(done, 900));
      return b('LC-PING') ? { pong: true } : {};
    }
    if (method === 'tools/list') {
      this.#calls++;
      let list = tools(b);
      if (b('TOOL-ORDER') && this.#calls % 2 === 0) list = list.reverse();
      if ((b('STL-NO-PRIOR') || b('TOOL-LIST-NO-VARY') || b('ROB-DETERMINISM')) && this.#calls > 2) list = list.slice(0, -1);
      if (b('TOOL-LIST-SERVED')) return { nothing: [] };
      return this.#page(list, 'tools', params, 100);
    }
    if (method === 'tools/call') return this.#call(peer, id, params, meta);
    if (method === 'resources/list')
      return b('RES-LIST-SERVED')
        ? { nothing: [] }
        : this.#page(
            b('RES-URI-VALID')
              ? [...RESOURCES, { uri: 'not a uri', name: 'x' }]
              : b('RES-URI-UNIQUE')
                ? [...RESOURCES, RESOURCES[0] as JsonObject]
                : [...RESOURCES],
            'resources',
            params,
            2,
          );
    if (method === 'resources/templates/list')
      return this.#page(
        [{ uriTemplate: b('RES-TEMPLATE-VALID') ? 'ref://item/{id' : 'ref://item/{id}', name: 'item' }],
        'resourceTemplates',
        params,
        100,
      );
    if (method === 'resources/read') return this.#read(params);
    if ((method === 'resources/subscribe' || method === 'resources/unsubscribe') && peer.era === 'legacy') {
      if (b('RES-SUBSCRIBE') && method.endsWith('unsubscribe')) throw new Refusal(-32603, 'not subscribed');
      if (b('RES-UPDATED-ONLY-SUB'))
        peer.send({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'ref://item/3' } });
      return {};
    }
    if (method === 'prompts/list')
      return b('PRM-LIST-SERVED')
        ? { nothing: [] }
        : this.#page(b('PRM-NAME-UNIQUE') ? [...PROMPTS, PROMPTS[0] as JsonObject] : [...PROMPTS], 'prompts', params, 100);
    if (method === 'prompts/get') return this.#prompt(params);
    if (method === 'completion/complete') return this.#complete(params);
    if (method === 'logging/setLevel' && peer.era === 'legacy') {
      if (!LEVELS.includes(String(params['level'])) && !b('LOG-INVALID-LEVEL')) throw new Refusal(-32602, 'Invalid level');
      if (b('LOG-SETLEVEL') && params['level'] === 'alert') throw new Refusal(-32602, 'Invalid level');
      if (!b('LOG-FILTER')) this.#logLevel = String(params['level']);
      return {};
    }
    throw new Refusal(b('RPC-METHOD-NOT-FOUND') ? -32600 : -32601, 'Method not found');
  }

  #page(items: JsonObject[], key: string, params: JsonObject, size: number): JsonObject {
    const b = this.#broken;
    const { cursor } = params;
    if (cursor !== undefined && typeof cursor !== 'string') throw new Refusal(b('RPC-INVALID-PARAMS') ? -32600 : -32602, 'Invalid cursor');
    const match = typeof cursor === 'string' ? new RegExp(`^${key}@(\\d+)#$`).exec(cursor) : null;
    if (cursor !== undefined && match === null && b('PAG-INVALID-GRACEFUL')) throw new Refusal(-32603, 'Internal error');
    if (cursor !== undefined && match === null && !b('PAG-INVALID')) throw new Refusal(-32602, 'Invalid cursor');
    const from = Number(match?.[1] ?? 0);
    const step = b('PAG-PARTITION') && from > 0 ? from - 1 : b('PAG-STABLE') && from > 0 ? from + (this.#calls++ % 2) : from;
    const page = items.slice(step, from + size);
    const more = from + size < items.length;
    const next =
      b('PAG-TERMINATES') && items.length > size
        ? `${key}@0#`
        : more
          ? `${key}@${from + size}#`
          : b('PAG-CURSOR-STRING')
            ? null
            : undefined;
    return {
      [key]: page,
      ...(next === undefined ? {} : { nextCursor: next }),
      ...(b('CCH-PAGES') && from > 0 ? { cacheScope: 'public' } : {}),
    };
  }

  async #call(peer: Peer, id: unknown, params: JsonObject, meta: JsonObject): Promise<JsonObject | undefined> {
    const b = this.#broken;
    if (typeof params['name'] !== 'string') throw new Refusal(b('RPC-INVALID-PARAMS') ? -32600 : -32602, 'Invalid params');
    const wanted = b('TOOL-NAME-CASE') ? params['name'].toLowerCase() : params['name'];
    const tool = tools(b).find(({ name }) => name === wanted);
    if (tool === undefined) {
      if (b('TOOL-UNKNOWN')) return { content: [{ type: 'text', text: 'unknown' }], isError: true };
      throw new Refusal(b('TOOL-UNKNOWN-CODE') ? -32601 : -32602, 'Unknown tool');
    }
    const args = params['arguments'] ?? {};
    if (!isObject(args)) throw new Refusal(-32602, 'Invalid arguments');
    const level = meta[LEVEL];
    if (peer.era === 'modern' && level !== undefined && !LEVELS.includes(String(level)) && !b('LOG-INVALID-LEVEL'))
      throw new Refusal(-32602, 'Invalid logLevel');
    if (level !== undefined) this.#sticky = true;
    const problem = this.#invalid(String(tool['name']), args, params['arguments'] === undefined);
    if (problem !== undefined) return { content: [{ type: 'text', text: problem }], isError: true };
    this.#log(peer, level);
    if (b('PAT-NO-SERVER-REQ') || b('SMP-CAP'))
      peer.send({ jsonrpc: '2.0', id: `s${++this.#calls}`, method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } });
    if (b('SRV-REQ-ID')) peer.send({ jsonrpc: '2.0', id: 'same', method: 'ping' });
    if (b('RPC-NOTIF-NO-ID'))
      peer.send({ jsonrpc: '2.0', id: 5, method: 'notifications/message', params: { level: 'emergency', data: 'x' } });
    if (b('TOOL-LISTCHANGED-CAP')) peer.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    if (b('RPC-SCHEMA-NOTIF')) peer.send({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'loud' } });
    const text = typeof args['text'] === 'string' ? args['text'] : '';
    switch (tool['name']) {
      case 'echo': {
        const shownText =
          b('RPC-CONCURRENT-MATCH') || b('ROB-ISOLATION')
            ? await this.#mixed(text)
            : b('RPC-UTF8')
              ? text.replaceAll(/[^\u0000-\u007f]/g, '?')
              : text;
        if (b('TOOL-RESULT-CONTENT')) return { content: shownText };
        if (b('TOOL-EXEC-ERROR')) throw new Refusal(-32603, 'it failed');
        return { content: [{ type: b('TOOL-CONTENT-TYPE') ? 'words' : 'text', text: shownText }] };
      }
      case 'add': {
        const sum = Number(args['a']) + Number(args['b']);
        const structured: unknown = b('TOOL-STRUCTURED-CONFORMS') && Number(args['a']) === 0 ? { sum: 'none' } : { sum };
        return {
          content: [{ type: 'text', text: b('TOOL-STRUCTURED-TEXT') ? 'done' : JSON.stringify(structured) }],
          ...(b('TOOL-STRUCTURED-PRESENT') ? {} : { structuredContent: structured }),
        };
      }
      case 'picture':
        return { content: pictures(b) };
      default:
        return this.#slow(peer, id, meta);
    }
  }

  /** What is wrong with the arguments of a tool. */
  #invalid(name: string, args: JsonObject, omitted: boolean): string | undefined {
    const b = this.#broken;
    if (omitted && b('TOOL-ARGS-OMITTED') && name === 'picture') return 'arguments is required';
    if (b('TOOL-INPUT-VALIDATE') && name === 'add')
      return typeof args['a'] === 'number' && args['b'] !== undefined && Number(args['a']) <= 101 ? undefined : 'invalid';
    const keys: Readonly<Record<string, readonly string[]>> = { echo: ['text'], add: ['a', 'b', 'mode'], picture: [], slow: [] };
    if (Object.keys(args).some((key) => keys[name]?.includes(key) !== true)) return 'unknown argument';
    if (name === 'echo' && typeof args['text'] !== 'string') return 'text is a string';
    if (name !== 'add') return undefined;
    const { a, b: second, mode } = args;
    if (!Number.isInteger(a) || Number(a) < 0 || Number(a) > 100 || !Number.isInteger(second)) return 'a and b are integers';
    if (mode !== undefined && mode !== 'plain' && mode !== 'loud') return 'mode is plain or loud';
    return b('TOOL-INPUT-ACCEPT') && a === 100 ? refuse() : undefined;
  }

  /** Answers that stand in each other's way: the text of whoever came last. */
  async #mixed(text: string): Promise<string> {
    this.#lastText = text;
    await new Promise((done) => setTimeout(done, 10));
    return this.#lastText;
  }

  #log(peer: Peer, level: unknown): void {
    const b = this.#broken;
    const send = (what: string): void =>
      peer.send({
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: b('LOG-LEVEL-ENUM') ? 'loud' : what, data: b('LOG-NO-SECRETS') ? 'password=hunter2secret' : 'working' },
      });
    if (peer.era === 'legacy') {
      if (LEVELS.indexOf('info') >= LEVELS.indexOf(this.#logLevel)) send('info');
      return;
    }
    const wanted = level ?? (b('LOG-OPT-IN') ? 'debug' : b('LOG-NOT-STICKY') && this.#sticky ? 'debug' : undefined);
    if (wanted !== undefined && (b('LOG-AT-OR-ABOVE') || LEVELS.indexOf('info') >= LEVELS.indexOf(String(wanted)))) send('info');
  }

  async #slow(peer: Peer, id: unknown, meta: JsonObject): Promise<JsonObject | undefined> {
    const b = this.#broken;
    const token = meta['progressToken'];
    const key = JSON.stringify(id);
    this.#running.add(key);
    const tell = (progress: unknown, given: unknown = token): void =>
      peer.send({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: b('PROG-TOKEN-TYPES') ? String(given) : given, progress, total: 3 },
      });
    for (let step = 1; step <= 3; step++) {
      await new Promise((done) => setTimeout(done, 110));
      if (this.#cancelled.has(id) && !b('CAN-NO-RESPONSE') && !b('CAN-NO-MESSAGES')) {
        this.#running.delete(key);
        return undefined;
      }
      if (this.#cancelled.size > 0 && b('CAN-ISOLATED')) return undefined;
      if (token !== undefined) tell(b('PROG-INCREASE') ? 1 : b('PROG-SHAPE') ? String(step) : step);
      else if (b('PROG-TOKEN')) tell(step, 'invented');
    }
    if (this.#cancelled.has(id) && b('CAN-NO-MESSAGES')) return undefined;
    this.#running.delete(key);
    if (b('PROG-STOP') && token !== undefined) setTimeout(() => tell(4), 20);
    return { content: [{ type: 'text', text: 'done' }] };
  }

  #read({ uri }: JsonObject): JsonObject {
    const b = this.#broken;
    if (typeof uri !== 'string') throw new Refusal(b('RPC-INVALID-PARAMS') ? -32600 : -32602, 'Invalid params');
    if (b('RES-TRAVERSAL') && uri.includes('..')) return { contents: [{ uri, text: 'root:x:0:0:root:/root:/bin/bash' }] };
    if (b('RES-URI-VALIDATE') && !URL.canParse(uri)) return { contents: [{ uri: 'ref://item/0', text: 'anything' }] };
    const found = RESOURCES.find((one) => one['uri'] === uri);
    if (found === undefined || (b('RES-LISTED-READABLE') && uri.endsWith('3'))) {
      if (b('RES-NOT-FOUND-EMPTY')) return { contents: [] };
      throw new Refusal(b('RES-NOT-FOUND') ? -32603 : -32602, 'Resource not found');
    }
    if (b('RES-READ-SHAPE')) return { contents: [{ uri, text: 'a', blob: IMAGE }] };
    if (uri.endsWith('4')) return { contents: [{ uri, mimeType: 'image/png', blob: b('RES-BINARY') ? 'not base64!' : IMAGE }] };
    return { contents: [{ uri, mimeType: 'text/plain', text: `item ${uri}` }] };
  }

  #prompt({ name, arguments: given }: JsonObject): JsonObject {
    const b = this.#broken;
    if (typeof name !== 'string') throw new Refusal(b('RPC-INVALID-PARAMS') ? -32600 : -32602, 'Invalid params');
    const found = PROMPTS.find((one) => one['name'] === name);
    if (found === undefined) throw new Refusal(b('PRM-UNKNOWN') ? -32603 : -32602, 'Unknown prompt');
    const args = isObject(given) ? given : {};
    if (name === 'greet' && args['who'] === undefined && !b('PRM-MISSING-ARG')) throw new Refusal(-32602, 'who is required');
    if (Object.values(args).some((value) => typeof value !== 'string') && !b('PRM-VALIDATE'))
      throw new Refusal(-32602, 'arguments are strings');
    if (b('PRM-ACCEPT') && args['who'] === '') throw new Refusal(-32603, 'Internal error');
    const content = { type: 'text', text: `Hello ${String(args['who'] ?? '')}` };
    const messages: JsonObject[] = [{ role: b('PRM-MESSAGES') ? 'system' : 'user', content }];
    if (b('PRM-INJECTION') && String(args['who']).includes('"role"')) messages.push({ role: 'assistant', content });
    return { messages };
  }

  #complete({ ref, argument }: JsonObject): JsonObject {
    const b = this.#broken;
    if (!isObject(argument) || typeof argument['name'] !== 'string' || !isObject(ref))
      throw new Refusal(b('CMP-MISSING-ARG') ? -32603 : -32602, 'Invalid params');
    if (argument['value'] === undefined && !b('CMP-MISSING-ARG')) throw new Refusal(-32602, 'value is required');
    if (typeof argument['value'] !== 'string' && !b('CMP-VALIDATE')) throw new Refusal(-32602, 'value is a string');
    const known =
      (ref['type'] === 'ref/prompt' && PROMPTS.some((one) => one['name'] === ref['name'])) ||
      (ref['type'] === 'ref/resource' && ref['uri'] === 'ref://item/{id}');
    if (!known && !b('CMP-INVALID-REF')) throw new Refusal(-32602, 'Unknown reference');
    const all = Array.from({ length: 120 }, (_, index) => (b('CMP-VALUES-STRING') ? index : `value-${index}`));
    const values = b('CMP-MAX100') ? all : all.slice(0, 100);
    return { completion: { values, total: b('CMP-TOTAL') ? 3 : 120, hasMore: true } };
  }
}

/** A refusal as a JSON-RPC error. */
class Refusal extends Error {
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

function refuse(): never {
  throw new Refusal(-32602, 'out of range');
}

function checkEnvelope(meta: JsonObject, b: Broken): void {
  const version = meta[VERSION];
  if (typeof version !== 'string') {
    if (!b('META-REQUIRED')) throw new Refusal(-32602, 'protocolVersion is required');
  } else if (version !== '2026-07-28' && !b('VER-UNSUPPORTED'))
    throw new Refusal(-32022, 'Unsupported protocol version', { supported: b('VER-ERR-DATA') ? [] : ['2026-07-28'], requested: version });
  if (!isObject(meta[CAPS]) && !b('META-REQUIRED')) throw new Refusal(-32602, 'clientCapabilities is required');
  if (b('META-CLIENTINFO-OPTIONAL') && meta['io.modelcontextprotocol/clientInfo'] === undefined)
    throw new Refusal(-32602, 'clientInfo is required');
  if (b('RPC-META-TOLERATE') && Object.keys(meta).some((key) => key.startsWith('com.example/'))) throw new Refusal(-32602, 'unknown key');
}

function modern(result: JsonObject, method: string, b: Broken): JsonObject {
  const cached = ['server/discover', 'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'resources/read'].includes(
    method,
  );
  const hints = cached && !b('CCH-HINTS') ? { ttlMs: b('CCH-TTL') ? -1 : 0, cacheScope: b('CCH-SCOPE') ? 'shared' : 'private' } : {};
  return {
    ...(b('RT-PRESENT') ? {} : { resultType: b('RT-KNOWN') ? 'finished' : 'complete' }),
    ...hints,
    ...result,
    ...(b('DIS-SERVERINFO') ? {} : { _meta: { 'io.modelcontextprotocol/serverInfo': INFO } }),
  };
}

function pictures(b: Broken): JsonObject[] {
  return [
    { type: 'image', data: b('CNT-BASE64') ? '***' : IMAGE, ...(b('CNT-MIME') ? { mimeType: 'png' } : { mimeType: 'image/png' }) },
    {
      type: 'text',
      text: 'a',
      annotations: {
        priority: b('CNT-ANNOT-PRIORITY') ? 3 : 0.5,
        audience: [b('CNT-ANNOT-AUDIENCE') ? 'robot' : 'user'],
        lastModified: b('CNT-ANNOT-MODIFIED') ? 'yesterday' : '2026-01-01T00:00:00Z',
      },
    },
    { type: 'resource', resource: { uri: 'ref://item/0', mimeType: 'text/plain', ...(b('CNT-EMBED-MEMBERS') ? {} : { text: 'item' }) } },
    { type: 'resource_link', uri: 'ref://item/1', ...(b('CNT-RESLINK') ? {} : { name: 'item 1' }) },
  ];
}
