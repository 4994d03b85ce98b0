/** A MariaDB database with something to lose, and a digest of everything an attack could change. */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { openMysql } from '../../../servers/database/engines/mysql/index.ts';
import type { MysqlLayers } from '../../../servers/database/engines/mysql/session.ts';
import { readConnections, type ServerSettings } from '../../../servers/database/engines/settings.ts';
import type { TestServer } from './servers.ts';

const SCHEMA = [
  'CREATE DATABASE shop CHARACTER SET utf8mb4',
  'USE shop',
  `CREATE TABLE customers (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100) COMMENT 'Full name', email VARCHAR(100), data JSON, FULLTEXT (name)) COMMENT 'Who buys'`,
  `INSERT INTO customers (name, email, data) VALUES ('Ada', 'ada@example.test', '{"city":"Ulm","tags":[1]}'), ('Bob', 'bob@example.test', '{}'), ('Cy', NULL, NULL)`,
  'CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, customer INT, amount DECIMAL(10,2), KEY orders_customer (customer), FOREIGN KEY (customer) REFERENCES customers (id))',
  'INSERT INTO orders (customer, amount) SELECT 1 + seq % 3, seq * 1.25 FROM seq_1_to_30',
  'CREATE TABLE `grant` (`drop` INT, `set` TEXT)',
  "CREATE TABLE people (moods ENUM('sad', 'ok'))",
  'CREATE TABLE words (`time` INT, `date` INT, `value` INT, `status` INT, `type` INT, `level` INT, `year` INT)',
  'CREATE TABLE odd (begin INT, reset INT, plugin INT, handler INT, open INT)',
  'CREATE TABLE old (id INT) ENGINE = MyISAM',
  'INSERT INTO old VALUES (1)',
  'CREATE VIEW contacts AS SELECT id, email FROM customers',
  'CREATE TABLE log (line TEXT)',
  "CREATE FUNCTION evil() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO log VALUES ('evil'); RETURN 1; END",
  'CREATE PROCEDURE evil_procedure() DELETE FROM orders',
  'CREATE SEQUENCE seq',
];

export async function fillMysql(server: TestServer): Promise<string> {
  const folder = join(server.folder, 'files');
  mkdirSync(folder);
  writeFileSync(join(folder, 'canary'), 'canary');
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(server.folder);
    chownSync(folder, uid, gid);
    chmodSync(join(folder, 'canary'), 0o666);
  }
  const root = await rootOf(server);
  for (const statement of SCHEMA) await root.query(statement);
  await root.end();
  return folder;
}

export function rootOf(server: TestServer): Promise<Connection> {
  return createConnection({ socketPath: server.socket, user: 'root', rowsAsArray: true });
}

export async function digestMysql(root: Connection, folder: string): Promise<string> {
  const parts = [
    'SELECT * FROM shop.customers ORDER BY id',
    'SELECT * FROM shop.orders ORDER BY id',
    'SELECT * FROM shop.log',
    'SELECT * FROM shop.old',
    'SELECT next_not_cached_value FROM shop.seq',
    "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('performance_schema', 'information_schema') ORDER BY 1, 2",
    "SELECT ROUTINE_NAME, ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop' ORDER BY 1",
    "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'",
    'SELECT EVENT_NAME FROM information_schema.EVENTS',
    'SELECT * FROM mysql.global_priv ORDER BY Host, User',
    'SELECT * FROM mysql.db ORDER BY 1, 2, 3',
    'SELECT * FROM mysql.plugin',
    'SELECT * FROM mysql.func',
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME IN ('GENERAL_LOG', 'READ_ONLY', 'SQL_MODE', 'LOCAL_INFILE', 'MAX_STATEMENT_TIME', 'EVENT_SCHEDULER') ORDER BY 1",
    'SHOW DATABASES',
  ];
  const hash = createHash('sha256');
  for (const sql of parts) hash.update(JSON.stringify((await root.query(sql))[0]));
  for (const file of readdirSync(folder).sort()) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest('hex');
}

/** A guarded database on a test server. */
export function guardedMysql(server: TestServer, more: Record<string, unknown> = {}, layers?: MysqlLayers): Database {
  const settings = {
    connections: { main: { engine: 'mysql', host: server.socket, user: 'root', database: 'shop', timeoutMs: 5000, ...more } },
  };
  return openMysql('main', readConnections(settings, '/').get('main') as ServerSettings, layers);
}
