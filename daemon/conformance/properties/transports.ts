/** Streamable HTTP and stdio: origins, statuses, sessions, headers, chunks, sizes. */
import fc from 'fast-check';
import { headerValue, META } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import type { Subject } from '../engine/subject.ts';
import { cheapMethod, outcomeText, steady } from './expect.ts';

const http = ['http'] as const;
const ORIGINS = [
  'http://evil.example',
  'https://localhost.evil.example',
  'http://127.0.0.1.evil.example',
  'null',
  'http://xn--lcalhost-4gb.example',
  'https://evil.example:443',
  'file://',
];

const origins = property<{ origin: string; method: 'POST' | 'GET' | 'DELETE' }>({
  name: 'http/origin',
  area: 'http',
  phase: 'boundaries',
  stems: ['HTTP-ORIGIN', 'HTTP-ORIGIN-403', 'HTTP-ORIGIN-OK'],
  transports: http,
  cases: (subject) => ({
    boundaries: [
      ...ORIGINS.map((origin) => ({ origin, method: 'POST' as const })),
      ...(subject.era === 'legacy' ? [{ origin: 'http://evil.example', method: 'GET' as const }] : []),
      { origin: '', method: 'POST' },
    ],
  }),
  async run({ session, subject }, { origin, method }) {
    const { judge } = session;
    if (method !== 'POST') {
      const sent = session.wire.send(Buffer.alloc(0), { method, headers: { ...session.headers(), origin }, timeoutMs: 1500 });
      const facts = await sent.exchange;
      if (facts !== undefined && facts.status !== 0 && facts.status !== 405)
        judge.check('HTTP-ORIGIN', facts.status >= 400, `${method} from ${origin} is not served`, `HTTP ${facts.status}`);
      return;
    }
    const answer = await session.request(cheapMethod(subject), undefined, {
      provoked: origin !== '',
      ...(origin === '' ? {} : { headers: { origin } }),
    });
    if (answer.http === undefined) return;
    if (origin === '') {
      judge.check('HTTP-ORIGIN-OK', answer.http.status === 200, 'requests without Origin are served', () => outcomeText(session, answer));
      return;
    }
    judge.check('HTTP-ORIGIN', answer.result === undefined, `a request from ${origin} is not served`, () => outcomeText(session, answer));
    if (answer.result === undefined) judge.check('HTTP-ORIGIN-403', answer.http.status === 403, 'status 403', String(answer.http.status));
  },
});

const methodsOf = property<{ method: 'GET' | 'DELETE' }>({
  name: 'http/methods',
  area: 'http',
  phase: 'boundaries',
  stems: ['HTTP-ENDPOINT', 'HTTP-GET', 'HTTP-405', 'HTTP-SESSION-404', 'HTTP-SESSION-DELETE'],
  transports: http,
  fresh: true,
  cases: () => ({ boundaries: [{ method: 'GET' }, { method: 'DELETE' }] }),
  async run({ session, subject }, { method }) {
    const { judge } = session;
    if (subject.era === 'modern') {
      const facts = await session.wire.send(Buffer.alloc(0), { method, headers: session.headers(), timeoutMs: 1500 }).exchange;
      // a server of both eras has uses for them
      const dual = facts !== undefined && facts.status !== 405;
      if (facts !== undefined && facts.status !== 0) judge.check('HTTP-405', !dual, 'status 405', String(facts.status), 'note');
      judge.check('HTTP-ENDPOINT', true, '', '');
      return;
    }
    if (method === 'GET') {
      const sent = session.wire.send(Buffer.alloc(0), { method, headers: session.headers(), timeoutMs: 800 });
      const facts = await sent.exchange;
      const stream = facts !== undefined && facts.status === 200 && (facts.headers['content-type'] ?? '').startsWith('text/event-stream');
      // the standing stream of this connection is there already: 409 is what the v1 SDK says to a second
      const fine = facts !== undefined && (stream || facts.status === 405 || facts.status === 409 || facts.status === 0);
      judge.check('HTTP-GET', fine, 'an event stream or 405', `HTTP ${facts?.status}`);
      judge.check('HTTP-ENDPOINT', fine, 'GET and POST at one path', `HTTP ${facts?.status}`);
      return;
    }
    if (session.sessionId === undefined) return;
    const facts = await session.wire.send(Buffer.alloc(0), { method, headers: session.headers(), timeoutMs: 3000 }).exchange;
    const status = facts?.status ?? 0;
    judge.check('HTTP-SESSION-DELETE', (status >= 200 && status < 300) || status === 405, '2xx or 405', String(status));
    if (status === 405) return;
    const after = await session.request(cheapMethod(subject), undefined, { provoked: true });
    judge.check('HTTP-SESSION-404', after.http?.status === 404, 'status 404 for an ended session', () => outcomeText(session, after));
    await session.close();
  },
});

