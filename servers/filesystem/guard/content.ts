/** Opens the content of a located place for reading; nothing but an ordinary file is ever opened. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { notFound, outside, type Place, printable, refused, systemRefusal } from './beneath.ts';

/** An open ordinary file. */
export interface OpenFile {
  readonly fd: number;
  /** At the time it was opened. */
  readonly stat: Stats;
  /** Reads up to `length` bytes at `offset`; fewer at the end, or where the file has shrunk. */
  read(offset: number, length: number): Buffer;
  close(): void;
}

/**
 * macOS refuses the open when any part of the path has become a link since it was resolved (O_NOFOLLOW_ANY, not in `fs.constants`); Linux
 * needs no such flag, its places are descriptors.
 */
const NO_LINKS_ON_THE_WAY = process.platform === 'darwin' ? 0x20000000 : 0;
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0) | NO_LINKS_ON_THE_WAY;

/**
 * Opens a place for reading.
 * @throws SignalboxError `SBX_FS_REFUSED` for what is not an ordinary file or may not be read by this user
 */
export function openContent(place: Place): OpenFile {
  const { stat } = place;
  if (stat === undefined) throw notFound(place.path);
  // Checked on the pinned thing before it is opened: opening a FIFO would hang, opening a device may act.
  if (!stat.isFile()) {
    throw stat.isDirectory()
      ? refused(place.path, 'It is a folder.', 'Use list_directory.')
      : refused(place.path, 'It is a pipe, a socket, a device or a link, not an ordinary file.', 'Choose another file.');
  }
  let fd: number;
  try {
    fd = openSync(place.ref, READ_FLAGS);
  } catch (thrown) {
    throw systemRefusal(place.path, thrown);
  }
  const now = fstatSync(fd);
  if (now.dev !== stat.dev || now.ino !== stat.ino || !now.isFile()) {
    closeSync(fd);
    throw outside(place.path, 'It changed while it was being opened.');
  }
  return {
    fd,
    stat: now,
    read: (offset, length) => {
      const buffer = Buffer.allocUnsafe(length);
      let done = 0;
      for (let got = -1; got !== 0 && done < length; done += got) got = readSync(fd, buffer, done, length - done, offset + done);
      return buffer.subarray(0, done);
    },
    close: () => closeSync(fd),
  };
}

/**
 * Reads a whole file.
 * @param maxBytes larger files are refused before they are opened
 * @throws SignalboxError `SBX_FS_REFUSED` for what is not an ordinary file, `SBX_FS_TOO_LARGE`
 */
export function readContent(place: Place, maxBytes: number): Buffer {
  if (place.stat?.isFile() === true && place.stat.size > maxBytes) throw tooLarge(place.path, place.stat.size, maxBytes);
  const file = openContent(place);
  try {
    // One byte more than the limit, so that a file that grew is noticed. Files of /proc and the like say size 0 and are read as well.
    const data = file.read(0, Math.min(file.stat.size, maxBytes) + 1);
    if (data.length > maxBytes) throw tooLarge(place.path, data.length, maxBytes);
    return data.length > file.stat.size ? Buffer.concat([data, file.read(data.length, maxBytes - data.length)]) : data;
  } finally {
    file.close();
  }
}

/** The refusal of a file over a limit; `what` says what the bytes are of, when they are not the file's. */
export function tooLarge(path: string, size: number, limit: number, what?: string): SignalboxError {
  return new SignalboxError('SBX_FS_TOO_LARGE', `"${printable(path)}" is too large.`, {
    why: `It has ${size} bytes${what === undefined ? '' : ` ${what}`}; the limit is ${limit}.`,
    fix: 'Read a part of it with startLine/endLine, head, tail or offset/length, search it with search_content, or raise "maxFileBytes".',
  });
}
