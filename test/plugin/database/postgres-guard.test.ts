import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Client } from 'pg';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { ALL_LAYERS } from '../../../servers/database/engines/postgres/session.ts';
import { POSTGRES_ATTACKS } from './corpus/postgres-attacks.ts';
import { POSTGRES_QUERIES } from './corpus/postgres-queries.ts';
import { digestPostgres, fillPostgres, guardedPostgres, login } from './postgres-fixture.ts';
import { findPostgres, startPostgres, type TestServer } from './servers.ts';

const found = findPostgres();
const skip = 'missing' in found ? found.missing : false;
const BOUNDS = { maxRows: 1000, maxBytes: 1_000_000 };
const STATE =
  "SELECT current_user, current_setting('search_path'), current_setting('statement_timeout'), current_setting('app.liar', true)";

describe('PostgreSQL as superuser', { skip }, () => {
  let server: TestServer;
  let owner: Client;
  let folder: string;
  before(async () => {
    if ('missing' in found) return;
    server = await startPostgres(found.bin);
    folder = await fillPostgres(server);
    owner = await login(server);
  });
  after(async () => {
    await owner?.end();
    await server?.stop();
  });

  /** Runs the corpus and gives what was let through and what did harm. */
  const attack = async (database: Database): Promise<{ through: string[]; harm: string[] }> => {
    const through: string[] = [];
    const harm: string[] = [];
    let digest = await digestPostgres(owner, folder);
    const state = JSON.stringify((await database.query({ sql: STATE, ...BOUNDS })).rows);
    for (const statement of POSTGRES_ATTACKS) {
      const sql = statement.replaceAll('@DIR@', folder);
      try {
        const answer = await database.query({ sql, ...BOUNDS });
        through.push(statement);
        if (/root:x:0|canary|large secret|SCRAM|postgresql\.conf/u.test(JSON.stringify(answer.rows))) harm.push(`${statement} (leaked)`);
      } catch (thrown) {
        assert.ok(thrown instanceof SignalboxError, `${statement}: ${String(thrown)}`);
        assert.ok(thrown.code !== 'SBX_INTERNAL' && thrown.why !== '' && thrown.fix !== '', statement);
      }
      const now = await digestPostgres(owner, folder);
      if (now !== digest) harm.push(`${statement} (changed)`);
      digest = now;
      const left = JSON.stringify((await database.query({ sql: STATE, ...BOUNDS })).rows);
      if (left !== state) harm.push(`${statement} (left ${left})`);
    }
    return { through, harm };
  };

  it(`refuses ${POSTGRES_ATTACKS.length} attacks, and none does harm`, async () => {
    assert.ok(POSTGRES_ATTACKS.length >= 200);
    const database = guardedPostgres(server);
    try {
      assert.deepEqual(await attack(database), { through: [], harm: [] });
    } finally {
      await database.close();
    }
  });
  it('holds without the tree check: the transaction and the role alone let no harm through', async () => {
    const database = guardedPostgres(server, { timeoutMs: 500 }, { ...ALL_LAYERS, tree: false });
    try {
      assert.deepEqual((await attack(database)).harm, []);
    } finally {
      await database.close();
    }
  });
  it('holds with the tree check alone', async () => {
    const database = guardedPostgres(server, {}, { tree: true, readOnly: false, role: false });
    try {
      assert.deepEqual(await attack(database), { through: [], harm: [] });
    } finally {
      await database.close();
    }
  });
  it(`runs all ${POSTGRES_QUERIES.length} legitimate queries`, async () => {
    assert.ok(POSTGRES_QUERIES.length >= 80);
    const database = guardedPostgres(server);
    const refused: string[] = [];
    try {
      for (const sql of POSTGRES_QUERIES) {
        const verdict = await database.validate(sql);
        try {
          await database.query({ sql, ...BOUNDS });
          assert.ok(verdict.allowed, sql);
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
