/** Requests: every style of a parameter, every kind of body, Swagger 2 and OpenAPI 3.2, hostile descriptions, choosing and naming. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import type { Parameter, Style } from '../../../servers/api/description/operation.ts';
import { operationsOf } from '../../../servers/api/description/operations.ts';
import { parseDescription } from '../../../servers/api/description/read.ts';
import { cookiePair, headerText, pathText, queryPairs } from '../../../servers/api/request/style.ts';
import { inputSchema } from '../../../servers/api/tools/tool.ts';
import { type Counted, description, folder, listen, openTestApi } from './harness.ts';

const files = folder();
let server: Counted;
const ok = { responses: { 200: { description: 'ok' } } };
before(async () => {
  server = await listen((request, response) => {
    response
      .writeHead(200, {
        'content-type': 'application/json',
        ...(request.url?.includes('encoded') === true ? { 'content-encoding': 'gzip' } : {}),
      })
      .end(request.method === 'HEAD' || request.url?.includes('encoded') === true ? undefined : '{}');
  });
});
after(async () => {
  await server.stop();
  files.remove();
});
const parameter = (place: Parameter['in'], style: Style, explode: boolean): Parameter => ({
  property: 'color',
  name: 'color',
  in: place,
  required: true,
  style,
  explode,
  allowReserved: false,
  json: false,
  schema: {},
});
const query = (style: Style, explode: boolean, value: unknown): string =>
  queryPairs(parameter('query', style, explode), value, new Set())
    .map((pair) => pair.join('='))
    .join('&');

it('values are written as the table of OpenAPI 3.2 (“Style Examples”) says', () => {
  const array = ['blue', 'black', 'brown'];
  const object = { R: 100, G: 200, B: 150 };
  const path = (style: Style, explode: boolean, value: unknown): string => pathText(parameter('path', style, explode), value);
  const table: readonly (readonly [string, string])[] = [
    [path('matrix', false, 'blue'), ';color=blue'],
    [path('matrix', false, array), ';color=blue,black,brown'],
    [path('matrix', false, object), ';color=R,100,G,200,B,150'],
    [path('matrix', true, array), ';color=blue;color=black;color=brown'],
    [path('matrix', true, object), ';R=100;G=200;B=150'],
    [path('label', false, 'blue'), '.blue'],
    [path('label', false, array), '.blue,black,brown'],
    [path('label', false, object), '.R,100,G,200,B,150'],
    [path('label', true, array), '.blue.black.brown'],
    [path('label', true, object), '.R=100.G=200.B=150'],
    [path('simple', false, array), 'blue,black,brown'],
    [path('simple', false, object), 'R,100,G,200,B,150'],
    [path('simple', true, object), 'R=100,G=200,B=150'],
    [query('form', false, 'blue'), 'color=blue'],
    [query('form', false, array), 'color=blue,black,brown'],
    [query('form', false, object), 'color=R,100,G,200,B,150'],
    [query('form', true, array), 'color=blue&color=black&color=brown'],
    [query('form', true, object), 'R=100&G=200&B=150'],
    [query('spaceDelimited', false, array), 'color=blue%20black%20brown'],
    [query('spaceDelimited', false, object), 'color=R%20100%20G%20200%20B%20150'],
    [query('pipeDelimited', false, array), 'color=blue%7Cblack%7Cbrown'],
    [query('pipeDelimited', false, object), 'color=R%7C100%7CG%7C200%7CB%7C150'],
    [query('deepObject', true, object), 'color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
    [headerText(parameter('header', 'simple', false), array), 'blue,black,brown'],
    [headerText(parameter('header', 'simple', true), object), 'R=100,G=200,B=150'],
    [cookiePair(parameter('cookie', 'form', true), 'blue'), 'color=blue'],
  ];
  for (const [written, expected] of table) assert.equal(written, expected);
});

it('whatever a query value is, it comes back as it went, and adds no key', () => {
  const text = fc.string({ unit: 'binary' }).filter((each) => !each.includes('\u0000') && each.isWellFormed());
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1 }), fc.boolean(), (one, many, allowReserved) => {
      const of = (value: unknown): URLSearchParams =>
        new URL(
          `http://x/?${queryPairs({ ...parameter('query', 'form', true), allowReserved }, value, new Set())
            .map((pair) => pair.join('='))
            .join('&')}`,
        ).searchParams;
      assert.deepEqual([...of(one)], [['color', one]]);
      assert.deepEqual(
        [...of(many)],
        many.map((each) => ['color', each]),
      );
    }),
    { seed: 6, numRuns: 300 },
  );
});

it('whatever a path value is, it is refused or stays one segment', () => {
  const piece = fc.constantFrom('.', '..', '/', '\\', '%2e', '%2f', '%5c', '%25', ';', 'a', '?', '#', ' ', 'ä', '%c0%ae', '．', '%u002e');
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }).map((each) => each.join('')),
      (text) => {
        let written: string;
        try {
          written = pathText(parameter('path', 'simple', false), text);
        } catch {
          refused++;
          return;
        }
        const url = new URL(`http://x/base/${written}/end`);
        assert.equal(url.pathname, `/base/${written}/end`);
        assert.deepEqual([url.pathname.split('/').length, url.search, url.hash, decodeURIComponent(written)], [4, '', '', text]);
        for (let decoded = text, round = 0; round < 4; round++) {
          assert.ok(!decoded.split(/[/\\]/u).some((each) => each === '.' || each === '..'), text);
          try {
            decoded = decodeURIComponent(decoded);
          } catch {
            break;
          }
        }
      },
    ),
    { seed: 6, numRuns: 3000 },
  );
  assert.ok(refused > 300 && refused < 2900, String(refused));
});

it('bodies: JSON, form, multipart, text, binary, merge-patch', async () => {
  const media = (type: string, schema: object): object => ({
    post: { requestBody: { required: true, content: { [type]: { schema } } }, ...ok },
  });
  const upload = {
    type: 'object',
    properties: {
      note: { type: 'string' },
      meta: { type: 'object' },
      file: { type: 'string', format: 'binary' },
      more: { type: 'array', items: { type: 'string', format: 'binary' } },
    },
  };
  const spec = files.write(
    'bodies.json',
    description(
      {
        '/json': media('application/json', { type: 'object' }),
        '/form': media('application/x-www-form-urlencoded', { type: 'object' }),
        '/multi': media('multipart/form-data', upload),
        '/text': media('text/csv', { type: 'string' }),
        '/bytes': media('application/zip', { type: 'string', format: 'binary' }),
        '/any': media('*/*', { type: 'object' }),
        '/patch': media('application/merge-patch+json', {}),
        '/xml': media('application/xml', { type: 'object' }),
        '/encoded': { get: ok, head: ok },
      },
      `http://127.0.0.1:${server.port}`,
    ),
  );
  const opened = await openTestApi({ spec, methods: ['GET', 'HEAD', 'POST'], allowPrivate: [`127.0.0.1:${server.port}`] });
  const sent = async (tool: string, body: unknown) => {
    server.seen();
    const { error, text } = await opened.call(tool, { body });
    assert.equal(error, undefined, text);
    const [seen] = server.seen();
    return [seen?.headers['content-type'], seen?.body] as const;
  };
  assert.deepEqual(await sent('post_json', { a: 'ä', b: [1, null] }), ['application/json', '{"a":"ä","b":[1,null]}']);
  assert.deepEqual(await sent('post_form', { a: 'x&y=z', list: [1, 2], deep: { b: { c: 'd' } } }), [
    'application/x-www-form-urlencoded',
    'a=x%26y%3Dz&list=1&list=2&deep%5Bb%5D%5Bc%5D=d',
  ]);
  assert.deepEqual(await sent('post_text', 'a,b\n1,2'), ['text/csv; charset=utf-8', 'a,b\n1,2']);
  assert.deepEqual(await sent('post_bytes', Buffer.from('PK').toString('base64')), ['application/zip', 'PK']);
  assert.deepEqual(await sent('post_any', { a: 1 }), ['application/json', '{"a":1}']);
  assert.deepEqual(await sent('post_patch', { a: null }), ['application/merge-patch+json', '{"a":null}']);
  assert.deepEqual(await sent('post_xml', '<a/>'), ['application/xml; charset=utf-8', '<a/>']);
  const [type, body] = await sent('post_multi', {
    note: 'hi',
    meta: { a: 1 },
    file: { filename: 'a"\r\nX-Evil: 1.txt', text: 'content', contentType: 'text/plain' },
    more: [{ base64: 'QQ==' }, { text: 'B' }],
  });
  const boundary = /boundary=(\S+)/u.exec(type ?? '')?.[1] ?? 'none';
  const parts = (body ?? '').split(`--${boundary}`).slice(1, -1);
  assert.deepEqual(
    parts.map((part) => part.split('\r\n\r\n')[0]?.trim()),
    [
      'Content-Disposition: form-data; name="note"',
      'Content-Disposition: form-data; name="meta"\r\nContent-Type: application/json',
      'Content-Disposition: form-data; name="file"; filename="a%22%0D%0AX-Evil: 1.txt"\r\nContent-Type: text/plain',
      'Content-Disposition: form-data; name="more"; filename="file"\r\nContent-Type: application/octet-stream',
      'Content-Disposition: form-data; name="more"; filename="file"\r\nContent-Type: application/octet-stream',
    ],
  );
  assert.equal((await opened.call('post_multi', { body: { file: { text: 'x', contentType: 'a/b\r\nX: y' } } })).error, 'SCHEMA');
  assert.equal((await opened.call('post_json')).error, 'SCHEMA');
  // An encoding of nothing is no fault.
  for (const tool of ['get_encoded', 'head_encoded']) assert.equal((await opened.call(tool)).error, undefined, tool);
  await opened.close();
});

