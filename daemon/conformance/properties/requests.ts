/** Requests side by side and what they carry: concurrency, unknown `_meta`, every text, parameters of the wrong type. */
import fc from 'fast-check';
import type { JsonObject } from '../../protocol/message.ts';
import { shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import { NO_TRACE } from '../engine/value-rules.ts';
import { AWKWARD_TEXTS, anyJson, codePoints } from '../generators/text.ts';
import { echoed, echoOf, texts } from './echo.ts';
import { alike, cheapMethod, type Operation, operations, outcomeText, refused, servedLists, steady } from './expect.ts';

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
    const echo = await echoOf(session, subject);
    const alone = new Map<string, string>();
    for (const [method] of lists) alone.set(method, canonical(steady((await session.request(method)).result)));
    const nonces: string[] = [];
    const answers = await Promise.all(
      picks.map(async (pick, index) => {
        // a negative pick is a call of the echoing tool, whatever lists there are
        const list = pick < 0 ? undefined : lists[pick % (lists.length + 1)];
        if (list !== undefined) return { method: list[0], index, answer: await session.request(list[0]) };
        if (echo === undefined) return { method: lists[0]?.[0] ?? '', index, answer: await session.request(lists[0]?.[0] ?? '') };
        nonces[index] = `nonce-${index}-${picks.length}-${pick}`;
        return {
          method: echo.method,
          index,
          answer: await session.request(echo.method, echo.params(String(nonces[index]))),
        };
      }),
    );
    for (const { method, index, answer } of answers) {
      if (answer.result === undefined) continue;
      if (alone.has(method))
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

const metaTolerated = property<{ key: string; value: unknown; operation?: Operation }>({
  name: 'jsonrpc/meta-tolerated',
  area: 'meta',
  phase: 'fuzz',
  stems: ['RPC-META-TOLERATE', 'OTEL-FORMAT'],
  cases: (subject) => ({
    boundaries: [
      ...[1, null, 'x', [], { a: 1 }].map((value) => ({ key: 'com.example/x', value })),
      { key: 'x', value: 1 },
      { key: 'traceparent', value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      { key: 'traceparent', value: NO_TRACE },
      { key: 'baggage', value: NO_TRACE },
      ...operations(subject).map((operation) => ({ key: 'com.example/x', value: { a: [1] }, operation })),
      ...operations(subject).map((operation) => ({ key: 'traceparent', value: NO_TRACE, operation })),
    ],
    arbitrary: fc.record({ key: fc.stringMatching(/^[a-z]{1,8}$/).map((name) => `com.example/${name}`), value: anyJson }),
  }),
  async run({ session, subject }, { key, value, operation }) {
    const { method, params } = operation ?? { method: cheapMethod(subject), params: undefined };
    const [plain, extra] = [await session.request(method, params), await session.request(method, params, { meta: { [key]: value } })];
    const stem = key.includes('/') || key === 'x' ? 'RPC-META-TOLERATE' : 'OTEL-FORMAT';
    session.judge.check(
      stem,
      await alike(session, { method, ...(params === undefined ? {} : { params }) }, plain, extra),
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
    arbitrary: fc.record({ text: codePoints(20) }),
  }),
  async run({ session, subject }, { text }) {
    const clean = text.toWellFormed();
    const echo = await echoOf(session, subject);
    if (echo === undefined) {
      await session.request('notAMethod', { text: clean });
      session.judge.check('RPC-UTF8', session.ended === undefined, 'UTF-8 is read', String(session.ended));
      return;
    }
    if (!echo.takes(clean)) return;
    const answer = await session.request(echo.method, echo.params(clean));
    // a refusal is its right; a success has the text
    if (answer.result === undefined || answer.result['isError'] === true) return;
    session.judge.check('RPC-UTF8', echoed(answer, clean), `the text ${shown(clean)} as it was sent`, () => shown(texts(answer)[0]));
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
  async run({ session, subject }, { method, params, note }) {
    // what cannot be mirrored into a header may as well be refused for the header
    const mirrored = subject.transport === 'http' && subject.era === 'modern';
    const answer = await session.request(method, params as JsonObject, { provoked: mirrored });
    // validation of arguments may be told in a result
    if (answer.result?.['isError'] === true && note.startsWith('arguments')) return;
    // that a cursor is looked at is a SHOULD (Pagination, Error Handling), and a list of one page has none
    if (answer.result !== undefined && note.startsWith('cursor')) {
      session.judge.check('RPC-INVALID-PARAMS', false, `an error for ${method} with ${note}`, () => shown(answer.message), 'warning');
      return;
    }
    refused(session, answer, 'RPC-INVALID-PARAMS', { codes: mirrored ? [-32602, -32020] : [-32602], what: `${method} with ${note}` });
  },
});

/** The properties of requests. */
export const REQUESTS: readonly Property[] = [concurrent, metaTolerated, unicode, wrongParams];
