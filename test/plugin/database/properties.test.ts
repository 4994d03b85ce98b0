/** Statements made by grammar: reading ones are never refused, writing ones never change anything, limits hold, protected values never appear. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { type FileSettings, readConnections } from '../../../servers/database/engines/settings.ts';
import { openSqlite } from '../../../servers/database/engines/sqlite/index.ts';
import { digestMysql, fillMysql, guardedMysql, rootOf } from './mysql-fixture.ts';
import { digestPostgres, fillPostgres, guardedPostgres, login } from './postgres-fixture.ts';
import { findMariadb, findPostgres, startMariadb, startPostgres, type TestServer } from './servers.ts';

const SCRIPT = fileURLToPath(new URL('../../../servers/database/engine.ts', import.meta.url));
const RUNS = process.env['SIGNALBOX_FULL'] === '1' ? 5000 : 300;
const WRITES = process.env['SIGNALBOX_FULL'] === '1' ? 2000 : 120;
const SEED = { seed: 20261121 };
const BOUNDS = { maxRows: 50, maxBytes: 20_000 };

const blank = fc.constantFrom(' ', '\n', '\t', ' /* ; DELETE FROM customers */ ', ' -- ; DROP TABLE customers\n');
/** Words of a statement with blanks and comments between them, in any case. */
const spaced = (words: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(words, fc.array(blank, { minLength: 1, maxLength: 12 }), fc.boolean()).map(([text, blanks, upper]) => {
    let index = 0;
    return (
      upper ? text.replace(/\b[a-z_]+\b(?=(?:[^']*'[^']*')*[^']*$)/gu, (word) => (KEYWORDS.has(word) ? word.toUpperCase() : word)) : text
    ).replace(/ (?=(?:[^']*'[^']*')*[^']*$)/gu, () => blanks[index++ % blanks.length] ?? ' ');
  });
const KEYWORDS = new Set(
  'select from where and or not in exists case when then else end group by having order limit union all with as join on left distinct between like is null'.split(
    ' ',
  ),
);
const text = fc.constantFrom("'x'", "'it''s'", "'; drop table customers'", "'-- '", "'/* insert */'", "''");
const { expression, condition } = fc.letrec<{ expression: string; condition: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom('1', '2.5', 'NULL', 'c.id', 'c.name', 'c.email', 'count(*) over (order by c.id)'),
    text,
    fc
      .tuple(tie('expression'), tie('expression'))
      .map(([a, b]) => `coalesce(${a}, ${b})`)
      .filter((one) => !one.includes('1') && !one.includes('id') && !one.includes('2.5')),
    fc.tuple(tie('condition')).map(([a]) => `case when ${a} then 'a' else 'b' end`),
    fc.constantFrom(
      'upper(c.name)',
      'length(c.name)',
      'abs(c.id)',
      "replace(c.name, 'a', 'b')",
      'nullif(c.id, 1)',
      '(select max(o.id) from orders o)',
      'round(1.5)',
      'current_timestamp',
    ),
  ),
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom(
      'c.id = 1',
      "c.name like 'A%'",
      'c.email is null',
      'c.id in (1, 2)',
      'c.id between 1 and 3',
      'exists (select 1 from orders o where o.customer = c.id)',
      'c.id in (select customer from orders)',
    ),
    fc.tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('condition').map((one) => `not (${one})`),
  ),
}));
const plainSelect = fc
  .tuple(
    fc.array(expression, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(
      'customers c',
      'customers c left join orders o2 on o2.customer = c.id',
      '(select * from customers) as c',
      'customers as c cross join orders as o3',
    ),
    fc.option(condition),
    fc.option(fc.constantFrom('order by 1', 'order by c.id desc', 'order by 1 desc limit 3', 'limit 2')),
  )
  .map(
    ([list, from, where, tail]) =>
      `select ${list.map((one, index) => `${one} as k${index}`).join(', ')} from ${from}${where === null ? '' : ` where ${where}`}${tail === null ? '' : ` ${tail}`}`,
  );
const select = spaced(
  fc.oneof(
    plainSelect,
    plainSelect.map((one) => `with w as (${one}) select * from w`),
    plainSelect.map((one) => `select count(*) from (${one}) as s`),
    condition.map((one) => `select c.name, count(*), sum(c.id) from customers c where ${one} group by c.name having count(*) > 0`),
    condition.map((one) => `select distinct c.id from customers c where ${one} union all select id from orders`),
    plainSelect.map((one) => `explain ${one}`),
  ),
);
const change = fc.constantFrom(
  "insert into customers (name) values ('x')",
  'insert into customers (name) select name from orders, customers',
  "update customers set name = 'x'",
  "update customers set name = 'x' where id = 1",
  'delete from customers',
  'delete from orders where id > 0',
  'drop table orders',
  'drop view contacts',
  'create table made (x int)',
  'create table made as select * from customers',
  'create view made as select 1',
  'create index made on customers (email)',
  'alter table customers add column made int',
  'insert into orders (customer) values ((select 1))',
);
const disguised = spaced(
  fc
    .tuple(change, fc.integer({ min: 0, max: 13 }), select)
    .map(
      ([sql, way, reading]) =>
        [
          sql,
          `${reading}; ${sql}`,
          `${sql}; ${reading}`,
          `with x as (select 1) ${sql}`,
          `with x as (${sql}) select * from x`,
          `explain ${sql}`,
          `explain analyze ${sql}`,
          `(${sql})`,
          `begin; ${sql}; commit`,
          `commit; ${sql}`,
          `/*! ${sql} */`,
          `select 1 from (${sql}) as x`,
          `;${sql}`,
          `${sql} returning *`,
        ][way] ?? sql,
    ),
);

function properties(make: () => { database: Database; masked: Database | undefined; digest: () => Promise<string> | string }): void {
  it(`never refuses a generated SELECT, and its bounds hold (${RUNS})`, async (context) => {
    const { database } = make();
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(select, fc.integer({ min: 1, max: 20 }), async (sql, maxRows) => {
        const answer = await database.query({ sql, ...BOUNDS, maxRows }).catch((thrown: SignalboxError) => thrown);
        if ('code' in answer) {
          assert.notEqual(answer.code, 'SBX_DB_REFUSED', `${sql}: ${answer.why}`);
          // The grammar does not know types: what the engine itself does not like is no refusal.
          assert.equal(answer.code, 'SBX_DB_SQL', `${sql}: ${answer.why}`);
          return;
        }
        ran++;
        assert.ok(answer.rows.length <= maxRows && JSON.stringify(answer.rows).length <= BOUNDS.maxBytes * 2);
      }),
      { numRuns: RUNS, ...SEED },
    );
    context.diagnostic(`${ran} of ${RUNS} ran`);
    assert.ok(ran > RUNS / 3, `only ${ran} of ${RUNS} were statements the engine understands`);
  });
  it(`never changes anything by a generated write (${WRITES})`, async () => {
    const { database, digest } = make();
    const before = await digest();
    await fc.assert(
      fc.asyncProperty(disguised, async (sql) => {
        const done = await database.query({ sql, ...BOUNDS }).then(
          () => true,
          () => false,
        );
        assert.equal(done, false, sql);
        assert.equal(await digest(), before, sql);
      }),
      { numRuns: WRITES, ...SEED },
    );
  });
  it(`never shows a protected value (${RUNS})`, async (context) => {
    const { masked } = make();
    if (masked === undefined) {
      context.skip('columns cannot be protected on MySQL');
      return;
    }
    await fc.assert(
      fc.asyncProperty(select, async (sql) => {
        const said = await masked.query({ sql, ...BOUNDS }).then(
          (answer) => JSON.stringify(answer),
          (thrown: SignalboxError) => `${thrown.message} ${thrown.why} ${thrown.fix}`,
        );
        assert.ok(!/example\.test/u.test(said), `${sql}: ${said}`);
      }),
      { numRuns: RUNS, ...SEED },
    );
  });
}

describe('SQLite', () => {
  let folder: string;
  let file: string;
  let databases: Database[] = [];
  const open = (more: object): Database =>
    openSqlite(
      'main',
      readConnections({ connections: { main: { url: `sqlite:${file}`, ...more } } }, '/').get('main') as FileSettings,
      SCRIPT,
    );
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sbx-props-'));
    file = join(folder, 'app.db');
    const owner = new DatabaseSync(file);
    owner.exec(`CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, email TEXT); CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INT);
      INSERT INTO customers VALUES (1, 'Ada', 'ada@example.test'), (2, 'Bob', NULL); INSERT INTO orders VALUES (1, 1), (2, 1); CREATE VIEW contacts AS SELECT email FROM customers;`);
    owner.close();
    databases = [open({}), open({ columns: { 'customers.email': 'partial' } })];
  });
  after(async () => {
    for (const database of databases) await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  properties(() => ({
    database: databases[0] as Database,
    masked: databases[1],
    digest: () => createHash('sha256').update(readFileSync(file)).digest('hex'),
  }));
});

const postgres = findPostgres();
describe('PostgreSQL', { skip: 'missing' in postgres ? postgres.missing : false }, () => {
  let server: TestServer;
  let databases: Database[] = [];
  let digest: () => Promise<string>;
  let close: () => Promise<void>;
  before(async () => {
    if ('missing' in postgres) return;
    server = await startPostgres(postgres.bin);
    const folder = await fillPostgres(server);
    const owner = await login(server);
    digest = () => digestPostgres(owner, folder);
    close = () => owner.end();
    databases = [guardedPostgres(server), guardedPostgres(server, { columns: { 'customers.email': 'partial' } })];
  });
  after(async () => {
    for (const database of databases) await database.close();
    await close?.();
    await server?.stop();
  });
  properties(() => ({ database: databases[0] as Database, masked: databases[1], digest }));
});

const mariadb = findMariadb();
describe('MariaDB', { skip: 'missing' in mariadb ? mariadb.missing : false }, () => {
  let server: TestServer;
  let database: Database;
  let digest: () => Promise<string>;
  let close: () => Promise<void>;
  before(async () => {
    if ('missing' in mariadb) return;
    server = await startMariadb(mariadb);
    const folder = await fillMysql(server);
    const root = await rootOf(server);
    digest = () => digestMysql(root, folder);
    close = () => root.end();
    database = guardedMysql(server);
  });
  after(async () => {
    await database?.close();
    await close?.();
    await server?.stop();
  });
  properties(() => ({ database, masked: undefined, digest }));
});
