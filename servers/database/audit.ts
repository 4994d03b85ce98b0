/** One structured line for every statement: what it was, how long it took, what was decided. No data unless the settings ask for the text. */
import { createHash } from 'node:crypto';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { PluginContext } from '../plugin/define.ts';
import type { Database } from './engines/engine.ts';
import { tokenize } from './guard/lexer.ts';

/** What is known of a statement that ended. */
interface Outcome {
  readonly rows?: number;
  readonly affected?: number;
  readonly truncated?: boolean;
}

/**
 * Two statements that differ in values, case of keywords, blanks and comments only have the same fingerprint.
 * @returns 16 hexadecimal digits
 */
export function fingerprint(sql: string): string {
  const kept = KNOWN.get(sql);
  if (kept !== undefined) return kept;
  const found = computed(sql);
  if (KNOWN.size >= KEPT) KNOWN.clear();
  if (sql.length < 10_000) KNOWN.set(sql, found);
  return found;
}
const KNOWN = new Map<string, string>();
const KEPT = 500;

function computed(sql: string): string {
  let shape: string;
  try {
    shape = tokenize(sql, 'sqlite')
      .map((token) => (token.kind === 'string' || token.kind === 'number' ? '?' : token.kind === 'name' ? `"${token.text}"` : token.lower))
      .join(' ')
      .replace(/\( \?(?: , \?)+ \)/gu, '( ? )');
  } catch {
    // Not readable as SQL: the text itself decides.
    shape = sql;
  }
  return createHash('sha256').update(shape).digest('hex').slice(0, 16);
}

/** Runs `job` and writes its line, whatever happens. */
export async function audited<Result extends Outcome>(
  audit: PluginContext['audit'],
  about: { readonly tool: string; readonly database: Database; readonly sql: string; readonly withText: boolean },
  job: () => Promise<Result>,
): Promise<Result> {
  const started = performance.now();
  const line = (decision: string, more: object): void =>
    audit({
      tool: about.tool,
      connection: about.database.name,
      engine: about.database.engine,
      fingerprint: fingerprint(about.sql),
      durationMs: Math.round((performance.now() - started) * 10) / 10,
      decision,
      ...more,
      ...(about.withText ? { sql: about.sql } : {}),
    });
  try {
    const result = await job();
    line('allowed', {
      ...(result.rows === undefined ? {} : { rows: result.rows }),
      ...(result.affected === undefined ? {} : { affected: result.affected }),
      ...(result.truncated === undefined ? {} : { truncated: result.truncated }),
    });
    return result;
  } catch (thrown) {
    const code = thrown instanceof SignalboxError ? thrown.code : 'cancelled';
    const refused = code === 'SBX_DB_REFUSED' || code === 'SBX_DB_DECLINED';
    // Only a refusal's reason is free of values; an engine's own message may quote them.
    line(refused ? 'refused' : 'failed', { code, ...(refused && thrown instanceof SignalboxError ? { reason: thrown.why } : {}) });
    throw thrown;
  }
}
