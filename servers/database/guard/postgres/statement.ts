/** Which statements PostgreSQL may be given: the tree is walked everywhere, and what is not named here is refused. */
import { restricts } from '../policy.ts';
import { refusal } from '../refusal.ts';
import { type Node, names, parseOne, unwrap, walk } from './ast.ts';
import { dottedCall, functionProblem, hiddenProblem, type Rules, reach, relationHidden } from './catalog.ts';
import { checkColumns } from './columns.ts';

const READING = new Set(
  `SelectStmt ResTarget ColumnRef A_Star A_Const A_Expr BoolExpr NullTest BooleanTest FuncCall TypeCast TypeName String Integer Float Boolean
  BitString List SubLink CaseExpr CaseWhen CoalesceExpr MinMaxExpr RowExpr A_ArrayExpr A_Indirection A_Indices RangeVar RangeSubselect
  RangeFunction RangeTableSample RangeTableFunc RangeTableFuncCol JoinExpr SortBy WindowDef GroupingSet GroupingFunc CommonTableExpr
  CollateClause ParamRef SQLValueFunction NamedArgExpr XmlExpr XmlSerialize JsonFuncExpr JsonOutput JsonReturning JsonFormat JsonValueExpr
  JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor JsonObjectAgg JsonArrayAgg JsonAggConstructor JsonKeyValue
  JsonIsPredicate JsonTable JsonTableColumn JsonTablePathSpec JsonBehavior JsonArgument JsonParseExpr JsonScalarExpr JsonSerializeExpr
  ColumnDef`.split(/\s+/u),
);
const WRITING = new Set(
  'InsertStmt UpdateStmt DeleteStmt MergeStmt MergeWhenClause OnConflictClause InferClause SetToDefault MultiAssignRef IndexElem'.split(
    ' ',
  ),
);
const WRITES = new Set(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);
const DEFINING = new Set(
  `CreateStmt AlterTableStmt AlterTableCmd DropStmt IndexStmt ViewStmt CommentStmt RenameStmt TruncateStmt CreateSchemaStmt CreateEnumStmt
  AlterEnumStmt CreateTableAsStmt RefreshMatViewStmt CreateSeqStmt AlterSeqStmt Constraint DefElem IndexElem PartitionSpec PartitionElem
  PartitionBoundSpec PartitionCmd AlterObjectSchemaStmt TypeName ColumnDef IntoClause TableLikeClause CreateDomainStmt CompositeTypeStmt
  ReplicaIdentityStmt ObjectWithArgs`.split(/\s+/u),
);
const DEFINITIONS = new Set(
  `CreateStmt AlterTableStmt DropStmt IndexStmt ViewStmt CommentStmt RenameStmt TruncateStmt CreateSchemaStmt CreateEnumStmt AlterEnumStmt
  CreateTableAsStmt RefreshMatViewStmt CreateSeqStmt AlterSeqStmt AlterObjectSchemaStmt CreateDomainStmt CompositeTypeStmt`.split(/\s+/u),
);
const EXPLAIN_OPTIONS = new Set(
  'analyze verbose costs buffers format timing summary settings wal memory serialize generic_plan'.split(' '),
);
const SHOWN = new Set(
  `server_version server_version_num search_path timezone datestyle intervalstyle client_encoding server_encoding transaction_isolation
  transaction_read_only statement_timeout lc_collate lc_ctype standard_conforming_strings max_connections work_mem default_transaction_read_only
  integer_datetimes in_hot_standby is_superuser session_authorization role shared_buffers block_size lock_timeout
  maintenance_work_mem effective_cache_size random_page_cost enable_seqscan jit extra_float_digits bytea_output application_name`.split(
    /\s+/u,
  ),
);
/** Catalog tables and views that hold definitions and counters, not secrets, samples of values or other sessions. */
const CATALOG = new Set(
  `pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_cast pg_class pg_collation pg_constraint pg_conversion pg_database pg_depend
  pg_description pg_enum pg_event_trigger pg_extension pg_foreign_table pg_index pg_indexes pg_inherits pg_language pg_matviews pg_namespace
  pg_opclass pg_operator pg_opfamily pg_partitioned_table pg_policies pg_policy pg_proc pg_publication_tables pg_range pg_rewrite pg_roles
  pg_rules pg_sequence pg_sequences pg_shdescription pg_stat_all_indexes pg_stat_all_tables pg_stat_database pg_stat_user_functions
  pg_stat_user_indexes pg_stat_user_tables pg_stat_sys_tables pg_statio_all_indexes pg_statio_all_tables pg_statio_user_indexes
  pg_statio_user_sequences pg_statio_user_tables pg_stat_bgwriter pg_statistic_ext pg_tables pg_tablespace pg_timezone_abbrevs
  pg_timezone_names pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_views pg_available_extensions
  pg_settings pg_shdepend pg_init_privs pg_default_acl pg_auth_members pg_group pg_available_extension_versions pg_stat_archiver pg_stat_wal pg_stat_slru pg_cursors pg_transform
  pg_publication pg_publication_rel pg_stat_xact_user_tables pg_stat_xact_all_tables pg_stat_checkpointer pg_stat_io pg_statistic_ext pg_seclabels`.split(
    /\s+/u,
  ),
);
/** What no view may show, whoever made it: a view reads with its owner's rights. */
const SECRETS = new Set(
  'authid shadow largeobject user_mapping user_mappings statistic stats subscription'.split(' ').map((name) => `pg_catalog.pg_${name}`),
);
const SAMPLING = new Set(['bernoulli', 'system', 'system_rows', 'system_time']);

