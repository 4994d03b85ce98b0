/** What the host does for every plugin where the SDK does not: each case was answered otherwise before, or served. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { bundled } from './client.ts';
import { ENVELOPE, ERAS, type Era, type Outcome, type Pipe, pipe } from './pipe.ts';

const INVALID_PARAMS = -32602;
let base: string;
let root: string;
/** A plugin that lists its resources in pages of its own and does not look at what a cursor holds. */
let paged: string;

before(() => {
  base = mkdtempSync(join(tmpdir(), 'sbx-checks-'));
  root = join(base, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'a.txt'), 'a\n');
  const rail = new DatabaseSync(join(base, 'rail.db'));
  rail.exec('CREATE TABLE station (id INTEGER PRIMARY KEY)');
  rail.close();
  paged = join(base, 'paged');
  mkdirSync(paged);
  const settings = { type: 'object' };
  writeFileSync(
    join(paged, 'plugin.json'),
    JSON.stringify({ name: 'paged', version: '1.0.0', title: 'P', description: 'P', main: 'index.mjs', settings }),
  );
  writeFileSync(
    join(paged, 'index.mjs'),
    `import { definePlugin, tool } from 'mcp-signalbox/plugin';
export default definePlugin({ register({ server }) {
  server.registerCapabilities({ resources: {} });
  server.setRequestHandler('resources/list', ({ params }) => params?.cursor === undefined
    ? { resources: [{ uri: 'a:1', name: 'one' }], nextCursor: '' }
    : { resources: [{ uri: 'a:2', name: 'cursor ' + JSON.stringify(params.cursor) }] });
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
  server.setRequestHandler('resources/read', () => { throw new Error('[\\n  "a fault of the plugin"\\n]'); });
} });`,
  );
});
after(() => rmSync(base, { recursive: true, force: true }));

/** One connection that is ready for requests. */
async function ready(era: Era, folder: string, ...args: readonly string[]): Promise<Pipe> {
  const connection = pipe(era, folder, ...args);
  if (era === 'legacy') await connection.initialize();
  return connection;
}
const filesystem = (era: Era): Promise<Pipe> => ready(era, bundled('filesystem'), '--root', root);
const refused = (outcome: Outcome, message: RegExp | string, what?: string): void => {
  assert.equal(outcome.error?.code, INVALID_PARAMS, `${what ?? ''} ${JSON.stringify(outcome).slice(0, 500)}`);
  if (typeof message === 'string') assert.equal(outcome.error.message, message);
  else assert.match(outcome.error.message, message, what);
};

