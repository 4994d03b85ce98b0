import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SignalboxError } from '../api/errors.ts';

/**
 * Writes a file that is either the old one or the whole new one, never a torn one, and readable by its owner only.
 *
 * @param mode permission bits; default 0600
 */
export function writePrivately(file: string, text: string, mode = 0o600): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const descriptor = openSync(draft, 'wx', mode);
    try {
      const bytes = Buffer.from(text);
      for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The JSON of a file of ours; `undefined` when it is not there, `null` when it is not JSON. */
export function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Makes a folder of mode 0700 with its parents, if it is not there. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  try {
    mkdirSync(folder, { mode: 0o700 });
    chmodSync(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Makes the state folder if need be and checks that nobody else can read or replace what is in it: a real folder, ours, mode 0700.
 * On Windows the profile's access list does this; only the folder is made.
 *
 * @throws SignalboxError `SBX_STATE_INSECURE`
 */
export function checkStateFolder(folder: string, platform: NodeJS.Platform = process.platform): void {
  makePrivateFolder(folder);
  if (platform === 'win32') return;
  const found = lstatSync(folder);
  const insecure = (why: string, fix: string): SignalboxError =>
    new SignalboxError('SBX_STATE_INSECURE', `The state folder ${folder} is not private.`, { why, fix });
  if (!found.isDirectory())
    throw insecure('It is a link or a file, not a folder.', 'Remove it, or set SIGNALBOX_STATE_DIR to a folder of your own.');
  if (process.getuid !== undefined && found.uid !== process.getuid())
    throw insecure(`It belongs to user ${found.uid}.`, 'Set SIGNALBOX_STATE_DIR to a folder of your own.');
  if ((found.mode & 0o077) !== 0)
    throw insecure(`Its mode is 0${(found.mode & 0o777).toString(8)}: others can look into it.`, `Run: chmod 700 ${folder}`);
}
