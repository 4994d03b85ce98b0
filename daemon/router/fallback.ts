/** When the fallback of a server may answer in its place, and how the answer says so. Pure. */
import { type ErrorCode, SignalboxError } from '../api/errors.ts';
import { isObject, type Outcome } from '../protocol/message.ts';
import { memberOf, withMembers } from '../protocol/outcome.ts';

/** `_meta` key of a result another server gave: `{"server": name}`. */
const FALLBACK_KEY = 'dev.signalbox/fallback';

/** Why a server has no connection to give. Full queues and rates are no such reason: a fallback is no way round a limit. */
const DOWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SBX_SERVER_UNREACHABLE',
  'SBX_SERVER_COMMAND',
  'SBX_SERVER_EXITED',
  'SBX_SERVER_TIMEOUT',
  'SBX_SERVER_PROTOCOL',
  'SBX_SERVER_HTTP',
  'SBX_SERVER_NOT_JSON',
  'SBX_SERVER_DISABLED',
  'SBX_CIRCUIT_OPEN',
  'SBX_PLUGIN_NOT_FOUND',
  'SBX_PLUGIN_MANIFEST',
  'SBX_PLUGIN_SETTINGS',
  'SBX_PLUGIN_CRASHED',
  'SBX_SECRET_MISSING',
  'SBX_SECRET_NOT_GRANTED',
  'SBX_VARIABLE_UNKNOWN',
]);
/** Of a connection that was never made: no byte of the call has left. */
const NOT_CONNECTED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Whether the fallback server may answer a call that failed so.
 * @param error what `lease()` or `request()` threw
 * @param sent false: there was no connection yet (`lease()` threw). true: `request()` was called; then only an error that says that no
 * connection was made (its `cause` has the system's code) allows it, for anything else may have run in part
 */
export function mayFallBack(error: unknown, sent: boolean): boolean {
  if (!(error instanceof SignalboxError)) return false;
  if (!sent) return DOWN.has(error.code);
  return error.code === 'SBX_SERVER_UNREACHABLE' && NOT_CONNECTED.has(systemCode(error.cause));
}

/** The outcome with the name of the server that gave it. An error stays as it is. */
export function fromFallback(outcome: Outcome, server: string): Outcome {
  const meta = memberOf(outcome, '_meta');
  return withMembers(outcome, { _meta: { ...(isObject(meta) ? meta : {}), [FALLBACK_KEY]: { server } } });
}

function systemCode(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
