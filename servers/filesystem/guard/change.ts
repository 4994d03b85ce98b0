/** Every change to the disk: by names in pinned folders, never in place, never over something that was not seen. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { exists, notFound, outside, type Place, printable, refused, systemCode, systemRefusal } from './beneath.ts';
import type { OpenFile } from './content.ts';

/** Where the new content comes from. */
export type Source = Uint8Array | OpenFile;

/** Says how {@link replaceContent} treats what stands there. */
export interface ReplaceOptions {
  /** Nothing may stand there. */
  readonly mustBeNew?: boolean;
  /** The file that was read before: when another has been put there, or it has changed, nothing is written. */
  readonly unchanged?: Stats;
  /** Permissions of a new file. */
  readonly mode?: number;
}

const COPY_CHUNK = 1024 * 1024;

/**
 * Writes a whole file by a temporary one beside it: readers, and a crash at any moment, see the old or the new content, and a hard link
 * elsewhere is not changed.
 * @returns whether the file is new
 * @throws SignalboxError `SBX_FS_REFUSED`, `SBX_FS_EXISTS`, `SBX_FS_CHANGED`
 */
export function replaceContent(place: Place, source: Source, options: ReplaceOptions = {}): boolean {
  const { stat } = place;
  if (stat !== undefined && options.mustBeNew === true) throw exists(place.path, 'Nothing is overwritten here.');
  if (place.name === '' || (stat !== undefined && !stat.isFile()))
    throw refused(place.path, 'A folder, a link, a pipe, a socket or a device stands there.', 'Choose another name.');
  if (stat !== undefined && (stat.mode & 0o222) === 0)
    throw refused(place.path, 'The file is marked read-only.', 'Ask the person to make it writable.');
  const temporary = `${place.parentRef}/.sbx-${randomBytes(8).toString('hex')}.tmp`;
  const target = `${place.parentRef}/${place.name}`;
  let fd: number;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    fd = openSync(temporary, flags, stat === undefined ? (options.mode ?? 0o666) & 0o777 : 0o600);
  } catch (thrown) {
    throw systemCode(thrown) === 'ENOENT' ? outside(place.path, 'Its folder has been deleted.') : systemRefusal(place.path, thrown);
  }
  try {
    try {
      fill(fd, source);
      if (stat !== undefined) keepOwnerAndMode(fd, stat);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (!place.parentStillBeneath()) throw outside(place.path, 'Its folder was moved out of the root.');
    if (stat === undefined) moveToFreeName(temporary, target);
    else {
      assertUnchanged(place, target, options.unchanged ?? stat);
      renameSync(temporary, target);
    }
  } catch (thrown) {
    removeQuietly(temporary);
    if (systemCode(thrown) === 'EEXIST') throw exists(place.path, 'Another program has just created it.');
    throw systemRefusal(place.path, thrown);
  }
  syncFolder(place.parentRef);
  return stat === undefined;
}

/** Makes one folder; its parent exists. @throws SignalboxError */
export function makeFolder(place: Place): void {
  if (place.stat !== undefined) throw exists(place.path, 'Something stands there.');
  if (!place.parentStillBeneath()) throw outside(place.path, 'Its folder was moved out of the root.');
  try {
    mkdirSync(`${place.parentRef}/${place.name}`);
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') throw exists(place.path, 'Another program has just created it.');
    throw systemRefusal(place.path, thrown);
  }
}

/**
 * Moves an entry to a free name; never over anything.
 * @throws SignalboxError `SBX_FS_EXISTS`, `SBX_FS_REFUSED` (also across file systems)
 */
export function moveEntry(source: Place, target: Place): void {
  if (source.stat === undefined) throw notFound(source.path);
  if (target.stat !== undefined) throw exists(target.path, 'Nothing is overwritten here.');
  if (!source.parentStillBeneath()) throw outside(source.path, 'Its folder was moved out of the root.');
  if (!target.parentStillBeneath()) throw outside(target.path, 'Its folder was moved out of the root.');
  const from = `${source.parentRef}/${source.name}`;
  const to = `${target.parentRef}/${target.name}`;
  try {
    assertSame(source, from);
    if (source.stat.isDirectory()) {
      // An empty folder holds the name; renaming a folder over it is atomic, and fails when it has been filled or swapped.
      mkdirSync(to);
      try {
        renameSync(from, to);
      } catch (thrown) {
        rmdirSync(to);
        throw thrown;
      }
    } else moveToFreeName(from, to);
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') throw exists(target.path, 'Another program has just created it.');
    throw systemRefusal(source.path, thrown);
  }
  syncFolder(target.parentRef);
}

/** Atomic, and never over anything: link and unlink; where there are no hard links (exFAT), an empty file holds the name. */
function moveToFreeName(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (thrown) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(thrown) ?? '')) throw thrown;
    closeSync(openSync(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)));
    renameSync(from, to);
    return;
  }
  try {
    unlinkSync(from);
  } catch (thrown) {
    // Not half: a file with two names would be refused as a hard link from now on.
    removeQuietly(to);
    throw thrown;
  }
}

/** What is at `path` now must be the thing that was located. */
function assertSame(place: Place, path: string): void {
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now === undefined) throw notFound(place.path);
  if (now.dev !== place.stat?.dev || now.ino !== place.stat.ino) throw changed(place.path);
}

function assertUnchanged(place: Place, path: string, before: Stats): void {
  const now = lstatSync(path, { throwIfNoEntry: false });
  // Gone is as well as changed: whoever deleted it did not mean it to come back.
  if (now === undefined || now.dev !== before.dev || now.ino !== before.ino || now.size !== before.size || now.mtimeMs !== before.mtimeMs)
    throw changed(place.path);
}

function changed(path: string): SignalboxError {
  return new SignalboxError('SBX_FS_CHANGED', `"${printable(path)}" has just been changed by another program.`, {
    why: 'What stands there now is not what was looked at a moment ago; nothing was written.',
    fix: 'Read it again, then repeat the change.',
  });
}

function fill(fd: number, source: Source): void {
  if (source instanceof Uint8Array) {
    for (let done = 0; done < source.length; ) done += writeSync(fd, source, done);
    return;
  }
  const chunk = Buffer.allocUnsafe(COPY_CHUNK);
  for (let at = 0; ; ) {
    const got = readSync(source.fd, chunk, 0, chunk.length, at);
    if (got === 0) return;
    for (let done = 0; done < got; ) done += writeSync(fd, chunk, done, got - done);
    at += got;
  }
}

/** Permissions stay (without set-uid bits), and the owner where this user may set it. */
function keepOwnerAndMode(fd: number, stat: Stats): void {
  const own = fstatSync(fd);
  if (own.uid !== stat.uid || own.gid !== stat.gid) {
    try {
      fchownSync(fd, stat.uid, stat.gid);
    } catch (thrown) {
      if (systemCode(thrown) !== 'EPERM') throw thrown;
    }
  }
  fchmodSync(fd, stat.mode & 0o777);
}

/** A rename is only safe from a power cut when its folder is written; file systems that cannot are left alone. */
function syncFolder(ref: string): void {
  try {
    const fd = openSync(ref, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0));
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Windows opens no folders, some network file systems sync none: the rename itself has happened.
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already renamed or gone: there is nothing to clean up.
  }
}
