/** Goes through a tree in a fixed order, links not followed, protected and ignored names left out. */
import { type Dirent, readdirSync } from 'node:fs';
import type { Area, Located } from '../guard/area.ts';
import { MAX_DEPTH, type Place, systemCode } from '../guard/beneath.ts';
import type { Glob } from '../guard/glob.ts';
import { ignoreRules, matchesAny } from './filters.ts';

/** One entry on the way; `folder` is open until the next one is asked for. */
export interface Found {
  readonly folder: Place;
  readonly entry: Dirent;
  /** Below the root. */
  readonly path: string;
  /** Below the folder the walk began in. */
  readonly below: string;
  /** Position among the files of the walk, the same in every thread. */
  readonly index: number;
}

/** What is left out. */
export interface WalkOptions {
  readonly exclude: readonly Glob[];
  /** Also what .gitignore names. */
  readonly includeIgnored: boolean;
  /** Only every nth file, before anything is asked of it: how several threads share one tree. */
  readonly share?: { readonly part: number; readonly parts: number };
}

/** Entries of the tree, folders before what is in them, names in order. Folders that this user may not list are passed over. */
export function* walk(area: Area, start: Located, options: WalkOptions): Generator<Found> {
  const rules = options.includeIgnored ? undefined : ignoreRules(area, start);
  const prefix = start.place.path === '' ? 0 : start.place.path.length + 1;
  const { share } = options;
  let index = -1;
  function* visit(folder: Place, depth: number): Generator<Found> {
    let entries: Dirent[];
    try {
      entries = readdirSync(folder.ref, { withFileTypes: true });
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown;
      return;
    }
    const level = rules !== undefined && entries.some((entry) => entry.name === '.gitignore') ? rules.enter(folder) : undefined;
    const base = folder.path === '' ? '' : `${folder.path}/`;
    for (const entry of entries.sort(byName)) {
      const isFolder = entry.isDirectory();
      if (!isFolder && ++index >= 0 && share !== undefined && index % share.parts !== share.part) continue;
      const path = base + entry.name;
      if (!area.visible(start.root, path, isFolder) || rules?.ignores(path, isFolder) === true) continue;
      const below = path.slice(prefix);
      if (options.exclude.length > 0 && matchesAny(options.exclude, below)) continue;
      yield { folder, entry, path, below, index };
      if (!isFolder || depth >= MAX_DEPTH) continue;
      const child = folder.child(entry.name);
      if (child === undefined) continue;
      try {
        if (child.stat?.isDirectory() === true) yield* visit(child, depth + 1);
      } finally {
        child.close();
      }
    }
    level?.leave();
  }
  yield* visit(start.place, 0);
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
