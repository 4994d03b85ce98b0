/** The errors of calls that a server did not get or did not finish, for reasons of ours. */
import { SignalboxError } from '../api/errors.ts';
import type { CallEnd } from './circuit-breaker.ts';

/** Failures of the way to a server, not of what it said. */
const WAY_FAILED = new Set<string>(['SBX_SERVER_TIMEOUT', 'SBX_SERVER_EXITED', 'SBX_SERVER_UNREACHABLE', 'SBX_SERVER_HTTP']);

/** How a call ended that threw `error`, as the circuit breaker counts it. */
export function endOf(error: unknown, cancelled: boolean): CallEnd {
  if (cancelled) return 'cancelled';
  return error instanceof SignalboxError && WAY_FAILED.has(error.code) ? 'failed' : 'ok';
}

/** A call was cut off; it may have run in part. */
export function interrupted(server: string, why: string): SignalboxError {
  return new SignalboxError('SBX_CALL_INTERRUPTED', `The call to server "${server}" was interrupted.`, {
    why: `${why} The call may have run in part; it is not run again by itself.`,
    fix: 'Look whether it took effect, then call again.',
  });
}

/** The server is disabled or gone from the configuration. */
export function notRunning(server: string): SignalboxError {
  return new SignalboxError('SBX_SERVER_DISABLED', `Server "${server}" is not running.`, {
    why: 'It was disabled or removed from the configuration.',
    fix: `Enable it with \`signalbox servers enable ${server}\`.`,
  });
}

/** @param retryAt when a call is let through again, milliseconds since 1970 */
export function circuitOpen(server: string, retryAt: number): SignalboxError {
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  return new SignalboxError('SBX_CIRCUIT_OPEN', `Server "${server}" is not being called for the moment.`, {
    why: 'Its last calls all failed or got no answer, so calls fail at once instead of waiting.',
    fix: `It is tried again in ${seconds} s (${new Date(retryAt).toISOString()}); \`signalbox servers restart ${server}\` tries at once.`,
  });
}
