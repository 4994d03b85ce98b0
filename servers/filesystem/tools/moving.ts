/** move_file, copy_file, delete_file, list_deleted and restore_deleted. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Area, Located } from '../guard/area.ts';
import { exists, notFound, refused } from '../guard/beneath.ts';
import { makeFolder, moveEntry, replaceContent } from '../guard/change.ts';
import { openContent, tooLarge } from '../guard/content.ts';
import { inPackageFolder } from '../guard/hard-links.ts';
import { type Deleted, discard, listDiscarded, openDiscarded, readNote } from '../guard/trash.ts';
import { assertMayCarry, walkTree } from '../guard/tree.ts';
import { ADDS, type Call, DESTROYS, type FileTool, input, output, PATH, READ_ONLY } from './define.ts';
import { withPlace } from './writing.ts';

const TWO_PATHS = {
  source: { ...PATH, description: `What to take. ${PATH.description}` },
  destination: { ...PATH, description: 'The new path; nothing may stand there, and its folder must exist.' },
} as const;

/** move_file */
export function moveFile(area: Area): FileTool {
  return {
    name: 'move_file',
    title: 'Move or rename',
    description:
      'Moves or renames a file or folder. Never overwrites: it fails when something stands at the destination. A link is moved itself.',
    input: input(['source', 'destination'], TWO_PATHS),
    output: output(['source', 'destination'], { source: { type: 'string' }, destination: { type: 'string' } }),
    annotations: DESTROYS,
    run: (args, call) =>
      withPlace(area, String(args['source']), 'entry', call, (source) => {
        assertLinkInside(area, String(args['source']), source);
        return withPlace(area, String(args['destination']), 'create', { note: () => undefined }, (target) => {
          if (target.place.stat !== undefined) throw exists(target.shown, 'Nothing is overwritten here.');
          assertMayCarry(area, source, { root: target.root, path: target.place.path });
          moveEntry(source.place, target.place);
          call.note({ destination: target.place.path });
          return {
            structured: { source: source.shown, destination: target.shown },
            text: `Moved ${source.shown} to ${target.shown}.`,
          };
        });
      }),
  };
}

/** copy_file */
export function copyFile(area: Area, maxCopyBytes: number): FileTool {
  return {
    name: 'copy_file',
    title: 'Copy',
    description: 'Copies a file, or a folder with everything in it (links and special files are left out and counted). Never overwrites.',
    input: input(['source', 'destination'], TWO_PATHS),
    output: output(['source', 'destination', 'files', 'bytes', 'skipped'], {
      source: { type: 'string' },
      destination: { type: 'string' },
      files: { type: 'integer' },
      bytes: { type: 'integer' },
      skipped: { type: 'integer', description: 'Links, pipes, devices, sockets and names that are not valid UTF-8: left out.' },
    }),
    annotations: ADDS,
    run: async (args, call) => {
      const source = area.locate(String(args['source']), 'read');
      call.note({ root: source.root.path, path: source.place.path });
      try {
        const done = { files: 0, bytes: 0, skipped: 0 };
        const target = withPlace(area, String(args['destination']), 'create', { note: () => undefined }, (located) => {
          if (located.place.stat !== undefined) throw exists(located.shown, 'Nothing is overwritten here.');
          assertReadable(area, source, located);
          if (source.place.stat?.isDirectory() !== true) copyOne(source, located, done, maxCopyBytes);
          else makeFolder(located.place);
          return located.shown;
        });
        if (source.place.stat?.isDirectory() === true) await copyTree(area, source, String(args['destination']), done, maxCopyBytes, call);
        call.note({ ...done, destination: target });
        return {
          structured: { source: source.shown, destination: target, ...done },
          text: `Copied ${done.files} file(s), ${done.bytes} bytes, to ${target}.`,
        };
      } finally {
        source.place.close();
      }
    },
  };
}

