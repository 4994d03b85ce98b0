/** What a second pair of eyes found: ways around the guard that no statement of the corpora took. Real engines; each case failed before its fix. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { type FileSettings, readConnections } from '../../../servers/database/engines/settings.ts';
import { openSqlite } from '../../../servers/database/engines/sqlite/index.ts';
import { checkMysql } from '../../../servers/database/guard/mysql/statement.ts';
import { OPEN } from '../../../servers/database/guard/policy.ts';
import { digestPostgres, fillPostgres, guardedPostgres, login } from './postgres-fixture.ts';
import { findPostgres, startPostgres, type TestServer } from './servers.ts';

const SCRIPT = fileURLToPath(new URL('../../../servers/database/engine.ts', import.meta.url));
const BOUNDS = { maxRows: 100, maxBytes: 100_000 };
const refused = (thrown: SignalboxError): boolean => thrown.code === 'SBX_DB_REFUSED';
const SECRET = /example\.test|111-22|444-55/u;

describe('SQLite', () => {
  let folder: string;
  let file: string;
  const open = (more: object): Database =>
    openSqlite(
      'main',
      readConnections({ connections: { main: { url: `sqlite:${file}`, ...more } } }, '/').get('main') as FileSettings,
      SCRIPT,
    );
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sbx-second-'));
    file = join(folder, 'app.db');
    const owner = new DatabaseSync(file);
    owner.exec(`CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO customers VALUES (1, 'ada@example.test');
      CREATE TABLE copy (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE vault (name TEXT); CREATE TABLE vault_copy (name TEXT);
      CREATE TABLE parts (name TEXT); CREATE TABLE parts_copy (name TEXT); INSERT INTO parts VALUES ('bolt');
      CREATE VIRTUAL TABLE places USING rtree (id, low, high); INSERT INTO places VALUES (1, 0, 1);`);
    owner.close();
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('asks about the table a whole table is copied from, which SQLite copies without asking the authorizer', async () => {
    const database = open({ access: 'write', columns: { 'customers.email': 'hash' }, tables: { deny: ['vault'] } });
    const write = (sql: string) => database.write({ sql, ...BOUNDS, commit: true, maxAffected: 10 });
    try {
      for (const sql of [
        'INSERT INTO copy SELECT * FROM customers',
        'INSERT INTO vault_copy SELECT * FROM vault;',
        'REPLACE INTO copy SELECT * FROM customers',
      ])
        await assert.rejects(write(sql), refused, sql);
      assert.equal((await write('INSERT INTO parts_copy SELECT * FROM parts')).affected, 1);
      assert.equal((await write('INSERT INTO copy (id) SELECT 7 WHERE true ON CONFLICT (id) DO UPDATE SET id = 8')).affected, 1);
    } finally {
      await database.close();
    }
  });
  it('reads an R*Tree, whose module compiles writes of its own when it is first used', async () => {
    const database = open({});
    try {
      assert.deepEqual((await database.query({ sql: 'SELECT id FROM places WHERE low < 1', ...BOUNDS })).rows, [[1]]);
      await assert.rejects(database.query({ sql: "INSERT INTO places_node VALUES (9, x'00')", ...BOUNDS }), refused);
      await assert.rejects(database.query({ sql: 'DELETE FROM places', ...BOUNDS }), refused);
    } finally {
      await database.close();
    }
  });
  it('ends a statement that fills the memory', {
    skip: process.platform !== 'linux' && 'memory of a process is looked up in /proc',
  }, async () => {
    const database = open({ timeoutMs: 60_000 });
    const sql = `SELECT count(DISTINCT x) FROM (WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
      SELECT randomblob(4000000) AS x FROM c)`;
    try {
      await assert.rejects(database.query({ sql, ...BOUNDS }), (thrown: SignalboxError) => thrown.code === 'SBX_DB_LIMIT');
      assert.deepEqual((await database.query({ sql: 'SELECT 1', ...BOUNDS })).rows, [[1]]);
    } finally {
      await database.close();
    }
  });
});

describe('MySQL', () => {
  it('checks the WHERE of SHOW like every other', () => {
    for (const sql of [
      "SHOW TABLES WHERE updatexml(1, concat(0x7e, load_file('/etc/passwd')), 1)",
      'SHOW TABLES WHERE sleep(5)',
      "SHOW COLUMNS FROM customers WHERE get_lock('x', 1)",
      'SHOW TABLES WHERE (SELECT @@secure_file_priv) IS NULL',
      'SHOW TABLE STATUS WHERE evil()',
    ])
      assert.throws(() => checkMysql(sql, 'read', OPEN), refused, sql);
    for (const sql of [
      "SHOW TABLES WHERE Tables_in_shop LIKE 'c%'",
      "SHOW COLUMNS FROM t WHERE Field IN ('a', 'b')",
      'SHOW CREATE TABLE t',
    ])
      assert.equal(checkMysql(sql, 'read', OPEN), 'show');
  });
  it('refuses a hint that would end elsewhere for the server', () => {
    for (const hint of ['QB_NAME(`a */`) */ load_file(0x41) -- `', 'QB_NAME("a */") */ load_file(0x41) -- "'])
      assert.throws(() => checkMysql(`SELECT /*+ ${hint} */ 1`, 'read', OPEN), refused, hint);
    assert.equal(checkMysql('SELECT /*+ QB_NAME(`a`) NO_INDEX_MERGE(t) */ 1', 'read', OPEN), 'select');
  });
  it("lets no definition touch the server's own schemas", () => {
    for (const sql of ['DROP DATABASE mysql', 'DROP SCHEMA IF EXISTS `sys`', 'ALTER DATABASE mysql CHARACTER SET latin1'])
      assert.throws(() => checkMysql(sql, 'admin', OPEN), refused, sql);
    assert.equal(checkMysql('DROP DATABASE shop', 'admin', OPEN), 'define');
  });
});

