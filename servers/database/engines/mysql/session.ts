/** One link to a MySQL or MariaDB server and how a statement is run on it: every layer below the text check. */
import { type Connection, type ConnectionOptions, createConnection, type FieldPacket, type ResultSetHeader } from 'mysql2';
import { SignalboxError } from '../../../../daemon/api/errors.ts';

/** Layers that a test can switch off to show that the others hold alone. */
export interface MysqlLayers {
  /** The text check. */
  readonly text: boolean;
  /** START TRANSACTION READ ONLY. */
  readonly readOnly: boolean;
  /** The binary protocol: the server itself takes one statement only. */
  readonly prepared: boolean;
}
/** The guard whole, as it always runs outside tests. */
export const ALL_MYSQL_LAYERS: MysqlLayers = { text: true, readOnly: true, prepared: true };

/** An open link with what it knows of its server. */
export interface Session {
  readonly connection: Connection;
  readonly mariadb: boolean;
  readonly version: string;
  readonly thread: number;
  broken: boolean;
}
/** What a statement gave. */
export interface MysqlResult {
  readonly fields: readonly FieldPacket[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: false | 'rows' | 'bytes';
  readonly affected: number;
}
/** Bytes from the server beyond the bound of the answer that are still read; more end the link. */
const SLACK_BYTES = 48 * 1024 * 1024;
const LOOK_EVERY_MS = 20;

/** Opens a link and makes its settings known ones. @throws errors of `mysql2` */
export async function openSession(options: ConnectionOptions): Promise<Session> {
  const connection = createConnection({
    ...options,
    flags: ['-LOCAL_FILES'],
    multipleStatements: false,
    supportBigNumbers: true,
    bigNumberStrings: false,
    dateStrings: true,
    jsonStrings: true,
    charset: 'utf8mb4',
    connectTimeout: 10_000,
    rowsAsArray: true,
    maxPreparedStatements: 50,
    // A server may ask for any file with LOCAL INFILE: there is none.
    infileStreamFactory: () => {
      throw new Error('LOCAL INFILE is off.');
    },
  });
  const session = { connection, mariadb: false, version: '', thread: 0, broken: false };
  connection.on('error', () => {
    session.broken = true;
  });
  await new Promise<void>((resolve, reject) =>
    connection.connect((error) => {
      if (error === null) return resolve();
      connection.destroy();
      reject(error);
    }),
  );
  connection.on('end', () => {
    session.broken = true;
  });
  const [about] = await plain(session, 'SELECT VERSION(), CONNECTION_ID()');
  session.version = String(about?.[0]);
  session.mariadb = /mariadb/iu.test(session.version);
  session.thread = Number(about?.[1]);
  await prepareSession(session);
  return session;
}

/** The lexer of the guard reads text as a server with these settings does. */
async function prepareSession(session: Session): Promise<void> {
  await plain(
    session,
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', SESSION time_zone = '+00:00'",
  );
}

/** Runs trusted text (ours, never a caller's). */
export function plain(session: Session, sql: string): Promise<readonly (readonly unknown[])[]> {
  return new Promise((resolve, reject) => {
    session.connection.query({ sql, rowsAsArray: true }, (error, rows) =>
      error === null ? resolve(rows as unknown as unknown[][]) : reject(error),
    );
  });
}

/** How a statement is to be run. */
export interface Run {
  readonly sql: string;
  readonly values: readonly (string | number | null)[];
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly skip: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly layers: MysqlLayers;
  /** SHOW and the like, which not every server prepares. */
  readonly direct?: boolean;
  /** A write: a read-write transaction, `settle` says whether it is kept. */
  readonly settle?: (result: MysqlResult) => boolean;
  /** Runs `KILL QUERY` on a link of its own. */
  readonly kill: (thread: number) => void;
}

/** Runs one statement in a transaction of its own, then resets the link: variables, locks, temporary tables, prepared statements go. */
export async function runOn(session: Session, run: Run): Promise<MysqlResult> {
  const reading = run.settle === undefined;
  let reason: unknown;
  let killer: NodeJS.Timeout | undefined;
  const destroy = (): void => {
    session.broken = true;
    session.connection.destroy();
  };
  const stop = (why: unknown): void => {
    if (reason !== undefined) return;
    reason = why;
    run.kill(session.thread);
    killer = setTimeout(destroy, 2000);
  };
  const abort = (): void => stop(run.signal?.reason ?? new Error('cancelled'));
  const timer = setTimeout(() => stop(deadline(run.timeoutMs)), run.timeoutMs + 1000);
  run.signal?.addEventListener('abort', abort, { once: true });
  let keep = false;
  let lost: unknown;
  let answer: MysqlResult;
  try {
    run.signal?.throwIfAborted();
    const limit = session.mariadb ? `max_statement_time = ${run.timeoutMs / 1000}` : `max_execution_time = ${run.timeoutMs}`;
    const rows = reading ? `, SESSION sql_select_limit = ${run.skip + run.maxRows + 1}` : '';
    await plain(session, `SET SESSION ${limit}, SESSION lock_wait_timeout = 5${rows}`);
    await plain(session, reading && run.layers.readOnly ? 'START TRANSACTION READ ONLY' : 'START TRANSACTION');
    const result = await stream(session, run, destroy);
    keep = run.settle?.(result) ?? false;
    answer = result;
  } catch (thrown) {
    throw reason ?? thrown;
  } finally {
    clearTimeout(timer);
    clearTimeout(killer);
    run.signal?.removeEventListener('abort', abort);
    if (!session.broken) {
      try {
        await plain(session, keep ? 'COMMIT' : 'ROLLBACK');
        await new Promise<void>((resolve, reject) =>
          session.connection.reset((error) => (error === null || error === undefined ? resolve() : reject(error))),
        );
        await prepareSession(session);
      } catch (thrown) {
        destroy();
        lost = keep ? thrown : undefined;
      }
    }
  }
  // A COMMIT that failed must not look like success.
  if (lost !== undefined) throw lost;
  return answer;
}

function stream(session: Session, run: Run, destroy: () => void): Promise<MysqlResult> {
  return new Promise((resolve, reject) => {
    const { connection } = session;
    const rows: (readonly unknown[])[] = [];
    let fields: readonly FieldPacket[] = [];
    let bytes = 0;
    let passed = 0;
    let affected = 0;
    let truncated: MysqlResult['truncated'] = false;
    const socket = (connection as unknown as { stream: { bytesRead: number } }).stream;
    const before = socket.bytesRead;
    const watch = setInterval(() => {
      if (socket.bytesRead - before < run.maxBytes + SLACK_BYTES) return;
      finish(() =>
        truncated === false
          ? reject(
              new SignalboxError('SBX_DB_LIMIT', 'One value of the answer is too large.', {
                why: `The server sent more than ${run.maxBytes + SLACK_BYTES} bytes for it.`,
                fix: 'Select a part of it, for example with LEFT() or SUBSTRING().',
              }),
            )
          : resolve({ fields, rows, truncated, affected }),
      );
      destroy();
    }, LOOK_EVERY_MS);
    const finish = (settle: () => void): void => {
      clearInterval(watch);
      connection.off('error', lost);
      events.off('close', closed);
      settle();
    };
    const events = (connection as unknown as { stream: NodeJS.EventEmitter }).stream;
    const lost = (error: unknown): void => finish(() => reject(error));
    const closed = (): void =>
      lost(Object.assign(new Error('The connection was closed.'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }));
    const options = { sql: run.sql, values: [...run.values], rowsAsArray: true };
    const command = (run.layers.prepared && run.direct !== true
      ? connection.execute(options)
      : connection.query(options)) as unknown as NodeJS.EventEmitter;
    command.on('fields', (found: FieldPacket[] | undefined) => {
      if (found !== undefined) fields = found;
    });
    command.on('result', (row: unknown) => {
      if (!Array.isArray(row)) {
        affected += (row as ResultSetHeader).affectedRows ?? 0;
        return;
      }
      if (passed < run.skip) {
        passed++;
        return;
      }
      if (truncated !== false) return;
      if (rows.length >= run.maxRows) truncated = 'rows';
      else {
        bytes += row.reduce<number>((sum, value) => sum + sizeOf(value), 2);
        if (bytes > run.maxBytes) truncated = 'bytes';
        else rows.push(row);
      }
    });
    command.on('error', (error: unknown) => finish(() => reject(error)));
    command.on('end', () => finish(() => resolve({ fields, rows, truncated, affected })));
    connection.on('error', lost);
    events.on('close', closed);
  });
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 3;
  if (value instanceof Uint8Array) return Math.ceil(value.length * 1.34) + 30;
  return typeof value === 'object' && value !== null ? 200 : 12;
}

function deadline(timeoutMs: number): SignalboxError {
  return new SignalboxError('SBX_DB_DEADLINE', `The query was ended after ${timeoutMs} ms.`, {
    why: 'It took longer than "timeoutMs" of the settings allows.',
    fix: 'Narrow it with WHERE or LIMIT, use an index, or raise "timeoutMs".',
  });
}
