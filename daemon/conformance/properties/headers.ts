import { headerValue, META } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import { at } from '../engine/judge.ts';
import { isToken } from '../engine/param-headers.ts';
import { type Property, property } from '../engine/property.ts';
import type { Subject } from '../engine/subject.ts';
import { cheapMethod, operations, outcomeText } from './expect.ts';

const http = ['http'] as const;

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
    'HDR-PARAM-CHARS',
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
    // a header that is equal byte by byte passes wherever nobody looks at its characters: good servers are known for it
    const atMost = stem === 'HDR-PARAM-CHARS' ? 'warning' : undefined;
    judge.check(stem, rejected, `${what}: rejected`, () => outcomeText(session, answer), atMost);
    // a stack that rejects earlier has no code to give
    if (!rejected || stem === 'HDR-PARAM-CHARS') return;
    judge.check('HDR-MISMATCH-400', answer.http.status === 400, `${what}: status 400`, String(answer.http.status));
    // two versions, of which one is not supported: either fault may be told, and which is looked for first is not said
    const either = stem === 'HDR-VERSION-MATCH' && code === -32022;
    judge.check('HDR-MISMATCH-CODE', code === -32020 || either, `${what}: code -32020`, () => outcomeText(session, answer));
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
    ...operations(subject).flatMap(({ method, params = {} }): HeaderCase[] => [
      { method, params, what: `${method} without Mcp-Method`, headers: { 'mcp-method': null }, good: false, stem: 'HDR-METHOD-REQUIRED' },
      {
        method,
        params,
        what: `${method} without a version`,
        headers: { 'mcp-protocol-version': null },
        good: false,
        stem: 'HDR-VERSION-REQUIRED',
      },
      {
        method,
        params,
        what: `${method} with another Mcp-Method`,
        headers: { 'mcp-method': 'prompts/nothing' },
        good: false,
        stem: 'HDR-METHOD-MATCH',
      },
    ]),
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
    const flipped = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
    // a name without letters of two cases has no other case
    if (flipped !== name)
      cases.push({
        ...one,
        what: `${method} with Mcp-Name in another case`,
        headers: { 'mcp-name': headerValue(flipped) },
        good: false,
        stem: 'HDR-VALUE-CASE-SENS',
      });
    cases.push(
      { ...one, what: `${method} without Mcp-Name`, headers: { 'mcp-name': null }, good: false, stem: 'HDR-NAME-REQUIRED' },
      { ...one, what: `${method} with another Mcp-Name`, headers: { 'mcp-name': 'another' }, good: false, stem: 'HDR-NAME-MATCH' },
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
        // a decoder that leaves out what it does not know finds the right name in it
        what: `${method} with a character in its base64 that is none`,
        headers: { 'mcp-name': encoded(name).replace('?base64?', '?base64?!') },
        good: false,
        stem: 'HDR-BASE64-INVALID',
      },
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
      return typeof header === 'string' && isToken(header) ? [{ key, header: `mcp-param-${header}`, type: at(schema, 'type') }] : [];
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
      if (type === 'string')
        cases.push({
          method: 'tools/call',
          params: { name: tool.name, arguments: { ...args, [key]: 'caf\u00e9' } },
          what: `${header} with bytes that are no ASCII`,
          headers: { ...right, [header]: 'caf\u00e9' },
          good: false,
          stem: 'HDR-PARAM-CHARS',
        });
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

/** The properties of headers. */
export const HEADERS: readonly Property[] = [headers];
