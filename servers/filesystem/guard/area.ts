/** From a client's path to a place beneath a root: every root of the server, and what may be done in each, as one thing to ask. */
import { resolve, sep } from 'node:path';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { LeadsElsewhere, type LocateOptions, outside, type Place, printable, type Root, refused, systemRefusal } from './beneath.ts';
import { type HardLinkPolicy, inPackageFolder } from './hard-links.ts';
import {
  absoluteOf,
  choose,
  type Held,
  heldOf,
  hold,
  inLimits,
  isBeneath,
  type Opened,
  type OpenRoot,
  type RootSettings,
  renamed,
  rulingRoot,
} from './held.ts';
import { newNameProblem } from './names.ts';
import { checkedRoot, stateFolder } from './roots.ts';

export type { OpenRoot, RootSettings } from './held.ts';

/** What holds for all roots. */
export interface AreaSettings {
  readonly hardLinks?: HardLinkPolicy;
  /** `any` allows names that mean something on another system; default `portable`. */
  readonly newNames?: 'portable' | 'any';
}

/** What another thread needs to open the same area ({@link Area.handover}): plain data. */
export interface Handover {
  readonly settings: readonly RootSettings[];
  readonly options: AreaSettings;
  readonly opened: readonly Opened[];
  /** Resolved absolute paths of {@link Area.narrow}. */
  readonly limits?: readonly string[];
}
/** What a client's path led to. */
export interface Located {
  readonly place: Place;
  readonly root: OpenRoot;
  /** The path as the client may give it again: relative in the first root, absolute in others. */
  readonly shown: string;
}

/**
 * What the place is wanted for. `read`: must exist. `write`: content of a file, which may be new. `folder`: a folder, which may be new. `entry`: the entry itself, to be moved or
 * deleted; a link is not followed. `create`: a name that something is to be put at; links not followed.
 */
export type Purpose = 'read' | 'write' | 'folder' | 'entry' | 'create';

/** See {@link openArea}. */
export interface Area {
  readonly roots: readonly OpenRoot[];
  /** @throws SignalboxError `SBX_FS_REFUSED`, `SBX_FS_NOT_FOUND` */
  locate(path: string, purpose: Purpose): Located;
  /** Whether an entry may be shown and read; `path` below the root. */
  visible(root: OpenRoot, path: string, folder: boolean): boolean;
  /** Whether an entry may be changed; the pattern that forbids it, if not. */
  unwritable(root: OpenRoot, path: string, folder: boolean): string | undefined;
  /**
   * Whether an entry could be made at a path (below the root) whose folder is not there yet.
   * @param given the client's path, for the message
   * @throws SignalboxError `SBX_FS_REFUSED`
   */
  checkNew(root: OpenRoot, path: string, given: string): void;
  /** @throws SignalboxError when the file has names that are not proved to be allowed */
  checkLinks(located: Located): void;
  /** The path as the client may give it again. */
  shown(root: OpenRoot, path: string): string;
  /** The root itself, for what must not go through a client's path (the trash). */
  rootOf(root: OpenRoot): Root;
  /**
   * Limits everything to some folders, as a client's own roots do; never adds anything. Paths outside the roots are passed over.
   * @param paths absolute; undefined takes the limit away
   */
  narrow(paths: readonly string[] | undefined): void;
  /** For {@link openHandedOver}; valid as long as this area is open. */
  handover(): Handover;
  close(): void;
}

const MAX_PATH = 8192;
const MAX_HOPS = 8;

/**
 * Pins the roots.
 * @throws SignalboxError `SBX_FS_ROOT` for one that is missing or too wide
 * @throws RangeError for a glob that cannot be used
 */
export function openArea(settings: readonly RootSettings[], options: AreaSettings = {}): Area {
  const state = stateFolder();
  const opened = settings.map(({ path, allowHome = false }) => checkedRoot(path, { allowHome, stateDir: state?.path }));
  return openHandedOver({ settings, options, opened });
}

