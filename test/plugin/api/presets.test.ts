/** Presets, catalogues and imports against servers that answer as the real ones do, errors included. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type Counted, folder, listen, type Opened, openTestApi } from './harness.ts';

let maps: Counted;
let github: Counted;
const files = folder();
const EIFFEL = {
  formatted_address: 'Av. Gustave Eiffel, 75007 Paris, France',
  place_id: 'ChIJLU7jZClu5kcR4PcOOO6p3I0',
  types: ['tourist_attraction'],
  address_components: [
    { long_name: 'Paris', short_name: 'Paris', types: ['locality', 'political'] },
    { long_name: 'France', short_name: 'FR', types: ['country', 'political'] },
  ],
  geometry: { location: { lat: 48.8583701, lng: 2.2944813 }, location_type: 'ROOFTOP' },
};
const body = (result: Opened extends never ? never : { structuredContent?: unknown }): unknown =>
  (result.structuredContent as { body: unknown }).body;

before(async () => {
  maps = await listen((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const say = (document: object): void =>
      void response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(document));
    // As the real one: 200 whatever happens, the truth in "status".
    if (query.get('key') !== 'AIza-test-key-000')
      say({ results: [], status: 'REQUEST_DENIED', error_message: 'The provided API key is invalid.' });
    else if (query.get('address') === 'nowhere') say({ results: [], status: 'ZERO_RESULTS' });
    else if (query.get('address') === 'busy')
      say({ results: [], status: 'OVER_QUERY_LIMIT', error_message: 'You have exceeded your rate-limit for this API.' });
    else if (query.get('address') === 'odd') say({ results: [], status: 'INVALID_REQUEST', error_message: 'Invalid request.' });
    else if (query.get('address') === 'down') say({ results: [], status: 'UNKNOWN_ERROR' });
    else say({ results: [EIFFEL], status: 'OK' });
  });
  github = await listen((request, response) => {
    const json = { 'content-type': 'application/json; charset=utf-8', 'x-ratelimit-remaining': '4999' };
    const url = new URL(request.url ?? '', 'http://x');
    if (request.headers.authorization !== 'Bearer ghp_0123456789abcdef') response.writeHead(401, json).end('{"message":"Bad credentials"}');
    else if (url.pathname === '/repos/o/r/issues' && request.method === 'POST')
      response.writeHead(201, json).end('{"number":7,"html_url":"https://github.com/o/r/issues/7"}');
    else if (url.pathname === '/repos/o/r/issues') {
      const page = Number(url.searchParams.get('page') ?? '1');
      const link = page < 3 ? { link: `<http://127.0.0.1:${github.port}/repos/o/r/issues?page=${page + 1}>; rel="next"` } : {};
      response.writeHead(200, { ...json, ...link }).end(
        JSON.stringify([
          {
            number: page,
            title: `t${page}`,
            state: 'open',
            user: { login: 'a' },
            labels: [{ name: 'bug' }],
            comments: 0,
            body: 'long '.repeat(1000),
          },
        ]),
      );
    } else if (url.pathname === '/repos/o/r/contents/src/a%20b.ts')
      response.writeHead(200, json).end('{"type":"file","encoding":"base64","content":"eA=="}');
    else if (url.pathname === '/search/code')
      response
        .writeHead(403, { ...json, 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 1800) })
        .end('{"message":"API rate limit exceeded"}');
    else response.writeHead(404, json).end('{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}');
  });
});
after(async () => {
  await maps.stop();
  await github.stop();
  files.remove();
});

it('google-maps: a place becomes address, coordinates, place id, components and a map link; errors say what to do', async () => {
  const settings = {
    preset: 'google-maps',
    baseUrl: `http://127.0.0.1:${maps.port}`,
    allowPrivate: [`127.0.0.1:${maps.port}`],
    tries: 1,
  } as const;
  const opened = await openTestApi({ ...settings, key: 'AIza-test-key-000' });
  const found = await opened.call('get_location', { place: 'Tour Eiffel & co', language: 'fr' });
  assert.deepEqual(body(found.result), {
    results: [
      {
        address: EIFFEL.formatted_address,
        coordinates: { lat: 48.8583701, lng: 2.2944813 },
        place_id: EIFFEL.place_id,
        types: ['tourist_attraction'],
        partial_match: false,
        components: [
          { name: 'Paris', short_name: 'Paris', types: ['locality', 'political'] },
          { name: 'France', short_name: 'FR', types: ['country', 'political'] },
        ],
        map_url: `https://www.google.com/maps/search/?api=1&query=48.8583701,2.2944813&query_place_id=${EIFFEL.place_id}`,
      },
    ],
  });
  assert.equal(maps.seen().at(-1)?.url, '/maps/api/geocode/json?address=Tour%20Eiffel%20%26%20co&language=fr&key=AIza-test-key-000');
  assert.equal((await opened.call('reverse_geocode', { latlng: [48.8584, 2.2945], language: 'pt-BR' })).error, undefined);
  assert.equal(maps.seen().at(-1)?.url, '/maps/api/geocode/json?latlng=48.8584,2.2945&language=pt-BR&key=AIza-test-key-000');
  for (const latlng of [[90.1, 0], [-91, 0], [0, 180.5], [0, -181], [1], [1, 2, 3], ['1', '2'], '1,2'])
    assert.equal((await opened.call('reverse_geocode', { latlng })).error, 'SCHEMA', String(latlng));
  for (const bad of [{ place: '' }, { place: '   ' }, { place: 'x', language: 'not a tag' }, {}, { place: 'x', key: 'mine' }])
    assert.equal((await opened.call('get_location', bad)).error, 'SCHEMA');
  assert.deepEqual(maps.seen(), [], 'nothing was asked');
  const errors: Readonly<Record<string, readonly [string, RegExp]>> = {
    nowhere: ['SBX_API_STATUS', /Try another spelling/u],
    busy: ['SBX_API_LIMITED', /exceeded your rate-limit/u],
    odd: ['SBX_API_STATUS', /Invalid request/u],
    down: ['SBX_API_STATUS', /Try again later/u],
  };
  for (const [place, [code, words]] of Object.entries(errors)) {
    const { error, text } = await opened.call('get_location', { place });
    assert.equal(error, code, text);
    assert.match(text, words);
  }
  await opened.close();
  const wrong = await openTestApi({ ...settings, key: 'AIza-wrong-key-000' });
  const denied = await wrong.call('get_location', { place: 'x' });
  assert.equal(denied.error, 'SBX_API_AUTH');
  assert.match(denied.text, /API key is invalid/u);
  assert.doesNotMatch(denied.text, /AIza-wrong/u);
  await wrong.close();
});

it('github: pages by link header, projections, paths with slashes, rate limits; writes only when allowed', async () => {
  const settings = {
    preset: 'github',
    baseUrl: `http://127.0.0.1:${github.port}`,
    allowPrivate: [`127.0.0.1:${github.port}`],
    key: 'ghp_0123456789abcdef',
    tries: 1,
  } as const;
  const opened = await openTestApi(settings);
  assert.ok(!opened.api.operations.some((each) => each.tool.startsWith('create_')));
  const issues = await opened.call('list_issues', { owner: 'o', repo: 'r', _pages: 5 });
  assert.deepEqual(
    (body(issues.result) as { number: number; labels: string[] }[]).map(({ number, labels }) => [number, labels]),
    [
      [1, ['bug']],
      [2, ['bug']],
      [3, ['bug']],
    ],
  );
  assert.deepEqual(body((await opened.call('get_contents', { owner: 'o', repo: 'r', path: 'src/a b.ts' })).result), {
    type: 'file',
    encoding: 'base64',
    content: 'eA==',
  });
  assert.equal(github.seen().at(-1)?.headers['x-github-api-version'], '2022-11-28');
  assert.equal((await opened.call('get_contents', { owner: 'o', repo: 'r', path: '../../../user' })).error, 'SBX_API_INPUT');
  assert.equal((await opened.call('get_repository', { owner: 'o', repo: '../x' })).error, 'SCHEMA');
  assert.match((await opened.call('get_repository', { owner: 'o', repo: 'none' })).text, /Not Found/u);
  const limited = await opened.call('search_code', { q: 'x' });
  assert.equal(limited.error, 'SBX_API_LIMITED');
  assert.match(limited.text, /in (?:1799|1800) s/u);
  await opened.close();
  const writing = await openTestApi({ ...settings, allow: ['create_issue'] });
  assert.deepEqual(
    writing.api.operations.filter((each) => each.method !== 'GET').map((each) => each.tool),
    ['create_issue'],
  );
  assert.deepEqual(body((await writing.call('create_issue', { owner: 'o', repo: 'r', body: { title: 'Broken' } })).result), {
    number: 7,
    url: 'https://github.com/o/r/issues/7',
  });
  assert.equal((await writing.call('create_issue', { owner: 'o', repo: 'r', body: { title: 'x', admin: true } })).error, 'SCHEMA');
  await writing.close();
});

it('generic: any path beneath the base URL', async () => {
  const opened = await openTestApi({
    preset: 'generic',
    baseUrl: `http://127.0.0.1:${github.port}/repos`,
    allowPrivate: [`127.0.0.1:${github.port}`],
    auth: { type: 'bearer', token: 'ghp_0123456789abcdef' },
  });
  assert.deepEqual(
    opened.api.operations.map((each) => each.tool),
    ['get'],
  );
  assert.equal((await opened.call('get', { path: 'o/r/issues', query: { page: 3, state: 'open' } })).error, undefined);
  assert.equal(github.seen().at(-1)?.url, '/repos/o/r/issues?page=3&state=open');
  assert.equal((await opened.call('get', { path: '/o/r/issues' })).error, undefined, 'a slash at the beginning is how people write paths');
  assert.match(github.seen().at(-1)?.url ?? '', /^\/repos\/o\/r\/issues/u);
  for (const path of ['../user', 'o/../../user', '/../user', '//evil.test/x', 'http://evil.test'])
    assert.equal((await opened.call('get', { path })).error, 'SBX_API_INPUT', path);
  await opened.close();
});

it('a catalogue by hand: parameters, fixed query, projection, an absolute address', async () => {
  const origin = `http://127.0.0.1:${github.port}`;
  const opened = await openTestApi({
    requests: {
      issue_titles: {
        path: `${origin}/repos/{owner}/{repo}/issues?state=open`,
        description: 'Titles.',
        parameters: { owner: {}, repo: {}, n: { name: 'per_page', schema: { type: 'integer', maximum: 5 } } },
        select: '[].title',
      },
    },
    auth: { type: 'bearer', token: 'ghp_0123456789abcdef' },
    allowPrivate: [`127.0.0.1:${github.port}`],
  });
  assert.deepEqual(body((await opened.call('issue_titles', { owner: 'o', repo: 'r', n: 2 })).result), ['t1']);
  assert.equal(github.seen().at(-1)?.url, '/repos/o/r/issues?state=open&per_page=2');
  await opened.close();
  await assert.rejects(openTestApi({ requests: { x: { path: '/a/{b}' } }, baseUrl: origin }), /"x" cannot be made a tool/u);
  await assert.rejects(
    openTestApi({ requests: { x: { path: '/a', parameters: { Host: { in: 'header' } } } }, baseUrl: origin }),
    /"x" cannot be made a tool/u,
  );
});

it('a curl line and a HAR become tools, without their credentials', async () => {
  const origin = `http://127.0.0.1:${github.port}`;
  const curl = `curl '${origin}/repos/o/r/issues?state=all&access_token=abc123secret' \\\n  -H 'Authorization: Bearer leaked-token-1' -H 'Cookie: sid=leaked-cookie' -H 'X-Trace: yes' -u me:leaked-pass --compressed`;
  const post = `curl -X POST "${origin}/repos/o/r/items/42" -H "Content-Type: application/json" --data-raw $'{"title":"it\\'s","n":1}'`;
  const entry = (url: string, mimeType: string): object => ({
    request: {
      method: 'GET',
      url,
      headers: [
        { name: 'Authorization', value: 'leaked-har-auth' },
        { name: 'X-App', value: 'shop' },
      ],
    },
    response: { content: { mimeType } },
  });
  files.write('shop.har', {
    log: {
      entries: [
        entry(`${origin}/search/code?q=x&token=leaked-har`, 'application/json'),
        entry(`${origin}/app.js`, 'text/javascript'),
        entry(`${origin}/logo.png`, 'image/png'),
      ],
    },
  });
  const opened = await openTestApi(
    {
      import: [curl, post, 'shop.har'],
      methods: ['GET', 'POST'],
      allowPrivate: [`127.0.0.1:${github.port}`],
      auth: { type: 'bearer', token: 'ghp_0123456789abcdef' },
    },
    undefined,
    files.path,
  );
  assert.deepEqual(
    opened.api.operations.map((each) => [each.tool, each.method, each.parameters.map(({ property }) => property)]),
    [
      ['get_repos_o_r_issues', 'GET', ['state']],
      ['post_repos_o_r_items', 'POST', ['item_id']],
      ['get_search_code', 'GET', ['q']],
    ],
  );
  assert.doesNotMatch(JSON.stringify(opened.api.operations), /leaked|abc123secret/u);
  assert.deepEqual(opened.operation('post_repos_o_r_items').body?.schema, {
    type: 'object',
    properties: { title: { type: 'string' }, n: { type: 'number' } },
  });
  assert.equal((await opened.call('get_repos_o_r_issues', { state: 'open' })).error, undefined);
  const [seen] = github.seen();
  assert.deepEqual(
    [seen?.url, seen?.headers['x-trace'], seen?.headers.cookie, seen?.headers.authorization],
    ['/repos/o/r/issues?state=open', 'yes', undefined, 'Bearer ghp_0123456789abcdef'],
  );
  await opened.close();
});
