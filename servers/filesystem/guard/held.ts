/** The roots that are open, and which of them a path belongs to. */
import { homedir } from 'node:os';
import { isAbsolute, resolve, sep } from 'node:path';
import { notFound, outside, type Place, type Root } from './beneath.ts';
import { type DenyList, type DenySettings, denyList } from './deny.ts';
import { type LinkIndex, linkIndex } from './hard-links.ts';
import { pinLinuxRoot } from './linux.ts';
import { portableRoot } from './portable.ts';
import { stateFolder } from './roots.ts';

/** One root as the settings say it; `path` absolute. */
export interface RootSettings extends DenySettings {
  readonly path: string;
  /** Paths may begin with `name:`. */
  readonly name?: string;
  readonly access: 'read' | 'write';
  readonly allowHome?: boolean;
}

/** A root that is open. */
export interface OpenRoot {
  /** Real path. */
  readonly path: string;
  readonly name: string | undefined;
  readonly access: 'read' | 'write';
  readonly index: number;
}

/** What has been found out about a root before it is opened: plain data. */
export interface Opened {
  readonly real: string;
  readonly isHome: boolean;
  readonly pin?: number;
}

/** An open root with what it takes to judge a path. */
export interface Held extends OpenRoot {
  readonly isHome: boolean;
  readonly given: string;
  readonly root: Root;
  readonly deny: DenyList;
  readonly links: LinkIndex;
}

/** Opens a root. */
export function hold(settings: RootSettings, index: number, opened: Opened | undefined): Held {
  if (opened === undefined) throw notFound(settings.path);
  const { real, isHome, pin } = opened;
  const state = stateFolder();
  const forbidden = state === undefined ? [] : [state.identity];
  const root = process.platform === 'linux' ? pinLinuxRoot(real, forbidden, pin) : portableRoot(real, forbidden, process.platform);
  const bases = [real, resolve(settings.path)];
  const relative = (globs: readonly string[] | undefined): readonly string[] | undefined => globs?.map((glob) => relativeGlob(glob, bases));
  const [own, allow, only] = [settings.deny, settings.allow, settings.only].map(relative);
  const deny = denyList({
    ...(own === undefined ? {} : { deny: own }),
    ...(allow === undefined ? {} : { allow }),
    ...(only === undefined ? {} : { only }),
    home: isHome,
  });
  return {
    path: real,
    given: resolve(settings.path),
    name: settings.name,
    access: settings.access,
    index,
    isHome,
    root,
    deny,
    links: linkIndex(
      () => root.locate(''),
      // What lies in the trash was not protected when it was deleted.
      (path) => !path.startsWith('.signalbox/trash/') && deny.read(path, false) !== undefined,
    ),
  };
}

/** A glob may be written as an absolute path: below the root as it was given, or as it really lies. */
function relativeGlob(glob: string, bases: readonly string[]): string {
  const full = glob.startsWith('~/') ? `${homedir()}${glob.slice(1)}` : glob;
  for (const base of bases) {
    if (full === base) return '**';
    if (!full.startsWith(`${base}/`)) continue;
    const rest = full.slice(base.length + 1);
    // A pattern without a slash would match at any depth.
    return rest.replace(/\/+$/, '').includes('/') ? rest : `${rest.replace(/\/+$/, '')}/**`;
  }
  return glob;
}

/** Roots may lie in one another: the innermost that holds a place rules over it. */
export function rulingRoot(held: readonly Held[], root: Held, path: string): { readonly root: Held; readonly path: string } {
  if (held.length === 1) return { root, path };
  const absolute = absoluteOf(root, path);
  let best = root;
  for (const other of held) if (other.path.length > best.path.length && isBeneath(other.path, absolute)) best = other;
  return {
    root: best,
    path:
      best === root
        ? path
        : absolute
            .slice(best.path.length + 1)
            .split(sep)
            .join('/'),
  };
}

/** The same place under its path below another root. */
export function renamed(place: Place, path: string): Place {
  const { stat, ref, parentRef, name } = place;
  return {
    path,
    stat,
    ref,
    parentRef,
    name,
    parentStillBeneath: () => place.parentStillBeneath(),
    child: (child) => {
      const below = place.child(child);
      return below === undefined ? undefined : renamed(below, path === '' ? child : `${path}/${child}`);
    },
    close: () => place.close(),
  };
}

/** What is behind an {@link OpenRoot}. */
export function heldOf(held: readonly Held[], root: OpenRoot): Held {
  const found = held[root.index];
  if (found === undefined) throw notFound(root.path);
  return found;
}

/** Which root a client's path begins in, and the rest of it. @throws SignalboxError `SBX_FS_REFUSED` */
export function choose(held: readonly Held[], path: string): { root: Held; below: string } {
  const first = held[0];
  if (first === undefined) throw outside(path, 'There is no root.');
  const named = held.find((root) => root.name !== undefined && (path === `${root.name}:` || path.startsWith(`${root.name}:`)));
  if (named !== undefined) return { root: named, below: path.slice((named.name?.length ?? 0) + 1).replace(/^\/+/, '') };
  const given = !isAbsolute(path) ? path : sep === '\\' ? path.replaceAll('/', '\\') : path.replace(/\/(?:\.?\/)+/g, '/');
  if (!isAbsolute(given)) return { root: first, below: sep === '\\' ? path.replaceAll('\\', '/') : path };
  let best: { root: Held; below: string; length: number } | undefined;
  for (const root of held) {
    // The way the root was given counts as well as where it really lies: `/home/me/project` may be a link.
    for (const base of [root.path, root.given]) {
      if (!isBeneath(base, given) || base.length <= (best?.length ?? -1)) continue;
      best = {
        root,
        below: given
          .slice(base.length + 1)
          .split(sep)
          .join('/'),
        length: base.length,
      };
    }
  }
  if (best === undefined) throw outside(path, 'It is an absolute path that begins with no root.');
  return best;
}

/** The absolute path of something below a root. */
export function absoluteOf(root: OpenRoot, path: string): string {
  return path === '' ? root.path : `${root.path}${sep}${path.split('/').join(sep)}`;
}

/** The folders on the way to a limit are seen, and nothing else in them. */
export function inLimits(limits: readonly string[] | undefined, path: string, folder: boolean): boolean {
  return limits === undefined || limits.some((limit) => isBeneath(limit, path) || (folder && isBeneath(path, limit)));
}

/** Whether an absolute path is another or lies beneath it. */
export function isBeneath(base: string, path: string): boolean {
  return path === base || path.startsWith(base.endsWith(sep) ? base : base + sep);
}
