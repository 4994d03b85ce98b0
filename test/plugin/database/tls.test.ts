/** TLS to real servers: encrypted and checked, refused when the certificate is not the right one, never in clear when it was asked for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Database } from '../../../servers/database/engines/engine.ts';
import { openMysql } from '../../../servers/database/engines/mysql/index.ts';
import { ALL_MYSQL_LAYERS } from '../../../servers/database/engines/mysql/session.ts';
import { openPostgres } from '../../../servers/database/engines/postgres/index.ts';
import { ALL_LAYERS } from '../../../servers/database/engines/postgres/session.ts';
import { readConnections, type ServerSettings } from '../../../servers/database/engines/settings.ts';
import { rootOf } from './mysql-fixture.ts';
import { findMariadb, findPostgres, startMariadb, startPostgres, type TestServer } from './servers.ts';

const PASSWORD = 'correct-horse-battery';
const NAME = 'db.example.test';
const folder = mkdtempSync(join(tmpdir(), 'sbx-tls-'));
const ca = join(folder, 'ca.pem');
const otherCa = join(folder, 'other.pem');
const cert = join(folder, 'server.pem');
const key = join(folder, 'server.key');
const noOpenssl = makeCertificates();
after(() => rmSync(folder, { recursive: true, force: true }));

/** @returns why there are none */
function makeCertificates(): string | false {
  const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    openssl('version');
  } catch {
    return 'no openssl on this machine';
  }
  for (const file of ['ca', 'other']) {
    openssl('req', '-x509', ...fresh, '-days', '2', '-subj', `/CN=${file} test`, '-keyout', `${file}.key`, '-out', `${file}.pem`);
  }
  writeFileSync(join(folder, 'names'), `subjectAltName=DNS:${NAME},IP:127.0.0.1`);
  openssl('req', ...fresh, '-subj', `/CN=${NAME}`, '-keyout', 'server.key', '-out', 'server.csr');
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.pem');
  chmodSync(folder, 0o755);
  chmodSync(key, 0o600);
  return false;
}

/** The server reads the key as its own user. */
function giveKey(server: TestServer): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(server.folder);
  chownSync(key, uid, gid);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Passes bytes on to `port` and keeps what the client sent. */
async function tap(port: number): Promise<{ port: number; sent(): string; close(): void }> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const socket of [client, target]) sockets.add(socket.on('error', () => client.destroy()));
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sent: () => Buffer.concat(chunks).toString('latin1'),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

type Engine = 'postgresql' | 'mysql';
function open(engine: Engine, port: number, more: Record<string, unknown>, look = false): Database {
  const entry = { engine, host: '127.0.0.1', port, user: 'walter', password: PASSWORD, timeoutMs: 5000, ...more };
  const settings = readConnections({ connections: { main: entry } }, folder).get('main') as ServerSettings;
  // The guard refuses the tables that tell of sessions: the text check is off where `look` needs them.
  if (engine === 'mysql') return openMysql('main', settings, { ...ALL_MYSQL_LAYERS, text: !look });
  return openPostgres('main', settings, { ...ALL_LAYERS, tree: !look });
}

async function ask(database: Database, sql: string): Promise<readonly (readonly unknown[])[]> {
  try {
    return (await database.query({ sql, maxRows: 10, maxBytes: 10_000 })).rows;
  } finally {
    await database.close();
  }
}

async function refused(database: Database, about: RegExp, fix: RegExp): Promise<void> {
  await assert.rejects(ask(database, 'SELECT 1'), (error: unknown) => {
    assert.ok(error instanceof SignalboxError, String(error));
    assert.equal(error.code, 'SBX_DB_CONNECTION');
    assert.match(error.message, about);
    assert.notEqual(error.why, '');
    assert.match(error.fix, fix);
    const { message, why, fix: advice, cause } = error;
    assert.ok(!`${message} ${why} ${advice} ${inspect(cause, { depth: 6 })}`.includes(PASSWORD));
    return true;
  });
}

