import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { createDemo, type Demo } from '../../../daemon/cli/demo/demo.ts';
import { bundled, connect, PEERS, type Session } from '../client.ts';

let base: string;
let file: string;
let demo: Demo;
const digest = (): string => createHash('sha256').update(readFileSync(file)).digest('hex');

before(async () => {
  base = mkdtempSync(join(tmpdir(), 'sbx-db-'));
  demo = await createDemo(base);
  file = demo.database;
});
after(async () => {
  await demo.close();
  rmSync(base, { recursive: true, force: true });
});

for (const peer of PEERS) {
  describe(`database with a ${peer} client`, () => {
    let session: Session;
    before(async () => {
      session = await connect(peer, bundled('database'), ['--connection', `main=sqlite:${file}`]);
    });
    after(() => session.close());

    it('lists, describes and queries', async () => {
      assert.deepEqual([...(await session.tools())].sort(), [
        'describe_table',
        'explain_query',
        'export_result',
        'list_connections',
        'list_schemas',
        'list_tables',
        'query',
        'search_objects',
        'table_statistics',
        'validate_query',
      ]);
      const tables = (await session.call('list_tables')).structured?.['tables'] as { name: string }[];
      assert.deepEqual(
        tables.map((table) => table.name),
        ['calls', 'departures', 'late_trains', 'lines', 'stations'],
      );
      const described = (await session.call('describe_table', { table: 'departures' })).structured;
      assert.equal((described?.['columns'] as unknown[]).length, 8);
      assert.equal((described?.['foreignKeys'] as unknown[]).length, 3);
      const [index] = described?.['indexes'] as { name: string; unique: boolean; columns: string[] }[];
      assert.equal(index?.name, 'departures_by_station');
      assert.equal(index?.unique, false);
      const byPosition = await session.call('query', { sql: 'SELECT name FROM stations WHERE code = ?', params: ['DUN'] });
      assert.deepEqual(byPosition.structured, {
        columns: [{ name: 'name', type: 'TEXT' }],
        rows: [['Dunmere Junction']],
        truncated: false,
      });
      const byName = await session.call('query', {
        sql: 'SELECT count(*) n FROM departures WHERE line_id = :line;  -- end',
        params: { line: 1 },
      });
      assert.deepEqual(byName.structured?.['rows'], [[56]]);
    });
    it('runs what people write', async () => {
      const queries = [
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n',
        'SELECT station, count(*) OVER (PARTITION BY station), row_number() OVER (ORDER BY time) FROM late_trains',
        "SELECT json_object('a', 1), strftime('%Y', 'now'), group_concat(code, ','), printf('%05d', 3) FROM stations",
        "SELECT value FROM json_each('[1,2]')",
        'EXPLAIN QUERY PLAN SELECT * FROM departures',
        'PRAGMA table_info(stations)',
        "SELECT * FROM stations WHERE name LIKE '%;%' OR name GLOB 'A*' /* ; */",
        'VALUES (1, 2), (3, 4)',
        "SELECT 'delete from stations; drop table x'",
      ];
      for (const sql of queries) {
        const answer = await session.call('query', { sql });
        assert.ok(!answer.isError, `${sql}: ${answer.text}`);
      }
    });
    it('leaves the database unchanged, however a write is dressed', async () => {
      const unchanged = digest();
      const other = join(base, 'other.db');
      const attacks = [
        "INSERT INTO stations VALUES (99, 'X', 'X', 1)",
        'update stations set name = 1',
        'DELETE FROM stations',
        'REPLACE INTO lines VALUES (1, 2, 3)',
        'DROP TABLE stations',
        'CREATE TABLE x (y)',
        'CREATE TEMP TABLE x (y)',
        'CREATE VIRTUAL TABLE x USING fts5(y)',
        'ALTER TABLE stations RENAME TO x',
        'CREATE TRIGGER t AFTER INSERT ON lines BEGIN SELECT 1; END',
        'WITH x AS (SELECT 1) DELETE FROM stations',
        'WITH x AS (SELECT 1) INSERT INTO lines SELECT 9, 9, 9 FROM x RETURNING *',
        '/* SELECT */ DELETE FROM stations',
        '-- SELECT\nDELETE FROM stations',
        ' \t\n\uFEFF;DELETE FROM stations',
        'DELETE FROM stations RETURNING *',
        'SELECT 1; DELETE FROM stations',
        'SELECT 1;;; /* x */ -- y\n DROP TABLE stations',
        'SELECT 1 /* ; */; SELECT 2',
        'SELECT 1\0; DELETE FROM stations',
        'EXPLAIN DELETE FROM stations',
        'BEGIN',
        'BEGIN IMMEDIATE; DELETE FROM stations; COMMIT',
        'SAVEPOINT a',
        'VACUUM',
        `VACUUM INTO '${other}'`,
        `ATTACH DATABASE '${other}' AS x`,
        `ATTACH '${file}' AS x`,
        'DETACH main',
        'REINDEX',
        'ANALYZE',
        'PRAGMA query_only = 0',
        'PRAGMA query_only(0)',
        'PRAGMA journal_mode = DELETE',
        'PRAGMA user_version = 5',
        'PRAGMA writable_schema = ON',
        'PRAGMA trusted_schema = 1',
        'PRAGMA temp_store_directory = "/tmp"',
        'PRAGMA main.wal_checkpoint',
        'PRAGMA optimize',
        "SELECT * FROM pragma_journal_mode('delete')",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT LOAD_EXTENSION('x')",
        "SELECT readfile('/etc/passwd')",
        `SELECT writefile('${other}', 'x')`,
        "SELECT fts3_tokenizer('simple')",
        "SELECT edit('x')",
        '',
        ';',
        '-- nothing',
      ];
      for (const sql of attacks) {
        const answer = await session.call('query', { sql });
        assert.ok(answer.isError, `${sql} was run: ${answer.text}`);
      }
      assert.equal(digest(), unchanged);
      assert.ok(!existsSync(other));
      assert.ok(!(await session.call('query', { sql: 'SELECT 1' })).isError, 'the engine lives on');
    });
    it('names the code and the fix of a refusal', async () => {
      assert.match(
        (await session.call('query', { sql: 'DELETE FROM stations' })).text,
        /^SBX_DB_REFUSED: .*\nCause: It needs DELETE \(stations\).*\nFix: /,
      );
      assert.match((await session.call('query', { sql: 'SELECT 1; SELECT 2' })).text, /^SBX_DB_REFUSED: .*\nCause: A second statement/);
      assert.match((await session.call('query', { sql: 'SELECT nope FROM stations' })).text, /^SBX_DB_SQL: .*\nCause: no such column/);
    });
    it('says honestly when there is more', async () => {
      const answer = await session.call('query', { sql: 'SELECT id FROM departures ORDER BY id', maxRows: 3 });
      assert.deepEqual(answer.structured?.['rows'], [[1], [2], [3]]);
      assert.equal(answer.structured?.['truncated'], true);
      const next = await session.call('query', {
        sql: 'SELECT id FROM departures ORDER BY id',
        maxRows: 3,
        cursor: answer.structured?.['cursor'] as string,
      });
      assert.deepEqual(next.structured?.['rows'], [[4], [5], [6]]);
      assert.match(
        (await session.call('query', { sql: 'SELECT 1', cursor: answer.structured?.['cursor'] as string })).text,
        /^SBX_CURSOR_INVALID: /,
      );
      const exact = await session.call('query', { sql: 'SELECT id FROM departures ORDER BY id LIMIT 3', maxRows: 3 });
      assert.equal(exact.structured?.['truncated'], false);
      const heavy = await session.call('query', { sql: 'SELECT hex(zeroblob(600000)) FROM departures' });
      assert.equal(heavy.structured?.['truncated'], true);
    });
  });
}

