/** What is no valid message: envelopes, bytes, batches, ids of the wrong type. */
import fc from 'fast-check';
import { MODERN_VERSION } from '../../protocol/eras.ts';
import { isObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { cheapMethod } from './expect.ts';

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
    // whether `params` is looked at where a method has none is told as a wrong parameter, too
    const atMost = note.startsWith('params') ? 'warning' : undefined;
    session.judge.check('RPC-INVALID-REQUEST', result === undefined, `no result for ${note}`, () => shown(result?.value), atMost);
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
        atMost,
      );
  },
});

const MIRRORED = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };

const parseErrors = property<{ text?: string; base64?: string; note: string }>({
  name: 'jsonrpc/unparsable',
  area: 'error-codes',
  phase: 'malformed',
  stems: ['RPC-PARSE-ERROR', 'RPC-SURVIVE-GARBAGE', 'ROB-NO-CRASH'],
  cases: (subject) => ({
    boundaries: [
      // over HTTP a body of nothing may be taken for many things
      ...(subject.transport === 'stdio' ? [{ note: 'an empty line', text: '' }] : []),
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
    // the v1 SDK executes batches over HTTP at every revision
    session.judge.check(
      'LC-RESPECT-VERSION',
      executed === undefined,
      'no batches at this revision',
      () => shown(executed?.value),
      Array.isArray(executed?.value) ? undefined : 'warning',
    );
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

/** The properties of malformed messages. */
export const MALFORMED: readonly Property[] = [envelopes, parseErrors, batches, idTypes];
