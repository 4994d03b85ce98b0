/** A property goes in and out, and no other character moves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { editedJson } from '../../../daemon/wiring/json-edit.ts';

const PATH = ['servers', 'ours'];
const added = (text: string): string => editedJson(text, PATH, { command: 'x', args: ['a'] });
const removed = (text: string): string => editedJson(text, PATH, undefined);
const entry = (indent: string): string =>
  ['"ours": {', '  "command": "x",', '  "args": [', '    "a"', '  ]', '}'].map((line) => indent + line).join('\n');

describe('what stands beside our entry keeps its layout', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'a neighbour on one line',
      '{\n  "servers": {\n    "o": {"args": ["a", "b"]}\n  }\n}\n',
      `{\n  "servers": {\n    "o": {"args": ["a", "b"]},\n${entry('    ')}\n  }\n}\n`,
    ],
    [
      'the whole file on one line',
      '{"servers":{"o":[1,2]}, "theme" : "dark"}',
      `{"servers":{"o":[1,2],\n${entry('    ')}\n  }, "theme" : "dark"}`,
    ],
    [
      'a comment behind the last value',
      '{\n  "servers": {\n    "o": 1 // mine\n  }\n}',
      `{\n  "servers": {\n    "o": 1, // mine\n${entry('    ')}\n  }\n}`,
    ],
    [
      'a trailing comma',
      '{\n  "servers": {\n    "o": 1, /* mine */\n  },\n}',
      `{\n  "servers": {\n    "o": 1, /* mine */\n${entry('    ')}\n  },\n}`,
    ],
    ['an empty object with a comment', '{\n  "servers": { /* none */ }\n}', `{\n  "servers": { /* none */\n${entry('    ')}\n  }\n}`],
    [
      'an indentation of its own',
      '{\n  "servers": {\n      "o": 1\n  }\n}',
      `{\n  "servers": {\n      "o": 1,\n${entry('      ')}\n  }\n}`,
    ],
  ];
  for (const [what, before, after] of cases) it(what, () => assert.equal(added(before), after));
});

describe('taking our entry out', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'the last',
      '{\n  "servers": {\n    "o": {"a": [1]}, // mine\n    "ours": {}\n  }\n}',
      '{\n  "servers": {\n    "o": {"a": [1]} // mine\n  }\n}',
    ],
    [
      'the first, under a comment',
      '{"servers": {\n  // mine\n  "ours": {},\n  "o": [1,2]\n}}',
      '{"servers": {\n  // mine\n  "o": [1,2]\n}}',
    ],
    ['the only one', '{"servers": {\n  "ours": {}\n}}', '{"servers": {\n}}'],
    ['in the middle of a line', '{"servers": {"a":1,"ours":{},"b":2}}', '{"servers": {"a":1,"b":2}}'],
    ['with a trailing comma', '{"servers": {\n  "a":1,\n  "ours":{},\n}}', '{"servers": {\n  "a":1,\n}}'],
  ];
  for (const [what, before, after] of cases) it(what, () => assert.equal(removed(before), after));
});

it('whatever the values and the layout are, they mean the same before, with and without our entry', () => {
  const key = fc.string({ maxLength: 6 }).filter((name) => name !== 'ours' && name !== '__proto__');
  const servers = fc.dictionary(key, fc.jsonValue(), { maxKeys: 4, noNullPrototype: true });
  fc.assert(
    fc.property(servers, fc.boolean(), fc.constantFrom(undefined, 2, '\t'), fc.boolean(), (known, has, indent, windows) => {
      const value = { first: [{}], ...(has ? { servers: known } : {}), last: 1 };
      const text = JSON.stringify(value, null, indent);
      const before = windows ? text.replaceAll('\n', '\r\n') : text;
      const written = added(before);
      const meant = parse(written) as { servers: object };
      assert.deepEqual(JSON.parse(JSON.stringify(meant.servers)), {
        ...JSON.parse(JSON.stringify(has ? known : {})),
        ours: { command: 'x', args: ['a'] },
      });
      // Every line that was there still is, the one before ours with a comma.
      const lines = written.split(/\r?\n/);
      for (const line of text
        .split('\n')
        .slice(0, indent === undefined ? 0 : -1)
        .filter((one) => !/[{}],?$/.test(one)))
        assert.ok(lines.includes(line) || lines.includes(`${line},`), line);
      const back = parse(removed(written)) as object;
      assert.deepEqual(JSON.parse(JSON.stringify(back)), JSON.parse(JSON.stringify({ ...value, servers: has ? known : {} })));
    }),
    { numRuns: 200, seed: 9 },
  );
});
