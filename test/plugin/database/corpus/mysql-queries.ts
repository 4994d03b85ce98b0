/** Statements people write for MariaDB 10.11 and MySQL 8; every one must run. */
export const MYSQL_QUERIES: readonly string[] = String.raw`
SELECT 1
SELECT 1;
  select name from customers ; -- end
SELECT * FROM customers /* ; */ # DELETE FROM customers
SELECT 1 -- ; DELETE FROM customers
(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1
SELECT 1 UNION SELECT 2 LIMIT 1
SELECT id FROM customers INTERSECT SELECT 1
SELECT id FROM customers EXCEPT SELECT 1
VALUES (1, 'a'), (2, 'b')
SELECT DISTINCT name FROM customers ORDER BY name DESC LIMIT 2 OFFSET 1
SELECT name FROM customers LIMIT 1, 2
SELECT c.name, count(o.id) FROM customers c LEFT JOIN orders o ON o.customer = c.id GROUP BY c.name HAVING count(*) >= 0
SELECT customer, sum(amount) FROM orders GROUP BY customer WITH ROLLUP
SELECT * FROM customers c RIGHT JOIN orders o ON o.customer = c.id
SELECT * FROM customers CROSS JOIN orders
SELECT * FROM customers NATURAL JOIN orders
SELECT * FROM customers STRAIGHT_JOIN orders USING (id)
SELECT * FROM customers JOIN orders USING (id)
SELECT * FROM orders USE INDEX (orders_customer) WHERE customer = 1
SELECT * FROM orders FORCE INDEX FOR JOIN (orders_customer)
SELECT * FROM orders IGNORE INDEX (PRIMARY)
SELECT name, row_number() OVER (PARTITION BY name ORDER BY id), lag(name, 1) OVER w FROM customers WINDOW w AS (ORDER BY id)
SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM orders
SELECT rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w, ntile(2) OVER w FROM customers WINDOW w AS (ORDER BY id)
SELECT first_value(name) OVER (ORDER BY id), last_value(name) OVER (ORDER BY id), nth_value(name, 2) OVER (ORDER BY id) FROM customers
WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x + 1 FROM a) SELECT * FROM a, b
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n
WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n
EXPLAIN SELECT * FROM customers
EXPLAIN FORMAT=JSON SELECT * FROM customers WHERE id = 1
EXPLAIN EXTENDED SELECT * FROM customers
DESCRIBE customers
DESC customers name
DESCRIBE SELECT 1
SHOW TABLES
SHOW FULL TABLES LIKE 'c%'
SHOW COLUMNS FROM customers
SHOW FULL COLUMNS FROM customers
SHOW INDEX FROM orders
SHOW KEYS FROM orders
SHOW CREATE TABLE customers
SHOW CREATE VIEW contacts
SHOW TABLE STATUS
SHOW DATABASES
SHOW WARNINGS
SHOW CHARACTER SET
SHOW COLLATION LIKE 'utf8%'
SHOW ENGINES
SHOW TRIGGERS
SHOW COLUMNS FROM customers WHERE Field IN ('id', 'name')
SHOW PROCEDURE STATUS
SHOW CREATE FUNCTION evil
SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'shop'
SELECT DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00', TIME '10:00'
SELECT count(*) AS count, max(id) AS max FROM customers
SELECT @a, @a = 1
SELECT * FROM customers WHERE id IN(1,2)AND name IN('Ada')
SELECT json_extract(data, '$.city'), json_unquote(json_extract(data, '$.city')), json_value(data, '$.city') FROM customers
SELECT json_object('a', 1), json_array(1, 2), json_arrayagg(name), json_objectagg(name, id) FROM customers
SELECT * FROM json_table('[{"a":1}]', '$[*]' COLUMNS (a INT PATH '$.a', n FOR ORDINALITY)) AS t
SELECT json_contains(data, '1', '$.tags'), json_keys(data), json_length(data), json_type(data), json_valid(data) FROM customers
SELECT now(), curdate(), current_timestamp(), CURRENT_DATE, utc_timestamp(), unix_timestamp(), sysdate()
SELECT date_format(now(), '%Y-%m'), date_add(now(), INTERVAL 1 DAY), now() - INTERVAL 1 MONTH, datediff(now(), '2024-01-01'), timestampdiff(DAY, '2024-01-01', now())
SELECT year(now()), month(now()), day(now()), hour(now()), extract(YEAR_MONTH FROM now()), last_day(now()), str_to_date('2024', '%Y'), makedate(2024, 1)
SELECT upper(name), lower(name), length(name), char_length(name), substring(name, 1, 2), substring(name FROM 1 FOR 2), trim(BOTH 'x' FROM name), left(name, 1), right(name, 1) FROM customers
SELECT concat('a', 'b'), concat_ws(',', 'a', 'b'), replace('a', 'a', 'b'), insert('abc', 1, 1, 'x'), lpad('a', 3, '0'), repeat('a', 3), reverse('ab'), position('a' IN 'ba'), locate('a', 'ba')
SELECT abs(-1), round(1.5, 0), ceil(1.2), floor(1.8), truncate(1.55, 1), mod(5, 3), 5 MOD 3, 5 DIV 2, pow(2, 3), rand() >= 0, greatest(1, 2), least(1, 2), pi()
SELECT if(1, 'a', 'b'), ifnull(NULL, 1), nullif(1, 1), coalesce(NULL, 1), isnull(NULL), CASE WHEN 1 THEN 'a' ELSE 'b' END
SELECT count(*), count(DISTINCT name), sum(id), avg(id), min(id), max(id), std(id), variance(id), group_concat(name ORDER BY name SEPARATOR ';') FROM customers
SELECT cast('1' AS SIGNED), cast('1.5' AS DECIMAL(5, 2)), convert('x' USING utf8mb4), cast('2024-01-01' AS DATE), cast(1 AS CHAR(10)), BINARY 'a'
SELECT md5('x'), sha1('x'), sha2('x', 256), crc32('x'), hex('a'), unhex('61'), to_base64('x'), from_base64('eA=='), uuid() IS NOT NULL, inet_aton('10.0.0.1')
SELECT * FROM customers WHERE name LIKE 'A%' ESCAPE '|' OR name REGEXP '^B' OR name RLIKE 'x' OR name NOT LIKE '%;%'
SELECT * FROM customers WHERE id BETWEEN 1 AND 3 AND id IN (1, 2) AND id NOT IN (SELECT 9) AND email IS NOT NULL AND email <=> 'x' IS NOT NULL
SELECT * FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE customer = customers.id) OR id = ANY (SELECT 1) OR id > ALL (SELECT 0)
SELECT * FROM customers WHERE (id, name) = (1, 'Ada') OR ROW(1, 2) = ROW(1, 2)
SELECT (SELECT count(*) FROM orders), (SELECT max(amount) FROM orders WHERE customer = c.id) FROM customers c
SELECT * FROM (SELECT id, name FROM customers) AS s WHERE s.id = 1
SELECT 'delete from customers; drop table x' AS text, "insert into x" AS other
SELECT 'it''s', 'it\'s', "a\"b", 'a' 'b', N'x', _utf8mb4'x', x'61', 0x61, b'101', 1e3, .5, 1.5
SELECT ${'`'}name${'`'}, ${'`'}customers${'`'}.${'`'}id${'`'} AS ${'`'}select${'`'} FROM ${'`'}shop${'`'}.${'`'}customers${'`'}
SELECT ${'`'}drop${'`'}, ${'`'}set${'`'} FROM ${'`'}grant${'`'}
SELECT name AS user, id AS value, 1 AS ${'`'}update${'`'} FROM customers
SELECT customers.name, shop.customers.id FROM shop.customers
SELECT * FROM contacts
SELECT table_name, table_rows FROM information_schema.tables WHERE table_schema = 'shop'
SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = database()
SELECT * FROM information_schema.key_column_usage WHERE table_schema = 'shop'
SELECT * FROM information_schema.statistics WHERE table_schema = 'shop'
SELECT @@version, @@session.sql_mode, @@time_zone, @@max_allowed_packet
SELECT version(), database(), user(), current_user(), connection_id(), found_rows(), row_count(), last_insert_id()
SELECT * FROM customers WHERE match(name) against ('Ada' IN BOOLEAN MODE)
SELECT name COLLATE utf8mb4_bin FROM customers ORDER BY name COLLATE utf8mb4_general_ci
SELECT 1 IS TRUE, NULL IS NULL, NOT 1, 1 XOR 0, 1 && 0, 1 || 0, !1, ~1, 1 << 2, 7 & 3, 6 ^ 2, -1
SELECT st_astext(point(1, 2)), st_distance(point(0, 0), point(3, 4)), st_x(st_geomfromtext('POINT(1 2)'))
SELECT SQL_NO_CACHE name FROM customers
SELECT SQL_CALC_FOUND_ROWS name FROM customers LIMIT 1
SELECT /* comment */ 1 /* another */
SELECT 1 FROM dual
ANALYZE SELECT * FROM customers
ANALYZE FORMAT=JSON SELECT 1
SELECT begin, reset, plugin, handler, open FROM odd WHERE begin > 1 AND plugin IS NULL ORDER BY reset
SELECT '/*! x */', '1.INTO', 0x1F, 0b11, 1e5, 1., .5
SELECT * FROM customers PARTITION (p0) WHERE 0 UNION SELECT * FROM customers
SELECT interval(23, 1, 15, 17), elt(1, 'a'), field('a', 'a'), find_in_set('a', 'a,b'), make_set(1, 'a'), export_set(5, 'Y', 'N')
SELECT median(amount) OVER (PARTITION BY customer), percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) OVER (PARTITION BY customer) FROM orders
SELECT 5--1, 5 - -1, 'a'--'b'
SELECT moods FROM people WHERE moods = 'ok' ORDER BY moods
SELECT name, id FROM customers ORDER BY field(name, 'Bob', 'Ada'), 2 DESC
SELECT time, date, value, status, type, level, year FROM words
`
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.includes('PARTITION (p0)'));
