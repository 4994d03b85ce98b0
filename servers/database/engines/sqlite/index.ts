/** The SQLite engine: `node:sqlite` in processes of its own, behind SQLite's authorizer. */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { columnRule, tableDenied } from '../../guard/policy.ts';
import { refusal } from '../../guard/refusal.ts';
import { nearest } from '../../guard/suggestion.ts';
import type { Access, Ask, Database, Params, Relation, TableName } from '../engine.ts';
import { makePool } from '../pool.ts';
import type { FileSettings } from '../settings.ts';
import { askChild, type Child, startChild } from './child.ts';
import { ALL_SQLITE_LAYERS, type Question, type Rows, type SqliteLayers, type Start } from './protocol.ts';

/**
 * @param script file of the engine process
 * @param layers for tests: what the guard consists of
 * @throws SignalboxError `SBX_NODE_TOO_OLD` where the runtime has no authorizer: the guard would be weaker than what the README says
 */
export function openSqlite(name: string, settings: FileSettings, script: string, layers: SqliteLayers = ALL_SQLITE_LAYERS): Database {
  if (typeof DatabaseSync.prototype.setAuthorizer !== 'function') {
    throw new SignalboxError('SBX_NODE_TOO_OLD', `Node ${process.version} cannot guard SQLite.`, {
      why: 'node:sqlite has its authorizer since Node 24.10.',
      fix: 'Run Signalbox on Node 24.10 or newer.',
    });
  }
  const { file, access, policy, limits } = settings;
  const start: Start = {
    file,
    access,
    layers,
    policy: { ...policy, columns: [...policy.columns] },
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
  };
  const pool = makePool<Child>(
    name,
    {
      open: async () => {
        if (file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
          throw new SignalboxError('SBX_DB_CONNECTION', `There is no database at ${file}.`, {
            why: 'The file does not exist or is not an ordinary file; a connection creates none.',
            fix: 'Correct the address in "connections" of this server\'s settings.',
          });
        }
        return startChild(script, start);
      },
      end: (child) => void child.process.kill('SIGKILL'),
      alive: (child) => !child.ended && child.process.connected,
    },
    // A database in memory exists in one process only.
    file === undefined ? 1 : limits.concurrency,
    limits.queue,
  );
  const send = (question: Omit<Question, 'id'>, signal?: AbortSignal): Promise<Rows> =>
    pool.use((child) => askChild(child, question, limits.timeoutMs, signal), signal);
  const job = (kind: Question['job'], asked: Access, ask: Ask, more: Partial<Question> = {}): Promise<Rows> =>
    send(
      {
        job: kind,
        access: asked,
        sql: ask.sql,
        params: ask.params ?? [],
        maxRows: ask.maxRows,
        maxBytes: ask.maxBytes,
        skip: ask.skip ?? 0,
        ...more,
      },
      ask.signal,
    );
  /** Our own reading of definitions. */
  const own = async (sql: string, params: Params, signal?: AbortSignal): Promise<readonly (readonly unknown[])[]> =>
    (await job('own', 'read', { sql, params, maxRows: 100_000, maxBytes: 64 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) }))
      .rows;

  const tables = async (signal?: AbortSignal): Promise<readonly TableName[]> => {
    const rows = await own(
      `SELECT l.name, CASE WHEN l.type = 'virtual' THEN 'virtual table' ELSE l.type END,
         (SELECT max(CAST(substr(s.stat, 1, instr(s.stat || ' ', ' ') - 1) AS INTEGER)) FROM stat s WHERE s.tbl = l.name)
       FROM pragma_table_list l WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       ORDER BY l.name`.replace(
        'FROM stat s',
        (await hasStatistics(signal)) ? 'FROM sqlite_stat1 s' : "FROM (SELECT '' AS stat, '' AS tbl) s",
      ),
      [],
      signal,
    );
    return rows
      .map(([table, type, count]) => ({
        schema: 'main',
        name: String(table),
        type: type as TableName['type'],
        rows: typeof count === 'number' ? count : null,
      }))
      .filter((one) => !tableDenied(policy, 'main', one.name));
  };
  const hasStatistics = async (signal?: AbortSignal): Promise<boolean> =>
    (await own("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'", [], signal)).length > 0;

  return {
    name,
    engine: 'sqlite',
    access,
    policy,
    query: (ask) => job('query', 'read', ask),
    write: (ask) =>
      job('write', access, ask, {
        commit: ask.commit,
        maxAffected: ask.maxAffected,
        ...(ask.expected === undefined ? {} : { expected: ask.expected }),
      }),
    explain: async (ask) => {
      await job('check', 'read', ask);
      if (/^\s*explain\b/iu.test(ask.sql)) throw refusal('Only a SELECT is explained; leave out the word EXPLAIN.');
      const { rows } = await job('query', 'read', { ...ask, sql: `EXPLAIN QUERY PLAN ${ask.sql}`, maxRows: 10_000 });
      const steps = rows.map(([id, parent, , detail]) => ({ id: Number(id), parent: Number(parent), detail: String(detail) }));
      const depth = (step: { parent: number }): number => {
        const above = steps.find((one) => one.id === step.parent);
        return above === undefined ? 0 : depth(above) + 1;
      };
      return { text: steps.map((step) => `${'  '.repeat(depth(step))}${step.detail}`).join('\n'), plan: steps };
    },
    validate: async (sql) => {
      let reason = '';
      for (const asked of ['read', 'write', 'admin'] as const) {
        try {
          const { kind } = await job('check', asked, { sql, maxRows: 1, maxBytes: 1 });
          if (asked === 'read') return { allowed: true, reason: `It is a reading statement (${kind}).` };
          return { allowed: false, reason, needs: asked };
        } catch (thrown) {
          if (!(thrown instanceof SignalboxError)) throw thrown;
          if (asked === 'read') reason = thrown.code === 'SBX_DB_REFUSED' ? thrown.why : `${thrown.message} ${thrown.why}`;
          if (thrown.code !== 'SBX_DB_REFUSED') break;
        }
      }
      return { allowed: false, reason };
    },
    schemas: async () => [{ name: 'main', default: true }],
    tables: (schema, signal) => (schema === undefined || schema === 'main' ? tables(signal) : Promise.resolve([])),
    describe: async (table, _schema, signal) => {
      const [found] = await own(
        "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
        [table],
        signal,
      );
      const name_ = String(found?.[0] ?? table);
      if (found === undefined || tableDenied(policy, 'main', name_)) {
        const near = nearest(
          table,
          (await tables(signal)).map((one) => one.name),
        );
        throw new SignalboxError('SBX_DB_SQL', `There is no table or view "${table}".`, {
          why: 'The database has none of that name that this connection may see.',
          fix: near === undefined ? 'Use list_tables.' : `Did you mean "${near}"? list_tables shows all.`,
        });
      }
      return describe(name_, String(found[1]), found[2], signal);
    },
    quote: (text) => `"${text.replaceAll('"', '""')}"`,
    schemaVersion: async (signal) => String((await own('PRAGMA schema_version', [], signal))[0]?.[0] ?? ''),
    health: async () => {
      try {
        const [row] = await own('SELECT sqlite_version()', []);
        return { ok: true, version: String(row?.[0]) };
      } catch (thrown) {
        return { ok: false, error: thrown instanceof SignalboxError ? `${thrown.message} ${thrown.why}` : String(thrown) };
      }
    },
    close: async () => pool.close(),
  };

  async function describe(table: string, type: string, sql: unknown, signal?: AbortSignal): Promise<Relation> {
    const columns = await own('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', [table], signal);
    const keys = await own('SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq', [table], signal);
    const indexes = await own(
      'SELECT l.name, l."unique", i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i ORDER BY l.name, i.seqno',
      [table],
      signal,
    );
    const groups = new Map<unknown, { columns: string[]; schema: string; table: string; references: string[] }>();
    for (const [id, other, from, to] of keys) {
      const group = groups.get(id) ?? { columns: [], schema: 'main', table: String(other), references: [] };
      group.columns.push(String(from));
      if (to !== null) group.references.push(String(to));
      groups.set(id, group);
    }
    const lists = new Map<string, { name: string; unique: boolean; columns: string[] }>();
    for (const [index, unique, column] of indexes) {
      const list = lists.get(String(index)) ?? { name: String(index), unique: unique === 1, columns: [] };
      list.columns.push(column === null ? '(expression)' : String(column));
      lists.set(String(index), list);
    }
    const listed = (await tables(signal)).find((one) => one.name === table);
    const hiding = [...policy.columns].some(([rule, how]) => how === 'deny' && rule.includes(`${table.toLowerCase()}.`));
    return {
      schema: 'main',
      table,
      type: listed?.type ?? type,
      columns: columns
        .filter(([column]) => columnRule(policy, 'main', table, String(column)) !== 'deny')
        .map(([column, columnType, notNull, fallback, key, hidden]) => ({
          name: String(column),
          type: String(columnType),
          nullable: notNull === 0 && key === 0,
          default: fallback === null ? null : String(fallback),
          primaryKey: key !== 0,
          generated: hidden === 2 || hidden === 3,
        })),
      foreignKeys: [...groups.values()],
      indexes: [...lists.values()],
      rowEstimate: listed?.rows ?? null,
      comment: null,
      sql: hiding || sql === null ? null : String(sql),
    };
  }
}