/** Opens the area of another thread again: its roots by their descriptors, not by their names. */
export function openHandedOver({ settings, options, opened, limits: given }: Handover): Area {
  let limits = given;
  const { hardLinks = 'proved', newNames = 'portable' } = options;
  const held: Held[] = [];
  try {
    for (const [index, root] of settings.entries()) held.push(hold(root, index, opened[index]));
  } catch (thrown) {
    for (const { root } of held) root.close();
    throw thrown;
  }
  const shown = (root: OpenRoot, path: string): string => {
    if (root.index === 0) return path === '' ? '.' : path;
    return path === '' ? root.path : `${root.path}${sep}${path.split('/').join(sep)}`;
  };
  const locate: Area['locate'] = (path, purpose) => {
    if (path.length > MAX_PATH) throw outside(path, `The path is longer than ${MAX_PATH} characters.`);
    if (path.includes('\0') || !path.isWellFormed()) throw outside(path, 'The path is not a valid file name.');
    let { root, below } = choose(held, path);
    const options: LocateOptions = {
      mayMiss: purpose === 'write' || purpose === 'folder' || purpose === 'create',
      keepLink: purpose === 'entry' || purpose === 'create',
    };
    let place: Place | undefined;
    for (let hops = 0; place === undefined; hops++) {
      try {
        place = root.root.locate(below, options);
      } catch (thrown) {
        if (!(thrown instanceof LeadsElsewhere)) throw systemRefusal(path, thrown);
        const next = hops < MAX_HOPS ? leadsTo(held, thrown.path) : undefined;
        if (next === undefined) throw outside(path, 'It goes through a link that leads out of the root.');
        ({ root, below } = next);
      }
    }
    try {
      const ruling = rulingRoot(held, root, place.path);
      check(ruling, place, path, purpose);
      if (!inLimits(limits, absoluteOf(root, place.path), purpose === 'read' && place.stat?.isDirectory() === true))
        throw outside(path, 'It lies outside the folders the client works in ("clientRoots": "narrow").');
      if (place.stat === undefined && newNames === 'portable')
        checkNewName(path, place.name, below.split('/').filter((n) => n !== '' && n !== '.').length === 1);
      const located = {
        place: ruling.root === root ? place : renamed(place, ruling.path),
        root: ruling.root,
        shown: shown(root, place.path),
      };
      return located;
    } catch (thrown) {
      place.close();
      throw thrown;
    }
  };
  return {
    roots: held,
    locate,
    visible: (root, path, folder) => {
      const [only] = held;
      if (limits === undefined && held.length === 1 && only !== undefined) return only.deny.read(path, folder) === undefined;
      if (!inLimits(limits, absoluteOf(root, path), folder)) return false;
      const ruling = rulingRoot(held, heldOf(held, root), path);
      return ruling.root.deny.read(ruling.path, folder) === undefined;
    },
    unwritable: (root, path, folder) => {
      const ruling = rulingRoot(held, heldOf(held, root), path);
      return ruling.root.access === 'write' ? ruling.root.deny.write(ruling.path, folder) : 'access: read';
    },
    checkNew: (root, path, given) => {
      if (newNames === 'portable') checkNewName(given, path.slice(path.lastIndexOf('/') + 1), !path.includes('/'));
      check(rulingRoot(held, heldOf(held, root), path), undefined, given, 'folder');
    },
    checkLinks: ({ place, root, shown: path }) => {
      if (hardLinks === 'allow' || place.stat?.isFile() !== true || place.stat.nlink < 2) return;
      if (hardLinks === 'proved' && (inPackageFolder(place.path) || heldOf(held, root).links.proved(place))) return;
      throw refused(
        path,
        `It is a hard link: the file has ${place.stat.nlink} names, and not all of them lie beneath this root where they may be read.`,
        'Ask the person to copy the file, or to set "hardLinks": "allow" when they trust every link.',
      );
    },
    shown,
    rootOf: (root) => heldOf(held, root).root,
    narrow: (paths) => {
      limits = undefined;
      if (paths === undefined) return;
      const found: string[] = [];
      for (const path of paths) {
        try {
          const { place, root } = locate(path, 'read');
          place.close();
          found.push(absoluteOf(root, place.path));
        } catch (thrown) {
          // A folder of the client that is none of ours: it is not added.
          if (!(thrown instanceof SignalboxError)) throw thrown;
          // A root of ours that lies in a folder of the client is allowed as a whole.
          found.push(...held.filter((root) => isBeneath(resolve(path), root.path)).map((root) => root.path));
        }
      }
      limits = found;
    },
    handover: () => ({
      ...(limits === undefined ? {} : { limits }),
      settings,
      options,
      opened: held.map(({ path, isHome, root }) => ({ real: path, isHome, ...(root.pin === undefined ? {} : { pin: root.pin }) })),
    }),
    close: () => {
      for (const { root } of held) root.close();
    },
  };
}

/** Which root an absolute link leads to: by where the root lies, or by the way it was given (`/home/me/project` may be a link). */
function leadsTo(held: readonly Held[], path: string): { root: Held; below: string } | undefined {
  for (const root of held)
    for (const base of [root.path, root.given]) if (isBeneath(base, path)) return { root, below: path.slice(base.length + 1) };
  return undefined;
}

function check(ruling: { readonly root: Held; readonly path: string }, place: Place | undefined, path: string, purpose: Purpose): void {
  const { root } = ruling;
  const folder = place?.stat?.isDirectory() === true || (purpose === 'folder' && place?.stat === undefined);
  if (purpose !== 'read' && root.access !== 'write') {
    throw new SignalboxError('SBX_FS_READ_ONLY', `"${printable(path)}" may only be read.`, {
      why: `The root ${root.path} was given with access "read".`,
      fix: 'Ask the person to set "access": "write" for this root, if they want that.',
    });
  }
  const denied = purpose === 'read' ? root.deny.read(ruling.path, folder) : root.deny.write(ruling.path, folder);
  if (denied !== undefined) {
    const why =
      denied === 'only'
        ? 'It matches none of the globs in "only".'
        : `It matches "${denied}" of the deny list, which protects secrets and whatever can start programs.`;
    throw refused(path, why, 'Ask the person to do this by hand, or to change "deny", "allow" or "only" in the settings.');
  }
  if (ruling.path === '' && purpose !== 'read') throw refused(path, 'It is the root itself.', 'Name something beneath it.');
}

function checkNewName(path: string, name: string, first: boolean): void {
  const problem = newNameProblem(name, first);
  if (problem !== undefined) throw refused(path, problem, 'Choose a plain name, or ask the person to set "newNames": "any".');
}
