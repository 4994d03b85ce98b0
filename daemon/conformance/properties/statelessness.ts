/** Statelessness of 2026-07-28: no request depends on another, or on who asks. */
import fc from 'fast-check';
import { META, MODERN_VERSION } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import type { Subject } from '../engine/subject.ts';
import { alike, cheapMethod, methods, operations, outcomeText, servedLists, steady } from './expect.ts';

const eras = ['modern'] as const;

const envelope = {
  [META.version]: MODERN_VERSION,
  [META.clientInfo]: { name: 'signalbox-conform', version: '1.0.0' },
  [META.clientCapabilities]: {},
};

const neutral = property<{ method: string; params?: JsonObject; clientInfo?: JsonObject }>({
  name: 'modern/client-info',
  area: 'meta',
  phase: 'fuzz',
  stems: ['META-CLIENTINFO-OPTIONAL', 'META-CLIENTINFO-NEUTRAL'],
  eras,
  cases: (subject) => ({
    boundaries: operations(subject).flatMap((operation) => [
      operation,
      { ...operation, clientInfo: { name: '', version: '' } },
      { ...operation, clientInfo: { name: 'claude-code', version: '2.0.0' } },
      { ...operation, clientInfo: { name: 'é😀', title: 'x', version: '0' } },
    ]),
    arbitrary: fc.record({
      method: fc.constantFrom(...methods(subject)),
      clientInfo: fc.record({ name: fc.string({ maxLength: 10 }), version: fc.string({ maxLength: 5 }) }),
    }),
  }),
  async run({ session }, { method, params, clientInfo }) {
    const usual = await session.request(method, params);
    const { [META.clientInfo]: _left, ...rest } = envelope;
    const answer = await session.request(
      method,
      { ...params, _meta: clientInfo === undefined ? rest : { ...rest, [META.clientInfo]: clientInfo } },
      { bare: true },
    );
    if (answer.message === undefined) return;
    const same = await alike(session, { method, ...(params === undefined ? {} : { params }) }, usual, answer);
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
    if (method === 'tools/list') checkFirstLook(session, subject, later);
    const member = { 'tools/list': 'TOOL', 'resources/list': 'RES', 'prompts/list': 'PRM' }[method];
    const looks = subject.afterReading?.[method.split('/')[0] ?? ''];
    if (looks !== undefined && member !== undefined) {
      const kept = canonical(looks[0]) === canonical(looks[1]);
      const how = (): string => `${shown(looks[0])} became ${shown(looks[1])} once tools were called that only read`;
      for (const stem of [`${member}-LIST-NO-VARY`, 'STL-NO-PRIOR']) judge.check(stem, kept, 'the list as it was at first', how);
    }
    if (member !== undefined) judge.check(`${member}-LIST-NO-VARY`, same, 'the same list on every connection', got);
    if (method === 'tools/list') judge.check('TOOL-ORDER', same, 'the same order on every connection', got);
  },
});

/** The tools as they were when the server was looked at first: what has changed since was changed by requests. */
function checkFirstLook({ judge }: Session, subject: Subject, later: Answer): void {
  // a tool that may change the list was called, or there are pages: nothing can be said
  if (subject.roles.some(({ changes }) => changes === true) || subject.paged.includes('tools/list') || later.result === undefined) return;
  const [then, now] = [subject.tools.map(({ name }) => name), objectsAt(later.result, 'tools').map(({ name }) => name)];
  const what = (): string => `${shown(then)} became ${shown(now)}`;
  const same = canonical([...then].sort()) === canonical([...now].sort());
  judge.check('TOOL-LIST-NO-VARY', same, 'the list as it was at first', what);
  judge.check('STL-NO-PRIOR', same, 'the list as it was at first', what);
  if (same) judge.check('TOOL-ORDER', canonical(then) === canonical(now), 'the order as it was at first', what);
}

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
      session.judge.check(
        'VER-PER-REQUEST',
        (answer.result !== undefined) === good,
        good ? 'a result' : 'an error',
        () => outcomeText(session, answer),
        // the v2 SDK on a pipe judges only the first version
        good || subject.transport === 'http' ? undefined : 'warning',
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

/** The properties of statelessness. */
export const STATELESSNESS: readonly Property[] = [neutral, stateless, interleave, gated];