const found = findPostgres();
describe('PostgreSQL', { skip: 'missing' in found ? found.missing : false }, () => {
  let server: TestServer;
  let folder: string;
  const opened: Database[] = [];
  const open = (more: object): Database => {
    const database = guardedPostgres(server, { ...more });
    opened.push(database);
    return database;
  };
  before(async () => {
    if ('missing' in found) return;
    server = await startPostgres(found.bin);
    folder = await fillPostgres(server);
    const owner = await login(server);
    await owner.query(`CREATE FUNCTION emails() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT email FROM customers';
      CREATE FUNCTION email_of(c customers) RETURNS text LANGUAGE sql STABLE AS 'SELECT c.email';
      CREATE FUNCTION copy_out(t text DEFAULT '') RETURNS text LANGUAGE plpgsql SECURITY DEFINER
        AS $$ BEGIN COPY (SELECT 1) TO '${folder}/out'; RETURN 'x'; END $$;
      CREATE VIEW copy_view AS SELECT copy_out() AS x; CREATE VIEW copy_view_view AS SELECT * FROM copy_view;
      CREATE TYPE box_of AS (a int); CREATE FUNCTION to_box(text) RETURNS box_of LANGUAGE plpgsql SECURITY DEFINER
        AS $$ BEGIN PERFORM copy_out(); RETURN ROW(1)::box_of; END $$;
      CREATE CAST (text AS box_of) WITH FUNCTION to_box(text);
      CREATE DOMAIN checked AS text CHECK (copy_out(VALUE) = 'x');
      CREATE FUNCTION by_default(t text DEFAULT copy_out()) RETURNS text LANGUAGE sql STABLE AS 'SELECT t';
      CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1);
      CREATE POLICY p ON guarded USING (copy_out() = 'x'); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
      CREATE FUNCTION calm(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN upper(t); END $$;
      CREATE VIEW calm_view AS SELECT calm(name) AS name FROM customers;
      CREATE VIEW passwords AS SELECT rolname, rolpassword FROM pg_authid;
      CREATE TABLE measures (id int, v int) PARTITION BY RANGE (id); CREATE TABLE measures_1 PARTITION OF measures FOR VALUES FROM (0) TO (10);
      INSERT INTO measures VALUES (1, 2)`);
    await owner.end();
  });
  after(async () => {
    for (const database of opened) await database.close();
    await server?.stop();
  });

  it('gives no protected row to a function that is written like a column, and masks nothing by the body of a function', async () => {
    const database = open({ columns: { 'customers.email': 'hash', 'customers.ssn': 'deny' } });
    for (const sql of [
      ...['row_to_json', 'to_jsonb', 'json_agg', 'array_agg', 'quote_literal', 'count', 'email_of'].map(
        (name) => `SELECT c.${name} FROM customers c`,
      ),
      'SELECT j.row_to_json FROM (customers CROSS JOIN people) AS j',
      'SELECT emails()',
      'SELECT * FROM emails()',
      'SELECT email_of(c) FROM customers c',
    ]) {
      const said = await database.query({ sql, ...BOUNDS }).then(
        (answer) => `through: ${JSON.stringify(answer.rows)}`,
        (thrown: SignalboxError) => `${thrown.code} ${thrown.why}`,
      );
      assert.ok(said.startsWith('SBX_DB_REFUSED') && !SECRET.test(said), `${sql}: ${said}`);
    }
    for (const sql of ['SELECT c.name, c.id FROM customers c', 'SELECT c.email, t.count FROM customers c, (SELECT 1 AS count) t'])
      await database.query({ sql, ...BOUNDS });
  });
  it("runs no function with its owner's rights that hides in a view, a policy, a cast, a check or a default", async () => {
    const database = open({});
    const owner = await login(server);
    const untouched = await digestPostgres(owner, folder);
    for (const sql of [
      'SELECT * FROM copy_view',
      'SELECT * FROM copy_view_view',
      'SELECT * FROM guarded',
      "SELECT 'a'::text::box_of",
      "SELECT CAST('a'::text AS box_of)",
      "SELECT 'a'::checked",
      'SELECT by_default()',
      'SELECT * FROM passwords',
    ])
      await assert.rejects(database.query({ sql, ...BOUNDS }), refused, sql);
    assert.equal(await digestPostgres(owner, folder), untouched);
    await owner.end();
    for (const sql of ['SELECT name FROM calm_view', 'SELECT * FROM contacts', 'SELECT * FROM totals_view'])
      await database.query({ sql, ...BOUNDS });
    const allowing = open({ functions: { allow: ['calm', 'public.copy_out'] } });
    await allowing.query({ sql: 'SELECT * FROM copy_view', ...BOUNDS });
  });
  it('an allowed partitioned table is readable without its partitions being named', async () => {
    const database = open({ tables: { allow: ['measures'] } });
    assert.deepEqual((await database.query({ sql: 'SELECT * FROM measures', ...BOUNDS })).rows, [[1, 2]]);
    assert.deepEqual(
      (await database.tables()).map((table) => table.name),
      ['measures'],
    );
    for (const sql of ['SELECT * FROM measures_1', 'SELECT * FROM customers'])
      await assert.rejects(database.query({ sql, ...BOUNDS }), refused, sql);
    const denying = open({ tables: { deny: ['measures_1'] } });
    await assert.rejects(denying.query({ sql: 'SELECT * FROM measures', ...BOUNDS }), refused);
  });
  it('counts what a WITH changes, writes no catalog, and lets a sequence go on', async () => {
    const database = open({ access: 'write' });
    const write = (sql: string) => database.write({ sql, ...BOUNDS, commit: false, maxAffected: 10 });
    const tooMany = (thrown: SignalboxError): boolean => thrown.code === 'SBX_DB_LIMIT' && /30 rows/u.test(thrown.why);
    await assert.rejects(write('WITH gone AS (DELETE FROM orders RETURNING 1) SELECT 1 WHERE false'), tooMany);
    await assert.rejects(write('WITH gone AS (DELETE FROM orders RETURNING 1) SELECT 1 WHERE false'), tooMany);
    assert.equal(
      (await write('WITH gone AS (DELETE FROM orders WHERE id < 3 RETURNING id) INSERT INTO log SELECT id::text FROM gone')).affected,
      4,
    );
    for (const sql of [
      'DELETE FROM pg_class',
      "UPDATE pg_catalog.pg_proc SET prosecdef = true WHERE proname = 'evil'",
      'INSERT INTO pg_proc SELECT * FROM pg_proc',
    ])
      await assert.rejects(write(sql), refused, sql);
    assert.equal((await write("INSERT INTO log VALUES (nextval('seq')::text)")).affected, 1);
    await assert.rejects(database.query({ sql: "SELECT nextval('seq')", ...BOUNDS }), refused);
  });
});
