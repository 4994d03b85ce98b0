/** list_connections, list_schemas, list_tables, describe_table and search_objects. */

import type { Database, Relation } from '../engines/engine.ts';
import { restricts } from '../guard/policy.ts';
import { choose, connectionSchema, type Desk } from './desk.ts';
import { type Definition, READS } from './register.ts';

const TABLES_SEARCHED = 500;
const SAMPLES = 3;
const SAMPLE_CHARACTERS = 60;

/** list_connections */
export function listConnections(desk: Desk): Definition {
  return {
    name: 'list_connections',
    title: 'List databases',
    description: 'The configured databases: engine, access, whether they answer.',
    input: { type: 'object', additionalProperties: false, properties: {} },
    output: {
      type: 'object',
      required: ['connections'],
      properties: { connections: { type: 'array', items: { type: 'object', required: ['name', 'engine', 'access', 'ok'] } } },
    },
    annotations: READS,
    run: async () => {
      const connections = await Promise.all(
        [...desk.entries.values()].map(async ({ database, settings }) => ({
          name: database.name,
          engine: database.engine,
          access: database.access,
          ...(await database.health()),
          limits: { ...settings.limits },
          ...(restricts(database.policy) ? { restricted: true } : {}),
        })),
      );
      return { structured: { connections } };
    },
  };
}

/** list_schemas */
export function listSchemas(desk: Desk): Definition {
  return {
    name: 'list_schemas',
    title: 'List schemas',
    description: 'The schemas (MySQL: databases) of a connection.',
    input: { type: 'object', additionalProperties: false, properties: { connection: connectionSchema(desk) } },
    output: { type: 'object', required: ['schemas'], properties: { schemas: { type: 'array', items: { type: 'object' } } } },
    annotations: READS,
    run: async (args, { signal }) => ({ structured: { schemas: await choose(desk, args['connection']).database.schemas(signal) } }),
  };
}

/** list_tables */
export function listTables(desk: Desk): Definition {
  return {
    name: 'list_tables',
    title: 'List tables',
    description: 'The tables and views of a database with comments and row estimates.',
    input: {
      type: 'object',
      additionalProperties: false,
      properties: { schema: { type: 'string' }, connection: connectionSchema(desk) },
    },
    output: {
      type: 'object',
      required: ['tables', 'truncated'],
      properties: {
        tables: {
          type: 'array',
          items: {
            type: 'object',
            required: ['schema', 'name', 'type'],
            properties: { name: { type: 'string' }, type: { type: 'string' } },
          },
        },
        truncated: { type: 'boolean' },
      },
    },
    annotations: READS,
    run: async (args, { signal }) => {
      const { database, settings } = choose(desk, args['connection']);
      const tables = await database.tables(typeof args['schema'] === 'string' ? args['schema'] : undefined, signal);
      const { maxRows } = settings.limits;
      return { structured: { tables: tables.slice(0, maxRows), truncated: tables.length > maxRows } };
    },
  };
}

/** describe_table */
export function describeTable(desk: Desk): Definition {
  return {
    name: 'describe_table',
    title: 'Describe a table',
    description: 'Columns, keys, indexes, comments, row estimate and a few sample values of a table or view.',
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['table'],
      properties: {
        table: { type: 'string', minLength: 1 },
        schema: { type: 'string' },
        samples: { type: 'boolean', default: true, description: 'Read the first rows for sample values.' },
        connection: connectionSchema(desk),
      },
    },
    output: {
      type: 'object',
      required: ['table', 'columns', 'foreignKeys', 'indexes', 'sql'],
      properties: {
        schema: { type: 'string' },
        table: { type: 'string' },
        columns: { type: 'array', items: { type: 'object' } },
        foreignKeys: { type: 'array', items: { type: 'object' } },
        indexes: { type: 'array', items: { type: 'object' } },
        rowEstimate: { type: ['number', 'null'] },
        comment: { type: ['string', 'null'] },
        sql: { type: ['string', 'null'] },
      },
    },
    annotations: READS,
    run: async (args, { signal }) => {
      const { database } = choose(desk, args['connection']);
      const relation = await database.describe(
        String(args['table']),
        typeof args['schema'] === 'string' ? args['schema'] : undefined,
        signal,
      );
      const samples = args['samples'] === false ? undefined : await sampleValues(database, relation, signal);
      const columns = relation.columns.map((column, index) => ({
        ...column,
        ...(samples === undefined ? {} : { samples: samples[index] ?? [] }),
      }));
      return { structured: { ...relation, columns } };
    },
  };
}

/** The distinct values of the first rows, by column; through the guard, so masked columns stay masked. */
async function sampleValues(
  database: Database,
  relation: Relation,
  signal: AbortSignal,
): Promise<readonly (readonly unknown[])[] | undefined> {
  const columns = relation.columns.map((column) => database.quote(column.name)).join(', ');
  if (columns === '') return undefined;
  const table = `${database.quote(relation.schema)}.${database.quote(relation.table)}`;
  try {
    const { rows } = await database.query({ sql: `SELECT ${columns} FROM ${table} LIMIT 20`, maxRows: 20, maxBytes: 64 * 1024, signal });
    return relation.columns.map((_, index) => {
      const values = rows.map((row) => row[index]).filter((value) => value !== null);
      return [...new Map(values.map((value) => [JSON.stringify(value), short(value)])).values()].slice(0, SAMPLES);
    });
  } catch {
    // A view that fails or takes too long has no samples; its definition is still the answer.
    signal.throwIfAborted();
    return undefined;
  }
}

function short(value: unknown): unknown {
  const text = typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : undefined;
  if (text === undefined) return value;
  return text.length > SAMPLE_CHARACTERS ? `${text.slice(0, SAMPLE_CHARACTERS)}…` : text;
}

/** search_objects */
export function searchObjects(desk: Desk): Definition {
  return {
    name: 'search_objects',
    title: 'Search by name',
    description: 'Tables, views and columns whose name contains the text.',
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['text'],
      properties: { text: { type: 'string', minLength: 1 }, connection: connectionSchema(desk) },
    },
    output: {
      type: 'object',
      required: ['found', 'truncated'],
      properties: { found: { type: 'array', items: { type: 'object' } }, truncated: { type: 'boolean' } },
    },
    annotations: READS,
    run: async (args, { signal }) => {
      const { database } = choose(desk, args['connection']);
      const wanted = String(args['text']).toLowerCase();
      const tables = await database.tables(undefined, signal);
      const found: object[] = [];
      for (const { schema, name, type } of tables) if (name.toLowerCase().includes(wanted)) found.push({ schema, table: name, type });
      for (const { schema, name } of tables.slice(0, TABLES_SEARCHED)) {
        for (const column of (await database.describe(name, schema, signal)).columns)
          if (column.name.toLowerCase().includes(wanted)) found.push({ schema, table: name, column: column.name, type: column.type });
      }
      return { structured: { found: found.slice(0, 500), truncated: found.length > 500 || tables.length > TABLES_SEARCHED } };
    },
  };
}
