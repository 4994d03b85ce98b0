/** Statements that must be refused and do no harm. `@DIR@` is a writable folder with the file `canary`, `@DB@` the database itself. */
const statements = `
INSERT INTO customers (name) VALUES ('x')
INSERT OR REPLACE INTO customers (id, name) VALUES (1, 'x')
INSERT INTO customers DEFAULT VALUES
INSERT INTO customers (name) SELECT name FROM customers RETURNING *
INSERT INTO customers (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'y'
INSERT INTO contacts VALUES (9, 'x')
REPLACE INTO customers VALUES (1, 'x', 'y', 'z')
UPDATE customers SET name = 'x'
UPDATE OR IGNORE customers SET name = 'x'
UPDATE customers SET name = o.amount FROM orders o
DELETE FROM customers
DELETE FROM customers WHERE id = 1 RETURNING *
TRUNCATE customers
WITH x AS (SELECT 1) DELETE FROM customers
WITH x AS (SELECT 1) INSERT INTO customers (name) SELECT 'x' FROM x RETURNING *
WITH x AS (SELECT 1) UPDATE customers SET name = 'x'
WITH RECURSIVE x(n) AS (SELECT 1) REPLACE INTO orders SELECT n, n, n FROM x
/* SELECT */ DELETE FROM customers
EXPLAIN DELETE FROM customers
EXPLAIN QUERY PLAN UPDATE customers SET name = 'x'
EXPLAIN INSERT INTO customers (name) VALUES ('x')
SELECT 1; DELETE FROM customers
SELECT 1;; ;DELETE FROM customers;
SELECT 1 /* ; */; DROP TABLE customers
SELECT 'a'';'; DROP TABLE customers
SELECT ";"; DELETE FROM customers
SELECT 1; SELECT 2
SELECT 1; PRAGMA query_only = 0
SELECT 1; ATTACH '@DIR@/x.db' AS x
;DELETE FROM customers
DROP TABLE customers
DROP TABLE IF EXISTS nothing
DROP VIEW contacts
DROP INDEX orders_customer
DROP TRIGGER watch
CREATE TABLE x (y)
CREATE TABLE x AS SELECT * FROM customers
CREATE TABLE IF NOT EXISTS customers (x)
CREATE TEMP TABLE x (y)
CREATE TEMPORARY TABLE x AS SELECT 1
CREATE TABLE temp.x (y)
CREATE VIEW x AS SELECT 1
CREATE TEMP VIEW customers AS SELECT 1
CREATE INDEX x ON customers (name)
CREATE UNIQUE INDEX x ON customers (name)
CREATE INDEX x ON customers (load_extension(name))
CREATE TRIGGER x AFTER INSERT ON customers BEGIN SELECT 1; END
CREATE TEMP TRIGGER x AFTER INSERT ON customers BEGIN DELETE FROM orders; END
CREATE TRIGGER x INSTEAD OF INSERT ON contacts BEGIN DELETE FROM orders; END
CREATE VIRTUAL TABLE x USING fts5(y)
CREATE VIRTUAL TABLE x USING fts4(y)
CREATE VIRTUAL TABLE temp.x USING fts5vocab(main, notes, row)
CREATE VIRTUAL TABLE x USING rtree(id, a, b)
CREATE VIRTUAL TABLE x USING dbstat
CREATE VIRTUAL TABLE x USING csv(filename='@DIR@/canary')
ALTER TABLE customers RENAME TO x
ALTER TABLE customers ADD COLUMN x
ALTER TABLE customers DROP COLUMN email
ALTER TABLE customers RENAME COLUMN name TO x
BEGIN
BEGIN IMMEDIATE
BEGIN EXCLUSIVE TRANSACTION
COMMIT
END
ROLLBACK
SAVEPOINT x
RELEASE x
ROLLBACK TO x
VACUUM
VACUUM main
VACUUM INTO '@DIR@/vacuumed.db'
VACUUM main INTO '@DIR@/vacuumed.db'
ATTACH DATABASE '@DIR@/attached.db' AS x
ATTACH '@DB@' AS x
ATTACH ':memory:' AS x
ATTACH '' AS x
ATTACH 'file:@DIR@/x.db?mode=rwc' AS x
ATTACH DATABASE '/etc/passwd' AS x
DETACH main
DETACH DATABASE temp
REINDEX
REINDEX customers
ANALYZE
ANALYZE customers
PRAGMA query_only = 0
PRAGMA query_only = OFF
PRAGMA query_only(0)
PRAGMA main.query_only = 0
PRAGMA journal_mode = DELETE
PRAGMA journal_mode = WAL
PRAGMA journal_mode(memory)
PRAGMA main.journal_mode = off
PRAGMA journal_size_limit = 1
PRAGMA locking_mode = EXCLUSIVE
PRAGMA synchronous = OFF
PRAGMA user_version = 5
PRAGMA user_version(5)
PRAGMA application_id = 1
PRAGMA schema_version = 1
PRAGMA encoding = 'UTF-16'
PRAGMA page_size = 512
PRAGMA auto_vacuum = 1
PRAGMA cache_size = 100000000
PRAGMA cache_spill = 0
PRAGMA writable_schema = ON
PRAGMA writable_schema = RESET
PRAGMA trusted_schema = 1
PRAGMA foreign_keys = 0
PRAGMA recursive_triggers = 1
PRAGMA defer_foreign_keys = 1
PRAGMA ignore_check_constraints = 1
PRAGMA cell_size_check = 0
PRAGMA checkpoint_fullfsync = 1
PRAGMA mmap_size = 268435456
PRAGMA max_page_count = 1
PRAGMA secure_delete = 0
PRAGMA soft_heap_limit = 1
PRAGMA hard_heap_limit = 1
PRAGMA threads = 8
PRAGMA temp_store = 1
PRAGMA temp_store_directory = '@DIR@'
PRAGMA data_store_directory = '@DIR@'
PRAGMA busy_timeout = 100000
PRAGMA analysis_limit = 1
PRAGMA optimize
PRAGMA wal_checkpoint
PRAGMA wal_checkpoint(TRUNCATE)
PRAGMA main.wal_checkpoint
PRAGMA wal_autocheckpoint = 1
PRAGMA incremental_vacuum(1)
PRAGMA shrink_memory
PRAGMA case_sensitive_like = 1
PRAGMA legacy_alter_table = 1
PRAGMA legacy_file_format = 1
PRAGMA full_column_names = 1
PRAGMA short_column_names = 0
PRAGMA count_changes = 1
PRAGMA empty_result_callbacks = 1
PRAGMA read_uncommitted = 1
PRAGMA reverse_unordered_selects = 1
PRAGMA automatic_index = 0
PRAGMA key = 'x'
PRAGMA rekey = 'x'
PRAGMA parser_trace = 1
PRAGMA vdbe_debug = 1
PRAGMA no_such_pragma
SELECT * FROM pragma_journal_mode('delete')
SELECT * FROM pragma_query_only(0)
SELECT * FROM pragma_user_version(5)
SELECT * FROM pragma_wal_checkpoint
SELECT * FROM pragma_optimize
SELECT * FROM pragma_cache_size(1)
SELECT load_extension('@DIR@/x.so')
SELECT LOAD_EXTENSION('x', 'y')
SELECT "load_extension"('x')
SELECT [load_extension]('x')
SELECT load_extension
SELECT load_extension('x') FROM customers WHERE 0
SELECT coalesce(NULL, load_extension('x'))
SELECT CASE WHEN 0 THEN load_extension('x') END
SELECT (SELECT load_extension('x'))
SELECT * FROM customers WHERE load_extension('x') IS NULL
SELECT * FROM customers ORDER BY load_extension('x')
SELECT count(*) FROM customers GROUP BY load_extension('x')
SELECT count(*) FILTER (WHERE load_extension('x')) FROM customers
SELECT sum(1) OVER (ORDER BY load_extension('x')) FROM customers
WITH x AS (SELECT load_extension('x')) SELECT * FROM x
VALUES (load_extension('x'))
SELECT readfile('/etc/passwd')
SELECT writefile('@DIR@/written', 'x')
SELECT * FROM fsdir('/')
SELECT lsmode(1)
SELECT edit('x')
SELECT shell('id')
SELECT system('id')
SELECT eval('DELETE FROM customers')
SELECT fts3_tokenizer('simple')
SELECT fts3_tokenizer('simple', x'00')
SELECT fts5(NULL)
SELECT sqlite_dbpage('x')
SELECT * FROM sqlite_dbpage
SELECT * FROM sqlite_stmt
SELECT * FROM sqlite_dbdata
SELECT * FROM zipfile('@DIR@/canary')
SELECT zipfile('x', 'y')
SELECT * FROM csv('@DIR@/canary')
SELECT * FROM completion('x')
SELECT * FROM bytecode('SELECT 1')
SELECT * FROM tables_used('SELECT 1')
SELECT * FROM json_each(readfile('/etc/passwd'))
SELECT rbu_target_name()
SELECT sqlite_log(1, 'x')
SELECT sqlite_rename_table(1)
SELECT sqlite_drop_column(1)
SELECT optimize(notes) FROM notes
INSERT INTO notes (notes) VALUES ('optimize')
INSERT INTO notes (notes, rank) VALUES ('merge', 1)
INSERT INTO notes_data VALUES (99, 'x')
UPDATE notes_content SET c0 = 'x'
DELETE FROM sqlite_schema
UPDATE sqlite_schema SET sql = 'x'
UPDATE sqlite_master SET sql = 'CREATE TABLE x(y)' WHERE name = 'customers'
INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'x')
DELETE FROM sqlite_sequence
DELETE FROM sqlite_stat1
UPDATE sqlite_sequence SET seq = 0
INSERT INTO temp.sqlite_schema VALUES (1, 2, 3, 4, 5)
SELECT * FROM customers; -- x
 DROP TABLE customers
COPY customers TO '@DIR@/x'
.shell id
.read @DIR@/canary
SELECT * FROM other.customers
SELECT 1 UNION DELETE FROM customers
SELECT (DELETE FROM customers)
SELECT * FROM (INSERT INTO customers (name) VALUES ('x') RETURNING *)
WITH x AS (INSERT INTO customers (name) VALUES ('x') RETURNING *) SELECT * FROM x
WITH x AS (DELETE FROM customers RETURNING *) SELECT * FROM x
SELECT * FROM customers FOR UPDATE
SELECT * INTO x FROM customers
SELECT * FROM pragma_foreign_keys(0)
GRANT ALL ON customers TO x
SET x = 1
DO $$ BEGIN END $$
CALL x()
SHUTDOWN
LOAD DATA INFILE '/etc/passwd' INTO TABLE customers
`;

export const SQLITE_ATTACKS: readonly string[] = [
  ...statements
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== 'SELECT * FROM customers; -- x'),
  '-- SELECT\nDELETE FROM customers',
  'SELECT * FROM customers; -- x\n DROP TABLE customers',
  ' \t\n\uFEFF;DELETE FROM customers',
  'SELECT 1\0; DELETE FROM customers',
  'DELETE FROM customers\0',
  'SELECT \ud800',
  'SELECT 1; /* open comment DELETE FROM customers */ DELETE FROM customers',
  '',
  ';',
  '-- nothing',
  '/* nothing */',
];
