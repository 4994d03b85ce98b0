/** The engines by name: a new one is a folder beside this file and a line here. */
import type { Database } from './engine.ts';
import type { ConnectionSettings } from './settings.ts';

/**
 * Loads the engine when it is first needed: on a busy machine the PostgreSQL driver and parser took 400 ms to load, the MySQL driver 70.
 * @param script file of the process that holds a SQLite database
 * @throws SignalboxError `SBX_NODE_TOO_OLD` where SQLite cannot be guarded
 */
export async function openConnection(name: string, settings: ConnectionSettings, script: string): Promise<Database> {
  switch (settings.engine) {
    case 'sqlite':
      return (await import('./sqlite/index.ts')).openSqlite(name, settings, script);
    case 'postgresql':
      return (await import('./postgres/index.ts')).openPostgres(name, settings);
    case 'mysql':
      return (await import('./mysql/index.ts')).openMysql(name, settings);
  }
}
