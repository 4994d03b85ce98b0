/** What goes wrong in life: hanging queries, huge values, a million rows, lost connections, restarts, locks. After each the next query works. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Answer, Ask, Database } from '../../../servers/database/engines/engine.ts';
import { FrameGuard } from '../../../servers/database/engines/postgres/frames.ts';
import { type FileSettings, readConnections } from '../../../servers/database/engines/settings.ts';
import { openSqlite } from '../../../servers/database/engines/sqlite/index.ts';
import { fillMysql, guardedMysql, rootOf } from './mysql-fixture.ts';
import { fillPostgres, guardedPostgres, login } from './postgres-fixture.ts';
import { findMariadb, findPostgres, startMariadb, startPostgres, type TestServer } from './servers.ts';

const SCRIPT = fileURLToPath(new URL('../../../servers/database/engine.ts', import.meta.url));
const BOUNDS = { maxRows: 100, maxBytes: 100_000 };
const rejects = (job: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(job, (thrown: SignalboxError) => {
    assert.equal(thrown.code, code, `${thrown.message} ${thrown.why}`);
    return thrown.why !== '' && thrown.fix !== '';
  });
const query = (database: Database, sql: string, more: Partial<Ask> = {}): Promise<Answer> => database.query({ sql, ...BOUNDS, ...more });
const works = async (database: Database): Promise<void> => assert.deepEqual((await query(database, 'SELECT 7')).rows, [[7]]);

/** The same for every engine. */
function shared(
  open: (more?: Record<string, unknown>) => Database,
  sql: { hang: string; million: string; cells: string; huge: string },
): void {
  it('ends a hanging query at the deadline, also several at once', async () => {
    const database = open({ timeoutMs: 400, concurrency: 2 });
    try {
      await Promise.all([1, 2, 3].map(() => rejects(query(database, sql.hang), 'SBX_DB_DEADLINE')));
      await works(database);
    } finally {
      await database.close();
    }
  });
  it('ends a query whose caller gives up', async () => {
    const database = open({ timeoutMs: 60_000, concurrency: 1 });
    try {
      await works(database);
      const controller = new AbortController();
      const hanging = query(database, sql.hang, { signal: controller.signal });
      setTimeout(() => controller.abort(new Error('enough')), 200);
      await assert.rejects(hanging, /enough/);
      await works(database);
    } finally {
      await database.close();
    }
  });
  it('cuts a million rows and goes on with a cursor', async () => {
    const database = open();
    try {
      const before = process.memoryUsage().rss;
      const first = await query(database, sql.million);
      assert.deepEqual([first.rows.length, first.truncated], [100, 'rows']);
      const next = await query(database, sql.million, { skip: 100 });
      assert.notDeepEqual(next.rows[0], first.rows[0]);
      assert.equal(Number(next.rows[0]?.[0]), Number(first.rows[99]?.[0]) + 1);
      const heavy = await query(database, sql.cells, { maxRows: 100_000 });
      assert.equal(heavy.truncated, 'bytes');
      assert.ok(JSON.stringify(heavy.rows).length <= BOUNDS.maxBytes);
      assert.ok(process.memoryUsage().rss - before < 300 * 1024 * 1024);
      await works(database);
    } finally {
      await database.close();
    }
  });
  it('refuses a huge value and lives', async () => {
    const database = open({ timeoutMs: 20_000 });
    try {
      const ended = await query(database, sql.huge).then(
        (answer) => (answer.truncated === 'bytes' ? 'cut' : 'whole'),
        (thrown: SignalboxError) => thrown.code,
      );
      assert.ok(['cut', 'SBX_DB_LIMIT', 'SBX_DB_SQL', 'SBX_DB_CONNECTION'].includes(ended), ended);
      await works(database);
    } finally {
      await database.close();
    }
  });
  it('refuses what neither runs nor may wait', async () => {
    const database = open({ concurrency: 1, queue: 0, timeoutMs: 500 });
    try {
      const running = query(database, sql.hang);
      await rejects(query(database, 'SELECT 1'), 'SBX_DB_BUSY');
      await rejects(running, 'SBX_DB_DEADLINE');
      await works(database);
    } finally {
      await database.close();
    }
  });
}

