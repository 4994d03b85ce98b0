/** What a PostgreSQL server's own catalog says about functions, operators and views: the ground of the allow-list. */

import type { Access } from '../../engines/engine.ts';
import { type Policy, tableDenied } from '../policy.ts';

/** Rows as objects of text, from one statement. */
export type Lookup = (sql: string) => Promise<readonly (readonly (string | null)[])[]>;

interface Overloads {
  readonly schema: string;
  readonly calm: boolean;
  readonly definer: boolean;
  readonly oneArgument: boolean;
  readonly languages: readonly string[];
  readonly extension: string | null;
  /** Bodies of functions in SQL, to be checked like statements. */
  readonly bodies: readonly string[];
  readonly aggregate: boolean;
}

/** A snapshot of a server's catalog. */
export interface Catalog {
  readonly functions: ReadonlyMap<string, readonly Overloads[]>;
  readonly types: ReadonlySet<string>;
  readonly operators: ReadonlyMap<string, readonly { schema: string; function: string; functionSchema: string }[]>;
  /** Views and the tables they read, by `schema.name`. */
  readonly views: ReadonlyMap<string, readonly string[]>;
  /** Partitions and inheritance: child to parents and parent to children, by `schema.name`. */
  readonly kin: ReadonlyMap<string, readonly string[]>;
  /** Tables that exist, by name alone, with their schemas. */
  readonly relations: ReadonlyMap<string, readonly string[]>;
  /** Every column name of every ordinary table, with the tables that have it. */
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
  /** Functions that run though no statement names them, as `[schema, name]`: behind `schema.view` (its text, policies), `type name` (casts, checks), `function name` (defaults). */
  readonly behind: ReadonlyMap<string, readonly (readonly [string, string])[]>;
}

/** Extensions whose functions follow their declared volatility and run no SQL text. */
const EXTENSIONS = new Set(
  `btree_gin btree_gist citext cube earthdistance fuzzystrmatch hstore intarray isn ltree pg_trgm pgcrypto postgis seg tsm_system_rows tsm_system_time unaccent uuid-ossp vector h3 pg_uuidv7`.split(
    /\s+/u,
  ),
);
/** Volatile, but only because their answer changes. */
const HARMLESS = new Set(
  `random random_normal gen_random_uuid uuidv4 uuidv7 clock_timestamp timeofday pg_relation_size pg_table_size pg_indexes_size
  pg_total_relation_size pg_database_size pg_is_in_recovery current_query pg_timezone_names uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4
  gen_random_bytes gen_salt array_shuffle array_sample pg_current_wal_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp`.split(
    /\s+/u,
  ),
);
/** Stable or immutable by declaration, and yet they run SQL text, read other sessions or files, or spend transaction numbers. */
const HARMFUL = new Set(
  `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml
  schema_to_xmlschema schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema cursor_to_xml
  cursor_to_xmlschema ts_stat ts_rewrite crosstab crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table xslt_process dblink
  pg_stat_get_activity pg_stat_get_backend_activity pg_show_all_settings pg_show_all_file_settings pg_hba_file_rules pg_ident_file_mappings
  pg_config pg_get_backend_memory_contexts pg_stat_get_wal_receiver txid_current pg_current_xact_id pg_current_logfile pg_read_file
  pg_read_binary_file pg_ls_dir pg_stat_file pg_sleep pg_sleep_for pg_sleep_until set_config lo_import lo_export lo_get loread nextval setval
  currval lastval pg_listening_channels pg_prepared_statement pg_cursor pg_stat_get_progress_info pg_stat_statements pg_options_to_table
  pg_tablespace_location inet_server_addr pg_postmaster_start_time_file pg_get_shmem_allocations current_setting_all`.split(/\s+/u),
);

