/** list_tables, describe_table and query. */
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { JsonObject, ToolDefinition } from '../plugin/define.ts';
import type { Connection } from './connection.ts';
import type { Bindable } from './guard/protocol.ts';

type Connections = ReadonlyMap<string, Connection>;
/** Caps of one answer. */
export interface Caps {
  readonly maxRows: number;
  readonly maxBytes: number;
}

const READ_ONLY = { readOnlyHint: true, openWorldHint: false } as const;

function connectionSchema(connections: Connections): JsonObject {
  const names = [...connections.keys()];
  return { type: 'string', enum: names, default: names[0], description: 'Which database.' };
}

function choose(connections: Connections, args: JsonObject): Connection {
  const name = typeof args['connection'] === 'string' ? args['connection'] : [...connections.keys()][0];
  const connection = name === undefined ? undefined : connections.get(name);
  if (connection !== undefined) return connection;
  throw new SignalboxError('SBX_DB_CONNECTION', `There is no connection "${name}".`, {
    why: 'The settings do not name it.',
    fix: `Use one of: ${[...connections.keys()].join(', ')}.`,
  });
}

/** list_tables */
export function listTables(connections: Connections, caps: Caps): ToolDefinition {
  return {
    name: 'list_tables',
    title: 'List tables',
    description: 'Lists the tables and views of a database.',
    input: { type: 'object', additionalProperties: false, properties: { connection: connectionSchema(connections) } },
    output: {
      type: 'object',
      required: ['tables', 'truncated'],
      properties: {
        tables: {
          type: 'array',
          items: { type: 'object', required: ['name', 'type'], properties: { name: { type: 'string' }, type: { type: 'string' } } },
        },
        truncated: { type: 'boolean' },
      },
    },
    annotations: READ_ONLY,
    run: async (args, { signal }) => {
      const sql =
        "SELECT name, type FROM sqlite_schema WHERE type IN ('table','view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
      const { rows, truncated } = await choose(connections, args).ask({ sql, params: [], ...caps }, signal);
      return { structured: { tables: rows.map(([name, type]) => ({ name, type })), truncated } };
    },
  };
}

/** describe_table */
export function describeTable(connections: Connections, caps: Caps): ToolDefinition {
  return {
    name: 'describe_table',
    title: 'Describe a table',
    description: 'Columns, foreign keys, indexes and the CREATE statement of a table or view.',
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['table'],
      properties: { table: { type: 'string', minLength: 1 }, connection: connectionSchema(connections) },
    },
    output: {
      type: 'object',
      required: ['table', 'columns', 'foreignKeys', 'indexes', 'sql'],
      properties: {
        table: { type: 'string' },
        columns: { type: 'array', items: { type: 'object' } },
        foreignKeys: { type: 'array', items: { type: 'object' } },
        indexes: { type: 'array', items: { type: 'object' } },
        sql: { type: ['string', 'null'] },
      },
    },
    annotations: READ_ONLY,
    run: async (args, { signal }) => {
      const table = String(args['table']);
      const connection = choose(connections, args);
      const ask = async (sql: string) => (await connection.ask({ sql, params: [table], ...caps }, signal)).rows;
      const schema = (await ask("SELECT sql FROM sqlite_schema WHERE type IN ('table','view') AND name = ?"))[0];
      if (schema === undefined) {
        throw new SignalboxError('SBX_DB_SQL', `There is no table or view "${table}".`, {
          why: 'The schema does not name it.',
          fix: 'Use list_tables.',
        });
      }
      const columns = await ask('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)');
      const keys = await ask('SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)');
      const indexes = await ask('SELECT name, "unique", origin FROM pragma_index_list(?)');
      return {
        structured: {
          table,
          columns: columns.map(([name, type, notNull, fallback, key]) => ({
            name,
            type,
            nullable: notNull === 0,
            default: fallback,
            primaryKey: key !== 0,
          })),
          foreignKeys: keys.map(([column, other, otherColumn]) => ({ column, table: other, references: otherColumn })),
          indexes: indexes.map(([name, unique]) => ({ name, unique: unique === 1 })),
          sql: schema[0] ?? null,
        },
      };
    },
  };
}

/** query */
export function query(connections: Connections, caps: Caps): ToolDefinition {
  const scalar = { type: ['string', 'number', 'boolean', 'null'] };
  return {
    name: 'query',
    title: 'Query',
    description: 'Runs one SELECT statement (SQLite dialect) and gives its rows. Nothing can be changed through this tool.',
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['sql'],
      properties: {
        sql: { type: 'string', minLength: 1, maxLength: 1_000_000 },
        params: {
          description: 'Values for ?, or by name for :name.',
          anyOf: [
            { type: 'array', items: scalar, maxItems: 999 },
            { type: 'object', additionalProperties: scalar },
          ],
        },
        maxRows: { type: 'integer', minimum: 1, description: `At most ${caps.maxRows}.` },
        connection: connectionSchema(connections),
      },
    },
    output: {
      type: 'object',
      required: ['columns', 'rows', 'truncated'],
      properties: {
        columns: { type: 'array', items: { type: 'string' } },
        rows: { type: 'array', items: { type: 'array' } },
        truncated: { type: 'boolean', description: 'There are more rows than this answer carries.' },
      },
    },
    annotations: READ_ONLY,
    run: async (args, { signal }) => {
      const maxRows = Math.min(typeof args['maxRows'] === 'number' ? args['maxRows'] : caps.maxRows, caps.maxRows);
      const question = { sql: String(args['sql']), params: paramsOf(args['params']), maxRows, maxBytes: caps.maxBytes };
      const { columns, rows, truncated } = await choose(connections, args).ask(question, signal);
      const structured = { columns, rows, truncated };
      const note = truncated ? `\n[cut after ${rows.length} rows: there are more]` : '';
      return { structured, text: JSON.stringify(structured) + note };
    },
  };
}

function paramsOf(given: unknown): readonly Bindable[] | Readonly<Record<string, Bindable>> {
  if (Array.isArray(given)) return given.map(bindable);
  if (typeof given === 'object' && given !== null)
    return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, bindable(value)]));
  return [];
}

function bindable(value: unknown): Bindable {
  // An integer bound as a number becomes a REAL, which has no place in an index on INTEGER: bind it as what it is.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return value === null ? null : String(value);
}
