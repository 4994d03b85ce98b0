/** write_file, edit_file and create_directory: only registered when a root may be written. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { diffOf } from '../engines/diff.ts';
import { applyEdits, type Edit } from '../engines/edits.ts';
import { decodeText, type Encoding, encode, lineEndings } from '../engines/text.ts';
import type { Area, Located } from '../guard/area.ts';
import { exists, notFound, outside, printable } from '../guard/beneath.ts';
import { makeFolder, replaceContent } from '../guard/change.ts';
import { readContent } from '../guard/content.ts';
import { ADDS, type Call, DESTROYS, type FileTool, input, output, PATH } from './define.ts';

/** Locates, and closes afterwards. */
export function withPlace<T>(
  area: Area,
  path: string,
  purpose: 'write' | 'folder' | 'create' | 'entry',
  call: Pick<Call, 'note'>,
  use: (located: Located) => T,
): T {
  const located = area.locate(path, purpose);
  call.note({ root: located.root.path, path: located.place.path });
  try {
    return use(located);
  } finally {
    located.place.close();
  }
}

/** write_file */
export function writeFile(area: Area, maxBytes: number): FileTool {
  return {
    name: 'write_file',
    title: 'Write a file',
    description:
      'Creates a text file or replaces its whole content; readers see the old or the new content, never a part. The folder must exist (create_directory). ' +
      'To change a part of a file use edit_file. An existing file keeps its permissions.',
    input: input(['path', 'content'], {
      path: PATH,
      content: { type: 'string' },
      encoding: { enum: ['utf-8', 'utf-8-bom', 'utf-16le', 'utf-16be', 'latin1'], default: 'utf-8' },
      mustBeNew: { type: 'boolean', default: false, description: 'Fail when the file exists.' },
    }),
    output: output(['path', 'bytes', 'created'], { path: { type: 'string' }, bytes: { type: 'integer' }, created: { type: 'boolean' } }),
    annotations: { ...DESTROYS, idempotentHint: true },
    run: (args, call) => {
      const path = String(args['path']);
      const data = encode(path, String(args['content']), (args['encoding'] as Encoding | undefined) ?? 'utf-8');
      assertSize(path, data.length, maxBytes);
      return withPlace(area, path, 'write', call, (located) => {
        const { place, shown } = located;
        // The other names would keep the old content; but a name that may not be read is not taken over either.
        area.checkLinks(located);
        const created = replaceContent(place, data, { mustBeNew: args['mustBeNew'] === true });
        call.note({ bytes: data.length, created });
        return {
          structured: { path: shown, bytes: data.length, created },
          text: `${created ? 'Created' : 'Replaced'} ${shown} (${data.length} bytes).`,
        };
      });
    },
  };
}

