/**
 * The Linux walk (design/guards.md): every component is opened with O_PATH|O_NOFOLLOW below the descriptor of its folder, links are read and
 * walked again beneath the root, `..` pops a stack of descriptors. No name is ever resolved twice, so there is nothing to race.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import {
  type Forbidden,
  LeadsElsewhere,
  type LocateOptions,
  MAX_DEPTH,
  MAX_LINKS,
  notFound,
  outside,
  type Place,
  printable,
  type Root,
  refused,
  systemCode,
} from './beneath.ts';

/** Not in `fs.constants`; the same value on every Linux architecture Node runs on. */
const O_PATH = 0o10000000;
const pinned = (fd: number): string => `/proc/self/fd/${fd}`;

interface Step {
  readonly fd: number;
  readonly name: string;
}

/**
 * Pins a folder as a root.
 * @param path its real path, found by the caller
 * @param pin a descriptor of this process that has pinned it already (another thread's): then `path` is not looked up
 */
export function pinLinuxRoot(path: string, forbidden: readonly Forbidden[], pin?: number): Root {
  const flags = O_PATH | constants.O_DIRECTORY;
  const rootFd = pin === undefined ? openSync(path, flags | constants.O_NOFOLLOW) : openSync(pinned(pin), flags);
  return {
    path,
    pin: rootFd,
    locate: (wanted, options = {}) => walk({ rootFd, rootPath: path, forbidden }, wanted, options),
    close: () => closeSync(rootFd),
  };
}

interface Walk {
  readonly rootFd: number;
  /** Path of `rootFd` below the real root, '' or ending in a slash; set when a place walks on to its children. */
  readonly prefix?: string;
  readonly rootPath: string;
  readonly forbidden: readonly Forbidden[];
}

function walk(root: Walk, wanted: string, { mayMiss = false, keepLink = false }: LocateOptions): Place {
  const stack: Step[] = [];
  const pending = wanted.split('/').reverse();
  let links = 0;
  const top = (): number => stack.at(-1)?.fd ?? root.rootFd;
  const pop = (): void => {
    const step = stack.pop();
    if (step === undefined) throw outside(wanted, 'The path leads above its root.');
    closeSync(step.fd);
  };
  try {
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        pop();
        continue;
      }
      const fd = openChild(top(), name);
      if (fd === undefined) {
        assertStands(root);
        const rest = pending.some((part) => part !== '' && part !== '.');
        if (mayMiss && !rest) return place(root, stack, { name });
        throw notFound(wanted);
      }
      const stat = fstatSync(fd);
      const more = pending.some((part) => part !== '' && part !== '.');
      if (stat.isSymbolicLink() && !(keepLink && !more)) {
        closeSync(fd);
        if (++links > MAX_LINKS) throw outside(wanted, `It goes through more than ${MAX_LINKS} links.`);
        // Whatever is read here, even if it was just swapped, is only walked beneath the root.
        const target = readlinkSync(`${pinned(top())}/${name}`);
        if (target.startsWith('/')) {
          const below =
            root.rootPath === target ? '' : target.startsWith(`${root.rootPath}/`) ? target.slice(root.rootPath.length + 1) : undefined;
          if (below === undefined) throw new LeadsElsewhere([target, ...pending.toReversed()].join('/'));
          while (stack.length > 0) pop();
          pending.push(...below.split('/').reverse());
        } else pending.push(...target.split('/').reverse());
        continue;
      }
      stack.push({ fd, name });
      if (stack.length > MAX_DEPTH) throw outside(wanted, `It goes down more than ${MAX_DEPTH} folders.`);
      if (isForbidden(stat, root.forbidden)) throw outside(wanted, 'It is the folder where Signalbox keeps its state.');
      if (!stat.isDirectory() && pending.length > 0) throw notFound(wanted);
    }
    if (stack.length === 0) assertStands(root);
    return place(root, stack, undefined);
  } catch (thrown) {
    for (const step of stack) closeSync(step.fd);
    const code = systemCode(thrown) ?? '';
    if (['EACCES', 'EPERM'].includes(code))
      throw refused(wanted, `This user may not go there (${code}).`, 'Choose another path, or ask the person.');
    if (['ENAMETOOLONG', 'ELOOP', 'EINVAL'].includes(code)) throw outside(wanted, `The system refuses it (${code}).`);
    throw thrown;
  }
}

/** A root that was deleted is pinned still: everything in it would seem to be missing. */
function assertStands({ rootFd, rootPath }: Walk): void {
  if (fstatSync(rootFd).nlink > 0) return;
  throw new SignalboxError('SBX_FS_ROOT', `The root "${printable(rootPath)}" has been deleted.`, {
    why: 'A root is pinned when the server starts; another folder of the same name is not taken for it.',
    fix: 'Restart this server when the folder is there again.',
  });
}

function openChild(parent: number, name: string): number | undefined {
  try {
    return openSync(`${pinned(parent)}/${name}`, O_PATH | constants.O_NOFOLLOW);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw thrown;
  }
}

function isForbidden(stat: Stats, forbidden: readonly Forbidden[]): boolean {
  return stat.isDirectory() && forbidden.some((folder) => folder.dev === stat.dev && folder.ino === stat.ino);
}

/** Takes over the descriptors of `stack`. */
function place(root: Walk, stack: readonly Step[], missing: { readonly name: string } | undefined): Place {
  const last = stack.at(-1);
  const fd = last?.fd ?? root.rootFd;
  const parentFd = missing === undefined ? (stack.at(-2)?.fd ?? root.rootFd) : fd;
  const names = stack.map((step) => step.name);
  if (missing !== undefined) names.push(missing.name);
  const path = (root.prefix ?? '') + names.join('/');
  return {
    path,
    stat: missing === undefined ? fstatSync(fd) : undefined,
    ref: missing === undefined ? pinned(fd) : `${pinned(fd)}/${missing.name}`,
    parentRef: pinned(parentFd),
    name: missing?.name ?? last?.name ?? '',
    parentStillBeneath: () => {
      const now = readlinkSync(pinned(parentFd));
      const rootNow = readlinkSync(pinned(root.rootFd));
      return now === rootNow || now.startsWith(`${rootNow}/`);
    },
    child: (name) => {
      const childFd = openChild(fd, name);
      if (childFd === undefined) return undefined;
      if (isForbidden(fstatSync(childFd), root.forbidden)) {
        closeSync(childFd);
        return undefined;
      }
      // Its own descriptor only: the folders above belong to this place.
      return place({ ...root, rootFd: fd, prefix: path === '' ? '' : `${path}/` }, [{ fd: childFd, name }], undefined);
    },
    close: () => {
      for (const step of stack) closeSync(step.fd);
    },
  };
}