/** What holds for both engines. */
function common(engine: Engine, at: () => number, encrypted: () => (database: Database) => Promise<boolean>): void {
  test('the right authority: the query works and the session is encrypted, also by name', async () => {
    for (const more of [
      { tls: { ca } },
      { tls: { ca: './ca.pem', servername: NAME } },
      { tls: { ca, servername: NAME }, host: 'localhost' },
      { tls: { verify: false } },
    ]) {
      assert.equal(await encrypted()(open(engine, at(), more, true)), true, JSON.stringify(more));
    }
    assert.equal(await encrypted()(open(engine, at(), { tls: false }, true)), false, 'the look itself can tell');
  });

  test('on the wire there is neither login nor statement', async () => {
    const wire = await tap(at());
    try {
      const sql = "SELECT 'needle-in-a-wire'";
      assert.deepEqual(await ask(open(engine, wire.port, { tls: { ca } }), sql), [['needle-in-a-wire']]);
      assert.doesNotMatch(wire.sent(), /walter|needle/u);
      await ask(open(engine, wire.port, { tls: false }), sql);
      assert.match(wire.sent(), /walter.*needle/su, 'the look itself can tell');
    } finally {
      wire.close();
    }
  });

  test('another authority is refused before the login', async () => {
    const wire = await tap(at());
    try {
      for (const tls of [{ ca: otherCa }, true, { servername: NAME }])
        await refused(open(engine, wire.port, { tls }), /is not trusted/u, /tls\.ca/u);
      assert.doesNotMatch(wire.sent(), /walter/u);
    } finally {
      wire.close();
    }
  });

  test('another host name is refused', async () => {
    await refused(open(engine, at(), { tls: { ca }, host: 'localhost' }), /another host/u, /tls\.servername/u);
    await refused(open(engine, at(), { tls: { ca, servername: 'other.example.test' } }), /another host/u, /tls\.servername/u);
    const named = { tls: { ca, servername: 'other.example.test' }, host: 'localhost' };
    await refused(open(engine, at(), named), /another host/u, /tls\.servername/u);
  });
}

/** Each way to ask for TLS, against a server that has none. */
async function neverInClear(engine: Engine, port: number): Promise<void> {
  const wire = await tap(port);
  try {
    assert.deepEqual(await ask(open(engine, port, { tls: false }), 'SELECT 1'), [[1]]);
    for (const tls of [true, { ca }, { verify: false }])
      await refused(open(engine, wire.port, { tls }), /offers no TLS/u, /"tls" to false/u);
    for (const mode of ['sslmode=require', 'sslmode=verify-full', 'ssl=true']) {
      const url = `${engine}://walter:${PASSWORD}@127.0.0.1:${wire.port}/postgres?${mode}`;
      const settings = readConnections({ connections: { main: url } }, folder).get('main') as ServerSettings;
      const database = engine === 'mysql' ? openMysql('main', settings) : openPostgres('main', settings);
      await refused(database, /offers no TLS/u, /"tls" to false/u);
    }
    assert.doesNotMatch(wire.sent(), /walter|SELECT/u);
  } finally {
    wire.close();
  }
}

