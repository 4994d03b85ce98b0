/** The PostgreSQL engine: `pg` for the wire, PostgreSQL's own parser for the check, a transaction that can only read below it. */
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { ClientConfig } from 'pg';
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { mask } from '../../guard/mask.ts';
import { columnRule, type Masking, restricts } from '../../guard/policy.ts';
import { loadParser } from '../../guard/postgres/ast.ts';
import { type Catalog, type Rules, readCatalog, relationHidden } from '../../guard/postgres/catalog.ts';
import { outputRule } from '../../guard/postgres/columns.ts';
import { type Checked, checkPostgres, writesAside } from '../../guard/postgres/statement.ts';
import { refusal } from '../../guard/refusal.ts';
import { nearest } from '../../guard/suggestion.ts';
import type { Access, Answer, Ask, Database, Params, Plan, Relation, Verdict, Written } from '../engine.ts';
import { makePool } from '../pool.ts';
import type { ServerSettings, Tls } from '../settings.ts';
import { certificateName } from '../tls.ts';
import { verdictBy } from '../verdict.ts';
import * as definitions from './definitions.ts';
import { failureOf } from './failure.ts';
import type { PortalResult } from './portal.ts';
import { ALL_LAYERS, openSession, type PostgresLayers, plain, type Run, runOn, type Session } from './session.ts';
import { fromText } from './values.ts';

/** Milliseconds the snapshot of functions, operators and views is used before it is read again. */
const CATALOG_AGE_MS = 30_000;
const KINDS: Readonly<Record<string, 'table' | 'view' | 'materialized view' | 'foreign table'>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
};

