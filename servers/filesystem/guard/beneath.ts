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
  /** lstat of the thing; undefined when nothing stands there. Never a followed link. */
  readonly stat: Stats | undefined;
  /** A path for `fs` calls that leads to this very thing. */
  readonly ref: string;
  /** The same for its folder, and its name in it. */
  readonly parentRef: string;
  readonly name: string;
  /** Whether the folder (after time has passed) is still beneath the root. */
  parentStillBeneath(): boolean;
  /** What stands at `name` in this folder, links not followed; undefined when it is gone. */
  child(name: string): Place | undefined;
  close(): void;
}

/** One root, pinned when the server starts and never looked up by name again. */
export interface Root {
  /** Real path when it was pinned; only for messages and for absolute paths given by the client. */
  readonly path: string;
  /**
   * Walks to `path` (relative, `/`), following links only while they stay beneath the root.
   * @param mayMiss the last name need not exist
   * @throws SignalboxError `SBX_FS_REFUSED`, `SBX_FS_NOT_FOUND`
   */
  locate(path: string, options?: { readonly mayMiss?: boolean }): Place;
  close(): void;
}

/** As many as Linux itself follows. */
export const MAX_LINKS = 40;

/** A folder that must not be entered, by identity: the daemon's state folder inside a root. */
export interface Forbidden {
  readonly dev: number;
  readonly ino: number;
}

/** The refusal for a path that leads out. */
export function outside(path: string, why: string): SignalboxError {
  return new SignalboxError('SBX_FS_REFUSED', `"${path}" is not inside a root of this server.`, {
    why,
    fix: 'Give a path beneath a root; list_directory with path "." shows the first one. More folders can be added to "roots" in the settings.',
  });
}

/** The answer for a name that is not there. */
export function notFound(path: string): SignalboxError {
  return new SignalboxError('SBX_FS_NOT_FOUND', `"${path}" does not exist.`, {
    why: 'No file or folder has that name.',
    fix: 'Look at the folder with list_directory, or find the file with search_files.',
  });
}

/** The code of a Node system error. */
export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}
