/** JSON-RPC 2.0 as MCP uses it: ids, unknown methods, notifications. */
import fc from 'fast-check';
import { headerValue } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import type { Session } from '../engine/session.ts';
import { anyJson, anyText } from '../generators/text.ts';
import { cheapMethod, type Operation, operations, outcomeText, servedLists } from './expect.ts';

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

const ids = property<{ id: string | number; operation?: Operation }>({
  name: 'jsonrpc/ids',
  area: 'jsonrpc',
  phase: 'boundaries',
  stems: ENVELOPE_STEMS,
  cases: (subject) => ({
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
    ]
      .map((id): { id: string | number; operation?: Operation } => ({ id }))
      .concat(operations(subject).flatMap((operation) => [0, '7', 'é😀'].map((id) => ({ id, operation })))),
    arbitrary: fc.oneof(fc.maxSafeInteger(), anyText).map((id) => ({ id: typeof id === 'string' ? id.toWellFormed() : id })),
  }),
  async run({ session, subject }, { id, operation }) {
    const { method, params } = operation ?? { method: cheapMethod(subject), params: undefined };
    const answer = await session.request(method, params, { id });
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

/** Whether a method cannot stand in `Mcp-Method` as it is; only names and arguments have an encoded form. */
function unmirrored(session: Session, method: string): boolean {
  return session.wire.kind === 'http' && session.era === 'modern' && headerValue(method) !== method;
}

const unknownMethod = property<{ method: string; id: string | number }>({
  name: 'jsonrpc/unknown-method',
  area: 'error-codes',
  phase: 'fuzz',
  stems: ['RPC-METHOD-NOT-FOUND', 'HTTP-404-METHOD', 'AUTH-STDIO', ...ERROR_STEMS],
  cases: () => ({
    boundaries: [
      ...NEAR.map((method, index) => ({ method, id: `unknown-${index}` })),
      { method: 'notAMethod', id: 0 },
      { method: 'notAMethod', id: '' },
    ],
    arbitrary: fc.record({ method: anyText.map((text) => `x${text}/${text}`), id: fc.oneof(fc.maxSafeInteger(), anyText) }),
  }),
  async run({ session }, { method, id }) {
    if (unmirrored(session, method)) return;
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
    if (unmirrored(session, method)) return;
    const message: JsonObject = { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
    const before = session.judge.violations.length;
    const acted = (): string | undefined =>
      session.judge.violations.slice(before).find(({ id }) => /RPC-NO-REPLY-NOTIF|ROB-NO-CRASH|RPC-SURVIVE-GARBAGE/.test(id))?.got;
    const http = await session.tell(message);
    session.judge.check('RPC-NO-REPLY-NOTIF', true, '', '');
    if (method === 'notifications/cancelled')
      session.judge.check('CAN-UNKNOWN-IGNORED', acted() === undefined, 'ignored', () => String(acted()));
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

/** Milliseconds in which a second response would come. */
const QUIET_MS = 250;

const oneResponse = property<{ methods: readonly string[] }>({
  name: 'jsonrpc/one-response',
  area: 'jsonrpc',
  phase: 'stateful',
  stems: ['RPC-ONE-RESPONSE'],
  cases(subject) {
    const lists = servedLists(subject).map(([method]) => method);
    return { boundaries: [{ methods: lists }, { methods: ['notAMethod', cheapMethod(subject), 'notAMethod', ...lists, ...lists] }] };
  },
  async run({ session, subject }, { methods }) {
    await Promise.all(methods.map((method) => session.request(method)));
    const quick = subject.roles.filter(({ ms, asks }) => ms < 100 && !asks).slice(0, 4);
    for (const { tool } of quick) await session.request('tools/call', { name: tool.name, arguments: tool.sample ?? {} });
    // what comes twice may come late
    await new Promise((done) => setTimeout(done, QUIET_MS));
    session.judge.check('RPC-ONE-RESPONSE', true, '', '');
  },
});

/** The properties of the envelope. */
export const JSONRPC: readonly Property[] = [ids, unknownMethod, notifications, oneResponse];
