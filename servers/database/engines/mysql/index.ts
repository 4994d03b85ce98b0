/** The MySQL and MariaDB engine: `mysql2` for the wire, our lexer for the check, a transaction that can only read below it. */
import { connect } from 'node:net';
import { type ConnectionOptions, createConnection } from 'mysql2';
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { tokenize } from '../../guard/lexer.ts';
import { checkMysql, type MysqlKind } from '../../guard/mysql/statement.ts';
import { refusal } from '../../guard/refusal.ts';
import { nearest } from '../../guard/suggestion.ts';
import type { Access, Answer, Ask, Database, Params, Plan, Relation, Written } from '../engine.ts';
import { makePool } from '../pool.ts';
import type { Address, ServerSettings, Tls } from '../settings.ts';
import { certificateName } from '../tls.ts';
import { verdictBy } from '../verdict.ts';
import { failureOf } from './failure.ts';
import { ALL_MYSQL_LAYERS, type MysqlLayers, type MysqlResult, openSession, plain, type Run, runOn, type Session } from './session.ts';
import { toJson, typeName } from './values.ts';

const HIDDEN = "('information_schema', 'performance_schema', 'mysql', 'sys')";

/** @param layers for tests: what the guard consists of */
export function openMysql(name: string, settings: ServerSettings, layers: MysqlLayers = ALL_MYSQL_LAYERS): Database {
  const { address, policy, access, limits } = settings;
  const options = connectionOptions(settings);
  const pool = makePool<Session>(
    name,
    {
      open: () => openSession(options),
      end: (session) => session.connection.destroy(),
      alive: (session) => !session.broken,
    },
    limits.concurrency,
    limits.queue,
  );
  const kill = (thread: number): void => {
    const other = createConnection(options);
    // The kill may come too late or not at all: the link is destroyed then.
    other.on('error', () => undefined);
    other.query(`KILL QUERY ${thread}`, () => other.destroy());
  };
  const guarded = async <Result>(job: (session: Session) => Promise<Result>, signal?: AbortSignal): Promise<Result> => {
    try {
      return await pool.use(job, signal);
    } catch (thrown) {
      if (signal?.aborted === true && thrown === signal.reason) throw thrown;
      throw failureOf(thrown, name);
    }
  };
  const runWith = (session: Session, ask: Ask, more: Partial<Run> = {}): Promise<MysqlResult> =>
    runOn(session, {
      sql: ask.sql,
      values: valuesOf(ask.params),
      maxRows: ask.maxRows,
      maxBytes: ask.maxBytes,
      skip: ask.skip ?? 0,
      timeoutMs: limits.timeoutMs,
      signal: ask.signal,
      layers,
      kill,
      ...more,
    });
  const check = (sql: string, asked: Access): MysqlKind => (layers.text ? checkMysql(sql, asked, policy) : 'select');
  const answerOf = ({ fields, rows, truncated }: MysqlResult): Answer => ({
    columns: fields.map((field) => ({ name: field.name, type: typeName(field) })),
    rows: rows.map((row) => row.map((value, index) => toJson(value, fields[index]))),
    truncated,
  });
  /** Our own reading of definitions. */
  const own = async (sql: string, params: Params, signal?: AbortSignal): Promise<readonly (readonly unknown[])[]> =>
    guarded(async (session) => {
      const ask = { sql, params, maxRows: 100_000, maxBytes: 64 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) };
      return answerOf(await runWith(session, ask, { timeoutMs: Math.max(limits.timeoutMs, 10_000) })).rows;
    }, signal);
  const tables = async (schema: string | undefined, signal?: AbortSignal): ReturnType<Database['tables']> => {
    const sql = `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, TABLE_COMMENT FROM information_schema.TABLES
      WHERE TABLE_SCHEMA NOT IN ${HIDDEN} AND (? IS NULL OR TABLE_SCHEMA = ?) ORDER BY TABLE_SCHEMA = DATABASE() DESC, TABLE_SCHEMA, TABLE_NAME`;
    const rows = await own(sql, [schema ?? null, schema ?? null], signal);
    return rows.map(([room, table, type, count, comment]) => ({
      schema: String(room),
      name: String(table),
      type: String(type).includes('VIEW') ? ('view' as const) : ('table' as const),
      rows: count === null ? null : Number(count),
      comment: comment === '' || String(type).includes('VIEW') ? null : String(comment),
    }));
  };

  return {
    name,
    engine: 'mysql',
    access,
    policy,
    query: (ask) =>
      guarded(async (session) => {
        const kind = check(ask.sql, 'read');
        return answerOf(await runWith(session, ask, { direct: kind === 'show' || kind === 'explain' }));
      }, ask.signal),
    write: (ask) =>
      guarded(async (session): Promise<Written> => {
        const kind = check(ask.sql, access);
        if (kind !== 'write' && kind !== 'define') throw refusal('It writes nothing: use the tool `query`.');
        // A definition is committed at once on MySQL: it cannot be tried.
        if (kind === 'define' && !ask.commit) return { columns: [], rows: [], truncated: false, affected: 0 };
        if (kind === 'write') await checkTransactional(session, ask.sql);
        let affected = 0;
        const result = await runWith(session, ask, {
          settle: (done) => {
            ({ affected } = done);
            if (affected > ask.maxAffected) {
              throw new SignalboxError('SBX_DB_LIMIT', 'The write was undone: it changes too many rows.', {
                why: `It would change ${affected} rows; ${ask.maxAffected} are allowed.`,
                fix: 'Narrow it with WHERE, or raise "maxAffected" of the connection.',
              });
            }
            if (ask.expected !== undefined && ask.expected !== affected) {
              throw new SignalboxError('SBX_DB_LIMIT', 'The write was undone: the data changed meanwhile.', {
                why: `${ask.expected} rows were agreed to, now it would change ${affected}.`,
                fix: 'Call `write` again and look at the new number.',
              });
            }
            return ask.commit;
          },
        });
        return { ...answerOf(result), affected };
      }, ask.signal),
    explain: (ask) =>
      guarded(async (session): Promise<Plan> => {
        if (check(ask.sql, 'read') !== 'select') throw refusal('Only a SELECT is explained; leave out the word EXPLAIN.');
        const more = { ...ask, maxRows: 1000, maxBytes: 16 * 1024 * 1024 };
        const table = answerOf(await runWith(session, { ...more, sql: `EXPLAIN ${ask.sql}` }));
        const names = table.columns.map((column) => column.name);
        const [first] = (await runWith(session, { ...more, sql: `EXPLAIN FORMAT=JSON ${ask.sql}` })).rows;
        return {
          text: table.rows.map((row) => names.map((column, index) => `${column}=${row[index] ?? '-'}`).join(' ')).join('\n'),
          plan: JSON.parse(String(first?.[0])) as unknown,
        };
      }, ask.signal),
    validate: async (sql) => verdictBy((asked) => checkMysql(sql, asked, policy)),
    schemas: async (signal) => {
      const rows = await own(
        `SELECT SCHEMA_NAME, SCHEMA_NAME = DATABASE() FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ${HIDDEN}`,
        [],
        signal,
      );
      return rows.map(([schema, current]) => ({ name: String(schema), default: current === 1 }));
    },
    tables,
    describe: (table, schema, signal) => describe(table, schema, signal),
    quote: (text) => `\`${text.replaceAll('`', '``')}\``,
    schemaVersion: async (signal) => {
      const sql = `SELECT MD5(CONCAT_WS('|', (SELECT GROUP_CONCAT(CONCAT(TABLE_NAME, CREATE_TIME) ORDER BY TABLE_NAME) FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = DATABASE()), (SELECT SUM(CRC32(CONCAT_WS(',', TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, ORDINAL_POSITION))) FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = DATABASE())))`;
      return String((await own(sql, [], signal))[0]?.[0] ?? '');
    },
    health: async () => {
      try {
        return await guarded(async (session) => ({
          ok: true,
          version: String((await plain(session, 'SELECT VERSION()'))[0]?.[0] ?? session.version),
        }));
      } catch (thrown) {
        return { ok: false, error: thrown instanceof SignalboxError ? `${thrown.message} ${thrown.why}` : String(thrown) };
      }
    },
    close: async () => pool.close(),
  };

  async function describe(table: string, schema: string | undefined, signal?: AbortSignal): Promise<Relation> {
    const listed = (await tables(schema, signal)).filter((one) => one.name === table);
    const [found] = listed.filter((one) => one.schema === (schema ?? address.database)).concat(listed);
    if (found === undefined) {
      const near = nearest(
        table,
        (await tables(schema, signal)).map((one) => one.name),
      );
      throw new SignalboxError('SBX_DB_SQL', `There is no table or view "${table}".`, {
        why: 'The database has none of that name that this connection may see.',
        fix: near === undefined ? 'Use list_tables.' : `Did you mean "${near}"? list_tables shows all.`,
      });
    }
    const key = [found.schema, found.name];
    const columns = await own(
      `SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COLUMN_KEY, COLUMN_COMMENT, EXTRA FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
      key,
      signal,
    );
    const keys = await own(
      `SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION`,
      key,
      signal,
    );
    const indexes = await own(
      `SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY INDEX_NAME, SEQ_IN_INDEX`,
      key,
      signal,
    );
    const view = await own('SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?', key, signal);
    const groups = new Map<string, { columns: string[]; schema: string; table: string; references: string[] }>();
    for (const [constraint, column, room, other, theirs] of keys) {
      const group = groups.get(String(constraint)) ?? { columns: [], schema: String(room), table: String(other), references: [] };
      group.columns.push(String(column));
      group.references.push(String(theirs));
      groups.set(String(constraint), group);
    }
    const lists = new Map<string, { name: string; unique: boolean; columns: string[] }>();
    for (const [index, open, column] of indexes) {
      const list = lists.get(String(index)) ?? { name: String(index), unique: Number(open) === 0, columns: [] };
      list.columns.push(column === null ? '(expression)' : String(column));
      lists.set(String(index), list);
    }
    return {
      schema: found.schema,
      table: found.name,
      type: found.type,
      columns: columns.map(([column, type, nullable, fallback, part, comment, extra]) => ({
        name: String(column),
        type: String(type),
        nullable: nullable === 'YES',
        default: fallback === null ? null : String(fallback),
        primaryKey: part === 'PRI',
        comment: comment === '' ? null : String(comment),
        generated: /GENERATED/u.test(String(extra)),
      })),
      foreignKeys: [...groups.values()],
      indexes: [...lists.values()],
      rowEstimate: found.rows ?? null,
      comment: found.comment ?? null,
      sql: view[0] === undefined ? null : String(view[0][0]),
    };
  }
}

/** A write to a table without transactions could not be undone. */
async function checkTransactional(session: Session, sql: string): Promise<void> {
  const words = [
    ...new Set(
      tokenize(sql, 'mysql')
        .filter((token) => token.kind === 'word' || token.kind === 'name')
        .map((token) => token.text),
    ),
  ].slice(0, 500);
  const list = words.map((word) => `'${word.replace(/['\\]/gu, (char) => `\\${char}`)}'`).join(',');
  const found = await plain(
    session,
    `SELECT t.TABLE_NAME, t.ENGINE FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
     WHERE t.TABLE_NAME IN (${list}) AND t.TABLE_TYPE = 'BASE TABLE' AND coalesce(e.TRANSACTIONS, 'NO') <> 'YES' AND t.TABLE_SCHEMA NOT IN ${HIDDEN}`,
  );
  const [first] = found;
  if (first !== undefined)
    throw refusal(
      `The table ${String(first[0])} uses the engine ${String(first[1])}, which has no transactions: a write could not be undone.`,
      'Convert it to InnoDB.',
    );
}

