/** Prompts: explore a database, optimise a query. */
import type { McpServer } from '@modelcontextprotocol/server';
import { fromJsonSchema } from '@modelcontextprotocol/server';
import { chooseAsked } from './asked.ts';
import type { Desk } from './tools/desk.ts';

const TABLES_NAMED = 200;

export function registerPrompts(server: McpServer, desk: Desk): void {
  const connection = { type: 'string', description: `One of: ${[...desk.entries.keys()].join(', ')}.` };
  const user = (text: string) => ({ messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }] });
  server.registerPrompt(
    'explore-database',
    {
      title: 'Explore this database',
      description: 'A guided tour: what is in it, how it hangs together, what can be asked.',
      argsSchema: fromJsonSchema<{ connection?: string; question?: string }>({
        type: 'object',
        properties: { connection, question: { type: 'string', description: 'what you want to know' } },
      }),
    },
    async ({ connection: name, question }) => {
      const { database } = chooseAsked(desk, name);
      const tables = await database.tables();
      const list = tables
        .slice(0, TABLES_NAMED)
        .map(
          (table) =>
            `- ${table.schema}.${table.name} (${table.type}${table.rows === null || table.rows === undefined ? '' : `, about ${table.rows} rows`})`,
        );
      return user(
        `Explore the ${database.engine} database "${database.name}" with the tools of this server; it is open for ${database.access}.\n\nTables:\n${list.join('\n')}\n\n` +
          'Describe the tables that matter (describe_table gives types, keys and sample values), say in plain words what the data is about and how the tables belong together, ' +
          `then ${question === undefined ? 'propose five questions it can answer, with the SQL of each, checked by validate_query' : `answer: ${question}`}.`,
      );
    },
  );
  server.registerPrompt(
    'optimise-query',
    {
      title: 'Optimise this query',
      description: 'The plan of a query, and what would make it faster.',
      argsSchema: fromJsonSchema<{ sql: string; connection?: string }>({
        type: 'object',
        required: ['sql'],
        properties: { sql: { type: 'string', description: 'the SELECT' }, connection },
      }),
    },
    async ({ sql, connection: name }) => {
      const { database } = chooseAsked(desk, name);
      const plan = await database.explain({ sql, maxRows: 1000, maxBytes: 256 * 1024 }).then(
        (found) => found.text,
        (thrown: unknown) => `(no plan: ${thrown instanceof Error ? thrown.message : String(thrown)})`,
      );
      return user(
        `Make this query on the ${database.engine} database "${database.name}" faster.\n\n${sql}\n\nIts plan:\n${plan}\n\n` +
          'Look at the tables with describe_table and table_statistics, say which step costs most and why, then give a rewritten query or an index. ' +
          'Check every rewritten query with explain_query and compare the plans; do not change the database.',
      );
    },
  );
}