/** edit_file */
export function editFile(area: Area, maxFileBytes: number): FileTool {
  return {
    name: 'edit_file',
    title: 'Edit a file',
    description:
      'Replaces exact pieces of a text file. Every oldText must occur exactly once (or give "all": true), character by character with its blanks. ' +
      'The edits are made one after the other; when one does not fit, nothing is written. Line endings and encoding stay. Returns a diff; with dryRun only the diff.',
    input: input(['path', 'edits'], {
      path: PATH,
      edits: {
        type: 'array',
        minItems: 1,
        maxItems: 500,
        items: input(['oldText', 'newText'], {
          oldText: { type: 'string', minLength: 1, description: 'What is there now, exactly; enough of it to be unique.' },
          newText: { type: 'string' },
          all: { type: 'boolean', default: false, description: 'Replace every occurrence.' },
        }),
      },
      dryRun: { type: 'boolean', default: false, description: 'Show the diff, write nothing.' },
    }),
    output: output(['path', 'diff', 'replacements', 'written'], {
      path: { type: 'string' },
      diff: { type: 'string', description: 'Unified diff.' },
      replacements: { type: 'integer' },
      written: { type: 'boolean' },
      lineEndings: { type: 'string' },
      encoding: { type: 'string' },
    }),
    annotations: DESTROYS,
    run: (args, call) =>
      withPlace(area, String(args['path']), 'write', call, (located) => {
        const { place, shown } = located;
        if (place.stat === undefined) throw notFound(shown);
        area.checkLinks(located);
        const before = decodeText(shown, readContent(place, maxFileBytes));
        const { text, replacements } = applyEdits(shown, before.text, args['edits'] as readonly Edit[]);
        const data = encode(shown, text, before.encoding);
        assertSize(shown, data.length, maxFileBytes);
        const diff = diffOf(shown, before.text, text);
        const written = args['dryRun'] !== true && text !== before.text;
        if (written) replaceContent(place, data, { unchanged: place.stat });
        call.note({ bytes: written ? data.length : 0, dryRun: args['dryRun'] === true });
        return {
          structured: { path: shown, diff, replacements, written, lineEndings: lineEndings(text), encoding: before.encoding },
          text: diff === '' ? 'The edits change nothing.' : `${diff}${written ? '' : '\n[dry run: nothing was written]'}`,
        };
      }),
  };
}

/** create_directory */
export function createDirectory(area: Area): FileTool {
  return {
    name: 'create_directory',
    title: 'Create a folder',
    description: 'Creates a folder, and the folders above it that are missing. A folder that exists already is fine.',
    input: input(['path'], { path: PATH }),
    output: output(['path', 'created'], { path: { type: 'string' }, created: { type: 'boolean' } }),
    annotations: { ...ADDS, idempotentHint: true },
    run: (args, call) => {
      const path = String(args['path']);
      const { shown, created } = createFolders(area, path, call);
      call.note({ created });
      return { structured: { path: shown, created }, text: created ? `Created ${shown}.` : `${shown} exists already.` };
    },
  };
}

function createFolders(area: Area, path: string, call: Pick<Call, 'note'>): { shown: string; created: boolean } {
  const trimmed = path.replace(/(?<=.)\/+$/, '');
  const missing: string[] = [];
  let prefix = trimmed;
  // From the whole path upwards to the first folder that can be made; nothing is made before every name has been looked at.
  for (;;) {
    try {
      withPlace(area, prefix, 'folder', call, ({ place, root, shown }) => {
        if (place.stat !== undefined && !place.stat.isDirectory()) throw exists(shown, 'A file stands there.');
        let below = place.path;
        for (const name of missing) {
          below = `${below}/${name}`;
          area.checkNew(root, below, path);
        }
      });
      break;
    } catch (thrown) {
      if (!(thrown instanceof SignalboxError) || thrown.code !== 'SBX_FS_NOT_FOUND') throw thrown;
    }
    const cut = prefix.lastIndexOf('/');
    const name = prefix.slice(cut + 1);
    // Steps back through folders that are not there are not guessed at.
    if (cut <= 0 || name === '..') throw outside(path, 'A folder above it does not exist.');
    if (name !== '' && name !== '.') missing.unshift(name);
    prefix = prefix.slice(0, cut);
  }
  let last = { shown: path, created: false };
  for (let count = 0; count <= missing.length; count++) {
    const at = [prefix, ...missing.slice(0, count)].join('/');
    last = withPlace(area, at, 'folder', call, ({ place, shown }) => {
      if (place.stat?.isDirectory() === true) return { shown, created: false };
      if (place.stat !== undefined) throw exists(shown, 'A file stands there.');
      makeFolder(place);
      return { shown, created: true };
    });
  }
  return last;
}

function assertSize(path: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new SignalboxError('SBX_FS_TOO_LARGE', `The content for "${printable(path)}" is too large.`, {
    why: `It has ${size} bytes; the limit is ${limit}.`,
    fix: 'Write less, or raise "maxFileBytes" in the settings.',
  });
}
