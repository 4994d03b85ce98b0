/** The API server as a process: search mode, resources, progress, and a description that changes under it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { bundled, hostArgs } from '../client.ts';
import { type Counted, description, folder, listen } from './harness.ts';

let server: Counted;
const files = folder();
const ok = {
  responses: {
    200: { description: 'ok', content: { 'application/json': { schema: { type: 'object', properties: { ok: { type: 'boolean' } } } } } },
  },
};

before(async () => {
  server = await listen((request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? '1');
    if (request.url?.startsWith('/v1/file'))
      response.writeHead(200, { 'content-type': 'application/zip' }).end(Buffer.from([80, 75, 3, 4, 0]));
    else
      response
        .writeHead(200, { 'content-type': 'application/json', ...(page < 3 ? { link: `</v1/things?page=${page + 1}>; rel="next"` } : {}) })
        .end(request.url?.startsWith('/v1/things') ? `[${page}]` : '{"ok":true}');
  });
});
after(async () => {
  await server.stop();
  files.remove();
});

function paths(count: number): object {
  const many = Array.from({ length: count }, (_, index) => [
    `/group${index % 7}/item${index}/{id}`,
    {
      get: {
        operationId: `getItem${index}`,
        summary: `Reads item ${index}`,
        tags: [`group${index % 7}`],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        ...ok,
      },
      delete: {
        operationId: `deleteItem${index}`,
        summary: `Deletes item ${index}`,
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        ...ok,
      },
    },
  ]);
  return {
    ...Object.fromEntries(many),
    '/things': { get: { operationId: 'listThings', summary: 'Lists the invoices of a customer', ...ok } },
    '/file': { get: { operationId: 'getFile', ...ok } },
  };
}
async function start(
  name: string,
  count: number,
  era: 'modern' | 'legacy',
  ...args: readonly string[]
): Promise<{ client: Client; file: string }> {
  const file = join(files.path, name);
  writeFileSync(file, JSON.stringify(description(paths(count), `http://127.0.0.1:${server.port}/v1`)));
  const client = new Client(
    { name: 'api-test', version: '1.0.0' },
    { versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
  );
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: hostArgs(bundled('api'), '--spec', file, '--allow-private', `127.0.0.1:${server.port}`, ...args),
      stderr: 'ignore',
    }),
  );
  return { client, file };
}

for (const era of ['modern', 'legacy'] as const) {
  it(`a big description is searched, described and called (${era})`, async () => {
    const { client } = await start(`big-${era}.json`, 100, era, '--method', 'GET', '--method', 'DELETE');
    try {
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map((each) => [each.name, each.annotations?.readOnlyHint]),
        [
          ['find_operations', true],
          ['describe_operation', true],
          ['call_operation', true],
          ['call_writing_operation', false],
        ],
      );
      const call = async (name: string, args: Record<string, unknown>) =>
        (await client.callTool({ name, arguments: args })) as {
          isError?: boolean;
          structuredContent?: Record<string, unknown>;
          content: { text?: string }[];
        };
      const found = await call('find_operations', { query: 'invoice of customers' });
      assert.equal((found.structuredContent?.['operations'] as { operation: string }[])[0]?.operation, 'listThings');
      assert.equal(((await call('find_operations', {})).structuredContent?.['tags'] as Record<string, number>)['group1'], 15);
      const described = (await call('describe_operation', { operation: 'getItem42' })).structuredContent;
      assert.deepEqual((described?.['input'] as { required: string[] }).required, ['id']);
      assert.deepEqual((await call('call_operation', { operation: 'getItem42', arguments: { id: 1 } })).structuredContent?.['body'], {
        ok: true,
      });
      assert.match(
        (await call('call_operation', { operation: 'getItem42', arguments: { id: 'x' } })).content[0]?.text ?? '',
        /^SBX_API_INPUT: .*do not fit/u,
      );
      assert.match(
        (await call('call_operation', { operation: 'deleteItem1', arguments: { id: 1 } })).content[0]?.text ?? '',
        /call_writing_operation/u,
      );
      assert.match((await call('call_operation', { operation: 'getItm42' })).content[0]?.text ?? '', /find_operations/u);
      assert.deepEqual(
        (await call('call_writing_operation', { operation: 'deleteItem1', arguments: { id: 1 } })).structuredContent?.['status'],
        200,
      );
    } finally {
      await client.close();
    }
  });
  it(`resources and progress (${era})`, async () => {
    const { client } = await start(`small-${era}.json`, 2, era);
    try {
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map((each) => each.name).sort(), ['getFile', 'getItem0', 'getItem1', 'listThings']);
      const { resources } = await client.listResources();
      const host = `api://127.0.0.1-${server.port}/`;
      for (const name of ['description', 'omitted', 'operations/getItem0'])
        assert.ok(
          resources.some((each) => each.uri === host + name),
          name,
        );
      const read = async (uri: string) => (await client.readResource({ uri })).contents[0] as { text?: string; blob?: string };
      assert.equal((JSON.parse((await read(`${host}description`)).text ?? '') as { openapi: string }).openapi, '3.1.0');
      assert.match((await read(`${host}operations/listThings`)).text ?? '', /Lists the invoices[\s\S]*"_pages"/u);
      assert.match((await read(`${host}omitted`)).text ?? '', /it writes/u);
      const zip = (await client.callTool({ name: 'getFile', arguments: {} })) as unknown as { content: { type: string; uri?: string }[] };
      assert.equal((await read(zip.content[0]?.uri ?? '')).blob, Buffer.from([80, 75, 3, 4, 0]).toString('base64'));
      const steps: number[] = [];
      const paged = (await client.callTool(
        { name: 'listThings', arguments: { _pages: 5 } },
        { onprogress: ({ progress }) => void steps.push(progress) },
      )) as { structuredContent?: { body: unknown } };
      assert.deepEqual(paged.structuredContent?.body, [1, 2, 3]);
      assert.deepEqual(steps, [1, 2]);
    } finally {
      await client.close();
    }
  });
}

it('a changed file changes the tools and says so; one that names a new host does not', async () => {
  const { client, file } = await start('changing.json', 1, 'legacy');
  try {
    let changed: () => void = () => undefined;
    const next = (): Promise<void> => new Promise((resolve) => (changed = resolve));
    client.setNotificationHandler('notifications/tools/list_changed', () => changed());
    assert.deepEqual((await client.listTools()).tools.map((each) => each.name).sort(), ['getFile', 'getItem0', 'listThings']);
    const once = next();
    writeFileSync(file, JSON.stringify(description(paths(2), `http://127.0.0.1:${server.port}/v1`)));
    await once;
    // Announcements come one by one; the list is whole when the last tool is there.
    const names = async (): Promise<string[]> =>
      (await client.listTools(undefined, { cacheMode: 'bypass' } as never)).tools.map((each) => each.name).sort();
    let now = await names();
    for (let round = 0; round < 100 && !now.includes('getItem1'); round++) now = await names();
    assert.deepEqual(now, ['getFile', 'getItem0', 'getItem1', 'listThings']);
    writeFileSync(file, JSON.stringify(description({ '/evil': { get: { operationId: 'evil', ...ok } } }, 'http://127.0.0.1:1')));
    writeFileSync(`${file}.other`, '');
    const again = next();
    setTimeout(() => writeFileSync(file, JSON.stringify(description(paths(3), `http://127.0.0.1:${server.port}/v1`))), 1500).unref();
    await again;
    for (let round = 0; round < 100 && !now.includes('getItem2'); round++) {
      now = await names();
      assert.ok(!now.includes('evil'));
    }
    assert.deepEqual(now, ['getFile', 'getItem0', 'getItem1', 'getItem2', 'listThings']);
  } finally {
    await client.close();
  }
});