/** @param layers for tests: what the guard consists of */
export function openPostgres(name: string, settings: ServerSettings, layers: PostgresLayers = ALL_LAYERS): Database {
  const config = clientConfig(settings);
  const { policy, access, limits } = settings;
  const pool = makePool<Session>(
    name,
    {
      open: async () => {
        await loadParser();
        return openSession(config);
      },
      end: (session) => void session.client.end().catch(() => undefined),
      alive: (session) => !session.broken,
    },
    limits.concurrency,
    limits.queue,
  );
  let catalog: { readonly value: Catalog; readonly at: number } | undefined;
  const quiet = policy.columns.size > 0;

  const rulesFor = async (session: Session, asked: Access): Promise<Rules> => {
    if (catalog === undefined || Date.now() - catalog.at > CATALOG_AGE_MS)
      catalog = { value: await readCatalog(async (sql) => (await plain(session.client, sql)).rows), at: Date.now() };
    return { catalog: catalog.value, policy, access: asked };
  };
  const runWith = (session: Session, ask: Ask, more: Partial<Run> = {}): Promise<PortalResult> =>
    runOn(session, {
      sql: ask.sql,
      values: valuesOf(ask.params),
      maxRows: ask.maxRows,
      maxBytes: ask.maxBytes,
      skip: ask.skip ?? 0,
      timeoutMs: limits.timeoutMs,
      signal: ask.signal,
      layers,
      ...more,
    });
  const guarded = async <Result>(job: (session: Session) => Promise<Result>, signal?: AbortSignal): Promise<Result> => {
    try {
      return await pool.use(job, signal);
    } catch (thrown) {
      if (signal?.aborted === true && thrown === signal.reason) throw thrown;
      throw failureOf(thrown, name, quiet);
    }
  };
  const check = async (session: Session, sql: string, asked: Access): Promise<{ checked: Checked | undefined; rules: Rules }> => {
    const rules = await rulesFor(session, asked);
    return { checked: layers.tree ? checkPostgres(sql, rules) : undefined, rules };
  };
  const answerOf = async (session: Session, result: PortalResult, rules: Rules): Promise<Answer> => {
    const masks = await masksOf(session, result, rules);
    return {
      columns: result.fields.map((field) => ({ name: field.name, type: session.types.get(field.dataTypeID)?.name ?? null })),
      rows: result.rows.map((row) =>
        row.map((value, index) => {
          const masking = masks[index];
          if (masking !== undefined) return mask(masking, value, policy.salt);
          return fromText(value, result.fields[index]?.dataTypeID ?? 0, session.types);
        }),
      ),
      truncated: result.truncated,
    };
  };
  const masksOf = async (session: Session, result: PortalResult, rules: Rules): Promise<readonly (Masking | undefined)[]> => {
    const origins = result.fields.filter((field) => field.tableID > 0 && field.columnID > 0);
    if (policy.columns.size === 0 || origins.length === 0) return [];
    const wanted = [...new Set(origins.map((field) => field.tableID))].join(',');
    const found = new Map<string, { schema: string; table: string; column: string }>();
    const sql = `SELECT c.oid, a.attnum, n.nspname, c.relname, a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid IN (${wanted})`;
    for (const [oid, number, schema, table, column] of (await plain(session.client, sql)).rows)
      found.set(`${oid}.${number}`, { schema: schema ?? '', table: table ?? '', column: column ?? '' });
    return result.fields.map((field) => {
      const origin = found.get(`${field.tableID}.${field.columnID}`);
      const masking = origin === undefined ? undefined : outputRule(rules, origin.schema, origin.table, origin.column);
      if (masking === 'deny') throw refusal('The settings hide a column of the answer.');
      return masking;
    });
  };
  /** Our own reading of definitions: through the same transaction, without the tree check (its text is fixed, its values are bound). */
  const ask = async (
    session: Session,
    sql: string,
    params: Params,
    signal?: AbortSignal,
  ): Promise<readonly (readonly (string | null)[])[]> =>
    (await runWith(session, { sql, params, maxRows: 100_000, maxBytes: 64 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) }))
      .rows;
  const hidden = (rules: Rules, schema: string, table: string): boolean =>
    restricts(policy) && relationHidden(rules.catalog, policy, schema, table) !== undefined;

  const database: Database = {
    name,
    engine: 'postgresql',
    access,
    policy,
    query: (question) =>
      guarded(async (session) => {
        const { checked, rules } = await check(session, question.sql, 'read');
        if (checked !== undefined && (checked.kind === 'write' || checked.kind === 'define'))
          throw refusal('It writes: use the tool `write`.');
        return answerOf(session, await runWith(session, question), rules);
      }, question.signal),
    write: (question) =>
      guarded(async (session): Promise<Written> => {
        const { checked, rules } = await check(session, question.sql, access);
        if (checked !== undefined && checked.kind !== 'write' && checked.kind !== 'define')
          throw refusal('It writes nothing: use the tool `query`.');
        let affected = 0;
        const result = await runWith(session, question, {
          count: checked !== undefined && writesAside(checked.tree),
          settle: (done, counted) => {
            affected = counted ?? Number(/ ([0-9]+)$/u.exec(done.command)?.[1] ?? 0);
            if (affected > question.maxAffected) throw tooMany(affected, question.maxAffected);
            if (question.expected !== undefined && question.expected !== affected) throw moved(question.expected, affected);
            return question.commit;
          },
        });
        catalog = checked?.kind === 'define' ? undefined : catalog;
        return { ...(await answerOf(session, result, rules)), affected };
      }, question.signal),
    explain: (question) =>
      guarded(async (session): Promise<Plan> => {
        const { checked } = await check(session, question.sql, 'read');
        if (checked !== undefined && checked.kind !== 'select') throw refusal('Only a SELECT is explained; leave out the word EXPLAIN.');
        const read = async (format: string): Promise<string> => {
          const rows = (await runWith(session, { ...question, sql: `EXPLAIN (FORMAT ${format}) ${question.sql}` })).rows;
          return rows.map(([line]) => line ?? '').join('\n');
        };
        return { text: await read('TEXT'), plan: JSON.parse(await read('JSON')) as unknown };
      }, question.signal),
    validate: (sql) =>
      guarded(async (session): Promise<Verdict> => {
        const rules = await rulesFor(session, 'read');
        return verdictBy((asked) => checkPostgres(sql, { ...rules, access: asked }).kind);
      }),
    schemas: (signal) =>
      guarded(async (session) => {
        const rows = await ask(session, definitions.SCHEMAS, [], signal);
        return rows.map(([schema, main]) => ({ name: schema ?? '', default: main === 't' })).filter((one) => !schemaHidden(one.name));
      }, signal),
    tables: (schema, signal) =>
      guarded(async (session) => {
        const rules = await rulesFor(session, 'read');
        const rows = await ask(session, definitions.TABLES, [schema ?? null], signal);
        return rows
          .map(([room, table, kind, estimate, comment]) => ({
            schema: room ?? '',
            name: table ?? '',
            type: KINDS[kind ?? ''] ?? ('table' as const),
            rows: Number(estimate) < 0 ? null : Math.round(Number(estimate)),
            comment: comment ?? null,
          }))
          .filter((one) => !hidden(rules, one.schema, one.name));
      }, signal),
    describe: (table, schema, signal) =>
      guarded(async (session): Promise<Relation> => {
        const rules = await rulesFor(session, 'read');
        const [found] = await ask(session, definitions.RELATION, [schema ?? null, table], signal);
        if (found === undefined || hidden(rules, found[1] ?? '', found[2] ?? ''))
          throw noTable(
            table,
            [...rules.catalog.relations.entries()]
              .filter(([one, rooms]) => rooms.some((room) => !hidden(rules, room, one)))
              .map(([one]) => one),
          );
        const [oid, room, relname, kind, estimate, comment, view] = found;
        const columns = await ask(session, definitions.COLUMNS, [oid ?? null], signal);
        const keys = await ask(session, definitions.FOREIGN_KEYS, [oid ?? null], signal);
        const indexes = await ask(session, definitions.INDEXES, [oid ?? null], signal);
        return {
          schema: room ?? '',
          table: relname ?? '',
          type: KINDS[kind ?? ''] ?? 'table',
          columns: columns
            .filter(([column]) => columnRule(policy, room ?? '', relname ?? '', column ?? '') !== 'deny')
            .map(([column, type, nullable, fallback, primary, note, generated]) => ({
              name: column ?? '',
              type: type ?? '',
              nullable: nullable === 't',
              default: fallback ?? null,
              primaryKey: primary === 't',
              comment: note ?? null,
              generated: generated === 't',
            })),
          foreignKeys: keys.map(([own, otherRoom, other, theirs]) => ({
            columns: JSON.parse(own ?? '[]') as string[],
            schema: otherRoom ?? '',
            table: other ?? '',
            references: JSON.parse(theirs ?? '[]') as string[],
          })),
          indexes: indexes.map(([index, unique, parts]) => ({
            name: index ?? '',
            unique: unique === 't',
            columns: JSON.parse(parts ?? '[]') as string[],
          })),
          rowEstimate: Number(estimate) < 0 ? null : Math.round(Number(estimate)),
          comment: comment ?? null,
          sql: view ?? null,
        };
      }, signal),
    quote: (text) => `"${text.replaceAll('"', '""')}"`,
    schemaVersion: (signal) =>
      guarded(async (session) => (await ask(session, definitions.VERSION, [], signal))[0]?.[0] ?? undefined, signal),
    health: async () => {
      try {
        return await guarded(async (session) => ({
          ok: true,
          version: (await plain(session.client, 'SHOW server_version')).rows[0]?.[0] ?? session.version,
        }));
      } catch (thrown) {
        return { ok: false, error: thrown instanceof SignalboxError ? `${thrown.message} ${thrown.why}` : String(thrown) };
      }
    },
    close: async () => pool.close(),
  };
  const schemaHidden = (schema: string): boolean =>
    policy.denySchemas.includes(schema.toLowerCase()) ||
    (policy.allowSchemas !== undefined && !policy.allowSchemas.includes(schema.toLowerCase()));
  return database;
}

