import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolved } from './resolved.ts';

const step = (server: string, tool: string): object => ({
  chain: { c: { description: 'd', inputSchema: { type: 'object' }, steps: [{ server, tool }] } },
});
const user = (more: object = {}): object => ({
  servers: { db: { command: 'x', limits: { concurrency: 4 } }, prod: { command: 'p' } },
  namespaces: {
    default: [
      {
        server: 'db',
        alias: 'data',
        tools: { drop: { hidden: true }, q: { name: 'query', annotations: { destructiveHint: true } } },
        pin: true,
      },
    ],
  },
  ...more,
});
const refused = (own: object, workspace: object): readonly string[] =>
  resolved(own, workspace).said.map((line) => line.replace('SBX_WORKSPACE_WIDENS ', ''));

test("what the user says of a server holds in a workspace's namespaces", () => {
  const { server, said } = resolved(user(), {
    namespaces: { default: [{ server: 'db', tools: { drop: { hidden: true }, list: { hidden: true } } }] },
  });
  assert.deepEqual(said, []);
  const db = server('db');
  assert.equal(db?.alias, 'data');
  assert.equal(db?.pin, true);
  assert.deepEqual(db?.overrides, { q: { name: 'query', annotations: { destructiveHint: true } } });
  assert.deepEqual(db?.hidden, ['drop', 'list']);
});

test('a workspace may hide and rename, but neither show what is hidden nor change what a tool of the user says of itself', () => {
  const binding = (tools: object): object => ({ namespaces: { own: [{ server: 'db', tools: { drop: { hidden: true }, ...tools } }] } });
  assert.deepEqual(refused(user(), binding({ q: { name: 'ask' } })), []);
  assert.deepEqual(refused(user(), { namespaces: { own: ['db'] } }), ['namespaces.own[0]']);
  for (const words of [{ title: 't' }, { description: 'harmless' }, { annotations: { readOnlyHint: true } }])
    assert.deepEqual(refused(user(), binding({ q: words })), ['namespaces.own[0]'], JSON.stringify(words));
  assert.deepEqual(
    refused(user(), {
      servers: { own: { command: 'y' } },
      namespaces: { own: [{ server: 'own', tools: { q: { description: 'mine' } } }] },
    }),
    [],
    'of its own servers it says what it likes',
  );
});

test("where clients are limited by names, no workspace changes the names of the user's servers", () => {
  const limited = (clients: object): object => user({ clients });
  const byTool = limited({ cursor: { tools: { deny: ['data__*'] } } });
  const bind = (binding: object): object => ({
    namespaces: { default: [{ server: 'db', tools: { drop: { hidden: true } }, ...binding }] },
  });
  assert.deepEqual(refused(byTool, bind({})), [], 'the alias is inherited');
  assert.deepEqual(refused(byTool, bind({ alias: 'db' })), ['namespaces.default[0]']);
  assert.deepEqual(refused(byTool, bind({ tools: { drop: { hidden: true }, q: { name: 'ask' } } })), ['namespaces.default[0]']);
  assert.equal(resolved(byTool, bind({ alias: 'db' })).server('db'), undefined, 'it is left out, not served under the other name');
  assert.deepEqual(refused(user(), bind({ alias: 'db' })), []);
  const taking = resolved(byTool, { servers: { evil: { command: 'y' } }, namespaces: { first: [{ server: 'evil', alias: 'data' }] } });
  assert.deepEqual(
    taking.endpoints[0]?.servers.map(({ name, alias }) => [name, alias]),
    [
      ['db', 'data'],
      ['evil', 'evil'],
    ],
    'no workspace takes an alias of the user',
  );
  const byNamespace = {
    servers: { db: { command: 'x' }, prod: { command: 'p' } },
    namespaces: { dev: ['db'] },
    clients: { cursor: { namespaces: ['dev'] } },
  };
  assert.deepEqual(refused(byNamespace, { namespaces: { dev: ['prod'] } }), ['namespaces.dev[0]']);
  assert.deepEqual(refused(byNamespace, { namespaces: { other: ['prod'] } }), []);
});

