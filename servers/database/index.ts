/** The database plugin: SQLite, read-only. */
import { extname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { definePlugin, helpPrompt, type PluginContext, tool } from '../plugin/define.ts';
import { type Connection, openConnection } from './connection.ts';
import { describeTable, listTables, query } from './tools.ts';

interface Settings {
  readonly connections?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly maxRows?: number;
  readonly maxBytes?: number;
}
type Connections = ReadonlyMap<string, Connection>;

/** Beside this module, with this module's extension: `.ts` in the sources, `.mjs` when packaged. */
const ENGINE = fileURLToPath(new URL(`./engine${extname(fileURLToPath(import.meta.url))}`, import.meta.url));

export default definePlugin<Connections>({
  open({ settings, baseFolder }: PluginContext) {
    const { connections = {}, timeoutMs = 10_000 } = settings as Settings;
    // Without the authorizer the guard would be weaker than what the README says: refuse instead.
    if (typeof DatabaseSync.prototype.setAuthorizer !== 'function') {
      throw new SignalboxError('SBX_NODE_TOO_OLD', `Node ${process.version} cannot guard SQLite.`, {
        why: 'node:sqlite has its authorizer since Node 24.10.',
        fix: 'Run Signalbox on Node 24.10 or newer.',
      });
    }
    return new Map(
      Object.entries(connections).map(([name, address]) => [
        name,
        openConnection(ENGINE, resolve(baseFolder, address.slice('sqlite:'.length)), timeoutMs),
      ]),
    );
  },
  register(server, { settings }, connections) {
    if (connections.size === 0) {
      helpPrompt(server, 'set-up-databases', {
        what: 'The database server has no connection.',
        fix: 'Name one in "connections" of its settings, for example {"main": "sqlite:./app.db"}, or run it with --connection main=sqlite:./app.db.',
      });
      return;
    }
    const { maxRows = 1000, maxBytes = 1024 * 1024 } = settings as Settings;
    const caps = { maxRows, maxBytes };
    tool(server, listTables(connections, caps));
    tool(server, describeTable(connections, caps));
    tool(server, query(connections, caps));
  },
  close(connections) {
    for (const connection of connections.values()) connection.close();
  },
});
