/** One link to a PostgreSQL server and how a statement is run on it: every layer below the tree check. */
import { connect, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Client, type ClientConfig } from 'pg';
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { guardFrames } from './frames.ts';
import { type PortalResult, runPortal } from './portal.ts';
import type { Types } from './values.ts';

/** Layers that a test can switch off to show that the others hold alone. */
export interface PostgresLayers {
  /** The tree check. */
  readonly tree: boolean;
  /** BEGIN READ ONLY. */
  readonly readOnly: boolean;
  /** SET LOCAL ROLE pg_read_all_data for superusers. */
  readonly role: boolean;
}
/** The guard whole, as it always runs outside tests. */
export const ALL_LAYERS: PostgresLayers = { tree: true, readOnly: true, role: true };

/** An open link with what it knows of its server. */
export interface Session {
  readonly client: Client;
  readonly types: Types;
  readonly version: string;
  /** The role to step down to. */
  readonly role: string | undefined;
  readonly pid: number;
  broken: boolean;
}
/** A value of 16 MiB is as much as one message may carry; bytea doubles in text form. */
const MAX_MESSAGE = 34 * 1024 * 1024;

/** Opens a link and makes its settings known ones. @throws errors of `pg` */
export async function openSession(config: ClientConfig): Promise<Session> {
  const client = new Client({ ...config, application_name: 'signalbox', keepAlive: true, connectionTimeoutMillis: 10_000 });
  const session = { client, types: new Map() as Types, version: '', role: undefined as string | undefined, pid: 0, broken: false };
  client.on('error', () => {
    session.broken = true;
  });
  client.on('end', () => {
    session.broken = true;
  });
  const { connection } = client as unknown as { connection: { stream: { destroy(error?: Error): void } } };
  guardFrames(connection, MAX_MESSAGE, (size) => {
    session.broken = true;
    connection.stream.destroy(
      new SignalboxError('SBX_DB_LIMIT', 'One value of the answer is too large.', {
        why: `The server sent a message of ${size} bytes; ${MAX_MESSAGE} are allowed.`,
        fix: 'Select a part of it, for example with left() or substring().',
      }),
    );
  });
  await client.connect();
  try {
    await plain(client, SETTINGS);
    const [about] = (await plain(client, ABOUT)).rows;
    const types = new Map<number, { name: string; element?: number; delimiter?: string }>();
    for (const [oid, name, element, delimiter] of (await plain(client, TYPES)).rows) {
      types.set(Number(oid), { name: String(name), ...(element === '0' ? {} : { element: Number(element), delimiter: delimiter ?? ',' }) });
    }
    // A role can be given up only by a superuser; every other login keeps the rights it was made with.
    if (about?.[1] === 't' && about[2] === 't') session.role = 'pg_read_all_data';
    return Object.assign(session, { types, version: about?.[0] ?? '', pid: Number(about?.[3]) });
  } catch (thrown) {
    await client.end().catch(() => undefined);
    throw thrown;
  }
}
const SETTINGS = `SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
  SET standard_conforming_strings = on; SET client_min_messages = warning; SET check_function_bodies = on; SET xmloption = 'content'`;
const ABOUT = `SELECT current_setting('server_version'), (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
  EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pg_read_all_data'), pg_catalog.pg_backend_pid()`;
const TYPES = `SELECT oid, CASE WHEN typtype = 'd' THEN (SELECT b.typname FROM pg_catalog.pg_type b WHERE b.oid = t.typbasetype) ELSE typname END,
  CASE WHEN typcategory = 'A' THEN typelem ELSE 0 END, typdelim FROM pg_catalog.pg_type t WHERE typtype IN ('b', 'd', 'e', 'r', 'm') OR oid = 2249`;

/** Rows this session changed and has not reported yet. */
async function changed(client: Client): Promise<number> {
  const sql = 'SELECT coalesce(pg_catalog.sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_catalog.pg_stat_xact_user_tables';
  return Number((await plain(client, sql)).rows[0]?.[0]);
}

/** Runs trusted text (ours, never a caller's) by the simple protocol. */
export async function plain(client: Client, sql: string): Promise<{ rows: (string | null)[][] }> {
  const result = (await client.query({
    text: sql,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value } as never,
  })) as unknown;
  const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: (string | null)[][] };
  return { rows: last.rows };
}

/** How a statement is to be run. */
export interface Run {
  readonly sql: string;
  readonly values: (string | null)[];
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly skip: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly layers: PostgresLayers;
  /** A write: a read-write transaction, `settle` says whether it is kept. */
  readonly settle?: (result: PortalResult, counted: number | undefined) => boolean;
  /** The rows the whole transaction changed are counted for `settle`: the command's tag leaves some out. */
  readonly count?: boolean;
}

