/** Statements that must be refused and do no harm, as a superuser. `@DIR@` is a folder the server may write to. */
const statements = String.raw`
INSERT INTO customers (name) VALUES ('x')
UPDATE customers SET name = 'x'
DELETE FROM customers
TRUNCATE customers
MERGE INTO customers c USING orders o ON c.id = o.customer WHEN MATCHED THEN UPDATE SET name = 'x'
INSERT INTO customers (name) SELECT name FROM customers RETURNING *
WITH x AS (DELETE FROM customers RETURNING *) SELECT * FROM x
WITH x AS (INSERT INTO customers (name) VALUES ('x') RETURNING id) SELECT id FROM x
WITH x AS (UPDATE customers SET name = 'y' RETURNING *) SELECT count(*) FROM x
WITH a AS (SELECT 1), b AS (DELETE FROM orders RETURNING 1) SELECT * FROM a
SELECT * FROM (WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d) x
/* SELECT */ DELETE FROM customers
-- SELECT
(SELECT 1) UNION (SELECT 2); DELETE FROM customers
SELECT 1; DELETE FROM customers
SELECT 1;;DELETE FROM customers;
SELECT 1 /* ; */ ; TRUNCATE customers
SELECT $$;$$; DROP TABLE customers
SELECT 'a'';' ; DROP TABLE customers
SELECT E'\''; DROP TABLE customers; --'
SELECT 1; SELECT 2
COMMIT; DELETE FROM customers
ROLLBACK; DELETE FROM customers
END; DROP TABLE customers
ABORT; DROP TABLE customers
COMMIT AND CHAIN
BEGIN
BEGIN READ WRITE
START TRANSACTION READ WRITE
COMMIT
ROLLBACK
SAVEPOINT a
RELEASE SAVEPOINT a
PREPARE TRANSACTION 'x'
SET TRANSACTION READ WRITE
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE
SET transaction_read_only = off
SET LOCAL transaction_read_only = off
SET default_transaction_read_only = off
SET ROLE postgres
SET LOCAL ROLE postgres
RESET ROLE
RESET ALL
SET SESSION AUTHORIZATION postgres
RESET SESSION AUTHORIZATION
SET search_path = evil, public
SET statement_timeout = 0
SET log_statement = 'all'
DISCARD ALL
DISCARD TEMP
CREATE TABLE x (y int)
CREATE TEMP TABLE x (y int)
CREATE TABLE x AS SELECT 1
SELECT 1 INTO x
SELECT * INTO TEMP x FROM customers
SELECT * INTO UNLOGGED x FROM customers
CREATE MATERIALIZED VIEW x AS SELECT 1
CREATE VIEW x AS SELECT 1
CREATE TEMP VIEW x AS SELECT 1
CREATE INDEX ON customers (name)
CREATE UNIQUE INDEX CONCURRENTLY x ON customers (name)
CREATE SEQUENCE x
CREATE SCHEMA x
CREATE TYPE x AS ENUM ('a')
CREATE DOMAIN x AS int
CREATE ROLE x SUPERUSER
CREATE USER x
CREATE DATABASE x
CREATE TABLESPACE x LOCATION '@DIR@'
CREATE EXTENSION dblink
CREATE EXTENSION file_fdw
CREATE LANGUAGE plperlu
CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE OR REPLACE FUNCTION lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1'
CREATE PROCEDURE x() LANGUAGE sql AS 'DELETE FROM customers'
CREATE TRIGGER x BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION evil_trigger()
CREATE EVENT TRIGGER x ON ddl_command_start EXECUTE FUNCTION evil_trigger()
CREATE RULE x AS ON SELECT TO customers DO INSTEAD SELECT 1
CREATE POLICY x ON customers USING (true)
CREATE AGGREGATE x (int) (sfunc = int4pl, stype = int)
CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)
CREATE CAST (text AS int) WITH INOUT
CREATE SERVER x FOREIGN DATA WRAPPER y
CREATE FOREIGN DATA WRAPPER y
CREATE PUBLICATION x FOR ALL TABLES
CREATE SUBSCRIPTION x CONNECTION 'host=localhost' PUBLICATION y
CREATE STATISTICS x ON name, email FROM customers
ALTER TABLE customers ADD COLUMN x int
ALTER TABLE customers RENAME TO x
ALTER TABLE customers OWNER TO postgres
ALTER TABLE customers DISABLE TRIGGER ALL
ALTER ROLE postgres PASSWORD 'x'
ALTER ROLE reader SUPERUSER
ALTER DATABASE postgres SET search_path = evil
ALTER SYSTEM SET log_statement = 'all'
ALTER SYSTEM RESET ALL
ALTER USER postgres SET default_transaction_read_only = off
ALTER FUNCTION evil() SECURITY DEFINER
ALTER SEQUENCE seq RESTART
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC
DROP TABLE customers
DROP TABLE IF EXISTS nothing
DROP SCHEMA public CASCADE
DROP ROLE reader
DROP DATABASE other
DROP OWNED BY postgres
REASSIGN OWNED BY postgres TO reader
GRANT ALL ON customers TO PUBLIC
GRANT pg_read_server_files TO reader
REVOKE ALL ON customers FROM postgres
COMMENT ON TABLE customers IS 'x'
SECURITY LABEL ON TABLE customers IS 'x'
COPY customers TO '@DIR@/copied'
COPY customers FROM '@DIR@/canary'
COPY (SELECT 1) TO '@DIR@/copied'
COPY (SELECT 1) TO PROGRAM 'touch @DIR@/ran'
COPY customers (name) FROM PROGRAM 'id'
COPY customers TO STDOUT
COPY customers FROM STDIN
COPY (DELETE FROM customers RETURNING *) TO STDOUT
DO $$ BEGIN DELETE FROM customers; END $$
DO LANGUAGE plpgsql 'BEGIN PERFORM evil(); END'
CALL evil_procedure()
EXECUTE x
PREPARE x AS DELETE FROM customers
PREPARE x AS SELECT 1
DEALLOCATE ALL
DECLARE c CURSOR FOR SELECT 1
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM customers
FETCH ALL FROM c
MOVE c
CLOSE ALL
LISTEN x
NOTIFY x, 'y'
UNLISTEN *
LOAD 'auto_explain'
LOCK TABLE customers
LOCK customers IN ACCESS EXCLUSIVE MODE
VACUUM
VACUUM FULL customers
ANALYZE customers
CLUSTER customers
REINDEX TABLE customers
CHECKPOINT
REFRESH MATERIALIZED VIEW totals
IMPORT FOREIGN SCHEMA x FROM SERVER y INTO public
SHOW hba_file
SHOW data_directory
SHOW ALL
EXPLAIN DELETE FROM customers
EXPLAIN ANALYZE DELETE FROM customers
EXPLAIN (ANALYZE) INSERT INTO customers (name) VALUES ('x')
EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1
EXPLAIN ANALYZE WITH x AS (DELETE FROM customers RETURNING 1) SELECT * FROM x
EXPLAIN ANALYZE EXECUTE x
EXPLAIN ANALYZE SELECT evil()
EXPLAIN ANALYZE REFRESH MATERIALIZED VIEW totals
EXPLAIN (ANALYZE, VERBOSE) SELECT pg_read_file('/etc/passwd')
SELECT * FROM customers FOR UPDATE
SELECT * FROM customers FOR NO KEY UPDATE SKIP LOCKED
SELECT * FROM customers FOR SHARE NOWAIT
SELECT * FROM customers FOR KEY SHARE
SELECT * FROM (SELECT * FROM customers FOR UPDATE) x
WITH x AS (SELECT * FROM customers FOR UPDATE) SELECT * FROM x
SELECT evil()
SELECT public.evil()
SELECT "evil"()
SELECT EVIL()
SELECT * FROM evil()
SELECT * FROM ROWS FROM (evil(), generate_series(1, 2))
SELECT * FROM customers, LATERAL evil() x
SELECT evil_definer()
SELECT evil_stable('DELETE FROM customers')
SELECT evil_immutable('SELECT 1')
SELECT liar()
SELECT evil_wrapper()
SELECT 1 WHERE evil() IS NOT NULL
SELECT name FROM customers ORDER BY evil()
SELECT name FROM customers GROUP BY name, evil()
SELECT count(*) FROM customers HAVING evil() IS NULL
SELECT count(*) FILTER (WHERE evil() IS NULL) FROM customers
SELECT sum(1) OVER (ORDER BY evil()) FROM customers
SELECT name FROM customers LIMIT (SELECT evil())
SELECT CASE WHEN true THEN evil() END
SELECT coalesce(NULL, evil())
SELECT ARRAY[evil()]
SELECT ROW(evil())
SELECT (SELECT evil())
SELECT EXISTS (SELECT evil())
SELECT 1 IN (SELECT evil())
VALUES (evil())
SELECT * FROM (VALUES (evil())) v
SELECT 1 |@| 2
SELECT 1 OPERATOR(public.|@|) 2
SELECT * FROM customers c ORDER BY c.id USING OPERATOR(public.|@|)
SELECT c.evil_row FROM customers c
SELECT (c).evil_row FROM customers c
SELECT (SELECT c FROM customers c LIMIT 1).evil_row
SELECT ('x'::text).evil_stable
SELECT ('@DIR@/canary'::text).pg_read_file
SELECT ('/etc'::text).pg_ls_dir
SELECT n.pg_sleep FROM (SELECT 3::float8 AS x) n
SELECT (3::float8).pg_sleep
SELECT ('seq'::regclass).nextval
SELECT nextval('seq')
SELECT setval('seq', 99)
SELECT currval('seq')
SELECT lastval()
SELECT set_config('transaction_read_only', 'off', false)
SELECT set_config('role', 'postgres', false)
SELECT set_config('session_authorization', 'postgres', false)
SELECT set_config('search_path', 'evil', false)
SELECT set_config('statement_timeout', '0', false)
SELECT set_config('log_statement', 'all', true)
SELECT pg_catalog.set_config('app.user', 'x', false)
SELECT set_config(name, 'x', false) FROM pg_settings LIMIT 1
UPDATE pg_settings SET setting = 'off' WHERE name = 'transaction_read_only'
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_terminate_backend(pg_backend_pid())
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
SELECT pg_cancel_backend(1)
SELECT pg_switch_wal()
SELECT pg_create_restore_point('x')
SELECT pg_promote()
SELECT pg_sleep(60)
SELECT pg_sleep_for('1 minute')
SELECT pg_sleep_until(now() + '1 minute')
SELECT pg_advisory_lock(1)
SELECT pg_try_advisory_lock(1)
SELECT pg_advisory_xact_lock(1)
SELECT pg_advisory_unlock_all()
SELECT pg_notify('x', 'y')
SELECT pg_export_snapshot()
SELECT txid_current()
SELECT pg_current_xact_id()
SELECT setseed(0.5)
SELECT pg_read_file('@DIR@/canary')
SELECT pg_read_file('/etc/passwd', 0, 100)
SELECT pg_read_binary_file('/etc/passwd')
SELECT pg_ls_dir('/')
SELECT pg_ls_logdir()
SELECT pg_ls_waldir()
SELECT pg_ls_tmpdir()
SELECT pg_stat_file('/etc/passwd')
SELECT pg_current_logfile()
SELECT pg_hba_file_rules()
SELECT * FROM pg_hba_file_rules
SELECT * FROM pg_file_settings
SELECT * FROM pg_config
SELECT * FROM pg_ident_file_mappings
SELECT lo_import('/etc/passwd')
SELECT lo_export(4242, '@DIR@/exported')
SELECT lo_create(77)
SELECT lo_creat(-1)
SELECT lo_unlink(4242)
SELECT lo_from_bytea(0, 'x')
SELECT lo_put(4242, 0, 'x')
SELECT lo_get(4242)
SELECT lowrite(lo_open(4242, 131072), 'x')
SELECT loread(lo_open(4242, 262144), 100)
SELECT lo_truncate(0, 0)
SELECT * FROM pg_largeobject
SELECT loid FROM pg_catalog.pg_largeobject
SELECT query_to_xml('DELETE FROM customers', true, false, '')
SELECT query_to_xml('SELECT evil()', true, false, '')
SELECT query_to_xml('SELECT pg_read_file(''/etc/passwd'')', true, true, '')
SELECT query_to_xmlschema('SELECT 1', true, false, '')
SELECT query_to_xml_and_xmlschema('SELECT evil()', true, false, '')
SELECT pg_catalog.query_to_xml('SELECT evil()', true, false, '')
SELECT table_to_xml('pg_authid', true, false, '')
SELECT table_to_xml_and_xmlschema('customers', true, false, '')
SELECT schema_to_xml('public', true, false, '')
SELECT database_to_xml(true, false, '')
SELECT cursor_to_xml('c', 1, true, false, '')
SELECT ts_stat('SELECT evil()')
SELECT * FROM ts_stat('DELETE FROM customers')
SELECT ts_rewrite('a'::tsquery, 'SELECT evil()')
SELECT * FROM crosstab('SELECT evil()') AS x(a int)
SELECT * FROM connectby('customers', 'id', 'id', '1', 0) AS x(a int, b int, c int)
SELECT * FROM dblink('dbname=postgres', 'DELETE FROM customers RETURNING 1') AS x(a int)
SELECT dblink_exec('dbname=postgres', 'DELETE FROM customers')
SELECT dblink_connect('dbname=postgres')
SELECT xpath_table('id', 'name', 'customers', '/', 'true')
SELECT xslt_process('<a/>', '<b/>')
SELECT * FROM pg_authid
SELECT rolpassword FROM pg_catalog.pg_authid
SELECT * FROM "pg_authid"
TABLE pg_authid
SELECT * FROM pg_shadow
SELECT passwd FROM pg_user
SELECT * FROM pg_auth_members, pg_authid
SELECT (SELECT rolpassword FROM pg_authid LIMIT 1)
SELECT * FROM customers WHERE name IN (SELECT rolname FROM pg_authid)
WITH a AS (TABLE pg_authid) SELECT * FROM a
WITH pg_authid AS (SELECT 1) SELECT * FROM pg_catalog.pg_authid
SELECT * FROM pg_statistic
SELECT most_common_vals FROM pg_stats
SELECT * FROM pg_stats_ext_exprs
SELECT * FROM pg_stat_activity
SELECT query FROM pg_stat_get_activity(NULL)
SELECT pg_stat_get_backend_activity(1)
SELECT * FROM pg_stat_replication
SELECT * FROM pg_stat_statements
SELECT * FROM pg_user_mapping
SELECT * FROM pg_user_mappings
SELECT * FROM information_schema.user_mapping_options
SELECT * FROM pg_subscription
SELECT * FROM pg_foreign_server
SELECT * FROM pg_replication_slots
SELECT * FROM pg_logical_slot_get_changes('x', NULL, NULL)
SELECT pg_create_logical_replication_slot('x', 'test_decoding')
SELECT pg_create_physical_replication_slot('x')
SELECT pg_drop_replication_slot('x')
SELECT pg_replication_origin_create('x')
SELECT pg_backup_start('x')
SELECT pg_start_backup('x')
SELECT pg_stat_reset()
SELECT pg_stat_reset_shared('bgwriter')
SELECT pg_log_backend_memory_contexts(pg_backend_pid())
SELECT pg_import_system_collations('public')
SELECT pg_extension_config_dump('customers', '')
SELECT pg_logical_emit_message(true, 'x', 'y')
SELECT binary_upgrade_set_next_pg_type_oid(1)
SELECT brin_summarize_new_values('customers')
SELECT gin_clean_pending_list('customers')
SELECT pg_nextoid('pg_class', 'oid', 'pg_class_oid_index')
SELECT pg_file_write('@DIR@/written', 'x', false)
SELECT pg_file_unlink('@DIR@/canary')
SELECT get_raw_page('customers', 0)
SELECT inet_client_addr(), evil()
SELECT * FROM generate_series(1, 3) g, evil()
SELECT json_agg(evil())
SELECT XMLELEMENT(NAME a, evil())
SELECT xmlforest(evil() AS x)
SELECT * FROM XMLTABLE('/a' PASSING evil_xml() COLUMNS b text)
SELECT JSON_OBJECT('a': evil())
SELECT * FROM customers TABLESAMPLE bernoulli (evil_number())
SELECT * FROM customers TABLESAMPLE system (10) REPEATABLE (evil_number())
SELECT * FROM customers c JOIN orders o ON evil() IS NULL
SELECT DISTINCT ON (evil()) name FROM customers
SELECT name FROM customers WINDOW w AS (PARTITION BY evil())
SELECT name FROM customers OFFSET (SELECT 1 FROM evil())
SELECT name FROM customers UNION SELECT evil()
SELECT name FROM customers EXCEPT ALL (SELECT evil())
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE evil() IS NULL) SELECT * FROM r
SELECT (ARRAY[1,2,3])[evil_number()]
SELECT evil_number()::text COLLATE "C"
SELECT evil_row(c) FROM customers c
SELECT evil(VARIADIC ARRAY[]::text[])
SELECT U&"\0065vil"()
SELECT "e" "vil"()
SELECT/**/evil()
SELECT evil/* x */()
SELECT evil
()
SELECT public . evil ( )
SELECT postgres.public.evil()
SELECT max(evil_number()) OVER () FROM customers
SELECT evil_total(id) FROM customers
SELECT 'x'::text::evil_domain, evil()
SELECT * FROM pg_toast.pg_toast_1262
SELECT * FROM pg_temp.x; DROP TABLE customers
`;

/** One statement a line; the two that span lines are added here. */
export const POSTGRES_ATTACKS: readonly string[] = [
  ...statements
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '-- SELECT' && line !== 'SELECT evil' && line !== '()'),
  '-- SELECT\nDELETE FROM customers',
  '/* SELECT 1 */\n\n--\nDROP TABLE customers',
  'SELECT evil\n()',
  'SELECT 1\0; DELETE FROM customers',
  'SELECT \ud800',
  '\uFEFFDELETE FROM customers',
  '',
  ';',
  '-- nothing',
  'SELECT /* /* nested */ */ 1; DROP TABLE customers',
  'SELECT $a$ $$ $a$; DROP TABLE customers; SELECT $a$ $a$',
  'SELECT $1; DELETE FROM customers',
  'EXPLAIN ANALYZE SELECT 1; DROP TABLE customers',
  'COPY customers FROM STDIN;\n1\tx\n\\.\n',
  `SELECT ${'('.repeat(30)}evil()${')'.repeat(30)}`,
];
