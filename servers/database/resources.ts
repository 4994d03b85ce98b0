/** Resources: the schema of each database and table, an ER diagram, exported results; and word of schemas that changed. */
import type { McpServer } from '@modelcontextprotocol/server';
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { chooseAsked } from './asked.ts';
import { mermaid } from './diagram.ts';
import type { Database, Relation } from './engines/engine.ts';
import { choose, type Desk } from './tools/desk.ts';

const LOOK_EVERY_MS = 5000;
const TABLES_SHOWN = 200;
const COMPLETIONS = 100;
type Variables = Readonly<Record<string, string | string[] | undefined>>;

const schemaUri = (name: string): string => `db://${encodeURIComponent(name)}/schema`;
const tableUri = (name: string, schema: string, table: string): string =>
  `db://${encodeURIComponent(name)}/tables/${encodeURIComponent(schema)}/${encodeURIComponent(table)}`;

/** Registers schemas, tables and kept exports as resources. */
export function registerResources(server: McpServer, desk: Desk): void {
  const connections = [...desk.entries.keys()];
  const startsWith = (value: string) => (one: string) => one.toLowerCase().startsWith(value.toLowerCase());
  const names = (value: string): string[] => connections.filter(startsWith(value)).slice(0, COMPLETIONS);
  const text = (uri: URL, mimeType: string, content: string) => ({ contents: [{ uri: uri.href, mimeType, text: content }] });
  const one = (variables: Variables, key: string): string => decodeURIComponent(String(variables[key] ?? ''));

  server.registerResource(
    'schema',
    new ResourceTemplate('db://{connection}/schema', {
      list: () => ({
        resources: connections.map((name) => ({ uri: schemaUri(name), name: `Schema of ${name}`, mimeType: 'application/json' })),
      }),
      complete: { connection: names },
    }),
    { title: 'Schema of a database', description: 'Every table with its columns and keys.', mimeType: 'application/json' },
    read(async (uri, variables) => {
      const { database } = choose(desk, one(variables, 'connection'));
      const { relations, truncated } = await relationsOf(database);
      return text(
        uri,
        'application/json',
        JSON.stringify({ connection: database.name, engine: database.engine, truncated, tables: relations }, null, 1),
      );
    }),
  );
  server.registerResource(
    'diagram',
    new ResourceTemplate('db://{connection}/diagram', {
      list: () => ({
        resources: connections.map((name) => ({
          uri: `db://${encodeURIComponent(name)}/diagram`,
          name: `Diagram of ${name}`,
          mimeType: 'text/vnd.mermaid',
        })),
      }),
      complete: { connection: names },
    }),
    { title: 'ER diagram', description: 'Tables and foreign keys as Mermaid text.', mimeType: 'text/vnd.mermaid' },
    read(async (uri, variables) =>
      text(uri, 'text/vnd.mermaid', mermaid((await relationsOf(choose(desk, one(variables, 'connection')).database)).relations)),
    ),
  );
  server.registerResource(
    'table',
    new ResourceTemplate('db://{connection}/tables/{schema}/{table}', {
      list: async () => {
        const found: { uri: string; name: string; mimeType: string }[] = [];
        for (const name of connections) {
          // A server that is down has no tables to list; the others still have.
          const tables = await choose(desk, name)
            .database.tables()
            .catch(() => []);
          for (const table of tables.slice(0, TABLES_SHOWN))
            found.push({
              uri: tableUri(name, table.schema, table.name),
              name: `${name}: ${table.schema}.${table.name}`,
              mimeType: 'application/json',
            });
        }
        return { resources: found };
      },
      complete: {
        connection: names,
        schema: async (value, context) => {
          const schemas = await chooseAsked(desk, context?.arguments?.['connection']).database.schemas();
          return schemas
            .map((schema) => schema.name)
            .filter(startsWith(value))
            .slice(0, COMPLETIONS);
        },
        table: async (value, context) => {
          const tables = await chooseAsked(desk, context?.arguments?.['connection']).database.tables(context?.arguments?.['schema']);
          return tables
            .map((table) => table.name)
            .filter(startsWith(value))
            .slice(0, COMPLETIONS);
        },
      },
    }),
    { title: 'A table', description: 'Columns, keys and indexes of one table or view.', mimeType: 'application/json' },
    read(async (uri, variables) => {
      const { database } = choose(desk, one(variables, 'connection'));
      return text(
        uri,
        'application/json',
        JSON.stringify(await database.describe(one(variables, 'table'), one(variables, 'schema')), null, 1),
      );
    }),
  );
  server.registerResource(
    'export',
    new ResourceTemplate('db://exports/{id}/{file}', { list: () => ({ resources: [...desk.exports.list()] }) }),
    { title: 'An exported result', description: 'What export_result kept.' },
    (uri) => {
      const found = desk.exports.get(uri.href);
      if (found === undefined) throw new ResourceNotFoundError(uri.href, 'This export is not kept any more: export the result again.');
      return text(uri, found.mimeType, found.text);
    },
  );
  watchSchemas(server, desk);
}

