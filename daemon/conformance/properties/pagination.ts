/** Lists and their pages: served as declared, walked to the end, cursors good and bad. */
import fc from 'fast-check';
import type { JsonObject } from '../../protocol/message.ts';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import { LISTS, walk } from '../engine/subject.ts';
import { anyText } from '../generators/text.ts';
import { outcomeText, servedLists, steady } from './expect.ts';

const listed = property<{ method: string; member: string; capability: string }>({
  name: 'lists/served',
  area: 'resources',
  phase: 'static',
  stems: [
    'RES-CAP',
    'RES-LIST-SERVED',
    'PRM-CAP',
    'PRM-LIST-SERVED',
    'RES-URI-VALID',
    'RES-TEMPLATE-VALID',
    'RES-URI-UNIQUE',
    'PRM-NAME-UNIQUE',
    'DIS-CONSISTENT',
    'PAG-TERMINATES',
    'PAG-PARTITION',
    'PAG-CURSOR-STRING',
    'PAG-OPS',
    'CCH-PAGES',
    'TOOL-ORDER',
    'ROB-DETERMINISM',
    'ROB-LATENCY',
    'CCH-FRESH',
  ],
  cases: () => ({ boundaries: LISTS.map(([method, member, capability]) => ({ method, member, capability })) }),
  async run({ session, subject }, { method, member, capability }) {
    const { judge } = session;
    const declared = Object.hasOwn(subject.capabilities, capability);
    const stem = { tools: 'TOOL', resources: 'RES', resourceTemplates: 'RES', prompts: 'PRM' }[member] ?? '';
    if (method === 'tools/list') {
      const hello = await session.request(subject.era === 'legacy' ? 'ping' : 'server/discover');
      judge.check('ROB-LATENCY', hello.ms < 2000, 'the cheapest request within 2 s', `${Math.round(hello.ms)} ms`);
    }
    const first = await session.request(method);
    if (!declared) {
      judge.check(`${stem}-CAP`, first.result === undefined, `no ${member} without the capability`, () => outcomeText(session, first));
      judge.check(
        'DIS-CONSISTENT',
        at(first.error, 'code') === -32601,
        '-32601 for what is not declared',
        () => outcomeText(session, first),
        'note',
      );
      return;
    }
    judge.check('ROB-LATENCY', first.ms < 2000, 'a list within 2 s', `${Math.round(first.ms)} ms`);
    if (member !== 'resourceTemplates') {
      judge.check(`${stem}-LIST-SERVED`, Array.isArray(at(first.result, member)), 'a list', () => outcomeText(session, first));
      judge.check('DIS-CONSISTENT', first.result !== undefined, 'the list of what is declared', () => outcomeText(session, first));
    }
    if (first.result === undefined) return;
    const one = await walk(session, method, member);
    judge.check('PAG-TERMINATES', one.ended, 'a last page', `${one.pages} pages, cursors ${shown(one.cursors.slice(-3))}`);
    if (!one.ended) return;
    const key = { tools: 'name', resources: 'uri', resourceTemplates: 'uriTemplate', prompts: 'name' }[member] ?? 'name';
    const keys = one.items.map((item) => item[key]);
    const twice = keys.find((value, index) => keys.indexOf(value) !== index);
    if (one.pages > 1) judge.check('PAG-PARTITION', twice === undefined, 'no item twice', () => shown(twice));
    if (one.pages > 1)
      judge.check(
        'PAG-OPS',
        one.items.length > objectsAt(first.result, member).length,
        'pages behind the first',
        `${one.items.length} items`,
      );
    if (member === 'resources') judge.check('RES-URI-UNIQUE', twice === undefined, 'unique URIs', () => shown(twice));
    if (member === 'prompts') judge.check('PRM-NAME-UNIQUE', twice === undefined, 'unique names', () => shown(twice));
    const again = await walk(session, method, member);
    const sorted = (items: readonly JsonObject[]): string => canonical(items.map((item) => canonical(item)).sort());
    judge.check(
      'ROB-DETERMINISM',
      sorted(one.items) === sorted(again.items),
      'the same list',
      () => `${shown(keys)} became ${shown(again.items.map((item) => item[key]))}`,
    );
    judge.check(
      'CCH-FRESH',
      sorted(one.items) === sorted(again.items),
      'the same list',
      () => `${shown(keys)} became ${shown(again.items.map((item) => item[key]))}`,
      'warning',
    );
    if (one.pages > 1)
      judge.check('PAG-PARTITION', sorted(one.items) === sorted(again.items), 'the same set in two walks', () => shown(keys));
    if (member === 'tools' && sorted(one.items) === sorted(again.items))
      judge.check(
        'TOOL-ORDER',
        canonical(one.items.map(({ name }) => name)) === canonical(again.items.map(({ name }) => name)),
        'the same order',
        () => shown(again.items.map(({ name }) => name)),
      );
  },
});

