/** What 2026-07-28 asks of every request: versions, `_meta`, statelessness, discovery. */
import fc from 'fast-check';
import { META, MODERN_VERSION, MODERN_VERSIONS } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Subject } from '../engine/subject.ts';
import { cheapMethod, outcomeText, refused, servedLists, steady } from './expect.ts';

const eras = ['modern'] as const;
const envelope = {
  [META.version]: MODERN_VERSION,
  [META.clientInfo]: { name: 'signalbox-conform', version: '1.0.0' },
  [META.clientCapabilities]: {},
};
const supported = (subject: Subject): readonly unknown[] => {
  const listed = at(subject.handshake, 'supportedVersions');
  return Array.isArray(listed) ? listed : MODERN_VERSIONS;
};
const methods = (subject: Subject): readonly string[] => ['server/discover', ...servedLists(subject).map(([method]) => method)];

const discovery = property<{ history: readonly string[] }>({
  name: 'modern/discover',
  area: 'discover',
  phase: 'static',
  stems: ['DIS-IMPLEMENT', 'DIS-SHAPE', 'DIS-SERVERINFO', 'EXT-KEYS', 'LC-CAP-SHAPE', 'LC-INSTRUCTIONS-STRING'],
  eras,
  cases: (subject) => ({ boundaries: [{ history: [] }, { history: methods(subject) }, { history: ['notAMethod', 'server/discover'] }] }),
  async run({ session }, { history }) {
    for (const method of history) await session.request(method);
    const answer = await session.request('server/discover');
    session.judge.check('DIS-IMPLEMENT', answer.result !== undefined, 'a result', () => outcomeText(session, answer));
    const versions = at(answer.result, 'supportedVersions');
    if (answer.result !== undefined)
      session.judge.check(
        'DIS-SHAPE',
        Array.isArray(versions) && versions.includes(MODERN_VERSION),
        `supportedVersions with ${MODERN_VERSION}, which was accepted`,
        () => shown(versions),
      );
  },
});

const VERSIONS = ['1999-01-01', '2099-01-01', '', 'x', '2026-07-28 ', '2026-7-28', 'é', 'x'.repeat(5000), '2024-11-05', '2025-03-26'];
const versions = property<{ version: string; method: string }>({
  name: 'modern/unsupported-version',
  area: 'versioning',
  phase: 'fuzz',
  stems: ['VER-UNSUPPORTED', 'VER-ERR-DATA', 'VER-PER-REQUEST', 'HDR-VERSION-UNSUPPORTED-400'],
  eras,
  cases: (subject) => ({
    boundaries: VERSIONS.flatMap((version) =>
      methods(subject)
        .slice(0, 2)
        .map((method) => ({ version, method })),
    ),
    arbitrary: fc.record({ version: fc.stringMatching(/^[1-9]\d{3}-\d{2}-\d{2}$/), method: fc.constantFrom(...methods(subject)) }),
  }),
  async run({ session, subject }, { version, method }) {
    // a header cannot carry everything; what it cannot carry would be a header fault
    const inHeader = /^[\x21-\x7e]{1,200}$/.test(version);
    if (supported(subject).includes(version) || (subject.transport === 'http' && !inHeader)) return;
    const { judge } = session;
    // what an earlier request settled must not matter: the v2 SDK on stdio judges only the first
    await session.request(cheapMethod(subject));
    const answer = await session.request(method, undefined, {
      meta: { [META.version]: version },
      headers: { 'mcp-protocol-version': version },
      provoked: true,
    });
    const legacy = /^202[45]-/.test(version);
    if (answer.message === undefined && answer.http === undefined) judge.check('RPC-ONE-RESPONSE', false, 'a response', 'none');
    // a dual-era server may read a legacy date as the other era, where there is no session
    const code = at(answer.error, 'code');
    judge.check(
      'VER-UNSUPPORTED',
      code === -32022,
      `-32022 for version ${shown(version, 40)}`,
      () => outcomeText(session, answer),
      legacy ? 'note' : undefined,
    );
    if (code === -32022) {
      const offered = at(answer.error, 'data', 'supported');
      judge.check(
        'VER-ERR-DATA',
        at(answer.error, 'data', 'requested') === version &&
          Array.isArray(offered) &&
          offered.length > 0 &&
          offered.every((one) => supported(subject).includes(one)),
        'data.requested as sent, data.supported a subset of supportedVersions',
        () => shown(answer.error),
      );
      if (answer.http !== undefined)
        judge.check('HDR-VERSION-UNSUPPORTED-400', answer.http.status === 400, 'status 400', String(answer.http.status));
    }
    const after = await session.request(method);
    judge.check('VER-PER-REQUEST', after.result !== undefined, 'the next request is judged by itself', () => outcomeText(session, after));
  },
});

