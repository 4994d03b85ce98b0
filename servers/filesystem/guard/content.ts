/** Opens and replaces the content of a located place; nothing but an ordinary file is ever opened. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, readSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { notFound, outside, type Place, systemCode } from './beneath.ts';

/**
 * Reads a whole file.
 * @param maxBytes larger files are refused before they are opened
 * @throws SignalboxError `SBX_FS_REFUSED` for what is not an ordinary file, `SBX_FS_TOO_LARGE`
 */
export function readContent(place: Place, maxBytes: number): Buffer {
  const { stat } = place;
  if (stat === undefined) throw notFound(place.path);
  // Checked on the pinned thing before it is opened: opening a FIFO would hang, opening a device may act.
  if (!stat.isFile()) {
    throw new SignalboxError('SBX_FS_REFUSED', `"${place.path}" is not an ordinary file.`, {
      why: stat.isDirectory() ? 'It is a folder.' : 'It is a pipe, a socket, a device or a link.',
      fix: stat.isDirectory() ? 'Use list_directory.' : 'Choose another file.',
    });
  }
  if (stat.size > maxBytes) throw tooLarge(place.path, stat.size, maxBytes);
  const fd = openSync(place.ref, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const now = fstatSync(fd);
    if (now.dev !== stat.dev || now.ino !== stat.ino || !now.isFile()) throw outside(place.path, 'It changed while it was being opened.');
    // One byte more than the limit, so that a file that grew is noticed.
    const buffer = Buffer.allocUnsafe(Math.min(now.size, maxBytes) + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got) got = readSync(fd, buffer, length, buffer.length - length, null);
    if (length > maxBytes) throw tooLarge(place.path, length, maxBytes);
    return buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes a whole file by a temporary one beside it: readers see the old or the new content, and a hard link elsewhere is not changed.
 * @returns whether the file is new
 * @throws SignalboxError `SBX_FS_REFUSED`, `SBX_FS_EXISTS`
 */
export function replaceContent(place: Place, data: Uint8Array): boolean {
  const { stat } = place;
  if (place.name === '' || (stat !== undefined && !stat.isFile())) {
    throw new SignalboxError('SBX_FS_REFUSED', `"${place.path}" is not an ordinary file.`, {
      why: 'A folder, pipe or device stands there.',
      fix: 'Choose another name.',
    });
  }
  const temporary = `${place.parentRef}/.sbx-${randomBytes(8).toString('hex')}.tmp`;
  const target = `${place.parentRef}/${place.name}`;
  let fd: number;
  try {
    fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), stat?.mode ?? 0o666);
  } catch (thrown) {
    throw outside(place.path, `Its folder cannot be written (${systemCode(thrown) ?? String(thrown)}).`);
  }
  try {
    try {
      for (let done = 0; done < data.length; ) done += writeSync(fd, data, done);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (!place.parentStillBeneath()) throw outside(place.path, 'Its folder was moved out of the root.');
    if (stat !== undefined) {
      renameSync(temporary, target);
      return false;
    }
    linkSync(temporary, target);
    unlinkSync(temporary);
    return true;
  } catch (thrown) {
    removeQuietly(temporary);
    if (systemCode(thrown) !== 'EEXIST') throw thrown;
    throw new SignalboxError('SBX_FS_EXISTS', `"${place.path}" has just been created by another program.`, {
      why: 'A new file never replaces one that it did not see.',
      fix: 'Read it, then write again.',
    });
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already renamed or gone: there is nothing to clean up.
  }
}

function tooLarge(path: string, size: number, limit: number): SignalboxError {
  return new SignalboxError('SBX_FS_TOO_LARGE', `"${path}" is too large to read.`, {
    why: `It has ${size} bytes; the limit is ${limit}.`,
    fix: 'Search it with search_files, or raise "maxFileBytes" in the settings.',
  });
}