describe('SQLite', () => {
  let folder: string;
  let file: string;
  const open = (more: Record<string, unknown> = {}): Database =>
    openSqlite(
      'main',
      readConnections({ connections: { main: { url: `sqlite:${file}`, ...more } } }, '/').get('main') as FileSettings,
      SCRIPT,
    );
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sbx-faults-'));
    file = join(folder, 'app.db');
    const owner = new DatabaseSync(file);
    owner.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
    owner.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  shared(open, {
    hang: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
    million: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n',
    cells: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT hex(zeroblob(500)) FROM n',
    huge: 'SELECT zeroblob(2000000000)',
  });
  it('waits for a lock, then says so', async () => {
    const owner = new DatabaseSync(file);
    owner.exec('BEGIN EXCLUSIVE');
    const database = open();
    try {
      await rejects(query(database, 'SELECT * FROM t'), 'SBX_DB_BUSY');
      owner.exec('COMMIT');
      assert.deepEqual((await query(database, 'SELECT * FROM t')).rows, [[1]]);
    } finally {
      owner.close();
      await database.close();
    }
  });
  it('undoes a write over the limit', async () => {
    const database = open({ access: 'write', maxAffected: 2 });
    try {
      const ask = { sql: 'INSERT INTO t SELECT value FROM json_each(?)', params: ['[1,2,3]'], ...BOUNDS, commit: true, maxAffected: 2 };
      await rejects(database.write(ask), 'SBX_DB_LIMIT');
      assert.equal((await database.write({ ...ask, params: ['[1,2]'] })).affected, 2);
      await rejects(database.write({ ...ask, params: ['[1]'], expected: 2 }), 'SBX_DB_LIMIT');
      assert.deepEqual((await query(database, 'SELECT count(*) FROM t')).rows, [[3]]);
    } finally {
      await database.close();
    }
  });
  it('names a file that is no database', async () => {
    const other = join(folder, 'no.db');
    writeFileSync(other, 'this is not a database, but long enough to be looked at '.repeat(100));
    const database = open({ url: `sqlite:${other}` });
    try {
      await rejects(query(database, 'SELECT * FROM t'), 'SBX_DB_CONNECTION');
    } finally {
      await database.close();
    }
  });
});

const postgres = findPostgres();
describe('PostgreSQL', { skip: 'missing' in postgres ? postgres.missing : false }, () => {
  let server: TestServer;
  before(async () => {
    if ('missing' in postgres) return;
    server = await startPostgres(postgres.bin);
    await fillPostgres(server);
  });
  after(() => server?.stop());
  shared((more) => guardedPostgres(server, more), {
    hang: 'SELECT count(*) FROM generate_series(1, 1000000000000) a',
    million: 'SELECT i FROM generate_series(1, 1000000) i',
    cells: "SELECT repeat('x', 500) FROM generate_series(1, 1000000)",
    huge: "SELECT repeat('x', 600000000)",
  });
  it('survives a dropped connection and a restart of the server', async () => {
    const database = guardedPostgres(server, { concurrency: 1 });
    try {
      await works(database);
      const owner = await login(server);
      await owner.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signalbox'");
      await owner.end();
      await query(database, 'SELECT 1').catch((thrown: SignalboxError) => assert.equal(thrown.code, 'SBX_DB_CONNECTION'));
      await works(database);
      await server.kill();
      // The backend of the connection may outlive the postmaster for a moment.
      const limit = AbortSignal.timeout(20_000);
      for (;;) {
        const lost = await query(database, 'SELECT 1').then(
          () => undefined,
          (thrown: SignalboxError) => thrown.code,
        );
        if (lost === 'SBX_DB_CONNECTION') break;
        assert.equal(lost, undefined);
        limit.throwIfAborted();
      }
      await server.start();
      await (await login(server)).end();
      await works(database);
    } finally {
      await database.close();
    }
  });
  it('keeps values true', async () => {
    const database = guardedPostgres(server);
    try {
      const { rows, columns } = await query(
        database,
        `SELECT 9007199254740993::int8, 1::int8, 12345678901234567890.10::numeric, 'NaN'::float8, '2024-01-02'::date, '\\x00ff'::bytea, '{"a":12345678901234567890}'::json,
          '{"a":[1]}'::jsonb, ARRAY[[1,2],[3,4]], ARRAY['a,b','"',NULL,'NULL'], true, NULL, '1 day 02:00'::interval, ARRAY['2024-01-02'::date]`,
      );
      assert.deepEqual(rows[0], [
        '9007199254740993',
        1,
        '12345678901234567890.10',
        'NaN',
        '2024-01-02',
        { bytes: 2, base64: 'AP8=' },
        '{"a":12345678901234567890}',
        { a: [1] },
        [
          [1, 2],
          [3, 4],
        ],
        ['a,b', '"', null, 'NULL'],
        true,
        null,
        '1 day 02:00:00',
        ['2024-01-02'],
      ]);
      assert.equal(columns[2]?.type, 'numeric');
    } finally {
      await database.close();
    }
  });
  it('writes in a transaction that is kept only when it was asked for', async () => {
    const database = guardedPostgres(server, { access: 'admin' });
    try {
      const ask = { sql: 'UPDATE people SET mood = $1', params: ['sad'], ...BOUNDS, maxAffected: 10 };
      assert.equal((await database.write({ ...ask, commit: false })).affected, 2);
      assert.deepEqual((await query(database, "SELECT count(*) FROM people WHERE mood = 'sad'")).rows, [[0]]);
      assert.equal((await database.write({ ...ask, commit: true })).affected, 2);
      assert.deepEqual((await query(database, "SELECT count(*) FROM people WHERE mood = 'sad'")).rows, [[2]]);
      await rejects(database.write({ ...ask, maxAffected: 1, commit: true }), 'SBX_DB_LIMIT');
      await database.write({ ...ask, sql: 'CREATE TABLE made (x int)', params: [], commit: true });
      assert.ok((await database.tables()).some((table) => table.name === 'made'));
      for (const sql of [
        'SELECT evil()',
        'DO $$ BEGIN END $$',
        "COPY people TO '/tmp/x'",
        'ALTER SYSTEM SET x = 1',
        'CREATE EXTENSION dblink',
        'CREATE ROLE x',
        'DROP ROLE reader',
        "INSERT INTO log SELECT pg_read_file('/etc/passwd')",
        'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$',
      ])
        await rejects(database.write({ ...ask, sql, params: [], commit: true }), 'SBX_DB_REFUSED');
    } finally {
      await database.close();
    }
  });
});

