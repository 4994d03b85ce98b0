/**
 * Nothing is lost on the way: whatever one side says arrives at the other, unknown fields, numbers beyond JavaScript and all. A mirror server
 * of either era behind stdio and HTTP, clients of either era over HTTP and the bridge, a real daemon between them, compared as texts.
 */
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type DaemonFixture, startDaemonFixture } from '../fixtures/daemon.ts';
import { assertSame, canonical, type Members, members, parseTree, type Tree, textOf, without } from '../fixtures/json-text.ts';
import { type Definitions, Mirror, type MirrorKind, type Said } from '../fixtures/mirror.ts';
import { eventually } from '../fixtures/process-tree.ts';
import { CAPABILITIES, TextClient } from '../fixtures/text-client.ts';

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const RUNS = FULL ? 300 : 14;
const SEED = Number(process.env['SIGNALBOX_SEED'] ?? 20261121);
const ENVELOPE = 'io.modelcontextprotocol/';

const KINDS: Readonly<Record<string, MirrorKind>> = {
  ls: { era: 'legacy', over: 'stdio' },
  lj: { era: 'legacy', over: 'json' },
  le: { era: 'legacy', over: 'sse' },
  ms: { era: 'modern', over: 'stdio' },
  mj: { era: 'modern', over: 'json' },
  me: { era: 'modern', over: 'sse' },
};

// ---- texts of JSON

const characters = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom(
    '',
    '\u2028\u2029',
    '\ud800',
    '\udc00x',
    '\r\n',
    '\u0000',
    '\\',
    '\\"',
    '\u00e9',
    'e\u0301',
    '}',
    'data: x\n\n',
    'TOKEN ',
  ),
);
/** A string in one of its spellings. */
const string = fc
  .tuple(characters, fc.boolean())
  .map(([value, escaped]) =>
    escaped
      ? JSON.stringify(value).replace(/[a-z/](?=[^\\]*$)/i, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
      : JSON.stringify(value),
  );
const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map(String),
  fc.constantFrom('9007199254740993', '1e400', '-1E-400', '-0', '-0.0', '1.0', '1.50e2', '0.1000000000000000055511151231257827', '5e-324'),
);
// Keys that end in a backslash: V8 13.6 mixes them up (test/unit/protocol/frame.test.ts).
const key = fc
  .oneof(
    { weight: 3, arbitrary: characters },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '__proto__',
        'constructor',
        'toString',
        'hasOwnProperty',
        'type',
        'text',
        'a',
        'A',
        'length',
        '0',
        'then',
        'toJSON',
        'rawJSON',
        'x-y',
      ),
    },
  )
  .filter((name) => !name.endsWith('\\'));
