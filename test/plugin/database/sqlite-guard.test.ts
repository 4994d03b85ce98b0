import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { type FileSettings, readConnections } from '../../../servers/database/engines/settings.ts';
import { openSqlite } from '../../../servers/database/engines/sqlite/index.ts';
import { ALL_SQLITE_LAYERS, type SqliteLayers } from '../../../servers/database/engines/sqlite/protocol.ts';
import { SQLITE_ATTACKS } from './corpus/sqlite-attacks.ts';
import { SQLITE_QUERIES } from './corpus/sqlite-queries.ts';

const SCRIPT = fileURLToPath(new URL('../../../servers/database/engine.ts', import.meta.url));
const BOUNDS = { maxRows: 1000, maxBytes: 1_000_000 };
const STATE = 'SELECT * FROM pragma_database_list UNION ALL SELECT query_only, foreign_keys, 0 FROM pragma_query_only, pragma_foreign_keys';
let folder: string;
let file: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sbx-sqlite-'));
  file = join(folder, 'app.db');
  writeFileSync(join(folder, 'canary'), 'canary');
  const database = new DatabaseSync(file);
  database.exec(`
    CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, email TEXT, data TEXT);
    CREATE INDEX customers_name ON customers (name);
    INSERT INTO customers (name, email, data) VALUES ('Ada', 'ada@example.test', '{"city":"Ulm","tags":[1]}'), ('Bob', 'bob@example.test', '{}'), ('Cy', NULL, NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers (id), amount REAL);
    CREATE INDEX orders_customer ON orders (customer);
    INSERT INTO orders (customer, amount) SELECT 1 + value % 3, value * 1.25 FROM json_each('[1,2,3,4,5,6,7,8,9]');
    CREATE VIEW contacts AS SELECT id, email FROM customers;
    CREATE TRIGGER watch AFTER DELETE ON customers BEGIN DELETE FROM orders; END;
    CREATE TABLE "grant" ("drop" int, "set" text);
    CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('hello world'), ('goodbye');
    ANALYZE;`);
  database.close();
});
after(() => rmSync(folder, { recursive: true, force: true }));

function open(more: Record<string, unknown> = {}, layers?: Partial<SqliteLayers>): Database {
  const settings = readConnections({ connections: { main: { url: `sqlite:${file}`, concurrency: 1, ...more } } }, '/').get('main');
  return openSqlite('main', settings as FileSettings, SCRIPT, { ...ALL_SQLITE_LAYERS, ...layers });
}

/** Every file of the folder. */
function digest(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort())
    if (!/-(?:shm|wal)$/u.test(name)) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}

async function attack(database: Database): Promise<{ through: string[]; harm: string[] }> {
  const through: string[] = [];
  const harm: string[] = [];
  let before = digest();
  const state = JSON.stringify((await database.query({ sql: STATE, ...BOUNDS })).rows);
  for (const statement of SQLITE_ATTACKS) {
    const sql = statement.replaceAll('@DIR@', folder).replaceAll('@DB@', file);
    try {
      const answer = await database.query({ sql, ...BOUNDS });
      through.push(statement);
      if (/root:x:0|"canary"/u.test(JSON.stringify(answer.rows))) harm.push(`${statement} (leaked)`);
    } catch (thrown) {
      assert.ok(thrown instanceof SignalboxError && thrown.why !== '' && thrown.fix !== '', `${statement}: ${String(thrown)}`);
    }
    const now = digest();
    if (now !== before) harm.push(`${statement} (changed)`);
    before = now;
    try {
      const left = JSON.stringify((await database.query({ sql: STATE, ...BOUNDS })).rows);
      if (left !== state) harm.push(`${statement} (left ${left})`);
    } catch (thrown) {
      harm.push(`${statement} (broke: ${String(thrown)})`);
    }
  }
  return { through, harm };
}

describe('SQLite', () => {
  it(`refuses ${SQLITE_ATTACKS.length} attacks, and none does harm`, async () => {
    assert.ok(SQLITE_ATTACKS.length >= 150);
    const database = open();
    try {
      assert.deepEqual(await attack(database), { through: [], harm: [] });
    } finally {
      await database.close();
    }
  });
  for (const [name, layers] of [
    ['without the read-only file and the pragmas: the authorizer alone', { readOnly: false, pragmas: false, text: true }],
    ['without the text check', { text: false }],
  ] as const) {
    it(`holds ${name}`, async () => {
      const database = open({}, layers);
      try {
        assert.deepEqual((await attack(database)).harm, []);
      } finally {
        await database.close();
      }
    });
  }
  it('holds without the authorizer: the read-only file keeps the data', async () => {
    const database = open({}, { authorizer: false });
    const kept = digest();
    try {
      for (const statement of SQLITE_ATTACKS) {
        const sql = statement.replaceAll('@DIR@', folder).replaceAll('@DB@', file);
        await database.query({ sql, ...BOUNDS }).catch(() => undefined);
      }
      assert.equal(digest(), kept);
    } finally {
      await database.close();
    }
  });
  it(`runs all ${SQLITE_QUERIES.length} legitimate queries`, async () => {
    assert.ok(SQLITE_QUERIES.length >= 80);
    const database = open();
    const refused: string[] = [];
    try {
      for (const sql of SQLITE_QUERIES) {
        try {
          await database.query({ sql, ...BOUNDS });
          assert.ok((await database.validate(sql)).allowed, sql);
        } catch (thrown) {
          refused.push(`${sql}: ${thrown instanceof SignalboxError ? `${thrown.code} ${thrown.why}` : String(thrown)}`);
        }
      }
    } finally {
      await database.close();
    }
    assert.deepEqual(refused, []);
  });
});
