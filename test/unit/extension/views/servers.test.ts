/** The Servers view against a double of the daemon: what each row says. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DaemonStatus, ServerStatus } from '../../../../daemon/api/control.ts';
import { DaemonConnection } from '../../../../extension/daemon/connection.ts';
import type { ServerNode } from '../../../../extension/views/server-node.ts';
import { describeServer, lookOf, rowItem } from '../../../../extension/views/server-rows.ts';
import { ServersTree } from '../../../../extension/views/servers.ts';
import { statusLine } from '../../../../extension/views/status.ts';
import { type DaemonDouble, exampleStatus, startDouble } from '../daemon-double.ts';
import { editorDouble } from '../editor-double.ts';

const { vscode } = editorDouble();

/** A tree as a person sees it: label, what stands beside it, and the rows below. */
type Drawn = string | readonly [string, ...Drawn[]];

describe('the Servers view', () => {
  let double: DaemonDouble;
  let daemon: DaemonConnection;
  let tree: ServersTree;
  let status: DaemonStatus;

  before(async () => {
    double = await startDouble();
    const example = exampleStatus(double.port);
    const counts = { tools: 0, resources: 0, prompts: 0 };
    status = {
      ...example,
      endpoints: [
        {
          ...example.endpoints[0],
          name: 'default',
          url: `http://127.0.0.1:${double.port}/mcp/default`,
          servers: ['files', 'mine'],
          namespaces: [
            { name: 'dev', servers: ['files'] },
            { name: 'office', servers: ['mine'] },
          ],
        },
        {
          name: 'plain',
          url: `http://127.0.0.1:${double.port}/mcp/plain`,
          servers: ['files'],
          namespaces: [{ name: 'default', servers: ['files'] }],
        },
      ],
      servers: [
        ...example.servers,
        { name: 'old', alias: '', kind: 'stdio', state: 'disabled', ...counts },
        { name: 'theirs', workspace: 'elsewhere', alias: '', kind: 'stdio', state: 'disabled', ...counts },
      ],
    };
    double.answers.set('status', () => ({ result: status }));
    const tool = (name: string) => ({ server: 'files', tool: { name, inputSchema: {} } });
    double.answers.set('tools/list', () => ({ result: { tools: [tool('fs__read'), tool('fs__list')], errors: [] } }));
    double.answers.set('resources/list', ({ endpoint }) => ({
      result: endpoint === 'plain' ? { resources: [], servers: [] } : { resources: [{ uri: 'file:///a', name: 'a' }], servers: ['files'] },
    }));
    double.answers.set('prompts/list', () => ({ result: { prompts: [], servers: [] } }));
    double.announce();
    daemon = new DaemonConnection({ paths: double.paths, cli: async () => undefined, version: '1', onLog: () => undefined });
    tree = new ServersTree(vscode, daemon);
  });
  after(async () => {
    tree.dispose();
    daemon.dispose();
    await double.close();
  });

  async function draw(node?: ServerNode): Promise<Drawn[]> {
    return Promise.all(
      (await tree.getChildren(node)).map(async (row): Promise<Drawn> => {
        const item = tree.getTreeItem(row);
        const text = [item.label, item.description].filter(Boolean).join(' ');
        const below = await draw(row);
        return below.length === 0 ? text : [text, ...below];
      }),
    );
  }

  it('shows endpoints, namespaces, servers and what they offer; what is switched off stands apart', async () => {
    assert.deepEqual(await draw(), [
      [
        'default /mcp/default',
        ['dev', ['files ready · 2 tools', ['Tools 2', 'fs__read', 'fs__list'], ['Resources 1', 'a file:///a']]],
        ['office', 'mine down · SBX_SERVER_EXITED'],
      ],
      ['plain /mcp/plain', ['files ready · 2 tools', 'fs__read', 'fs__list']],
      ['Disabled 1', 'old disabled'],
    ]);
  });

  it('gives each row what its menu goes by', async () => {
    const [first] = await tree.getChildren();
    const [dev] = await tree.getChildren(first);
    const [files] = await tree.getChildren(dev);
    assert.ok(files);
    assert.equal(tree.getTreeItem(files).contextValue, 'signalbox.server.on');
    const off = (await tree.getChildren()).find(({ kind }) => kind === 'disabled');
    const [old] = await tree.getChildren(off);
    assert.ok(old);
    assert.equal(tree.getTreeItem(old).contextValue, 'signalbox.server.off');
  });

  it('draws again when servers change, not when a session does', async () => {
    let drawn = 0;
    tree.onDidChangeTreeData(() => {
      drawn += 1;
    });
    const heard = (): Promise<void> => new Promise((resolve) => daemon.onChange(() => resolve()));
    let next = heard();
    double.emit('changed', { what: ['sessions'] });
    await next;
    assert.equal(drawn, 0);
    next = heard();
    double.emit('changed', { what: ['servers'] });
    await next;
    assert.equal(drawn, 1);
  });
});

describe('what is said of a server', () => {
  const server: ServerStatus = { name: 's', alias: 's', kind: 'stdio', state: 'ready', tools: 1, resources: 0, prompts: 0 };
  const shape = { code: 'SBX_DEFINITION_CHANGED', message: 'm', cause: 'c', fix: 'f' };
  it('is its state, and that it asks', () => {
    assert.equal(describeServer(vscode, server), 'ready · 1 tool');
    assert.equal(lookOf({ ...server, asking: 1 }), 'asking');
    assert.equal(describeServer(vscode, { ...server, asking: 1 }), 'asking · 1 tool');
    assert.equal(describeServer(vscode, { ...server, problems: [shape] }), 'ready · changed definitions');
    assert.equal(lookOf({ ...server, state: 'down', asking: 1 }), 'down');
  });
});

it('a row takes the beginning of what a server says in megabytes', () => {
  const [endpoint] = exampleStatus(4000).endpoints;
  assert.ok(endpoint);
  const tool = { name: 'n', description: 'x'.repeat(1_000_000), inputSchema: { type: 'object' as const } };
  const { description, tooltip } = rowItem(vscode, { kind: 'tool', endpoint, info: { server: 's', tool } as never });
  assert.equal(String(description).length, 300);
  assert.equal(String(tooltip).length, 5_000);
});

describe('the status bar', () => {
  it('counts the servers that work and warns about the others', () => {
    const line = statusLine(vscode, 'running', exampleStatus(4000), undefined);
    assert.equal(line.text, '$(warning) Signalbox 1/2');
    assert.match(line.tooltip, /mine: It ended\./);
    assert.equal(statusLine(vscode, 'failed', undefined, 'no port').tooltip, 'no port');
    assert.equal(statusLine(vscode, 'stopped', undefined, undefined).warning, false);
  });
});