/** Milliseconds after which a cancel request that had no effect is sent again. */
const CANCEL_AGAIN_MS = 300;

/**
 * Runs one statement in a transaction of its own and leaves nothing behind: ROLLBACK (or COMMIT of a write), then DISCARD ALL, because a
 * `set_config` or an advisory lock would otherwise stay on the link.
 */
export async function runOn(session: Session, run: Run): Promise<PortalResult> {
  const { client } = session;
  const reading = run.settle === undefined;
  const begin = [
    reading && run.layers.readOnly ? 'BEGIN READ ONLY' : 'BEGIN',
    `SET LOCAL statement_timeout = ${run.timeoutMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${run.timeoutMs + 30_000}`,
    `SET LOCAL lock_timeout = ${Math.min(run.timeoutMs, 5000)}`,
    ...(reading && run.layers.role && session.role !== undefined ? [`SET LOCAL ROLE ${session.role}`] : []),
  ];
  let reason: unknown;
  let killer: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  const stop = (why: unknown): void => {
    if (reason !== undefined) return;
    reason = why;
    cancel(session);
    // One that comes between two messages of ours meets no statement and is forgotten by the server.
    again = setInterval(() => cancel(session), CANCEL_AGAIN_MS);
    // A server that does not heed the cancel request loses the link.
    killer = setTimeout(() => {
      session.broken = true;
      (client as unknown as { connection: { stream: { destroy(error: Error): void } } }).connection.stream.destroy(deadline(run.timeoutMs));
    }, 2000);
  };
  const abort = (): void => stop(run.signal?.reason ?? new Error('cancelled'));
  // The server's own limit comes first; ours is for a server that does not answer.
  const timer = setTimeout(() => stop(deadline(run.timeoutMs)), run.timeoutMs + 1000);
  run.signal?.addEventListener('abort', abort, { once: true });
  let keep = false;
  let lost: unknown;
  let answer: PortalResult;
  try {
    run.signal?.throwIfAborted();
    await plain(client, begin.join('; '));
    if (reason !== undefined) throw reason;
    // The statistics may hold what an earlier transaction left: the difference is ours.
    const before = run.count === true ? await changed(client) : 0;
    const result = await runPortal(client, run);
    const counted = run.count === true ? (await changed(client)) - before : undefined;
    keep = run.settle?.(result, counted) ?? false;
    answer = result;
  } catch (thrown) {
    throw reason ?? thrown;
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    clearInterval(again);
    run.signal?.removeEventListener('abort', abort);
    if (!session.broken) {
      try {
        await plain(client, keep ? 'COMMIT' : 'ROLLBACK');
        await plain(client, 'DISCARD ALL');
        await plain(client, SETTINGS);
      } catch (thrown) {
        session.broken = true;
        lost = keep ? thrown : undefined;
      }
    }
  }
  // A COMMIT that failed must not look like success.
  if (lost !== undefined) throw lost;
  return answer;
}

/** Sends a cancel request on a connection of its own (PostgreSQL protocol 55.2.8); it needs no login, only the key of the busy one. */
function cancel(session: Session): void {
  const { host, port, processID, secretKey, ssl } = session.client as unknown as {
    host: string;
    port: number;
    processID: number;
    secretKey: number;
    ssl: ConnectionOptions | false;
  };
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80877102, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  // The cancel may come too late or not at all: the killer follows.
  socket.on('error', () => undefined);
  if (ssl === false) {
    socket.end(request);
    return;
  }
  // The key is a secret as the login is: TLS first (SSLRequest, 55.2.10), and no key to a server that refuses it.
  const question = Buffer.alloc(8);
  question.writeInt32BE(8, 0);
  question.writeInt32BE(80877103, 4);
  socket.write(question);
  socket.once('data', (answer) => {
    if (answer.toString('latin1') !== 'S') return void socket.destroy();
    // `pg` hides the key of a client certificate from a spread.
    const options = {
      ...ssl,
      ...(ssl.key === undefined ? {} : { key: ssl.key }),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      socket,
    };
    const secure = connectTls(options, () => secure.end(request));
    secure.on('error', () => socket.destroy());
  });
}

function deadline(timeoutMs: number): SignalboxError {
  return new SignalboxError('SBX_DB_DEADLINE', `The query was ended after ${timeoutMs} ms.`, {
    why: 'It took longer than "timeoutMs" of the settings allows.',
    fix: 'Narrow it with WHERE or LIMIT, use an index, or raise "timeoutMs".',
  });
}
