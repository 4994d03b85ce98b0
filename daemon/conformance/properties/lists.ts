/** Resources, prompts, completion and pagination. */
import fc from 'fast-check';
import type { JsonObject } from '../../protocol/message.ts';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import { LISTS, type Subject, walk } from '../engine/subject.ts';
import { AWKWARD_TEXTS, anyText } from '../generators/text.ts';
import { outcomeText, refused, refusedWith, servedLists, steady } from './expect.ts';

const lacks =
  (capability: string) =>
  (subject: Subject): string | undefined =>
    Object.hasOwn(subject.capabilities, capability) ? undefined : `the server does not declare ${capability}`;
const has =
  (capability: string) =>
  (subject: Subject): string | undefined =>
    Object.hasOwn(subject.capabilities, capability) ? `the server declares ${capability}` : undefined;
/** Items read of a long list. */
const SAMPLED = 15;

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
    const { cursors: known } = await walk(session, method, member);
    const cursor = known[0];
    if (cursor === undefined) return;
    const page = await session.request(method, { cursor });
    const { judge } = session;
    if (change === 'again' || change === 'other connection') {
      if (change === 'other connection' && subject.era === 'legacy') return;
      const elsewhere = change === 'again' ? session : await open();
      const same = await elsewhere.request(method, { cursor });
      judge.check(
        change === 'again' ? 'PAG-STABLE' : 'STL-CONN-REUSE',
        canonical(steady(page.result)) === canonical(steady(same.result)),
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

const reads = property<{ uri: string }>({
  name: 'resources/read',
  area: 'resources',
  phase: 'boundaries',
  stems: ['RES-LISTED-READABLE', 'RES-READ-SHAPE', 'RES-BINARY', 'RES-TEXT-NOT-BINARY', 'CNT-BASE64'],
  skip: (subject) => lacks('resources')(subject) ?? (subject.resources.length === 0 ? 'no resource is listed' : undefined),
  cases: (subject) => ({ boundaries: subject.resources.slice(0, SAMPLED).map(({ uri }) => ({ uri: String(uri) })) }),
  async run({ session, subject }, { uri }) {
    const answer = await session.request('resources/read', { uri });
    session.judge.check('RES-LISTED-READABLE', answer.result !== undefined, `the listed resource ${uri}`, () =>
      outcomeText(session, answer),
    );
    const size = subject.resources.find((one) => one['uri'] === uri)?.['size'];
    const [item] = objectsAt(answer.result, 'contents');
    if (item === undefined) {
      if (answer.result !== undefined && answer.result['resultType'] !== 'input_required')
        session.judge.check('RES-READ-SHAPE', Array.isArray(answer.result['contents']), 'contents', () => shown(answer.result));
      return;
    }
    const bytes = typeof item['blob'] === 'string' ? Buffer.from(item['blob'], 'base64').length : undefined;
    if (typeof size === 'number' && bytes !== undefined)
      session.judge.check('RES-BINARY', bytes === size, `${size} bytes`, `${bytes} bytes`, 'warning');
  },
});

const MISSING = ['file:///no/such/file-4711', 'nosuchscheme://a/b', 'test://no/such', 'urn:no:such', 'https://example.invalid/none'];
const missing = property<{ uri: string }>({
  name: 'resources/missing',
  area: 'resources',
  phase: 'fuzz',
  stems: ['RES-NOT-FOUND', 'RES-NOT-FOUND-EMPTY', 'RES-INTERNAL-ERR'],
  skip: lacks('resources'),
  cases(subject) {
    const known = subject.resources.slice(0, 3).flatMap(({ uri }) => [`${String(uri)}-no-such`, `${String(uri)}/no/such`]);
    return {
      boundaries: [...MISSING, ...known].map((uri) => ({ uri })),
      arbitrary: fc.stringMatching(/^[a-z]{3,8}$/).map((name) => ({ uri: `nosuch${name}://host/${name}` })),
    };
  },
  async run({ session }, { uri }) {
    const answer = await session.request('resources/read', { uri });
    if (answer.message === undefined) return;
    const contents = answer.result?.['contents'];
    session.judge.check('RES-NOT-FOUND-EMPTY', !(Array.isArray(contents) && contents.length === 0), 'an error, not an empty list', () =>
      shown(answer.result),
    );
    // a template may well make something of any name
    if (answer.result !== undefined && Array.isArray(contents) && contents.length > 0) return;
    if (answer.result !== undefined && answer.result['resultType'] === 'input_required') return;
    const code = at(answer.error, 'code');
    session.judge.check('RES-NOT-FOUND', answer.error !== undefined, `an error for ${uri}`, () => shown(answer.message));
    if (answer.error !== undefined)
      refusedWith(session, answer, 'RES-NOT-FOUND', session.era === 'legacy' ? [-32002, -32602] : [-32602], `the missing resource ${uri}`);
    session.judge.check(
      'RES-INTERNAL-ERR',
      code === undefined || [-32002, -32602, -32603, -32601].includes(Number(code)),
      '-32603 for what is no parameter error',
      () => shown(answer.error),
      'note',
    );
  },
});

const badUris = property<{ uri: string }>({
  name: 'resources/bad-uris',
  area: 'resources',
  phase: 'fuzz',
  stems: ['RES-URI-VALIDATE', 'RES-TRAVERSAL'],
  skip: lacks('resources'),
  cases(subject) {
    const bases = [
      ...new Set(
        [...subject.resources, ...subject.templates].map((one) =>
          String(one['uri'] ?? one['uriTemplate'])
            .replace(/\{.*$/, '')
            .replace(/[^/]*$/, ''),
        ),
      ),
    ].slice(0, 4);
    const ups = [
      '../../../../../../../../etc/passwd',
      '%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
      '..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd',
      '..\\..\\..\\..\\..\\etc\\passwd',
      '%252e%252e/%252e%252e/%252e%252e/%252e%252e/etc/passwd',
      '....//....//....//....//etc/passwd',
      '/etc/passwd',
    ];
    return {
      boundaries: [
        ...[
          '',
          'relative',
          'a b c',
          'http://[',
          ':',
          '://x',
          'x'.repeat(65_536),
          'test://a\u0000b',
          'test://a\nb',
          'file:///etc/passwd',
          'file:///etc/../etc/passwd',
        ],
        ...bases.flatMap((base) => ups.map((up) => base + up)),
      ].map((uri) => ({ uri })),
      arbitrary: fc.constantFrom(...AWKWARD_TEXTS).map((text) => ({ uri: ` ${text}` })),
    };
  },
  async run({ session, subject }, { uri }) {
    const answer = await session.request('resources/read', { uri });
    if (answer.message === undefined) return;
    const text = JSON.stringify(answer.result ?? {});
    const leaked = /root:[^:]*:0:0:/.test(text);
    session.judge.check('RES-TRAVERSAL', !leaked, 'nothing outside what is served', () => text.slice(0, 300));
    const listedHere = subject.resources.some((one) => one['uri'] === uri);
    const contents = answer.result?.['contents'];
    if (!URL.canParse(uri) && !listedHere)
      session.judge.check('RES-URI-VALIDATE', !(Array.isArray(contents) && contents.length > 0), `no content for ${shown(uri, 60)}`, () =>
        shown(answer.result),
      );
    session.judge.check('RES-URI-VALIDATE', answer.error === undefined || at(answer.error, 'code') !== undefined, 'an error', () =>
      shown(answer.error),
    );
  },
});

const subscribe = property<{ order: readonly string[] }>({
  name: 'resources/subscribe',
  area: 'resources',
  phase: 'stateful',
  stems: ['RES-SUBSCRIBE', 'RES-SUBSCRIBE-CAP', 'RES-UPDATED-ONLY-SUB'],
  eras: ['legacy'],
  skip: lacks('resources'),
  cases: (subject) =>
    at(subject.capabilities, 'resources', 'subscribe') === true
      ? {
          boundaries: [
            { order: ['subscribe'] },
            { order: ['subscribe', 'unsubscribe'] },
            { order: ['unsubscribe'] },
            { order: ['subscribe', 'subscribe', 'unsubscribe', 'unsubscribe', 'subscribe', 'unsubscribe'] },
          ],
        }
      : { boundaries: [{ order: ['subscribe'] }] },
  async run({ session, subject }, { order }) {
    const uri = String(subject.resources[0]?.['uri'] ?? 'test://none');
    const declared = at(subject.capabilities, 'resources', 'subscribe') === true;
    for (const verb of order) {
      if (verb === 'subscribe') session.model.subscribed.add(uri);
      const answer = await session.request(`resources/${verb}`, { uri });
      if (verb === 'unsubscribe') session.model.subscribed.delete(uri);
      if (!declared)
        session.judge.check('RES-SUBSCRIBE-CAP', at(answer.error, 'code') === -32601, '-32601 without the capability', () =>
          outcomeText(session, answer),
        );
      else if (subject.resources.length > 0)
        session.judge.check(
          'RES-SUBSCRIBE',
          answer.result !== undefined && Object.keys(answer.result).every((key) => key === '_meta'),
          'an empty result',
          () => outcomeText(session, answer),
        );
    }
    session.model.subscribed.clear();
    await session.barrier();
    session.judge.check('RES-UPDATED-ONLY-SUB', true, '', '');
  },
});

const prompts = property<{ name: string; args: JsonObject }>({
  name: 'prompts/get',
  area: 'prompts',
  phase: 'fuzz',
  stems: ['PRM-ACCEPT', 'PRM-MESSAGES', 'PRM-INJECTION', 'PRM-INTERNAL'],
  skip: (subject) => lacks('prompts')(subject) ?? (subject.prompts.length === 0 ? 'no prompt is listed' : undefined),
  cases(subject) {
    const fill = (prompt: JsonObject, value: string): JsonObject =>
      Object.fromEntries(objectsAt(prompt, 'arguments').map((one) => [String(one['name']), value]));
    const drawn = subject.prompts.map((prompt) =>
      anyText.map((text) => ({ name: String(prompt['name']), args: fill(prompt, text.toWellFormed()) })),
    );
    return {
      boundaries: subject.prompts.slice(0, SAMPLED).flatMap((prompt) =>
        ['a', '', 'é😀', '{"role":"assistant"}', '${x} {{y}}', 'x'.repeat(20_000)].map((value) => ({
          name: String(prompt['name']),
          args: fill(prompt, value),
        })),
      ),
      arbitrary: fc.oneof(...drawn),
    };
  },
  async run({ session }, { name, args }) {
    const answer = await session.request('prompts/get', { name, ...(Object.keys(args).length === 0 ? {} : { arguments: args }) });
    const code = at(answer.error, 'code');
    // a prompt may know better which texts it takes: -32602 is its right, anything else is not
    if (answer.message !== undefined)
      session.judge.check(
        'PRM-ACCEPT',
        answer.result !== undefined || (code === -32602 && Object.keys(args).length > 0),
        'a result for required arguments given as strings',
        () => outcomeText(session, answer),
      );
    session.judge.check(
      'PRM-INTERNAL',
      code === undefined || code === -32602 || code === -32603,
      '-32603 for what is no parameter error',
      () => shown(answer.error),
    );
    if (answer.result === undefined || !Object.values(args).some((value) => String(value).includes('role'))) return;
    const plain = await session.request('prompts/get', { name, arguments: Object.fromEntries(Object.keys(args).map((key) => [key, 'a'])) });
    const roles = (one: JsonObject | undefined): string => canonical(objectsAt(one, 'messages').map(({ role }) => role));
    if (plain.result !== undefined)
      session.judge.check(
        'PRM-INJECTION',
        roles(plain.result) === roles(answer.result),
        'the same messages and roles whatever the text',
        () => shown(answer.result),
      );
  },
});

const badPrompts = property<{ params: JsonObject; stem: string; what: string }>({
  name: 'prompts/invalid',
  area: 'prompts',
  phase: 'boundaries',
  stems: ['PRM-UNKNOWN', 'PRM-MISSING-ARG', 'PRM-VALIDATE'],
  skip: lacks('prompts'),
  cases(subject) {
    const names = new Set(subject.prompts.map(({ name }) => name));
    const list: { params: JsonObject; stem: string; what: string }[] = [];
    const flips = subject.prompts.slice(0, 3).map(({ name }) => String(name).toUpperCase());
    for (const name of ['noSuchPrompt', '', '__proto__', 'constructor', 'é😀', ...flips])
      if (!names.has(name)) list.push({ params: { name }, stem: 'PRM-UNKNOWN', what: `the prompt ${shown(name)}` });
    for (const prompt of subject.prompts.slice(0, SAMPLED)) {
      const wanted = objectsAt(prompt, 'arguments');
      const full = Object.fromEntries(wanted.map((one) => [String(one['name']), 'a']));
      for (const one of wanted.filter(({ required }) => required === true)) {
        const { [String(one['name'])]: _left, ...rest } = full;
        list.push({
          params: { name: prompt['name'], arguments: rest },
          stem: 'PRM-MISSING-ARG',
          what: `the missing argument ${String(one['name'])}`,
        });
      }
      const first = wanted[0];
      if (first !== undefined)
        for (const value of [1, null, ['a'], { a: 1 }, true])
          list.push({
            params: { name: prompt['name'], arguments: { ...full, [String(first['name'])]: value } },
            stem: 'PRM-VALIDATE',
            what: `the argument ${shown(value)}`,
          });
    }
    return { boundaries: list };
  },
  async run({ session }, { params, stem, what }) {
    const answer = await session.request('prompts/get', params);
    if (answer.message === undefined) return;
    refused(session, answer, stem, { codes: [-32602], what });
  },
});

const completion = property<{ ref: JsonObject; argument: JsonObject; good: boolean; stem: string }>({
  name: 'completion/complete',
  area: 'completion',
  phase: 'boundaries',
  stems: ['CMP-MAX100', 'CMP-VALUES-STRING', 'CMP-TOTAL', 'CMP-INVALID-REF', 'CMP-VALIDATE', 'CMP-RELEVANCE', 'CMP-MISSING-ARG'],
  skip: lacks('completions'),
  cases(subject) {
    const list: { ref: JsonObject; argument: JsonObject; good: boolean; stem: string }[] = [];
    const values = ['', 'a', 'e', 'é😀', '__proto__', 'x'.repeat(10_000)];
    for (const prompt of subject.prompts.slice(0, 6))
      for (const one of objectsAt(prompt, 'arguments').slice(0, 3))
        for (const value of values)
          list.push({ ref: { type: 'ref/prompt', name: prompt['name'] }, argument: { name: one['name'], value }, good: true, stem: '' });
    for (const template of subject.templates.slice(0, 6))
      for (const match of String(template['uriTemplate']).matchAll(/\{[+#./;?&]?([A-Za-z0-9_]+)/g))
        for (const value of values)
          list.push({
            ref: { type: 'ref/resource', uri: template['uriTemplate'] },
            argument: { name: match[1], value },
            good: true,
            stem: '',
          });
    const some = list[0]?.ref ?? { type: 'ref/prompt', name: 'none' };
    const argument = list[0]?.argument ?? { name: 'a', value: '' };
    const bad = (ref: JsonObject, arg: JsonObject, stem: string): number => list.push({ ref, argument: arg, good: false, stem });
    bad({ type: 'ref/prompt', name: 'noSuchPrompt' }, argument, 'CMP-INVALID-REF');
    bad({ type: 'ref/resource', uri: 'nosuch://{x}' }, argument, 'CMP-INVALID-REF');
    bad({ type: 'ref/nothing', name: 'a' }, argument, 'CMP-INVALID-REF');
    bad(some, { name: argument['name'] }, 'CMP-MISSING-ARG');
    bad(some, { value: 'a' }, 'CMP-MISSING-ARG');
    bad({}, argument, 'CMP-MISSING-ARG');
    bad(some, { ...argument, value: 1 }, 'CMP-VALIDATE');
    bad(some, { ...argument, value: { a: 1 } }, 'CMP-VALIDATE');
    return { boundaries: list };
  },
  async run({ session }, { ref, argument, good, stem }) {
    const answer = await session.request('completion/complete', { ref, argument });
    if (answer.message === undefined) return;
    if (!good) {
      // the SDKs answer an unknown reference with an empty list: a warning at most by its level
      refused(session, answer, stem, { codes: [-32602], what: `${shown(ref)} ${shown(argument)}` });
      return;
    }
    session.judge.check('CMP-VALIDATE', answer.result !== undefined || at(answer.error, 'code') === -32602, 'values', () =>
      outcomeText(session, answer),
    );
    const again = await session.request('completion/complete', { ref, argument });
    session.judge.check(
      'CMP-RELEVANCE',
      canonical(at(answer.result, 'completion', 'values') ?? null) === canonical(at(again.result, 'completion', 'values') ?? null),
      'the same order for the same query',
      () => shown(again.result),
      'note',
    );
  },
});

const noCompletion = property<{ name: string }>({
  name: 'completion/undeclared',
  area: 'completion',
  phase: 'boundaries',
  stems: ['CMP-CAP', 'CMP-NOT-SUPPORTED'],
  skip: has('completions'),
  cases: () => ({ boundaries: [{ name: 'a' }] }),
  async run({ session, subject }, { name }) {
    const prompt = subject.prompts[0]?.['name'] ?? name;
    const answer = await session.request('completion/complete', {
      ref: { type: 'ref/prompt', name: prompt },
      argument: { name: 'a', value: '' },
    });
    session.judge.check('CMP-CAP', answer.result === undefined, 'no completion without the capability', () => shown(answer.message));
    if (answer.message !== undefined)
      session.judge.check('CMP-NOT-SUPPORTED', at(answer.error, 'code') === -32601, '-32601', () => outcomeText(session, answer));
  },
});

/** The properties of resources, prompts, completion and lists. */
export const LISTED: readonly Property[] = [
  listed,
  cacheScopes,
  cursors,
  realCursors,
  reads,
  missing,
  badUris,
  subscribe,
  prompts,
  badPrompts,
  completion,
  noCompletion,
];
