/**
 * Protected columns in PostgreSQL: a masked column may be a bare output column of the outermost, simple SELECT, and nothing else. The rule goes
 * by names and is wider than needed: what it cannot tell apart it refuses. What leaves is masked by the origin the server states per column.
 */
import { columnRule, protectedColumns } from '../policy.ts';
import { refusal } from '../refusal.ts';
import { type Node, names, unwrap, walk } from './ast.ts';
import { type Rules, reach } from './catalog.ts';

/**
 * @throws SignalboxError `SBX_DB_REFUSED` when a protected column, or a whole row that holds one, is used in any other way
 */
export function checkColumns(tree: Node, rules: Rules, inFunction = false): void {
  const guarded = new Map<string, ReadonlySet<string>>();
  const aliases = new Set<string>();
  const relations = new Set<string>();
  walk({ root: tree }, (name, node) => {
    if (name !== 'RangeVar' && name !== 'relation') return;
    const relname = node['relname'];
    if (typeof relname !== 'string') return;
    relations.add(relname);
    const schema = typeof node['schemaname'] === 'string' ? node['schemaname'] : undefined;
    const secret = secretsOf(rules, schema, relname);
    if (secret.size === 0) return;
    guarded.set(relname, secret);
    aliases.add(relname);
    const alias = node['alias'] as Node | undefined;
    if (alias !== undefined) aliases.add(String(alias['aliasname']));
    if (alias?.['colnames'] !== undefined) throw refusal(`The columns of ${relname} may not be renamed in FROM: some are protected.`);
  });
  if (guarded.size === 0) return;
  walk({ root: tree }, (name, node) => {
    // The alias of a join stands for all its columns; OLD and NEW (PostgreSQL 18) for the whole row of a write.
    const alias = name === 'JoinExpr' ? (node['alias'] as Node | undefined) : undefined;
    if (alias !== undefined) aliases.add(String(alias['aliasname']));
    if (name === 'returningClause') for (const one of ['old', 'new', ...returned(node)]) aliases.add(one);
    if (name === 'RenameStmt' || name === 'AlterObjectSchemaStmt')
      throw refusal('A table with protected columns may not be renamed: the rules go by names.');
  });
  const secrets = new Set([...guarded.values()].flatMap((set) => [...set]));
  // What a function gives has no origin the server could state: nothing in its body is a bare output column.
  const outermost = inFunction ? undefined : outerSelect(tree);
  const bare = new Set<Node>();
  if (outermost !== undefined) collectBare(outermost, secrets, rules, bare);
  walk({ root: tree }, (name, node) => {
    if (name === 'ColumnRef' && !bare.has(node)) {
      const fields = names(node['fields']);
      checkCalled(fields, aliases, relations, rules);
      checkReference(fields, secrets, aliases, tree, node);
    }
    if (name === 'A_Indirection') {
      const field = names(node['indirection']).find((one) => secrets.has(one) || one === '*');
      if (field !== undefined) throw refusal(`"….${field}" could be a protected column.`);
    }
    if (name === 'JoinExpr') {
      if (node['isNatural'] === true) throw refusal('NATURAL JOIN compares every common column, and some are protected.');
      const used = names(node['usingClause']).find((one) => secrets.has(one));
      if (used !== undefined) throw refusal(`The protected column ${used} may not be joined on.`);
      if ((node['alias'] as Node | undefined)?.['colnames'] !== undefined) throw refusal('The columns of a join may not be renamed here.');
    }
    if (name === 'IndexElem' && secrets.has(String(node['name'])))
      throw refusal(`The protected column ${String(node['name'])} may not decide.`);
    if (name === 'UpdateStmt' || name === 'InsertStmt' || name === 'DeleteStmt' || name === 'MergeStmt') checkReturning(node);
  });
}

function secretsOf(rules: Rules, schema: string | undefined, relname: string): ReadonlySet<string> {
  const found = new Set<string>();
  const schemas = schema === undefined ? (rules.catalog.relations.get(relname) ?? [undefined]) : [schema];
  for (const one of schemas) {
    for (const reached of reach(rules.catalog, one, relname)) {
      const dot = reached.indexOf('.');
      const [room, table] = dot < 0 ? [undefined, reached] : [reached.slice(0, dot), reached.slice(dot + 1)];
      const secret = protectedColumns(rules.policy, room, table);
      if (secret.size > 0 && rules.catalog.views.has(one === undefined ? relname : `${one}.${relname}`) && table !== relname)
        throw refusal(`The view ${relname} reads a table with protected columns.`, `Ask the table ${table} itself.`);
      for (const column of secret) found.add(column);
    }
  }
  return found;
}

/** The SELECT whose target list is the answer's columns, when nothing after it can compare them. */
function outerSelect(tree: Node): Node | undefined {
  const [name, inside] = unwrap(tree) ?? [];
  if (name === 'ExplainStmt') return outerSelect(inside?.['query'] as Node);
  if (name !== 'SelectStmt' || inside === undefined) return undefined;
  const simple =
    (inside['op'] === undefined || inside['op'] === 'SETOP_NONE') &&
    inside['intoClause'] === undefined &&
    inside['distinctClause'] === undefined &&
    inside['groupClause'] === undefined &&
    inside['havingClause'] === undefined;
  return simple ? inside : undefined;
}

