/** The part of the control channel about conformance: thin calls into the parts. */
import type { ConformanceMethods } from '../api/conformance.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';

/** Builds the handlers. */
export function conformanceHandlers(): Pick<ControlHandlers, keyof ConformanceMethods> {
  return {} as Pick<ControlHandlers, keyof ConformanceMethods>;
}
