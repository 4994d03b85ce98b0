import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeHeader, withEnvelope } from '../../../daemon/protocol/eras.ts';
import type { JsonObject, Request } from '../../../daemon/protocol/message.ts';
import { ParamMirror } from '../../../daemon/upstreams/param-mirror.ts';
import { urlLink } from '../../../daemon/upstreams/url-link.ts';
import { Heard } from './heard.ts';

const call = (name: string, args: JsonObject): Request => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
});
const mirrored = (schema: JsonObject, args: JsonObject): JsonObject => {
  const mirror = new ParamMirror();
  mirror.learn({ tools: [{ name: 't', inputSchema: schema }] });
  const flat = mirror.headers(call('t', args));
  return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, decodeHeader(flat[index + 1] ?? '')]] : [])));
};

describe('parameters mirrored into headers', () => {
  it('are those along a chain of properties, of every kind a header can say', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'string', 'x-mcp-header': 'A' },
        deep: {
          type: 'object',
          properties: { n: { type: 'integer', 'x-mcp-header': 'N' }, ok: { type: 'boolean', 'x-mcp-header': 'Ok' } },
        },
        list: { type: 'array', items: { type: 'string', 'x-mcp-header': 'Item' } },
        bad: { type: 'string', 'x-mcp-header': 'a b\r\nc' },
        object: { type: 'object', 'x-mcp-header': 'Object' },
      },
    };
    assert.deepEqual(mirrored(schema, { a: ' ü\n', deep: { n: 5, ok: false }, list: ['x'], bad: 'x', object: {} }), {
      'mcp-param-A': ' ü\n',
      'mcp-param-N': '5',
      'mcp-param-Ok': 'false',
    });
    assert.deepEqual(mirrored(schema, { a: null, deep: 7 } as JsonObject), {});
    assert.deepEqual(mirrored(schema, { a: {}, deep: { n: 2 ** 60 } }), {});
    assert.deepEqual(mirrored({ type: 'string', 'x-mcp-header': 'Root' }, {}), {});
  });

  it('are none for another tool, another method, and a tool that asks no more', () => {
    const mirror = new ParamMirror();
    const inputSchema = { properties: { a: { type: 'string', 'x-mcp-header': 'A' } } };
    mirror.learn({ tools: [{ name: 't', inputSchema }] });
    assert.deepEqual(mirror.headers(call('other', { a: 'x' })), []);
    assert.deepEqual(mirror.headers({ ...call('t', { a: 'x' }), method: 'prompts/get' }), []);
    mirror.learn({ tools: [{ name: 't', inputSchema: {} }] });
    assert.deepEqual(mirror.headers(call('t', { a: 'x' })), []);
  });
});

describe('a server of the v2 SDK that checks mirrored parameters', () => {
  let child: ChildProcess | undefined;
  let url = '';
  before(async () => {
    const main = fileURLToPath(new URL('../../conformance/server/main.ts', import.meta.url));
    const args = ['--disable-warning=ExperimentalWarning', main, '--http', '--era', 'modern'];
    const server = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child = server;
    [url] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  });
  after(async () => {
    child?.stdin?.end();
    if (child !== undefined && child.exitCode === null) await once(child, 'exit');
  });
  const modern = (id: number, method: string, params: JsonObject): Request => ({
    jsonrpc: '2.0',
    id,
    method,
    params: withEnvelope(params, { name: 't', version: '1' }, {}) ?? {},
  });

  it('gets them: a call made before its list was read is sent again once the list is known, and refused for nothing', async () => {
    for (const listFirst of [true, false]) {
      const heard = new Heard();
      const link = urlLink(heard, { server: 'it', url, headers: {}, messageBytes: 1e6 });
      link.agreed('2026-07-28');
      if (listFirst) {
        link.send(modern(1, 'tools/list', {}));
        await heard.answer(1);
      }
      for (const [id, region] of [
        [2, 'eu-west'],
        [3, 'ü'],
      ] as const) {
        link.send(modern(id, 'tools/call', { name: 'test_header_parameter', arguments: { region } }));
        const answer = (await heard.answer(id)) as unknown as { result?: JsonObject };
        assert.deepEqual(answer.result?.['content'], [{ type: 'text', text: `Region: ${region}` }], JSON.stringify(answer));
      }
      assert.equal(heard.messages.length, listFirst ? 3 : 2);
      await link.close();
      assert.deepEqual(heard.faults, []);
    }
  });
});