/** What a checked statement is. */
export interface Checked {
  readonly kind: 'select' | 'explain' | 'show' | 'write' | 'define';
  readonly tree: Node;
}

/**
 * Checks one statement.
 * @throws SignalboxError `SBX_DB_REFUSED` naming the first thing that is not allowed, `SBX_DB_SQL` for a syntax error
 */
export function checkPostgres(sql: string, rules: Rules, depth = 0): Checked {
  if (depth > 4) throw refusal('Functions in SQL call each other too deeply to be checked.');
  const tree = parseOne(sql);
  const [name, inside] = unwrap(tree) ?? ['nothing', {}];
  const kind = kindOf(name, inside);
  if (kind === undefined) throw refusal(`A ${spoken(name)} is not a reading statement.`);
  if (kind === 'write' && rules.access === 'read') throw refusal(`A ${spoken(name)} writes, and this connection only reads.`);
  if (kind === 'define' && rules.access !== 'admin') throw refusal(`A ${spoken(name)} changes definitions; that needs access "admin".`);
  const allowed = new Set(READING);
  if (kind === 'explain') for (const one of ['ExplainStmt', 'DefElem']) allowed.add(one);
  if (kind === 'show') allowed.add('VariableShowStmt');
  if (kind === 'write' || kind === 'define') for (const one of WRITING) allowed.add(one);
  if (kind === 'define') for (const one of DEFINING) allowed.add(one);
  checkNodes(tree, allowed, rules, kind, depth);
  if (rules.policy.columns.size > 0 && kind !== 'show') checkColumns(tree, rules, depth > 0);
  return { kind, tree };
}

function kindOf(name: string, inside: Node): Checked['kind'] | undefined {
  if (name === 'SelectStmt') return hasWriting(inside) ? 'write' : inside['intoClause'] === undefined ? 'select' : 'define';
  if (name === 'ExplainStmt') {
    const [asked] = unwrap(inside['query']) ?? [];
    if (asked !== 'SelectStmt' || hasWriting(inside)) throw refusal('EXPLAIN is for SELECT here: with ANALYZE it would run the statement.');
    for (const option of (inside['options'] as readonly unknown[] | undefined) ?? []) {
      const defname = String(unwrap(option)?.[1]['defname'] ?? '').toLowerCase();
      if (!EXPLAIN_OPTIONS.has(defname)) throw refusal(`EXPLAIN has no option ${defname} here.`);
    }
    return 'explain';
  }
  if (name === 'VariableShowStmt') {
    const variable = String(inside['name']).toLowerCase();
    if (!SHOWN.has(variable)) throw refusal(`SHOW ${variable} is not among the settings that may be shown.`);
    return 'show';
  }
  if (name === 'InsertStmt' || name === 'UpdateStmt' || name === 'DeleteStmt' || name === 'MergeStmt') return 'write';
  return DEFINITIONS.has(name) ? 'define' : undefined;
}

function hasWriting(node: Node): boolean {
  let found = false;
  walk(node, (name) => {
    if (name === 'InsertStmt' || name === 'UpdateStmt' || name === 'DeleteStmt' || name === 'MergeStmt') found = true;
  });
  return found;
}

