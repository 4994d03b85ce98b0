/** table_statistics: counted, not estimated: rows, and for each column how many are empty, distinct, smallest and largest. */
import { audited } from '../audit.ts';
import { columnRule } from '../guard/policy.ts';
import { choose, connectionSchema, type Desk } from './desk.ts';
import { type Definition, READS } from './register.ts';

const COLUMNS = 40;
const INCOMPARABLE =
  /^(?:json|jsonb|xml|point|line|lseg|box|path|polygon|circle|tsvector|tsquery|bytea|blob|geometry|bool|boolean|uuid)|\[\]$/iu;

/** table_statistics */
export function statistics(desk: Desk): Definition {
  return {
    name: 'table_statistics',
    title: 'Statistics of a table',
    description: `Counts rows, and NULLs, distinct values, smallest and largest value of up to ${COLUMNS} columns. Reads the whole table.`,
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['table'],
      properties: { table: { type: 'string', minLength: 1 }, schema: { type: 'string' }, connection: connectionSchema(desk) },
    },
    output: {
      type: 'object',
      required: ['rows', 'columns'],
      properties: { rows: { type: ['number', 'string'] }, columns: { type: 'array', items: { type: 'object' } } },
    },
    annotations: READS,
    run: async (args, { signal }) => {
      const { database } = choose(desk, args['connection']);
      const relation = await database.describe(
        String(args['table']),
        typeof args['schema'] === 'string' ? args['schema'] : undefined,
        signal,
      );
      const open = relation.columns
        .filter((column) => columnRule(database.policy, relation.schema, relation.table, column.name) === undefined)
        .slice(0, COLUMNS);
      const parts = open.flatMap((column) => {
        const name = database.quote(column.name);
        const text = INCOMPARABLE.test(column.type);
        return [`count(${name})`, ...(text ? ['NULL', 'NULL', 'NULL'] : [`count(DISTINCT ${name})`, `min(${name})`, `max(${name})`])];
      });
      const sql = `SELECT count(*)${parts.map((part) => `, ${part}`).join('')} FROM ${database.quote(relation.schema)}.${database.quote(relation.table)}`;
      let row: readonly unknown[] = [];
      await audited(desk.audit, { tool: 'table_statistics', database, sql, withText: desk.auditText }, async () => {
        const answer = await database.query({ sql, maxRows: 1, maxBytes: 1024 * 1024, signal });
        row = answer.rows[0] ?? [];
        return { rows: answer.rows.length };
      });
      const rows = row[0] as number;
      const columns = open.map((column, index) => {
        const [filled, distinct, min, max] = row.slice(1 + index * 4, 5 + index * 4);
        return { name: column.name, type: column.type, nulls: Number(rows) - Number(filled), distinct, min, max };
      });
      return { structured: { schema: relation.schema, table: relation.table, rows, columns } };
    },
  };
}
