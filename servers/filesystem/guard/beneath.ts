/**
 * What the tools get instead of paths. A `Place` is pinned: once it is located, renaming folders or swapping links does not move it
 * (on Linux; `portable.ts` says what holds elsewhere).
 */
import type { Stats } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';

/** Something that exists beneath a root, or a free name in an existing folder (`stat` undefined). */
export interface Place {
  /** Resolved path below the root, with `/`; '' is the root itself. */
  readonly path: string;
  /** lstat of the thing; undefined when nothing stands there. A link only where `keepLink` asked for it. */
  readonly stat: Stats | undefined;
  /** A path for `fs` calls that leads to this very thing. */
  readonly ref: string;
  /** The same for its folder, and its name in it. */
  readonly parentRef: string;
  readonly name: string;
  /** Whether the folder (after time has passed) is still beneath the root. */
  parentStillBeneath(): boolean;
  /** What stands at `name` in this folder, links not followed; undefined when it is gone or must not be seen. */
  child(name: string): Place | undefined;
  close(): void;
}

/** How to walk. */
export interface LocateOptions {
  /** The last name need not exist. */
  readonly mayMiss?: boolean;
  /** A link at the end is the thing itself (move, delete), not the way to another. */
  readonly keepLink?: boolean;
}

/** One root, pinned when the server starts and never looked up by name again. */
export interface Root {
  /** Real path when it was pinned; only for messages and for absolute paths given by the client. */
  readonly path: string;
  /** The descriptor that pins it, where there is one; valid in every thread of this process. */
  readonly pin: number | undefined;
  /**
   * Walks to `path` (relative, `/`), following links only while they stay beneath the root.
   * @throws SignalboxError `SBX_FS_REFUSED`, `SBX_FS_NOT_FOUND`; {@link LeadsElsewhere} for an absolute link that another root may hold
   */
  locate(path: string, options?: LocateOptions): Place;
  close(): void;
}

/** A link with an absolute target outside this root; the area looks whether another root holds it. */
export class LeadsElsewhere extends Error {
  override readonly name = 'LeadsElsewhere';
  /** Absolute: the target and what was still to be walked. */
  readonly path: string;

  constructor(path: string) {
    super('The link leads to another root, or out.');
    this.path = path;
  }
}

/** As many as Linux itself follows. */
export const MAX_LINKS = 40;
/** Folders a path may go down; each holds a descriptor while it is walked. */
export const MAX_DEPTH = 256;

/** A folder that must not be entered, by identity: the daemon's state folder inside a root. */
export interface Forbidden {
  readonly dev: number;
  readonly ino: number;
}

/** The refusal for a path that leads out. */
export function outside(path: string, why: string): SignalboxError {
  return new SignalboxError('SBX_FS_REFUSED', `"${printable(path)}" is not inside a root of this server.`, {
    why,
    fix: 'Give a path beneath a root (list_allowed_directories names them). More folders can be added to "roots" in the settings.',
  });
}

/** A refusal for another reason than the way. */
export function refused(path: string, why: string, fix: string): SignalboxError {
  return new SignalboxError('SBX_FS_REFUSED', `"${printable(path)}" is refused.`, { why, fix });
}

/** The answer for a name that is not there. */
export function notFound(path: string): SignalboxError {
  return new SignalboxError('SBX_FS_NOT_FOUND', `"${printable(path)}" does not exist.`, {
    why: 'No file or folder has that name.',
    fix: 'Look at the folder with list_directory, or find the file with search_files.',
  });
}

/** The answer for a name that is taken. */
export function exists(path: string, why: string): SignalboxError {
  return new SignalboxError('SBX_FS_EXISTS', `"${printable(path)}" exists already.`, {
    why,
    fix: 'Choose another name, or delete it first.',
  });
}

/** What the operating system said, as a refusal; anything of ours is passed on. */
export function systemRefusal(path: string, thrown: unknown): unknown {
  const code = systemCode(thrown);
  if (code === undefined) return thrown;
  if (code === 'ENOENT') return notFound(path);
  const why = SYSTEM_REASONS[code] ?? `The system refuses it (${code}).`;
  return new SignalboxError('SBX_FS_REFUSED', `"${printable(path)}" cannot be used.`, {
    why,
    fix: 'Choose another path, or ask the person.',
  });
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'This user may not do that (EACCES).',
  EPERM: 'This user may not do that (EPERM).',
  ENAMETOOLONG: 'The name is longer than the file system allows (ENAMETOOLONG).',
  ENOSPC: 'The disk is full (ENOSPC).',
  EROFS: 'The file system is read-only (EROFS).',
  EXDEV: 'The two places are on different file systems (EXDEV): copy, then delete.',
  ENOTDIR: 'A part of the path is not a folder (ENOTDIR).',
  ENOTEMPTY: 'A folder with content stands there (ENOTEMPTY).',
  EINVAL: 'The system does not accept it (EINVAL), for example a folder moved into itself.',
  EMFILE: 'Too many files are open (EMFILE).',
};

/** The code of a Node system error. */
export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && 'syscall' in thrown ? thrown.code : undefined;
}

/** A path as it may stand in a message: nothing that moves a cursor, and not endless. */
export function printable(path: string): string {
  const clean = path.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
  return clean.length > 300 ? `${clean.slice(0, 300)}…` : clean;
}