const FUNCTIONS = `SELECT n.nspname, p.proname, bool_and(p.provolatile <> 'v'), bool_or(p.prosecdef), bool_or(p.pronargs = 1),
  string_agg(DISTINCT l.lanname::text, ','), min(e.extname::text), bool_or(p.prokind = 'a'),
  coalesce(json_agg(p.prosrc) FILTER (WHERE l.lanname = 'sql' AND n.nspname <> 'pg_catalog'), '[]')
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  GROUP BY n.nspname, p.proname`;
const OPERATORS = `SELECT o.oprname, n.nspname, p.proname, pn.nspname FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace WHERE n.nspname <> 'pg_catalog'`;
const TYPES = `SELECT DISTINCT t.typname FROM pg_catalog.pg_type t WHERE t.typrelid = 0 AND t.typname NOT LIKE '\\_%'`;
// Of the catalog's own tables no dependency is kept: those that hold secrets are looked for in the view's tree.
const VIEWS = `SELECT DISTINCT vn.nspname || '.' || v.relname, tn.nspname || '.' || t.relname FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class v ON v.oid = r.ev_class JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  JOIN pg_catalog.pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
  WHERE v.relkind IN ('v', 'm') AND vn.nspname NOT IN ('pg_catalog', 'information_schema')
  UNION SELECT vn.nspname || '.' || v.relname, 'pg_catalog.' || t.relname FROM pg_catalog.pg_class t
  JOIN (SELECT ev_class, ev_action::text AS tree FROM pg_catalog.pg_rewrite WHERE oid >= 16384 OFFSET 0) r ON r.tree LIKE '%:relid ' || t.oid || ' %'
  JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
  JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace AND vn.nspname NOT IN ('pg_catalog', 'information_schema')
  WHERE t.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND t.relname IN ('pg_authid', 'pg_shadow', 'pg_largeobject', 'pg_user_mapping',
    'pg_user_mappings', 'pg_statistic', 'pg_stats', 'pg_subscription')`;
const KIN = `SELECT cn.nspname || '.' || c.relname, pn.nspname || '.' || p.relname FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
  JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace`;
const RELATIONS = `SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname <> 'pg_catalog' AND n.nspname NOT LIKE 'pg\\_toast%'`;
const COLUMNS = `SELECT DISTINCT a.attname, c.relname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'f', 'p')`;

const BEHIND = `WITH behind (what, oid) AS (
    SELECT n.nspname || '.' || c.relname, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
      JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind = 'v' JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION SELECT n.nspname || '.' || c.relname, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_policy p ON p.oid = d.objid
      JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION SELECT 'type ' || t.typname, c.castfunc FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type t ON t.oid = c.casttarget WHERE c.oid >= 16384
    UNION SELECT 'type ' || t.typname, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint c ON c.oid = d.objid
      JOIN pg_catalog.pg_type t ON t.oid = c.contypid
      WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    UNION SELECT 'function ' || p.proname, d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass)
  SELECT b.what, n.nspname, p.proname FROM behind b JOIN pg_catalog.pg_proc p ON p.oid = b.oid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace`;

/** Reads the catalog: eight statements, about 15 ms on a server at hand. */
export async function readCatalog(lookup: Lookup): Promise<Catalog> {
  const functions = new Map<string, Overloads[]>();
  for (const [schema, name, calm, definer, one, languages, extension, aggregate, bodies] of await lookup(FUNCTIONS)) {
    add(functions, name ?? '', {
      schema: schema ?? '',
      calm: calm === 't',
      definer: definer === 't',
      oneArgument: one === 't',
      languages: (languages ?? '').split(','),
      extension: extension ?? null,
      bodies: JSON.parse(bodies ?? '[]') as string[],
      aggregate: aggregate === 't',
    });
  }
  const operators = new Map<string, { schema: string; function: string; functionSchema: string }[]>();
  for (const [name, schema, called, functionSchema] of await lookup(OPERATORS))
    add(operators, name ?? '', { schema: schema ?? '', function: called ?? '', functionSchema: functionSchema ?? '' });
  const views = new Map<string, string[]>();
  for (const [view, table] of await lookup(VIEWS)) add(views, view ?? '', table ?? '');
  const kin = new Map<string, string[]>();
  for (const [child, parent] of await lookup(KIN)) {
    add(kin, child ?? '', parent ?? '');
    add(kin, parent ?? '', child ?? '');
  }
  const relations = new Map<string, string[]>();
  for (const [schema, name] of await lookup(RELATIONS)) add(relations, name ?? '', schema ?? '');
  const types = new Set((await lookup(TYPES)).map(([name]) => name ?? ''));
  const columns = new Map<string, Set<string>>();
  for (const [name, table] of await lookup(COLUMNS)) columns.set(name ?? '', (columns.get(name ?? '') ?? new Set()).add(table ?? ''));
  const behind = new Map<string, (readonly [string, string])[]>();
  for (const [what, schema, name] of await lookup(BEHIND)) add(behind, what ?? '', [schema ?? '', name ?? ''] as const);
  return { functions, operators, views, kin, relations, types, columns, behind };
}

