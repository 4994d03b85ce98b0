/** Files only their owner may read, replaced in one step so that a reader never sees half of one. */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SignalboxError } from '../api/errors.ts';

/**
 * Makes the folder (and its parents) if it is missing and takes every right on it from group and others.
 *
 * @throws SignalboxError `SBX_STATE_INSECURE` when it is not a folder or belongs to somebody else (ARCHITECTURE section 2)
 */
export function ensurePrivateDir(dir: string): void {
  let stat: ReturnType<typeof lstatSync>;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    stat = lstatSync(dir);
  } catch (cause) {
    throw insecure(dir, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (process.platform === 'win32') return;
  // a link in the path above the folder is the user's business (/home on another disk); the folder itself must be a folder
  if (!stat.isDirectory()) throw insecure(dir, 'It is not a folder.');
  const self = process.getuid?.();
  if (self !== undefined && stat.uid !== self) throw insecure(dir, `It belongs to user ${stat.uid}, not to user ${self}.`);
  if ((stat.mode & 0o077) !== 0) chmodSync(dir, 0o700);
}

/**
 * Writes a file by atomic rename; whoever reads it sees the old content or the new one.
 *
 * @param mode permission bits, 0600 unless told
 */
export function writePrivateFile(file: string, content: string, mode = 0o600): void {
  ensurePrivateDir(dirname(file));
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode });
    chmodSync(temporary, mode); // the umask may have taken the executable bit
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function insecure(dir: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_STATE_INSECURE', `The state folder ${dir} cannot be used.`, {
    why,
    fix: 'Make it a folder of your own with mode 0700, or set SIGNALBOX_STATE_DIR to one.',
    cause,
  });
}
