/**
 * Deleting is moving: into `.signalbox/trash/<id>/` of the same root, beside a note that says where it came from. The folder is on the deny
 * list, so nothing in it can be read or changed by the tools but by restoring it.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { notFound, type Place, type Root, refused } from './beneath.ts';
import { makeFolder, moveEntry, replaceContent } from './change.ts';
import { readContent } from './content.ts';

/** One deletion that can be undone. */
export interface Deleted {
  readonly id: string;
  /** Where it was, below its root. */
  readonly path: string;
  readonly deleted: string;
  readonly type: 'file' | 'folder' | 'link';
  readonly bytes: number;
}

const TRASH = ['.signalbox', 'trash'];
const ID = /^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$/;
const MAX_NOTE = 64 * 1024;

/** Moves an entry into the trash of its root. @throws SignalboxError */
export function discard(root: Root, source: Place): Deleted {
  const { stat } = source;
  if (stat === undefined) throw notFound(source.path);
  const now = new Date();
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const id = `${stamp}-${randomBytes(4).toString('hex')}`;
  const type = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'file';
  const note: Deleted = { id, path: source.path, deleted: now.toISOString(), type, bytes: type === 'file' ? stat.size : 0 };
  const folder = ensureFolders(root, [...TRASH, id]);
  try {
    ignoreInGit(root);
    write(root, id, 'note.json', JSON.stringify(note));
    const target = locate(root, [...TRASH, id, 'entry'], true);
    try {
      moveEntry(source, target);
    } finally {
      target.close();
    }
  } catch (thrown) {
    // Nothing was deleted: nothing is listed.
    forget(folder);
    throw thrown;
  } finally {
    folder.close();
  }
  return note;
}

function forget(folder: Place): void {
  rmSync(`${folder.ref}/note.json`, { force: true });
  try {
    rmdirSync(`${folder.parentRef}/${folder.name}`);
  } catch {
    // Something is in it after all: it stays.
  }
}

/** What can be restored, the newest first. */
export function listDiscarded(root: Root): readonly Deleted[] {
  let trash: Place;
  try {
    trash = locate(root, TRASH, false);
  } catch (thrown) {
    if (thrown instanceof SignalboxError && thrown.code === 'SBX_FS_NOT_FOUND') return [];
    throw thrown;
  }
  try {
    const ids = readdirSync(trash.ref)
      .filter((name) => ID.test(name))
      .sort()
      .reverse();
    return ids.flatMap((id) => {
      const note = readNote(root, id);
      return note === undefined ? [] : [note];
    });
  } finally {
    trash.close();
  }
}

/** The note of one deletion. */
export function readNote(root: Root, id: string): Deleted | undefined {
  if (!ID.test(id)) return undefined;
  try {
    const place = locate(root, [...TRASH, id, 'note.json'], false);
    try {
      const note = JSON.parse(readContent(place, MAX_NOTE).toString('utf8')) as Partial<Deleted>;
      return typeof note.path === 'string' && note.id === id ? (note as Deleted) : undefined;
    } finally {
      place.close();
    }
  } catch {
    // No note, or a torn one: such an entry is not offered.
    return undefined;
  }
}

/** The deleted entry itself, to be moved back. @throws SignalboxError `SBX_FS_NOT_FOUND` */
export function openDiscarded(root: Root, id: string): Place {
  if (!ID.test(id)) throw notFound(id);
  return locate(root, [...TRASH, id, 'entry'], false);
}

/** Links on the way would let somebody else choose where deleted files go. */
function locate(root: Root, names: readonly string[], mayMiss: boolean): Place {
  const place = root.locate(names.join('/'), { mayMiss, keepLink: true });
  if (place.path === names.join('/')) return place;
  place.close();
  throw refused(names.join('/'), 'The trash folder is a link.', 'Ask the person to remove the link .signalbox or .signalbox/trash.');
}

function ensureFolders(root: Root, names: readonly string[]): Place {
  for (let depth = 1; depth <= names.length; depth++) {
    const place = locate(root, names.slice(0, depth), true);
    try {
      if (place.stat === undefined) makeFolder(place);
      else if (!place.stat.isDirectory())
        throw refused(place.path, 'The trash folder cannot be made: something else stands there.', 'Ask the person to move it away.');
    } catch (thrown) {
      // Another call may have made it at the same time.
      if (!(thrown instanceof SignalboxError && thrown.code === 'SBX_FS_EXISTS')) throw thrown;
    } finally {
      place.close();
    }
  }
  return locate(root, names, false);
}

function ignoreInGit(root: Root): void {
  const place = locate(root, [...TRASH, '.gitignore'], true);
  try {
    if (place.stat === undefined) replaceContent(place, Buffer.from('*\n'));
  } finally {
    place.close();
  }
}

function write(root: Root, id: string, name: string, text: string): void {
  const place = locate(root, [...TRASH, id, name], true);
  try {
    replaceContent(place, Buffer.from(text), { mode: 0o600 });
  } finally {
    place.close();
  }
}
