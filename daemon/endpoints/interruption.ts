/** What a client is told about a request that a restart cut off: reported, never run again. */
import { SignalboxError } from '../api/errors.ts';
import { rpcError, toolFailure } from '../protocol/codes.ts';
import type { Outcome } from '../protocol/message.ts';

/**
 * The outcome of a request that was under way and whose answer nobody has any more.
 * @param by what cut it off, `a restart of the daemon`
 */
export function interrupted(method: string, by: string): Outcome {
  const error = new SignalboxError('SBX_CALL_INTERRUPTED', `${method} was interrupted by ${by}.`, {
    why: 'It was under way and may have run in part; Signalbox never runs a call twice by itself.',
    fix: 'Check what it did, then call it again if that is safe.',
  });
  return method === 'tools/call' ? toolFailure(error) : { error: rpcError(error) };
}