function collectBare(select: Node, secrets: ReadonlySet<string>, rules: Rules, bare: Set<Node>): void {
  const labels = new Set<string>();
  let positions = false;
  for (const target of (select['targetList'] as readonly unknown[] | undefined) ?? []) {
    const [, inside] = unwrap(target) ?? [];
    const [kind, reference] = unwrap(inside?.['val']) ?? [];
    if (kind !== 'ColumnRef' || reference === undefined) continue;
    const fields = names(reference['fields']);
    const column = fields.at(-1) ?? '';
    if (!secrets.has(column)) continue;
    for (const rule of rules.policy.columns) {
      if (rule[0].endsWith(`.${column.toLowerCase()}`) && rule[1] === 'deny') throw refusal(`The settings hide the column ${column}.`);
    }
    bare.add(reference);
    labels.add(String(inside?.['name'] ?? column));
    positions = true;
  }
  if (!positions) return;
  for (const sort of (select['sortClause'] as readonly unknown[] | undefined) ?? []) {
    const [kind, inside] = unwrap(unwrap(sort)?.[1]['node']) ?? [];
    if (kind === 'A_Const') throw refusal('ORDER BY a position is not allowed beside a masked column: name the column.');
    if (kind === 'ColumnRef' && labels.has(names(inside?.['fields']).at(-1) ?? '')) throw refusal('The order would tell a masked column.');
  }
}

/** `c.row_to_json` is `row_to_json(c)`: a name behind a protected row that is no column of the tables of the statement is a function's. */
function checkCalled(fields: readonly string[], aliases: ReadonlySet<string>, relations: ReadonlySet<string>, rules: Rules): void {
  const last = fields.at(-1) ?? '';
  const owner = fields.at(-2);
  if (owner === undefined || !aliases.has(owner) || !rules.catalog.functions.has(last)) return;
  for (const relation of relations) if (rules.catalog.columns.get(last)?.has(relation) === true) return;
  throw refusal(`"${owner}.${last}" would give the whole row of ${owner} to a function, and some of its columns are protected.`);
}

function checkReference(
  fields: readonly string[],
  secrets: ReadonlySet<string>,
  aliases: ReadonlySet<string>,
  tree: Node,
  node: Node,
): void {
  const last = fields.at(-1) ?? '';
  if (secrets.has(last)) throw refusal(`The protected column ${last} may only be a bare column of the outermost SELECT list.`);
  if (aliases.has(last)) throw refusal(`The whole row of ${last} holds protected columns.`);
  if (last !== '*') return;
  const owner = fields.at(-2);
  if (owner !== undefined && !aliases.has(owner)) return;
  if (owner === undefined && !starReaches(tree, node, aliases)) return;
  throw refusal('"*" would expand to protected columns.', 'Name the columns you need.');
}

/** Whether a bare `*` stands in a SELECT whose own FROM holds a protected table. */
function starReaches(tree: Node, star: Node, aliases: ReadonlySet<string>): boolean {
  let reaches = true;
  const look = (select: Node): void => {
    const mine = ((select['targetList'] as readonly unknown[] | undefined) ?? []).some(
      (target) => unwrap(unwrap(target)?.[1]['val'])?.[1] === star,
    );
    if (mine) reaches = fromItems(select['fromClause']).some((name) => aliases.has(name));
  };
  walk({ root: tree }, (name, node) => {
    if (name === 'SelectStmt' || name === 'larg' || name === 'rarg') look(node);
  });
  return reaches;
}

function fromItems(from: unknown): readonly string[] {
  if (!Array.isArray(from)) return [];
  return from.flatMap((item) => itemNames(item));
}

function itemNames(item: unknown): readonly string[] {
  const [kind, node] = unwrap(item) ?? [];
  if (kind === 'RangeVar') return [String(node?.['relname'])];
  if (kind === 'JoinExpr') return [...itemNames(node?.['larg']), ...itemNames(node?.['rarg'])];
  return [];
}

/** Names given to OLD and NEW: `RETURNING WITH (OLD AS o)`. */
function returned(clause: Node): readonly string[] {
  return ((clause['options'] as readonly unknown[] | undefined) ?? []).map((option) => String(unwrap(option)?.[1]['value'] ?? ''));
}

function checkReturning(node: Node): void {
  const clause = node['returningClause'] as Node | undefined;
  const list = (clause?.['exprs'] ?? node['returningList']) as readonly unknown[] | undefined;
  for (const target of list ?? []) {
    const [kind, reference] = unwrap(unwrap(target)?.[1]['val']) ?? [];
    if (kind === 'ColumnRef' && names(reference?.['fields']).includes('*')) throw refusal('RETURNING * would show protected columns.');
  }
}

/** How an output column is masked, by the table and column the server says it comes from. */
export function outputRule(rules: Rules, schema: string, table: string, column: string): ReturnType<typeof columnRule> {
  const direct = columnRule(rules.policy, schema, table, column);
  if (direct !== undefined) return direct;
  for (const reached of reach(rules.catalog, schema, table)) {
    const dot = reached.indexOf('.');
    const rule = columnRule(rules.policy, reached.slice(0, dot), reached.slice(dot + 1), column);
    if (rule !== undefined) return rule;
  }
  return undefined;
}
