/** Uses of protected columns (`customers.email` masked, `customers.ssn` denied) that must be refused on SQLite and PostgreSQL. */
export const MASKED_ATTACKS: readonly string[] = `
SELECT * FROM customers
SELECT c.* FROM customers c
SELECT ssn FROM customers
SELECT id, ssn FROM customers
SELECT count(*) FROM customers WHERE ssn LIKE '1%'
SELECT upper(email) FROM customers
SELECT email || '' FROM customers
SELECT (email) || id FROM customers
SELECT length(email) FROM customers
SELECT substr(email, 1, 1) FROM customers
SELECT CAST(email AS TEXT) FROM customers
SELECT count(email) FROM customers
SELECT min(email) FROM customers
SELECT count(DISTINCT email) FROM customers
SELECT CASE WHEN email LIKE 'a%' THEN 1 END FROM customers
SELECT email = 'ada@example.test' FROM customers
SELECT email IS NULL FROM customers
SELECT id FROM customers WHERE email LIKE 'a%'
SELECT id FROM customers WHERE email = 'ada@example.test'
SELECT id FROM customers WHERE customers.email > 'a'
SELECT id FROM customers c WHERE c.email IN ('ada@example.test')
SELECT id FROM customers c WHERE (c.email) IS NOT NULL
SELECT id FROM customers WHERE id IN (SELECT id FROM customers WHERE email LIKE 'a%')
SELECT email FROM customers WHERE email LIKE 'a%'
SELECT email AS e FROM customers ORDER BY e
SELECT email FROM customers ORDER BY email
SELECT email FROM customers ORDER BY 1
SELECT id, email FROM customers ORDER BY 2 DESC
SELECT id, email FROM customers ORDER BY id, 2
SELECT id FROM customers ORDER BY email
SELECT email FROM customers GROUP BY email
SELECT email FROM customers GROUP BY 1
SELECT count(*) FROM customers GROUP BY email
SELECT id FROM customers GROUP BY id HAVING min(email) > 'a'
SELECT DISTINCT email FROM customers
SELECT email FROM customers UNION SELECT 'ada@example.test'
SELECT email FROM customers UNION ALL SELECT 'x'
SELECT email FROM customers EXCEPT SELECT 'ada@example.test'
SELECT email FROM customers INTERSECT SELECT 'ada@example.test'
SELECT 'x' UNION SELECT email FROM customers
SELECT e FROM (SELECT email AS e FROM customers) s
SELECT e FROM (SELECT email AS e FROM customers) s WHERE e LIKE 'a%'
SELECT s.email FROM (SELECT email FROM customers) s ORDER BY 1
SELECT * FROM (SELECT email FROM customers) s
SELECT * FROM (SELECT * FROM customers) s
SELECT s.id FROM (SELECT * FROM customers) s
WITH s AS (SELECT email FROM customers) SELECT * FROM s
WITH s AS (SELECT email AS e FROM customers) SELECT count(*) FROM s WHERE e > 'a'
WITH s(e) AS (SELECT email FROM customers) SELECT e FROM s
SELECT (SELECT email FROM customers LIMIT 1)
SELECT id, (SELECT email FROM customers c2 WHERE c2.id = c.id) FROM customers c
SELECT 1 WHERE EXISTS (SELECT 1 FROM customers WHERE email LIKE 'ada%')
SELECT 1 WHERE 'ada@example.test' IN (SELECT email FROM customers)
SELECT a.id FROM customers a JOIN customers b ON a.email = b.email
SELECT a.id FROM customers a JOIN customers b USING (email)
SELECT a.id FROM customers a NATURAL JOIN customers b
SELECT row_number() OVER (ORDER BY email) FROM customers
SELECT rank() OVER (PARTITION BY email ORDER BY id) FROM customers
SELECT first_value(email) OVER (ORDER BY id) FROM customers
SELECT lag(email) OVER (ORDER BY id) FROM customers
SELECT coalesce(email, 'x') FROM customers
SELECT nullif(email, 'ada@example.test') FROM customers
SELECT replace(email, 'a', 'b') FROM customers
SELECT EMAIL || '' FROM CUSTOMERS
SELECT "email" || '' FROM "customers"
SELECT customers.email || '' FROM customers
SELECT email FROM contacts
SELECT * FROM contacts
SELECT id FROM contacts WHERE email LIKE 'a%'
SELECT email FROM customers LIMIT (SELECT count(*) FROM customers WHERE email LIKE 'a%')
SELECT id FROM customers LIMIT (SELECT length(email) FROM customers LIMIT 1)
SELECT max(id), email FROM customers GROUP BY 2
VALUES ((SELECT email FROM customers LIMIT 1))
SELECT email e FROM customers WHERE id = 1 ORDER BY e
SELECT o.id FROM orders o WHERE o.customer IN (SELECT id FROM customers WHERE ssn IS NOT NULL)
SELECT * FROM orders o JOIN customers c ON c.id = o.customer
SELECT name FROM vault
SELECT * FROM vault
SELECT count(*) FROM vault
SELECT 1 FROM customers, vault
SELECT id FROM customers WHERE id IN (SELECT 1 FROM vault)
WITH v AS (SELECT 1 FROM vault) SELECT * FROM v
`
  .split('\n')
  .filter((line) => line !== '');

