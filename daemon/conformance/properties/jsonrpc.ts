/** JSON-RPC 2.0 as MCP uses it: ids, envelopes, unknown methods, notifications, concurrency. */
import fc from 'fast-check';
import { MODERN_VERSION } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import { AWKWARD_TEXTS, anyJson, anyText } from '../generators/text.ts';
import { cheapMethod, outcomeText, refused, servedLists, steady } from './expect.ts';

const ENVELOPE_STEMS = [
  'RPC-VERSION',
  'RPC-ID-ECHO',
  'RPC-RESULT-FIELD',
  'RPC-RESULT-XOR-ERROR',
  'RPC-ONE-RESPONSE',
  'RPC-SCHEMA-RESULT',
  'RPC-META-KEYS',
  'DIS-SERVERINFO',
  'RT-PRESENT',
  'RT-KNOWN',
  'RT-COMPLETE-FINAL',
  'EXT-FALLBACK',
  'CCH-HINTS',
  'CCH-TTL',
  'CCH-SCOPE',
  'MRTR-METHODS',
];
const ERROR_STEMS = [
  'RPC-VERSION',
  'RPC-RESULT-XOR-ERROR',
  'RPC-ERR-ID',
  'RPC-ERR-SHAPE',
  'RPC-ERR-CODE-INT',
  'RPC-ERR-CONCISE',
  'ROB-NO-LEAK',
  'ERR-RESERVED',
  'ERR-RETIRED',
  'ERR-LEGACY-RANGE',
  'ERR-OUTSIDE',
  'ERR-DEFINED-MEANING',
];

const ids = property<{ id: string | number }>({
  name: 'jsonrpc/ids',
  area: 'jsonrpc',
  phase: 'boundaries',
  stems: ENVELOPE_STEMS,
  cases: () => ({
    boundaries: [
      0,
      1,
      -1,
      2 ** 31,
      2 ** 53 - 1,
      '',
      '0',
      '7',
      'é😀',
      'null',
      '__proto__',
      '123e4567-e89b-12d3-a456-426614174000',
      'x'.repeat(1000),
    ].map((id) => ({ id })),
    arbitrary: fc.oneof(fc.maxSafeInteger(), anyText).map((id) => ({ id: typeof id === 'string' ? id.toWellFormed() : id })),
  }),
  async run({ session, subject }, { id }) {
    const answer = await session.request(cheapMethod(subject), undefined, { id });
    if (answer.message !== undefined)
      session.judge.check('RPC-ID-ECHO', answer.message['id'] === id, `id ${shown(id)}`, () => shown(answer.message));
  },
});

const NEAR = [
  'tools/List',
  'tools/list/',
  'tool/list',
  'TOOLS/LIST',
  ' tools/list',
  'rpc.discover',
  'list',
  'tools',
  'tools/',
  '/',
  'prompts/call',
  'sampling/createMessage',
  'roots/list',
  '__proto__',
  'constructor',
  'toString',
  'notAMethod',
  'é/😀',
  'x'.repeat(300),
];

const unknownMethod = property<{ method: string; id: string | number }>({
  name: 'jsonrpc/unknown-method',
  area: 'error-codes',
  phase: 'fuzz',
  stems: ['RPC-METHOD-NOT-FOUND', 'HTTP-404-METHOD', ...ERROR_STEMS],
  cases: () => ({
    boundaries: [
      ...NEAR.map((method, index) => ({ method, id: `unknown-${index}` })),
      { method: 'notAMethod', id: 0 },
      { method: 'notAMethod', id: '' },
    ],
    arbitrary: fc.record({ method: anyText.map((text) => `x${text}/${text}`), id: fc.oneof(fc.maxSafeInteger(), anyText) }),
  }),
  async run({ session }, { method, id }) {
    const answer = await session.request(method, {}, { id });
    if (answer.message === undefined) return; // RPC-ONE-RESPONSE said it
    const code = at(answer.error, 'code');
    session.judge.check('RPC-METHOD-NOT-FOUND', code === -32601, `error -32601 for the method ${shown(method)}`, () =>
      outcomeText(session, answer),
    );
    if (answer.error !== undefined)
      session.judge.check('RPC-ERR-ID', answer.message['id'] === id, `id ${shown(id)}`, () => shown(answer.message));
  },
});

