/** The statements that read PostgreSQL's definitions; `$1` is the schema or null, `$2` the table. */
export const SCHEMAS = `SELECT nspname, nspname = 'public' FROM pg_catalog.pg_namespace
  WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 2 DESC, 1`;
export const TABLES = `SELECT n.nspname, c.relname, c.relkind, c.reltuples, pg_catalog.obj_description(c.oid, 'pg_class')
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND ($1::text IS NULL OR n.nspname = $1) ORDER BY n.nspname = 'public' DESC, 1, 2`;
export const RELATION = `SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples, pg_catalog.obj_description(c.oid, 'pg_class'),
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid, true) END
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = $2 AND ($1::text IS NULL OR n.nspname = $1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname NOT LIKE 'pg\\_%' ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, 2 LIMIT 1`;
export const COLUMNS = `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid), EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
    AND a.attnum = ANY (i.indkey)), pg_catalog.col_description(a.attrelid, a.attnum), a.attgenerated <> ''
  FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;
export const FOREIGN_KEYS = `SELECT (SELECT pg_catalog.json_agg(a.attname ORDER BY k.n) FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k(num, n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num), fn.nspname, f.relname,
  (SELECT pg_catalog.json_agg(a.attname ORDER BY k.n) FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY k(num, n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num)
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class f ON f.oid = c.confrelid JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
  WHERE c.conrelid = $1::pg_catalog.oid AND c.contype = 'f' ORDER BY c.conname`;
export const INDEXES = `SELECT ic.relname, i.indisunique, (SELECT pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, true) ORDER BY k)
    FROM pg_catalog.generate_series(1, i.indnkeyatts) k)
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid WHERE i.indrelid = $1::pg_catalog.oid ORDER BY 1`;
/** Changes with every definition: the newest row versions of the catalog. */
export const VERSION = `SELECT pg_catalog.md5(pg_catalog.concat((SELECT pg_catalog.sum(pg_catalog.hashtext(c.xmin::text || c.oid::text)) FROM pg_catalog.pg_class c
    WHERE c.relnamespace > 16383 OR c.relnamespace = 2200),
  (SELECT pg_catalog.sum(pg_catalog.hashtext(a.xmin::text || a.attrelid::text || a.attnum::text)) FROM pg_catalog.pg_attribute a WHERE a.attrelid > 16383)))`;