const sessions = property<{ id: string | null }>({
  name: 'http/session-ids',
  area: 'http',
  phase: 'boundaries',
  stems: ['HTTP-SESSION-REQUIRED', 'HTTP-SESSION-404', 'HTTP-SESSION-ENTROPY', 'HTTP-SESSION-ASCII'],
  eras: ['legacy'],
  transports: http,
  cases: () => ({ boundaries: [{ id: null }, { id: 'no-such-session' }, { id: '00000000-0000-4000-8000-000000000000' }] }),
  async run({ session, subject, open }, { id }) {
    const { judge } = session;
    if (session.sessionId === undefined) return; // a server without sessions
    const answer = await session.request(cheapMethod(subject), undefined, { provoked: true, headers: { 'mcp-session-id': id } });
    if (id === null) {
      judge.check('HTTP-SESSION-REQUIRED', answer.http?.status === 400, 'status 400 without a session id', () =>
        outcomeText(session, answer),
      );
      const ids = [session.sessionId];
      for (let more = 0; more < 4; more++) ids.push(String((await open()).sessionId));
      const numbers = ids.map((one) => Number(one.replace(/\D/g, '').slice(-9)));
      const counting = numbers.length > 2 && numbers.every((one, index) => index === 0 || one - (numbers[index - 1] ?? 0) === 1);
      judge.check(
        'HTTP-SESSION-ENTROPY',
        new Set(ids).size === ids.length && !counting && ids.every((one) => one.length >= 16),
        'ids that cannot be guessed',
        () => shown(ids),
      );
    } else
      judge.check(
        'HTTP-SESSION-404',
        answer.http?.status === 404,
        'status 404 for an unknown session',
        () => outcomeText(session, answer),
        answer.http?.status === 400 ? 'warning' : undefined,
      );
  },
});

const versionHeader = property<{ version: string | null }>({
  name: 'http/version-header',
  area: 'headers',
  phase: 'boundaries',
  stems: ['HTTP-VERSION-HEADER', 'HTTP-VERSION-DEFAULT'],
  eras: ['legacy'],
  transports: http,
  cases: () => ({
    boundaries: [{ version: 'x' }, { version: '1999-01-01' }, { version: '2099-01-01' }, { version: '2025-11-25x' }, { version: null }],
  }),
  async run({ session, subject }, { version }) {
    const answer = await session.request(cheapMethod(subject), undefined, { provoked: true, headers: { 'mcp-protocol-version': version } });
    if (version === null)
      session.judge.check('HTTP-VERSION-DEFAULT', answer.result !== undefined, 'served without the header', () =>
        outcomeText(session, answer),
      );
    else
      session.judge.check('HTTP-VERSION-HEADER', answer.http?.status === 400, `status 400 for version ${version}`, () =>
        outcomeText(session, answer),
      );
  },
});

const clientResponses = property<{ id: unknown }>({
  name: 'http/unknown-responses',
  area: 'http',
  phase: 'malformed',
  stems: ['HTTP-CLIENT-RESPONSE-202', 'RPC-SURVIVE-GARBAGE'],
  cases: () => ({ boundaries: [{ id: 987_654 }, { id: 'nobody-asked' }] }),
  async run({ session }, { id }) {
    const { http: facts } = await session.malformed(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: {} })));
    if (facts !== undefined && facts.status !== 0)
      session.judge.check('HTTP-CLIENT-RESPONSE-202', facts.status < 500, '2xx or 4xx', `HTTP ${facts.status}`);
  },
});

/** A request with headers that should or should not pass. */
interface HeaderCase {
  readonly what: string;
  readonly headers: Readonly<Record<string, string | null>>;
  readonly good: boolean;
  readonly stem: string;
  readonly method: string;
  readonly params: JsonObject;
  readonly meta?: JsonObject;
}

