/** The part of the control channel about recordings: thin calls into the parts. */
import type { RecordingMethods } from '../api/recordings.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';

/** Builds the handlers. */
export function recordingHandlers(): Pick<ControlHandlers, keyof RecordingMethods> {
  return {} as Pick<ControlHandlers, keyof RecordingMethods>;
}