it('Swagger 2 is converted, OpenAPI 3.2 read: methods, querystring', () => {
  const swagger = {
    swagger: '2.0',
    info: { title: 'Old', version: '1' },
    host: 'old.example.com',
    basePath: '/v2',
    schemes: ['https'],
    paths: {
      '/pets/{id}': {
        post: {
          operationId: 'update',
          consumes: ['application/x-www-form-urlencoded'],
          parameters: [
            { name: 'id', in: 'path', required: true, type: 'integer' },
            { name: 'name', in: 'formData', type: 'string' },
            { name: 'tags', in: 'query', type: 'array', items: { type: 'string' }, collectionFormat: 'multi' },
          ],
          responses: { 200: { description: 'ok', schema: { $ref: '#/definitions/Pet' } } },
        },
      },
    },
    definitions: { Pet: { type: 'object', properties: { id: { type: 'integer' }, parent: { $ref: '#/definitions/Pet' } } } },
  };
  const options = { reserved: new Set<string>(), rename: {}, variables: {} };
  const old = parseDescription(JSON.stringify(swagger), 'old.json');
  const [update] = operationsOf(old, options).operations;
  assert.deepEqual(
    [update?.tool, update?.parameters.map((each) => [each.name, each.in, each.explode]), update?.body?.kind],
    [
      'update',
      [
        ['id', 'path', false],
        ['tags', 'query', true],
      ],
      'form',
    ],
  );
  assert.deepEqual((update?.response()?.['$defs'] as { Pet: object } | undefined)?.Pet !== undefined, true);
  assert.deepEqual((old.root['servers'] as { url: string }[])[0]?.url, 'https://old.example.com/v2');
  const modern = parseDescription(
    `openapi: 3.2.0\ninfo: {title: New, version: '1'}\npaths:\n  /search:\n    query:\n      operationId: search\n      parameters:\n        - {name: all, in: querystring, content: {application/x-www-form-urlencoded: {schema: {type: object}}}}\n      requestBody: {content: {application/json: {schema: {type: object}}}}\n      responses: {}\n    additionalOperations:\n      COPY: {operationId: copy, responses: {}}\n`,
    'new.yaml',
  );
  const read = operationsOf(modern, options);
  assert.deepEqual(
    read.operations.map((each) => [each.tool, each.method, each.parameters[0]?.in, each.body?.kind]),
    [['search', 'QUERY', 'querystring', 'json']],
  );
  assert.deepEqual(
    read.omitted.map((each) => [each.method, each.reason]),
    [['COPY', 'the method COPY is not sent']],
  );
});