const headers = property<HeaderCase>({
  name: 'http/headers',
  area: 'headers',
  phase: 'boundaries',
  stems: [
    'HDR-VERSION-REQUIRED',
    'HDR-VERSION-MATCH',
    'HDR-METHOD-REQUIRED',
    'HDR-METHOD-MATCH',
    'HDR-NAME-REQUIRED',
    'HDR-NAME-MATCH',
    'HDR-MISMATCH-400',
    'HDR-MISMATCH-CODE',
    'HDR-NAME-CASE-INSENS',
    'HDR-VALUE-CASE-SENS',
    'HDR-BASE64-DECODE',
    'HDR-BASE64-SENTINEL',
    'HDR-BASE64-INVALID',
    'HDR-PARAM-MATCH',
    'HDR-PARAM-MISSING',
    'HDR-PARAM-ABSENT-OK',
    'HDR-PARAM-INT',
    'HDR-PARAM-UNKNOWN',
    'HDR-OWS',
    'HTTP-SESSION-IGNORE',
    'HTTP-LASTEVENT-IGNORE',
  ],
  eras: ['modern'],
  transports: http,
  cases: (subject) => ({ boundaries: headerCases(subject) }),
  async run({ session }, { what, headers: changed, good, stem, method, params, meta }) {
    const { judge } = session;
    const sent = Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, value]));
    const answer = await session.request(method, params, { headers: sent, provoked: !good, ...(meta === undefined ? {} : { meta }) });
    if (answer.http === undefined || answer.http.status === 0) return;
    const code = at(answer.error, 'code');
    if (good) {
      judge.check(stem, code !== -32020 && answer.http.status < 400 && answer.message !== undefined, `${what}: accepted`, () =>
        outcomeText(session, answer),
      );
      return;
    }
    const rejected = answer.result === undefined && (answer.http.status >= 400 || answer.error !== undefined);
    judge.check(stem, rejected, `${what}: rejected`, () => outcomeText(session, answer));
    if (!rejected) return;
    judge.check('HDR-MISMATCH-400', answer.http.status === 400, `${what}: status 400`, String(answer.http.status));
    judge.check('HDR-MISMATCH-CODE', code === -32020, `${what}: code -32020`, () => outcomeText(session, answer));
  },
});

function headerCases(subject: Subject): readonly HeaderCase[] {
  const base = { method: cheapMethod(subject), params: {} };
  const cases: HeaderCase[] = [
    { ...base, what: 'no MCP-Protocol-Version', headers: { 'mcp-protocol-version': null }, good: false, stem: 'HDR-VERSION-REQUIRED' },
    {
      ...base,
      what: 'another version in the header',
      headers: { 'mcp-protocol-version': '2025-11-25' },
      good: false,
      stem: 'HDR-VERSION-MATCH',
    },
    {
      ...base,
      what: 'another version in the body',
      headers: {},
      meta: { [META.version]: '2099-01-01' },
      good: false,
      stem: 'HDR-VERSION-MATCH',
    },
    { ...base, what: 'no Mcp-Method', headers: { 'mcp-method': null }, good: false, stem: 'HDR-METHOD-REQUIRED' },
    ...['prompts/nothing', base.method.slice(0, -1), `${base.method}/`].map((value) => ({
      ...base,
      what: `Mcp-Method ${value}`,
      headers: { 'mcp-method': value },
      good: false,
      stem: 'HDR-METHOD-MATCH',
    })),
    {
      ...base,
      what: 'Mcp-Method in capitals',
      headers: { 'mcp-method': base.method.toUpperCase() },
      good: false,
      stem: 'HDR-VALUE-CASE-SENS',
    },
    {
      ...base,
      what: 'header names in mixed case',
      headers: { 'MCP-PROTOCOL-version': '2026-07-28', 'mCP-mETHOD': base.method },
      good: true,
      stem: 'HDR-NAME-CASE-INSENS',
    },
    { ...base, what: 'white space around the value', headers: { 'mcp-method': `  ${base.method}\t ` }, good: true, stem: 'HDR-OWS' },
    { ...base, what: 'an unknown Mcp-Param header', headers: { 'mcp-param-nothing': 'x' }, good: true, stem: 'HDR-PARAM-UNKNOWN' },
    { ...base, what: 'a session id', headers: { 'mcp-session-id': 'any-id' }, good: true, stem: 'HTTP-SESSION-IGNORE' },
    { ...base, what: 'a Last-Event-ID', headers: { 'last-event-id': 'any-id' }, good: true, stem: 'HTTP-LASTEVENT-IGNORE' },
  ];
  const tool = subject.callable.find(({ sample }) => sample !== undefined);
  const named: readonly (readonly [string, string, JsonObject])[] = [
    ...(tool === undefined ? [] : [['tools/call', tool.name, { name: tool.name, arguments: tool.sample ?? {} }] as const]),
    ...subject.resources.slice(0, 1).map(({ uri }) => ['resources/read', String(uri), { uri }] as const),
    ...subject.prompts
      .filter((prompt) => prompt['arguments'] === undefined)
      .slice(0, 1)
      .map(({ name }) => ['prompts/get', String(name), { name }] as const),
  ];
  for (const [method, name, params] of named) {
    const one = { method, params };
    const encoded = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;
    cases.push(
      { ...one, what: `${method} without Mcp-Name`, headers: { 'mcp-name': null }, good: false, stem: 'HDR-NAME-REQUIRED' },
      { ...one, what: `${method} with another Mcp-Name`, headers: { 'mcp-name': 'another' }, good: false, stem: 'HDR-NAME-MATCH' },
      {
        ...one,
        what: `${method} with Mcp-Name in another case`,
        headers: { 'mcp-name': headerValue(name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()) },
        good: false,
        stem: 'HDR-VALUE-CASE-SENS',
      },
      { ...one, what: `${method} with Mcp-Name in base64`, headers: { 'mcp-name': encoded(name) }, good: true, stem: 'HDR-BASE64-DECODE' },
      {
        ...one,
        what: `${method} with another name in base64`,
        headers: { 'mcp-name': encoded('another') },
        good: false,
        stem: 'HDR-BASE64-DECODE',
      },
      {
        ...one,
        what: `${method} with =?BASE64?`,
        headers: { 'mcp-name': encoded(name).replace('base64', 'BASE64') },
        good: false,
        stem: 'HDR-BASE64-SENTINEL',
      },
      {
        ...one,
        what: `${method} with base64 without its end`,
        headers: { 'mcp-name': encoded(name).slice(0, -2) },
        good: false,
        stem: 'HDR-BASE64-SENTINEL',
      },
      { ...one, what: `${method} with invalid base64`, headers: { 'mcp-name': '=?base64?!!!?=' }, good: false, stem: 'HDR-BASE64-INVALID' },
      {
        ...one,
        what: `${method} with base64 of broken UTF-8`,
        headers: { 'mcp-name': '=?base64?/w==?=' },
        good: false,
        stem: 'HDR-BASE64-INVALID',
      },
    );
  }
  return [...cases, ...paramCases(subject)];
}

