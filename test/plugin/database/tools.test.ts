import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { bundled, hostArgs, PEERS } from '../client.ts';
import { type AskingClient, ask } from './asking-client.ts';

let folder: string;
let file: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sbx-tools-'));
  file = join(folder, 'app.db');
  const owner = new DatabaseSync(file);
  owner.exec(`CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, big INTEGER, bytes BLOB);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers (id), note TEXT);
    INSERT INTO customers VALUES (1, 'Ada', 9007199254740993, x'00ff'), (2, '=1+1', 3, NULL), (3, 'a|b,"c"', 4, NULL);
    INSERT INTO orders (customer, note) VALUES (1, 'x'), (1, 'y'), (2, 'z');`);
  owner.close();
});
after(() => rmSync(folder, { recursive: true, force: true }));

const read = (sql: string): unknown => {
  const owner = new DatabaseSync(file, { readOnly: true });
  const row = owner.prepare(sql).get();
  owner.close();
  return row === undefined ? undefined : Object.values(row)[0];
};
const open = (peer: (typeof PEERS)[number], canAsk = true) =>
  ask(peer, ['--connection', `main=sqlite:${file}`, '--connection', `second=sqlite:${file}`, '--access', 'main=write'], {}, canAsk);

for (const peer of PEERS) {
  describe(`the database tools with a ${peer} client`, () => {
    let session: AskingClient;
    before(async () => {
      session = await open(peer);
    });
    after(() => session.close());
    it('writes only what the person agreed to', async () => {
      const sql = 'UPDATE customers SET name = ? WHERE id = 1';
      session.answer = { action: 'decline' };
      assert.match((await session.call('write', { sql, params: ['Eve'] })).text, /^SBX_DB_DECLINED: /);
      session.answer = { action: 'accept', content: { run: false } };
      assert.match((await session.call('write', { sql, params: ['Eve'] })).text, /^SBX_DB_DECLINED: /);
      assert.equal(read('SELECT name FROM customers WHERE id = 1'), 'Ada');
      session.answer = { action: 'accept', content: { run: true } };
      const done = await session.call('write', { sql, params: ['Ada'] });
      assert.deepEqual([done.structured?.['affected'], done.structured?.['committed']], [1, true], done.text);
      assert.match(session.questions.at(-1) ?? '', /changes 1 rows[\s\S]*UPDATE customers/);
      const asked = session.questions.length;
      const tried = await session.call('write', { sql: 'DELETE FROM orders', preview: true });
      assert.deepEqual([tried.structured?.['affected'], tried.structured?.['committed']], [3, false]);
      assert.match((await session.call('write', { sql: 'DROP TABLE orders' })).text, /^SBX_DB_REFUSED: /);
      assert.match((await session.call('write', { sql: 'SELECT 1' })).text, /^SBX_DB_REFUSED: /);
      assert.ok((await session.call('write', { sql: 'DELETE FROM orders', connection: 'second' })).isError);
      assert.equal(session.questions.length, asked);
      assert.equal(read('SELECT count(*) FROM orders'), 3);
      assert.match((await session.call('query', { sql: 'DELETE FROM orders' })).text, /^SBX_DB_REFUSED: /);
    });
    it('refuses a write when nobody can be asked', async () => {
      const session = await open(peer, false);
      try {
        assert.match((await session.call('write', { sql: 'DELETE FROM orders' })).text, /^SBX_DB_DECLINED: .*nobody can be asked/);
        assert.equal(read('SELECT count(*) FROM orders'), 3);
      } finally {
        await session.close();
      }
    });
    it('serves schema, tables, diagram and exports as resources, with completion and prompts', async () => {
      const { client } = session;
      const text = async (uri: string): Promise<string> =>
        ((await client.readResource({ uri })).contents[0] as { text?: string }).text ?? '';
      const uris = (await client.listResources()).resources.map((resource) => resource.uri);
      assert.ok(uris.includes('db://main/schema') && uris.includes('db://main/tables/main/orders') && uris.includes('db://second/diagram'));
      assert.equal((JSON.parse(await text('db://main/schema')) as { tables: unknown[] }).tables.length, 2);
      assert.match(await text('db://main/diagram'), /^erDiagram[\s\S]*customers \|\|--o\{ orders : "customer"/);
      assert.match(await text('db://main/tables/main/customers'), /"primaryKey": true/);
      for (const uri of ['db://main/tables/main/none', 'db://nobody/schema', 'db://exports/x/y.csv'])
        await assert.rejects(
          client.readResource({ uri }),
          (error: { code?: number }) => error.code === -32002 || error.code === -32602,
          uri,
        );
      const completed = await client.complete({
        ref: { type: 'ref/resource', uri: 'db://{connection}/tables/{schema}/{table}' },
        argument: { name: 'table', value: 'o' },
        context: { arguments: { connection: 'main', schema: 'main' } },
      });
      assert.deepEqual(completed.completion.values, ['orders']);
      const exported = await session.call('export_result', { sql: 'SELECT name, bytes FROM customers ORDER BY id', format: 'csv' });
      assert.equal(
        await text(String(exported.structured?.['uri'])),
        'name,bytes\r\nAda,"{""bytes"":2,""base64"":""AP8=""}"\r\n\'=1+1,\r\n"a|b,""c""",\r\n',
      );
      const markdown = await session.call('export_result', { sql: 'SELECT name FROM customers WHERE id = 3', format: 'markdown' });
      assert.equal(await text(String(markdown.structured?.['uri'])), '| name |\n| --- |\n| a\\|b,"c" |\n');
      const prompts = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
      assert.deepEqual(prompts.sort(), ['explore-database', 'optimise-query']);
      const prompt = await client.getPrompt({
        name: 'optimise-query',
        arguments: { sql: 'SELECT * FROM orders WHERE customer = 1', connection: 'main' },
      });
      assert.match(JSON.stringify(prompt.messages), /SCAN orders/);
    });
    it('describes, counts, explains, validates and suggests', async () => {
      const described = (await session.call('describe_table', { table: 'customers' })).structured?.['columns'] as {
        name: string;
        samples: unknown[];
      }[];
      assert.deepEqual(described.find((column) => column.name === 'big')?.samples, ['9007199254740993', 3, 4]);
      const counted = (await session.call('table_statistics', { table: 'orders' })).structured;
      assert.equal(counted?.['rows'], 3);
      assert.deepEqual((counted?.['columns'] as unknown[])[1], {
        name: 'customer',
        type: 'INTEGER',
        nulls: 0,
        distinct: 2,
        min: 1,
        max: 2,
      });
      const plan = (await session.call('explain_query', { sql: 'SELECT * FROM orders WHERE id = 1' })).structured;
      assert.match(String(plan?.['text']), /SEARCH orders USING INTEGER PRIMARY KEY/);
      assert.deepEqual((await session.call('validate_query', { sql: 'DELETE FROM orders' })).structured?.['needs'], 'write');
      assert.deepEqual((await session.call('validate_query', { sql: 'DROP TABLE orders' })).structured?.['needs'], 'admin');
      assert.equal((await session.call('validate_query', { sql: 'SELECT 1' })).structured?.['allowed'], true);
      assert.match((await session.call('query', { sql: 'SELECT * FROM custmers' })).text, /Did you mean the table "customers"/);
      assert.match((await session.call('query', { sql: 'SELECT nmae FROM customers' })).text, /Did you mean the column "name"/);
      const found = (await session.call('search_objects', { text: 'customer' })).structured?.['found'] as {
        table: string;
        column?: string;
      }[];
      assert.deepEqual(
        found.map((one) => `${one.table}.${one.column ?? ''}`),
        ['customers.', 'orders.customer'],
      );
      const listed = (await session.call('list_connections', {})).structured?.['connections'] as {
        name: string;
        ok: boolean;
        access: string;
      }[];
      assert.deepEqual(
        listed.map((one) => [one.name, one.ok, one.access]),
        [
          ['main', true, 'write'],
          ['second', true, 'read'],
        ],
      );
      const lines = session.lines();
      const refused = lines.find((line) => line['decision'] === 'failed');
      assert.equal(refused?.['code'], 'SBX_DB_SQL');
      assert.ok(lines.every((line) => /^[0-9a-f]{16}$/u.test(String(line['fingerprint'])) && typeof line['durationMs'] === 'number'));
      assert.ok(!JSON.stringify(lines).includes('custmers'), 'an audit line carries no text');
    });
  });
}

it('tells of progress while a query runs, and stops it when the client cancels', async () => {
  const session = await ask('modern', ['--connection', `main=sqlite:${file}`, '--timeout-ms', '20000'], {});
  try {
    const told: number[] = [];
    const controller = new AbortController();
    const sql = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';
    const onprogress = ({ progress }: { progress: number }): void => {
      told.push(progress);
      controller.abort();
    };
    const options = { onprogress, signal: controller.signal };
    await assert.rejects(session.client.callTool({ name: 'query', arguments: { sql } }, options));
    assert.equal(told.length, 1);
    assert.deepEqual((await session.call('query', { sql: 'SELECT 7' })).structured?.['rows'], [[7]]);
    assert.equal(session.lines()[0]?.['code'], 'cancelled');
  } finally {
    await session.close();
  }
});

it('says when the schema changed', async () => {
  const child = spawn(process.execPath, hostArgs(bundled('database'), '--connection', `main=sqlite:${file}`), {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const send = (message: object): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  try {
    let heard = '';
    const seen = (pattern: RegExp): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!pattern.test(heard)) return;
          child.stdout.off('data', listen);
          resolve();
        };
        const listen = (chunk: Buffer): void => {
          heard += chunk.toString();
          look();
        };
        child.stdout.on('data', listen);
        look();
      });
    send({
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    });
    await seen(/"id":1/);
    send({ method: 'notifications/initialized' });
    send({ id: 2, method: 'resources/subscribe', params: { uri: 'db://main/schema' } });
    await seen(/"id":2/);
    const owner = new DatabaseSync(file);
    owner.exec('CREATE TABLE later (x)');
    owner.close();
    await seen(/notifications\/resources\/updated.*db:\/\/main\/schema/);
  } finally {
    child.kill();
  }
});
