/** Servers that misbehave: slow, dropped, half-closed, lying about lengths, bombs, endless pages, storms of 429, wrong clocks. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createGzip, gzipSync } from 'node:zlib';
import type { Settings } from '../../../servers/api/settings.ts';
import { type Counted, description, folder, listen, type Opened, openTestApi } from './harness.ts';

let server: Counted;
const files = folder();
const ok = { responses: { 200: { description: 'ok' } } };
/** Answers that are still to come, by path: a status and headers each. */
const script = new Map<string, { status: number; headers?: Record<string, string>; body?: string; cut?: boolean }[]>();
const times = new Map<string, number>();
const NAMES = [
  'slow',
  'trickle',
  'dropped',
  'half',
  'short',
  'long',
  'badgzip',
  'bomb',
  'bigbomb',
  'pages',
  'items',
  'storm',
  'skew',
  'skewed',
  'flaky',
  'never',
  'huge',
  'status',
  'empty',
  'broken',
  'headers',
  'latin',
  'image',
  'binary',
  'bigint',
  'cached',
  'etag',
  'cursor',
  'page',
  'offset',
  'loop',
];

before(async () => {
  server = await listen((request, response) => {
    const name = /^\/v1\/(\w+)/u.exec(request.url ?? '')?.[1] ?? '';
    times.set(name, (times.get(name) ?? 0) + 1);
    const json = { 'content-type': 'application/json' };
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const scripted = script.get(name)?.shift();
    if (scripted !== undefined) {
      if (scripted.cut === true) request.socket.destroy();
      else response.writeHead(scripted.status, { ...json, ...scripted.headers }).end(scripted.body ?? '{"ok":true}');
      return;
    }
    switch (name) {
      case 'slow':
      case 'never':
        return;
      case 'trickle': {
        response.writeHead(200, json).write('[');
        const timer = setInterval(() => response.write('1,'), 50);
        response.on('close', () => clearInterval(timer));
        return;
      }
      case 'dropped':
        response.writeHead(200, { ...json, 'content-length': '1000' }).write('{"half":');
        setImmediate(() => request.socket.destroy());
        return;
      case 'half':
        request.socket.end();
        return;
      case 'short':
        request.socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"a":1}');
        return;
      case 'long':
        request.socket.end(
          'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"evil":1}',
        );
        return;
      case 'badgzip':
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('this is no gzip');
        return;
      case 'bomb':
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000, ' ')));
        return;
      case 'bigbomb': {
        // 1 GB of blanks, made as it is read: the guard must stop long before its end.
        const gzip = createGzip();
        const block = Buffer.alloc(1_000_000, ' ');
        let sent = 0;
        response.writeHead(200, { ...json, 'content-encoding': 'gzip' });
        gzip.pipe(response);
        const more = (): void => {
          while (sent++ < 1000) if (!gzip.write(block)) return void gzip.once('drain', more);
          gzip.end();
        };
        response.on('close', () => gzip.destroy());
        gzip.on('error', () => undefined);
        more();
        return;
      }
      case 'pages': {
        const page = Number(query.get('page') ?? '1');
        const link = `<http://127.0.0.1:${server.port}/v1/pages?page=${page + 1}>; rel="next", <http://127.0.0.1:${server.port}/v1/pages?page=10000>; rel="last"`;
        response.writeHead(200, { ...json, link }).end(JSON.stringify([{ page }]));
        return;
      }
      case 'cursor': {
        const at = Number(query.get('cursor') ?? '0');
        response.writeHead(200, json).end(JSON.stringify({ items: [at, at + 1], next_cursor: at >= 6 ? null : String(at + 2) }));
        return;
      }
      case 'page': {
        const at = Number(query.get('page') ?? '1');
        response.writeHead(200, json).end(JSON.stringify({ total: 5, data: at === 1 ? [1, 2] : at === 2 ? [3, 4] : [5] }));
        return;
      }
      case 'offset': {
        const at = Number(query.get('offset') ?? '0');
        response.writeHead(200, json).end(JSON.stringify([1, 2, 3, 4, 5].slice(at, at + 2)));
        return;
      }
      case 'loop':
        response.writeHead(200, { ...json, link: '</v1/loop>; rel=next' }).end('[1]');
        return;
      case 'items':
        response.writeHead(200, json).end(JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `item ${id}` }))));
        return;
      case 'huge':
        response.writeHead(200, { 'content-type': 'text/plain' }).end('x'.repeat(3_000_000));
        return;
      case 'status':
        response
          .writeHead(Number(query.get('code')), { ...json, ...(query.get('code') === '429' ? { 'retry-after': '3600' } : {}) })
          .end('{"message":"because"}');
        return;
      case 'empty':
        response.writeHead(204).end();
        return;
      case 'broken':
        response.writeHead(200, json).end('{"a":');
        return;
      case 'headers':
        request.socket.end(`HTTP/1.1 200 OK\r\n${'X-Long: y\r\n'.repeat(5000)}\r\n`);
        return;
      case 'latin':
        response.writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' }).end(Buffer.from('gr\xfc\xdfe', 'latin1'));
        return;
      case 'image':
        response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from('89504e470d0a1a0a', 'hex'));
        return;
      case 'binary':
        response.writeHead(200, { 'content-type': 'application/zip' }).end(Buffer.from([80, 75, 3, 4, 0, 255]));
        return;
      case 'bigint':
        response.writeHead(200, json).end('{"id":12345678901234567890,"n":9007199254740991,"f":1.5}');
        return;
      case 'cached':
        response.writeHead(200, { ...json, 'cache-control': 'max-age=60' }).end(JSON.stringify({ count: times.get('cached') }));
        return;
      case 'etag':
        if (request.headers['if-none-match'] === '"v1"') response.writeHead(304, { etag: '"v1"', 'cache-control': 'no-cache' }).end();
        else response.writeHead(200, { ...json, etag: '"v1"', 'cache-control': 'no-cache' }).end('{"version":1}');
        return;
      default:
        response.writeHead(200, json).end('{"ok":true}');
    }
  });
  const query = (name: string): object => ({ name, in: 'query', schema: { type: 'string' } });
  const paths = Object.fromEntries(
    NAMES.map((name) => [
      `/${name}`,
      {
        get: {
          operationId: name,
          parameters: [query('code'), ...(['cursor', 'page', 'offset'].includes(name) ? [query(name)] : [])],
          ...ok,
        },
        post: { operationId: `post_${name}`, ...ok },
      },
    ]),
  );
  files.write('faults.json', description(paths, `http://127.0.0.1:${server.port}/v1`));
});
after(async () => {
  await server.stop();
  files.remove();
});

