/** list_allowed_directories, list_directory, directory_tree and get_file_info. */
import { type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { globsOf, type Ignore, ignoreRules, matchesAny } from '../engines/filters.ts';
import type { Area, Located } from '../guard/area.ts';
import { notFound, type Place, refused, systemRefusal } from '../guard/beneath.ts';
import type { Glob } from '../guard/glob.ts';
import { type Call, type FileTool, input, output, PATH, READ_ONLY } from './define.ts';

const PAGE = 1000;
const MAX_PAGE = 10_000;
const MAX_TREE = 5000;

/** list_allowed_directories */
export function listAllowedDirectories(area: Area): FileTool {
  return {
    name: 'list_allowed_directories',
    title: 'The roots',
    description:
      'Lists the folders this server may see (its roots), and whether they may be written. Relative paths start at the first one.',
    input: input([], {}),
    output: output(['roots'], {
      roots: {
        type: 'array',
        items: output(['path', 'access'], { path: { type: 'string' }, name: { type: 'string' }, access: { type: 'string' } }),
      },
    }),
    annotations: READ_ONLY,
    run: () => {
      const roots = area.roots.map(({ path, name, access }) => ({ path, access, ...(name === undefined ? {} : { name }) }));
      return {
        structured: { roots },
        text: roots.map((root) => `${root.path} (${root.access})${root.name === undefined ? '' : ` as ${root.name}:`}`).join('\n'),
      };
    },
  };
}

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly size?: number;
  readonly modified?: string;
  readonly unreadable?: boolean;
}

/** list_directory */
export function listDirectory(area: Area, options: { readonly gitignore: boolean }): FileTool {
  return {
    name: 'list_directory',
    title: 'List a folder',
    description:
      `Lists the files and folders in a folder with type, size and time of change, sorted and in pages of ${PAGE}. ` +
      'Give the returned nextCursor to see more. Protected names (.env, .git, keys) are not shown. For whole trees use directory_tree.',
    input: input([], {
      path: { ...PATH, default: '.' },
      sortBy: { enum: ['name', 'size', 'modified'], default: 'name', description: 'Size and modified: the largest and newest first.' },
      sizes: {
        type: 'boolean',
        default: true,
        description: 'false: only "names", folders with / and links with @ behind; quicker for very large folders.',
      },
      pattern: { type: 'string', maxLength: 500, description: 'Only names that match this glob.' },
      limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: PAGE },
      cursor: { type: 'string', maxLength: 2000, description: 'nextCursor of the page before.' },
    }),
    output: output(['path', 'total'], {
      path: { type: 'string' },
      names: { type: 'array', items: { type: 'string' } },
      entries: {
        type: 'array',
        items: output(['name', 'type'], {
          name: { type: 'string' },
          type: { enum: ['file', 'folder', 'link', 'other'] },
          size: { type: 'integer' },
          modified: { type: 'string' },
          unreadable: { type: 'boolean', description: 'The name is not valid UTF-8 and cannot be given to any tool.' },
        }),
      },
      total: { type: 'integer' },
      nextCursor: { type: 'string' },
    }),
    annotations: READ_ONLY,
    run: (args, call) =>
      withFolder(area, typeof args['path'] === 'string' ? args['path'] : '.', call, (located) => {
        const glob = typeof args['pattern'] === 'string' ? globsOf([args['pattern']]) : [];
        const rules = options.gitignore ? ignoreRules(area, located) : undefined;
        const names = shownNames(area, located, glob, rules);
        const sortBy = typeof args['sortBy'] === 'string' ? args['sortBy'] : 'name';
        const limit = typeof args['limit'] === 'number' ? args['limit'] : PAGE;
        const start = startOf(args['cursor']);
        const next = start + limit < names.length ? String(start + limit) : undefined;
        const more = next === undefined ? '' : `\n[${names.length - start - limit} more: cursor ${next}]`;
        const frame = { path: located.shown, total: names.length, ...(next === undefined ? {} : { nextCursor: next }) };
        if (args['sizes'] === false && sortBy === 'name') {
          const plain = names
            .slice(start, start + limit)
            .map((entry) => entry.name + (entry.isDirectory() ? '/' : entry.isSymbolicLink() ? '@' : ''));
          call.note({ entries: plain.length });
          return { structured: { ...frame, names: plain }, text: `${plain.join('\n')}${more}` || '(empty)' };
        }
        let entries = (sortBy === 'name' ? names.slice(start, start + limit) : names).map(({ name }) => entryOf(located.place, name));
        if (sortBy === 'size') entries.sort((a, b) => (b.size ?? -1) - (a.size ?? -1));
        else if (sortBy === 'modified')
          entries.sort((a, b) => (a.modified === b.modified ? 0 : (a.modified ?? '') < (b.modified ?? '') ? 1 : -1));
        if (sortBy !== 'name') entries = entries.slice(start, start + limit);
        call.note({ entries: entries.length });
        const text = entries.map(
          (entry) => `[${entry.type.toUpperCase()}] ${entry.name}${entry.size === undefined ? '' : ` (${entry.size} bytes)`}`,
        );
        return { structured: { ...frame, entries }, text: `${text.join('\n')}${more}` || '(empty)' };
      }),
  };
}

