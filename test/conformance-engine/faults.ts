/** An object of JSON. */
export type Json = Record<string, unknown>;
/** One fault: takes what the server (or the client) says and gives what is passed on. */
export interface Fault {
  /** Requirements of which one has to be named. */
  readonly breaks: readonly string[];
  /** From the server; may give several messages, texts as they are, or none. */
  out?(message: Json, context: Context): readonly (Json | string)[];
  /** From the client. */
  in?(message: Json, context: Context): readonly (Json | string)[];
  /** Raw lines of the client, before they are parsed. */
  line?(text: string, context: Context): string | undefined;
}
/** What a fault may know and do. */
export interface Context {
  /** Method by id of what was asked. */
  readonly asked: Map<string, Json>;
  readonly memory: Json;
  /** Says something to the client at another time. */
  say(message: Json | string): void;
  exit(): void;
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const methodOf = (message: Json, { asked }: Context): string => String(asked.get(JSON.stringify(message['id']))?.['method'] ?? '');
const paramsOf = (message: Json, { asked }: Context): Json => {
  const params = asked.get(JSON.stringify(message['id']))?.['params'];
  return isObject(params) ? params : {};
};
const resultOf = (message: Json): Json | undefined => (isObject(message['result']) ? message['result'] : undefined);
const onResult =
  (method: string, change: (result: Json, message: Json, context: Context) => Json) =>
  (message: Json, context: Context): readonly Json[] => {
    const result = resultOf(message);
    return result === undefined || methodOf(message, context) !== method
      ? [message]
      : [{ ...message, result: change(result, message, context) }];
  };
const mapText = (change: (text: string) => string) =>
  onResult('tools/call', (result) => ({
    ...result,
    content: (result['content'] as Json[]).map((block) =>
      typeof block['text'] === 'string' ? { ...block, text: change(block['text']) } : block,
    ),
  }));
const onError =
  (test: (code: number, message: Json, context: Context) => boolean, change: (error: Json) => Json) =>
  (message: Json, context: Context): readonly Json[] => {
    const error = message['error'];
    return isObject(error) && test(Number(error['code']), message, context) ? [{ ...message, error: change(error) }] : [message];
  };

/** Faults for any server; `legacy` and `modern` below need what is theirs. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'numeric ids become numbers': {
    breaks: ['RPC-ID-ECHO', 'RPC-ERR-ID'],
    out: (message) => [
      typeof message['id'] === 'string' && /^\d+$/.test(message['id']) ? { ...message, id: Number(message['id']) } : message,
    ],
  },
  'large ids lose digits': {
    breaks: ['RPC-ID-ECHO', 'RPC-ERR-ID'],
    out: (message) => [
      typeof message['id'] === 'number' && message['id'] > 2 ** 40 ? { ...message, id: message['id'] % 2 ** 32 } : message,
    ],
  },
  'the empty id is dropped': {
    breaks: ['RPC-ID-ECHO', 'RPC-ERR-ID', 'RPC-ONE-RESPONSE'],
    out: (message) => [message['id'] === '' ? { ...message, id: null } : message],
  },
  'a list is answered twice, later': {
    breaks: ['RPC-ONE-RESPONSE'],
    out: (message, context) => {
      if (methodOf(message, context) === 'tools/list') setTimeout(() => context.say(message), 60);
      return [message];
    },
  },
  'unknown methods with a slash at the end are served': {
    breaks: ['RPC-METHOD-NOT-FOUND'],
    in: (message) => [message['method'] === 'tools/list/' ? { ...message, method: 'tools/list' } : message],
  },
  'unknown methods are an invalid request': {
    breaks: ['RPC-METHOD-NOT-FOUND'],
    out: onError(
      (code) => code === -32601,
      (error) => ({ ...error, code: -32600 }),
    ),
  },
  'error codes are texts for unknown tools': {
    breaks: ['RPC-ERR-CODE-INT'],
    out: (message, context) => {
      const bad = methodOf(message, context) === 'tools/call' && (isObject(message['error']) || resultOf(message)?.['isError'] === true);
      if (!bad || paramsOf(message, context)['name'] !== 'noSuchTool') return [message];
      return [{ jsonrpc: '2.0', id: message['id'], error: { code: 'E_TOOL', message: 'unknown' } }];
    },
  },
  'astral characters are replaced': { breaks: ['RPC-UTF8'], out: mapText((text) => text.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '\ufffd')) },
  'texts are normalised': { breaks: ['RPC-UTF8'], out: mapText((text) => text.normalize('NFC')) },
  'unknown _meta is refused': {
    breaks: ['RPC-META-TOLERATE'],
    in: (message, { say }) => {
      const meta = isObject(message['params']) ? message['params']['_meta'] : undefined;
      if (!isObject(meta) || message['method'] !== 'tools/call' || !Object.keys(meta).some((key) => key.startsWith('com.example')))
        return [message];
      say({ jsonrpc: '2.0', id: message['id'], error: { code: -32602, message: 'unknown key in _meta' } });
      return [];
    },
  },
  '__proto__ ends the process': {
    breaks: ['ROB-NO-CRASH', 'RPC-SURVIVE-GARBAGE'],
    line: (text, { exit }) => {
      if (!text.includes('"__proto__"')) return text;
      exit();
      return undefined;
    },
  },
  'the text of the call before comes along': {
    breaks: ['ROB-ISOLATION', 'RPC-CONCURRENT-MATCH', 'RPC-UTF8', 'STL-NO-PRIOR', 'ROB-DETERMINISM'],
    out: (message, context) => {
      const changed = onResult('tools/call', (result) => {
        const [first] = result['content'] as Json[];
        const before = String(context.memory['text'] ?? '');
        context.memory['text'] = first?.['text'];
        return {
          ...result,
          content: [{ type: 'text', text: `${String(first?.['text'])} (before: ${before})` }, ...(result['content'] as Json[])],
        };
      });
      return changed(message, context);
    },
  },
  'results of two requests in flight are swapped': {
    breaks: ['RPC-CONCURRENT-MATCH', 'ROB-ISOLATION', 'RPC-SCHEMA-RESULT'],
    out: (message, context) => {
      if (methodOf(message, context) !== 'tools/call' || resultOf(message) === undefined) return [message];
      const held = context.memory['held'] as Json | undefined;
      if (held === undefined) {
        context.memory['held'] = message;
        setTimeout(() => {
          if (context.memory['held'] !== message) return;
          context.memory['held'] = undefined;
          context.say(message);
        }, 8);
        return [];
      }
      context.memory['held'] = undefined;
      return [
        { ...message, result: held['result'] },
        { ...held, result: message['result'] },
      ];
    },
  },
  'progress goes back at the end': {
    breaks: ['PROG-INCREASE'],
    out: (message) => {
      const params = message['params'];
      const late = isObject(params) && Number(params['progress']) >= Number(params['total']);
      return [
        message['method'] === 'notifications/progress' && late ? { ...message, params: { ...(params as Json), progress: 0.1 } } : message,
      ];
    },
  },
  'progress tokens become texts': {
    breaks: ['PROG-TOKEN-TYPES', 'PROG-TOKEN'],
    out: (message) => [
      message['method'] === 'notifications/progress'
        ? { ...message, params: { ...(message['params'] as Json), progressToken: String((message['params'] as Json)['progressToken']) } }
        : message,
    ],
  },
  'no content block for an empty text': {
    breaks: ['TOOL-RESULT-CONTENT', 'RPC-SCHEMA-RESULT'],
    out: onResult('tools/call', (result) => {
      const [first] = result['content'] as Json[];
      return first?.['text'] === '' ? { ...result, content: null } : result;
    }),
  },
  'structured content is a text at the edge': {
    breaks: ['TOOL-STRUCTURED-CONFORMS'],
    out: onResult('tools/call', (result, message, context) => {
      const args = paramsOf(message, context)['arguments'];
      const edge = isObject(args) && Object.values(args).some((value) => value === 1000 || value === -1000);
      return isObject(result['structuredContent']) && edge
        ? { ...result, structuredContent: Object.fromEntries(Object.keys(result['structuredContent']).map((key) => [key, 'overflow'])) }
        : result;
    }),
  },
  'structured content is missing at zero': {
    breaks: ['TOOL-STRUCTURED-PRESENT'],
    out: onResult('tools/call', (result, message, context) => {
      const args = paramsOf(message, context)['arguments'];
      const { structuredContent, ...rest } = result;
      return structuredContent !== undefined && isObject(args) && Object.values(args).includes(0) ? rest : result;
    }),
  },
  'the upper bound is not looked at': {
    breaks: ['TOOL-INPUT-VALIDATE'],
    in: (message) => {
      const params = message['params'];
      if (message['method'] !== 'tools/call' || !isObject(params) || !isObject(params['arguments'])) return [message];
      const args = Object.fromEntries(
        Object.entries(params['arguments']).map(([key, value]) => [key, typeof value === 'number' && value > 1000 ? 1000 : value]),
      );
      return [{ ...message, params: { ...params, arguments: args } }];
    },
  },
  'numbers as texts are taken': {
    breaks: ['TOOL-INPUT-VALIDATE'],
    in: (message) => {
      const params = message['params'];
      if (message['method'] !== 'tools/call' || !isObject(params) || !isObject(params['arguments'])) return [message];
      const args = Object.fromEntries(
        Object.entries(params['arguments']).map(([key, value]) => [
          key,
          ['a', 'b', 'width', 'height'].includes(key) && typeof value !== 'number' ? 7 : value,
        ]),
      );
      return [{ ...message, params: { ...params, arguments: args } }];
    },
  },
  'arguments must be there': {
    breaks: ['TOOL-ARGS-OMITTED'],
    in: (message, { say }) => {
      const params = message['params'];
      if (message['method'] !== 'tools/call' || !isObject(params) || params['arguments'] !== undefined) return [message];
      say({ jsonrpc: '2.0', id: message['id'], error: { code: -32603, message: 'Cannot read properties of undefined' } });
      return [];
    },
  },
  'an unknown tool is done': {
    breaks: ['TOOL-UNKNOWN', 'TOOL-UNKNOWN-CODE'],
    out: (message, context) =>
      methodOf(message, context) === 'tools/call' &&
      (isObject(message['error']) || resultOf(message)?.['isError'] === true) &&
      String(paramsOf(message, context)['name']).endsWith('x')
        ? [{ jsonrpc: '2.0', id: message['id'], result: { ...resultOf(message), content: [{ type: 'text', text: 'ok' }], isError: false } }]
        : [message],
  },
  'missing resources are empty': {
    breaks: ['RES-NOT-FOUND-EMPTY'],
    out: (message, context) =>
      methodOf(message, context) === 'resources/read' && isObject(message['error'])
        ? [{ jsonrpc: '2.0', id: message['id'], result: { contents: [], resultType: 'complete', ttlMs: 0, cacheScope: 'private' } }]
        : [message],
  },
  'prompts speak as the system': {
    breaks: ['PRM-MESSAGES', 'RPC-SCHEMA-RESULT'],
    out: onResult('prompts/get', (result) => ({
      ...result,
      messages: (result['messages'] as Json[]).map((one) => ({ ...one, role: 'system' })),
    })),
  },
  'long prompt arguments end in an internal error': {
    breaks: ['PRM-ACCEPT', 'PRM-INTERNAL'],
    in: (message, { say }) => {
      if (message['method'] !== 'prompts/get' || JSON.stringify(message).length < 15_000) return [message];
      say({ jsonrpc: '2.0', id: message['id'], error: { code: -32603, message: 'Internal error' } });
      return [];
    },
  },
  'the last page has a cursor of null': {
    breaks: ['PAG-CURSOR-STRING', 'RPC-SCHEMA-RESULT'],
    out: onResult('prompts/list', (result) => ({ ...result, nextCursor: result['nextCursor'] ?? null })),
  },
  'notifications are answered when they are unknown': {
    breaks: ['RPC-NO-REPLY-NOTIF', 'HTTP-NOTIF-REJECT', 'HTTP-NOTIF-202'],
    in: (message, { say }) => {
      if (message['id'] === undefined && String(message['method']).startsWith('notifications/u'))
        say({ jsonrpc: '2.0', id: null, error: { code: -32601, message: 'Method not found' } });
      return [message];
    },
  },
  'a change nobody declared is told': {
    breaks: ['TOOL-LISTCHANGED-CAP', 'PAT-NOTIF-SCOPED'],
    out: (message, context) =>
      methodOf(message, context) === 'tools/call' && resultOf(message) !== undefined
        ? [{ jsonrpc: '2.0', method: 'notifications/prompts/list_changed' }, message]
        : [message],
  },
  '_meta has a key with a space': {
    breaks: ['RPC-META-KEYS'],
    out: onResult('tools/call', (result) => ({ ...result, _meta: { ...(isObject(result['_meta']) ? result['_meta'] : {}), 'a key': 1 } })),
  },
  'errors tell where they were thrown': {
    breaks: ['ROB-NO-LEAK', 'RPC-ERR-CONCISE'],
    out: onError(
      () => true,
      (error) => ({ ...error, data: { stack: `Error: ${String(error['message'])}\n    at handle (/srv/app/index.js:10:3)` } }),
    ),
  },
  'schemas of tools name an unknown type': {
    breaks: ['RPC-SCHEMA-DIALECT', 'TOOL-INPUTSCHEMA-OBJECT'],
    out: onResult('tools/list', (result) => ({
      ...result,
      tools: (result['tools'] as Json[]).map((one, index) =>
        index === 1 ? { ...one, inputSchema: { ...(one['inputSchema'] as Json), properties: { a: { type: 'int' } } } } : one,
      ),
    })),
  },
  'too many suggestions': {
    breaks: ['CMP-MAX100', 'RPC-SCHEMA-RESULT'],
    out: onResult('completion/complete', (result) => ({
      ...result,
      completion: { values: Array.from({ length: 101 }, (_, index) => `v${index}`) },
    })),
  },
  'log levels have other names': {
    breaks: ['LOG-LEVEL-ENUM', 'RPC-SCHEMA-NOTIF'],
    out: (message) => [
      message['method'] === 'notifications/message' ? { ...message, params: { ...(message['params'] as Json), level: 'warn' } } : message,
    ],
  },
  'the handshake names a capability as true': {
    breaks: ['LC-CAP-SHAPE', 'LC-INIT-RESPOND', 'DIS-SHAPE'],
    out: (message, context) => {
      const method = methodOf(message, context);
      const result = resultOf(message);
      if ((method !== 'initialize' && method !== 'server/discover') || result === undefined) return [message];
      return [{ ...message, result: { ...result, capabilities: { ...(result['capabilities'] as Json), completions: true } } }];
    },
  },
  'a null id is served': {
    breaks: ['RPC-ID-NULL-REJECT'],
    in: (message) => [message['id'] === null ? { ...message, id: 'was-null' } : message],
    out: (message) => [message['id'] === 'was-null' ? { ...message, id: null } : message],
  },
  'stray text on the channel behind an error': {
    breaks: ['STD-STDOUT-PURE', 'HTTP-SSE-FRAMING'],
    out: (message) => (isObject(message['error']) ? [message, 'warning: something went wrong'] : [message]),
  },
  'cancelled calls are answered all the same': {
    breaks: ['CAN-NO-RESPONSE'],
    in: (message, context) => {
      if (message['method'] !== 'notifications/cancelled' || !isObject(message['params'])) return [message];
      const id = message['params']['requestId'];
      if (context.asked.get(JSON.stringify(id)) !== undefined)
        setTimeout(() => context.say({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'late' }] } }), 120);
      return [message];
    },
  },
  'the result type is missing for errors of tools': {
    breaks: ['RT-PRESENT'],
    out: onResult('tools/call', (result) => {
      const { resultType: _left, ...rest } = result;
      return result['isError'] === true ? rest : result;
    }),
  },
  'a page is public': {
    breaks: ['CCH-PAGES'],
    out: onResult('resources/list', (result, message, context) =>
      paramsOf(message, context)['cursor'] === undefined || result['cacheScope'] === undefined
        ? result
        : { ...result, cacheScope: 'public' },
    ),
  },
  'a read may be kept for half a millisecond': {
    breaks: ['CCH-TTL'],
    out: onResult('resources/read', (result) => (result['ttlMs'] === undefined ? result : { ...result, ttlMs: 0.5 })),
  },
  'changes of lists are kept quiet': {
    breaks: ['RES-LISTCHANGED', 'SUB-DELIVER'],
    out: (message) => (message['method'] === 'notifications/resources/list_changed' ? [] : [message]),
  },
  'updates are kept quiet': {
    breaks: ['RES-UPDATED-SENT'],
    out: (message) => (message['method'] === 'notifications/resources/updated' ? [] : [message]),
  },
  'numeric subscription ids become texts': {
    breaks: ['SUB-ID'],
    out: (message) => {
      const meta = isObject(message['params']) ? message['params']['_meta'] : undefined;
      if (!isObject(meta) || meta['io.modelcontextprotocol/subscriptionId'] === undefined) return [message];
      const id = String(meta['io.modelcontextprotocol/subscriptionId']);
      return [{ ...message, params: { ...(message['params'] as Json), _meta: { 'io.modelcontextprotocol/subscriptionId': id } } }];
    },
  },
  'updates go to whoever listens': {
    breaks: ['RES-UPDATED-ONLY-SUB', 'SUB-FILTER'],
    out: (message) =>
      message['method'] === 'notifications/resources/list_changed'
        ? [
            message,
            {
              ...message,
              method: 'notifications/resources/updated',
              params: { ...(message['params'] as Json), uri: 'note://all/note-20' },
            },
          ]
        : [message],
  },
  'every log message comes two hundred times': {
    breaks: ['LOG-RATE'],
    out: (message) => (message['method'] === 'notifications/message' ? Array.from({ length: 200 }, () => message) : [message]),
  },
  'requests are never forgotten': {
    breaks: ['ROB-MEMORY'],
    in: (message, { memory }) => {
      const kept = (memory['kept'] ?? []) as unknown[];
      kept.push(Buffer.alloc(60_000, 1));
      memory['kept'] = kept;
      return [message];
    },
  },
  'questions have a key twice': {
    breaks: ['MRTR-KEYS'],
    out: (message) => {
      const asked = resultOf(message)?.['inputRequests'];
      const [key] = Object.keys(isObject(asked) ? asked : {});
      return key === undefined ? [message] : [JSON.stringify(message).replace(`"${key}":`, `"${key}":{},"${key}":`)];
    },
  },
  'the second page begins one too early': {
    breaks: ['PAG-PARTITION'],
    out: (message, context) => {
      const result = resultOf(message);
      const items = result?.['resources'];
      if (result === undefined || methodOf(message, context) !== 'resources/list' || !Array.isArray(items)) return [message];
      const before = context.memory['last'];
      context.memory['last'] = items.at(-1);
      if (paramsOf(message, context)['cursor'] === undefined || before === undefined) return [message];
      return [{ ...message, result: { ...result, resources: [before, ...items] } }];
    },
  },
};