function open(settings: Partial<Settings> = {}): Promise<Opened> {
  return openTestApi(
    { spec: 'faults.json', allowPrivate: [`127.0.0.1:${server.port}`], methods: ['GET', 'POST'], timeoutMs: 1000, tries: 1, ...settings },
    undefined,
    files.path,
  );
}
async function with_<T>(settings: Partial<Settings>, use: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await open(settings);
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}
const structured = (result: { structuredContent?: unknown }): Record<string, unknown> =>
  result.structuredContent as Record<string, unknown>;

it('slow, trickling, dropped, half-closed, lying and broken answers are errors with a reason, never a hang', async () => {
  await with_({ timeoutMs: 400 }, async (opened) => {
    const expected: Readonly<Record<string, RegExp>> = {
      slow: /^SBX_API_TIMEOUT$/u,
      trickle: /^SBX_API_TIMEOUT$/u,
      dropped: /^SBX_API_FAILED$/u,
      half: /^SBX_API_FAILED$/u,
      short: /^SBX_API_FAILED$/u,
      badgzip: /^SBX_API_FAILED$/u,
      headers: /^SBX_API_FAILED$/u,
    };
    for (const [name, code] of Object.entries(expected)) {
      const { error, text } = await opened.call(name);
      assert.match(error ?? 'none', code, `${name}: ${text}`);
    }
  });
});
it('what comes after the announced length belongs to nobody', async () => {
  await with_({}, async (opened) => {
    assert.deepEqual(structured((await opened.call('long')).result)['body'], { a: 1 });
    assert.doesNotMatch((await opened.call('empty')).text, /evil/u);
  });
});
it('a bomb is cut at the limit, also one of 1 GB, without its bytes in memory', async () => {
  await with_({ timeoutMs: 20_000, maxBytes: 1_000_000 }, async (opened) => {
    assert.equal(structured((await opened.call('bomb')).result)['truncated'], true);
    const before = process.memoryUsage().arrayBuffers;
    const { result, error, text } = await opened.call('bigbomb');
    assert.equal(error, undefined, text);
    assert.equal(structured(result)['truncated'], true);
    assert.ok(process.memoryUsage().arrayBuffers - before < 200_000_000);
  });
});
it('10 000 pages end at the limits, and the answer says that there is more', async () => {
  await with_({ maxPages: 50, maxItems: 30 }, async (opened) => {
    const { result } = await opened.call('pages', { _pages: 50 });
    assert.equal((structured(result)['body'] as unknown[]).length, 30);
    assert.match(String(structured(result)['note']), /There is more/u);
    assert.equal(structured((await opened.call('pages')).result)['pages'], undefined);
  });
  await with_({ maxPages: 100, maxItems: 1000 }, async (opened) =>
    assert.equal(structured((await opened.call('pages', { _pages: 100 })).result)['pages'], 100),
  );
});
it('pages by cursor, number and offset are put together; a page that names itself ends it', async () => {
  await with_({}, async (opened) => {
    assert.deepEqual(structured((await opened.call('cursor', { _pages: 20 })).result)['body'], {
      items: [0, 1, 2, 3, 4, 5, 6, 7],
      next_cursor: null,
    });
    assert.deepEqual(structured((await opened.call('page', { _pages: 20 })).result)['body'], { total: 5, data: [1, 2, 3, 4, 5] });
    assert.deepEqual(structured((await opened.call('offset', { _pages: 20 })).result)['body'], [1, 2, 3, 4, 5]);
    assert.deepEqual(structured((await opened.call('loop', { _pages: 20 })).result)['body'], [1]);
  });
});
it('a storm of 429 is waited out when short, and told when long', async () => {
  script.set('storm', [
    { status: 429, headers: { 'retry-after': '0' } },
    { status: 429, headers: { 'retry-after': '0' } },
  ]);
  await with_({ tries: 3 }, async (opened) => assert.equal((await opened.call('storm')).error, undefined));
  script.set('storm', [{ status: 429, headers: { 'retry-after': '7200' } }]);
  await with_({ tries: 3 }, async (opened) => {
    times.set('storm', 0);
    const first = await opened.call('storm');
    assert.equal(first.error, 'SBX_API_LIMITED');
    assert.match(first.text, /in 7200 s/u);
    // The host is left alone from then on.
    assert.equal((await opened.call('storm')).error, 'SBX_API_LIMITED');
    assert.equal(times.get('storm'), 1);
  });
});
it('a wrong clock on either side does no harm: dates count from the server’s own', async () => {
  const theirs = new Date(Date.now() + 5 * 3_600_000);
  script.set('skew', [{ status: 429, headers: { date: theirs.toUTCString(), 'retry-after': theirs.toUTCString() } }]);
  await with_({ tries: 2 }, async (opened) => assert.equal((await opened.call('skew')).error, undefined));
  const past = new Date(Date.now() - 30 * 24 * 3_600_000);
  script.set('skewed', [
    {
      status: 200,
      headers: {
        date: past.toUTCString(),
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.floor(past.getTime() / 1000) + 900),
      },
    },
  ]);
  await with_({}, async (opened) => {
    assert.equal((await opened.call('skewed')).error, undefined);
    const { error, text } = await opened.call('empty');
    assert.equal(error, 'SBX_API_LIMITED');
    assert.match(text, /another (?:899|900) s/u);
  });
});
it('only what may be sent twice is sent twice', async () => {
  const failures = (): void => void script.set('flaky', [{ status: 503 }, { status: 0, cut: true }]);
  failures();
  times.set('flaky', 0);
  await with_({ tries: 3 }, async (opened) => assert.equal((await opened.call('flaky')).error, undefined));
  assert.equal(times.get('flaky'), 3);
  failures();
  times.set('flaky', 0);
  await with_({ tries: 3 }, async (opened) => assert.equal((await opened.call('post_flaky')).error, 'SBX_API_STATUS'));
  assert.equal(times.get('flaky'), 1);
  failures();
  server.seen();
  await with_({ tries: 3, idempotencyHeader: 'Idempotency-Key' }, async (opened) =>
    assert.equal((await opened.call('post_flaky')).error, undefined),
  );
  const keys = server.seen().map((each) => each.headers['idempotency-key']);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/u);
});
it('a cancelled call ends at once and is not tried again', async () => {
  await with_({ tries: 5, timeoutMs: 60_000 }, async (opened) => {
    times.set('never', 0);
    const controller = new AbortController();
    const calling = opened.call('never', {}, controller.signal);
    while ((times.get('never') ?? 0) === 0) await new Promise(setImmediate);
    controller.abort(new Error('the client went'));
    assert.equal((await calling).error, 'OTHER');
    assert.equal(times.get('never'), 1);
  });
});
it('each error status says what to do next', async () => {
  const expected: readonly (readonly [number, string, RegExp])[] = [
    [400, 'SBX_API_STATUS', /Correct the arguments/u],
    [401, 'SBX_API_AUTH', /Do not try again/u],
    [403, 'SBX_API_AUTH', /may not do this/u],
    [404, 'SBX_API_STATUS', /listing or searching/u],
    [409, 'SBX_API_STATUS', /Read its present state/u],
    [422, 'SBX_API_STATUS', /Correct the arguments/u],
    [429, 'SBX_API_LIMITED', /in 3600 s/u],
    [500, 'SBX_API_STATUS', /Try again later/u],
    [503, 'SBX_API_STATUS', /Try again later/u],
  ];
  for (const [code, error, fix] of expected) {
    await with_({}, async (opened) => {
      const answer = await opened.call('status', { code: String(code) });
      assert.equal(answer.error, error, String(code));
      assert.match(answer.text, fix);
      assert.match(answer.text, /because/u);
    });
  }
  const gone = await openTestApi({
    spec: files.write('gone.json', description({ '/x': { get: { operationId: 'x', ...ok } } }, 'http://127.0.0.1:1')),
    allowPrivate: ['127.0.0.1:1'],
    tries: 1,
  });
  assert.equal((await gone.call('x')).error, 'SBX_API_FAILED');
  await gone.close();
});
it('a long answer is cut where it helps, and a part of it can be asked for', async () => {
  await with_({ answerBytes: 2000 }, async (opened) => {
    const { result } = await opened.call('items');
    const body = structured(result)['body'] as unknown[];
    assert.ok(body.length > 10 && JSON.stringify(body).length <= 2000);
    assert.match(String(structured(result)['note']), new RegExp(`Cut: ${body.length} of 20000 items`, 'u'));
    assert.deepEqual(structured((await opened.call('items', { _select: '/19999' })).result)['body'], { id: 19999, name: 'item 19999' });
    assert.equal(structured((await opened.call('items', { _select: 'length(@)' })).result)['body'], 20_000);
    assert.deepEqual(structured((await opened.call('items', { _select: '[?id==`7`].name' })).result)['body'], ['item 7']);
    assert.equal((await opened.call('items', { _select: '[?' })).error, 'SBX_API_INPUT');
    // Expressions made to fill the memory.
    for (const _select of [
      Array(60).fill('[@,@]').join('|'),
      Array(300)
        .fill('{a:@,b:@}')
        .join('|')
        .slice(0, 1990)
        .replace(/\|[^|]*$/u, ''),
      "pad_left('x', `1000000000`)",
      'x'.repeat(3000),
    ])
      assert.match((await opened.call('bigint', { _select })).error ?? 'none', /^(?:SBX_API_INPUT|SCHEMA)$/u, _select.slice(0, 40));
    assert.equal(structured((await opened.call('huge')).result)['truncated'], true);
  });
});
it('text, pictures, binaries and large numbers arrive as what they are', async () => {
  await with_({}, async (opened) => {
    assert.equal(structured((await opened.call('latin')).result)['body'], 'grüße');
    assert.equal(structured((await opened.call('empty')).result)['status'], 204);
    assert.equal(structured((await opened.call('broken')).result)['body'], '{"a":');
    assert.deepEqual(structured((await opened.call('bigint')).result)['body'], { id: '12345678901234567890', n: 9007199254740991, f: 1.5 });
    const [picture] = (await opened.call('image')).result.content;
    assert.deepEqual(picture, { type: 'image', mimeType: 'image/png', data: Buffer.from('89504e470d0a1a0a', 'hex').toString('base64') });
    const [link] = (await opened.call('binary')).result.content as { uri: string }[];
    assert.deepEqual([...(opened.api.answers.get(link?.uri.split('/').at(-1) ?? '')?.bytes ?? [])], [80, 75, 3, 4, 0, 255]);
  });
});
it('the cache follows the headers: fresh answers are not asked for again, stale ones are asked about', async () => {
  await with_({}, async (opened) => {
    for (let round = 0; round < 3; round++) assert.deepEqual(structured((await opened.call('cached')).result)['body'], { count: 1 });
    for (let round = 0; round < 3; round++) assert.deepEqual(structured((await opened.call('etag')).result)['body'], { version: 1 });
    const asked = server.seen().filter((each) => each.url === '/v1/etag');
    // undici forgets the validator when the 304 itself says no-cache; the third request is then a plain one, which is allowed.
    assert.deepEqual(
      asked.slice(0, 2).map((each) => each.headers['if-none-match']),
      [undefined, '"v1"'],
    );
  });
  times.set('cached', 0);
  await with_({ cache: false }, async (opened) => {
    await opened.call('cached');
    await opened.call('cached');
  });
  assert.equal(times.get('cached'), 2);
});
it('every call leaves one audit line, whatever came of it', async () => {
  await with_({}, async (opened) => {
    await opened.call('empty');
    await opened.call('status', { code: '404' });
    assert.deepEqual(
      opened.audit.map(({ action, tool, method, status, requests, error }) => ({ action, tool, method, status, requests, error })),
      [
        { action: 'request', tool: 'empty', method: 'GET', status: 204, requests: 1, error: undefined },
        { action: 'request', tool: 'status', method: 'GET', status: 404, requests: 1, error: 'SBX_API_STATUS' },
      ],
    );
  });
});