interface Node {
  readonly name: string;
  readonly type: string;
  children?: Node[];
}

/** directory_tree */
export function directoryTree(area: Area): FileTool {
  return {
    name: 'directory_tree',
    title: 'Show a tree',
    description: `Shows everything beneath a folder as a tree, at most ${MAX_TREE} entries; links are shown, not followed. What .gitignore names is left out unless includeIgnored.`,
    input: input([], {
      path: { ...PATH, default: '.' },
      depth: { type: 'integer', minimum: 1, maximum: 64, default: 16 },
      excludePatterns: { type: 'array', items: { type: 'string', maxLength: 500 }, maxItems: 100, default: [] },
      includeIgnored: { type: 'boolean', default: false },
    }),
    output: output(['path', 'tree', 'entries', 'truncated'], {
      path: { type: 'string' },
      tree: { type: 'array', items: { type: 'object' }, description: 'Nodes {name, type, children?}.' },
      entries: { type: 'integer' },
      truncated: { type: 'boolean' },
    }),
    annotations: READ_ONLY,
    run: async (args, call) => {
      const path = typeof args['path'] === 'string' ? args['path'] : '.';
      return withFolder(area, path, call, async (located) => {
        const exclude = globsOf((args['excludePatterns'] as readonly string[] | undefined) ?? []);
        const rules = args['includeIgnored'] === true ? undefined : ignoreRules(area, located);
        const depth = typeof args['depth'] === 'number' ? args['depth'] : 16;
        const lines: string[] = [];
        let entries = 0;
        let truncated = false;
        const visit = async (folder: Located, level: number, indent: string): Promise<Node[]> => {
          const nodes: Node[] = [];
          const inner = rules?.enter(folder.place);
          for (const entry of readdirSync(folder.place.ref, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
            const below = folder.place.path === '' ? entry.name : `${folder.place.path}/${entry.name}`;
            const isFolder = entry.isDirectory();
            if (!area.visible(folder.root, below, isFolder) || rules?.ignores(below, isFolder) === true) continue;
            if (matchesAny(exclude, below.slice(located.place.path === '' ? 0 : located.place.path.length + 1))) continue;
            if (entries === MAX_TREE) {
              truncated = true;
              break;
            }
            if (++entries % 500 === 0) await new Promise((next) => setImmediate(next));
            call.signal.throwIfAborted();
            const node: Node = {
              name: entry.name,
              type: isFolder ? 'folder' : entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'link' : 'other',
            };
            lines.push(`${indent}${entry.name}${isFolder ? '/' : ''}`);
            if (isFolder && level < depth) {
              const child = folder.place.child(entry.name);
              if (child?.stat?.isDirectory() === true) {
                try {
                  node.children = await visit({ ...folder, place: child }, level + 1, `${indent}  `);
                } catch (thrown) {
                  // A folder this user may not list is shown without children.
                  if (thrown instanceof SignalboxError || call.signal.aborted) throw thrown;
                  node.children = [];
                } finally {
                  child.close();
                }
              } else child?.close();
            }
            nodes.push(node);
          }
          inner?.leave();
          return nodes;
        };
        const tree = await visit(located, 1, '');
        call.note({ entries });
        if (truncated) lines.push(`[cut after ${MAX_TREE} entries: give a path, a depth or excludePatterns]`);
        return { structured: { path: located.shown, tree, entries, truncated }, text: lines.join('\n') || '(empty)' };
      });
    },
  };
}

/** get_file_info */
export function getFileInfo(area: Area): FileTool {
  return {
    name: 'get_file_info',
    title: 'File information',
    description: 'Type, size, times and permissions of a file or folder (of what a link leads to).',
    input: input(['path'], { path: PATH }),
    output: output(['path', 'type', 'size', 'modified', 'created', 'permissions'], {
      path: { type: 'string' },
      type: { type: 'string' },
      size: { type: 'integer' },
      modified: { type: 'string' },
      created: { type: 'string' },
      accessed: { type: 'string' },
      permissions: { type: 'string', description: 'POSIX permissions, octal.' },
      names: { type: 'integer', description: 'How many hard links the file has.' },
    }),
    annotations: READ_ONLY,
    run: (args, call) => {
      const located = area.locate(String(args['path']), 'read');
      call.note({ root: located.root.path, path: located.place.path });
      try {
        const { stat } = located.place;
        if (stat === undefined) throw notFound(located.shown);
        const structured = {
          path: located.shown,
          type: typeOf(stat),
          size: stat.size,
          modified: stat.mtime.toISOString(),
          created: stat.birthtime.toISOString(),
          accessed: stat.atime.toISOString(),
          permissions: (stat.mode & 0o777).toString(8).padStart(3, '0'),
          names: stat.nlink,
        };
        return {
          structured,
          text: Object.entries(structured)
            .map(([key, value]) => `${key}: ${value}`)
            .join('\n'),
        };
      } finally {
        located.place.close();
      }
    },
  };
}

/** Locates a folder for reading, and closes it. */
export async function withFolder<T>(
  area: Area,
  path: string,
  call: Pick<Call, 'note'>,
  use: (located: Located) => T | Promise<T>,
): Promise<T> {
  const located = area.locate(path, 'read');
  call.note({ root: located.root.path, path: located.place.path });
  try {
    if (located.place.stat?.isDirectory() !== true)
      throw refused(located.shown, 'It is not a folder.', 'Use read_text_file or get_file_info.');
    return await use(located);
  } catch (thrown) {
    throw systemRefusal(path, thrown);
  } finally {
    located.place.close();
  }
}

/** `file`, `folder`, `link` or `other`. */
export function typeOf(stat: Stats): string {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'folder';
  return stat.isSymbolicLink() ? 'link' : 'other';
}

/** Names in order, without what may not be seen. Whether a name is a folder is only asked where `only` or .gitignore make it matter. */
function shownNames(area: Area, { place, root }: Located, glob: readonly Glob[], rules: Ignore | undefined): Dirent[] {
  const inner = rules?.enter(place);
  const names = readdirSync(place.ref, { withFileTypes: true })
    .filter((entry) => {
      const below = place.path === '' ? entry.name : `${place.path}/${entry.name}`;
      if (!area.visible(root, below, !entry.isFile()) || rules?.ignores(below, entry.isDirectory()) === true) return false;
      return glob.length === 0 || matchesAny(glob, entry.name);
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  inner?.leave();
  return names;
}

function entryOf(folder: Place, name: string): Entry {
  // lstat in a pinned folder follows nothing; a descriptor for each of 10 000 names would cost four times as much.
  const stat = name.includes('\ufffd') ? undefined : lstatSync(`${folder.ref}/${name}`, { throwIfNoEntry: false });
  if (stat === undefined) return { name, type: 'other', unreadable: true };
  return { name, type: typeOf(stat), modified: stat.mtime.toISOString(), ...(stat.isFile() ? { size: stat.size } : {}) };
}

/** @throws SignalboxError `SBX_FS_CURSOR` */
export function startOf(cursor: unknown): number {
  if (cursor === undefined) return 0;
  if (typeof cursor === 'string' && /^[0-9]{1,9}$/.test(cursor)) return Number(cursor);
  throw new SignalboxError('SBX_FS_CURSOR', 'The cursor cannot be used.', {
    why: 'It is not one this server gave.',
    fix: 'Give nextCursor of the page before, or leave it out for the first page.',
  });
}