function checkNodes(tree: Node, allowed: ReadonlySet<string>, rules: Rules, kind: Checked['kind'], depth: number): void {
  const ctes = new Set<string>();
  walk(tree, (name, node) => {
    if (name === 'CommonTableExpr') ctes.add(String(node['ctename']));
  });
  walk({ root: tree }, (name, node) => {
    if (/^[A-Z]/u.test(name) && name !== 'LockingClause' && !allowed.has(name)) throw refusal(`It contains a ${spoken(name)}.`);
    if (name === 'LockingClause' && kind !== 'write') throw refusal('FOR UPDATE and FOR SHARE take locks.');
    if (name === 'intoClause' && kind !== 'define') throw refusal('SELECT INTO creates a table.');
    if (name === 'RangeVar' || name === 'relation' || name === 'rel') checkRelation(node, rules, ctes);
    if (WRITES.has(name)) checkTarget(node['relation']);
    if (name === 'FuncCall') checkCall(names(node['funcname']), rules, depth);
    if (name === 'TypeName' || name === 'typeName') checkHidden(`type ${names(node['names']).at(-1) ?? ''}`, 'The type', rules);
    if (name === 'A_Expr') checkOperator(names(node['name']), rules, depth);
    if (name === 'SubLink' && node['operName'] !== undefined) checkOperator(names(node['operName']), rules, depth);
    if (name === 'SortBy' && node['useOp'] !== undefined) checkOperator(names(node['useOp']), rules, depth);
    if (name === 'ColumnRef') checkDotted(names(node['fields']), rules);
    if (name === 'A_Indirection') checkDotted(['', ...names(node['indirection'])], rules);
    if (name === 'RangeTableSample') {
      const method = names(node['method']).at(-1) ?? '';
      if (!SAMPLING.has(method)) throw refusal(`TABLESAMPLE ${method} is not a known method.`);
    }
    if (
      name === 'DefElem' &&
      kind === 'define' &&
      /^(?:language|as|security|owner|tablespace|server|program)$/iu.test(String(node['defname']))
    )
      throw refusal(`The option ${String(node['defname'])} is not allowed.`);
    if (name === 'AlterTableCmd' && /Owner|Trigger|Rule|RowSecurity|Tablespace|ForceRow|GenericOptions/u.test(String(node['subtype'])))
      throw refusal(`ALTER TABLE … ${String(node['subtype'])} is not allowed.`);
    if (name === 'DropStmt' && !/^OBJECT_(?:TABLE|VIEW|INDEX|MATVIEW|SEQUENCE|SCHEMA|TYPE|DOMAIN)$/u.test(String(node['removeType'])))
      throw refusal(`DROP of ${String(node['removeType'])} is not allowed.`);
    if (name === 'DropStmt' && restricts(rules.policy)) {
      for (const one of (node['objects'] as readonly unknown[] | undefined) ?? []) {
        const path = names(unwrap(one)?.[1]['items']);
        const [relname, schemaname] = [path.at(-1), path.at(-2)];
        if (relname !== undefined) checkRelation({ relname, ...(schemaname === undefined ? {} : { schemaname }) }, rules, new Set());
      }
    }
    if (name === 'RenameStmt' && /ROLE|DATABASE|FUNCTION|FOREIGN_SERVER|TABLESPACE/u.test(String(node['renameType'])))
      throw refusal(`Renaming ${String(node['renameType'])} is not allowed.`);
  });
}