const mariadb = findMariadb();
describe('MariaDB', { skip: 'missing' in mariadb ? mariadb.missing : false }, () => {
  let server: TestServer;
  before(async () => {
    if ('missing' in mariadb) return;
    server = await startMariadb(mariadb);
    await fillMysql(server);
  });
  after(() => server?.stop());
  shared((more) => guardedMysql(server, more), {
    hang: 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM customers a, orders b, orders c, orders d, orders e, orders f, orders g, orders h, orders i',
    million: 'SELECT a.id + 30 * (b.id - 1) + 900 * (c.id - 1) + 27000 * (d.id - 1) FROM orders d, orders c, orders b, orders a ORDER BY 1',
    cells: "SELECT repeat('x', 500) FROM orders a, orders b, orders c, orders d",
    huge: "SELECT repeat('x', 600000000)",
  });
  it('survives a killed connection and a restart of the server', async () => {
    const database = guardedMysql(server, { concurrency: 1 });
    try {
      await works(database);
      const root = await rootOf(server);
      const [list] = await root.query("SELECT id FROM information_schema.processlist WHERE db = 'shop'");
      for (const [id] of list as unknown as number[][]) await root.query(`KILL ${id}`);
      await root.end();
      await query(database, 'SELECT 1').catch((thrown: SignalboxError) => assert.equal(thrown.code, 'SBX_DB_CONNECTION'));
      await works(database);
      await server.kill();
      await rejects(query(database, 'SELECT 1'), 'SBX_DB_CONNECTION');
      await server.start();
      await works(database);
    } finally {
      await database.close();
    }
  });
  it('keeps values true and writes only what may be undone', async () => {
    const database = guardedMysql(server, { access: 'write' });
    try {
      const { rows } = await query(
        database,
        "SELECT CAST('9007199254740993' AS SIGNED), 1.10, CAST('2024-01-02' AS DATE), x'00ff', NULL, CAST('12:00:00' AS TIME), 18446744073709551615",
      );
      assert.deepEqual(rows[0], [
        '9007199254740993',
        '1.10',
        '2024-01-02',
        { bytes: 2, base64: 'AP8=' },
        null,
        '12:00:00',
        '18446744073709551615',
      ]);
      const ask = { sql: 'UPDATE customers SET name = ? WHERE id = 1', params: ['Eve'], ...BOUNDS, maxAffected: 10 };
      assert.equal((await database.write({ ...ask, commit: false })).affected, 1);
      assert.deepEqual((await query(database, 'SELECT name FROM customers WHERE id = 1')).rows, [['Ada']]);
      await database.write({ ...ask, commit: true });
      assert.deepEqual((await query(database, 'SELECT name FROM customers WHERE id = ?', { params: [1] })).rows, [['Eve']]);
      await rejects(database.write({ ...ask, sql: 'DELETE FROM old', params: [], commit: false }), 'SBX_DB_REFUSED');
      await rejects(database.write({ ...ask, sql: 'DROP TABLE old', params: [], commit: true }), 'SBX_DB_REFUSED');
    } finally {
      await database.close();
    }
  });
});

it('sees a message that is too large wherever the chunks end', () => {
  const message = Buffer.concat([Buffer.from('D'), Buffer.from([0, 0, 0, 14]), Buffer.alloc(10)]);
  const large = Buffer.concat([Buffer.from('D'), Buffer.from([0x30, 0, 0, 0])]);
  const stream = Buffer.concat([message, message, large]);
  for (let size = 1; size < stream.length; size++) {
    const guard = new FrameGuard(1024);
    let found: number | undefined;
    for (let at = 0; at < stream.length; at += size) found ??= guard.hear(stream.subarray(at, at + size));
    assert.equal(found, 0x30000000, `chunks of ${size}`);
  }
});