for (const era of ERAS) {
  describe(`params that are not as the specification has them, ${era}`, () => {
    const argument = { name: 'path', value: '' };
    const ref = { type: 'ref/prompt', name: 'review-file' };
    const cases: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
      ['resources/read', {}, 'params.uri: a string is expected'],
      ['resources/read', { uri: ['file:///x'] }, 'params.uri: a string is expected'],
      ['prompts/get', { name: 'review-file', arguments: { path: 1 } }, 'params.arguments.path: a string is expected'],
      ['prompts/get', { name: 'review-file', arguments: [] }, 'params.arguments: an object is expected'],
      ['prompts/get', { arguments: {} }, 'params.name: a string is expected'],
      ['completion/complete', { ref }, 'params.argument: an object is expected'],
      ['completion/complete', { ref, argument: { name: 'path' } }, 'params.argument.value: a string is expected'],
      ['completion/complete', { ref, argument: { name: 'path', value: 1 } }, 'params.argument.value: a string is expected'],
      ['completion/complete', { argument }, 'params.ref: an object is expected'],
      ['completion/complete', { ref: {}, argument }, 'params.ref.type: "ref/prompt" or "ref/resource" is expected'],
      ['completion/complete', { ref: { type: 'ref/prompt' }, argument }, 'params.ref.name: a string is expected'],
      ['completion/complete', { ref: { type: 'ref/resource' }, argument }, 'params.ref.uri: a string is expected'],
      ['tools/call', { arguments: {} }, 'params.name: a string is expected'],
      ['tools/call', { name: 'hash_file', arguments: 'a.txt' }, 'params.arguments: an object is expected'],
      ['tools/list', { cursor: 5 }, 'params.cursor: a string is expected'],
    ];
    let server: Pipe;
    before(async () => {
      server = await filesystem(era);
    });
    after(() => server.close());

    for (const [method, params, message] of cases)
      it(`${method} ${JSON.stringify(params)}`, async () => refused(await server.ask(method, params), message));

    it('name the member also where its name is long', async () => {
      const name = 'x'.repeat(5000);
      const { error } = await server.ask('prompts/get', { name: 'review-file', arguments: { path: 'a.txt', [name]: 1 } });
      assert.equal(error?.code, INVALID_PARAMS);
      assert.match(error.message, /^params\.arguments\.x+…: a string is expected$/);
      assert.ok(error.message.length < 200);
    });
    it('of a method that is not served are not looked at', async () => {
      const other = await ready(era, paged);
      try {
        assert.equal((await other.ask('prompts/get', { name: 1 })).error?.code, -32601);
        assert.equal((await other.ask('tools/list', { cursor: 'x' })).error?.code, -32601);
      } finally {
        await other.close();
      }
    });
    it('that are right leave the fault to the plugin', async () => {
      const other = await ready(era, paged);
      try {
        const { error } = await other.ask('resources/read', { uri: 'a:1' });
        assert.deepEqual({ ...error }, { code: -32603, message: '[\n  "a fault of the plugin"\n]' });
      } finally {
        await other.close();
      }
    });
  });

  describe(`completion of what is not there, ${era}`, () => {
    const argument = { name: 'path', value: 'a' };
    it('is refused, of prompts and of templates', async () => {
      const server = await filesystem(era);
      try {
        const complete = (ref: object): Promise<Outcome> => server.ask('completion/complete', { ref, argument });
        refused(await complete({ type: 'ref/prompt', name: 'no-such-prompt' }), /no-such-prompt/);
        refused(await complete({ type: 'ref/resource', uri: 'file:///no/such/{+path}' }), /no\/such/);
        assert.deepEqual((await complete({ type: 'ref/prompt', name: 'review-file' })).result?.['completion'], { values: [] });
        const { result } = await server.ask('resources/templates/list');
        const [template] = result?.['resourceTemplates'] as { uriTemplate: string }[];
        const found = (await complete({ type: 'ref/resource', uri: template?.uriTemplate })).result?.['completion'];
        assert.deepEqual((found as { values: unknown }).values, ['a.txt']);
      } finally {
        await server.close();
      }
    });
  });

  describe(`a cursor, ${era}`, () => {
    it('that was not issued is refused on lists of one page', async () => {
      const server = await filesystem(era);
      try {
        for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])
          for (const cursor of ['no-such-cursor', '', '0', '500', '__proto__', 'x'.repeat(5000)])
            refused(await server.ask(method, { cursor }), /cursor/, `${method} ${cursor.slice(0, 20)}`);
      } finally {
        await server.close();
      }
    });
    it('comes back to the plugin as it gave it, on another connection too; a changed one does not', async () => {
      const [one, other] = [await ready(era, paged), await ready(era, paged)];
      try {
        const cursor = (await one.ask('resources/list')).result?.['nextCursor'] as string;
        for (const server of [one, one, other]) {
          const { result } = await server.ask('resources/list', { cursor });
          assert.deepEqual(result?.['resources'], [{ uri: 'a:2', name: 'cursor ""' }]);
          assert.equal(result['nextCursor'], undefined);
        }
        for (const changed of [`${cursor}x`, cursor.slice(0, -1), cursor.slice(1), ''])
          refused(await one.ask('resources/list', { cursor: changed }), /cursor/, changed);
        refused(await one.ask('resources/templates/list', { cursor }), /cursor/, 'of another list');
      } finally {
        await one.close();
        await other.close();
      }
    });
  });
}