/** Arguments mirrored into headers by `x-mcp-header`. */
function paramCases(subject: Subject): readonly HeaderCase[] {
  for (const tool of subject.callable) {
    const properties = at(tool.definition, 'inputSchema', 'properties');
    if (typeof properties !== 'object' || properties === null || tool.sample === undefined) continue;
    const marked = Object.entries(properties as JsonObject).flatMap(([key, schema]) => {
      const header = at(schema, 'x-mcp-header');
      return typeof header === 'string' ? [{ key, header: `mcp-param-${header}`, type: at(schema, 'type') }] : [];
    });
    if (marked.length === 0) continue;
    const plainValue = (type: unknown): unknown => (type === 'integer' ? 42 : type === 'boolean' ? true : 'plain');
    const args = { ...tool.sample, ...Object.fromEntries(marked.map(({ key, type }) => [key, tool.sample?.[key] ?? plainValue(type)])) };
    const right = Object.fromEntries(marked.map(({ key, header }) => [header, headerValue(String(args[key]))]));
    const one = { method: 'tools/call', params: { name: tool.name, arguments: args } };
    const cases: HeaderCase[] = [{ ...one, what: 'matching Mcp-Param headers', headers: right, good: true, stem: 'HDR-PARAM-MATCH' }];
    for (const { key, header, type } of marked) {
      cases.push(
        { ...one, what: `${header} with another value`, headers: { ...right, [header]: 'another' }, good: false, stem: 'HDR-PARAM-MATCH' },
        { ...one, what: `no ${header}`, headers: { ...right, [header]: null }, good: false, stem: 'HDR-PARAM-MISSING' },
      );
      if (type === 'integer')
        cases.push({
          ...one,
          what: `${header} as ${String(args[key])}.0`,
          headers: { ...right, [header]: `${String(args[key])}.0` },
          good: true,
          stem: 'HDR-PARAM-INT',
        });
      const required = at(tool.definition, 'inputSchema', 'required');
      if (Array.isArray(required) && required.includes(key)) continue;
      const { [key]: _left, ...rest } = args;
      const { [header]: _header, ...others } = right;
      cases.push({
        method: 'tools/call',
        params: { name: tool.name, arguments: rest },
        what: `neither ${header} nor the argument`,
        headers: others,
        good: true,
        stem: 'HDR-PARAM-ABSENT-OK',
      });
    }
    return cases;
  }
  return [];
}

