/** What a connection's settings allow beyond reading or writing: schemas, tables, columns, functions. */

/** How a column's values leave: not at all, or in a form that hides them. */
export type Masking = 'deny' | 'redact' | 'hash' | 'partial';

/** The rules of one connection, in lower case. Tables are `table` or `schema.table`, columns `table.column` or `schema.table.column`. */
export interface Policy {
  readonly allowSchemas?: readonly string[];
  readonly denySchemas: readonly string[];
  readonly allowTables?: readonly string[];
  readonly denyTables: readonly string[];
  readonly columns: ReadonlyMap<string, Masking>;
  readonly allowFunctions: readonly string[];
  readonly denyFunctions: readonly string[];
  /** Mixed into hashes, so that they cannot be looked up in a table of hashes. */
  readonly salt: string;
}

export const OPEN: Policy = {
  denySchemas: [],
  denyTables: [],
  columns: new Map(),
  allowFunctions: [],
  denyFunctions: [],
  salt: '',
};

/** Whether a table is hidden by the rules. An unqualified rule means the table in every schema. */
export function tableDenied(policy: Policy, schema: string | undefined, table: string): boolean {
  const name = table.toLowerCase();
  const room = schema?.toLowerCase();
  const named = (list: readonly string[]): boolean =>
    list.some(
      (rule) => rule === name || (room !== undefined && rule === `${room}.${name}`) || (room === undefined && rule.endsWith(`.${name}`)),
    );
  if (named(policy.denyTables)) return true;
  if (room !== undefined && policy.denySchemas.includes(room)) return true;
  if (room !== undefined && policy.allowSchemas !== undefined && !policy.allowSchemas.includes(room)) return true;
  return policy.allowTables !== undefined && !named(policy.allowTables);
}

/** How a column is protected; undefined when it is open. */
export function columnRule(policy: Policy, schema: string | undefined, table: string, column: string): Masking | undefined {
  const tail = `${table}.${column}`.toLowerCase();
  const direct = policy.columns.get(tail);
  if (direct !== undefined) return direct;
  if (schema !== undefined) return policy.columns.get(`${schema.toLowerCase()}.${tail}`);
  for (const [rule, masking] of policy.columns) if (rule.endsWith(`.${tail}`)) return masking;
  return undefined;
}

/** Names of protected columns of a table. */
export function protectedColumns(policy: Policy, schema: string | undefined, table: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const rule of policy.columns.keys()) {
    const column = rule.slice(rule.lastIndexOf('.') + 1);
    if (columnRule(policy, schema, table, column) !== undefined) found.add(column);
  }
  return found;
}

/** Whether tables or columns are restricted at all. */
export function restricts(policy: Policy): boolean {
  return (
    policy.columns.size > 0 ||
    policy.denyTables.length > 0 ||
    policy.denySchemas.length > 0 ||
    policy.allowTables !== undefined ||
    policy.allowSchemas !== undefined
  );
}
