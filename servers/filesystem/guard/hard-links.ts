/**
 * The default for hard links (design/guards.md asks for a stated one): a file with several names may be read when all its names lie beneath
 * the root and none is denied, or when it lies in a package folder, which package managers fill with links into their store. Otherwise it is
 * another name for something the person did not give: a file outside, or `.env` itself.
 */
import { lstatSync, readdirSync } from 'node:fs';
import type { Place } from './beneath.ts';

/** `proved` is the default described above. */
export type HardLinkPolicy = 'allow' | 'proved' | 'refuse';

const PACKAGE_FOLDERS = new Set(['node_modules', '.pnpm-store', '.yarn', 'site-packages', 'dist-packages', 'target', 'bower_components']);
/** Entries looked at; a larger tree proves nothing. */
const MAX_ENTRIES = 200_000;
/** An index is used again for so long: a search over many linked files looks once. */
const FRESH_MS = 2000;

/** What the index knows about one file with several names. */
interface Names {
  found: number;
  denied: boolean;
}
/** A root's index, made when it is first asked for. */
export interface LinkIndex {
  /** Whether the place may be read under the policy `proved`. */
  proved(place: Place): boolean;
}

/** Whether a resolved path lies where package managers put hard links. */
export function inPackageFolder(path: string): boolean {
  return path
    .split('/')
    .slice(0, -1)
    .some((name) => PACKAGE_FOLDERS.has(name));
}

/**
 * @param open gives the root's folder as a pinned place
 * @param denied whether a path below the root may not be read
 */
export function linkIndex(open: () => Place, denied: (path: string) => boolean): LinkIndex {
  let names = new Map<string, Names>();
  let complete = false;
  let made = Number.NEGATIVE_INFINITY;
  const build = (): void => {
    names = new Map();
    const root = open();
    try {
      complete = collect(root, denied, names);
    } finally {
      root.close();
    }
    made = performance.now();
  };
  const known = (place: Place): boolean => {
    const entry = place.stat === undefined ? undefined : names.get(`${place.stat.dev}:${place.stat.ino}`);
    return complete && entry !== undefined && !entry.denied && entry.found >= (place.stat?.nlink ?? 0);
  };
  return {
    proved: (place) => {
      if (performance.now() - made > FRESH_MS) build();
      return known(place);
    },
  };
}

/** Counts the names of every file that has several; false when the tree is too large. */
function collect(root: Place, denied: (path: string) => boolean, names: Map<string, Names>): boolean {
  let left = MAX_ENTRIES;
  // Depth first, so that few descriptors are open at a time.
  const visit = (folder: Place): boolean => {
    for (const entry of readdirSync(folder.ref, { withFileTypes: true })) {
      if (--left < 0) return false;
      const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
      if (entry.isDirectory()) {
        const child = folder.child(entry.name);
        if (child === undefined) continue;
        try {
          if (child.stat?.isDirectory() === true && !visit(child)) return false;
        } finally {
          child.close();
        }
      } else if (entry.isFile()) {
        const stat = lstatSync(`${folder.ref}/${entry.name}`, { throwIfNoEntry: false });
        if (stat === undefined || stat.nlink < 2) continue;
        const key = `${stat.dev}:${stat.ino}`;
        const entryNames = names.get(key) ?? { found: 0, denied: false };
        entryNames.found++;
        entryNames.denied ||= denied(path);
        names.set(key, entryNames);
      }
    }
    return true;
  };
  try {
    return visit(root);
  } catch {
    // A folder this user may not list: the names in it are not counted, so nothing that has one there is proved.
    return false;
  }
}
