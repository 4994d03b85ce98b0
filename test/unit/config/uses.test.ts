import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPattern } from '../../../daemon/config/patterns.ts';
import { resolved } from './resolved.ts';

const step = (server: string, tool = 't'): object => ({ description: 'd', inputSchema: { type: 'object' }, steps: [{ server, tool }] });
const chainOn = (...servers: string[]): object => ({ chain: Object.fromEntries(servers.map((server) => [`on-${server}`, step(server)])) });

test('an unknown server in a step or a fallback says where, and what may be meant', () => {
  const { problems, server } = resolved(
    '{\n "servers": {\n  "search": { "command": "x", "fallback": "serch2" },\n  "search2": { "command": "y" } } }',
  );
  assert.deepEqual(
    problems.map(({ line, column, path }) => [line, column, path]),
    [[3, 31, 'servers.search.fallback']],
  );
  assert.match(problems[0]?.fix ?? '', /`search2`/);
  assert.equal(server('search')?.entry.fallback, undefined, 'the server works without it');
  const two = resolved({ servers: { a: { command: 'x' }, p: chainOn('a', 'nobody') } });
  assert.deepEqual(two.said, ['SBX_CONFIG_INVALID servers.p.chain.on-nobody.steps[0].server']);
  const entry = two.server('p')?.entry;
  assert.ok(entry !== undefined && isPattern(entry));
  assert.deepEqual(Object.keys(entry.chain ?? {}), ['on-a']);
});

test('what leads back is told with its path and left out', () => {
  const circle = resolved({ servers: { a: chainOn('b'), b: chainOn('c', 'd'), c: { command: 'x', fallback: 'a' }, d: { command: 'y' } } });
  assert.deepEqual(circle.said, ['SBX_CONFIG_INVALID servers.c.fallback']);
  assert.match(circle.problems[0]?.message ?? '', /a → b → c → a/);
  assert.deepEqual(Object.keys(circle.server('a')?.uses ?? {}).sort(), ['b', 'c', 'd']);
  assert.deepEqual(resolved({ servers: { a: chainOn('a') } }).said, ['SBX_CONFIG_INVALID servers.a.chain.on-a.steps[0].server']);
  const pair = resolved({ servers: { a: { command: 'x', fallback: 'b' }, b: { command: 'y', fallback: 'a' } } });
  assert.deepEqual(pair.said, ['SBX_CONFIG_INVALID servers.b.fallback']);
});

test('servers stand on one another at most eight deep; a wide lattice is resolved without growing', () => {
  const deep = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`s${index}`, index === 2999 ? { command: 'x' } : chainOn(`s${index + 1}`)]),
  );
  const { said, server } = resolved({ servers: deep });
  assert.ok(said.length > 300 && said.every((line) => line.startsWith('SBX_CONFIG_INVALID servers.s')));
  assert.equal(Object.keys(server('s0')?.uses ?? {}).length, 7);
  const layer = (level: number): string[] => Array.from({ length: 12 }, (_, index) => `l${level}x${index}`);
  const lattice = Object.fromEntries(
    Array.from({ length: 8 }, (_, level) =>
      layer(level).map((name) => [name, level === 7 ? { command: 'x' } : chainOn(...layer(level + 1))] as const),
    ).flat(),
  );
  const wide = resolved({ servers: lattice });
  assert.deepEqual(wide.said, []);
  assert.equal(Object.keys(wide.server('l0x0')?.uses ?? {}).length, 7 * 12);
});

test('`uses` has what is needed, also from no endpoint; one that is off says so', () => {
  const config = (mirror: object, fallback = 'mirror'): object => ({
    servers: {
      search: { command: 'x', fallback },
      mirror,
      other: { command: 'z' },
      p: chainOn('search', 'off'),
      off: { command: 'o', enabled: false },
    },
    namespaces: { default: ['search', 'p'] },
  });
  const { server, said } = resolved(config({ command: 'y' }));
  assert.deepEqual(said, []);
  assert.deepEqual(Object.keys(server('search')?.uses ?? {}), ['mirror']);
  assert.deepEqual(Object.keys(server('p')?.uses ?? {}).sort(), ['mirror', 'off', 'search']);
  assert.equal(server('p')?.uses?.['off']?.problem?.code, 'SBX_SERVER_DISABLED');
  assert.equal(server('p')?.uses?.['search']?.digest, server('search')?.digest, 'the same running server');
});

test('a pattern is started anew when a server of its steps is; a server is not when its fallback is', () => {
  const digests = (mirror: object, fallback: string): (string | undefined)[] => {
    const { server } = resolved({ servers: { search: { command: 'x', fallback }, mirror, m2: { command: 'm' }, p: chainOn('mirror') } });
    return [server('search')?.digest, server('p')?.digest];
  };
  const before = digests({ command: 'y' }, 'mirror');
  const after = digests({ command: 'y2' }, 'm2');
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
});