it('a hostile description is refused or harmless', () => {
  const options = { reserved: new Set<string>(), rename: {}, variables: {} };
  const refused = (text: string): void => assert.throws(() => parseDescription(text, 'x'), { code: 'SBX_API_SPEC' });
  refused(
    `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
      .split('')
      .map(
        (each, index) =>
          `${each}: &${each} [${Array(9)
            .fill(`*${'abcdefgh'[index] ?? 'a'}`)
            .join(',')}]`,
      )
      .join('\n')}\nopenapi: 3.0.0\npaths: {}`,
  );
  refused(`{"openapi":"3.1.0","paths":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`);
  refused('openapi: 3.1.0\npaths: &x\n  a: *x\n');
  refused('[]');
  refused('{"openapi":"4.0.0","paths":{}}');
  refused('');
  refused('{"openapi":"3.1.0","paths":[]}');
  const circle = description(
    {
      '/a': { $ref: '#/paths/~1b' },
      '/b': { $ref: '#/paths/~1a' },
      '/c/{id}': { get: { parameters: [{ $ref: '#/components/parameters/P' }], ...ok } },
      '/../d': { get: ok },
      '/%2e%2e/e': { get: ok },
      '/f?x=1': { get: ok },
      '/g\r\nHost: h': { get: ok },
      h: { get: ok },
      '/i%2f..%2fj': { get: ok },
    },
    'https://x.example',
    { components: { parameters: { P: { $ref: '#/components/parameters/P' } } } },
  );
  const read = operationsOf(parseDescription(JSON.stringify(circle), 'x'), options);
  assert.deepEqual(read.operations, []);
  assert.equal(read.omitted.length, 9);
  const deep = description(
    {
      '/a': {
        post: {
          requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } },
          parameters: [
            { name: '__proto__', in: 'query', schema: { $ref: '#/components/schemas/A' } },
            { name: 'constructor', in: 'query', schema: { type: 'string', pattern: '(a+)+$' } },
          ],
          ...ok,
        },
      },
    },
    'https://x.example',
    {
      components: {
        schemas: {
          A: {
            type: 'object',
            properties: Object.fromEntries(
              Array.from({ length: 40 }, (_, index) => [
                `p${index}`,
                { allOf: [{ $ref: '#/components/schemas/A' }, { $ref: '#/components/schemas/B' }] },
              ]),
            ),
          },
          B: { anyOf: [{ $ref: '#/components/schemas/A' }, { $ref: '#/components/schemas/B' }] },
        },
      },
    },
  );
  const [operation] = operationsOf(parseDescription(JSON.stringify(deep), 'x'), options).operations;
  assert.ok(operation !== undefined);
  const schema = JSON.stringify(inputSchema(operation, 20));
  assert.ok(schema.length < 200_000, String(schema.length));
  assert.doesNotMatch(schema, /"pattern":"\(a\+\)\+\$"/u, 'a pattern that could stop the process is not run');
});

