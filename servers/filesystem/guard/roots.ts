/** Which folders may be roots, and from a client's path to a place beneath one of them. */
import { realpathSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, parse, resolve, sep } from 'node:path';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { signalboxPaths } from '../../../daemon/api/paths.ts';
import { type Forbidden, outside, type Place, type Root } from './beneath.ts';
import type { DenyList } from './deny.ts';
import { pinLinuxRoot } from './linux.ts';
import { portableRoot } from './portable.ts';

/** Every root of the server, and the deny list, as one thing to ask. */
export interface Area {
  /** Real paths, for the descriptions of the tools. */
  readonly roots: readonly string[];
  /**
   * The place a client means: relative to the first root, or absolute beneath any.
   * @throws SignalboxError `SBX_FS_REFUSED`, `SBX_FS_NOT_FOUND`
   */
  locate(path: string, purpose: 'read' | 'write'): Place;
  /** Whether an entry beneath a located folder may be shown. */
  visible(path: string): boolean;
  close(): void;
}

/**
 * Pins the roots.
 * @param roots absolute paths
 * @throws SignalboxError `SBX_FS_ROOT` for one that is missing or too wide
 */
export function openArea(roots: readonly string[], deny: DenyList): Area {
  const stateDir = realOf(signalboxPaths({ platform: process.platform, home: homedir(), env: process.env }).stateDir);
  const forbidden: Forbidden[] = [];
  if (stateDir !== undefined) {
    const { dev, ino } = statSync(stateDir);
    forbidden.push({ dev, ino });
  }
  const opened: Root[] = [];
  for (const path of roots) {
    const real = checkedRoot(path, stateDir);
    opened.push(process.platform === 'linux' ? pinLinuxRoot(real, forbidden) : portableRoot(real, forbidden, process.platform));
  }
  const locate: Area['locate'] = (path, purpose) => {
    if (path.includes('\0') || !path.isWellFormed()) throw outside(path.replaceAll('\0', '\\0'), 'The path is not a valid file name.');
    const { root, below } = choose(opened, path);
    const place = root.locate(below, { mayMiss: purpose === 'write' });
    const denied = purpose === 'write' ? deny.write(place.path) : deny.read(place.path);
    if (denied !== undefined) {
      place.close();
      throw new SignalboxError('SBX_FS_REFUSED', `"${path}" may not be ${purpose === 'write' ? 'written' : 'read'}.`, {
        why: `It matches "${denied}" of the deny list, which protects secrets and whatever can start programs.`,
        fix: 'Ask the person to do this by hand.',
      });
    }
    return place;
  };
  return {
    roots: opened.map((root) => root.path),
    locate,
    visible: (path) => deny.read(path) === undefined,
    close: () => {
      for (const root of opened) root.close();
    },
  };
}

function choose(roots: readonly Root[], path: string): { root: Root; below: string } {
  const first = roots[0];
  if (first === undefined) throw outside(path, 'There is no root.');
  const given = sep === '\\' && isAbsolute(path) ? path.replaceAll('/', '\\') : path;
  if (!isAbsolute(given)) return { root: first, below: sep === '\\' ? path.replaceAll('\\', '/') : path };
  for (const root of roots) {
    if (given === root.path) return { root, below: '' };
    if (given.startsWith(root.path + sep))
      return {
        root,
        below: given
          .slice(root.path.length + 1)
          .split(sep)
          .join('/'),
      };
  }
  throw outside(path, 'It is an absolute path that begins with no root.');
}

function checkedRoot(path: string, stateDir: string | undefined): string {
  const real = realOf(resolve(path));
  const stat = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
  if (real === undefined || stat?.isDirectory() !== true) {
    throw refusedRoot(path, 'It is not a folder, or it does not exist.');
  }
  if (real === parse(real).root) throw refusedRoot(path, 'It is the whole file system.');
  for (const home of [homedir(), userInfo().homedir].map(realOf)) {
    if (home === undefined) continue;
    if (home === real) throw refusedRoot(path, 'It is the home folder, which holds keys and passwords.');
    if (home.startsWith(real + sep)) throw refusedRoot(path, 'The home folder lies in it, which holds keys and passwords.');
  }
  if (stateDir !== undefined && (real === stateDir || real.startsWith(stateDir + sep))) {
    throw refusedRoot(path, 'It is the folder where Signalbox keeps its tokens and secrets.');
  }
  return real;
}

function refusedRoot(path: string, why: string): SignalboxError {
  return new SignalboxError('SBX_FS_ROOT', `"${path}" cannot be a root.`, {
    why,
    fix: 'Name a project folder in "roots" of this server\'s settings, for example ["${workspaceFolder}"], or run with --root ./project.',
  });
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
