import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../daemon/config/file.ts';
import { previewOf } from '../../../daemon/config/preview.ts';

test('whoever is asked to trust a file sees which tools its patterns call, what stands in for what, and how often a program runs', () => {
  const steps = [
    { server: 'db', tool: 'query' },
    { server: 'mail', tool: 'send\u202e' },
  ];
  const config = {
    servers: {
      mine: { command: 'run', replicas: 3, fallback: 'other' },
      both: { chain: { report: { description: 'd', inputSchema: { type: 'object' }, steps } } },
    },
  };
  assert.deepEqual(previewOf(parseConfig('f', JSON.stringify(config))), [
    'mine: runs run',
    '  is answered for by other when it is down',
    '  runs 3 times',
    'both: has tools that call db: query, mail: send\\u{202e}',
  ]);
});
