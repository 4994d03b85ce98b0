/** Adds the nearest table or column to an error that names one that does not exist. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Database } from '../engines/engine.ts';
import { nearest } from '../guard/suggestion.ts';

const NO_TABLE =
  /no such table: (?:\w+\.)?([^\s(]+)|relation "(?:[^".]+\.)?([^"]+)" does not exist|Table '(?:[^'.]+\.)?([^']+)' doesn't exist/u;
const NO_COLUMN =
  /no such column: (?:[^\s.(]+\.)*([^\s.(]+)|column "?(?:[^\s".]+\.)?([^\s"]+)"? does not exist|Unknown column '(?:[^'.]+\.)*([^'.]+)'/u;
const TABLES_LOOKED_AT = 40;

/** Runs `job`; an error about an unknown name gets a suggestion in its fix. */
export async function withSuggestion<Result>(database: Database, job: () => Promise<Result>): Promise<Result> {
  try {
    return await job();
  } catch (thrown) {
    if (!(thrown instanceof SignalboxError) || thrown.code !== 'SBX_DB_SQL') throw thrown;
    const fix = await suggestion(database, thrown.why);
    if (fix === undefined) throw thrown;
    throw new SignalboxError(thrown.code, thrown.message, { why: thrown.why, fix, cause: thrown });
  }
}

async function suggestion(database: Database, why: string): Promise<string | undefined> {
  const table = first(NO_TABLE.exec(why));
  const column = table === undefined ? first(NO_COLUMN.exec(why)) : undefined;
  if (table === undefined && column === undefined) return undefined;
  try {
    const tables = await database.tables();
    if (table !== undefined) {
      const near = nearest(
        table,
        tables.map((one) => one.name),
      );
      return near === undefined ? undefined : `Did you mean the table "${near}"? list_tables shows all.`;
    }
    const known = new Map<string, string>();
    for (const one of tables.slice(0, TABLES_LOOKED_AT))
      for (const { name } of (await database.describe(one.name, one.schema)).columns) known.set(name, known.get(name) ?? one.name);
    const near = nearest(column ?? '', [...known.keys()]);
    return near === undefined ? undefined : `Did you mean the column "${near}" (of "${known.get(near)}")? describe_table shows all.`;
  } catch {
    // The suggestion is an extra: the error it belongs to says what is wrong.
    return undefined;
  }
}

function first(found: RegExpExecArray | null): string | undefined {
  return found?.slice(1).find((group) => group !== undefined);
}