function add<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Why a function may not be called; undefined when it may. `body` checks a function written in SQL. */
export function functionProblem(
  catalog: Catalog,
  path: readonly string[],
  rules: { readonly allow: readonly string[]; readonly deny: readonly string[] },
  body: (sql: string) => void,
): string | undefined {
  const name = path.at(-1) ?? '';
  const schema = path.length > 1 ? path.at(-2) : undefined;
  const full = path.join('.');
  if (rules.deny.includes(full.toLowerCase()) || rules.deny.includes(name.toLowerCase()))
    return `the function ${full}, which the settings deny`;
  if (HARMFUL.has(name)) return `the function ${full}`;
  const overloads = (catalog.functions.get(name) ?? []).filter((one) => schema === undefined || one.schema === schema);
  if (overloads.length === 0) {
    if (schema === undefined && catalog.types.has(name)) return undefined;
    return `the function ${full}, which this database does not have`;
  }
  for (const one of overloads) {
    const where = `${one.schema}.${name}`;
    if (rules.allow.includes(where.toLowerCase()) || rules.allow.includes(name.toLowerCase())) continue;
    if (one.schema === 'pg_catalog' || (one.extension !== null && EXTENSIONS.has(one.extension))) {
      if (one.calm || HARMLESS.has(name)) continue;
      return `the function ${where}, which is volatile`;
    }
    if (!one.calm) return `the function ${where}, which is volatile`;
    if (one.schema === 'information_schema') continue;
    if (one.definer) return `the function ${where}, which runs with its owner's rights`;
    if (one.aggregate || one.languages.some((language) => language !== 'sql') || one.bodies.some((text) => text.trim() === ''))
      return `the function ${where}, whose inside cannot be checked`;
    for (const text of one.bodies) body(text);
  }
  return undefined;
}

/**
 * Why what stands behind a view, a type or a function may not run; undefined when it may. A function that writes or runs with its owner's rights is
 * refused wherever it hides; one that only cannot be read keeps to the transaction and the role below.
 */
export function hiddenProblem(catalog: Catalog, what: string, allow: readonly string[]): string | undefined {
  for (const [schema, name] of catalog.behind.get(what) ?? []) {
    if (allow.includes(`${schema}.${name}`.toLowerCase()) || allow.includes(name.toLowerCase())) continue;
    const found = (catalog.functions.get(name) ?? []).find((one) => one.schema === schema);
    if (found === undefined || (found.extension !== null && EXTENSIONS.has(found.extension)) || HARMLESS.has(name)) continue;
    if (HARMFUL.has(name) || found.definer || !found.calm)
      return `the function ${schema}.${name}, which ${found.definer ? "runs with its owner's rights" : 'may write'}`;
    const deeper = hiddenProblem({ ...catalog, behind: without(catalog.behind, what) }, `function ${name}`, allow);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

/** Whether a name after a dot may be a call (`row.function`) of a function that is not allowed. */
export function dottedCall(catalog: Catalog, name: string): boolean {
  if (catalog.columns.has(name)) return false;
  return HARMFUL.has(name) || (catalog.functions.get(name) ?? []).some((one) => one.oneArgument && !one.calm && !HARMLESS.has(name));
}

/** What a check needs to know. */
export interface Rules {
  readonly catalog: Catalog;
  readonly policy: Policy;
  readonly access: Access;
}

/** Whether the rules hide a relation or what it reads. A list of what is allowed asks for the table itself and what a view reads, not for partitions. */
export function relationHidden(catalog: Catalog, policy: Policy, schema: string | undefined, name: string): string | undefined {
  const { allowTables: _tables, allowSchemas: _schemas, ...denials } = policy;
  const own = schema === undefined ? name : `${schema}.${name}`;
  const kin = new Set(catalog.kin.get(own) ?? []);
  for (const one of kin) for (const next of catalog.kin.get(one) ?? []) if (next !== own) kin.add(next);
  for (const reached of reach(catalog, schema, name)) {
    const dot = reached.indexOf('.');
    const [room, table] = dot < 0 ? [undefined, reached] : [reached.slice(0, dot), reached.slice(dot + 1)];
    if (tableDenied(kin.has(reached) ? denials : policy, room, table)) return reached;
  }
  return undefined;
}

/** A relation and everything it reads or shares rows with, as `schema.name`. */
export function reach(catalog: Catalog, schema: string | undefined, name: string): ReadonlySet<string> {
  const found = new Set([schema === undefined ? name : `${schema}.${name}`]);
  for (const one of found) for (const next of [...(catalog.views.get(one) ?? []), ...(catalog.kin.get(one) ?? [])]) found.add(next);
  return found;
}