/** An object's text from its members. */
const objectText = (entries: readonly (readonly [string, string])[]): string =>
  `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
const entriesOf = (
  value: fc.Arbitrary<string>,
  taken: readonly string[] = [],
  maxLength = 4,
): fc.Arbitrary<(readonly [string, string])[]> =>
  fc
    .uniqueArray(fc.tuple(key, value), { maxLength, selector: ([name]) => name })
    .map((entries) => entries.filter(([name]) => !taken.includes(name)));
const { value: json } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false'),
    string,
    number,
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    entriesOf(tie('value')).map(objectText),
  ),
}));
/** Seldom: deep, or long. */
const weight = fc.oneof(
  { weight: 12, arbitrary: json },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 500 }).map((depth) => `${'[{"":'.repeat(depth)}1${'}]'.repeat(depth)}`) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 20 }).map((size) => JSON.stringify('é"x'.repeat(size / 4))) },
  { weight: 1, arbitrary: fc.integer({ min: 500, max: 20_000 }).map((size) => `[${'{"n":9007199254740993},'.repeat(size / 20)}0]`) },
);
const object = (taken: readonly string[] = []): fc.Arbitrary<string> => entriesOf(json, taken).map(objectText);
const meta = entriesOf(json, ['progressToken']).map((entries) => objectText([...entries, ['x.example/traceparent', '"00-1"']]));
const block = fc.oneof(
  fc
    .record({ text: string, annotations: object() })
    .map(({ text, annotations }) => `{"type":"text","text":${text},"annotations":${annotations}}`),
  fc.record({ type: string, more: entriesOf(json, ['type']) }).map(({ type, more }) => objectText([['type', type], ...more])),
);

// ---- definitions

const definition = (
  identity: (place: number) => readonly (readonly [string, string])[],
  taken: readonly string[],
): fc.Arbitrary<(place: number) => string> =>
  fc
    .record({
      more: entriesOf(json, ['name', '_meta', 'execution', 'outputSchema', ...taken]),
      meta,
      schema: entriesOf(json, ['type']),
      out: entriesOf(json, ['type']),
    })
    .map(({ more, meta: itsMeta, schema, out }) => (place) => {
      const schemas: readonly (readonly [string, string])[] = taken.includes('inputSchema')
        ? [
            ['inputSchema', objectText([['type', '"object"'], ...schema])],
            ['outputSchema', objectText([['type', '"object"'], ...out])],
          ]
        : [];
      return objectText([...identity(place), ...more, ...schemas, ['_meta', itsMeta]]);
    });
const some = (of: fc.Arbitrary<(place: number) => string>): string[] =>
  fc.sample(of, { seed: SEED, numRuns: FULL ? 200 : 40 }).map((text, place) => text(place));
const named = (place: number): [string, string] => ['name', `"d${place}"`];
const DEFINITIONS: Definitions = {
  tools: some(definition((place) => [named(place)], ['inputSchema'])),
  prompts: some(definition((place) => [named(place)], [])),
  resources: some(definition((place) => [['uri', `"mirror://d/${place}"`], named(place)], ['uri'])),
  resourceTemplates: some(definition((place) => [['uriTemplate', `"mirror://t/${place}/{x}"`], named(place)], ['uriTemplate'])),
};

// ---- one exchange

interface Exchange {
  readonly id: string;
  readonly method: string;
  readonly more: readonly (readonly [string, string])[];
  readonly args: string;
  readonly meta: string;
  readonly token: string | undefined;
  readonly notifications: readonly Said[];
  readonly questions: readonly (Said & { readonly answer: string })[];
  readonly outcome: { readonly result: string } | { readonly error: string; readonly code: number };
}

const progress = entriesOf(json, ['progressToken', 'progress', '_meta']).chain((more) =>
  number.map(
    (at): Said => ({ method: 'notifications/progress', params: objectText([['progressToken', '"TOKEN"'], ['progress', at], ...more]) }),
  ),
);
const log = fc
  .tuple(weight, entriesOf(json, ['level', 'data', '_meta']))
  .map(([data, more]): Said => ({ method: 'notifications/message', params: objectText([['level', '"error"'], ['data', data], ...more]) }));
const vendor = entriesOf(json, ['_meta']).map((more): Said => ({ method: 'notifications/x-vendor', params: objectText(more) }));
const elicitation = fc
  .record({
    message: string,
    more: entriesOf(json, ['message', 'mode', 'requestedSchema', '_meta', 'task', 'url', 'elicitationId']),
    schema: object(),
    meta,
    action: fc.constantFrom('accept', 'decline', 'cancel'),
    content: entriesOf(json, ['action', '_meta']),
  })
  .map((of) => ({
    method: 'elicitation/create',
    params: objectText([
      ['message', of.message],
      ['requestedSchema', `{"type":"object","properties":{},"x":${of.schema}}`],
      ...of.more,
      ['_meta', of.meta],
    ]),
    answer: objectText([['action', JSON.stringify(of.action)], ...of.content, ['_meta', of.meta]]),
  }));
const sampling = fc
  .record({
    content: block,
    more: entriesOf(json, ['messages', 'maxTokens', '_meta', 'task']),
    answer: entriesOf(json, ['role', 'content', '_meta']),
    said: block,
  })
  .map((of) => ({
    method: 'sampling/createMessage',
    params: objectText([['messages', `[{"role":"user","content":${of.content}}]`], ['maxTokens', '9007199254740993'], ...of.more]),
    answer: objectText([['role', '"assistant"'], ['content', of.said], ...of.answer]),
  }));
const RESULT_TAKEN = [
  'resultType',
  'ttlMs',
  'cacheScope',
  'content',
  'structuredContent',
  '_meta',
  'inputRequests',
  'requestState',
  'task',
];
const result = fc
  .record(
    {
      content: fc.array(block, { maxLength: 3 }).map((blocks) => `[${blocks.join(',')}]`),
      structuredContent: weight,
      isError: fc.constantFrom('true', 'false'),
      _meta: meta,
    },
    { requiredKeys: [] },
  )
  .chain((typed) =>
    entriesOf(weight, [...RESULT_TAKEN, 'isError']).map((more) => ({ result: objectText([...Object.entries(typed), ...more]) })),
  );
const error = fc
  .record({
    code: fc.oneof(
      fc.constantFrom(-32002, -32020, -32021, -32022, -32042, -32601, -32602, -32603, -32000, 0, 1),
      fc.integer({ min: 2, max: 2 ** 31 }),
    ),
    message: string,
    data: fc.option(weight),
  })
  .map(({ code, message, data }) => ({ code, error: `{"code":${code},"message":${message}${data === null ? '' : `,"data":${data}`}}` }));
const PARAMS_TAKEN = ['name', 'arguments', 'uri', 'ref', 'argument', '_meta', 'task', 'cursor', 'inputResponses', 'requestState'];
const exchange: fc.Arbitrary<Exchange> = fc.record({
  id: fc.oneof(string, fc.integer().map(String), fc.constantFrom('"1"', '1', '1.5', '"__proto__"', '""')),
  method: fc.constantFrom('tools/call', 'tools/call', 'prompts/get', 'resources/read', 'completion/complete', 'x-vendor/any'),
  more: entriesOf(weight, PARAMS_TAKEN),
  args: fc.oneof(object(), entriesOf(weight, []).map(objectText)),
  meta,
  token: fc.option(fc.constantFrom('"token"', '7', '""', '9007199254740993'), { nil: undefined }),
  notifications: fc.array(fc.oneof(progress, log, vendor), { maxLength: 4 }),
  questions: fc.array(fc.oneof(elicitation, sampling), { maxLength: 2 }),
  outcome: fc.oneof({ weight: 4, arbitrary: result }, { weight: 1, arbitrary: error }),
});

/** The params a client sends, or a server gets: they differ in the name only. */
function paramsOf({ method, more, args, meta: itsMeta, token }: Exchange, name: string): string {
  const typed: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    'tools/call': [
      ['name', JSON.stringify(name)],
      ['arguments', args],
    ],
    'prompts/get': [
      ['name', JSON.stringify(name)],
      ['arguments', args],
    ],
    'resources/read': [['uri', '"mirror://one"']],
    'completion/complete': [
      ['ref', `{"type":"ref/prompt","name":${JSON.stringify(name)},"x":${args}}`],
      ['argument', `{"name":"a","value":"b","x":${args}}`],
    ],
  };
  const dressed = token === undefined ? itsMeta : `{"progressToken":${token},${itsMeta.slice(1)}`;
  return objectText([...(typed[method] ?? []), ...more, ['_meta', dressed]]);
}

/** Without what each side of the gateway has of its own. */
function bare(params: Members): Members {
  const kept = [...members(params.get('_meta'))].filter(([name]) => !name.startsWith(ENVELOPE) && name !== 'progressToken');
  return new Map([...without(params, '_meta', 'inputResponses', 'requestState'), ['_meta', new Map(kept)]]);
}

function bareResult(tree: Tree | undefined): Tree {
  const kept = [...members(members(tree).get('_meta'))].filter(([name]) => !name.startsWith(ENVELOPE));
  return new Map([...without(members(tree), 'resultType', 'ttlMs', 'cacheScope', '_meta'), ['_meta', new Map(kept)]]);
}

/** What can be said in mid-call in this pairing: where it could not be told whose it is, it is not heard. */
function reduced(given: Exchange, client: 'legacy' | 'modern', { era, over }: MirrorKind): Exchange {
  const { outcome } = given;
  // A page to be visited: a modern client is asked to open it, which is another test (asking.test.ts).
  const page = client === 'modern' && 'code' in outcome && outcome.code === -32042;
  const asks = ['tools/call', 'prompts/get', 'resources/read'].includes(given.method);
  return {
    ...given,
    outcome: page ? { code: -32000, error: outcome.error.replace('-32042', '-32000') } : outcome,
    notifications: given.notifications.filter(({ method }) => {
      if (over === 'json') return false;
      if (method === 'notifications/progress') return given.token !== undefined;
      return method === 'notifications/message' || over === 'sse' || client === 'legacy';
    }),
    questions: asks && (over !== 'json' || era === 'modern') ? given.questions : [],
  };
}

async function carry(client: TextClient, mirror: Mirror, alias: string, given: Exchange): Promise<void> {
  const { method, token, notifications, questions, outcome } = given;
  const seen = mirror.expect({ notifications, questions, outcome });
  const open = [...questions];
  client.answer = (asked, params) => {
    const at = open.findIndex((question) => question.method === asked && canonical(parseTree(question.params)) === canonical(params));
    const [found] = at === -1 ? [] : open.splice(at, 1);
    if (found === undefined) assertSame(params, parseTree(open[0]?.params ?? 'null'), `the question ${asked}`);
    return found?.answer ?? '{}';
  };
  const response = await client.request(method, paramsOf(given, `${alias}__mirror`), given.id);

  // What the server got.
  const sent = bare(members(parseTree(paramsOf(given, 'mirror'))));
  if (seen.rounds.length === 0) throw new Error(`the server got nothing: ${canonical(response).slice(0, 500)}`);
  for (const got of seen.rounds) assertSame(bare(got), sent, `${method} at the server`);
  const itsMeta = members(seen.rounds[0]?.get('_meta'));
  if (token !== undefined && !itsMeta.has('progressToken')) throw new Error('the progress token was lost');
  if (token === undefined && itsMeta.has('progressToken')) throw new Error('a progress token nobody gave');
  if (client.era === 'modern' && mirror.kind.era === 'modern')
    assertSame(itsMeta.get(`${ENVELOPE}clientCapabilities`), parseTree(CAPABILITIES), 'the capabilities at the server');
  const texts = (trees: readonly Tree[]): Tree => trees.map(canonical).sort();
  assertSame(texts(seen.answers), texts(questions.map(({ answer }) => parseTree(answer))), 'the answers at the server');

  // What the client got.
  if ('error' in outcome) {
    const code =
      outcome.code === -32020 || outcome.code === -32022
        ? -32603
        : outcome.code === -32002 && client.era === 'modern'
          ? -32602
          : outcome.code;
    assertSame(
      response.get('error'),
      new Map([...members(parseTree(outcome.error)), ['code', parseTree(String(code))]]),
      `the error of ${method}`,
    );
  } else {
    const expected = members(bareResult(parseTree(outcome.result)));
    const structured = expected.get('structuredContent');
    const wrap = client.era === 'legacy' && mirror.kind.era === 'modern' && structured !== undefined && !(structured instanceof Map);
    assertSame(
      bareResult(response.get('result')),
      wrap ? new Map([...expected, ['structuredContent', new Map([['result', structured]])]]) : expected,
      `the result of ${method}`,
    );
  }
  await eventually('every notification is heard', () => client.heard.length >= notifications.length);
  const expected = notifications.map(({ method: named, params }) =>
    said(named, parseTree(params.replace('"TOKEN"', () => token ?? 'null'))),
  );
  const heard = client.heard.map((message) => said(String(message.get('method')), message.get('params')));
  assertSame([...heard].sort(), [...expected].sort(), 'what was heard');
  const inOrder = (all: readonly string[]): readonly string[] => all.filter((text) => text.startsWith('notifications/progress'));
  assertSame(inOrder(heard), inOrder(expected), 'the order of progress');
}

/** Every definition is listed as the server gave it, but for the exposed name. */
async function assertListed(client: TextClient, alias: string): Promise<void> {
  for (const [method, field, renamed] of [
    ['tools/list', 'tools', true],
    ['prompts/list', 'prompts', true],
    ['resources/list', 'resources', false],
    ['resources/templates/list', 'resourceTemplates', false],
  ] as const) {
    const listed: Tree[] = [];
    for (let params = '{}'; ; ) {
      const result = members((await client.request(method, params)).get('result'));
      listed.push(...((result.get(field) ?? []) as readonly Tree[]));
      const cursor = result.get('nextCursor');
      if (cursor === undefined) break;
      params = `{"cursor":${textOf(cursor)}}`;
    }
    const expected = DEFINITIONS[field].map((text): Members => {
      const given = members(parseTree(text));
      return renamed ? new Map([...given, ['name', `${alias}__${String(given.get('name'))}`]]) : given;
    });
    const own = field === 'resourceTemplates' ? 0 : 1;
    if (listed.length !== expected.length + own) throw new Error(`${listed.length} ${field}`);
    for (const each of expected)
      assertSame(
        listed.find((item) => ['name', 'uri', 'uriTemplate'].every((id) => members(item).get(id) === each.get(id))),
        each,
        `a definition of ${method}`,
      );
  }
}

const said = (method: string, params: Tree | undefined): string => `${method} ${canonical(params)}`;

describe('transparency', () => {
  const mirrors = new Map<string, Mirror>();
  let daemon: DaemonFixture;
  before(async () => {
    for (const [alias, kind] of Object.entries(KINDS)) mirrors.set(alias, await Mirror.start(kind, DEFINITIONS));
    const each = (of: (alias: string) => unknown): object => Object.fromEntries(Object.keys(KINDS).map((alias) => [alias, of(alias)]));
    daemon = await startDaemonFixture({
      config: {
        servers: each((alias) => mirrors.get(alias)?.entry),
        namespaces: each((alias) => [alias]),
        endpoints: each((alias) => ({ namespaces: [alias] })),
      },
      endpoint: 'ls',
    });
  });
  after(async () => {
    await daemon?.stop();
    for (const mirror of mirrors.values()) await mirror.close();
  });

  for (const [alias, kind] of Object.entries(KINDS))
    for (const era of ['legacy', 'modern'] as const)
      for (const way of ['HTTP', 'bridge'] as const)
        it(`${era} client over ${way}, ${kind.era} server over ${kind.over === 'stdio' ? 'stdio' : `HTTP (${kind.over})`}`, async () => {
          const mirror = mirrors.get(alias);
          if (mirror === undefined) throw new Error('no mirror');
          const client =
            way === 'bridge'
              ? await TextClient.bridge(era, daemon.home, alias)
              : await TextClient.http(
                  era,
                  await daemon.home.json<{ url: string; token: string }>('clients', 'token', 'test', '--endpoint', alias),
                );
          try {
            await assertListed(client, alias);
            await fc.assert(
              fc.asyncProperty(exchange, (given) => carry(client, mirror, alias, reduced(given, era, kind))),
              { numRuns: RUNS, seed: SEED, interruptAfterTimeLimit: FULL ? 600_000 : 60_000, markInterruptAsFailure: true },
            );
          } finally {
            await client.close();
          }
        });
});