/** What a list has on a connection nobody has used, and how it goes on: a fault that comes with the third request is over elsewhere. */
const unworn = property<{ times: number }>({
  name: 'lists/unworn',
  area: 'robustness',
  phase: 'stateful',
  stems: ['ROB-DETERMINISM'],
  fresh: true,
  skip: (subject) => (servedLists(subject).length === 0 ? 'the server has no list' : undefined),
  cases: () => ({ boundaries: [{ times: 6 }] }),
  async run({ session, subject }, { times }) {
    for (const [method, member] of servedLists(subject)) {
      const keys = async (): Promise<readonly string[] | undefined> => {
        const { result } = await session.request(method);
        return result === undefined
          ? undefined
          : objectsAt(result, member).map((item) => String(item['uri'] ?? item['uriTemplate'] ?? item['name']));
      };
      const first = await keys();
      for (let time = 2; first !== undefined && time <= times; time++) {
        const now = await keys();
        if (now === undefined) break;
        const same = canonical([...first].sort()) === canonical([...now].sort());
        session.judge.check(
          'ROB-DETERMINISM',
          same,
          `${method} as it was at first`,
          () => `${shown(first)} became ${shown(now)} at request ${time}`,
        );
        if (!same) break;
      }
    }
  },
});

const cacheScopes = property<{ method: string }>({
  name: 'lists/one-scope',
  area: 'caching',
  phase: 'stateful',
  stems: ['CCH-PAGES'],
  eras: ['modern'],
  skip: (subject) => (subject.paged.length === 0 ? 'no list has a second page' : undefined),
  cases: (subject) => ({ boundaries: subject.paged.map((method) => ({ method })) }),
  async run({ session }, { method }) {
    const scopes = new Set<unknown>();
    let cursor: unknown;
    for (let page = 0; page < 20; page++) {
      const answer = await session.request(method, cursor === undefined ? undefined : { cursor });
      scopes.add(at(answer.result, 'cacheScope'));
      cursor = at(answer.result, 'nextCursor');
      if (typeof cursor !== 'string') break;
    }
    session.judge.check('CCH-PAGES', scopes.size === 1, 'one cacheScope for all pages', () => shown([...scopes]));
  },
});