const chunks = property<{ sizes: readonly number[] }>({
  name: 'stdio/chunks',
  area: 'stdio',
  phase: 'malformed',
  stems: ['STD-PARTIAL-READ'],
  transports: ['stdio'],
  cases: () => ({
    boundaries: [{ sizes: [1] }, { sizes: [1, 1, 1, 1] }, { sizes: [30, 1, 1, 1, 1, 1] }, { sizes: Array.from({ length: 60 }, () => 2) }],
    arbitrary: fc.record({ sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }) }),
  }),
  async run({ session, subject }, { sizes }) {
    const usual = await session.request(cheapMethod(subject));
    const answer = await session.request(cheapMethod(subject), undefined, { chunks: sizes, id: `é😀-${session.freshId()}` });
    session.judge.check(
      'STD-PARTIAL-READ',
      canonical(steady(answer.result)) === canonical(steady(usual.result)),
      'the same answer however it is cut',
      () => outcomeText(session, answer),
    );
    // several messages in one write
    const [one, two] = [session.compose(cheapMethod(subject), undefined), session.compose('notAMethod', undefined)];
    const both = Buffer.from(`${JSON.stringify(one)}\n${JSON.stringify(two)}`);
    await Promise.all([session.ask(one, { text: both }), waitFor(session, two)]);
  },
});

/** Registers a request that travels inside another write. */
async function waitFor(session: Session, message: JsonObject): Promise<void> {
  const answer = await session.ask(message, { unsent: true });
  session.judge.check(
    'STD-PARTIAL-READ',
    answer.message !== undefined,
    'every message of one write is answered',
    'no answer to the second',
  );
}

const large = property<{ bytes: number }>({
  name: 'robustness/large',
  area: 'robustness',
  phase: 'malformed',
  stems: ['STD-LARGE', 'ROB-NO-CRASH', 'SCH-BOUNDS'],
  cases: () => ({ boundaries: [65_535, 65_536, 65_537, 300_000, 1_000_000].map((bytes) => ({ bytes })) }),
  async run({ session, subject }, { bytes }) {
    const answer = await session.request(cheapMethod(subject), undefined, {
      meta: { 'com.example/filler': 'x'.repeat(bytes) },
      provoked: true,
    });
    session.judge.check('STD-LARGE', answer.message !== undefined, `a message of ${bytes} bytes is answered`, () =>
      outcomeText(session, answer),
    );
  },
});

const deep = property<{ text: string; what: string }>({
  name: 'robustness/extremes',
  area: 'robustness',
  phase: 'malformed',
  stems: ['ROB-NO-CRASH', 'RPC-SURVIVE-GARBAGE', 'SCH-BOUNDS'],
  cases(subject) {
    const wrap = (inner: string): string =>
      `{"jsonrpc":"2.0","id":"bad","method":${JSON.stringify(cheapMethod(subject))},"params":${inner}}`;
    const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    return {
      boundaries: [
        { what: '1e400', text: wrap('{"cursor":1e400}') },
        { what: 'a lone surrogate', text: wrap('{"cursor":"\\ud800"}') },
        { what: '__proto__', text: wrap('{"__proto__":{"polluted":true}}') },
        { what: 'constructor.prototype', text: wrap('{"constructor":{"prototype":{"polluted":true}}}') },
        { what: 'duplicate keys', text: wrap('{"a":1,"a":2}') },
        { what: '1 000 nested arrays', text: wrap(nested(1000)) },
        { what: '10 000 nested arrays', text: wrap(nested(10_000)) },
        { what: '100 000 keys', text: wrap(`{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":0`).join(',')}}`) },
      ],
    };
  },
  async run({ session, subject }, { text }) {
    await session.malformed(Buffer.from(text), {
      ids: ['bad'],
      ...(session.era === 'modern' ? { headers: { 'mcp-method': cheapMethod(subject) } } : {}),
    });
    session.judge.check('SCH-BOUNDS', session.ended === undefined, 'bounded work', String(session.ended));
  },
});

/** The properties of the transports. */
export const TRANSPORTS: readonly Property[] = [origins, methodsOf, sessions, versionHeader, clientResponses, headers, chunks, large, deep];