const notifications = property<{ method: string; params?: unknown }>({
  name: 'jsonrpc/notifications',
  area: 'jsonrpc',
  phase: 'fuzz',
  stems: ['RPC-NO-REPLY-NOTIF', 'HTTP-NOTIF-202', 'HTTP-NOTIF-REJECT', 'CAN-UNKNOWN-IGNORED'],
  cases: () => ({
    boundaries: [
      { method: 'notifications/unknown' },
      { method: 'notifications/cancelled', params: { requestId: 424242 } },
      { method: 'notifications/cancelled', params: { requestId: 'no such' } },
      { method: 'notifications/cancelled', params: {} },
      { method: 'notifications/cancelled' },
      { method: 'notifications/cancelled', params: { requestId: null } },
      { method: 'notifications/cancelled', params: { requestId: { a: 1 } } },
      { method: 'notifications/progress', params: { progressToken: 'none', progress: 1 } },
      { method: 'notifications/progress', params: {} },
      { method: 'notifications/roots/list_changed' },
      { method: 'tools/list' },
      { method: 'notAMethod', params: { a: 1 } },
    ],
    arbitrary: fc.record({
      method: fc.oneof(
        fc.constant('notifications/cancelled'),
        anyText.map((text) => `notifications/${text}`),
      ),
      params: fc.dictionary(anyText, anyJson, { maxKeys: 2 }),
    }),
  }),
  async run({ session }, { method, params }) {
    const message: JsonObject = { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
    const before = session.judge.violations.length;
    const http = await session.tell(message);
    session.judge.check('RPC-NO-REPLY-NOTIF', true, '', '');
    if (method === 'notifications/cancelled')
      session.judge.check('CAN-UNKNOWN-IGNORED', session.judge.violations.length === before, 'ignored', () =>
        shown(session.judge.violations.at(-1)),
      );
    if (http === undefined) return;
    if (http.status >= 200 && http.status < 300)
      session.judge.check(
        'HTTP-NOTIF-202',
        http.status === 202 && http.bytes === 0,
        'status 202 and no body',
        `${http.status}, ${http.bytes} bytes`,
      );
    const responded = http.frames.some(
      ({ value }) =>
        isObject(value) &&
        Object.hasOwn(value, 'id') &&
        value['id'] !== null &&
        (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')),
    );
    session.judge.check(
      'HTTP-NOTIF-REJECT',
      (http.status === 202 || (http.status >= 400 && http.status < 500)) && !responded,
      '202 or a 4xx, no response',
      `${http.status} ${http.body.slice(0, 200)}`,
    );
  },
});

/** What a malformed message may be answered with: an error, or (on a pipe, where the SDKs drop it) nothing. Never a result. */
const envelopes = property<{ text: string; note: string }>({
  name: 'jsonrpc/envelopes',
  area: 'error-codes',
  phase: 'malformed',
  stems: ['RPC-INVALID-REQUEST', 'RPC-SURVIVE-GARBAGE', 'ROB-NO-CRASH'],
  cases(subject) {
    const method = cheapMethod(subject);
    // everything else about them is right, the envelope of the era included
    const params =
      subject.era === 'modern'
        ? {
            params: {
              _meta: { 'io.modelcontextprotocol/protocolVersion': MODERN_VERSION, 'io.modelcontextprotocol/clientCapabilities': {} },
            },
          }
        : {};
    const variants: readonly (readonly [string, unknown])[] = [
      ['jsonrpc missing', { id: 'bad', method, ...params }],
      ['jsonrpc "1.0"', { jsonrpc: '1.0', id: 'bad', method, ...params }],
      ['jsonrpc 2', { jsonrpc: 2, id: 'bad', method, ...params }],
      ['jsonrpc null', { jsonrpc: null, id: 'bad', method, ...params }],
      ['method missing', { jsonrpc: '2.0', id: 'bad', ...params }],
      ['method a number', { jsonrpc: '2.0', id: 'bad', method: 1 }],
      ['method null', { jsonrpc: '2.0', id: 'bad', method: null }],
      ['method an array', { jsonrpc: '2.0', id: 'bad', method: [method] }],
      ['params a text', { jsonrpc: '2.0', id: 'bad', method, params: 'text' }],
      ['params a number', { jsonrpc: '2.0', id: 'bad', method, params: 1 }],
      ['params an array', { jsonrpc: '2.0', id: 'bad', method, params: [1] }],
      ['an empty object', {}],
      ['a number', 1],
      ['a text', 'text'],
      ['null', null],
      ['true', true],
    ];
    return { boundaries: variants.map(([note, value]) => ({ note, text: JSON.stringify(value) })) };
  },
  async run({ session }, { text, note }) {
    const { frames, http } = await session.malformed(Buffer.from(text), {
      ids: ['bad'],
      ...(session.era === 'modern' ? { headers: MIRRORED } : {}),
    });
    const result = frames.find(({ value }) => isObject(value) && Object.hasOwn(value, 'result'));
    session.judge.check('RPC-INVALID-REQUEST', result === undefined, `no result for ${note}`, () => shown(result?.value));
    const code = frames.map(({ value }) => at(value, 'error', 'code')).find((one) => one !== undefined);
    if (code !== undefined)
      session.judge.check(
        'RPC-INVALID-REQUEST',
        [-32600, -32602, -32700, -32020].includes(Number(code)),
        `-32600 for ${note}`,
        String(code),
        'warning',
      );
    if (http !== undefined && http.status !== 0)
      session.judge.check(
        'RPC-INVALID-REQUEST',
        http.status >= 400 || code !== undefined || http.status === 202,
        `an error for ${note}`,
        `HTTP ${http.status} ${http.body.slice(0, 200)}`,
      );
  },
});
const MIRRORED = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };

const parseErrors = property<{ text?: string; base64?: string; note: string }>({
  name: 'jsonrpc/unparsable',
  area: 'error-codes',
  phase: 'malformed',
  stems: ['RPC-PARSE-ERROR', 'RPC-SURVIVE-GARBAGE', 'ROB-NO-CRASH'],
  cases: () => ({
    boundaries: [
      { note: 'an open brace', text: '{' },
      { note: 'a word', text: 'x' },
      { note: 'NaN', text: '{"jsonrpc":"2.0","id":NaN,"method":"ping"}' },
      { note: 'a trailing comma', text: '{"jsonrpc":"2.0","id":"bad","method":"ping",}' },
      { note: 'a missing quote', text: '{"jsonrpc":"2.0","id":"bad,"method":"ping"}' },
      { note: 'a cut frame', text: '{"jsonrpc":"2.0","id":"bad","meth' },
      { note: 'single quotes', text: "{'jsonrpc':'2.0'}" },
      { note: 'broken UTF-8', base64: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('base64') },
      { note: 'a raw control character', text: '{"jsonrpc":"2.0","id":"bad","method":"a\u0001b' },
      { note: 'HTTP on the pipe', text: 'GET / HTTP/1.1' },
    ],
    arbitrary: fc.string({ minLength: 1, maxLength: 12 }).map((text) => ({ note: 'no JSON', text: `{${text.replaceAll('\n', ' ')}` })),
  }),
  async run({ session }, { text, base64, note }) {
    const bytes = base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64');
    try {
      JSON.parse(bytes.toString('utf8'));
      return; // by chance it is JSON
    } catch {
      // as meant
    }
    const { frames, http } = await session.malformed(bytes, { ids: ['bad'], ...(session.era === 'modern' ? { headers: MIRRORED } : {}) });
    const answer = frames
      .map(({ value }) => value)
      .find((value) => isObject(value) && (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')));
    session.judge.check('RPC-PARSE-ERROR', !isObject(answer) || !Object.hasOwn(answer, 'result'), `no result for ${note}`, () =>
      shown(answer),
    );
    if (isObject(answer) && Object.hasOwn(answer, 'error')) {
      session.judge.check('RPC-PARSE-ERROR', at(answer, 'error', 'code') === -32700, `-32700 for ${note}`, () => shown(answer));
      session.judge.check('RPC-PARSE-ERROR', answer['id'] === undefined || answer['id'] === null, 'no id', () => shown(answer));
    }
    if (http !== undefined && http.status !== 0)
      session.judge.check('RPC-PARSE-ERROR', http.status >= 400 && http.status < 500, `a 4xx for ${note}`, `HTTP ${http.status}`);
  },
});

const batches = property<{ parts: number; notification: boolean }>({
  name: 'jsonrpc/batch',
  area: 'jsonrpc',
  phase: 'malformed',
  stems: ['RPC-NO-BATCH', 'LC-RESPECT-VERSION'],
  cases: () => ({
    boundaries: [
      { parts: 0, notification: false },
      { parts: 1, notification: false },
      { parts: 2, notification: true },
    ],
  }),
  async run({ session, subject }, { parts, notification }) {
    const batch: unknown[] = Array.from({ length: parts }, (_, index) =>
      session.compose(cheapMethod(subject), undefined, { id: `batch-${index}` }),
    );
    if (notification) batch.push({ jsonrpc: '2.0', method: 'notifications/unknown' });
    const { frames } = await session.malformed(Buffer.from(JSON.stringify(batch)), {
      ids: batch.map((one) => at(one, 'id')).filter((id) => id !== undefined),
      ...(session.era === 'modern' ? { headers: MIRRORED } : {}),
    });
    const executed = frames.find(({ value }) => Array.isArray(value) || (isObject(value) && Object.hasOwn(value, 'result')));
    session.judge.check('RPC-NO-BATCH', executed === undefined, 'an error, nothing executed', () => shown(executed?.value));
    session.judge.check('LC-RESPECT-VERSION', executed === undefined, 'no batches at this revision', () => shown(executed?.value));
  },
});

const idTypes = property<{ id: unknown }>({
  name: 'jsonrpc/id-types',
  area: 'jsonrpc',
  phase: 'malformed',
  stems: ['RPC-ID-NULL-REJECT'],
  cases: () => ({ boundaries: [null, true, [], {}, 1.5, ['a']].map((id) => ({ id })) }),
  async run({ session, subject }, { id }) {
    const message = session.compose(cheapMethod(subject), undefined, { id });
    const { frames } = await session.malformed(Buffer.from(JSON.stringify(message)), {
      ids: [id],
      ...(session.era === 'modern' ? { headers: { ...MIRRORED, 'mcp-method': cheapMethod(subject) } } : {}),
    });
    const result = frames.find(({ value }) => isObject(value) && Object.hasOwn(value, 'result'));
    session.judge.check('RPC-ID-NULL-REJECT', result === undefined, `no result for id ${shown(id)}`, () => shown(result?.value));
  },
});

const concurrent = property<{ picks: readonly number[] }>({
  name: 'jsonrpc/concurrent',
  area: 'jsonrpc',
  phase: 'stateful',
  stems: ['RPC-CONCURRENT-MATCH', 'RPC-ONE-RESPONSE', 'ROB-ISOLATION'],
  skip: (subject) => (servedLists(subject).length === 0 ? 'the server has nothing whose answers can be told apart' : undefined),
  cases: () => ({
    boundaries: [{ picks: [0, 1] }, { picks: [-1, -1, -1] }, { picks: [0, 1, 2, 3, 0, 1, 2, 3] }],
    arbitrary: fc.record({ picks: fc.array(fc.nat(7), { minLength: 2, maxLength: 12 }) }),
  }),
  async run({ session, subject }, { picks }) {
    const lists = servedLists(subject);
    const echo = subject.callable.find(
      ({ sample }) => sample !== undefined && Object.values(sample).some((value) => typeof value === 'string'),
    );
    const textKey =
      echo === undefined
        ? undefined
        : Object.keys(echo.sample ?? {}).find((key) => typeof echo.sample?.[key] === 'string' && isFree(echo.definition, key));
    const alone = new Map<string, string>();
    for (const [method] of lists) alone.set(method, canonical(steady((await session.request(method)).result)));
    const nonces: string[] = [];
    const answers = await Promise.all(
      picks.map(async (pick, index) => {
        // a negative pick is a call of the echoing tool, whatever lists there are
        const list = pick < 0 ? undefined : lists[pick % (lists.length + 1)];
        if (list !== undefined) return { method: list[0], index, answer: await session.request(list[0]) };
        if (echo === undefined || textKey === undefined)
          return { method: lists[0]?.[0] ?? '', index, answer: await session.request(lists[0]?.[0] ?? '') };
        nonces[index] = `nonce-${index}-${picks.length}-${pick}`;
        return {
          method: 'tools/call',
          index,
          answer: await session.request('tools/call', { name: echo.name, arguments: { ...echo.sample, [textKey]: nonces[index] } }),
        };
      }),
    );
    for (const { method, index, answer } of answers) {
      if (answer.result === undefined) continue;
      if (method !== 'tools/call')
        session.judge.check(
          'RPC-CONCURRENT-MATCH',
          canonical(steady(answer.result)) === alone.get(method),
          `the answer of ${method} as when it is asked alone`,
          () => shown(answer.result),
        );
      const text = JSON.stringify(answer.result);
      const foreign = nonces.find((nonce, other) => nonce !== undefined && other !== index && text.includes(nonce));
      session.judge.check(
        'ROB-ISOLATION',
        foreign === undefined,
        'nothing of another request',
        () => `${foreign} in ${text.slice(0, 200)}`,
      );
      if (foreign !== undefined)
        session.judge.check('RPC-CONCURRENT-MATCH', false, 'the answer of its own request', () => `${foreign} in ${text.slice(0, 200)}`);
    }
  },
});

/** Whether a property of a tool takes any text. */
export function isFree(definition: JsonObject, key: string): boolean {
  const schema = at(definition, 'inputSchema', 'properties', key);
  return (
    isObject(schema) &&
    schema['type'] === 'string' &&
    !['enum', 'const', 'pattern', 'format', 'maxLength'].some((word) => Object.hasOwn(schema, word))
  );
}

const metaTolerated = property<{ key: string; value: unknown }>({
  name: 'jsonrpc/meta-tolerated',
  area: 'meta',
  phase: 'fuzz',
  stems: ['RPC-META-TOLERATE', 'OTEL-FORMAT'],
  cases: () => ({
    boundaries: [
      ...[1, null, 'x', [], { a: 1 }].map((value) => ({ key: 'com.example/x', value })),
      { key: 'x', value: 1 },
      { key: 'traceparent', value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      { key: 'traceparent', value: 'nonsense' },
      { key: 'baggage', value: 7 },
    ],
    arbitrary: fc.record({ key: fc.stringMatching(/^[a-z]{1,8}$/).map((name) => `com.example/${name}`), value: anyJson }),
  }),
  async run({ session, subject }, { key, value }) {
    const method = cheapMethod(subject);
    const [plain, extra] = [await session.request(method), await session.request(method, undefined, { meta: { [key]: value } })];
    const stem = key.includes('/') || key === 'x' ? 'RPC-META-TOLERATE' : 'OTEL-FORMAT';
    session.judge.check(
      stem,
      canonical(steady(plain.result)) === canonical(steady(extra.result)),
      `the result without _meta[${shown(key)}]`,
      () => outcomeText(session, extra),
    );
  },
});

const UNICODE = [...AWKWARD_TEXTS.filter((text) => text !== ''), 'surrogate \ud83d alone'];
const unicode = property<{ text: string }>({
  name: 'jsonrpc/unicode',
  area: 'jsonrpc',
  phase: 'fuzz',
  stems: ['RPC-UTF8', 'STD-NEWLINE', 'STD-STDOUT-PURE', 'TOOL-SANITIZE'],
  cases: () => ({
    boundaries: UNICODE.map((text) => ({ text })),
    arbitrary: fc.record({ text: fc.string({ unit: 'binary', maxLength: 20 }) }),
  }),
  async run({ session, subject }, { text }) {
    const clean = text.toWellFormed();
    const echo = subject.callable.find(
      (tool) => tool.sample !== undefined && Object.keys(tool.sample).some((key) => isFree(tool.definition, key)),
    );
    const key = echo === undefined ? undefined : Object.keys(echo.sample ?? {}).find((one) => isFree(echo.definition, one));
    if (echo === undefined || key === undefined) {
      await session.request('notAMethod', { text: clean });
      session.judge.check('RPC-UTF8', session.ended === undefined, 'UTF-8 is read', String(session.ended));
      return;
    }
    const call = async (value: string): Promise<unknown> =>
      at(
        (await session.request('tools/call', { name: echo.name, arguments: { ...echo.sample, [key]: value } })).result,
        'content',
        0,
        'text',
      );
    const [plain, odd] = [await call('plain-words'), await call(clean)];
    // a tool that gives its argument back shows whether the text survived
    const echoes = typeof plain === 'string' && plain.includes('plain-words');
    if (echoes)
      session.judge.check(
        'RPC-UTF8',
        typeof odd === 'string' && (odd.includes(clean) || odd.includes(JSON.stringify(clean).slice(1, -1))),
        `the text ${shown(clean)} as it was sent`,
        () => shown(odd),
      );
  },
});

const wrongParams = property<{ method: string; params: unknown; note: string }>({
  name: 'jsonrpc/wrong-params',
  area: 'error-codes',
  phase: 'malformed',
  stems: ['RPC-INVALID-PARAMS'],
  cases(subject) {
    const has = (capability: string): boolean => Object.hasOwn(subject.capabilities, capability);
    const list: (readonly [string, unknown, string])[] = [];
    if (has('tools'))
      list.push(
        ['tools/call', {}, 'no name'],
        ['tools/call', { name: null }, 'name null'],
        ['tools/call', { name: 1 }, 'name a number'],
        ['tools/call', { name: ['a'] }, 'name an array'],
      );
    const tool = subject.callable[0]?.name;
    if (tool !== undefined)
      for (const args of ['text', 1, true, ['a']]) list.push(['tools/call', { name: tool, arguments: args }, `arguments ${shown(args)}`]);
    if (has('resources'))
      list.push(
        ['resources/read', {}, 'no uri'],
        ['resources/read', { uri: 1 }, 'uri a number'],
        ['resources/read', { uri: null }, 'uri null'],
      );
    if (has('prompts'))
      list.push(
        ['prompts/get', {}, 'no name'],
        ['prompts/get', { name: 1 }, 'name a number'],
        ['prompts/get', { name: null }, 'name null'],
      );
    for (const [method] of servedLists(subject))
      list.push([method, { cursor: 1 }, 'cursor a number'], [method, { cursor: { a: 1 } }, 'cursor an object']);
    return { boundaries: list.map(([method, params, note]) => ({ method, params, note })) };
  },
  async run({ session }, { method, params, note }) {
    const answer = await session.request(method, params as JsonObject);
    // validation of arguments may be told in a result
    if (answer.result?.['isError'] === true && note.startsWith('arguments')) return;
    refused(session, answer, 'RPC-INVALID-PARAMS', { codes: [-32602], what: `${method} with ${note}` });
  },
});

/** The properties of the envelope. */
export const JSONRPC: readonly Property[] = [
  ids,
  unknownMethod,
  notifications,
  envelopes,
  parseErrors,
  batches,
  idTypes,
  concurrent,
  metaTolerated,
  unicode,
  wrongParams,
];
