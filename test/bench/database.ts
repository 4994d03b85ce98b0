/**
 * The database server beside `@bytebase/dbhub`, in one run: the same SQLite file, the same client, a call at a time, alternating.
 * `node test/bench/database.ts [folder of dbhub]`; without the folder dbhub is installed into a temporary one. Also the guard's own cost.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { checkMysql } from '../../servers/database/guard/mysql/statement.ts';
import { OPEN } from '../../servers/database/guard/policy.ts';
import { loadParser } from '../../servers/database/guard/postgres/ast.ts';
import { checkPostgres } from '../../servers/database/guard/postgres/statement.ts';

const HOST = fileURLToPath(new URL('../../servers/plugin/host.ts', import.meta.url));
const PLUGIN = fileURLToPath(new URL('../../servers/database', import.meta.url));
const ROUNDS = 200;

interface Peer {
  readonly name: string;
  readonly client: Client;
  readonly calls: Readonly<Record<string, { name: string; arguments: Record<string, unknown> }>>;
}

async function connect(name: string, command: string, args: string[], calls: Peer['calls']): Promise<Peer> {
  const client = new Client({ name: 'bench', version: '1.0.0' });
  await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore', env: { PATH: process.env['PATH'] ?? '' } }) as never);
  return { name, client, calls };
}

function median(values: readonly number[], part = 0.5): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN;
}

async function compare(peers: readonly Peer[], what: string, rounds: number): Promise<void> {
  const taken = new Map<string, number[]>(peers.map((peer) => [peer.name, []]));
  for (let round = 0; round < rounds + 5; round++) {
    for (const peer of peers) {
      const call = peer.calls[what];
      if (call === undefined) continue;
      const started = performance.now();
      const result = (await peer.client.callTool(call)) as { isError?: boolean; content: { text: string }[] };
      const ms = performance.now() - started;
      if (result.isError === true) throw new Error(`${peer.name}, ${what}: ${result.content[0]?.text.slice(0, 500)}`);
      if (round >= 5) taken.get(peer.name)?.push(ms);
    }
  }
  const cells = peers.map((peer) => {
    const times = taken.get(peer.name) ?? [];
    return `${peer.name} ${median(times).toFixed(2)} ms (p95 ${median(times, 0.95).toFixed(2)})`;
  });
  console.log(`${what}: ${cells.join(' · ')}`);
}

const folder = mkdtempSync(join(tmpdir(), 'sbx-bench-db-'));
const file = join(folder, 'bench.db');
const owner = new DatabaseSync(file);
owner.exec(`CREATE TABLE t0 (id INTEGER PRIMARY KEY, name TEXT, amount REAL);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO t0 SELECT i, 'name ' || i, i * 1.5 FROM n;
  ${Array.from({ length: 499 }, (_, i) => `CREATE TABLE t${i + 1} (id INTEGER PRIMARY KEY, a TEXT, b REAL, c INTEGER REFERENCES t${i});`).join('')}`);
owner.close();
let hub = process.argv[2];
if (hub === undefined) {
  hub = join(folder, 'dbhub');
  execFileSync('npm', ['install', '--prefix', hub, '--no-audit', '--no-fund', '--loglevel=error', '@bytebase/dbhub'], {
    stdio: ['ignore', 2, 2],
  });
}
const bin = join(hub, 'node_modules', '@bytebase', 'dbhub', 'dist', 'index.js');
if (!existsSync(bin)) throw new Error(`No dbhub in ${hub}.`);
const simple = 'SELECT id, name FROM t0 WHERE id = 42';
const many = 'SELECT * FROM t0';
const peers = [
  await connect(
    'signalbox',
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      HOST,
      PLUGIN,
      '--connection',
      `main=sqlite:${file}`,
      '--max-rows',
      '20000',
      '--max-bytes',
      '8000000',
    ],
    {
      'simple query': { name: 'query', arguments: { sql: simple } },
      '10 000 rows': { name: 'query', arguments: { sql: many, maxRows: 10_000 } },
      'schema of 500 tables': { name: 'list_tables', arguments: {} },
    },
  ),
  // Its native addon fits the Node that npm ran on.
  await connect('dbhub', 'node', [bin, '--transport', 'stdio', '--dsn', `sqlite://${file}`], {
    'simple query': { name: 'execute_sql', arguments: { sql: simple } },
    '10 000 rows': { name: 'execute_sql', arguments: { sql: many } },
    'schema of 500 tables': {
      name: 'search_objects',
      arguments: { object_type: 'table', pattern: '%', detail_level: 'names', limit: 500 },
    },
  }),
];
try {
  await compare(peers, 'simple query', ROUNDS);
  await compare(peers, '10 000 rows', 30);
  await compare(peers, 'schema of 500 tables', 50);
} finally {
  for (const { client } of peers) await client.close();
  rmSync(folder, { recursive: true, force: true });
}

await loadParser();
const catalog = {
  functions: new Map([
    [
      'count',
      [
        {
          schema: 'pg_catalog',
          calm: true,
          definer: false,
          oneArgument: true,
          languages: ['internal'],
          extension: null,
          bodies: [],
          aggregate: true,
        },
      ],
    ],
  ]),
  operators: new Map(),
  views: new Map(),
  kin: new Map(),
  relations: new Map(),
  types: new Set<string>(),
  columns: new Map<string, Set<string>>(),
  behind: new Map(),
};
const statement =
  'SELECT c.name, count(*) FROM customers c JOIN orders o ON o.customer = c.id WHERE c.id > 5 GROUP BY c.name ORDER BY 2 DESC LIMIT 10';
for (const [name, check] of [
  ['PostgreSQL', () => checkPostgres(statement, { catalog, policy: OPEN, access: 'read' })],
  ['MySQL', () => checkMysql(statement, 'read', OPEN)],
] as const) {
  for (let i = 0; i < 2000; i++) check();
  const started = performance.now();
  for (let i = 0; i < 10_000; i++) check();
  console.log(`guard, ${name}: ${((performance.now() - started) / 10).toFixed(1)} µs a statement`);
}