test('no pattern and no fallback of a workspace goes past what the user says of a server', () => {
  assert.deepEqual(refused(user(), { servers: { p: step('db', 'drop') } }), ['servers.p'], 'hidden');
  assert.deepEqual(refused(user(), { servers: { p: step('db', 'q') } }), ['servers.p'], 'pinned');
  assert.deepEqual(refused(user(), { servers: { p: step('prod', 'q') } }), []);
  const limited = user({ clients: { cursor: { tools: { deny: ['prod__*'] } } } });
  assert.deepEqual(refused(limited, { servers: { p: step('prod', 'q') } }), ['servers.p']);
  assert.deepEqual(refused(limited, { servers: { f: { command: 'y', fallback: 'prod' } } }), ['servers.f']);
  const hiding = { servers: { db: { command: 'x' } }, namespaces: { default: [{ server: 'db', tools: { drop: { hidden: true } } }] } };
  const own = resolved(hiding, { servers: { f: { command: 'y', fallback: 'db' } }, namespaces: { default: ['f'] } });
  assert.deepEqual(own.server('f')?.uses?.['db']?.hidden, ['drop'], 'a fallback hides what the user hides');
});

test("under the user's own name nothing changes but downwards", () => {
  const db = (more: object): object => ({ servers: { db: { command: 'x', ...more } } });
  assert.deepEqual(refused(user(), db({ limits: { concurrency: 2, callsPerMinute: 5 } })), []);
  assert.deepEqual(refused(user(), db({ limits: { concurrency: 5 } })), ['servers.db']);
  assert.deepEqual(refused(user(), db({})), ['servers.db'], 'no limit is the highest');
  for (const more of [{ replicas: 9 }, { fallback: 'prod' }, { replaySafe: ['*'] }, { sharing: 'always' }])
    assert.deepEqual(refused(user(), db({ limits: { concurrency: 4 }, ...more })), ['servers.db'], JSON.stringify(more));
  const name = resolved({ servers: { db: { command: 'x', fallback: 'mirror' } } }, { servers: { mirror: { command: 'evil' } } });
  assert.deepEqual(name.said, ['SBX_CONFIG_INVALID servers.db.fallback'], "what the user wrote never means a workspace's server");
});

test('one server by two namespaces is one: both are named, and either may hide', () => {
  const { server } = resolved({
    servers: { db: { command: 'x' } },
    namespaces: { a: ['db'], b: [{ server: 'db', tools: { drop: { hidden: true } }, pin: true }] },
  });
  assert.deepEqual(server('db')?.namespaces, ['a', 'b']);
  assert.deepEqual(server('db')?.hidden, ['drop']);
  assert.equal(server('db')?.pin, true);
});

test('a workspace plays its own recordings only, and puts faults into nothing else', () => {
  const own = (entry: object): object => ({ servers: { mock: entry } });
  const faults = [{ fault: 'latency', ms: 5 }];
  assert.deepEqual(refused(user(), own({ recording: '.signalbox/recordings/a.jsonl', faults })), []);
  assert.deepEqual(refused(user(), own({ recording: 'a' })), []);
  for (const recording of ['../a.jsonl', '/etc/a.jsonl', '${userHome}/a.jsonl', '.signalbox/../../a.jsonl'])
    assert.deepEqual(refused(user(), own({ recording })), ['servers.mock'], recording);
  assert.deepEqual(refused(user(), own({ command: 'x', faults })), ['servers.mock']);
  assert.deepEqual(refused(user({ servers: { db: { command: 'x', faults } } }), {}), []);
});

test('a recording is found from where it is written: a workspace shares files, the user also names', () => {
  const { server } = resolved(
    { servers: { name: { recording: 'login' }, file: { recording: './login.jsonl' } } },
    { servers: { mock: { recording: 'login' } } },
  );
  const path = (name: string): unknown => (server(name)?.entry as { recording?: string } | undefined)?.recording;
  assert.equal(path('name'), 'login');
  assert.match(String(path('file')), /^\/.*\/login\.jsonl$/);
  assert.match(String(path('mock')), /^\/.*\/\.signalbox\/recordings\/login\.jsonl$/);
});
