/** Versions and discovery of 2026-07-28: every request says which revision it speaks. */
import fc from 'fast-check';
import { META, MODERN_VERSION } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { cheapMethod, methods, operations, outcomeText, refused, supported } from './expect.ts';

const eras = ['modern'] as const;

const envelope = {
  [META.version]: MODERN_VERSION,
  [META.clientInfo]: { name: 'signalbox-conform', version: '1.0.0' },
  [META.clientCapabilities]: {},
};

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

const versions = property<{ version: string; method: string; params?: JsonObject }>({
  name: 'modern/unsupported-version',
  area: 'versioning',
  phase: 'fuzz',
  stems: ['VER-UNSUPPORTED', 'VER-ERR-DATA', 'VER-PER-REQUEST', 'HDR-VERSION-UNSUPPORTED-400'],
  eras,
  cases: (subject) => ({
    boundaries: [
      ...VERSIONS.flatMap((version) =>
        methods(subject)
          .slice(0, 2)
          .map((method) => ({ version, method })),
      ),
      ...operations(subject).map((operation) => ({ version: '1999-01-01', ...operation })),
    ],
    arbitrary: fc.record({ version: fc.stringMatching(/^[1-9]\d{3}-\d{2}-\d{2}$/), method: fc.constantFrom(...methods(subject)) }),
  }),
  async run({ session, subject, open }, { version, method, params }) {
    // a header cannot carry everything; what it cannot carry would be a header fault
    const inHeader = /^[\x21-\x7e]{1,200}$/.test(version);
    if (supported(subject).includes(version) || (subject.transport === 'http' && !inHeader)) return;
    const { judge } = session;
    const wrong = { meta: { [META.version]: version }, headers: { 'mcp-protocol-version': version }, provoked: true };
    // what an earlier request settled must not matter: the v2 SDK on stdio judges only the first
    const pipe = subject.transport === 'stdio';
    if (pipe && (version === VERSIONS[0] || version === VERSIONS[1])) {
      const fresh = await open({ raw: true });
      const first = await fresh.request(method, params, wrong);
      if (first.message !== undefined)
        fresh.judge.check('VER-UNSUPPORTED', at(first.error, 'code') === -32022, `-32022 for version ${version}`, () =>
          outcomeText(fresh, first),
        );
    }
    await session.request(cheapMethod(subject));
    const answer = await session.request(method, params, wrong);
    const legacy = /^202[45]-/.test(version);
    if (answer.message === undefined && answer.http === undefined) judge.check('RPC-ONE-RESPONSE', false, 'a response', 'none');
    // a dual-era server may read a legacy date as the other era, where there is no session
    const code = at(answer.error, 'code');
    judge.check(
      'VER-UNSUPPORTED',
      code === -32022,
      `-32022 for version ${shown(version, 40)}`,
      () => outcomeText(session, answer),
      legacy ? 'note' : pipe ? 'warning' : undefined,
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
    const after = await session.request(method, params);
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

const missingMeta = property<{ method: string; params?: JsonObject; drop: readonly string[]; set?: JsonObject; bare?: boolean }>({
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
    return { boundaries: operations(subject).flatMap((operation) => changes.map((change) => ({ ...operation, ...change }))) };
  },
  async run({ session }, { method, params, drop, set, bare }) {
    const meta = Object.fromEntries(Object.entries({ ...envelope, ...set }).filter(([key]) => !drop.includes(key)));
    const answer = await session.request(method, bare === true ? (params ?? {}) : { ...params, _meta: meta }, {
      bare: true,
      provoked: true,
    });
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

/** The properties of versions. */
export const VERSIONS_MODERN: readonly Property[] = [discovery, versions, initialize, missingMeta];