describe('database limits', () => {
  it('ends an endless query at the deadline and goes on', async () => {
    const session = await connect('modern', bundled('database'), ['--connection', `main=sqlite:${file}`, '--timeout-ms', '500']);
    try {
      const endless = await session.call('query', {
        sql: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
      });
      assert.match(endless.text, /^SBX_DB_DEADLINE: /);
      assert.deepEqual((await session.call('query', { sql: 'SELECT 7' })).structured?.['rows'], [[7]]);
      assert.ok((await session.call('query', { sql: 'SELECT zeroblob(1000000000)' })).isError);
    } finally {
      await session.close();
    }
  });
  it('reads a WAL database that another process writes', async () => {
    const wal = join(base, 'wal.db');
    copyFileSync(file, wal);
    const writer = new DatabaseSync(wal);
    writer.exec("PRAGMA journal_mode = WAL; INSERT INTO lines VALUES (9, 'New Line', 'x')");
    const session = await connect('modern', bundled('database'), ['--connection', `main=sqlite:${wal}`]);
    try {
      assert.deepEqual((await session.call('query', { sql: 'SELECT name FROM lines WHERE id = 9' })).structured?.['rows'], [['New Line']]);
    } finally {
      await session.close();
      writer.close();
    }
  });
  it('names a database that is not there, and creates none', async () => {
    const missing = join(base, 'missing.db');
    const session = await connect('modern', bundled('database'), ['--connection', `main=sqlite:${missing}`]);
    try {
      assert.match((await session.call('list_tables')).text, /^SBX_DB_CONNECTION: /);
      assert.ok(!existsSync(missing));
    } finally {
      await session.close();
    }
  });
  it('without a connection serves one prompt that says what to do', async () => {
    const session = await connect('modern', bundled('database'), []);
    try {
      assert.deepEqual(await session.tools(), []);
      assert.match(await session.prompt('set-up-databases'), /--connection/);
    } finally {
      await session.close();
    }
  });
});
