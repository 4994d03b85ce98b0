/** Statements people write; every one must run. */
export const POSTGRES_QUERIES: readonly string[] = String.raw`
SELECT 1
SELECT 1;
  SELECT name FROM customers ; -- end
/* all of them */ SELECT * FROM customers
TABLE customers
VALUES (1, 'a'), (2, 'b')
(SELECT 1) UNION ALL (SELECT 2) ORDER BY 1
SELECT DISTINCT ON (name) name, email FROM customers ORDER BY name, id
SELECT c.name, count(o.*) FROM customers c LEFT JOIN orders o ON o.customer = c.id GROUP BY c.name HAVING count(*) >= 0
SELECT name, row_number() OVER (PARTITION BY name ORDER BY id), lag(name, 1, 'none') OVER w FROM customers WINDOW w AS (ORDER BY id)
SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM orders
SELECT avg(amount) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM orders
WITH a AS (SELECT 1 AS x), b AS MATERIALIZED (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n
WITH RECURSIVE t(a, b) AS (SELECT 1, 2 UNION SELECT b, a FROM t) SEARCH DEPTH FIRST BY a SET o CYCLE a SET c USING p SELECT * FROM t
EXPLAIN SELECT * FROM customers
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT count(*) FROM customers
EXPLAIN ANALYZE VERBOSE SELECT 1
SELECT data->>'city', data->'tags'->0, data #>> '{a,b}', data ? 'city', data @> '{"city":"Ulm"}' FROM customers
SELECT jsonb_path_query(data, '$.tags[*]') FROM customers
SELECT jsonb_build_object('a', 1, 'b', jsonb_agg(name)) FROM customers
SELECT * FROM jsonb_to_recordset('[{"a":1}]') AS x(a int)
SELECT key, value FROM customers, jsonb_each(data)
SELECT json_build_array(1, 'x'), to_jsonb(now()), row_to_json(c) FROM customers c
SELECT tags[1], tags[1:2], array_length(tags, 1), 'a' = ANY (tags), array_agg(id) FROM customers GROUP BY tags
SELECT ARRAY[1,2,3] || 4, ARRAY[[1,2],[3,4]], ARRAY(SELECT id FROM customers)
SELECT unnest(ARRAY[1,2]) AS u, * FROM unnest(ARRAY['a','b']) WITH ORDINALITY AS t(v, n)
SELECT $$it's; DROP TABLE x$$, $tag$ $$ $tag$
SELECT 'delete from customers; drop table x' AS text
SELECT 'it''s', E'a\nb\'c', U&'\0061', B'101', X'1F'
SELECT 1 -- ; DELETE FROM customers
SELECT /* ; DROP TABLE x; /* nested */ */ 2
SELECT "name", "id" AS "select", 3 AS "from" FROM "public"."customers" AS "table"
SELECT name AS user, id AS order FROM customers
SELECT ROW(1, 'a', NULL), ROW(1,2) = ROW(1,2), (1, 2) < (2, 1)
SELECT (c).name FROM customers c
SELECT (ROW(1,'x')).f1
SELECT c FROM customers c
SELECT c.* FROM customers c
SELECT count(*) FILTER (WHERE amount > 10), sum(amount) FILTER (WHERE amount <= 10) FROM orders
SELECT c.name, l.amount FROM customers c CROSS JOIN LATERAL (SELECT amount FROM orders o WHERE o.customer = c.id LIMIT 1) l
SELECT * FROM customers c LEFT JOIN LATERAL generate_series(1, c.id) g ON true
SELECT name, email, count(*) FROM customers GROUP BY GROUPING SETS ((name), (email), ())
SELECT name, email, grouping(name), count(*) FROM customers GROUP BY ROLLUP (name, email)
SELECT name, count(*) FROM customers GROUP BY CUBE (name, email)
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY customer) FROM orders
SELECT string_agg(name, ', ' ORDER BY name DESC), array_agg(DISTINCT name), bool_and(true), every(true) FROM customers
SELECT CASE WHEN amount > 10 THEN 'big' ELSE 'small' END, CASE customer WHEN 1 THEN 'one' END FROM orders
SELECT COALESCE(NULL, 1), NULLIF(1, 1), GREATEST(1, 2), LEAST(1, 2)
SELECT CAST('1' AS int), '1'::numeric(5,2), int '5', interval '1 day', date '2024-01-01', timestamptz 'now'
SELECT now(), current_date, CURRENT_TIMESTAMP(0), localtime, clock_timestamp(), statement_timestamp()
SELECT date_trunc('month', now()), extract(epoch FROM now()), age(now(), now() - interval '1 year'), now() AT TIME ZONE 'UTC'
SELECT to_char(now(), 'YYYY-MM-DD'), to_date('2024', 'YYYY'), to_timestamp(0), make_date(2024, 1, 2)
SELECT generate_series('2024-01-01'::date, '2024-01-03', '1 day')
SELECT random() >= 0, gen_random_uuid() IS NOT NULL, md5('x'), sha256('x'), encode('x'::bytea, 'base64'), decode('eA==', 'base64')
SELECT upper(name), lower(name), initcap(name), trim(BOTH ' ' FROM name), substring(name FROM 1 FOR 2), position('a' IN name), overlay(name PLACING 'x' FROM 1) FROM customers
SELECT split_part('a,b', ',', 1), regexp_replace('abc', 'b', 'x'), regexp_matches('abc', '(b)'), string_to_array('a,b', ','), format('%s %I', 1, 'x')
SELECT name FROM customers WHERE name LIKE 'A%' OR name ILIKE '%b' ESCAPE '\' OR name ~ '^A' OR name !~* 'x' OR name SIMILAR TO 'A%'
SELECT * FROM customers WHERE id BETWEEN 1 AND 5 AND id IN (1, 2) AND email IS NOT NULL AND id IS DISTINCT FROM 3
SELECT * FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE customer = customers.id) OR id = ANY (ARRAY[1,2]) OR id > ALL (SELECT 0)
SELECT name FROM customers ORDER BY name COLLATE "C" DESC NULLS LAST LIMIT 2 OFFSET 1
SELECT name FROM customers ORDER BY id FETCH FIRST 2 ROWS WITH TIES
SELECT * FROM customers NATURAL JOIN (SELECT 1 AS id) x
SELECT * FROM customers JOIN orders USING (id)
SELECT * FROM customers c FULL OUTER JOIN orders o ON o.customer = c.id
SELECT * FROM customers TABLESAMPLE BERNOULLI (50) REPEATABLE (1)
SELECT to_tsvector('english', 'the quick fox') @@ to_tsquery('fox'), ts_rank(to_tsvector('a'), plainto_tsquery('a')), ts_headline('a b', 'a'::tsquery)
SELECT int4range(1, 5) @> 3, tsrange(now()::timestamp, NULL), upper(int4range(1, 5)), '[1,2]'::int4range && '[2,3]'::int4range
SELECT point(1, 2) <-> point(3, 4), box '((0,0),(1,1))', inet '10.0.0.1' << inet '10.0.0.0/8', '08:00:2b:01:02:03'::macaddr
SELECT xmlelement(name a, 'x'), xmlforest(1 AS b), xpath('/a/text()', '<a>x</a>'), xmlagg(xmlelement(name c)) FROM customers
SELECT * FROM xmltable('/r/i' PASSING ('<r><i n="1"/></r>'::xml) COLUMNS n int PATH '@n')
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
SELECT relname, reltuples FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'
SELECT * FROM pg_catalog.pg_tables WHERE schemaname = 'public'
SELECT indexname, indexdef FROM pg_indexes
SELECT relname, n_live_tup, seq_scan FROM pg_stat_user_tables
SELECT pg_size_pretty(pg_total_relation_size('customers')), pg_relation_size('orders'), pg_database_size(current_database())
SELECT obj_description('customers'::regclass), col_description('customers'::regclass, 1), pg_get_viewdef('totals_view'::regclass)
SELECT format_type(atttypid, atttypmod), attname FROM pg_attribute WHERE attrelid = 'customers'::regclass
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
SELECT current_user, session_user, current_schema, current_database(), version(), current_setting('server_version')
SELECT pg_typeof(1), pg_column_size('x'::text), has_table_privilege('customers', 'SELECT')
SHOW server_version
SHOW search_path
SELECT * FROM totals
SELECT * FROM totals_view
SELECT full_name(1), full_name(c.id) FROM customers c
SELECT name, id AS delete, 1 AS update, 2 AS insert FROM customers
SELECT "drop", "set" FROM "grant"
SELECT a.n FROM (VALUES (1), (2)) AS a(n) WHERE a.n IN (SELECT 1 INTERSECT SELECT 1 EXCEPT SELECT 3)
SELECT width_bucket(5, 0, 10, 5), trunc(1.5), round(2.345, 2), power(2, 3), sqrt(4), mod(5, 3), 5 % 3, 2 ^ 3, |/ 4, @ -1
SELECT 9007199254740993::bigint, 12345678901234567890.123456789::numeric, 'NaN'::float8, 'infinity'::timestamp, '\xdeadbeef'::bytea
SELECT corr(id, id), stddev(id), variance(id), regr_slope(id, id), covar_pop(id, id) FROM customers
SELECT first_value(name) OVER (ORDER BY id), nth_value(name, 2) OVER (ORDER BY id), ntile(2) OVER (ORDER BY id), cume_dist() OVER (ORDER BY id) FROM customers
SELECT 1 IS NULL, NULL IS NOT DISTINCT FROM NULL, true IS NOT FALSE, (1 = 1) IS TRUE
SELECT mood FROM people WHERE mood > 'sad' ORDER BY mood
SELECT similarity('abc', 'abd')
SELECT digest('x', 'sha256')
`
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '');
