/** The part of the control channel about sessions: thin calls into the parts. */
import type { SessionMethods } from '../api/sessions.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';

/** Builds the handlers. */
export function sessionHandlers(): Pick<ControlHandlers, keyof SessionMethods> {
  return {} as Pick<ControlHandlers, keyof SessionMethods>;
}