describe('the handshake', () => {
  it('comes before any other request of a legacy client but ping', async () => {
    const server = pipe('legacy', bundled('filesystem'), '--root', root);
    try {
      assert.deepEqual((await server.request('ping')).result, {});
      for (const method of ['tools/list', 'resources/list', 'prompts/list', 'server/discover'])
        refused(await server.request(method), /initialize/, method);
      refused(await server.request('initialize', {}), /^params\.protocolVersion: /);
      refused(await server.request('tools/list'), /initialize/, 'a handshake that failed is none');
      assert.ok((await server.initialize()).result);
      assert.ok((await server.request('tools/list')).result);
      // A second one fails; what was agreed on before still holds.
      await server.request('initialize', {});
      assert.ok((await server.request('tools/list')).result);
    } finally {
      await server.close();
    }
  });
  it('need not be answered before the next request is sent', async () => {
    const server = pipe('legacy', bundled('filesystem'), '--root', root);
    try {
      const [hello, list] = await Promise.all([server.initialize(), server.request('tools/list')]);
      assert.ok(hello.result !== undefined && list.result !== undefined);
    } finally {
      await server.close();
    }
  });
  it('cannot be taken back', async () => {
    const server = pipe('legacy', bundled('filesystem'), '--root', root);
    try {
      const hello = server.initialize();
      server.notify('notifications/cancelled', { requestId: 1 });
      // Requests are answered in their order here: without an answer to the first, the second would be the only one.
      const first = await Promise.race([hello, server.request('ping').then(() => server.request('ping'))]);
      assert.ok(first.result?.['protocolVersion'], JSON.stringify(first));
      assert.ok((await server.request('tools/list')).result);
    } finally {
      await server.close();
    }
  });
  it('is none of the modern era: a request with the envelope is served first, one without it is refused', async () => {
    const server = pipe('modern', bundled('filesystem'), '--root', root);
    try {
      assert.ok((await server.ask('server/discover')).result);
      refused(await server.request('tools/list'), /_meta/, 'after discovery');
      assert.ok((await server.ask('tools/list')).result);
      refused(await server.request('tools/list'), /_meta/, 'after a request that was served');
      assert.ok((await server.ask('tools/list')).result);
    } finally {
      await server.close();
    }
  });
});

describe('a connection of the database server that is not there', () => {
  for (const era of ERAS)
    it(`is a fault of the params of prompts and completions, ${era}`, async () => {
      const server = await ready(era, bundled('database'), '--connection', `rail=sqlite:${join(base, 'rail.db')}`);
      try {
        const told = /^SBX_DB_CONNECTION: There is no connection "rial"\. .*"rail"/;
        refused(await server.ask('prompts/get', { name: 'explore-database', arguments: { connection: 'rial' } }), told);
        refused(await server.ask('prompts/get', { name: 'optimise-query', arguments: { sql: 'SELECT 1', connection: 'rial' } }), told);
        const ref = { type: 'ref/resource', uri: 'db://{connection}/tables/{schema}/{table}' };
        const context = { arguments: { connection: 'rial' } };
        for (const name of ['schema', 'table'])
          refused(await server.ask('completion/complete', { ref, argument: { name, value: '' }, context }), told, name);
      } finally {
        await server.close();
      }
    });
});

describe('a message that repeats what was sent', () => {
  it('stays short, with its beginning and its end', async () => {
    const server = await ready('legacy', bundled('database'), '--connection', `rail=sqlite:${join(base, 'rail.db')}`);
    try {
      const { error } = await server.ask('resources/read', { uri: 'x'.repeat(65_536) });
      assert.match(error?.message ?? '', /^Resource URI x+ … x+ is invalid$/);
      assert.ok((error?.message.length ?? 0) < 1000);
    } finally {
      await server.close();
    }
  });
});

describe('a revision that is not served', () => {
  it('is refused in one sentence, however long its name is', async () => {
    const server = pipe('modern', bundled('filesystem'), '--root', root);
    try {
      const requested = 'x'.repeat(5000);
      const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': requested };
      const { error } = await server.request('tools/list', { _meta });
      assert.equal(error?.code, -32022);
      assert.match(error.message, /^Unsupported protocol version: x{60}…$/);
      assert.deepEqual(error.data, { supported: ['2026-07-28'], requested });
    } finally {
      await server.close();
    }
  });
});