const cursors = property<{ method: string; cursor: string }>({
  name: 'lists/invalid-cursors',
  area: 'pagination',
  phase: 'fuzz',
  stems: ['PAG-INVALID', 'PAG-INVALID-GRACEFUL', 'PAG-EMPTY-CURSOR'],
  skip: (subject) => (servedLists(subject).length === 0 ? 'the server has no lists' : undefined),
  cases(subject) {
    const methods = servedLists(subject).map(([method]) => method);
    const texts = ['no-such-cursor', 'x', '', 'bm8=', '-1', '999999', 'eyJvZmZzZXQiOi01fQ==', '😀', '__proto__', 'x'.repeat(5000)];
    return {
      boundaries: methods.flatMap((method) => texts.map((cursor) => ({ method, cursor }))),
      arbitrary: fc.record({ method: fc.constantFrom(...methods), cursor: anyText.map((text) => `~${text}`) }),
    };
  },
  async run({ session, subject }, { method, cursor }) {
    const answer = await session.request(method, { cursor });
    if (answer.message === undefined) return;
    const { judge } = session;
    // a list of one page may never look at the cursor: the SDKs' lists do not
    const atMost = subject.paged.includes(method) ? undefined : 'note';
    const code = at(answer.error, 'code');
    judge.check(
      cursor === '' ? 'PAG-EMPTY-CURSOR' : 'PAG-INVALID',
      code === -32602,
      `-32602 for the cursor ${shown(cursor, 60)}`,
      () => outcomeText(session, answer),
      atMost,
    );
    judge.check('PAG-INVALID-GRACEFUL', code !== -32603, 'no internal error', () => outcomeText(session, answer), atMost);
  },
});

const realCursors = property<{ method: string; change: string }>({
  name: 'lists/cursors-stable',
  area: 'pagination',
  phase: 'stateful',
  stems: ['PAG-STABLE', 'PAG-INVALID', 'STL-CONN-REUSE'],
  skip: (subject) => (subject.paged.length === 0 ? 'no list has a second page' : undefined),
  cases: (subject) => ({
    boundaries: subject.paged.flatMap((method) =>
      ['again', 'other connection', 'last character', 'cut', 'longer', 'other list'].map((change) => ({ method, change })),
    ),
  }),
  async run({ session, subject, open }, { method, change }) {
    const member = LISTS.find(([name]) => name === method)?.[1] ?? '';
    const { cursors: known, items } = await walk(session, method, member);
    const cursor = known[0];
    if (cursor === undefined) return;
    const page = await session.request(method, { cursor });
    const { judge } = session;
    if (change === 'again' || change === 'other connection') {
      if (change === 'other connection' && subject.era === 'legacy') return;
      const elsewhere = change === 'again' ? session : await open();
      // another process may be in another state, which is no fault of the cursor
      if (elsewhere !== session && canonical((await walk(elsewhere, method, member)).items) !== canonical(items)) return;
      const same = await elsewhere.request(method, { cursor });
      judge.check(
        change === 'again' ? 'PAG-STABLE' : 'STL-CONN-REUSE',
        // the walk has used this cursor before: no page now is another page
        page.result !== undefined && canonical(steady(page.result)) === canonical(steady(same.result)),
        'the same page for the same cursor',
        () => outcomeText(session, same),
        change === 'again' ? undefined : 'warning',
      );
      return;
    }
    const other = subject.paged.find((one) => one !== method);
    const mutant =
      change === 'last character'
        ? `${cursor.slice(0, -1)}${cursor.endsWith('A') ? 'B' : 'A'}`
        : change === 'cut'
          ? cursor.slice(0, -2)
          : change === 'longer'
            ? `${cursor}x`
            : undefined;
    if (mutant === undefined && other === undefined) return;
    if (mutant !== undefined && known.includes(mutant)) return;
    const answer = await session.request(mutant === undefined ? (other ?? method) : method, { cursor: mutant ?? cursor });
    if (change === 'other list') {
      judge.check(
        'PAG-INVALID',
        answer.error !== undefined,
        'an error for a cursor of another list',
        () => outcomeText(session, answer),
        'note',
      );
      return;
    }
    // an offset in disguise may be another valid one after a change
    if (/^\d+$/.test(cursor) || /^\d+$/.test(Buffer.from(cursor, 'base64').toString())) return;
    judge.check(
      'PAG-INVALID',
      at(answer.error, 'code') === -32602,
      `-32602 for a cursor changed (${change})`,
      () => outcomeText(session, answer),
      change === 'cut' ? 'note' : undefined,
    );
  },
});

/** The properties of lists. */
export const PAGINATION: readonly Property[] = [listed, unworn, cacheScopes, cursors, realCursors];
