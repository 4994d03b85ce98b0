/** The guard against its corpus: everything forbidden is refused and the forbidden server counts no connection; everything legitimate passes. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { PrivateHosts } from '../../../servers/api/guard/address.ts';
import { openGuard } from '../../../servers/api/guard/exchange.ts';
import { strictUrl } from '../../../servers/api/guard/target.ts';
import { FORBIDDEN_ANSWERS, FORBIDDEN_HOSTS, FORBIDDEN_URLS } from './corpus/addresses.ts';
import { BREAKING_HEADER_VALUES, CLIMBING, FOREIGN_HEADERS, HARMLESS_PATHS, PLAIN_HEADERS, QUERY_VALUES } from './corpus/arguments.ts';
import { ALLOWED_LOCATIONS, FORBIDDEN_LOCATIONS } from './corpus/redirects.ts';
import { type Counted, description, folder, listen, type Opened, openTestApi } from './harness.ts';

let forbidden: Counted;
let friendly: Counted;
let location = '';
let link = '';
let refusedCases = 0;
let passedCases = 0;
const files = folder();
const never = new AbortController().signal;
const ok = { responses: { 200: { description: 'ok' } } };

before(async () => {
  // On every address of both families: a form that is not refused would find somebody at home.
  forbidden = await listen((_request, response) => response.end('the secret inside'), '::');
  friendly = await listen((request, response) => {
    if (request.url === '/v1/away') response.writeHead(302, { location: Buffer.from(location).toString('latin1') }).end();
    else if (request.url?.startsWith('/v1/list'))
      response
        .writeHead(200, { 'content-type': 'application/json', ...(link === '' ? {} : { link }) })
        .end(JSON.stringify({ items: [1], next: location }));
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
  });
});
after(async () => {
  await forbidden.stop();
  await friendly.stop();
  files.remove();
});

function untouched(what: string): void {
  assert.equal(forbidden.connections(), 0, `the forbidden server was reached by ${what}`);
}
function refused(code: string | undefined, what: string): void {
  assert.match(code ?? 'none', /^SBX_API_(?:REFUSED|INPUT|SPEC)$|^SCHEMA$/u, what);
  refusedCases++;
  untouched(what);
}
const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown));
const named = (text: string): string =>
  text
    .replaceAll('FORBIDDEN', `127.0.0.1:${forbidden.port}`)
    .replaceAll('FRIEND', `127.0.0.1:${friendly.port}`)
    .replaceAll('FPORT', String(forbidden.port))
    .replaceAll('GPORT', String(friendly.port))
    .replaceAll('PORT', String(forbidden.port));
const friend = (): string => `http://127.0.0.1:${friendly.port}`;
const allowFriend = (): readonly string[] => [`127.0.0.1:${friendly.port}`];

it('an address that leads inside is never dialled, however it is spelled', async () => {
  for (const host of FORBIDDEN_HOSTS) {
    const text = `http://${host}:${forbidden.port}/`;
    const url = strictUrl(text);
    const origin = typeof url === 'string' ? friend() : url.origin;
    const guard = openGuard({ origins: [origin, friend()], allowPrivate: allowFriend(), timeoutMs: 5000, cache: false });
    try {
      await guard.exchange({ method: 'GET', url: text, maxBytes: 1000, signal: never });
      assert.fail(`${host} was fetched`);
    } catch (thrown) {
      refused(codeOf(thrown), host);
    } finally {
      await guard.close();
    }
  }
});

it('an address that two programs read differently is refused', async () => {
  const guard = openGuard({
    origins: [friend(), 'http://friend.test', 'http://friend.test:80'],
    allowPrivate: allowFriend(),
    timeoutMs: 5000,
    cache: false,
    resolve: () => Promise.resolve(['127.0.0.1']),
  });
  for (const each of FORBIDDEN_URLS) {
    await assert.rejects(guard.exchange({ method: 'GET', url: named(each), maxBytes: 1000, signal: never }), (thrown) => {
      refused(codeOf(thrown), each);
      return true;
    });
  }
  await guard.close();
});

it('every answer of the resolver counts, and a name is not dialled when one of them leads inside', async () => {
  for (const answers of FORBIDDEN_ANSWERS) {
    let asked = 0;
    const resolve = (): Promise<readonly string[]> => {
      asked++;
      return Promise.resolve(answers);
    };
    const origin = `http://looks-public.test:${forbidden.port}`;
    const guard = openGuard({
      origins: [origin],
      allowPrivate: [...allowFriend(), `127.0.0.1:${forbidden.port + 1}`],
      timeoutMs: 5000,
      cache: false,
      resolve,
    });
    await assert.rejects(guard.exchange({ method: 'GET', url: `${origin}/`, maxBytes: 1000, signal: never }), (thrown) => {
      refused(codeOf(thrown), answers.join(' '));
      return true;
    });
    assert.equal(asked, 1, 'one lookup for one connection');
    await guard.close();
  }
});

it('DNS rebinding: the second answer of a name is checked like the first, and a kept connection is not moved', async () => {
  const answers = [['127.0.0.1'], ['169.254.169.254'], ['127.0.0.1', '169.254.169.254']];
  let asked = 0;
  const origin = `http://rebind.test:${friendly.port}`;
  const resolve = (): Promise<readonly string[]> => Promise.resolve(answers[asked++] ?? []);
  const open = () =>
    openGuard({ origins: [origin], allowPrivate: [`rebind.test:${friendly.port}`], timeoutMs: 5000, cache: false, resolve });
  const ask = { method: 'GET', url: `${origin}/v1/ok`, maxBytes: 1000, signal: never };
  const guard = open();
  assert.equal((await guard.exchange(ask)).status, 200);
  // The pool knows a connection as free a turn of the event loop later.
  await new Promise(setImmediate);
  assert.equal((await guard.exchange(ask)).status, 200);
  assert.equal(asked, 1, 'the second request used the checked connection');
  passedCases += 2;
  await guard.close();
  for (let round = 0; round < 2; round++) {
    const fresh = open();
    await assert.rejects(fresh.exchange(ask), (thrown) => {
      refused(codeOf(thrown), 'rebound');
      return true;
    });
    await fresh.close();
  }
});

it('what the settings name is that host on that port, and nothing that looks like it', () => {
  const hosts = new PrivateHosts([
    'localhost:81',
    '127.0.0.1:82',
    '[::1]:83',
    'inside.test:84',
    '169.254.1.1:85',
    'nonsense',
    ':9',
    'x:99999',
  ]);
  const may: readonly (readonly [string, string, number])[] = [
    ['127.0.0.1', 'localhost', 81],
    ['::1', 'localhost', 81],
    ['127.0.0.1', '127.0.0.1', 82],
    ['::1', '::1', 83],
    ['::1', '[::1]', 83],
    ['10.0.0.1', 'inside.test', 84],
    ['fd00::1', 'inside.test', 84],
    ['169.254.1.1', '169.254.1.1', 85],
    ['8.8.8.8', 'x.test', 443],
    ['2606:4700::1', 'x.test', 80],
  ];
  const not: readonly (readonly [string, string, number])[] = [
    ['127.0.0.1', 'localhost', 82],
    ['127.0.0.1', 'evil.test', 82],
    ['127.0.0.1', '127.0.0.1', 81],
    ['127.0.0.2', '127.0.0.1', 82],
    ['169.254.169.254', 'inside.test', 84],
    ['0.0.0.0', 'inside.test', 84],
    ['10.0.0.1', 'other.test', 84],
    ['127.0.0.1', 'a.localhost', 81],
    ['::', 'inside.test', 84],
    ['8.8.8.8', 'x.test', 25],
    ['8.8.8.8', 'x.test', 6379],
    ['8.8.8.8', 'x.test', 22],
  ];
  for (const [address, host, port] of may) assert.ok(hosts.mayDial(address, host, port), `${host}:${port} at ${address}`);
  for (const [address, host, port] of not) assert.ok(!hosts.mayDial(address, host, port), `${host}:${port} at ${address}`);
  refusedCases += not.length;
  passedCases += may.length;
});

it('a redirect off the origin is not followed; one on it is', async () => {
  const spec = files.write('redirect.json', description({ '/away': { get: ok } }, `${friend()}/v1`));
  // The forbidden port is named as well: only the origin keeps the guard from following.
  const opened = await openTestApi(
    {
      spec,
      headers: { 'x-key': 'sesame-1234' },
      allowPrivate: [...allowFriend(), `127.0.0.1:${forbidden.port}`, `localhost:${forbidden.port}`, `localhost:${friendly.port}`],
      cache: false,
    },
    () => Promise.resolve(['127.0.0.1']),
  );
  for (const each of FORBIDDEN_LOCATIONS) {
    location = named(each);
    const { error } = await opened.call('get_away');
    refused(error, `Location ${each}`);
  }
  for (const each of ALLOWED_LOCATIONS) {
    location = named(each);
    if (each === '?again=1') location = '/v1/ok?again=1';
    friendly.seen();
    const { error, text } = await opened.call('get_away');
    assert.equal(error, undefined, `${each}: ${text}`);
    const last = friendly.seen().at(-1);
    assert.match(last?.url ?? '', /^\/v1\/ok/u, each);
    assert.equal(last?.headers['x-key'], 'sesame-1234');
    passedCases++;
  }
  await opened.close();
});

it('the next page is asked for on the same origin and beneath the base only', async () => {
  const spec = files.write('pages.json', description({ '/list': { get: ok } }, `${friend()}/v1`));
  const opened = await openTestApi({
    spec,
    allowPrivate: [...allowFriend(), `127.0.0.1:${forbidden.port}`],
    cache: false,
    pagination: { '*': { kind: 'link' } },
  });
  for (const each of [
    ...FORBIDDEN_LOCATIONS.filter((one) => !/[\u0000-\u001f]/u.test(one)),
    '/admin',
    '/v1/../admin',
    '/v10/list',
    'http://FRIEND/secret',
  ]) {
    friendly.seen();
    location = named(each);
    link = '';
    await opened.call('get_list', { _pages: 3 });
    link = `<${named(each)}>; rel="next"`;
    await opened.call('get_list', { _pages: 3 });
    for (const { url } of friendly.seen()) assert.match(url, /^\/v1\//u, each);
    untouched(`next page ${each}`);
    refusedCases++;
  }
  link = '';
  location = '';
  await opened.close();
});

async function argumentApi(): Promise<Opened> {
  const string = { type: 'string' };
  const parameter = (name: string, place: string, schema: object = string, rest: object = {}): object => ({
    name,
    in: place,
    required: place === 'path',
    schema,
    ...rest,
  });
  const spec = files.write(
    'arguments.json',
    description(
      {
        '/items/{id}': { get: { parameters: [parameter('id', 'path')], ...ok } },
        '/files/{path}/raw': {
          get: { operationId: 'raw', parameters: [parameter('path', 'path', string, { 'x-multi-segment': true })], ...ok },
        },
        '/label/{a}{b}': {
          get: {
            operationId: 'label',
            parameters: [
              parameter('a', 'path', string, { style: 'label' }),
              parameter('b', 'path', { type: 'array', items: string }, { style: 'matrix' }),
            ],
            ...ok,
          },
        },
        '/find': {
          get: {
            operationId: 'find',
            parameters: [
              parameter('q', 'query'),
              parameter('tags', 'query', { type: 'array', items: string }, { explode: false }),
              parameter('any', 'query', { type: 'object', additionalProperties: string }),
              parameter('deep', 'query', { type: 'object' }, { style: 'deepObject' }),
              parameter('raw', 'query', string, { allowReserved: true }),
              parameter('key', 'query'),
            ],
            ...ok,
          },
        },
        '/cookies': { get: { operationId: 'cookies', parameters: [parameter('theme', 'cookie'), parameter('session', 'cookie')], ...ok } },
        '/headers': {
          get: {
            operationId: 'headers',
            parameters: [...FOREIGN_HEADERS, ...PLAIN_HEADERS.map(([name]) => name)].map((name) => parameter(name, 'header')),
            ...ok,
          },
        },
      },
      `${friend()}/v1`,
    ),
  );
  return openTestApi({
    spec,
    allowPrivate: allowFriend(),
    cache: false,
    auth: { type: 'apiKey', in: 'query', name: 'key', value: 'sesame-key-1' },
    headers: { cookie: 'session=sesame-cookie' },
  });
}

it('a path value stays in its place or is refused before anything is sent', async () => {
  const opened = await argumentApi();
  for (const value of CLIMBING) {
    friendly.seen();
    const answers = [
      await opened.call('get_items_id', { id: value }),
      await opened.call('raw', { path: value }),
      await opened.call('label', { a: 'x', b: ['y', value] }),
    ];
    for (const { error } of answers) refused(error, `path ${JSON.stringify(value)}`);
    assert.deepEqual(friendly.seen(), [], `path ${JSON.stringify(value)}`);
  }
  for (const [value, arrived] of HARMLESS_PATHS) {
    friendly.seen();
    const { error, text } = await opened.call('get_items_id', { id: value });
    assert.equal(error, undefined, text);
    assert.deepEqual(
      friendly.seen().map((each) => each.url),
      [`/v1/items/${arrived}?key=sesame-key-1`],
    );
    passedCases++;
  }
  await opened.call('raw', { path: 'src/a b/c.ts' });
  assert.equal(friendly.seen().at(-1)?.url, '/v1/files/src/a%20b/c.ts/raw?key=sesame-key-1');
  refused((await opened.call('raw', { path: 'a//b' })).error, 'an empty segment');
  await opened.close();
});

it('a query value is one value, and nothing an argument says is a key of its own', async () => {
  const opened = await argumentApi();
  for (const [value, arrived] of QUERY_VALUES) {
    friendly.seen();
    assert.equal((await opened.call('find', { q: value })).error, undefined, value);
    assert.equal(friendly.seen()[0]?.url, `/v1/find?q=${arrived}&key=sesame-key-1`);
    passedCases++;
  }
  for (const value of ['a&b', 'a#b', 'a=b&key=x', 'x+y']) {
    await opened.call('find', { raw: value });
    const parameters = new URLSearchParams(friendly.seen().at(-1)?.url.split('?')[1]);
    assert.deepEqual([parameters.get('raw'), parameters.getAll('key')], [value, ['sesame-key-1']], value);
    passedCases++;
  }
  await opened.call('find', { tags: ['a,b', 'c&d'] });
  assert.equal(friendly.seen().at(-1)?.url, '/v1/find?tags=a%2Cb,c%26d&key=sesame-key-1');
  for (const any of [{ key: 'mine' }, { KEY: 'mine' }, { q: 'other' }, { _method: 'DELETE' }, { method: 'x' }, { 'a\r\n': 'b' }])
    refused((await opened.call('find', { any, q: '1' })).error, JSON.stringify(any));
  refused((await opened.call('find', { key: 'mine' })).error, 'the key itself');
  refused((await opened.call('find', { q: '\ud800' })).error, 'a lone surrogate');
  refused((await opened.call('find', { q: '\u0000' })).error, 'NUL');
  refused((await opened.call('find', { unknown: '1' })).error, 'an argument nobody declared');
  await opened.call('find', { deep: { 'a]&key': '1', b: { c: '2' } } });
  assert.equal(friendly.seen().at(-1)?.url, '/v1/find?deep%5Ba%5D%26key%5D=1&deep%5Bb%5D%5Bc%5D=2&key=sesame-key-1');
  passedCases += 2;
  await opened.close();
});

it('a cookie value cannot become a second cookie, nor an argument the session', async () => {
  const opened = await argumentApi();
  for (const theme of ['a; session=evil', 'a,b', 'a"b', 'x=y', 'ä']) {
    friendly.seen();
    assert.equal((await opened.call('cookies', { theme })).error, undefined);
    const cookies = (friendly.seen()[0]?.headers.cookie ?? '').split('; ');
    assert.deepEqual(
      cookies.filter((each) => each.startsWith('session=')),
      ['session=sesame-cookie'],
    );
    assert.ok(cookies.includes(`theme=${encodeURIComponent(theme)}`), cookies.join('; '));
    passedCases++;
  }
  for (const theme of ['a\r\nX: y', 'a\u0000']) refused((await opened.call('cookies', { theme })).error, theme);
  await opened.close();
});

it('an argument sets neither framing nor credentials nor routing headers, and no value breaks the message', async () => {
  const opened = await argumentApi();
  const offered = opened.operation('headers').parameters.map((each) => each.name);
  assert.deepEqual(
    offered.filter((name) => FOREIGN_HEADERS.includes(name)),
    [],
  );
  const guard = openGuard({ origins: [friend()], allowPrivate: allowFriend(), timeoutMs: 5000, cache: false });
  friendly.seen();
  for (const name of FOREIGN_HEADERS) {
    await assert.rejects(
      guard.exchange({ method: 'GET', url: `${friend()}/v1/ok`, argumentHeaders: { [name]: 'x' }, maxBytes: 100, signal: never }),
      (thrown) => {
        refused(codeOf(thrown), `header ${name}`);
        return true;
      },
    );
  }
  for (const value of BREAKING_HEADER_VALUES) {
    const name = opened.operation('headers').parameters.find((each) => each.name === 'X-Trace')?.property ?? '';
    refused((await opened.call('headers', { [name]: value })).error, `header value ${JSON.stringify(value)}`);
  }
  assert.deepEqual(friendly.seen(), []);
  for (const [name, value] of PLAIN_HEADERS) {
    const property = opened.operation('headers').parameters.find((each) => each.name === name)?.property ?? '';
    const { error, text } = await opened.call('headers', { [property]: value });
    assert.equal(error, undefined, `${name}: ${text}`);
    assert.equal(Buffer.from(friendly.seen().at(-1)?.headers[name.toLowerCase()] as string, 'latin1').toString('latin1'), value);
    passedCases++;
  }
  for (const method of ['CONNECT', 'TRACE', 'get', 'GET /x HTTP/1.1\r\nX', 'PURGE', '']) {
    await assert.rejects(guard.exchange({ method, url: `${friend()}/v1/ok`, maxBytes: 100, signal: never }), (thrown) => {
      refused(codeOf(thrown), `method ${method}`);
      return true;
    });
  }
  await guard.close();
  await opened.close();
});

it('a description leads nowhere either: its servers, references, token and spec addresses', async () => {
  const inside = `http://127.0.0.1:${forbidden.port}`;
  const cases: readonly (readonly [string, object])[] = [
    ['server', description({ '/x': { get: ok } }, inside)],
    [
      'variable',
      description({ '/x': { get: ok } }, '', {
        servers: [{ url: 'http://{host}', variables: { host: { default: `127.0.0.1:${forbidden.port}` } } }],
      }),
    ],
    ['operation', description({ '/x': { get: { ...ok, servers: [{ url: inside }] } } }, friend())],
    ['path', description({ '/x': { servers: [{ url: inside }], get: ok } }, friend())],
    ['metadata', description({ '/x': { get: ok } }, 'http://169.254.169.254')],
    ['decimal', description({ '/x': { get: ok } }, `http://2130706433:${forbidden.port}`)],
  ];
  for (const [name, document] of cases) {
    const opened = await openTestApi({
      spec: files.write(`${name}.json`, document),
      allowPrivate: allowFriend(),
      timeoutMs: 2000,
      cache: false,
    });
    refused((await opened.call('get_x')).error, name);
    await opened.close();
  }
  for (const reference of [
    `${inside}/schema.json`,
    'file:///etc/passwd',
    '/etc/passwd',
    '../../etc/passwd',
    `//127.0.0.1:${forbidden.port}/x`,
  ]) {
    const document = description(
      {
        '/x': { get: { parameters: [{ $ref: reference }], ...ok } },
        '/y': { get: { parameters: [{ name: 'a', in: 'query', schema: { $ref: reference } }], ...ok } },
        '/z': { $ref: reference },
      },
      friend(),
    );
    const opened = await openTestApi({ spec: files.write('reference.json', document), allowPrivate: allowFriend() }).catch(
      (error: unknown) => error,
    );
    if (!(opened instanceof Error)) {
      const { api, close } = opened as Opened;
      assert.deepEqual(api.operations, []);
      assert.equal(api.omitted.length, 3, 'each is listed with the reason');
      await close();
    }
    refused('SBX_API_SPEC', reference);
  }
  for (const spec of [
    `${inside}/openapi.json`,
    'http://169.254.169.254/openapi.json',
    'http://[::1]:1/x',
    `http://user@127.0.0.1:${forbidden.port}/x`,
  ]) {
    await assert.rejects(openTestApi({ spec }), (thrown) => {
      refused(codeOf(thrown), spec);
      return true;
    });
  }
  const spec = files.write('oauth.json', description({ '/x': { get: ok } }, friend()));
  for (const tokenUrl of [`${inside}/token`, 'http://169.254.169.254/token', `http://localhost:${forbidden.port}/token`]) {
    const opened = await openTestApi({
      spec,
      allowPrivate: allowFriend(),
      auth: { type: 'oauth2', tokenUrl, clientId: 'a', clientSecret: 'sesame-secret' },
    });
    refused((await opened.call('get_x')).error, tokenUrl);
    await opened.close();
  }
});

it('credentials go to the API and to hosts the settings name, not to whom else the description names', async () => {
  const other = await listen((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  const document = description(
    { '/x': { get: ok }, '/up': { get: { ...ok, servers: [{ url: `http://127.0.0.1:${other.port}` }] } } },
    friend(),
  );
  const spec = files.write('hosts.json', document);
  const shared = {
    spec,
    allowPrivate: [...allowFriend(), `127.0.0.1:${other.port}`],
    auth: { type: 'bearer', token: 'sesame-token-77' },
    headers: { 'x-key': 'sesame-header-77' },
  } as const;
  const plain = await openTestApi(shared);
  assert.equal((await plain.call('get_up')).error, undefined);
  const [asked] = other.seen();
  assert.deepEqual([asked?.headers.authorization, asked?.headers['x-key']], [undefined, undefined]);
  await plain.close();
  const named = await openTestApi({ ...shared, hosts: [`http://127.0.0.1:${other.port}`] });
  await named.call('get_up');
  assert.equal(other.seen()[0]?.headers.authorization, 'Bearer sesame-token-77');
  await named.close();
  await other.stop();
  passedCases += 2;
});

it('only the origins of the API are asked, also when another one may be dialled', async () => {
  const guard = openGuard({
    origins: [friend()],
    allowPrivate: [...allowFriend(), `127.0.0.1:${forbidden.port}`, `localhost:${friendly.port}`],
    timeoutMs: 5000,
    cache: false,
  });
  for (const url of [`http://127.0.0.1:${forbidden.port}/`, `http://localhost:${friendly.port}/`, `https://127.0.0.1:${friendly.port}/`]) {
    await assert.rejects(guard.exchange({ method: 'GET', url, maxBytes: 1000, signal: never }), (thrown) => {
      refused(codeOf(thrown), url);
      return true;
    });
  }
  await guard.close();
});

it('an address that is refused is not repeated with its password or query', () => {
  for (const text of [
    'http://user:sesame@host.test/',
    'http://h%6fst.test/?key=sesame',
    'ftp://host.test/?key=sesame',
    'http://a:sesame@b%2e.test/',
  ]) {
    const why = strictUrl(text);
    assert.ok(typeof why === 'string' && !why.includes('sesame'), String(why));
    refusedCases++;
  }
  assert.ok(typeof strictUrl('http://host.test/a%20b?c=%25#d') !== 'string');
});

it('the corpus is as large as it says', (context) => {
  context.diagnostic(
    `result: ${refusedCases} refused, ${passedCases} legitimate passed, ${forbidden.connections()} connections to the forbidden server`,
  );
  assert.ok(refusedCases >= 300, String(refusedCases));
  assert.ok(passedCases >= 80, String(passedCases));
  untouched('anything');
});