const initialize = property<{ version: string }>({
  name: 'modern/initialize',
  area: 'versioning',
  phase: 'boundaries',
  stems: ['VER-INIT-NAMES'],
  eras,
  fresh: true,
  cases: () => ({ boundaries: [{ version: '2025-11-25' }] }),
  async run({ session, subject }, { version }) {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'a', version: '1' } };
    const answer = await session.request('initialize', params, {
      bare: true,
      provoked: true,
      headers: { 'mcp-protocol-version': null, 'mcp-method': null },
    });
    if (answer.error === undefined) return;
    const text = JSON.stringify(answer.error);
    session.judge.check(
      'VER-INIT-NAMES',
      supported(subject).some((one) => text.includes(String(one))),
      'a supported version in the error',
      text,
    );
  },
});

const missingMeta = property<{ method: string; drop: readonly string[]; set?: JsonObject; bare?: boolean }>({
  name: 'modern/required-meta',
  area: 'meta',
  phase: 'boundaries',
  stems: ['META-REQUIRED', 'META-REQUIRED-400'],
  eras,
  cases(subject) {
    const changes: readonly { drop: readonly string[]; set?: JsonObject; bare?: boolean }[] = [
      { drop: [], bare: true },
      { drop: [META.version] },
      { drop: [META.clientCapabilities] },
      { drop: [META.version, META.clientCapabilities] },
      { drop: [], set: { [META.version]: 1 } },
      { drop: [], set: { [META.version]: null } },
      { drop: [], set: { [META.clientCapabilities]: 'all' } },
      { drop: [], set: { [META.clientCapabilities]: null } },
      { drop: [], set: { [META.clientCapabilities]: [] } },
    ];
    return { boundaries: methods(subject).flatMap((method) => changes.map((change) => ({ method, ...change }))) };
  },
  async run({ session }, { method, drop, set, bare }) {
    const meta = Object.fromEntries(Object.entries({ ...envelope, ...set }).filter(([key]) => !drop.includes(key)));
    const answer = await session.request(method, bare === true ? {} : { _meta: meta }, { bare: true, provoked: true });
    if (answer.message === undefined && answer.http === undefined) session.judge.check('RPC-ONE-RESPONSE', false, 'a response', 'none');
    const what =
      bare === true
        ? 'no _meta'
        : drop.length > 0
          ? `_meta without ${drop.map((key) => key.split('/')[1]).join(', ')}`
          : `_meta with ${shown(set)}`;
    // without a version a request may be one of the other era, or a header that does not match
    const versionTouched = bare === true || drop.includes(META.version) || Object.hasOwn(set ?? {}, META.version);
    const good = refused(session, answer, 'META-REQUIRED', {
      codes: versionTouched ? [-32602, -32020, -32022, -32600, -32601] : [-32602],
      what: `${method} with ${what}`,
    });
    if (good && answer.http !== undefined)
      session.judge.check(
        'META-REQUIRED-400',
        answer.http.status === 400,
        'status 400',
        String(answer.http.status),
        versionTouched ? 'warning' : undefined,
      );
  },
});

const neutral = property<{ method: string; clientInfo?: JsonObject }>({
  name: 'modern/client-info',
  area: 'meta',
  phase: 'fuzz',
  stems: ['META-CLIENTINFO-OPTIONAL', 'META-CLIENTINFO-NEUTRAL'],
  eras,
  cases: (subject) => ({
    boundaries: methods(subject).flatMap((method) => [
      { method },
      { method, clientInfo: { name: '', version: '' } },
      { method, clientInfo: { name: 'claude-code', version: '2.0.0' } },
      { method, clientInfo: { name: 'é😀', title: 'x', version: '0' } },
    ]),
    arbitrary: fc.record({
      method: fc.constantFrom(...methods(subject)),
      clientInfo: fc.record({ name: fc.string({ maxLength: 10 }), version: fc.string({ maxLength: 5 }) }),
    }),
  }),
  async run({ session }, { method, clientInfo }) {
    const usual = await session.request(method);
    const { [META.clientInfo]: _left, ...rest } = envelope;
    const answer = await session.request(
      method,
      { _meta: clientInfo === undefined ? rest : { ...rest, [META.clientInfo]: clientInfo } },
      { bare: true },
    );
    if (answer.message === undefined) return;
    const same = canonical(steady(answer.result)) === canonical(steady(usual.result));
    session.judge.check(
      clientInfo === undefined ? 'META-CLIENTINFO-OPTIONAL' : 'META-CLIENTINFO-NEUTRAL',
      same,
      `the same result ${clientInfo === undefined ? 'without' : 'whatever the'} clientInfo`,
      () => outcomeText(session, answer),
    );
  },
});