/** delete_file */
export function deleteFile(area: Area): FileTool {
  return {
    name: 'delete_file',
    title: 'Delete',
    description:
      'Deletes a file, a link (not what it leads to) or, with "recursive", a folder with everything in it. It goes to a trash folder: restore_deleted with the returned id brings it back.',
    input: input(['path'], {
      path: PATH,
      recursive: { type: 'boolean', default: false, description: 'Needed for a folder that is not empty.' },
    }),
    output: output(['path', 'id'], { path: { type: 'string' }, id: { type: 'string', description: 'For restore_deleted.' } }),
    annotations: DESTROYS,
    run: (args, call) => {
      const path = String(args['path']);
      return withPlace(area, path, 'entry', call, (located) => {
        assertLinkInside(area, path, located);
        if (located.place.stat?.isDirectory() === true && args['recursive'] !== true) {
          let empty = true;
          const found = (): false => {
            empty = false;
            return false;
          };
          walkTree(located.place, found, found);
          if (!empty) throw refused(located.shown, 'The folder is not empty.', 'Give "recursive": true if everything in it is meant.');
        }
        assertMayCarry(area, located, undefined);
        const { id } = discard(area.rootOf(located.root), located.place);
        call.note({ id });
        return { structured: { path: located.shown, id }, text: `Deleted ${located.shown}; restore_deleted with id ${id} brings it back.` };
      });
    },
  };
}

const DELETED = {
  id: { type: 'string' },
  path: { type: 'string' },
  deleted: { type: 'string', description: 'When, ISO 8601.' },
  type: { type: 'string' },
  bytes: { type: 'integer' },
} as const;

/** list_deleted */
export function listDeleted(area: Area): FileTool {
  return {
    name: 'list_deleted',
    title: 'What was deleted',
    description: 'Lists what delete_file has put into the trash, the newest first, with the ids that restore_deleted takes.',
    input: input([], {}),
    output: output(['entries'], { entries: { type: 'array', items: output(['id', 'path'], DELETED) } }),
    annotations: READ_ONLY,
    run: () => {
      const entries = writable(area)
        .flatMap((root) => listDiscarded(area.rootOf(root)).map((entry) => ({ ...entry, path: area.shown(root, entry.path) })))
        .slice(0, 1000);
      const text = entries.map((entry) => `${entry.id}  ${entry.type.padEnd(6)}  ${entry.path}`).join('\n');
      return { structured: { entries }, text: text || 'The trash is empty.' };
    },
  };
}

/** restore_deleted */
export function restoreDeleted(area: Area): FileTool {
  return {
    name: 'restore_deleted',
    title: 'Restore',
    description: 'Brings back what delete_file has deleted, to where it was or to another path. Never overwrites.',
    input: input(['id'], {
      id: { type: 'string', maxLength: 100 },
      destination: { ...PATH, description: 'Another path than where it was.' },
    }),
    output: output(['path'], { path: { type: 'string' } }),
    annotations: ADDS,
    run: (args, call) => {
      const id = String(args['id']);
      const found = findDeleted(area, id);
      if (found === undefined) throw notFound(id);
      const place = openDiscarded(area.rootOf(found.root), id);
      try {
        // The note could have been changed by another program: the path goes through the guard like any other.
        const destination = typeof args['destination'] === 'string' ? args['destination'] : area.shown(found.root, found.note.path);
        return withPlace(area, destination, 'create', call, (target) => {
          if (target.place.stat !== undefined) throw exists(target.shown, 'Nothing is overwritten here.');
          // To where it was it comes back as it was, whatever lies in it.
          if (target.root.index !== found.root.index || target.place.path !== found.note.path)
            assertMayReturn(area, place, found.note.path, target);
          moveEntry(place, target.place);
          return { structured: { path: target.shown }, text: `Restored ${target.shown}.` };
        });
      } finally {
        place.close();
      }
    },
  };
}

/** What comes back must not come back as something else: under a protected name, or as a link where links are trusted. */
function assertMayReturn(area: Area, entry: Located['place'], was: string, target: Located): void {
  const assertOne = (place: Located['place']): void => {
    const below = place.path.slice(entry.path.length);
    const rule = area.unwritable(target.root, target.place.path + below, place.stat?.isDirectory() === true);
    if (rule !== undefined) throw refused(target.shown + below, `"${rule}" of the deny list forbids it.`, 'Choose another place.');
    if (
      place.stat?.isFile() === true &&
      place.stat.nlink > 1 &&
      inPackageFolder(target.place.path + below) &&
      !inPackageFolder(was + below)
    )
      throw refused(
        target.shown + below,
        'It is a hard link and would come into a package folder, where links are trusted.',
        'Restore it to where it was.',
      );
  };
  assertOne(entry);
  if (entry.stat?.isDirectory() !== true) return;
  walkTree(entry, (place) => {
    assertOne(place);
    return true;
  });
}

