/** How the guard says no. */
import { SignalboxError } from '../../../daemon/api/errors.ts';

const FIX = 'Send one reading statement with ordinary functions; `validate_query` says beforehand what is allowed.';

/** A `SBX_DB_REFUSED` error. @param why names what was refused, never a value */
export function refusal(why: string, fix: string = FIX): SignalboxError {
  return new SignalboxError('SBX_DB_REFUSED', 'The statement was refused.', { why, fix });
}

/**
 * Refuses text that an engine or a parser would read only in part.
 * @throws SignalboxError `SBX_DB_REFUSED` for a NUL character, a lone surrogate, an empty or an oversized text
 */
export function checkText(sql: string): void {
  // SQLite and PostgreSQL's parser stop reading at a NUL, so what is checked would not be what is sent.
  if (sql.includes('\0') || !sql.isWellFormed()) throw refusal('It contains a NUL character or half of a surrogate pair.');
  if (sql.length > MAX_SQL) throw refusal(`It is longer than ${MAX_SQL} characters.`);
}
const MAX_SQL = 1_000_000;
