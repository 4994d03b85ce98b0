/** PostgreSQL's errors as ours: SQLSTATE, position and hint stay. */
import { SignalboxError } from '../../../../daemon/api/errors.ts';
import { tlsFailure } from '../tls.ts';

interface ServerError {
  readonly code?: string;
  readonly severity?: string;
  readonly message?: string;
  readonly position?: string;
  readonly hint?: string;
  readonly detail?: string;
}

/** @param quiet leaves out the detail, which may quote values of protected columns */
export function failureOf(thrown: unknown, name: string, quiet: boolean): unknown {
  if (thrown instanceof SignalboxError) return thrown;
  const error = (thrown ?? {}) as ServerError;
  const message = error.message ?? String(thrown);
  if (error.severity === undefined) {
    const untrusted = tlsFailure(thrown, name);
    if (untrusted !== undefined) return untrusted;
    return new SignalboxError('SBX_DB_CONNECTION', `The connection to "${name}" was lost or could not be made.`, {
      why: message === '' ? String((thrown as { code?: unknown }).code ?? 'The server ended it.') : message,
      fix: 'Check that the server runs and that the address and the login in the settings are right, then try again.',
      cause: thrown,
    });
  }
  const parts = [
    `${quiet ? message.replace(/: ".*"/su, '') : message} (${error.code ?? 'no code'})`,
    ...(error.position === undefined ? [] : [`at character ${error.position}`]),
    ...(error.detail === undefined || quiet ? [] : [`Detail: ${error.detail}`]),
    ...(error.hint === undefined ? [] : [`Hint: ${error.hint}`]),
  ];
  const why = parts.join('. ');
  if (error.code === '57014') {
    return new SignalboxError('SBX_DB_DEADLINE', 'The query was ended by its time limit.', {
      why: 'It took longer than "timeoutMs" of the settings allows.',
      fix: 'Narrow it with WHERE or LIMIT, use an index, or raise "timeoutMs".',
    });
  }
  if (error.code === '25006' || error.code === '42501' || error.code === '25001') {
    return new SignalboxError('SBX_DB_REFUSED', 'The server refused the statement.', {
      why,
      fix: 'This connection may only do what its access allows.',
    });
  }
  if (/^(?:57P0|08|53300|28)/u.test(error.code ?? '')) {
    return new SignalboxError('SBX_DB_CONNECTION', `The server of "${name}" ended or refused the connection.`, {
      why,
      fix: 'Check the login and the server, then try again.',
    });
  }
  return new SignalboxError('SBX_DB_SQL', 'PostgreSQL could not run the statement.', {
    why,
    fix: 'Correct the statement; list_tables, describe_table and search_objects show the names.',
    cause: thrown,
  });
}