it('operations are chosen and named', async () => {
  const get = (id: string, rest: object = {}): object => ({ operationId: id, ...rest, ...ok });
  const paths = {
    '/pets': { get: get('listPets', { tags: ['pets'] }), post: get('createPet', { tags: ['pets'] }) },
    '/pets/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: {} }],
      get: get('getPet', { tags: ['pets'] }),
      delete: get('deletePet', { tags: ['pets'] }),
    },
    '/old': { get: get('old', { deprecated: true }) },
    '/admin/keys': { get: get('keys', { tags: ['admin'] }) },
  };
  const spec = files.write('choice.json', description(paths, 'https://x.example'));
  const names = async (settings: object): Promise<readonly string[]> => {
    const opened = await openTestApi({ spec, ...settings });
    const found = opened.api.operations.map((each) => each.tool);
    assert.equal(found.length + opened.api.omitted.length, 6, 'each is a tool or listed');
    await opened.close();
    return found;
  };
  assert.deepEqual(await names({}), ['listPets', 'getPet', 'keys']);
  assert.deepEqual(await names({ include: ['tag:PETS'] }), ['listPets', 'getPet']);
  assert.deepEqual(await names({ exclude: ['/admin/**'] }), ['listPets', 'getPet']);
  assert.deepEqual(await names({ include: ['get*'] }), ['getPet']);
  assert.deepEqual(await names({ allow: ['POST /pets'], include: ['/pets'] }), ['listPets', 'createPet']);
  assert.deepEqual(await names({ methods: ['DELETE'] }), ['deletePet']);
  assert.deepEqual(await names({ deprecated: true, rename: { old: 'ancient one', 'GET /x': 'y' } }), [
    'listPets',
    'getPet',
    'ancient_one',
    'keys',
  ]);
});
