/** Statements people write; every one must run. */
export const SQLITE_QUERIES: readonly string[] = String.raw`
SELECT 1
SELECT 1;
  select name from customers ; -- end
SELECT * FROM customers /* ; */
VALUES (1, 'a'), (2, 'b')
SELECT name FROM customers UNION ALL SELECT 'x' ORDER BY 1
SELECT name FROM customers INTERSECT SELECT 'Ada' EXCEPT SELECT 'Bob'
SELECT DISTINCT name FROM customers ORDER BY name COLLATE NOCASE DESC NULLS LAST LIMIT 2 OFFSET 1
SELECT c.name, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer = c.id GROUP BY c.name HAVING count(*) >= 0
SELECT * FROM customers c RIGHT JOIN orders o ON o.customer = c.id
SELECT * FROM customers FULL OUTER JOIN orders USING (id)
SELECT * FROM customers NATURAL JOIN orders
SELECT * FROM customers, orders WHERE customers.id = orders.customer
SELECT * FROM customers INDEXED BY customers_name WHERE name = 'Ada'
SELECT * FROM orders NOT INDEXED
SELECT name, row_number() OVER (PARTITION BY name ORDER BY id), lag(name, 1, 'none') OVER w FROM customers WINDOW w AS (ORDER BY id)
SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM orders
SELECT avg(amount) OVER (ORDER BY amount RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM orders
SELECT rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w, ntile(2) OVER w FROM customers WINDOW w AS (ORDER BY id)
SELECT first_value(name) OVER (ORDER BY id), last_value(name) OVER (ORDER BY id), nth_value(name, 2) OVER (ORDER BY id) FROM customers
WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n
WITH RECURSIVE t(a, b) AS (VALUES (1, 2) UNION SELECT b, a FROM t) SELECT * FROM t
EXPLAIN QUERY PLAN SELECT * FROM customers
EXPLAIN SELECT * FROM customers WHERE id = 1
SELECT data ->> '$.city', data -> '$.tags', json_extract(data, '$.city') FROM customers
SELECT json_object('a', 1), json_array(1, 2), json_group_array(name), json_group_object(name, id) FROM customers
SELECT key, value, type FROM json_each('{"a":[1,2]}')
SELECT c.name, j.value FROM customers c, json_tree(c.data) j
SELECT json_valid('{}'), json_type('[1]'), json_patch('{}', '{"a":1}'), json_set('{}', '$.a', 1), jsonb('{"a":1}')
SELECT strftime('%Y-%m', 'now'), date('now', '-1 day'), datetime(0, 'unixepoch'), julianday('now'), time('12:00'), unixepoch(), timediff('2024-01-02', '2024-01-01')
SELECT CURRENT_DATE, CURRENT_TIME, CURRENT_TIMESTAMP
SELECT upper(name), lower(name), length(name), substr(name, 1, 2), trim(name), ltrim(name), rtrim(name), replace(name, 'a', 'b'), instr(name, 'd') FROM customers
SELECT printf('%05d', 3), format('%s', 'x'), hex('a'), unhex('61'), quote('x'), char(65, 66), unicode('a'), concat('a', 'b'), concat_ws(',', 'a', 'b')
SELECT abs(-1), round(1.5), max(1, 2), min(1, 2), sign(-1), ceil(1.2), floor(1.8), pow(2, 3), sqrt(4), mod(5, 3), pi(), ln(2), log(10), trunc(1.5)
SELECT random() IS NOT NULL, randomblob(4), zeroblob(4), typeof(1), coalesce(NULL, 1), ifnull(NULL, 1), nullif(1, 1), iif(1, 'a', 'b')
SELECT count(*), count(DISTINCT name), sum(id), avg(id), total(id), group_concat(name, ', '), string_agg(name, ';') FROM customers
SELECT count(*) FILTER (WHERE amount > 10), group_concat(id ORDER BY id DESC) FROM orders
SELECT median(amount), percentile(amount, 50) FROM orders
SELECT CASE WHEN amount > 10 THEN 'big' ELSE 'small' END, CASE customer WHEN 1 THEN 'one' END FROM orders
SELECT CAST('1' AS INTEGER), CAST(1 AS TEXT), CAST(x'61' AS TEXT), 1 || 'a', 5 / 2, 5 % 2, 1 << 3, ~1, 7 & 3
SELECT * FROM customers WHERE name LIKE 'A%' ESCAPE '\' OR name GLOB 'B*' OR name NOT LIKE '%;%'
SELECT * FROM customers WHERE id BETWEEN 1 AND 3 AND id IN (1, 2) AND id NOT IN (SELECT 9) AND email IS NOT NULL AND id IS DISTINCT FROM 9
SELECT * FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE customer = customers.id)
SELECT * FROM customers WHERE (id, name) = (1, 'Ada')
SELECT (SELECT count(*) FROM orders), (SELECT max(amount) FROM orders WHERE customer = c.id) FROM customers c
SELECT * FROM (SELECT id, name FROM customers) s WHERE s.id = 1
SELECT 'delete from customers; drop table x' AS text
SELECT 'it''s', "name", [name], name FROM customers
SELECT 1 -- ; DELETE FROM customers
SELECT /* ; DROP TABLE x */ 2
SELECT name AS "select", id AS [from], 1 AS "drop table" FROM customers
SELECT "drop", "set" FROM "grant"
SELECT name AS user, id AS value, 1 AS "update", 2 AS "delete" FROM customers
SELECT name, sql FROM sqlite_schema WHERE type = 'table'
SELECT * FROM sqlite_master
SELECT * FROM pragma_table_info('customers')
SELECT m.name, i.name FROM sqlite_schema m, pragma_table_info(m.name) i WHERE m.type = 'table'
SELECT * FROM pragma_index_list('orders')
SELECT * FROM pragma_foreign_key_list('orders')
SELECT * FROM pragma_table_list
PRAGMA table_info(customers)
PRAGMA table_xinfo('customers')
PRAGMA main.index_list(orders)
PRAGMA index_info(orders_customer)
PRAGMA foreign_key_list(orders)
PRAGMA table_list
PRAGMA user_version
PRAGMA integrity_check
PRAGMA quick_check(5)
SELECT count(*) FROM pragma_integrity_check
PRAGMA synchronous
PRAGMA schema_version
PRAGMA page_count
PRAGMA encoding
PRAGMA journal_mode
PRAGMA foreign_keys
PRAGMA collation_list
PRAGMA compile_options
SELECT * FROM contacts
SELECT * FROM notes WHERE notes MATCH 'hello'
SELECT snippet(notes, 0, '<', '>', '…', 5), highlight(notes, 0, '<', '>'), bm25(notes) FROM notes WHERE notes MATCH 'hello' ORDER BY rank
SELECT rowid, _rowid_, oid FROM customers
SELECT sqlite_version(), changes(), total_changes(), last_insert_rowid()
SELECT x'deadbeef', 9223372036854775807, 1e999, 0x1F, 1.5e3, .5
SELECT likelihood(1, 0.5), unlikely(1), likely(1)
SELECT name FROM dbstat LIMIT 1
SELECT * FROM customers ORDER BY CASE WHEN name = 'Ada' THEN 0 ELSE 1 END, 2
SELECT * FROM customers LIMIT 1, 2
SELECT 1 WHERE 1 IS NOT 2 AND NOT 0 AND (1 OR 0) AND NULL IS NULL
SELECT name FROM customers WHERE name = 'a;b' OR name = '--' OR name = '/*'
SELECT count(*) FROM customers AS a CROSS JOIN customers AS b
SELECT soundex('x') IS NOT NULL OR 1 FROM customers WHERE name REGEXP 'A' OR 1 LIMIT 0
`
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.includes('soundex'));
