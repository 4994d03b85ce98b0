/** A PostgreSQL database with something to lose, and a digest of everything an attack could change. */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { openPostgres } from '../../../servers/database/engines/postgres/index.ts';
import type { PostgresLayers } from '../../../servers/database/engines/postgres/session.ts';
import { readConnections, type ServerSettings } from '../../../servers/database/engines/settings.ts';
import type { TestServer } from './servers.ts';

const SCHEMA = `
CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL, email text, ssn text, data jsonb, tags text[]);
COMMENT ON TABLE customers IS 'Who buys'; COMMENT ON COLUMN customers.name IS 'Full name';
INSERT INTO customers (name, email, ssn, data, tags) VALUES
  ('Ada', 'ada@example.test', '111-22-3333', '{"city":"Ulm","tags":["x"]}', '{a,b}'), ('Bob', 'bob@example.test', '444-55-6666', '{}', '{}'),
  ('Cy', NULL, NULL, NULL, NULL);
CREATE TABLE orders (id serial PRIMARY KEY, customer int REFERENCES customers, amount numeric(10,2), at timestamptz DEFAULT now());
INSERT INTO orders (customer, amount, at) SELECT 1 + i % 3, i * 1.25, '2024-01-01' FROM generate_series(1, 30) i;
CREATE INDEX orders_customer ON orders (customer);
CREATE TABLE "grant" ("drop" int, "set" text); INSERT INTO "grant" VALUES (1, 'x');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE people (mood mood); INSERT INTO people VALUES ('ok'), ('happy');
CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(amount) FROM orders GROUP BY customer;
CREATE VIEW totals_view AS SELECT * FROM totals; CREATE VIEW contacts AS SELECT id, email FROM customers;
CREATE SEQUENCE seq; CREATE TABLE log (line text);
CREATE FUNCTION full_name(i int) RETURNS text LANGUAGE sql STABLE AS 'SELECT name || ''!'' FROM customers WHERE id = i';
CREATE FUNCTION evil(VARIADIC t text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('evil'); RETURN 'x'; END $$;
CREATE FUNCTION evil_definer() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO log VALUES ('definer'); RETURN 'x'; END $$;
CREATE FUNCTION evil_stable(t text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN EXECUTE t; RETURN 'x'; END $$;
CREATE FUNCTION evil_immutable(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS $$ BEGIN EXECUTE t; RETURN 'x'; END $$;
CREATE FUNCTION liar() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM nextval('seq'); PERFORM set_config('app.liar', 'yes', false); RETURN 'x'; END $$;
CREATE FUNCTION evil_wrapper() RETURNS text LANGUAGE sql STABLE AS 'SELECT evil()';
CREATE FUNCTION evil_number() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('number'); RETURN 1; END $$;
CREATE FUNCTION evil_row(c customers) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('row'); RETURN 'x'; END $$;
CREATE FUNCTION evil_xml() RETURNS xml LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('xml'); RETURN '<a/>'; END $$;
CREATE FUNCTION evil_op(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('op'); RETURN true; END $$;
CREATE OPERATOR |@| (leftarg = int, rightarg = int, function = evil_op);
CREATE FUNCTION evil_step(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('step'); RETURN 1; END $$;
CREATE AGGREGATE evil_total (int) (sfunc = evil_step, stype = int, initcond = '0');
CREATE FUNCTION evil_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE PROCEDURE evil_procedure() LANGUAGE sql AS 'DELETE FROM orders';
CREATE ROLE reader LOGIN; GRANT SELECT ON customers, orders TO reader;
SELECT lo_from_bytea(4242, 'large secret');
CREATE DATABASE other;
`;