function connectionOptions(settings: ServerSettings): ConnectionOptions {
  const { address } = settings;
  return {
    ...(address.host.startsWith('/') ? { socketPath: address.host } : { host: address.host, port: address.port ?? 3306 }),
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.database === undefined ? {} : { database: address.database }),
    ...(address.tls === false ? {} : secured(address, address.tls)),
  };
}

/**
 * `mysql2` checks no host name unless told to, knows none but `host`, and checks an IP address as "localhost":
 * the socket is made here, `host` is the name the certificate must have, and the socket carries it for Node's check.
 */
function secured(address: Address, tls: Tls): ConnectionOptions {
  const name = certificateName(address.host, tls);
  const { servername: _, ...rest } = tls;
  return {
    host: name,
    stream: () => {
      const socket = address.host.startsWith('/') ? connect(address.host) : connect(address.port ?? 3306, address.host);
      socket.setNoDelay(true).setKeepAlive(true);
      // Without it Node would compare with "localhost" and refuse.
      socket.once('connect', () => Object.assign(socket, { _host: name }));
      return socket;
    },
    ssl: { ...rest, verifyIdentity: tls.rejectUnauthorized },
  };
}

function valuesOf(params: Params | undefined): readonly (string | number | null)[] {
  if (params === undefined) return [];
  if (!Array.isArray(params)) throw refusal('MySQL takes its values by position (?).', 'Give "params" as a list.');
  return (params as readonly unknown[]).map((value) => {
    if (value === null) return null;
    if (typeof value === 'boolean') return value ? 1 : 0;
    // An integer as text keeps all its digits and may stand in LIMIT.
    return typeof value === 'number' && !Number.isInteger(value) ? value : String(value);
  });
}
