/** Tasks of servers through the daemon: ids lead back to their server and open nothing to anybody else. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Gateway, startGateway } from '../fixtures/gateway.ts';
import { legacyClient, modernPost } from '../fixtures/raw-clients.ts';

const TASKS = join(import.meta.dirname, '..', 'fixtures', 'servers', 'tasks.mjs');
const EXTENSION = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
type Json = Record<string, unknown>;

async function withServers(flags: readonly string[], run: (gateway: Gateway) => Promise<void>): Promise<void> {
  const entry = { command: process.execPath, args: [TASKS, ...flags] };
  const gateway = await startGateway({ a: entry, b: entry });
  try {
    await run(gateway);
  } finally {
    await gateway.close();
  }
}
const noQuestions = (): never => assert.fail('nothing is asked');

describe('tasks', () => {
  it('of legacy servers serve a legacy client: begun, looked at, listed, ended, cancelled', async () => {
    await withServers([], async (gateway) => {
      const peer = await legacyClient(gateway, {}, noQuestions);
      const result = async (method: string, params: Json): Promise<Json> => {
        const { answer } = await peer.call(method, params);
        return (answer['result'] ?? answer['error']) as Json;
      };
      const begin = async (tool: string, say: string): Promise<Json> =>
        (await result('tools/call', { name: tool, arguments: { say }, task: {} }))['task'] as Json;
      await result('tools/list', {});
      const [one, two] = [await begin('a__work', 'one'), await begin('b__only', 'two')];
      assert.notEqual(one['taskId'], two['taskId'], 'both servers called theirs t1');
      assert.equal(one['x-task'], 1);
      const looked = await result('tasks/get', { taskId: two['taskId'] });
      assert.equal(looked['taskId'], two['taskId'], 'the same id each time');
      const { tasks } = (await result('tasks/list', {})) as { tasks: Json[] };
      assert.deepEqual(new Set(tasks.map(({ taskId }) => taskId)), new Set([one['taskId'], two['taskId']]));
      const ended = await result('tasks/result', { taskId: two['taskId'] });
      assert.deepEqual(ended['content'], [{ type: 'text', text: 'two' }]);
      assert.deepEqual((ended['_meta'] as Json)['io.modelcontextprotocol/related-task'], { taskId: two['taskId'] });
      assert.equal((await result('tasks/cancel', { taskId: one['taskId'] }))['status'], 'cancelled');
      const forged = `${String(one['taskId']).split('.')[0]}.AAAAAAAAAAAAAAAAAAAAAA`;
      for (const taskId of ['t1', forged, `${String(one['taskId'])}x`]) {
        const refused = await result('tasks/get', { taskId });
        assert.deepEqual([refused['code'], (refused['data'] as Json)['code']], [-32602, 'SBX_TASK_UNKNOWN'], taskId);
      }
      peer.close();
    });
  });

  it('of modern servers serve a modern client that declares them, and nobody else', async () => {
    await withServers(['--modern'], async (gateway) => {
      const post = async (method: string, params: Json, capabilities: Json = EXTENSION): Promise<Json> => {
        const answer = await modernPost(gateway, method, params, { capabilities });
        return (answer['result'] ?? answer['error']) as Json;
      };
      const begun = await post('tools/call', { name: 'b__work', arguments: { say: 'hi' } });
      assert.equal(begun['resultType'], 'task');
      const { taskId } = begun;
      assert.equal((await post('tasks/get', { taskId }))['status'], 'working');
      const ended = await post('tasks/get', { taskId });
      assert.deepEqual(
        [ended['status'], ended['taskId'], ended['result']],
        ['completed', taskId, { content: [{ type: 'text', text: 'hi' }] }],
      );
      const plain = await post('tools/call', { name: 'b__work', arguments: { say: 'plain' } }, {});
      assert.deepEqual([plain['resultType'], plain['content']], ['complete', [{ type: 'text', text: 'plain' }]]);
    });
  });

  it('of legacy servers are begun and waited for on behalf of a modern client, where a tool runs only so', async () => {
    await withServers([], async (gateway) => {
      const list = (await modernPost(gateway, 'tools/list', {}, {}))['result'] as { tools: Json[] };
      assert.ok(list.tools.every((tool) => !('execution' in tool)));
      const { result } = (await modernPost(gateway, 'tools/call', { name: 'a__only', arguments: { say: 'waited' } }, {})) as {
        result: Json;
      };
      assert.deepEqual([result['resultType'], result['content']], ['complete', [{ type: 'text', text: 'waited' }]]);
    });
  });
});