/** Fills a fresh server. @returns the folder with the canary file that the server could write to */
export async function fillPostgres(server: TestServer): Promise<string> {
  const folder = join(server.folder, 'files');
  mkdirSync(folder);
  writeFileSync(join(folder, 'canary'), 'canary');
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(server.folder);
    chownSync(folder, uid, gid);
    chmodSync(join(folder, 'canary'), 0o666);
  }
  const client = await login(server);
  for (const statement of SCHEMA.split(/;\n(?=[A-Z])/u)) for (const one of split(statement)) await client.query(one);
  for (const extension of ['dblink', 'tablefunc', 'xml2', 'file_fdw', 'pg_trgm', 'pgcrypto', 'adminpack', 'pageinspect', 'lo'])
    await client.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`).catch(() => undefined);
  await client.end();
  return folder;
}

function split(text: string): readonly string[] {
  // CREATE DATABASE refuses to share a message with others.
  return text.includes('$$') ? [text] : text.split(';').filter((one) => one.trim() !== '');
}

export async function login(server: TestServer, user = 'postgres'): Promise<Client> {
  for (let tries = 0; ; tries++) {
    const client = new Client({ host: server.socket, user, database: 'postgres' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (thrown) {
      // 57P03: the server accepts connections a moment before it can serve them.
      if ((thrown as { code?: string }).code !== '57P03' || tries > 100) throw thrown;
      await wait(100);
    }
  }
}

/** Rows, definitions, roles, settings, large objects, sequences, and the files. */
export async function digestPostgres(client: Client, folder: string): Promise<string> {
  const parts = [
    `SELECT string_agg(c::text, '|' ORDER BY id) FROM customers c`,
    `SELECT string_agg(o::text, '|' ORDER BY id) FROM orders o`,
    'SELECT count(*)::text FROM log',
    `SELECT string_agg(t::text, '|' ORDER BY t::text) FROM totals t`,
    'SELECT last_value::text || is_called FROM seq',
    'SELECT last_value::text FROM customers_id_seq',
    `SELECT md5(string_agg(c::text, ',' ORDER BY oid)) FROM pg_class c WHERE relname !~ '^pg_(toast|stat)'`,
    `SELECT md5(string_agg(p::text, ',' ORDER BY oid)) FROM pg_proc p WHERE oid > 16383`,
    `SELECT string_agg(a::text, ',' ORDER BY oid) FROM pg_authid a`,
    `SELECT string_agg(m::text, ',' ORDER BY m::text) FROM pg_auth_members m`,
    `SELECT string_agg(s::text, ',' ORDER BY s::text) FROM pg_db_role_setting s`,
    `SELECT string_agg(name || setting, ',' ORDER BY name) FROM pg_settings WHERE source NOT IN ('session', 'client')`,
    `SELECT string_agg(l::text, ',' ORDER BY loid, pageno) FROM pg_largeobject l`,
    `SELECT string_agg(datname || coalesce(datacl::text, ''), ',' ORDER BY datname) FROM pg_database`,
    `SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'`,
    `SELECT string_agg(extname, ',' ORDER BY extname) FROM pg_extension`,
    `SELECT string_agg(typname, ',' ORDER BY oid) FROM pg_type WHERE oid > 16383`,
    `SELECT coalesce(string_agg(d::text, ',' ORDER BY objoid, objsubid), '') FROM pg_description d WHERE objoid > 16383`,
    `SELECT count(*)::text FROM pg_replication_slots`,
    `SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'`,
    `SELECT count(*)::text FROM pg_prepared_xacts`,
    `SELECT string_agg(t::text, ',' ORDER BY oid) FROM pg_trigger t`,
  ];
  const hash = createHash('sha256');
  for (const sql of parts) {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    hash.update(JSON.stringify(rows));
  }
  for (const file of readdirSync(folder).sort()) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest('hex');
}

/** A guarded database on a test server. */
export function guardedPostgres(server: TestServer, more: Record<string, unknown> = {}, layers?: PostgresLayers): Database {
  const settings = {
    connections: { main: { engine: 'postgresql', host: server.socket, user: 'postgres', database: 'postgres', timeoutMs: 5000, ...more } },
  };
  return openPostgres('main', readConnections(settings, '/').get('main') as ServerSettings, layers);
}
