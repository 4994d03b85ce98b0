/** query, explain_query and validate_query. */
import { audited } from '../audit.ts';
import type { Answer, Ask } from '../engines/engine.ts';
import { choose, connectionSchema, type Desk, type Entry, makeCursor, PARAMS_SCHEMA, paramsOf, readCursor } from './desk.ts';
import { type Call, type Definition, READS } from './register.ts';
import { withSuggestion } from './suggest.ts';

/** JSON Schema of the columns of an answer. */
export const COLUMNS_SCHEMA = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name', 'type'],
    properties: { name: { type: 'string' }, type: { type: ['string', 'null'], description: "the engine's own type" } },
  },
};
const SQL = { type: 'string', minLength: 1, maxLength: 1_000_000 };

/** The bounded question of a call. */
export function askOf(entry: Entry, args: Readonly<Record<string, unknown>>, call: Call, skip = 0): Ask {
  const { maxRows, maxBytes } = entry.settings.limits;
  return {
    sql: String(args['sql']),
    params: paramsOf(args['params']),
    maxRows: Math.min(typeof args['maxRows'] === 'number' ? args['maxRows'] : maxRows, maxRows),
    maxBytes,
    skip,
    signal: call.signal,
  };
}

/** query */
export function query(desk: Desk): Definition {
  const limits = [...desk.entries.values()].map((entry) => entry.settings.limits.maxRows);
  return {
    name: 'query',
    title: 'Query',
    description: `Runs one reading statement (SELECT, WITH, VALUES, EXPLAIN, SHOW) and gives its rows. Nothing can be changed through this tool. Engines: ${engines(desk)}.`,
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['sql'],
      properties: {
        sql: SQL,
        params: PARAMS_SCHEMA,
        maxRows: { type: 'integer', minimum: 1, description: `At most ${Math.max(...limits)}.` },
        cursor: { type: 'string', description: 'Goes on where a truncated answer ended. Use ORDER BY, the statement is run again.' },
        connection: connectionSchema(desk),
      },
    },
    output: {
      type: 'object',
      required: ['columns', 'rows', 'truncated'],
      properties: {
        columns: COLUMNS_SCHEMA,
        rows: { type: 'array', items: { type: 'array' } },
        truncated: { type: 'boolean', description: 'There are more rows than this answer carries.' },
        reason: { enum: ['rows', 'bytes'], description: 'Which bound ended it.' },
        cursor: { type: 'string' },
      },
    },
    annotations: READS,
    run: async (args, call) => {
      const entry = choose(desk, args['connection']);
      const { database } = entry;
      const key = JSON.stringify([database.name, args['sql'], args['params'] ?? null]);
      const skip = readCursor(key, args['cursor']);
      const ask = askOf(entry, args, call, skip);
      let answer: Answer | undefined;
      await audited(desk.audit, { tool: 'query', database, sql: ask.sql, withText: desk.auditText }, async () => {
        answer = await withSuggestion(database, () => database.query(ask));
        return { rows: answer.rows.length, truncated: answer.truncated !== false };
      });
      const { columns, rows, truncated } = answer ?? { columns: [], rows: [], truncated: false as const };
      // A first row that is over the bound alone has no cursor: the next call would end the same way.
      const more = truncated === false || rows.length === 0 ? {} : { cursor: makeCursor(key, skip + rows.length) };
      const structured = { columns, rows, truncated: truncated !== false, ...(truncated === false ? {} : { reason: truncated }), ...more };
      const note = truncated === false ? '' : `\n[cut after ${rows.length} rows by the bound on ${truncated}: there are more]`;
      if (answer?.json === undefined) return { structured, text: JSON.stringify(structured) + note };
      const { rows: _, ...rest } = structured;
      return { structured, text: `{"rows":${answer.json},${JSON.stringify(rest).slice(1)}${note}` };
    },
  };
}

/** explain_query */
export function explain(desk: Desk): Definition {
  return {
    name: 'explain_query',
    title: 'Explain a query',
    description: "The engine's plan of a SELECT, as text and structured. The statement is not run.",
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['sql'],
      properties: { sql: SQL, params: PARAMS_SCHEMA, connection: connectionSchema(desk) },
    },
    output: {
      type: 'object',
      required: ['text', 'plan'],
      properties: { text: { type: 'string' }, plan: { description: "the engine's own structure" } },
    },
    annotations: READS,
    run: async (args, call) => {
      const entry = choose(desk, args['connection']);
      const ask = askOf(entry, args, call);
      const { database } = entry;
      let found = { text: '', plan: undefined as unknown };
      await audited(desk.audit, { tool: 'explain_query', database, sql: ask.sql, withText: desk.auditText }, async () => {
        found = await withSuggestion(database, () => database.explain(ask));
        return {};
      });
      return { structured: { ...found }, text: found.text };
    },
  };
}

/** validate_query */
export function validate(desk: Desk): Definition {
  return {
    name: 'validate_query',
    title: 'Is this allowed?',
    description: 'Says whether a statement would be let through, and why not. Nothing is run.',
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['sql'],
      properties: { sql: { type: 'string', maxLength: 1_000_000 }, connection: connectionSchema(desk) },
    },
    output: {
      type: 'object',
      required: ['allowed', 'reason'],
      properties: { allowed: { type: 'boolean' }, reason: { type: 'string' }, needs: { enum: ['read', 'write', 'admin'] } },
    },
    annotations: READS,
    run: async (args) => {
      const { database } = choose(desk, args['connection']);
      return { structured: { ...(await database.validate(String(args['sql']))) } };
    },
  };
}

function engines(desk: Desk): string {
  return [...desk.entries.values()].map(({ database }) => `${database.name} is ${database.engine}`).join(', ');
}
