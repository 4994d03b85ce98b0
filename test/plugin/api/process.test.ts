import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createDemo, type Demo } from '../../../daemon/cli/demo/demo.ts';
import { bundled, connect, PEERS } from '../client.ts';

let base: string;
let demo: Demo;
/** Must never be reached: counts its connections. */
let forbidden: Server;
let forbiddenConnections = 0;
let friendly: Server;
const seen: string[] = [];
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
function stop(server: Server): void {
  server.close();
  server.closeAllConnections();
}

before(async () => {
  base = mkdtempSync(join(tmpdir(), 'sbx-api-'));
  demo = await createDemo(base);
  forbidden = await listen((_request, response) => response.end('the secret inside'));
  forbidden.on('connection', () => forbiddenConnections++);
  friendly = await listen((request, response) => {
    seen.push(request.url ?? '');
    if (request.url === '/v1/away') response.writeHead(302, { location: `http://127.0.0.1:${portOf(forbidden)}/` }).end();
    else if (request.url === '/v1/near') response.writeHead(302, { location: '/v1/items/1' }).end();
    else if (request.url === '/v1/round') response.writeHead(302, { location: '/v1/round' }).end();
    else if (request.url === '/v1/bomb')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50 * 1024 * 1024, ' ')));
    else if (request.url === '/v1/double') response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end('x');
    else if (request.url !== '/v1/silent')
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ key: request.headers['x-key'] }));
  });
  const get = (parameters: unknown[] = []) => ({ get: { parameters, responses: { 200: { description: 'ok' } } } });
  const document = {
    openapi: '3.0.3',
    info: { title: 'T', version: '1' },
    servers: [{ url: `http://127.0.0.1:${portOf(friendly)}/v1` }],
    paths: {
      '/items/{id}': {
        ...get([
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'tag', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
        ]),
        delete: { operationId: 'remove', responses: { 200: { description: 'ok' } } },
      },
      ...Object.fromEntries(['away', 'near', 'round', 'bomb', 'double', 'silent'].map((name) => [`/${name}`, get()])),
    },
  };
  writeFileSync(join(base, 'friendly.json'), JSON.stringify(document));
});
after(async () => {
  await demo.close();
  stop(forbidden);
  stop(friendly);
  rmSync(base, { recursive: true, force: true });
});

for (const peer of PEERS) {
  it(`the demo's API with a ${peer} client`, async () => {
    const session = await connect(peer, bundled('api'), ['--spec', demo.spec, '--allow-private', `127.0.0.1:${demo.apiPort}`]);
    try {
      assert.deepEqual([...(await session.tools())].sort(), ['get_station', 'list_departures', 'list_stations']);
      const station = await session.call('get_station', { code: 'DUN' });
      assert.deepEqual((station.structured?.['body'] as { name: string }).name, 'Dunmere Junction');
      const departures = await session.call('list_departures', { code: 'INV', after: '12:00', limit: 2 });
      assert.equal((departures.structured?.['body'] as unknown[]).length, 2);
      assert.match((await session.call('get_station', { code: 'XXX' })).text, /^SBX_API_STATUS: .*404/);
      assert.ok((await session.call('get_station', { code: '../..' })).isError);
    } finally {
      await session.close();
    }
  });
}

describe('API guard', () => {
  const friend = () => ['--spec', join(base, 'friendly.json'), '--allow-private', `127.0.0.1:${portOf(friendly)}`];

  it('never connects to an address that is not public and not allowed', async () => {
    const port = portOf(forbidden);
    // One of each family, through the process; guard.test.ts has them all.
    const hosts = ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '169.254.169.254', '10.0.0.1'];
    for (const host of hosts) {
      const session = await connect('modern', bundled('api'), [
        '--spec',
        demo.spec,
        '--base-url',
        `http://${host}:${port}`,
        '--allow-private',
        `127.0.0.1:${demo.apiPort}`,
      ]);
      try {
        const answer = await session.call('list_stations');
        assert.ok(answer.isError, host);
        assert.match(answer.text, /^SBX_API_REFUSED: /, host);
        assert.doesNotMatch(answer.text, /the secret inside/);
      } finally {
        await session.close();
      }
    }
    assert.equal(forbiddenConnections, 0);
  });
  it('follows redirects on the same origin only', async () => {
    const session = await connect('modern', bundled('api'), [
      ...friend(),
      '--allow-private',
      `127.0.0.1:${portOf(forbidden)}`,
      '--header',
      'x-key=k1',
    ]);
    try {
      assert.match((await session.call('get_away')).text, /^SBX_API_REFUSED: .*redirect/);
      assert.equal(forbiddenConnections, 0);
      assert.deepEqual((await session.call('get_near')).structured?.['body'], { key: '[secret]' });
      assert.match((await session.call('get_round')).text, /More than 5 redirects/);
    } finally {
      await session.close();
    }
  });
  it('keeps a path value in its place, and gives only GET', async () => {
    const session = await connect('modern', bundled('api'), friend());
    try {
      assert.ok(!(await session.tools()).includes('remove'));
      for (const id of ['.', '..', '', '../../admin', '..\\admin', '%2e%2e'])
        assert.match((await session.call('get_items_id', { id })).text, /^SBX_API_INPUT: /);
      seen.length = 0;
      for (const id of ['group/project', 'a\\b', '100%', 'a?b#c', 'ä/ö'])
        assert.ok(!(await session.call('get_items_id', { id })).isError, id);
      await session.call('get_items_id', { id: '1', tag: ['a', 'b&c=d'] });
      assert.deepEqual(seen, [
        '/v1/items/group%2Fproject',
        '/v1/items/a%5Cb',
        '/v1/items/100%25',
        '/v1/items/a%3Fb%23c',
        '/v1/items/%C3%A4%2F%C3%B6',
        '/v1/items/1?tag=a&tag=b%26c%3Dd',
      ]);
    } finally {
      await session.close();
    }
  });
  it('caps a bomb, refuses a double encoding, and does not wait for ever', async () => {
    const session = await connect('modern', bundled('api'), [...friend(), '--timeout-ms', '3000']);
    try {
      const bomb = await session.call('get_bomb');
      assert.equal(bomb.structured?.['truncated'], true);
      assert.match((await session.call('get_double')).text, /^SBX_API_REFUSED: /);
      assert.match((await session.call('get_silent')).text, /^SBX_API_TIMEOUT: .*in time/);
    } finally {
      await session.close();
    }
  });
  it('without a file, or with a wrong one, serves one prompt that says what to do', async () => {
    writeFileSync(join(base, 'swagger.json'), '{"swagger":"2.0","paths":{}}');
    for (const args of [
      [],
      ['--spec', join(base, 'none.yaml')],
      ['--spec', join(base, 'swagger.json')],
      ['--spec', demo.spec, '--base-url', 'http://a@b/'],
      ['--spec', demo.spec, '--base-url', 'file:///etc'],
    ]) {
      const session = await connect('modern', bundled('api'), args);
      try {
        assert.deepEqual(await session.tools(), []);
        assert.deepEqual(await session.prompts(), ['set-up-api']);
      } finally {
        await session.close();
      }
    }
  });
});
