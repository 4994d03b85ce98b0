/** Statements that must be refused and do no harm, as root with FILE and SUPER. `@DIR@` is a folder the server may write to. */
const statements = String.raw`
INSERT INTO customers (name) VALUES ('x')
INSERT IGNORE INTO customers SET name = 'x'
INSERT INTO customers (name) SELECT name FROM customers
INSERT INTO customers (id, name) VALUES (1, 'x') ON DUPLICATE KEY UPDATE name = 'y'
INSERT customers VALUES (9, 'x', 'y', '{}') RETURNING *
REPLACE INTO customers (id, name) VALUES (1, 'x')
UPDATE customers SET name = 'x'
UPDATE LOW_PRIORITY customers c JOIN orders o ON o.customer = c.id SET c.name = 'x'
DELETE FROM customers
DELETE c FROM customers c JOIN orders o ON o.customer = c.id
DELETE FROM customers RETURNING *
TRUNCATE customers
TRUNCATE TABLE customers
WITH x AS (SELECT 1) DELETE FROM customers
WITH x AS (SELECT 1) UPDATE customers SET name = 'x'
/*!50000 DELETE FROM customers */
/*! DELETE FROM customers */
/*!DELETE*/ FROM customers
/*M! DELETE FROM customers */
/*M!100100 DELETE FROM customers */
SELECT 1 /*! INTO OUTFILE '@DIR@/out' */
SELECT 1 /*!50000 INTO OUTFILE '@DIR@/out' */
SELECT /*!99999 1, */ load_file('/etc/passwd')
SELECT 1 /*! ; DELETE FROM customers */
SELECT /*!100000 sleep(5) */
SELECT 1; DELETE FROM customers
SELECT 1;; DELETE FROM customers;
SELECT 1 -- x;
DELETE FROM customers -- SELECT
SELECT 'a\'; DELETE FROM customers; -- '; DELETE FROM customers
SELECT "a"";" ; DELETE FROM customers
SELECT 1 INTO OUTFILE '@DIR@/out'
SELECT * FROM customers INTO OUTFILE '@DIR@/out' FIELDS TERMINATED BY ','
SELECT * INTO OUTFILE '@DIR@/out' FROM customers
SELECT 1 INTO DUMPFILE '@DIR@/dump'
SELECT 1 INTO @x
SELECT id, name INTO @a, @b FROM customers LIMIT 1
(SELECT 1 INTO OUTFILE '@DIR@/out')
SELECT 1 UNION SELECT 2 INTO OUTFILE '@DIR@/out'
SELECT * FROM (SELECT 1) x INTO OUTFILE '@DIR@/out'
TABLE customers INTO OUTFILE '@DIR@/out'
VALUES (1) INTO OUTFILE '@DIR@/out'
SELECT load_file('/etc/passwd')
SELECT LOAD_FILE(0x2f6574632f706173737764)
SELECT load_file ('@DIR@/canary')
SELECT ${'`'}load_file${'`'}('/etc/passwd')
SELECT * FROM customers WHERE load_file('@DIR@/canary') IS NOT NULL
SELECT coalesce(NULL, load_file('@DIR@/canary'))
SELECT extractvalue(load_file('/etc/passwd'), '/x')
LOAD DATA INFILE '/etc/passwd' INTO TABLE customers
LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE customers
LOAD XML INFILE '/etc/passwd' INTO TABLE customers
LOAD INDEX INTO CACHE customers
CREATE TABLE x (y int)
CREATE TABLE x AS SELECT 1
CREATE OR REPLACE TABLE customers (y int)
CREATE TEMPORARY TABLE x (y int)
CREATE TEMPORARY TABLE x AS SELECT * FROM customers
CREATE VIEW x AS SELECT 1
CREATE INDEX x ON customers (name)
CREATE DATABASE x
CREATE USER x
CREATE ROLE x
CREATE FUNCTION x RETURNS INTEGER SONAME 'x.so'
CREATE FUNCTION x() RETURNS INT RETURN 1
CREATE PROCEDURE x() DELETE FROM customers
CREATE TRIGGER x BEFORE INSERT ON customers FOR EACH ROW SET NEW.name = 'x'
CREATE EVENT x ON SCHEDULE EVERY 1 SECOND DO DELETE FROM customers
CREATE SEQUENCE x
CREATE SERVER x FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')
ALTER TABLE customers ADD x int
ALTER TABLE customers ENGINE = MyISAM
ALTER USER root IDENTIFIED BY 'x'
ALTER DATABASE shop CHARACTER SET latin1
DROP TABLE customers
DROP TABLE IF EXISTS nothing
DROP DATABASE shop
DROP USER root
RENAME TABLE customers TO x
GRANT ALL ON *.* TO root
REVOKE ALL ON *.* FROM root
FLUSH TABLES WITH READ LOCK
FLUSH PRIVILEGES
RESET MASTER
RESET QUERY CACHE
PURGE BINARY LOGS TO 'x'
KILL 1
KILL QUERY 1
SHUTDOWN
INSTALL PLUGIN x SONAME 'x.so'
INSTALL SONAME 'x'
UNINSTALL PLUGIN x
CHANGE MASTER TO MASTER_HOST = 'x'
START SLAVE
STOP SLAVE
LOCK TABLES customers WRITE
UNLOCK TABLES
SELECT * FROM customers FOR UPDATE
SELECT * FROM customers FOR UPDATE NOWAIT
SELECT * FROM customers LOCK IN SHARE MODE
SELECT * FROM (SELECT * FROM customers FOR UPDATE) x
SELECT * FROM customers FOR SHARE
START TRANSACTION
START TRANSACTION READ WRITE
BEGIN
BEGIN NOT ATOMIC DELETE FROM customers; END
COMMIT
COMMIT; DELETE FROM customers
ROLLBACK
SAVEPOINT x
RELEASE SAVEPOINT x
XA START 'x'
XA RECOVER
SET @x = 1
SET SESSION sql_mode = 'ANSI_QUOTES'
SET GLOBAL general_log = 1
SET GLOBAL read_only = 0
SET PASSWORD = 'x'
SET ROLE NONE
SET autocommit = 0
SET SESSION TRANSACTION READ WRITE
SET max_statement_time = 0
SET STATEMENT max_statement_time = 0 FOR SELECT sleep(60)
SET STATEMENT sql_select_limit = 1 FOR DELETE FROM customers
SET NAMES gbk
SELECT @x := 1
SELECT @x:=name FROM customers
SELECT (@x := 1) + 1
SELECT @x : = 1
SELECT sleep(60)
SELECT SLEEP (60)
SELECT benchmark(1000000000, md5('x'))
SELECT ${'`'}sleep${'`'}(60)
SELECT * FROM customers WHERE sleep(60)
SELECT IF(1, sleep(60), 0)
SELECT get_lock('x', 10)
SELECT release_lock('x')
SELECT release_all_locks()
SELECT is_free_lock('x')
SELECT master_pos_wait('x', 1)
SELECT master_gtid_wait('x', 1)
SELECT last_insert_id(99)
SELECT nextval(seq)
SELECT NEXT VALUE FOR seq
SELECT lastval(seq)
SELECT setval(seq, 99)
SELECT PREVIOUS VALUE FOR seq
SELECT evil()
SELECT shop.evil()
SELECT ${'`'}evil${'`'}()
SELECT ${'`'}shop${'`'}.${'`'}evil${'`'}()
SELECT shop . evil ()
SELECT * FROM customers WHERE evil() = 1
SELECT * FROM customers ORDER BY evil()
SELECT sys_exec('id')
SELECT sys_eval('id')
SELECT lib_mysqludf_sys_info()
CALL evil_procedure()
DO sleep(1)
DO evil()
PREPARE x FROM 'DELETE FROM customers'
EXECUTE x
EXECUTE IMMEDIATE 'DELETE FROM customers'
DEALLOCATE PREPARE x
HANDLER customers OPEN
HANDLER customers READ FIRST
SELECT * FROM mysql.user
SELECT * FROM ${'`'}mysql${'`'}.${'`'}user${'`'}
SELECT * FROM mysql . user
SELECT authentication_string FROM mysql.global_priv
SELECT * FROM mysql.general_log
SELECT (SELECT Priv FROM mysql.global_priv LIMIT 1)
SELECT * FROM customers JOIN mysql.db
TABLE mysql.user
SELECT * FROM performance_schema.threads
SELECT * FROM sys.session
SELECT * FROM information_schema.processlist
SELECT * FROM INFORMATION_SCHEMA.PROCESSLIST
SELECT * FROM information_schema.user_privileges
SELECT * FROM information_schema.global_variables
SELECT * FROM information_schema.innodb_trx
SELECT * FROM information_schema.files
SELECT @@datadir
SELECT @@global.secure_file_priv
SELECT @@basedir, @@tmpdir
SELECT @@session.pseudo_thread_id
SELECT @@hostname
SHOW GRANTS
SHOW PROCESSLIST
SHOW FULL PROCESSLIST
SHOW VARIABLES
SHOW GLOBAL VARIABLES LIKE 'datadir'
SHOW MASTER STATUS
SHOW BINARY LOGS
SHOW BINLOG EVENTS
SHOW SLAVE STATUS
SHOW CREATE USER root
SHOW TABLES FROM mysql
SHOW COLUMNS FROM mysql.user
SHOW CREATE TABLE mysql.user
SHOW ENGINE INNODB STATUS
SHOW TABLES WHERE sleep(60)
SHOW COLUMNS FROM customers WHERE load_file('/etc/passwd') LIKE 'root%'
SHOW DATABASES WHERE evil() = 1
SHOW TABLES WHERE (SELECT count(*) FROM mysql.user) > 0
SHOW COLUMNS FROM customers WHERE @x := 1
SHOW CHARACTER SET WHERE get_lock('x', 1)
SHOW PLUGINS
SHOW PRIVILEGES
DESCRIBE mysql.user
EXPLAIN DELETE FROM customers
EXPLAIN UPDATE customers SET name = 'x'
EXPLAIN FORMAT=JSON INSERT INTO customers (name) VALUES ('x')
ANALYZE DELETE FROM customers
ANALYZE FORMAT=JSON UPDATE customers SET name = 'x'
ANALYZE TABLE customers
ANALYZE SELECT evil()
EXPLAIN EXTENDED SELECT evil()
EXPLAIN FOR CONNECTION 1
OPTIMIZE TABLE customers
REPAIR TABLE customers
CHECK TABLE customers
CHECKSUM TABLE customers
CACHE INDEX customers IN x
BINLOG 'x'
SIGNAL SQLSTATE '45000'
GET DIAGNOSTICS @x = NUMBER
HELP 'x'
USE mysql
SELECT * FROM customers PROCEDURE ANALYSE()
SELECT SQL_NO_CACHE load_file('/etc/passwd')
SELECT /*+ SET_VAR(sql_mode='ANSI_QUOTES') */ 1
SELECT /*+ MAX_EXECUTION_TIME(0) */ 1
SELECT 1 UNION SELECT evil()
SELECT 1 FROM dual WHERE EXISTS (SELECT evil())
WITH x AS (SELECT evil()) SELECT * FROM x
WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + evil() FROM x WHERE n < 3) SELECT * FROM x
SELECT sum(evil()) OVER () FROM customers
SELECT json_extract(load_file('/etc/passwd'), '$')
SELECT * FROM json_table(load_file('/etc/passwd'), '$' COLUMNS (a int PATH '$')) t
DELIMITER //
GRANT PROXY ON root TO x
BACKUP STAGE START
SELECT des_encrypt('x')
SELECT encode('x', 'y') INTO OUTFILE '@DIR@/e'
COPY customers TO '@DIR@/x'
source @DIR@/canary
`;

