/** An endpoint with `"tools": "search"`: three tools stand for all of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { type Gateway, startGateway } from '../fixtures/gateway.ts';
import { Client, Listing, plainTool } from '../fixtures/listing.ts';
import { eventually } from '../fixtures/process-tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'signalbox-search-'));
after(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;

async function searching(t: TestContext): Promise<{ gateway: Gateway; files: Listing }> {
  count += 1;
  const files = new Listing(dir, `${count}-files`, {
    tools: [
      plainTool('read_text_file', {
        description: 'Read the contents of a file.',
        inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
        'x-kept': { deep: [1] },
      }),
      plainTool('delete_file', { description: 'Delete a file for good.' }),
    ],
    prompts: [{ name: 'ask' }],
    resources: [{ uri: 'note://1', name: 'one' }],
  });
  const mail = new Listing(dir, `${count}-mail`, { tools: [plainTool('send_mail', { description: 'Send an e-mail message.' })] });
  const endpoint = { tools: 'search', clients: { careful: { tools: { deny: ['*__delete_*'] } } } } as const;
  const gateway = await startGateway({ files: files.entry, mail: mail.entry }, { endpoint });
  t.after(() => gateway.close());
  return { gateway, files };
}
async function call(client: Client, name: string, args: object): Promise<Record<string, unknown>> {
  const { result, error } = await client.ask('tools/call', { name, arguments: args });
  assert.equal(error, undefined);
  return result;
}
async function found(client: Client, args: object): Promise<string[]> {
  const { structuredContent, content } = await call(client, 'find_tools', args);
  assert.deepEqual(JSON.parse((content as [{ text: string }])[0].text), structuredContent);
  return (structuredContent as { tools: { name: string }[] }).tools.map(({ name }) => name);
}

for (const era of ['legacy', 'modern'] as const) {
  describe(`tool search (${era})`, () => {
    it('lists exactly the three, whatever the servers do; the other lists are as ever', async (t) => {
      const { gateway, files } = await searching(t);
      const client = new Client(gateway, era);
      const before = await client.list('tools');
      assert.deepEqual(
        before.map(({ name }) => name),
        ['find_tools', 'describe_tool', 'call_tool'],
      );
      assert.deepEqual(await client.names('prompts'), ['files__ask']);
      assert.deepEqual(await client.names('resources'), ['note://1']);
      const heard: string[] = [];
      gateway.view().listen({ listChanged: (kind) => heard.push(kind), notified: () => {} }, 'test');
      files.offers({ tools: [plainTool('compress_archive')], prompts: [{ name: 'ask' }, { name: 'more' }] });
      await (await gateway.view().members[0]?.upstream.ready('legacy'))?.request('tools/call', { name: 'changed' });
      await eventually('the new tool is found', async () => (await found(client, { query: 'compress an archive' })).length === 1);
      await eventually('the new prompt is told', async () => heard.includes('prompts'));
      assert.ok(!heard.includes('tools'));
      assert.deepEqual(await client.list('tools'), before);
    });

    it('finds, describes and calls', async (t) => {
      const { gateway } = await searching(t);
      const client = new Client(gateway, era);
      assert.equal((await found(client, { query: 'read file contents' }))[0], 'files__read_text_file');
      assert.deepEqual(await found(client, { query: 'file', server: 'mail' }), []);
      assert.deepEqual(await found(client, {}), ['files__delete_file', 'files__read_text_file', 'mail__send_mail']);
      const paged = (await call(client, 'find_tools', { limit: 2 }))['structuredContent'] as Record<string, unknown>;
      assert.deepEqual([paged['total'], paged['nextOffset'], paged['servers']], [3, 2, ['files', 'mail']]);
      assert.deepEqual(await found(client, { limit: 2, offset: 2 }), ['mail__send_mail']);
      const { structuredContent } = await call(client, 'describe_tool', { name: 'files__read_text_file' });
      assert.deepEqual(structuredContent, {
        server: 'files',
        tool: {
          name: 'files__read_text_file',
          description: 'Read the contents of a file.',
          inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
          'x-kept': { deep: [1] },
        },
      });
      const direct = await call(client, 'files__read_text_file', { path: '/x' });
      assert.deepEqual(await call(client, 'call_tool', { name: 'files__read_text_file', arguments: { path: '/x' } }), direct);
      assert.deepEqual((direct['structuredContent'] as Record<string, unknown>)['arguments'], { path: '/x' });
    });

    it('a policy holds here too', async (t) => {
      const { gateway, files } = await searching(t);
      const careful = new Client(gateway, era, 'careful');
      assert.deepEqual(await found(careful, {}), ['files__read_text_file', 'mail__send_mail']);
      assert.equal((await call(careful, 'describe_tool', { name: 'files__delete_file' }))['isError'], true);
      assert.equal(
        (await careful.ask('tools/call', { name: 'call_tool', arguments: { name: 'files__delete_file' } })).error?.data?.code,
        'SBX_TOOL_UNKNOWN',
      );
      assert.equal(files.did('call delete_file'), 0);
    });

    it('what is wrong with the arguments is told to the model', async (t) => {
      const { gateway } = await searching(t);
      const client = new Client(gateway, era);
      for (const [name, args] of [
        ['find_tools', { query: 7 }],
        ['find_tools', { limit: 0 }],
        ['find_tools', { limit: 51 }],
        ['find_tools', { offset: 1.5 }],
        ['find_tools', { server: {} }],
        ['describe_tool', {}],
        ['call_tool', { arguments: {} }],
        ['call_tool', { name: 'mail__send_mail', arguments: [] }],
      ] as const) {
        const { isError, content } = await call(client, name, args);
        assert.equal(isError, true, JSON.stringify(args));
        assert.match(JSON.stringify(content), /SBX_USAGE/);
      }
      assert.match(JSON.stringify(await call(client, 'describe_tool', { name: 'read_file' })), /near to it: .*files__read_text_file/);
      const itself = await client.ask('tools/call', { name: 'call_tool', arguments: { name: 'call_tool' } });
      assert.equal(itself.error?.data?.code, 'SBX_TOOL_UNKNOWN');
    });
  });
}
