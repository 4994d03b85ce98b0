/** Walks everything beneath a folder, links not followed: what a change to the folder would carry along. */
import { readdirSync } from 'node:fs';
import type { Area, Located, OpenRoot } from './area.ts';
import { type Place, refused, systemRefusal } from './beneath.ts';
import { isBuiltIn } from './deny.ts';
import { inPackageFolder } from './hard-links.ts';

/** Entries a move, copy or deletion may carry. */
export const MAX_CARRIED = 100_000;

/**
 * Calls `each` for every entry beneath `folder` (not for the folder itself), parents first; the place is closed afterwards.
 * @param each `false` keeps out of a folder
 * @param lost is called for what cannot be reached: its name is not valid UTF-8, or it has just gone
 */
export function walkTree(folder: Place, each: (place: Place) => boolean, lost: () => void = () => undefined): void {
  for (const name of namesIn(folder)) {
    const child = folder.child(name);
    if (child === undefined) {
      lost();
      continue;
    }
    try {
      if (each(child) && child.stat?.isDirectory() === true) walkTree(child, each, lost);
    } finally {
      child.close();
    }
  }
}

function namesIn(folder: Place): string[] {
  try {
    return readdirSync(folder.ref);
  } catch (thrown) {
    throw systemRefusal(folder.path, thrown);
  }
}

/**
 * Refuses to move or delete a folder that holds something protected: under another name the rule that protects it might not match.
 * @param target where it goes, when it is moved or copied: root and path below it
 * @throws SignalboxError `SBX_FS_REFUSED`
 */
export function assertMayCarry(area: Area, source: Located, target: { readonly root: OpenRoot; readonly path: string } | undefined): void {
  const assertOne = (place: Place): void => {
    const folder = place.stat?.isDirectory() === true;
    if (target !== undefined) {
      area.checkLinks({ ...source, place, shown: area.shown(source.root, place.path) });
      const below = place.path.slice(source.place.path.length);
      const rule = area.unwritable(target.root, target.path + below, folder);
      if (rule !== undefined)
        throw refused(target.path + below, `It would be put where "${rule}" of the deny list forbids it.`, 'Choose another place.');
      if (inPackageFolder(`${target.path}${below}/x`) && !inPackageFolder(`${place.path}/x`) && (place.stat?.nlink ?? 1) > 1 && !folder)
        throw refused(place.path, 'It is a hard link and would be put into a package folder, where links are trusted.', 'Copy it instead.');
    }
    const rule = area.unwritable(source.root, place.path, folder);
    // What packages bring along is nobody's secret, and the trash shows it to nobody.
    const ofPackage = target === undefined && inPackageFolder(place.path) && isBuiltIn(rule);
    if (rule !== undefined && !ofPackage)
      throw refused(
        source.shown,
        `It holds "${place.path}", which "${rule}" of the deny list protects.`,
        'Name the other entries one by one.',
      );
  };
  assertOne(source.place);
  if (source.place.stat?.isDirectory() !== true) return;
  let count = 0;
  walkTree(source.place, (place) => {
    if (++count > MAX_CARRIED)
      throw refused(source.shown, `It holds more than ${MAX_CARRIED} entries.`, 'Do it in smaller parts, or by hand.');
    assertOne(place);
    return true;
  });
}
