/** The SQLite engine: `node:sqlite` in processes of its own, behind SQLite's authorizer. */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { columnRule, tableDenied } from '../../guard/policy.ts';
import { refusal } from '../../guard/refusal.ts';
import { nearest } from '../../guard/suggestion.ts';
import type { Access, Answer, Ask, Database, Params, Relation, TableName } from '../engine.ts';
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
  const answerOf = ({ columns, json, truncated }: Rows): Answer => ({ columns, rows: JSON.parse(json) as unknown[][], json, truncated });
  /** Our own reading of definitions. */
  const own = async (sql: string, params: Params, signal?: AbortSignal): Promise<readonly (readonly unknown[])[]> =>
    answerOf(
      await job('own', 'read', { sql, params, maxRows: 100_000, maxBytes: 64 * 1024 * 1024, ...(signal === undefined ? {} : { signal }) }),
    ).rows;

  const tables = async (signal?: AbortSignal): Promise<readonly TableName[]> => {
    let rows = await own(
      "SELECT name, type, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name",
      [],
      signal,
    );
    // The tables in which a virtual one keeps its rows are told apart by this pragma only; it looks into every table and is slow.
    if (rows.some((row) => row[2] === 1))
      rows = await own("SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' ORDER BY name", [], signal);
    const counts = new Map<unknown, unknown>();
    const system = (table: unknown): boolean => /^sqlite_/iu.test(String(table));
    if (rows.some(([table]) => table === 'sqlite_stat1')) {
      const sql = "SELECT tbl, max(CAST(substr(stat, 1, instr(stat || ' ', ' ') - 1) AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl";
      for (const [table, count] of await own(sql, [], signal)) counts.set(table, count);
    }
    return rows
      .filter(([table]) => !system(table) && !tableDenied(policy, 'main', String(table)))
      .map(([table, type]) => {
        const count = counts.get(table);
        return {
          schema: 'main',
          name: String(table),
          type: type === 'virtual' ? ('virtual table' as const) : type === 'view' ? ('view' as const) : ('table' as const),
          ...(typeof count === 'number' ? { rows: count } : {}),
        };
      });
  };

  return {
    name,
    engine: 'sqlite',
    access,
    policy,
    query: async (ask) => answerOf(await job('query', 'read', ask)),
    write: async (ask) => {
      const more = { commit: ask.commit, maxAffected: ask.maxAffected, ...(ask.expected === undefined ? {} : { expected: ask.expected }) };
      const done = await job('write', access, ask, more);
      return { ...answerOf(done), affected: done.affected };
    },
    explain: async (ask) => {
      await job('check', 'read', ask);
      if (/^\s*explain\b/iu.test(ask.sql)) throw refusal('Only a SELECT is explained; leave out the word EXPLAIN.');
      const { rows } = answerOf(await job('query', 'read', { ...ask, sql: `EXPLAIN QUERY PLAN ${ask.sql}`, maxRows: 10_000 }));
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
