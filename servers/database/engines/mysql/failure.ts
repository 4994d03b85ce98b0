/** MySQL's and MariaDB's errors as ours: number and SQLSTATE stay. */
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { tlsFailure } from '../tls.ts';

/** The error a caller sees for what the driver threw; what is explained already stays as it is. */
export function failureOf(thrown: unknown, name: string): unknown {
  if (thrown instanceof SignalboxError) return thrown;
  const error = (thrown ?? {}) as { errno?: number; sqlState?: string; sqlMessage?: string; message?: string; code?: string };
  const number = error.errno ?? 0;
  const untrusted = error.sqlMessage === undefined ? tlsFailure(thrown, name) : undefined;
  if (untrusted !== undefined) return untrusted;
  if (error.sqlMessage === undefined || [1040, 1044, 1045, 1049, 1053, 1130, 1152, 1159, 1161, 1203, 1927].includes(number)) {
    return new SignalboxError('SBX_DB_CONNECTION', `The connection to "${name}" was lost or could not be made.`, {
      why: error.sqlMessage ?? (error.message === undefined || error.message === '' ? (error.code ?? String(thrown)) : error.message),
      fix: 'Check that the server runs and that the address and the login in the settings are right, then try again.',
      cause: thrown,
    });
  }
  const why = `${error.sqlMessage} (${number}, ${error.sqlState ?? 'no state'})`;
  if ([1317, 1969, 3024].includes(number)) {
    return new SignalboxError('SBX_DB_DEADLINE', 'The query was ended by its time limit.', {
      why: 'It took longer than "timeoutMs" of the settings allows.',
      fix: 'Narrow it with WHERE or LIMIT, use an index, or raise "timeoutMs".',
    });
  }
  if ([1792, 1142, 1143, 1227, 1370].includes(number)) {
    return new SignalboxError('SBX_DB_REFUSED', 'The server refused the statement.', {
      why,
      fix: 'This connection may only do what its access allows.',
    });
  }
  if ([1205, 1213].includes(number)) {
    return new SignalboxError('SBX_DB_BUSY', 'The database holds a lock the statement needs.', {
      why,
      fix: 'Try again when the other statement has ended.',
    });
  }
  return new SignalboxError('SBX_DB_SQL', 'The database could not run the statement.', {
    why,
    fix: 'Correct the statement; list_tables, describe_table and search_objects show the names.',
    cause: thrown,
  });
}
