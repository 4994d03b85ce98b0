import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../daemon/config/file.ts';
import { isPattern } from '../../../daemon/config/patterns.ts';
import { resolved } from './resolved.ts';

const tool = { description: 'd', inputSchema: { type: 'object' } };
const chain = (...templates: unknown[]): object => ({
  ...tool,
  steps: templates.map((template) => ({ server: 'a', tool: 't', arguments: template })),
});
const of = (pattern: object): readonly string[] =>
  parseConfig('f', JSON.stringify({ servers: { a: { command: 'x' }, p: pattern } })).problems.map(({ path, message, fix }) => {
    assert.ok(fix !== '' && message !== '');
    return path;
  });

test('a server is exactly one of plugin, command, url and chain or aggregate; the last two may stand together', () => {
  assert.deepEqual(of({ chain: { c: chain({}) }, aggregate: { g: { ...tool, calls: [{ server: 'a', tool: 't' }] } } }), []);
  assert.deepEqual(of({ chain: { c: chain({}) }, command: 'x' }), ['servers.p']);
  assert.deepEqual(of({ chain: {} }), ['servers.p.chain']);
  assert.deepEqual(of({ chain: { 'no spaces': chain({}) } }).length, 1);
  assert.deepEqual(of({ chain: { c: { ...chain({}), inputSchema: { type: 'string' } } } }), ['servers.p.chain.c.inputSchema.type']);
});

test('a pointer that can find nothing is a mistake where it stands; its tool is left out and no other', () => {
  const from = (pointer: unknown, more: object = {}): object => ({ deep: [{ x: { $from: pointer, ...more } }] });
  const at = 'servers.p.chain.c.steps[0].arguments.deep[0].x';
  for (const good of ['', '/input', '/input/a~1b/0', '/input/x~0y']) assert.deepEqual(of({ chain: { c: chain(from(good)) } }), [], good);
  for (const bad of ['input', '/inputs', '/steps/0', '/input/~2', 7])
    assert.deepEqual(of({ chain: { c: chain(from(bad)) } }), [`${at}.$from`]);
  assert.deepEqual(of({ chain: { c: chain(from('/input', { optional: true })) } }), []);
  assert.deepEqual(of({ chain: { c: chain(from('/input', { optional: 'yes' })) } }), [`${at}.optional`]);
  assert.deepEqual(of({ chain: { c: chain(from('/input', { default: 1 })) } }), [`${at}.default`]);
  assert.deepEqual(of({ chain: { c: chain({}, from('/steps/0/json/id')) } }), []);
  assert.deepEqual(of({ chain: { c: chain({}, from('/steps/1/json')) } }), ['servers.p.chain.c.steps[1].arguments.deep[0].x.$from']);
  assert.deepEqual(of({ chain: { c: chain({}, from('/steps/0/resutl')) } }), ['servers.p.chain.c.steps[1].arguments.deep[0].x.$from']);
  assert.deepEqual(of({ chain: { c: { ...chain({}), result: { $from: '/steps/0/json' } } } }), []);
  assert.deepEqual(of({ chain: { c: { ...chain({}), result: { $from: '/steps/1/json' } } } }), ['servers.p.chain.c.result.$from']);
  const calls = (template: unknown): object => ({
    ...tool,
    calls: [
      { server: 'a', tool: 't' },
      { server: 'a', tool: 't', arguments: template },
    ],
  });
  assert.deepEqual(of({ aggregate: { g: calls(from('/steps/0/json')) } }), ['servers.p.aggregate.g.calls[1].arguments.deep[0].x.$from']);
  assert.deepEqual(of({ chain: { c: chain({}) }, aggregate: { c: calls({}) } }), ['servers.p.aggregate.c']);

  const kept = parseConfig('f', JSON.stringify({ servers: { p: { chain: { bad: chain(from('x')), good: chain({}) } } } })).servers.get('p');
  assert.ok(kept !== undefined && isPattern(kept));
  assert.deepEqual(Object.keys(kept.chain ?? {}), ['good']);
});

test('variables stand in templates only; a pattern has no time-out of its own', () => {
  const inputSchema = { type: 'object', properties: { p: { type: 'string', pattern: '^${x' } } };
  const { server, said } = resolved({
    servers: {
      a: { command: 'x' },
      p: {
        chain: {
          c: {
            ...tool,
            inputSchema,
            description: 'costs ${input:y}',
            steps: [{ server: 'a', tool: 't', arguments: { team: '${env:TEAM}' } }],
          },
        },
      },
    },
  });
  assert.deepEqual(said, []);
  const p = server('p');
  assert.ok(p !== undefined && isPattern(p.entry));
  assert.equal(p.problem, undefined);
  assert.deepEqual(p.entry.chain?.['c']?.steps[0]?.arguments, { team: 'red' });
  assert.deepEqual(p.entry.chain?.['c']?.inputSchema, inputSchema);
  assert.equal(p.entry.timeoutMs, 0);
});