export const MYSQL_ATTACKS: readonly string[] = [
  ...statements
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== 'SELECT 1 -- x;'),
  '-- SELECT\nDELETE FROM customers',
  '# SELECT\nDELETE FROM customers',
  'SELECT 1 -- x\n; DELETE FROM customers',
  'SELECT 1 #\n; DELETE FROM customers',
  'SELECT 1--\n INTO OUTFILE "/tmp/sbx-never"',
  'SELECT 1 /* /* */ ; DELETE FROM customers',
  "SELECT '\\\\'; DELETE FROM customers; -- '",
  'SELECT "\\"; DELETE FROM customers; -- "; DELETE FROM customers',
  'SELECT 1\0; DELETE FROM customers',
  'SELECT \ud800',
  'SELECT load_file\n(0x2f)',
  'SELECT load_file/**/(0x2f)',
  'SELECT load_file-- x\n(0x2f)',
  'SELECT evil\t()',
  "SELECT 1.INTO OUTFILE '@DIR@/out'",
  "SELECT 1e5INTO OUTFILE '@DIR@/out'",
  "SELECT .5INTO OUTFILE '@DIR@/out'",
  "SELECT 1.5INTO OUTFILE '@DIR@/out'",
  "SELECT 1 --\u007f'\n INTO OUTFILE '@DIR@/out' -- '",
  "SELECT 1 --\u0001'\n INTO OUTFILE '@DIR@/out' -- '",
  "SELECT 1 FROM (SELECT 1 AS `\u00a0`) t WHERE 1--\u00a0 INTO OUTFILE '@DIR@/out'",
  "SELECT 1 FROM (SELECT 1 AS `\u2003`) t WHERE 1--\u2003 INTO OUTFILE '@DIR@/out'",
  "SELECT 1 FROM (SELECT 1 AS `\ufeff`) t WHERE 1--\ufeff INTO OUTFILE '@DIR@/out'",
  "SELECT {fn load_file('/etc/passwd')}",
  "SELECT 1 #\r INTO OUTFILE '@DIR@/out'\n INTO OUTFILE '@DIR@/out'",
  'ANALYZE FORMAT=JSON SELECT evil()',
  'ANALYZE LOCAL TABLE customers',
  'ANALYZE WITH x AS (SELECT 1) DELETE FROM customers',
  "SELECT 'unfinished",
  '/* unfinished',
  '',
  ';',
  '-- nothing',
];
