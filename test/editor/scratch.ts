/** A throw-away user: own state, configuration and project folder, with the bundled servers configured; ends the daemon it led to. */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Root of the repository. */
export const ROOT = resolve(import.meta.dirname, '..', '..');

/** Folders of the throw-away user, and the environment that makes Signalbox use them. */
export interface Scratch {
  readonly dir: string;
  readonly project: string;
  readonly env: Record<string, string>;
  /** Stops the daemon if one runs, then removes everything. */
  dispose(): Promise<void>;
}

const OPENAPI = {
  openapi: '3.0.3',
  info: { title: 'Timetable', version: '1.0.0' },
  servers: [{ url: 'https://timetable.example/v1' }],
  paths: {
    '/stations': { get: { operationId: 'listStations', summary: 'All stations of the line', responses: { 200: { description: 'ok' } } } },
    '/departures': {
      get: {
        operationId: 'listDepartures',
        summary: 'Next departures from a station',
        parameters: [{ name: 'station', in: 'query', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'ok' } },
      },
    },
  },
};

/** Makes the folders and files. @param more a server with a fault as well, `points` */
export function makeScratch(more: { readonly faulty?: boolean } = {}): Scratch {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-editor-'));
  const [state, config, project] = [join(dir, 'state'), join(dir, 'config'), join(dir, 'branch-line')];
  mkdirSync(state, { mode: 0o700 });
  mkdirSync(config, { mode: 0o700 });
  mkdirSync(project);
  writeFileSync(join(project, 'README.md'), '# Branch line\n\nSignals, points and the timetable of a small branch line.\n');
  writeFileSync(join(project, 'signals.csv'), 'signal,kind\nA1,home\nA2,starter\nB1,distant\n');
  writeFileSync(join(project, 'timetable.openapi.json'), JSON.stringify(OPENAPI, null, 2));
  const database = new DatabaseSync(join(project, 'line.db'));
  database.exec(
    "CREATE TABLE stations (id INTEGER PRIMARY KEY, name TEXT NOT NULL); INSERT INTO stations (name) VALUES ('Ash'), ('Birch'), ('Cedar')",
  );
  database.close();
  const points = join(project, 'points.mjs');
  if (more.faulty === true) copyFileSync(join(import.meta.dirname, 'points.mjs'), points);
  writeFileSync(
    join(config, 'config.jsonc'),
    JSON.stringify(
      {
        servers: {
          ...(more.faulty === true ? { points: { command: process.execPath, args: [points] } } : {}),
          files: { plugin: 'filesystem', settings: { roots: [project], access: 'read' } },
          line: { plugin: 'database', settings: { connections: { main: `sqlite:${join(project, 'line.db')}` } } },
          timetable: { plugin: 'api', settings: { spec: join(project, 'timetable.openapi.json') } },
        },
        namespaces: { dev: ['files', 'line', 'timetable', ...(more.faulty === true ? ['points'] : [])] },
        endpoints: { default: { namespaces: ['dev'] } },
      },
      null,
      2,
    ),
  );
  const env = { SIGNALBOX_STATE_DIR: state, SIGNALBOX_CONFIG_DIR: config };
  return {
    dir,
    project,
    env,
    async dispose() {
      if (existsSync(join(state, 'runtime.json'))) await stopDaemon(env);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** `signalbox stop`; an exit code other than 0 only means that none ran any more. */
function stopDaemon(env: Record<string, string>): Promise<void> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(ROOT, 'dist', 'cli.mjs'), 'stop', '--json'],
      { env: { ...process.env, ...env }, timeout: 30_000 },
      () => done(),
    );
  });
}