function findDeleted(area: Area, id: string): { root: Area['roots'][number]; note: Deleted } | undefined {
  for (const root of writable(area)) {
    const note = readNote(area.rootOf(root), id);
    if (note !== undefined) return { root, note };
  }
  return undefined;
}

function writable(area: Area): Area['roots'] {
  return area.roots.filter((root) => root.access === 'write');
}

/** A link that leads out may be left where it is: what becomes of it is for a person to say. */
function assertLinkInside(area: Area, path: string, located: Located): void {
  if (located.place.stat?.isSymbolicLink() !== true) return;
  try {
    area.locate(path, 'read').place.close();
  } catch (thrown) {
    if (!(thrown instanceof SignalboxError) || thrown.code !== 'SBX_FS_NOT_FOUND') throw thrown;
  }
}

function assertReadable(area: Area, source: Located, target: Located): void {
  if (isWithin(source, target)) throw refused(target.shown, 'A folder cannot be copied into itself.', 'Choose another destination.');
  const visit = (place: Located['place']): boolean => {
    const folder = place.stat?.isDirectory() === true;
    const located = { ...source, place, shown: area.shown(source.root, place.path) };
    area.checkLinks(located);
    const below = place.path.slice(source.place.path.length);
    const rule = area.visible(source.root, place.path, folder) ? area.unwritable(target.root, target.place.path + below, folder) : 'deny';
    if (rule !== undefined)
      throw refused(source.shown, `It holds "${place.path}", which the deny list protects.`, 'Copy the other entries one by one.');
    return true;
  };
  visit(source.place);
  if (source.place.stat?.isDirectory() === true) walkTree(source.place, visit);
}

function isWithin(source: Located, target: Located): boolean {
  const from = `${source.root.path}/${source.place.path}`.replace(/\/+$/, '');
  return `${target.root.path}/${target.place.path}`.startsWith(`${from}/`);
}

interface Copied {
  files: number;
  bytes: number;
  skipped: number;
}

function copyOne(source: Located, target: Located, done: Copied, maxBytes: number): void {
  const file = openContent(source.place);
  try {
    if (done.bytes + file.stat.size > maxBytes) throw tooLarge(source.shown, done.bytes + file.stat.size, maxBytes);
    replaceContent(target.place, file, { mustBeNew: true, mode: file.stat.mode });
    done.files++;
    done.bytes += file.stat.size;
  } finally {
    file.close();
  }
}

async function copyTree(area: Area, source: Located, destination: string, done: Copied, maxBytes: number, call: Call): Promise<void> {
  const entries: { path: string; folder: boolean }[] = [];
  walkTree(
    source.place,
    (place) => {
      if (place.stat?.isDirectory() === true || place.stat?.isFile() === true)
        entries.push({ path: place.path, folder: place.stat.isDirectory() });
      else done.skipped++;
      return true;
    },
    () => void done.skipped++,
  );
  for (const { path, folder } of entries) {
    call.signal.throwIfAborted();
    // Each by its path through the guard: what has been swapped since is refused like anything else.
    const below = path.slice(source.place.path.length + (source.place.path === '' ? 0 : 1));
    const from = area.locate(area.shown(source.root, path), 'read');
    try {
      area.checkLinks(from);
      withPlace(area, `${destination.replace(/\/+$/, '')}/${below}`, 'create', { note: () => undefined }, (target) => {
        if (folder) makeFolder(target.place);
        else copyOne(from, target, done, maxBytes);
      });
    } finally {
      from.place.close();
    }
    if (done.files % 100 === 0) {
      call.progress(done.files, 'files copied');
      await new Promise((next) => setImmediate(next));
    }
  }
}
