import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toolsVersion } from '../../../../extension/endpoints/definitions.ts';

describe('the version of a definition', () => {
  it('depends on the tools, not on their order', () => {
    const [a, b] = [
      { server: 's', tool: { name: 'a', inputSchema: {} } },
      { server: 's', tool: { name: 'b', inputSchema: {} } },
    ];
    assert.equal(toolsVersion([a, b]), toolsVersion([b, a]));
    assert.notEqual(toolsVersion([a, b]), toolsVersion([a]));
    assert.notEqual(toolsVersion([a]), toolsVersion([{ ...a, tool: { ...a.tool, description: 'new' } }]));
  });
});
