/** The items of the Test Explorer. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DaemonConnection } from '../../../../extension/daemon/connection.ts';
import { ConformanceTests } from '../../../../extension/testing/controller.ts';
import { startDouble } from '../daemon-double.ts';
import { editorDouble } from '../editor-double.ts';

it('the first look has every server: the command that asks for one offers them all, also right after the daemon came up', async () => {
  const daemon = await startDouble();
  daemon.announce();
  const connection = new DaemonConnection({ paths: daemon.paths, cli: () => Promise.resolve({}), version: '0', onLog: () => undefined });
  const { vscode } = editorDouble([], ['/project']);
  const items = new Map<string, { id: string }>();
  const collection = {
    add: (item: { id: string }) => void items.set(item.id, item),
    get: (id: string) => items.get(id),
    delete: (id: string) => void items.delete(id),
    replace: () => items.clear(),
    [Symbol.iterator]: () => items[Symbol.iterator](),
  };
  Object.assign(vscode, {
    TestRunProfileKind: { Run: 1, Debug: 2 },
    tests: {
      createTestController: () => ({
        items: collection,
        createRunProfile: () => ({ dispose: () => undefined }),
        createTestItem: (id: string, label: string) => ({ id, label }),
        dispose: () => undefined,
      }),
    },
  });
  const tests = new ConformanceTests({ vscode, daemon: connection } as never);
  try {
    await connection.start();
    const names = (await tests.list()).map(({ label }) => label);
    assert.deepEqual(names, [...new Set(connection.status?.servers.filter(({ state }) => state !== 'disabled').map(({ name }) => name))]);
    assert.ok(names.length > 0);
    const own = connection.status?.servers.find(({ workspace }) => workspace === undefined);
    assert.ok(own);
    assert.equal(tests.folderOf(own), '/project');
    Object.assign(vscode.workspace, { isTrusted: false });
    assert.equal(tests.folderOf(own), undefined, 'nothing of a folder that is not trusted is read');
  } finally {
    tests.dispose();
    connection.dispose();
    await daemon.close();
  }
});