function checkRelation(node: Node, rules: Rules, ctes: ReadonlySet<string>): void {
  const relname = node['relname'];
  if (typeof relname !== 'string') return;
  const schema = typeof node['schemaname'] === 'string' ? node['schemaname'] : undefined;
  // A name that a CTE has: the CTE wins where it is in scope; elsewhere it is a table, so both must be allowed unless nothing has this name.
  const catalogName = schema === undefined ? relname.startsWith('pg_') : schema === 'pg_catalog';
  if (schema !== undefined && /^pg_(?:toast|temp)/u.test(schema)) throw refusal(`The schema ${schema} is not readable.`);
  if (catalogName && !CATALOG.has(relname) && !(ctes.has(relname) && schema === undefined))
    throw refusal(`The catalog table ${relname} is not readable here.`);
  if (schema === 'information_schema' && /^(?:_pg_|user_mapping)/u.test(relname))
    throw refusal(`information_schema.${relname} is not readable here.`);
  if (schema === undefined && ctes.has(relname) && !rules.catalog.relations.has(relname)) return;
  const schemas = schema === undefined ? (rules.catalog.relations.get(relname) ?? [undefined]) : [schema];
  for (const one of schemas) {
    if (one === 'pg_catalog' || one === 'information_schema' || (one === undefined && catalogName)) continue;
    for (const reached of reach(rules.catalog, one, relname)) {
      if (SECRETS.has(reached)) throw refusal(`The view ${relname} reads ${reached}, which holds secrets.`);
      checkHidden(reached, `The table or view ${relname}`, rules);
    }
    const reached = restricts(rules.policy) ? relationHidden(rules.catalog, rules.policy, one, relname) : undefined;
    if (reached !== undefined)
      throw refusal(
        reached.endsWith(relname) ? `The settings hide the table ${relname}.` : `The view ${relname} reads a table the settings hide.`,
      );
  }
}

/** The catalog's own tables are never written: a changed row there is a changed right or a broken database. */
function checkTarget(target: unknown): void {
  const { relname, schemaname } = (target ?? {}) as { relname?: string; schemaname?: string };
  if (
    schemaname === 'pg_catalog' ||
    schemaname === 'information_schema' ||
    (schemaname === undefined && relname?.startsWith('pg_') === true)
  )
    throw refusal(`The catalog table ${relname} may not be written.`);
}

/** Whether parts of a statement write whose rows its command tag does not count: `WITH x AS (DELETE …) SELECT …`. */
export function writesAside(tree: Node): boolean {
  let found = 0;
  walk({ root: tree }, (name) => {
    if (WRITES.has(name)) found++;
  });
  return found > (WRITES.has(unwrap(tree)?.[0] ?? '') ? 1 : 0);
}

/** Functions no statement names: in views, policies, casts, checks of types and defaults of arguments. */
function checkHidden(what: string, spokenName: string, rules: Rules): void {
  if (!rules.catalog.behind.has(what)) return;
  const problem = hiddenProblem(rules.catalog, what, rules.policy.allowFunctions);
  if (problem !== undefined)
    throw refusal(`${spokenName} runs ${problem}.`, '"functions.allow" of the settings can name it if it only reads.');
}

function checkCall(path: readonly string[], rules: Rules, depth: number): void {
  // A sequence may go on where rows may be added.
  if (
    rules.access !== 'read' &&
    /^(?:nextval|currval|lastval)$/u.test(path.at(-1) ?? '') &&
    (path.length === 1 || path[0] === 'pg_catalog')
  )
    return;
  const { allowFunctions: allow, denyFunctions: deny } = rules.policy;
  const body = (sql: string): void => void checkPostgres(sql, { ...rules, access: 'read' }, depth + 1);
  const problem = functionProblem(rules.catalog, path, { allow, deny }, body);
  if (problem !== undefined)
    throw refusal(`It calls ${problem}.`, 'Use functions that only compute; "functions.allow" of the settings can name further ones.');
  const name = path.at(-1) ?? '';
  if (!allow.includes(name.toLowerCase())) checkHidden(`function ${name}`, `The function ${name}`, rules);
  checkHidden(`type ${name}`, `The type ${name}`, rules);
}

function checkOperator(path: readonly string[], rules: Rules, depth: number): void {
  for (const one of rules.catalog.operators.get(path.at(-1) ?? '') ?? []) {
    if (path.length > 1 && path.at(-2) !== one.schema) continue;
    checkCall([one.functionSchema, one.function], rules, depth);
  }
}

function checkDotted(fields: readonly string[], rules: Rules): void {
  const [, ...rest] = fields;
  for (const field of rest) {
    if (dottedCall(rules.catalog, field)) throw refusal(`"….${field}" calls the function ${field}, which is not allowed.`);
    const unsafe = rules.catalog.columns.has(field) ? undefined : rules.catalog.functions.get(field);
    if (unsafe !== undefined) checkCall([field], rules, 0);
  }
}

function spoken(node: string): string {
  return node.replace(/Stmt$/u, ' statement').replace(/([a-z])([A-Z])/gu, '$1 $2');
}
