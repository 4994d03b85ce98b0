/** Resources: read, missing, out of bounds, subscribed to. */
import fc from 'fast-check';
import { at, objectsAt, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { AWKWARD_TEXTS } from '../generators/text.ts';
import { lacks, outcomeText, refusedWith } from './expect.ts';

/** Items read of a long list. */
const SAMPLED = 24;

/** Some of a long list: its begin, its end, and what lies evenly between. */
function sampled<T>(items: readonly T[]): readonly T[] {
  if (items.length <= SAMPLED) return items;
  return Array.from({ length: SAMPLED }, (_, index) => items[Math.round((index * (items.length - 1)) / (SAMPLED - 1))] as T);
}

const reads = property<{ uri: string }>({
  name: 'resources/read',
  area: 'resources',
  phase: 'boundaries',
  stems: ['RES-LISTED-READABLE', 'RES-READ-SHAPE', 'RES-BINARY', 'RES-TEXT-NOT-BINARY', 'CNT-BASE64'],
  skip: (subject) => lacks('resources')(subject) ?? (subject.resources.length === 0 ? 'no resource is listed' : undefined),
  cases: (subject) => ({ boundaries: sampled(subject.resources).map(({ uri }) => ({ uri: String(uri) })) }),
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

/** The properties of resources. */
export const RESOURCES: readonly Property[] = [reads, missing, badUris, subscribe];
