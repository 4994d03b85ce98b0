/** The connection that a prompt or a completion names: a wrong name is a fault of the request's params, and its answer says how to mend it. */
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { choose, type Desk, type Entry } from './tools/desk.ts';

/** Like {@link choose}, outside of tools. @throws ProtocolError -32602 */
export function chooseAsked(desk: Desk, name: unknown): Entry {
  try {
    return choose(desk, name);
  } catch (thrown) {
    if (!(thrown instanceof SignalboxError)) throw thrown;
    const message = `${thrown.code}: ${thrown.message} ${thrown.why} ${thrown.fix}`;
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, message, thrown.toJSON());
  }
}