/** Further ones, in PostgreSQL's own words. */
export const MASKED_POSTGRES: readonly string[] = `
TABLE customers
SELECT c FROM customers c
SELECT customers FROM customers
SELECT c::text FROM customers c
SELECT (c).email FROM customers c
SELECT (c).* FROM customers c
SELECT ROW(c.*) FROM customers c
SELECT row_to_json(c) FROM customers c
SELECT to_jsonb(customers) FROM customers
SELECT jsonb_agg(c) FROM customers c
SELECT array_agg(c) FROM customers c
SELECT json_agg(email) FROM customers
SELECT email::text FROM customers
SELECT email::int FROM customers
SELECT email COLLATE "C" FROM customers
SELECT ARRAY[email] FROM customers
SELECT ARRAY(SELECT email FROM customers)
SELECT string_agg(email, ',') FROM customers
SELECT x.b FROM customers x(a, b, c)
SELECT c3 FROM customers AS c(c1, c2, c3)
SELECT j.e FROM (customers JOIN orders ON true) AS j(a, b, e)
SELECT DISTINCT ON (email) id FROM customers
SELECT id FROM customers c, LATERAL (SELECT c.email AS x) l
SELECT x FROM customers, LATERAL unnest(ARRAY[email]) x
SELECT id FROM customers ORDER BY (email)
SELECT email FROM customers FETCH FIRST (SELECT length(email) FROM customers LIMIT 1) ROWS ONLY
SELECT count(*) FILTER (WHERE email LIKE 'a%') FROM customers
SELECT public.customers.email || '' FROM public.customers
SELECT customers.*::text FROM customers
SELECT count(customers) FROM customers
SELECT count(customers.*) FROM customers
SELECT full_name(id), email || '' FROM customers
SELECT most_common_vals FROM pg_stats WHERE tablename = 'customers'
SELECT * FROM pg_statistic
SELECT query_to_xml('SELECT email FROM customers', true, false, '')
SELECT table_to_xml('customers', true, false, '')
SELECT leak()
SELECT j FROM (customers JOIN orders ON true) AS j
SELECT j::text FROM (customers c JOIN orders o ON true) AS j
SELECT j.* FROM (customers JOIN orders ON true) AS j
SELECT to_jsonb(j) FROM (orders CROSS JOIN customers) AS j
SELECT c.id FROM customers email, LATERAL (SELECT email.id) c, LATERAL (SELECT email) d
SELECT leak(1)
EXPLAIN SELECT * FROM customers WHERE email = 'x'
EXPLAIN ANALYZE SELECT id FROM customers WHERE email LIKE 'a%'
SELECT email FROM parent
SELECT * FROM child
SELECT email || '' FROM child
`
  .split('\n')
  .filter((line) => line !== '');

/** What must still work beside protected columns. */
export const MASKED_QUERIES: readonly string[] = `
SELECT id, name FROM customers
SELECT id, email FROM customers
SELECT email FROM customers
SELECT c.email FROM customers c WHERE c.id = 1
SELECT customers.email AS mail, name FROM customers ORDER BY name
SELECT count(*) FROM customers
SELECT name, count(*) FROM customers GROUP BY name
SELECT c.name, o.amount FROM customers c JOIN orders o ON o.customer = c.id
SELECT o.* FROM orders o
SELECT * FROM orders
SELECT * FROM (SELECT id, name FROM customers) s
SELECT name FROM customers WHERE id IN (SELECT customer FROM orders)
WITH s AS (SELECT id, name FROM customers) SELECT * FROM s ORDER BY 1
SELECT name AS n FROM customers ORDER BY n LIMIT 2
`
  .split('\n')
  .filter((line) => line !== '');
