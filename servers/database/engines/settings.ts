/** The settings of connections, read: addresses by URL or parts, access, bounds and rules. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { type Masking, type Policy, restricts } from '../guard/policy.ts';
import type { Access, Limits } from './engine.ts';

/** TLS as Node's sockets take it. */
export interface Tls {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}
/** Where a database server listens and who logs in. */
export interface Address {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly tls: Tls | false;
}
interface Common {
  readonly access: Access;
  /** `ask`: a write asks the person each time; `never`: it does not. */
  readonly confirm: 'ask' | 'never';
  readonly policy: Policy;
  readonly limits: Limits;
}
/** Settings of a connection to a database server. */
export interface ServerSettings extends Common {
  readonly engine: 'postgresql' | 'mysql';
  readonly address: Address;
}
/** Settings of a connection to a file. */
export interface FileSettings extends Common {
  readonly engine: 'sqlite';
  /** Absolute path; undefined is a new database in memory. */
  readonly file: string | undefined;
  /** SQL that fills a database in memory. */
  readonly seed?: string;
}
/** Settings of any connection. */
export type ConnectionSettings = ServerSettings | FileSettings;

type Json = Readonly<Record<string, unknown>>;
const ENGINES: Readonly<Record<string, 'sqlite' | 'postgresql' | 'mysql'>> = {
  sqlite: 'sqlite',
  postgres: 'postgresql',
  postgresql: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
};

/**
 * @param settings the plugin's whole settings document
 * @param baseFolder where relative files start
 * @throws SignalboxError `SBX_DB_SETTINGS` naming the connection and the key
 */
export function readConnections(settings: Json, baseFolder: string): ReadonlyMap<string, ConnectionSettings> {
  const found = new Map<string, ConnectionSettings>();
  for (const [name, given] of Object.entries((settings['connections'] ?? {}) as Json)) {
    const entry = substitute(typeof given === 'string' ? { url: given } : (given as Json), name) as Json;
    found.set(name, readConnection(name, entry, settings, baseFolder));
  }
  return found;
}

function readConnection(name: string, entry: Json, settings: Json, baseFolder: string): ConnectionSettings {
  const url = typeof entry['url'] === 'string' ? entry['url'] : undefined;
  const scheme = url === undefined ? String(entry['engine'] ?? '') : (/^([a-z]+):/u.exec(url)?.[1] ?? '');
  const engine = ENGINES[scheme];
  if (engine === undefined) throw wrong(name, `"${scheme}" is no engine`, 'Use sqlite:, postgresql: or mysql: in "url", or "engine".');
  const common: Common = {
    access: (entry['access'] ?? (settings['access'] as Json | undefined)?.[name] ?? 'read') as Access,
    confirm: (entry['confirm'] ?? 'ask') as 'ask' | 'never',
    policy: readPolicy(entry),
    limits: readLimits(entry, settings),
  };
  if (engine === 'sqlite') {
    const file = url === undefined ? String(entry['file'] ?? '') : url.slice('sqlite:'.length);
    if (file === '') throw wrong(name, 'no file is named', 'Write "sqlite:./app.db", or "sqlite::memory:" for a demo.');
    const seed = typeof entry['seed'] === 'string' ? entry['seed'] : undefined;
    return {
      ...common,
      engine,
      file: file === ':memory:' ? undefined : resolve(baseFolder, file),
      ...(seed === undefined ? {} : { seed }),
    };
  }
  if (engine === 'mysql' && restricts(common.policy)) {
    throw wrong(
      name,
      'schemas, tables and columns cannot be hidden or masked on MySQL: only its own parser could tell which table a name means',
      "Use a login that may read less: GRANT SELECT (id, name) ON shop.customers TO 'assistant'@'%'; or a view with the open columns.",
    );
  }
  return {
    ...common,
    engine,
    address: url === undefined ? addressOf(name, entry, {}, baseFolder) : addressOf(name, entry, fromUrl(name, url), baseFolder),
  };
}

function fromUrl(name: string, text: string): Json {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong(
      name,
      'its "url" is not an address',
      'Write postgresql://user:password@host:5432/database; characters like @ or / in a password as %40, %2F.',
    );
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  // What drivers call it: none of them may be passed over, the connection could be in clear.
  const mode = ['sslmode', 'ssl-mode', 'ssl', 'tls'].map((key) => url.searchParams.get(key)).find((value) => value !== null) ?? null;
  return {
    host: url.hostname.replace(/^\[|\]$/gu, ''),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(database === '' ? {} : { database }),
    ...(mode === null ? {} : { tls: tlsMode(name, mode) }),
    ...(url.searchParams.has('socket') ? { host: url.searchParams.get('socket') } : {}),
  };
}