type Read = (uri: URL, variables: Variables) => Promise<{ contents: { uri: string; mimeType: string; text: string }[] }>;

/** Errors of a reading as the protocol's: not there, or what the database said. */
function read(job: Read): Read {
  return async (uri, variables) => {
    try {
      return await job(uri, variables);
    } catch (thrown) {
      if (!(thrown instanceof SignalboxError)) throw thrown;
      if (thrown.message.startsWith('There is no ')) throw new ResourceNotFoundError(uri.href);
      throw new ProtocolError(
        ProtocolErrorCode.InternalError,
        `${thrown.code}: ${thrown.message} ${thrown.why} ${thrown.fix}`,
        thrown.toJSON(),
      );
    }
  };
}

async function relationsOf(database: Database): Promise<{ relations: readonly Relation[]; truncated: boolean }> {
  const tables = await database.tables();
  const relations: Relation[] = [];
  for (const table of tables.slice(0, TABLES_SHOWN)) relations.push(await database.describe(table.name, table.schema));
  return { relations, truncated: tables.length > TABLES_SHOWN };
}

/**
 * Looks at the version of each schema every few seconds and says which changed. A legacy client names what it wants to hear of; in the modern era the
 * SDK's entry holds the subscriptions and drops what nobody asked for, so there every database that was used is looked at.
 */
function watchSchemas(server: McpServer, desk: Desk): void {
  const wanted = new Set<string>();
  const seen = new Map<string, string>();
  const modern = (): boolean => (server.server.getNegotiatedProtocolVersion() ?? '') >= '2026-07-28';
  const look = async (): Promise<void> => {
    for (const [name, { database }] of desk.entries) {
      const schema = schemaUri(name);
      const diagram = `db://${encodeURIComponent(name)}/diagram`;
      const mine =
        modern() && desk.used.has(name)
          ? [schema, diagram]
          : [...wanted].filter((uri) => uri.startsWith(schema.slice(0, -'schema'.length)));
      if (mine.length === 0) continue;
      // A database that does not answer has not changed; it is asked again.
      const version = await database.schemaVersion().catch(() => undefined);
      if (version === undefined) continue;
      const before = seen.get(name);
      seen.set(name, version);
      if (before === undefined || before === version) continue;
      for (const uri of mine) await server.server.sendResourceUpdated({ uri });
      server.sendResourceListChanged();
    }
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    // A client that has gone hears nothing; the timer ends with the process.
    void look()
      .catch(() => undefined)
      .finally(() => {
        looking = false;
      });
  }, LOOK_EVERY_MS);
  timer.unref();
  server.server.registerCapabilities({ resources: { subscribe: true, listChanged: true } });
  server.server.setRequestHandler('resources/subscribe', async ({ params }) => {
    wanted.add(params.uri);
    await look();
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    wanted.delete(params.uri);
    return {};
  });
}