test('a certificate that is none is refused with the settings; only this machine is spoken to in clear by default', () => {
  const read = (entry: Record<string, unknown>): ServerSettings =>
    readConnections({ connections: { main: { engine: 'mysql', ...entry } } }, folder).get('main') as ServerSettings;
  const settings = { code: 'SBX_DB_SETTINGS' };
  assert.throws(() => read({ tls: { ca: './none.pem' } }), settings);
  assert.throws(() => read({ tls: { cert: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----' } }), settings);
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '/run/my.sock']) assert.equal(read({ host }).address.tls, false, host);
  for (const host of ['127.example.test', '127.0.0.1.example.test', 'localhost.example.test', '10.0.0.1'])
    assert.deepEqual(read({ host }).address.tls, { rejectUnauthorized: true }, host);
});

const postgres = findPostgres();
describe('PostgreSQL', { skip: noOpenssl || ('missing' in postgres ? postgres.missing : false) }, () => {
  let server: TestServer;
  let port = 0;
  before(async () => {
    port = await freePort();
    server = await startPostgres((postgres as { bin: string }).bin, port);
    giveKey(server);
  });
  after(() => server?.stop());

  const admin = async (...statements: readonly string[]): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const client = new Client({ host: server.socket, port, user: 'postgres', database: 'postgres' });
      client.on('error', () => undefined);
      try {
        await client.connect();
        for (const sql of statements) await client.query(sql);
        return;
      } catch (thrown) {
        if ((thrown as { code?: string }).code !== '57P03' || tries > 100) throw thrown;
        await wait(100);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  };
  /** @returns how many statements of `walter` run, at the latest after a while that ends before the statement's own limit */
  const running = async (wanted: number): Promise<number> => {
    const client = new Client({ host: server.socket, port, user: 'postgres', database: 'postgres' });
    await client.connect();
    try {
      const sql = "SELECT FROM pg_stat_activity WHERE usename = 'walter' AND state = 'active'";
      let found = -1;
      for (let tries = 0; tries < 50 && found !== wanted; tries++) {
        found = (await client.query(sql)).rowCount ?? 0;
        if (found !== wanted) await wait(50);
      }
      return found;
    } finally {
      await client.end();
    }
  };
  const encrypted = async (database: Database): Promise<boolean> => {
    const [[ssl] = []] = await ask(database, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return ssl === true;
  };

  test('TLS asked of a server without it is refused, never in clear', async () => {
    await admin(`CREATE ROLE walter LOGIN PASSWORD '${PASSWORD}'`);
    await neverInClear('postgresql', port);
  });
  test('(the server is given its certificate)', async () => {
    await admin(`ALTER SYSTEM SET ssl_cert_file = '${cert}'`, `ALTER SYSTEM SET ssl_key_file = '${key}'`, 'ALTER SYSTEM SET ssl = on');
    await admin('SELECT pg_reload_conf()');
    for (let tries = 0; tries < 50 && !(await encrypted(open('postgresql', port, { tls: { ca } }, true)).catch(() => false)); tries++)
      await wait(100);
  });
  common(
    'postgresql',
    () => port,
    () => encrypted,
  );

  test('a cancel goes through TLS too', async () => {
    const wire = await tap(port);
    const database = open('postgresql', wire.port, { tls: { ca } });
    try {
      const stop = new AbortController();
      const sql = 'SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 100000) b';
      const asked = database.query({ sql, maxRows: 1, maxBytes: 1000, signal: stop.signal });
      const ended = assert.rejects(asked, /enough/u);
      assert.equal(await running(1), 1);
      stop.abort(new Error('enough'));
      await ended;
      assert.equal(await running(0), 0, 'the server heeded it');
      // The code of a CancelRequest, 80877102.
      assert.ok(!wire.sent().includes('\u0004\u00d2\u0016\u002e'));
    } finally {
      await database.close();
      wire.close();
    }
  });
});

const mariadb = findMariadb();
describe('MariaDB', { skip: noOpenssl || ('missing' in mariadb ? mariadb.missing : false) }, () => {
  let server: TestServer;
  let port = 0;
  const more: string[] = [];
  before(async () => {
    port = await freePort();
    more.push('--skip-networking=0', '--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve');
    server = await startMariadb(mariadb as { server: string; install: string }, more);
    giveKey(server);
    const root = await rootOf(server);
    await root.query(`CREATE USER walter@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
    await root.query('CREATE DATABASE postgres');
    await root.query(`GRANT SELECT ON postgres.* TO walter@'127.0.0.1'`);
    await root.end();
  });
  after(() => server?.stop());

  const encrypted = async (database: Database): Promise<boolean> => {
    const sql = "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_cipher'";
    const [[cipher] = []] = await ask(database, sql);
    return typeof cipher === 'string' && cipher !== '';
  };

  test('TLS asked of a server without it is refused, never in clear', async () => {
    await neverInClear('mysql', port);
  });
  test('(the server is given its certificate)', async () => {
    more.push(`--ssl-cert=${cert}`, `--ssl-key=${key}`);
    await server.kill();
    await server.start();
  });
  common(
    'mysql',
    () => port,
    () => encrypted,
  );
});
