import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { shortHash, slugOf } from './alias.ts';

/** The real path of a folder; `undefined` when there is none. */
export function realFolder(folder: string): string | undefined {
  try {
    const real = realpathSync(folder);
    return statSync(real).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}

/** Name of a workspace in paths: slug of the folder's name, a dash, eight characters of the hash of its real path. */
export function workspaceId(realPath: string): string {
  const slug = slugOf(basename(realPath)).slice(0, 24).replace(/-+$/, '');
  return `${slug === '' ? 'folder' : slug}-${shortHash(realPath, 8)}`;
}

/** Whether `inner` is `outer` or below it. Links are followed as far as the path exists, so a link out of the folder is outside. */
export function isInside(inner: string, outer: string): boolean {
  const way = relative(realAsFarAsThere(outer), realAsFarAsThere(inner));
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/**
 * Whether a folder may be a root nobody asked for: not the file system's root, not the home or anything above it, not the state or
 * configuration folder or anything in or above them (ARCHITECTURE section 5).
 */
export function mayBeDefaultRoot(
  folder: string,
  kept: { readonly home: string; readonly stateDir: string; readonly configDir: string },
): boolean {
  return (
    dirname(folder) !== folder &&
    ![kept.home, kept.stateDir, kept.configDir].some((place) => isInside(place, folder)) &&
    ![kept.stateDir, kept.configDir].some((place) => isInside(folder, place))
  );
}

function realAsFarAsThere(path: string): string {
  const whole = resolve(path);
  const missing: string[] = [];
  for (let here = whole; ; ) {
    try {
      return join(realpathSync(here), ...missing.reverse());
    } catch {
      const up = dirname(here);
      if (up === here) return whole;
      missing.push(basename(here));
      here = up;
    }
  }
}
