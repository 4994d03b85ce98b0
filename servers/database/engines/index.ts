/** The engines by name: a new one is a folder beside this file and a line here. */
import type { Database } from './engine.ts';
import { openMysql } from './mysql/index.ts';
import { openPostgres } from './postgres/index.ts';
import type { ConnectionSettings } from './settings.ts';
import { openSqlite } from './sqlite/index.ts';

/**
 * @param script file of the process that holds a SQLite database
 * @throws SignalboxError `SBX_NODE_TOO_OLD` where SQLite cannot be guarded
 */
export function openConnection(name: string, settings: ConnectionSettings, script: string): Database {
  switch (settings.engine) {
    case 'sqlite':
      return openSqlite(name, settings, script);
    case 'postgresql':
      return openPostgres(name, settings);
    case 'mysql':
      return openMysql(name, settings);
  }
}
