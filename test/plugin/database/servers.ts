/** Real database servers for the tests: a fresh one in a temporary folder, ended and removed by `stop`. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A running server that is reached through a Unix socket. */
export interface TestServer {
  readonly folder: string;
  /** PostgreSQL: the folder of the socket; MariaDB: the socket. */
  readonly socket: string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The programs, or why there are none. */
export function findPostgres(): { bin: string } | { missing: string } {
  const folders = [...globSync('/usr/lib/postgresql/*/bin').sort().reverse(), ...(process.env['PATH'] ?? '').split(':')];
  const bin = folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
  return bin === undefined ? { missing: 'no PostgreSQL on this machine (initdb, postgres)' } : { bin };
}
export function findMariadb(): { server: string; install: string } | { missing: string } {
  const folders = ['/usr/sbin', '/usr/bin', '/usr/local/bin', ...(process.env['PATH'] ?? '').split(':')];
  const at = (name: string): string | undefined => folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  const server = at('mariadbd');
  const install = at('mariadb-install-db');
  return server === undefined || install === undefined
    ? { missing: 'no MariaDB on this machine (mariadbd, mariadb-install-db)' }
    : { server, install };
}

/** Both servers refuse root: as root they run as this user. */
function account(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}

function makeFolder(prefix: string): { folder: string; who: { uid: number; gid: number } | undefined } {
  const who = account();
  const folder = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(folder, 0o755);
  if (who !== undefined) chownSync(folder, who.uid, who.gid);
  return { folder, who };
}

/**
 * Starts PostgreSQL with the superuser `postgres` (trusted on its socket).
 * @param port set: it listens on 127.0.0.1 too, and the socket's file has this number
 */
export async function startPostgres(bin: string, port?: number): Promise<TestServer> {
  const { folder, who } = makeFolder('sbx-pg-');
  const data = join(folder, 'data');
  const options = { ...who, cwd: folder, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } };
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C'],
    options,
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr.toString()}`);
  const args = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'autovacuum=off', '-c', 'max_connections=40'];
  if (port !== undefined) args.push('-c', 'listen_addresses=127.0.0.1', '-p', String(port));
  return supervise(
    folder,
    folder,
    join(folder, `.s.PGSQL.${port ?? 5432}`),
    () => spawn(join(bin, 'postgres'), args, { ...options, stdio: 'ignore' }),
    'SIGINT',
  );
}

/**
 * Starts MariaDB with the login `root` (no password, on its socket).
 * @param more arguments that win over ours, read at each start
 */
export async function startMariadb(programs: { server: string; install: string }, more: readonly string[] = []): Promise<TestServer> {
  const { folder, who } = makeFolder('sbx-my-');
  const data = join(folder, 'data');
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  if (who !== undefined) chownSync(temporary, who.uid, who.gid);
  const options = { ...who, cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder } };
  const flags = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${temporary}`];
  const made = spawnSync(programs.install, [...flags, '--auth-root-authentication-method=normal', '--skip-test-db'], options);
  if (made.status !== 0) throw new Error(`mariadb-install-db: ${made.stderr.toString()} ${made.stdout.toString()}`);
  const socket = join(folder, 'my.sock');
  const args = [
    ...flags,
    `--socket=${socket}`,
    '--skip-networking',
    '--innodb-flush-log-at-trx-commit=0',
    '--secure-file-priv=',
    '--local-infile=1',
    '--max-allowed-packet=1G',
  ];
  return supervise(folder, socket, socket, () => spawn(programs.server, [...args, ...more], { ...options, stdio: 'ignore' }), 'SIGTERM');
}

async function supervise(
  folder: string,
  socket: string,
  file: string,
  launch: () => ChildProcess,
  ending: NodeJS.Signals,
): Promise<TestServer> {
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await gone;
  };
  const start = async (): Promise<void> => {
    const running = launch();
    child = running;
    for (let tries = 0; tries < 300; tries++) {
      if (running.exitCode !== null) throw new Error(`The server ended with ${running.exitCode}.`);
      if (await answers(file)) return;
      await wait(100);
    }
    throw new Error('The server did not start.');
  };
  const server: TestServer = {
    folder,
    socket,
    start,
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end(ending);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await start();
  return server;
}

function answers(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
