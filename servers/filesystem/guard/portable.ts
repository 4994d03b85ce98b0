/**
 * macOS and Windows: resolve, check, open, and check again that what was opened is what was checked. A program that swaps folders at the
 * right moment can win this race; a model that only has these tools cannot. docs and README say so. Linux has the real thing (linux.ts).
 */
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type Forbidden, type LocateOptions, notFound, outside, type Place, type Root, systemCode } from './beneath.ts';

/** Names Windows gives a second meaning: alternate streams, devices, 8.3 names, trailing dots and blanks. */
const WINDOWS_NAME = /[:<>"|?*]|[. ]$|~[0-9]|^(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(?:\..*)?$/iu;

/** Makes a folder (its real path) a root. */
export function portableRoot(path: string, forbidden: readonly Forbidden[], platform: NodeJS.Platform): Root {
  return {
    path,
    pin: undefined,
    locate: (wanted, options = {}) => {
      const names = wanted.split('/').filter((name) => name !== '' && name !== '.');
      if (platform === 'win32') {
        const odd = names.find((name) => name !== '..' && (WINDOWS_NAME.test(name) || name.includes('\\')));
        if (odd !== undefined) throw outside(wanted, `"${odd}" is a name with a second meaning on Windows.`);
      }
      let depth = 0;
      for (const name of names) {
        depth += name === '..' ? -1 : 1;
        if (depth < 0) throw outside(wanted, 'The path leads above its root.');
      }
      return options.keepLink === true
        ? keepLink({ path, forbidden }, wanted, names, options)
        : locate({ path, forbidden }, wanted, names, options.mayMiss === true);
    },
    close: () => undefined,
  };
}

interface Area {
  readonly path: string;
  readonly forbidden: readonly Forbidden[];
}

function locate(root: Area, wanted: string, names: readonly string[], mayMiss: boolean): Place {
  let real: string;
  let stat: Stats | undefined;
  try {
    real = realpathSync.native(join(root.path, ...names));
    stat = lstatSync(real);
  } catch (thrown) {
    if (!mayMiss || systemCode(thrown) !== 'ENOENT')
      throw systemCode(thrown) === 'ENOENT' ? notFound(wanted) : outside(wanted, String(thrown));
    const last = names.at(-1);
    if (last === undefined || last === '..') throw notFound(wanted);
    const link = lstatSync(join(root.path, ...names), { throwIfNoEntry: false });
    if (link !== undefined) throw outside(wanted, 'It is a link that leads nowhere.');
    const parent = locate(root, wanted, names.slice(0, -1), false);
    return at(root, join(parent.ref, last), undefined);
  }
  if (!beneath(root.path, real)) throw outside(wanted, 'It leads out of the root.');
  for (let folder = real; folder !== root.path; folder = dirname(folder)) {
    const { dev, ino } = statSync(folder);
    if (root.forbidden.some((other) => other.dev === dev && other.ino === ino))
      throw outside(wanted, 'It is the folder where Signalbox keeps its state.');
  }
  return at(root, real, stat);
}

/** The entry itself, even when it is a link: its folder is resolved, its name is not. */
function keepLink(root: Area, wanted: string, names: readonly string[], options: LocateOptions): Place {
  const last = names.at(-1);
  if (last === undefined || last === '..') return locate(root, wanted, names, options.mayMiss === true);
  const parent = locate(root, wanted, names.slice(0, -1), false);
  const stat = lstatSync(join(parent.ref, last), { throwIfNoEntry: false });
  if (stat === undefined && options.mayMiss !== true) throw notFound(wanted);
  return at(root, join(parent.ref, last), stat);
}

function at(root: Area, real: string, stat: Stats | undefined): Place {
  const parentRef = real === root.path ? real : dirname(real);
  return {
    path: relative(root.path, real).split(sep).join('/'),
    stat,
    ref: real,
    parentRef,
    name: real === root.path ? '' : basename(real),
    parentStillBeneath: () => beneath(root.path, realpathSync.native(parentRef)),
    child: (name) => {
      const child = join(real, name);
      const childStat = lstatSync(child, { throwIfNoEntry: false });
      if (childStat === undefined || root.forbidden.some((other) => other.dev === childStat.dev && other.ino === childStat.ino))
        return undefined;
      return at(root, child, childStat);
    },
    close: () => undefined,
  };
}

function beneath(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}
