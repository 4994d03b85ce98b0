import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DaemonConnection } from '../../../../extension/daemon/connection.ts';
import type { Cli } from '../../../../extension/daemon/start.ts';
import { addServer, type ServerRequest, splitCommand } from '../../../../extension/servers/add.ts';
import { type Answer, editorDouble } from '../editor-double.ts';

async function add(answers: Answer[], cli: Cli = async () => ({}), from?: ServerRequest) {
  const double = editorDouble(answers);
  const asked: unknown[] = [];
  const daemon = {
    start: async () => undefined,
    call: async (_method: string, params: { name: string }) => {
      asked.push(params);
      return { file: '/config.jsonc', name: params.name };
    },
  } as unknown as DaemonConnection;
  const added = await addServer({ vscode: double.vscode, daemon, cli }, from);
  return { added, asked, ...double };
}

describe('adding a server', () => {
  it('asks for a command and its name', async () => {
    const { asked, messages } = await add(['Command', `node "my server.js" -v`, 'mine']);
    assert.deepEqual(asked, [{ name: 'mine', entry: { type: 'stdio', command: 'node', args: ['my server.js', '-v'] } }]);
    assert.match(messages[0] ?? '', /Added to Signalbox: mine/);
  });

  it('asks for a URL until it is one', async () => {
    const { asked, shown } = await add(['$(link) URL', 'example', 'https://example.com/mcp', 'docs']);
    assert.deepEqual(asked, [{ name: 'docs', entry: { type: 'http', url: 'https://example.com/mcp' } }]);
    assert.ok(shown.some(({ title }) => /not an http/.test(title)));
  });

  it('takes the address of a database without its password', async () => {
    const { asked } = await add(['Database', 'Address', 'mysql://a@b/c', 'db']);
    assert.deepEqual(asked, [{ name: 'db', entry: { plugin: 'database', settings: { connections: { main: 'mysql://a@b/c' } } } }]);
  });

  it('hands what was pasted to the command line', async () => {
    const runs: unknown[] = [];
    const { added } = await add(['Paste JSON', '{"a": {"command": "x"}}'], async (words, options) => {
      runs.push([words, options?.input]);
      return { added: [{ name: 'a', file: '/f' }] };
    });
    assert.deepEqual(runs, [[['servers', 'add', '--paste', '-'], '{"a": {"command": "x"}}']]);
    assert.deepEqual(added, [{ name: 'a', file: '/f' }]);
  });

  it('offers what other clients use, and adds what is chosen', async () => {
    const servers = ['one', 'two', 'three'].map((name) => ({ name, entry: { command: name }, from: [{ client: 'cursor' }] }));
    const { asked, shown } = await add(['Scan', ['one', 'three']], async () => ({ servers, skipped: [] }));
    assert.deepEqual(asked, [
      { name: 'one', entry: { command: 'one' } },
      { name: 'three', entry: { command: 'three' } },
    ]);
    assert.deepEqual(shown.at(-1)?.rows, ['one | cursor', 'two | cursor', 'three | cursor']);
  });

  it('does nothing when the person goes away, and asks nothing when all is given', async () => {
    assert.deepEqual((await add([undefined])).added, []);
    assert.deepEqual((await add(['Command', undefined])).asked, []);
    const request = { name: 'x', entry: { command: 'x' } };
    assert.deepEqual((await add([], undefined, request)).asked, [request]);
  });

  it('splits a command line at blanks outside quotes', () => {
    assert.deepEqual(splitCommand(`node "my server.js" --name 'a b' -v`), ['node', 'my server.js', '--name', 'a b', '-v']);
    assert.deepEqual(splitCommand(''), []);
  });
});
