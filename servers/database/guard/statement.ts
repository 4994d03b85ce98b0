/** One statement and nothing after it. */
import { SignalboxError } from '../../../daemon/api/errors.ts';

/**
 * Refuses text SQLite would read differently than we do.
 * @throws SignalboxError `SBX_DB_REFUSED` for a NUL character or a lone surrogate
 */
export function checkText(sql: string): void {
  // SQLite stops reading at a NUL, so what is checked would not be what is sent.
  if (sql.includes('\0') || !sql.isWellFormed()) throw refused('It contains a NUL character or half of a surrogate pair.');
  if (withoutComments(sql) === '') throw refused('It is empty.');
}

/**
 * Refuses text after the first statement: `prepare` compiles the first one and silently drops the rest.
 * @param compiled the part SQLite compiled (`sourceSQL`)
 * @throws SignalboxError `SBX_DB_REFUSED`
 */
export function checkTail(sql: string, compiled: string): void {
  const tail = sql.startsWith(compiled) ? sql.slice(compiled.length) : sql;
  if (withoutComments(tail) !== '') throw refused('A second statement follows the first.');
}

/** What is left of a text without blanks, semicolons and comments. */
function withoutComments(sql: string): string {
  let rest = sql;
  for (;;) {
    const next = rest.replace(/^[\s;\uFEFF]+/u, '').replace(/^(?:--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))/u, '');
    if (next === rest) return rest;
    rest = next;
  }
}

function refused(why: string): SignalboxError {
  return new SignalboxError('SBX_DB_REFUSED', 'The statement was refused.', { why, fix: 'Send one SELECT statement per call.' });
}
