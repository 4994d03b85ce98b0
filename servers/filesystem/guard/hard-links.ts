/**
 * The default for hard links (design/guards.md asks for a stated one): a file with several names may be read when all its names lie beneath
 * the root and none is denied, or when it lies in a package folder, which package managers fill with links into their store. Otherwise it is
 * another name for something the person did not give: a file outside, or `.env` itself.
 */
import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import type { Place } from './beneath.ts';

/** `proved` is the default described above. */
export type HardLinkPolicy = 'allow' | 'proved' | 'refuse';

const PACKAGE_FOLDERS = new Set(['node_modules', '.pnpm-store', '.yarn', 'site-packages', 'dist-packages', 'target', 'bower_components']);
/** Entries looked at; a larger tree proves nothing. */
const MAX_ENTRIES = 200_000;
/** An index is used again for so long: a search over many linked files looks once. */
const FRESH_MS = 2000;
/** The clock of a file system may be so far behind. */
const CLOCK_MS = 20;

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
  let made = Number.NEGATIVE_INFINITY;
  let madeAt = Number.POSITIVE_INFINITY;
  const build = (): void => {
    names = new Map();
    madeAt = Date.now() - CLOCK_MS;
    const root = open();
    try {
      collect(root, denied, names);
    } finally {
      root.close();
    }
    made = performance.now();
  };
  const known = (place: Place): boolean => {
    const entry = place.stat === undefined ? undefined : names.get(`${place.stat.dev}:${place.stat.ino}`);
    // When all names have been found it does not matter what was not looked at.
    return entry !== undefined && !entry.denied && entry.found >= (place.stat?.nlink ?? 0);
  };
  return {
    proved: (place) => {
      if (performance.now() - made > FRESH_MS) build();
      // A link made since then shows in the file's time of change.
      if (known(place) || (place.stat?.ctimeMs ?? 0) < madeAt) return known(place);
      build();
      return known(place);
    },
  };
}

/** Counts the names of every file that has several, as far as the tree may be listed and is not too large. */
function collect(root: Place, denied: (path: string) => boolean, names: Map<string, Names>): void {
  let left = MAX_ENTRIES;
  // Depth first, so that few descriptors are open at a time.
  const visit = (folder: Place): boolean => {
    for (const entry of listed(folder)) {
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
  visit(root);
}

function listed(folder: Place): Dirent[] {
  try {
    return readdirSync(folder.ref, { withFileTypes: true });
  } catch {
    // A folder this user may not list: the names in it are not counted, so nothing that has one there is proved.
    return [];
  }
}
