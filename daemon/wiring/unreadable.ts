import { SignalboxError } from '../api/errors.ts';

/** A client's file that cannot be understood is left alone. */
export function unreadable(file: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_WIRE_UNREADABLE', `${file} cannot be read, so it was left alone.`, {
    why,
    fix: 'Repair the file, then run the command again.',
    cause,
  });
}
