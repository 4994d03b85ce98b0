/** Secrets planted everywhere: in no result, error, log, audit line or list, whatever the API gives back; and OAuth 2. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Secrets } from '../../../servers/api/request/secrets.ts';
import type { Settings } from '../../../servers/api/settings.ts';
import { type Counted, description, folder, listen, openTestApi } from './harness.ts';

const KEY = 'sk-live/9f8e7d+6c5b=4a&3"2';
const HEADER = 'hdr-5ecret-0123456789';
const PASSWORD = 'p4ss wörd:with/slash';
const CLIENT_SECRET = 'client-secret-abcdef';
const REFRESH = 'refresh-token-abcdef';
const files = folder();
const ok = { responses: { 200: { description: 'ok' } } };
const NAMES = ['echo', 'text', 'fail', 'away', 'binary', 'image', 'cut', 'gzip', 'encoded', 'keys', 'drop', 'ok'];
let server: Counted;
let issued = 0;
let revoked = '';

before(async () => {
  server = await listen((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const all = JSON.stringify({
      url: request.url,
      headers: request.headers,
      query: Object.fromEntries(url.searchParams),
      plain: [KEY, HEADER, PASSWORD],
    });
    const name = url.pathname.split('/').at(-1);
    const json = { 'content-type': 'application/json' };
    const seen = server.seen().at(-1);
    if (name === 'token') {
      const form = new URLSearchParams(seen?.body);
      if (form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === 'expired-refresh-1') {
        response
          .writeHead(400, json)
          .end(JSON.stringify({ error: 'invalid_grant', error_description: `no good: expired-refresh-1 ${CLIENT_SECRET}` }));
        return;
      }
      issued++;
      response.writeHead(200, json).end(
        JSON.stringify({
          access_token: `access-token-${issued}-xyz`,
          token_type: 'bearer',
          expires_in: 3600,
          ...(form.get('grant_type') === 'refresh_token' ? { refresh_token: `rotated-refresh-${issued}` } : {}),
        }),
      );
    } else if (revoked !== '' && request.headers.authorization === `Bearer ${revoked}`) response.writeHead(401, json).end(all);
    else if (name === 'text')
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<p>${all} ${encodeURIComponent(KEY)} ${KEY.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}</p>`);
    else if (name === 'fail') response.writeHead(422, json).end(all);
    else if (name === 'away')
      response.writeHead(302, { location: `http://elsewhere.test/?key=${encodeURIComponent(KEY)}&h=${HEADER}` }).end();
    else if (name === 'binary')
      response
        .writeHead(200, { 'content-type': 'application/octet-stream' })
        .end(Buffer.concat([Buffer.from([0, 255, 0]), Buffer.from(HEADER), Buffer.from([0]), Buffer.from(KEY)]));
    else if (name === 'image')
      response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.concat([Buffer.from([137, 80, 78, 71, 0]), Buffer.from(HEADER)]));
    else if (name === 'cut')
      response.writeHead(200, { 'content-type': 'text/plain' }).end(`${'x'.repeat(2048 - 10)}${HEADER}${'y'.repeat(5000)}`);
    else if (name === 'gzip') response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(all));
    else if (name === 'encoded') {
      const forms = [KEY, HEADER].flatMap((each) => [
        Buffer.from(each).toString('base64'),
        Buffer.from(`user:${each}`).toString('base64'),
        Buffer.from(`ab${each}yz`).toString('base64url'),
        Buffer.from(each).toString('hex').toUpperCase(),
        encodeURIComponent(each).toLowerCase(),
      ]);
      response.writeHead(200, json).end(JSON.stringify(forms));
    } else if (name === 'keys')
      response.writeHead(200, json).end(JSON.stringify({ [KEY]: 1, nested: [{ [HEADER]: { deep: `a ${HEADER} b` } }] }));
    else if (name === 'drop') request.socket.destroy();
    else
      response
        .writeHead(200, {
          ...json,
          'x-echo': encodeURIComponent(all).slice(0, 2000),
          link: `</v1/ok?key=${encodeURIComponent(KEY)}>; rel="next"`,
        })
        .end(all);
  });
  files.write(
    'secrets.json',
    description(
      Object.fromEntries(NAMES.map((name) => [`/${name}`, { get: { operationId: name, description: `Send ${HEADER} here.`, ...ok } }])),
      `http://127.0.0.1:${server.port}/v1`,
    ),
  );
});
after(async () => {
  await server.stop();
  files.remove();
});

const WAYS: Readonly<Record<string, Partial<Settings>>> = {
  'key in the query': { auth: { type: 'apiKey', in: 'query', name: 'api key', value: KEY } },
  'key in a header': { auth: { type: 'apiKey', in: 'header', name: 'X-Api-Key', value: HEADER }, secrets: [KEY] },
  'key in a cookie': { auth: { type: 'apiKey', in: 'cookie', name: 'sid', value: HEADER }, secrets: [KEY] },
  basic: { auth: { type: 'basic', username: 'user', password: PASSWORD } },
  bearer: { auth: { type: 'bearer', token: HEADER }, secrets: [KEY] },
  'a header of the settings': { headers: { 'x-secret': HEADER, cookie: `a=${HEADER}` }, secrets: [KEY] },
};
const leaks = (text: string, value: string): boolean =>
  [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    Buffer.from(value).toString('hex'),
    Buffer.from(value).toString('base64').replaceAll('=', ''),
  ].some((each) => text.toLowerCase().includes(each.toLowerCase()));

for (const [way, settings] of Object.entries(WAYS)) {
  it(`${way}: nothing the API says brings it back`, async () => {
    const secrets = [KEY, HEADER, PASSWORD];
    const opened = await openTestApi(
      {
        spec: 'secrets.json',
        allowPrivate: [`127.0.0.1:${server.port}`],
        tries: 1,
        maxBytes: 2048,
        answerBytes: 2048,
        ...settings,
        secrets,
      },
      undefined,
      files.path,
    );
    for (const name of NAMES) {
      const { text, result } = await opened.call(name, name === 'echo' ? { _pages: 2 } : {});
      const pictures = result.content.flatMap((each) => ('data' in each ? [Buffer.from(each.data, 'base64').toString('latin1')] : []));
      const kept = result.content.flatMap((each) =>
        'uri' in each ? [opened.api.answers.get(String(each.uri).split('/').at(-1) ?? '')?.bytes.toString('latin1') ?? ''] : [],
      );
      for (const value of secrets) {
        for (const said of [text, ...pictures, ...kept])
          assert.ok(!leaks(said, value), `${way}, ${name}: ${value} in ${said.slice(0, 600)}`);
      }
      if (name === 'cut') assert.doesNotMatch(text, /hdr-5/u, 'nor a part of it at the limit');
    }
    const beside = JSON.stringify([opened.audit, opened.logs]);
    for (const value of secrets) assert.ok(!leaks(beside, value), `${way}: ${value} in ${beside.slice(0, 600)}`);
    await opened.close();
  });
}

it('the credentials do arrive, in their places', async () => {
  const sent = async (settings: Partial<Settings>) => {
    const opened = await openTestApi(
      { spec: 'secrets.json', allowPrivate: [`127.0.0.1:${server.port}`], ...settings },
      undefined,
      files.path,
    );
    const own = await listen((_request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
    await opened.close();
    const again = await openTestApi(
      { spec: 'secrets.json', baseUrl: `http://127.0.0.1:${own.port}/v1`, allowPrivate: [`127.0.0.1:${own.port}`], ...settings },
      undefined,
      files.path,
    );
    await again.call('ok');
    const [seen] = own.seen();
    await again.close();
    await own.stop();
    return seen;
  };
  assert.equal((await sent({ auth: { type: 'bearer', token: 'tok-123456' } }))?.headers.authorization, 'Bearer tok-123456');
  assert.equal(
    (await sent({ auth: { type: 'basic', username: 'u', password: PASSWORD } }))?.headers.authorization,
    `Basic ${Buffer.from(`u:${PASSWORD}`).toString('base64')}`,
  );
  assert.equal((await sent({ auth: { type: 'apiKey', in: 'query', name: 'k', value: KEY } }))?.url, `/v1/ok?k=${encodeURIComponent(KEY)}`);
  assert.equal((await sent({ auth: { type: 'apiKey', in: 'header', name: 'X-Key', value: HEADER } }))?.headers['x-key'], HEADER);
  assert.equal((await sent({ auth: { type: 'apiKey', in: 'cookie', name: 'sid', value: 'abcdef' } }))?.headers.cookie, 'sid=abcdef');
});

it('OAuth 2: one token for many calls, a new one after a 401, a rotated refresh token, and no word of any of them', async () => {
  const auth = {
    type: 'oauth2',
    tokenUrl: `http://127.0.0.1:${server.port}/token`,
    clientId: 'me',
    clientSecret: CLIENT_SECRET,
    scopes: ['read'],
  } as const;
  const base = { spec: 'secrets.json', allowPrivate: [`127.0.0.1:${server.port}`], cache: false };
  issued = 0;
  const opened = await openTestApi({ ...base, auth }, undefined, files.path);
  const answers = await Promise.all(Array.from({ length: 8 }, () => opened.call('ok')));
  assert.equal(issued, 1, 'eight calls at once, one token');
  revoked = 'access-token-1-xyz';
  const after401 = await opened.call('ok');
  assert.equal(after401.error, undefined);
  assert.equal(issued, 2);
  revoked = '';
  const words = JSON.stringify([answers, after401, opened.audit]);
  assert.doesNotMatch(words, /access-token-\d-xyz|client-secret/u);
  await opened.close();
  issued = 0;
  const refreshing = await openTestApi({ ...base, auth: { ...auth, refreshToken: REFRESH } }, undefined, files.path);
  revoked = 'access-token-1-xyz';
  const answer = await refreshing.call('echo');
  assert.equal(answer.error, undefined);
  revoked = '';
  assert.doesNotMatch(answer.text, /access-token|refresh-token|rotated-refresh/u);
  await refreshing.close();
  const expired = await openTestApi({ ...base, auth: { ...auth, refreshToken: 'expired-refresh-1' } }, undefined, files.path);
  const failed = await expired.call('ok');
  assert.equal(failed.error, 'SBX_API_AUTH');
  assert.match(failed.text, /invalid_grant/u);
  assert.doesNotMatch(failed.text, /expired-refresh-1|client-secret/u);
  await expired.close();
});

it('a short secret goes where it stands alone and does not destroy what it is a part of', () => {
  const secrets = new Secrets(['k1']);
  assert.deepEqual(secrets.value({ a: 'k1', b: 'work1ng' }), { a: '[secret]', b: 'work1ng' });
  const none = new Secrets();
  assert.deepEqual(none.value({ a: 1 }), { a: 1 });
});
