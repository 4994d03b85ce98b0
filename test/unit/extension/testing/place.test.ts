import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findingPlace, serverPlace } from '../../../../extension/testing/place.ts';

describe('where a broken requirement is shown', () => {
  let dir: string;
  let config: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'signalbox-place-'));
    mkdirSync(join(dir, 'src'));
    config = join(dir, 'config.jsonc');
    writeFileSync(
      config,
      '{\n  // servers\n  "servers": {\n    "files": { "plugin": "filesystem" },\n    "mine": {\n      "command": "node",\n      "args": ["${workspaceFolder}/src/server.js", "--verbose"],\n      "watch": ["src/**"],\n    },\n  },\n}\n',
    );
    writeFileSync(join(dir, 'src', 'server.js'), "start();\n\nserver.tool('add', () => 1);\n");
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('is the line of the entry, in the first file that has it', async () => {
    const place = await serverPlace([join(dir, 'none.jsonc'), config], 'mine', dir);
    assert.deepEqual(place, { file: config, line: 4, sources: [join(dir, 'src', 'server.js')], watch: ['src/**'], folder: dir });
    assert.equal((await serverPlace([config], 'files', dir))?.line, 3);
    assert.equal(await serverPlace([config], 'other', dir), undefined);
  });

  it('is the line of the source that names the tool', async () => {
    const place = await serverPlace([config], 'mine', dir);
    const finding = { input: [{ name: 'add', arguments: {} }], called: ['add', 'sub'] };
    assert.deepEqual(await findingPlace(place, finding), { file: join(dir, 'src', 'server.js'), line: 2 });
  });

  it('is the entry when the source names none, or nothing is known of a tool', async () => {
    const place = await serverPlace([config], 'mine', dir);
    for (const finding of [
      { input: { name: 'sub' }, called: ['add', 'sub'] },
      { input: 'start', called: ['add'] },
      { input: null, called: [] },
    ])
      assert.deepEqual(await findingPlace(place, finding), { file: config, line: 4 });
    assert.equal(await findingPlace(undefined, { input: null, called: [] }), undefined);
  });
});
