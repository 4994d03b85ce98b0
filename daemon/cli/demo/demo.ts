/** The demo workspace: files, a database and an HTTP API over one small railway. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../api/config.ts';
import { startDemoApi } from './api.ts';
import { writeDemoDatabase } from './database.ts';
import { FILES, openApi } from './files.ts';

/** A demo that runs. */
export interface Demo {
  /** Folder of the files. */
  readonly files: string;
  /** The SQLite database. */
  readonly database: string;
  readonly apiPort: number;
  /** The OpenAPI 3.1 file. */
  readonly spec: string;
  /** Stops the API; the files stay. */
  close(): Promise<void>;
}

/**
 * Writes the demo into a folder (created if needed) and starts its API on a free port of 127.0.0.1.
 * @throws a system error when the folder cannot be written
 */
export async function createDemo(folder: string): Promise<Demo> {
  const files = join(folder, 'workspace');
  for (const [path, content] of Object.entries(FILES)) {
    const file = join(files, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const database = join(folder, 'timetable.db');
  writeDemoDatabase(database);
  const api = await startDemoApi();
  const spec = join(folder, 'openapi.json');
  writeFileSync(spec, openApi(api.port));
  return { files, database, apiPort: api.port, spec, close: api.close };
}

/** The configuration that serves the demo: the three bundled servers on the endpoint `default`. */
export function demoConfig(demo: Demo): Pick<Config, 'servers' | 'namespaces' | 'endpoints'> {
  return {
    servers: {
      fs: { plugin: 'filesystem', settings: { roots: [demo.files], access: 'read' } },
      db: { plugin: 'database', settings: { connections: { main: `sqlite:${demo.database}` } } },
      api: { plugin: 'api', settings: { spec: demo.spec, allowPrivate: [`127.0.0.1:${demo.apiPort}`] } },
    },
    namespaces: { demo: ['fs', 'db', 'api'] },
    endpoints: { default: { namespaces: ['demo'] } },
  };
}
