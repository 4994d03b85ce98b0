/** What a second look at the API server found: each case failed before, attack or legitimate use. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { isSafePattern } from '../../../servers/api/description/pattern.ts';
import { parseDescription, readDescriptionFile } from '../../../servers/api/description/read.ts';
import { openGuard } from '../../../servers/api/guard/exchange.ts';
import { isOwned } from '../../../servers/api/guard/headers.ts';
import { bundled, connect } from '../client.ts';
import { type Counted, description, folder, listen, type Opened, openTestApi } from './harness.ts';

const KEY = 'sesame-KEY-1234567';
const files = folder();
const ok = { responses: { 200: { description: 'ok' } } };
const parameter = (name: string, place = 'query', schema: object = { type: 'string' }): object => ({
  name,
  in: place,
  required: place === 'path',
  schema,
});
let server: Counted;

before(async () => {
  const escaped = [...KEY].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  server = await listen((request, response) => {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    const json = { 'content-type': 'application/json' };
    if (path === '/v1/items')
      response.writeHead(200, json).end(JSON.stringify({ items: Array.from({ length: 2000 }, (_, id) => ({ id })) }));
    else if (path === '/v1/led') response.writeHead(200, { ...json, link: '<http://elsewhere.test/v1/led?p=2>; rel="next"' }).end('[1]');
    else if (path === '/v1/typed') response.writeHead(200, { 'content-type': `application/x-${KEY}` }).end('{}');
    else if (path === '/v1/media') response.writeHead(200, { 'content-type': `image/${KEY}` }).end(Buffer.from([0, 255]));
    else if (path === '/v1/escaped') response.writeHead(200, { 'content-type': 'text/plain' }).end(`{"k":"${escaped}"}`);
    else if (path === '/v1/wide') response.writeHead(200).end(Buffer.from(`\ufeff${KEY}`, 'utf16le'));
    else if (path === '/v1/conditional') response.writeHead(request.headers['if-none-match'] === '"x"' ? 304 : 200, { etag: '"x"' }).end();
    else if (path === '/v1/raw') response.writeHead(200, { ...json, 'content-encoding': 'deflate' }).end(deflateRawSync('{"a":1}'));
    else if (path === '/v1/zlib') response.writeHead(200, { ...json, 'content-encoding': 'deflate' }).end(deflateSync('{"a":1}'));
    else if (path === '/v1/nothing') response.writeHead(200, { ...json, 'content-encoding': 'deflate' }).end();
    else response.writeHead(200, json).end('{"ok":true}');
  });
});
after(async () => {
  await server.stop();
  files.remove();
});

const origin = (): string => `http://127.0.0.1:${server.port}`;
async function opened(paths: object, settings: object = {}): Promise<Opened> {
  const spec = files.write(`${Math.random()}.json`, description(paths, `${origin()}/v1`));
  return openTestApi({ spec, allowPrivate: [`127.0.0.1:${server.port}`], cache: false, ...settings });
}
const gets = (...names: readonly string[]): object =>
  Object.fromEntries(names.map((name) => [`/${name}`, { get: { operationId: name, ...ok } }]));

it('no expression of a caller stops or fills this process; others are answered meanwhile and afterwards', async () => {
  const api = await opened(gets('items'));
  const bombs = ['items[?length($.items[?length($.items[?id>`5`])>`1`])>`0`]|length(@)', `items|${'[@,@][]|'.repeat(28)}length(@)`];
  for (const bomb of bombs) {
    const running = api.call('items', { _select: bomb });
    let over = false;
    void running.then(() => {
      over = true;
    });
    assert.equal((await api.call('items', { _select: 'items[0].id' })).error, undefined);
    assert.equal(over, false, 'this process was free');
    const { error, text } = await running;
    assert.equal(error, 'SBX_API_INPUT', text.slice(0, 200));
  }
  const { result } = await api.call('items', { _select: 'items[?id<`3`].id | sum(@)' });
  assert.equal((result.structuredContent as { body: unknown }).body, 3);
  for (const name of ['constructor', 'toString', 'items.constructor']) {
    const inherited = await api.call('items', { _select: name });
    assert.equal((inherited.result.structuredContent as { body: unknown }).body, null, name);
  }
  const gone = new AbortController();
  const cancelled = api.call('items', { _select: bombs[0] }, gone.signal);
  setTimeout(() => gone.abort(), 200);
  assert.notEqual((await cancelled).error, undefined);
  assert.equal((await api.call('items', { _select: 'length(items)' })).error, undefined);
  await api.close();
});

it('a pattern is checked only where that surely ends', () => {
  const endless = [
    `^${'a?'.repeat(32)}${'a'.repeat(32)}$`,
    '^a*[a]*[a]*b$',
    '(?=(a+))\\1b',
    '^(a|aa)+$',
    `${'(a|a)'.repeat(20)}b`,
    '^a{1,30}a{1,30}a{1,30}b$',
    '^(a*)*$',
    'a+b',
    '^.*x.*y.*$',
    '^(?<x>a)\\k<x>',
    '[',
  ];
  for (const each of endless) assert.equal(isSafePattern(each), false, each);
  const plain = [
    '^[a-z0-9-]+$',
    '^\\d{4}-\\d{2}-\\d{2}$',
    '^(foo|bar|baz)$',
    '\\S',
    '^[a-f0-9]{64}$',
    '^#?[0-9a-f]{6}$',
    '^https://.*$',
    '^(?:[01]\\d|2[0-3]):[0-5]\\d$',
    '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
  ];
  for (const each of plain) assert.equal(isSafePattern(each), true, each);
  assert.deepEqual([isSafePattern('^[a-z]+@[a-z]+$'), isSafePattern('^[a-z]+@[a-z]+$', 200)], [false, true]);
});

it('a secret does not leave in a content type, in escapes of JSON as text, or in UTF-16', async () => {
  const names = ['typed', 'media', 'escaped', 'wide'];
  const api = await opened(gets(...names), { headers: { 'x-key': KEY } });
  for (const name of names) {
    const { text, result } = await api.call(name);
    const decoded = text.replace(/\\+u([0-9a-f]{4})/giu, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    assert.ok(!decoded.toLowerCase().includes(KEY.toLowerCase()), `${name}: ${decoded}`);
    const link = result.content.find((each) => each.type === 'resource_link');
    const kept = link === undefined ? undefined : api.api.answers.get(link.uri.split('/').at(-1) ?? '');
    assert.ok(kept === undefined || !kept.bytes.toString('utf16le').includes(KEY), name);
  }
  await api.close();
});

it('an argument adds no second cookie of a name the settings send, nor a header spelled with _', async () => {
  const paths = {
    '/x': {
      get: {
        operationId: 'x',
        parameters: [parameter('session', 'cookie'), parameter('theme', 'cookie'), parameter('x_key', 'header')],
        ...ok,
      },
    },
  };
  const api = await opened(paths, { headers: { cookie: 'session=good-session; other=1', 'x-key': KEY } });
  assert.deepEqual(
    api.operation('x').parameters.map((each) => each.name),
    ['theme'],
  );
  assert.equal((await api.call('x', { session: 'evil' })).error, 'SCHEMA');
  await api.close();
});

it('headers that say who is asking are those of the settings, whatever product they belong to', () => {
  const owned =
    'Remote-User X-MS-Client-Principal X-WebAuth-User X-Appengine-User-Ip Impersonate-User X-Override-URL Base-Url Fastly-Client-IP X-ProxyUser-Ip CF-Connecting-IPv6 SSL-Client-Cert X-SSL-Client-CN X-Authenticated-User X-Goog-Authenticated-User-Email X-Amzn-Oidc-Identity x-middleware-subrequest Proxy X-Azure-ClientIP';
  for (const name of owned.split(' ')) assert.ok(isOwned(name), name);
  const plain =
    'X-User-Id X-Request-ID If-Match Idempotency-Key traceparent X-Amz-Target X-Azure-Region X-Cluster-Name Depth Destination Range Prefer';
  for (const name of plain.split(' ')) assert.ok(!isOwned(name), name);
});

it('parameters that are called as ours or as what every object inherits keep working', async () => {
  const names = ['$select', '$top', '_select', '_pages', 'constructor', 'toString'];
  const api = await opened({ '/x': { get: { operationId: 'x', parameters: names.map((name) => parameter(name)), ...ok } } });
  const properties = Object.fromEntries(api.operation('x').parameters.map((each) => [each.name, each.property]));
  assert.deepEqual([properties['$select'], properties['$top']], ['select', 'top']);
  server.seen();
  const { error, result } = await api.call('x', {
    [properties['$select'] ?? '']: 'id,name',
    [properties['_pages'] ?? '']: 'p',
    [properties['constructor'] ?? '']: 'williams',
    _select: 'ok',
  });
  assert.equal(error, undefined);
  assert.equal((result.structuredContent as { body: unknown }).body, true);
  assert.equal(server.seen()[0]?.url, '/v1/x?%24select=id%2Cname&_pages=p&constructor=williams');
  assert.equal((await api.call('x', {})).error, undefined, 'what is not given is not given');
  await api.close();
});

it('a part of a form called constructor has no content type of its own', async () => {
  const body = { content: { 'multipart/form-data': { schema: { type: 'object' } } } };
  const api = await opened({ '/x': { post: { operationId: 'x', requestBody: body, ...ok } } }, { methods: ['POST'] });
  server.seen();
  assert.equal((await api.call('x', { body: { constructor: 'a', toString: 'b' } })).error, undefined);
  assert.ok(!/native code/u.test(server.seen()[0]?.body ?? 'native code'));
  await api.close();
});

it('304 is an answer to who asked under a condition; deflate comes with and without its frame', async () => {
  const api = await opened({
    ...gets('raw', 'zlib', 'nothing'),
    '/conditional': { get: { operationId: 'conditional', parameters: [parameter('If-None-Match', 'header')], ...ok } },
  });
  const { error, result } = await api.call('conditional', { 'If-None-Match': '"x"' });
  assert.deepEqual([error, (result.structuredContent as { status: number }).status], [undefined, 304]);
  for (const name of ['raw', 'zlib']) {
    const answer = await api.call(name);
    assert.deepEqual((answer.result.structuredContent as { body: unknown }).body, { a: 1 }, `${name}: ${answer.text}`);
  }
  assert.equal((await api.call('nothing')).error, undefined);
  await api.close();
});

it('every checked address of a name is tried: the first may have nobody who listens', async () => {
  const name = `http://twice.test:${server.port}`;
  const guard = openGuard({
    origins: [name],
    allowPrivate: [`twice.test:${server.port}`],
    timeoutMs: 5000,
    cache: false,
    resolve: () => Promise.resolve(['127.0.0.9', '::1', '127.0.0.1']),
  });
  const { status } = await guard.exchange({ method: 'GET', url: `${name}/v1/x`, maxBytes: 100, signal: new AbortController().signal });
  assert.equal(status, 200);
  await guard.close();
});

it('a description that is a pipe is refused, not waited for', { skip: process.platform === 'win32' ? 'no FIFO' : false }, () => {
  const pipe = join(files.path, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => readDescriptionFile(pipe), /cannot be used as an OpenAPI description/u);
  assert.equal(parseDescription('{"openapi":"3.1.0","paths":{}}', 'x').dialect, '3.1');
});

it('a tool called constructor does not stop the others', async () => {
  const spec = files.write(
    'names.json',
    description({ '/a': { get: { operationId: 'constructor!', ...ok } }, ...gets('x') }, `${origin()}/v1`),
  );
  const session = await connect('modern', bundled('api'), ['--spec', spec, '--allow-private', `127.0.0.1:${server.port}`]);
  try {
    assert.deepEqual([...(await session.tools())].sort(), ['constructor_2', 'x']);
    assert.ok(!(await session.call('x')).isError);
    assert.ok(!(await session.call('constructor_2')).isError);
    // The process of expressions from here on: started, asked, and gone with the server.
    assert.equal((await session.call('x', { _select: 'length(@)' })).structured?.['body'], 1);
  } finally {
    await session.close();
  }
});

it('a changed description does not send the credentials to a host that got none', async () => {
  const other = await listen((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  const paths = { ...gets('x'), '/far': { get: { operationId: 'far', servers: [{ url: `http://127.0.0.1:${other.port}` }], ...ok } } };
  const spec = files.write('moving.json', description(paths, `${origin()}/v1`));
  const session = await connect('modern', bundled('api'), [
    ...['--spec', spec, '--header', `x-key=${KEY}`],
    ...['--allow-private', `127.0.0.1:${server.port}`, '--allow-private', `127.0.0.1:${other.port}`],
  ]);
  try {
    assert.ok((await session.tools()).includes('x'));
    await session.call('far');
    files.write('moving.json', description({ ...paths, ...gets('y') }, `http://127.0.0.1:${other.port}`));
    for (let round = 0; round < 15; round++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      await session.call('x');
    }
    for (const { headers } of other.seen()) assert.equal(headers['x-key'], undefined);
  } finally {
    await session.close();
    await other.stop();
  }
});

it('an imported curl line sends what it sent: its query, and its form', async () => {
  const api = await openTestApi({
    import: [`curl '${origin()}/v1/a?format=json&api_key=sesame' -d 'q=x y&n=1'`, `curl '${origin()}/v1/b?v=2'`],
    methods: ['GET', 'POST'],
    allowPrivate: [`127.0.0.1:${server.port}`],
  });
  server.seen();
  assert.equal((await api.call('post_v1_a', { body: { q: 'z', n: '2' } })).error, undefined);
  await api.call('get_v1_b');
  await api.call('get_v1_b', { v: '3' });
  const [form, plain, other] = server.seen();
  assert.deepEqual(
    [form?.url, form?.body, form?.headers['content-type']],
    ['/v1/a?format=json', 'q=z&n=2', 'application/x-www-form-urlencoded'],
  );
  assert.deepEqual([plain?.url, other?.url], ['/v1/b?v=2', '/v1/b?v=3']);
  await api.close();
});

it('a password in an address of the settings is not repeated', async () => {
  const spec = files.write('plain.json', description(gets('x'), `${origin()}/v1`));
  for (const settings of [
    { spec: 'https://admin:hunter2secret@api.test/openapi.json?token=hunter3secret' },
    { spec, hosts: ['https://admin:hunter2secret@files.test/'] },
    { spec, baseUrl: 'https://admin:hunter2secret@api.test/' },
    { spec, auth: { type: 'oauth2', tokenUrl: 'https://admin:hunter2secret@api.test/', clientId: 'a' } as const },
    { import: ['curl https://admin:hunter2secret@api.test/x'] },
  ]) {
    await assert.rejects(openTestApi(settings), (thrown) => {
      assert.ok(thrown instanceof SignalboxError);
      assert.doesNotMatch(`${thrown.message} ${thrown.why} ${thrown.fix}`, /hunter/u);
      return true;
    });
  }
});

it('a long list of objects is not compared each with each', async () => {
  const list = (items: object): object => ({
    requestBody: { content: { 'application/json': { schema: { type: 'array', uniqueItems: true, items } } } },
    ...ok,
  });
  const api = await opened(
    {
      '/o': { post: { operationId: 'o', ...list({ type: 'object' }) } },
      '/s': { post: { operationId: 's', ...list({ type: 'string' }) } },
    },
    { methods: ['POST'] },
  );
  assert.equal(api.operation('o').body?.schema['uniqueItems'], undefined);
  assert.equal((await api.call('s', { body: ['a', 'a'] })).error, 'SCHEMA');
  assert.equal((await api.call('s', { body: ['a', 'b'] })).error, undefined);
  await api.close();
});

it('a next page that is not asked for is not kept secret', async () => {
  const api = await opened(gets('led'));
  const { error, result } = await api.call('led', { _pages: 3 });
  assert.equal(error, undefined);
  assert.match(String((result.structuredContent as { note?: unknown }).note), /another host/u);
  await api.close();
});