function tlsMode(name: string, mode: string): unknown {
  switch (mode.toLowerCase()) {
    case 'disable':
    case 'disabled':
    case 'false':
    case '0':
      return false;
    case 'require':
    case 'required':
      return { verify: false };
    case 'verify-ca':
    case 'verify-full':
    case 'verify_ca':
    case 'verify_identity':
    case 'true':
    case '1':
      return true;
    default:
      throw wrong(
        name,
        `sslmode "${mode}" is not known`,
        'Use disable, require or verify-full; "prefer" would fall back to plain text and is not offered.',
      );
  }
}

function addressOf(name: string, entry: Json, url: Json, baseFolder: string): Address {
  const part = (key: string): unknown => entry[key] ?? url[key];
  const text = (key: string): Json => (typeof part(key) === 'string' ? { [key]: part(key) } : {});
  const host = String(part('host') ?? '127.0.0.1');
  const { port } = { port: part('port') };
  return {
    host,
    ...(typeof port === 'number' ? { port } : {}),
    ...text('user'),
    ...text('password'),
    ...text('database'),
    tls: readTls(name, part('tls'), host, baseFolder),
  };
}

/** Left out, TLS is checked for hosts that are not this machine, and off for this machine. */
function readTls(name: string, given: unknown, host: string, baseFolder: string): Tls | false {
  if (given === false) return false;
  if (given === undefined) return /^(?:127(?:\.\d+){3}$|::1$|localhost$|\/)/u.test(host) ? false : { rejectUnauthorized: true };
  if (given === true) return { rejectUnauthorized: true };
  const parts = given as Json;
  const file = (key: string): Json => {
    const path = parts[key];
    if (typeof path !== 'string') return {};
    try {
      return { [key]: path.startsWith('-----BEGIN') ? path : readFileSync(resolve(baseFolder, path), 'utf8') };
    } catch (cause) {
      throw wrong(name, `tls.${key}: ${cause instanceof Error ? cause.message : String(cause)}`, 'Correct the path.');
    }
  };
  const tls: Tls = {
    rejectUnauthorized: parts['verify'] !== false,
    ...file('ca'),
    ...file('cert'),
    ...file('key'),
    ...(typeof parts['servername'] === 'string' ? { servername: parts['servername'] } : {}),
  };
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw wrong(
      name,
      `tls: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Give "ca", "cert" and "key" as PEM; the key must fit the certificate.',
    );
  }
  return tls;
}

function readPolicy(entry: Json): Policy {
  const list = (group: string, key: string): readonly string[] | undefined =>
    ((entry[group] as Json | undefined)?.[key] as readonly string[] | undefined)?.map((one) => one.toLowerCase());
  const allowSchemas = list('schemas', 'allow');
  const allowTables = list('tables', 'allow');
  return {
    denySchemas: list('schemas', 'deny') ?? [],
    denyTables: list('tables', 'deny') ?? [],
    allowFunctions: list('functions', 'allow') ?? [],
    denyFunctions: list('functions', 'deny') ?? [],
    columns: new Map(
      Object.entries((entry['columns'] ?? {}) as Readonly<Record<string, Masking>>).map(([column, how]) => [column.toLowerCase(), how]),
    ),
    salt: typeof entry['salt'] === 'string' ? entry['salt'] : randomBytes(16).toString('hex'),
    ...(allowSchemas === undefined ? {} : { allowSchemas }),
    ...(allowTables === undefined ? {} : { allowTables }),
  };
}

function readLimits(entry: Json, settings: Json): Limits {
  const number = (key: string, fallback: number): number => {
    const value = entry[key] ?? settings[key];
    return typeof value === 'number' ? value : fallback;
  };
  return {
    maxRows: number('maxRows', 1000),
    maxBytes: number('maxBytes', 1024 * 1024),
    timeoutMs: number('timeoutMs', 10_000),
    concurrency: number('concurrency', 4),
    queue: number('queue', 64),
    maxAffected: number('maxAffected', 1000),
  };
}

/** `${env:NAME}` when the plugin runs alone; the daemon has put in everything else before. */
function substitute(value: unknown, name: string): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{(env|secret):([^}]+)\}/gu, (_, kind: string, key: string) => {
      const found = kind === 'env' ? process.env[key] : undefined;
      if (found !== undefined) return found;
      throw wrong(
        name,
        `\${${kind}:${key}} has no value`,
        kind === 'env' ? `Set ${key}.` : 'Secrets are put in by the daemon: run this server through it, or use ${env:NAME}.',
      );
    });
  }
  if (Array.isArray(value)) return value.map((one) => substitute(one, name));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, substitute(one, name)]));
  return value;
}

function wrong(name: string, why: string, fix: string): SignalboxError {
  return new SignalboxError('SBX_DB_SETTINGS', `The connection "${name}" cannot be used as it is configured.`, { why: `${why}.`, fix });
}