const stateless = property<{ history: readonly string[]; method: string }>({
  name: 'modern/stateless',
  area: 'statelessness',
  phase: 'stateful',
  stems: ['STL-NO-PRIOR', 'DIS-NO-PREREQ', 'TOOL-LIST-NO-VARY', 'RES-LIST-NO-VARY', 'PRM-LIST-NO-VARY', 'STL-CONN-REUSE', 'TOOL-ORDER'],
  eras,
  skip: (subject) => (servedLists(subject).length === 0 ? 'the server has no lists' : undefined),
  cases: (subject) => ({
    boundaries: servedLists(subject).flatMap(([method]) => [
      { history: [], method },
      { history: ['server/discover'], method },
      { history: ['notAMethod', ...methods(subject)], method },
    ]),
  }),
  async run({ session, subject, open }, { history, method }) {
    const { judge } = session;
    const first = await open({ raw: true });
    const bare = await first.request(method);
    for (const earlier of history) await session.request(earlier);
    for (const tool of history.length > 2 ? subject.callable.slice(0, 3) : [])
      if (tool.sample !== undefined) await session.request('tools/call', { name: tool.name, arguments: tool.sample });
    const later = await session.request(method);
    const same = canonical(steady(bare.result)) === canonical(steady(later.result));
    const got = (): string => `on a fresh connection ${outcomeText(first, bare)}, after ${shown(history)} ${outcomeText(session, later)}`;
    judge.check('STL-NO-PRIOR', same, 'an answer that does not depend on earlier requests', got);
    judge.check('DIS-NO-PREREQ', bare.result !== undefined, 'a result without server/discover before', () => outcomeText(first, bare));
    const member = { 'tools/list': 'TOOL', 'resources/list': 'RES', 'prompts/list': 'PRM' }[method];
    if (member !== undefined) judge.check(`${member}-LIST-NO-VARY`, same, 'the same list on every connection', got);
    if (method === 'tools/list') judge.check('TOOL-ORDER', same, 'the same order on every connection', got);
  },
});

const interleave = property<{ order: readonly boolean[] }>({
  name: 'modern/interleave',
  area: 'statelessness',
  phase: 'stateful',
  stems: ['STL-INTERLEAVE', 'VER-PER-REQUEST'],
  eras,
  cases: () => ({
    boundaries: [{ order: [true, false, true] }],
    arbitrary: fc.record({ order: fc.array(fc.boolean(), { minLength: 2, maxLength: 8 }) }),
  }),
  async run({ session, subject }, { order }) {
    const usual = canonical(steady((await session.request(cheapMethod(subject))).result));
    const answers = await Promise.all(
      order.map((good) =>
        session.request(
          cheapMethod(subject),
          undefined,
          good ? {} : { meta: { [META.version]: '1999-01-01' }, headers: { 'mcp-protocol-version': '1999-01-01' }, provoked: true },
        ),
      ),
    );
    for (const [index, answer] of answers.entries()) {
      const good = order[index] === true;
      session.judge.check('VER-PER-REQUEST', (answer.result !== undefined) === good, good ? 'a result' : 'an error', () =>
        outcomeText(session, answer),
      );
      if (good)
        session.judge.check('STL-INTERLEAVE', canonical(steady(answer.result)) === usual, 'the answer it gets alone', () =>
          outcomeText(session, answer),
        );
    }
  },
});

const GATED: readonly (readonly [capability: string, method: string, params: JsonObject])[] = [
  ['tools', 'tools/list', {}],
  ['tools', 'tools/call', { name: 'a', arguments: {} }],
  ['resources', 'resources/list', {}],
  ['resources', 'resources/templates/list', {}],
  ['resources', 'resources/read', { uri: 'test://a' }],
  ['prompts', 'prompts/list', {}],
  ['prompts', 'prompts/get', { name: 'a' }],
  ['completions', 'completion/complete', { ref: { type: 'ref/prompt', name: 'a' }, argument: { name: 'a', value: '' } }],
];
const gated = property<{ capability: string; method: string; params: JsonObject }>({
  name: 'modern/undeclared-capabilities',
  area: 'capabilities',
  phase: 'boundaries',
  stems: ['ERR-CAP-32601', 'DIS-CONSISTENT'],
  eras,
  cases: (subject) => ({
    boundaries: GATED.filter(([capability]) => !Object.hasOwn(subject.capabilities, capability)).map(([capability, method, params]) => ({
      capability,
      method,
      params,
    })),
  }),
  async run({ session }, { capability, method, params }) {
    const answer = await session.request(method, params);
    if (answer.message === undefined) return;
    session.judge.check('ERR-CAP-32601', at(answer.error, 'code') === -32601, `-32601 without the ${capability} capability`, () =>
      outcomeText(session, answer),
    );
    session.judge.check('DIS-CONSISTENT', answer.result === undefined, `nothing of ${capability}, which is not declared`, () =>
      outcomeText(session, answer),
    );
  },
});

/** The properties of the modern era. */
export const MODERN: readonly Property[] = [discovery, versions, initialize, missingMeta, neutral, stateless, interleave, gated];