function clientConfig(settings: ServerSettings): ClientConfig {
  const { address } = settings;
  return {
    host: address.host,
    port: address.port ?? 5432,
    ...(address.user === undefined ? {} : { user: address.user }),
    ...(address.password === undefined ? {} : { password: address.password }),
    database: address.database ?? 'postgres',
    ssl: address.tls === false ? false : secured(address.host, address.tls),
  };
}

/** `pg` overwrites `servername` with the name of the host: the certificate is checked against ours. */
function secured(host: string, tls: Tls): ConnectionOptions {
  const expected = certificateName(host, tls);
  return { ...tls, checkServerIdentity: (_, certificate) => checkServerIdentity(expected, certificate) };
}

function valuesOf(params: Params | undefined): (string | null)[] {
  if (params === undefined) return [];
  if (!Array.isArray(params)) throw refusal('PostgreSQL takes its values by position ($1, $2, …).', 'Give "params" as a list.');
  return (params as readonly unknown[]).map((value) => (value === null ? null : String(value)));
}

/** The write changed more than it may. */
export function tooMany(affected: number, limit: number): SignalboxError {
  return new SignalboxError('SBX_DB_LIMIT', 'The write was undone: it changes too many rows.', {
    why: `It would change ${affected} rows; ${limit} are allowed.`,
    fix: 'Narrow it with WHERE, or raise "maxAffected" of the connection.',
  });
}
/** The write changed another number of rows than was agreed to. */
export function moved(expected: number, affected: number): SignalboxError {
  return new SignalboxError('SBX_DB_LIMIT', 'The write was undone: the data changed meanwhile.', {
    why: `${expected} rows were agreed to, now it would change ${affected}.`,
    fix: 'Call `write` again and look at the new number.',
  });
}
/** There is no such table; names the nearest one. */
export function noTable(table: string, known: readonly string[]): SignalboxError {
  const near = nearest(table, known);
  return new SignalboxError('SBX_DB_SQL', `There is no table or view "${table}".`, {
    why: 'The database has none of that name that this connection may see.',
    fix: near === undefined ? 'Use list_tables.' : `Did you mean "${near}"? list_tables shows all.`,
  });
}
