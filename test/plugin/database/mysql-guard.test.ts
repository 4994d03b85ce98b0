import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { ALL_MYSQL_LAYERS } from '../../../servers/database/engines/mysql/session.ts';
import { MYSQL_ATTACKS } from './corpus/mysql-attacks.ts';
import { MYSQL_QUERIES } from './corpus/mysql-queries.ts';
import { digestMysql, fillMysql, guardedMysql, rootOf } from './mysql-fixture.ts';
import { findMariadb, startMariadb, type TestServer } from './servers.ts';

const found = findMariadb();
const skip = 'missing' in found ? found.missing : false;
const BOUNDS = { maxRows: 1000, maxBytes: 1_000_000 };
const STATE = 'SELECT current_user(), @@sql_mode, @@autocommit, database(), @x, @@time_zone';

describe('MariaDB as root', { skip }, () => {
  let server: TestServer;
  let root: Connection;
  let folder: string;
  before(async () => {
    if ('missing' in found) return;
    server = await startMariadb(found);
    folder = await fillMysql(server);
    root = await rootOf(server);
  });
  after(async () => {
    await root?.end();
    await server?.stop();
  });

  const attack = async (database: Database): Promise<{ through: string[]; harm: string[] }> => {
    const through: string[] = [];
    const harm: string[] = [];
    let digest = await digestMysql(root, folder);
    const state = JSON.stringify((await database.query({ sql: STATE, ...BOUNDS })).rows);
    for (const statement of MYSQL_ATTACKS) {
      const sql = statement.replaceAll('@DIR@', folder);
      try {
        const answer = await database.query({ sql, ...BOUNDS });
        through.push(statement);
        if (/root:x:0|"canary"|mysql_native_password/u.test(JSON.stringify(answer.rows))) harm.push(`${statement} (leaked)`);
      } catch (thrown) {
        assert.ok(thrown instanceof SignalboxError && thrown.why !== '' && thrown.fix !== '', `${statement}: ${String(thrown)}`);
      }
      const now = await digestMysql(root, folder);
      if (now !== digest) harm.push(`${statement} (changed)`);
      digest = now;
      const left = JSON.stringify((await database.query({ sql: STATE, ...BOUNDS })).rows);
      if (left !== state) harm.push(`${statement} (left ${left})`);
    }
    return { through, harm };
  };

  it(`refuses ${MYSQL_ATTACKS.length} attacks, and none does harm`, async () => {
    assert.ok(MYSQL_ATTACKS.length >= 100);
    const database = guardedMysql(server);
    try {
      assert.deepEqual(await attack(database), { through: [], harm: [] });
    } finally {
      await database.close();
    }
  });
  it('holds with the text check alone', async () => {
    const database = guardedMysql(server, {}, { ...ALL_MYSQL_LAYERS, readOnly: false, prepared: false });
    try {
      assert.deepEqual(await attack(database), { through: [], harm: [] });
    } finally {
      await database.close();
    }
  });
  it('keeps the rows without the text check: the transaction and the binary protocol alone', async () => {
    const database = guardedMysql(server, { timeoutMs: 500 }, { ...ALL_MYSQL_LAYERS, text: false });
    const rows = async (): Promise<string> =>
      JSON.stringify([await root.query('SELECT * FROM shop.customers'), await root.query('SELECT * FROM shop.orders')].map(([one]) => one));
    const kept = await rows();
    // What a read-only transaction lets through ends it first or reaches past tables: definitions, files, server commands (docs/database.md).
    const beyond =
      /^\W*(?:create|alter|drop|rename|truncate|grant|revoke|set|flush|reset|shutdown|kill|install|uninstall|change|start|stop|lock|unlock|commit|rollback|begin|load|analyze|optimize|repair|select.*into|table.*into|values.*into)/iu;
    try {
      for (const statement of MYSQL_ATTACKS.filter((one) => !beyond.test(one)))
        await database.query({ sql: statement.replaceAll('@DIR@', folder), ...BOUNDS }).catch(() => undefined);
      assert.equal(await rows(), kept);
    } finally {
      await database.close();
    }
  });
  it(`runs all ${MYSQL_QUERIES.length} legitimate queries`, async () => {
    assert.ok(MYSQL_QUERIES.length >= 80);
    const database = guardedMysql(server);
    const refused: string[] = [];
    try {
      for (const sql of MYSQL_QUERIES) {
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
