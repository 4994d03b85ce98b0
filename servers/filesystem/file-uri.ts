/** `file:` URIs, from the protocol to a path; what the path may be used for is for the guard to say. */
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '../../daemon/api/errors.ts';

/** The absolute path a `file:` URI means. @throws SignalboxError `SBX_FS_REFUSED` */
export function pathOf(uri: string): string {
  try {
    if (uri.length > 16_384) throw new TypeError('It is too long.');
    return fileURLToPath(uri);
  } catch (cause) {
    throw new SignalboxError('SBX_FS_REFUSED', 'The URI is not one of a file here.', {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'Use file: URIs as resources/list gives them.',
      cause,
    });
  }
}
