/** The database plugin: SQLite, PostgreSQL and MySQL/MariaDB behind a guard the engines enforce. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { definePlugin, helpPrompt, type PluginContext } from '../plugin/define.ts';
import { openConnection } from './engines/index.ts';
import { readConnections } from './engines/settings.ts';
import { registerPrompts } from './prompts.ts';
import { registerResources } from './resources.ts';
import { describeTable, listConnections, listSchemas, listTables, searchObjects } from './tools/definitions.ts';
import type { Desk, Entry } from './tools/desk.ts';
import { exportResult } from './tools/export.ts';
import { makeExports } from './tools/kept.ts';
import { explain, query, validate } from './tools/query.ts';
import { register } from './tools/register.ts';
import { statistics } from './tools/statistics.ts';
import { write } from './tools/write.ts';

/** Beside this module, with this module's extension: `.ts` in the sources, `.mjs` when packaged. */
const ENGINE = fileURLToPath(new URL(`./engine${extname(fileURLToPath(import.meta.url))}`, import.meta.url));

export default definePlugin<Desk>({
  async open({ settings, baseFolder, audit }: PluginContext) {
    const entries = new Map<string, Entry>();
    for (const [name, connection] of readConnections(settings, baseFolder))
      entries.set(name, { settings: connection, database: await openConnection(name, connection, ENGINE) });
    return { entries, audit, auditText: settings['auditText'] === true, exports: makeExports(), used: new Set() };
  },
  register(server, _context, desk) {
    if (desk.entries.size === 0) {
      helpPrompt(server, 'set-up-databases', {
        what: 'The database server has no connection.',
        fix: 'Name one in "connections" of its settings, for example {"main": "sqlite:./app.db"} or {"shop": "postgresql://reader:${secret:shop}@db:5432/shop"}, or run it with --connection main=sqlite:./app.db.',
      });
      return;
    }
    for (const make of [
      listConnections,
      listSchemas,
      listTables,
      describeTable,
      query,
      explain,
      searchObjects,
      statistics,
      validate,
      exportResult,
    ])
      register(server, make(desk));
    if ([...desk.entries.values()].some((entry) => entry.settings.access !== 'read')) register(server, write(desk));
    registerResources(server, desk);
    registerPrompts(server, desk);
  },
  async close(desk) {
    await Promise.all([...desk.entries.values()].map((entry) => entry.database.close()));
  },
});
