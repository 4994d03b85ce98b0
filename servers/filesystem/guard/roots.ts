/** Which folders may be roots. */
import { realpathSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { parse, resolve, sep } from 'node:path';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { signalboxPaths } from '../../../daemon/api/paths.ts';
import type { Forbidden } from './beneath.ts';

/** Trees that are no files of anybody: kernel interfaces and devices. */
const SYSTEM = ['/proc', '/sys', '/dev', '/run', '/boot'];

/** The daemon's state folder: its real path and its identity, when it exists. */
export function stateFolder(): { readonly path: string; readonly identity: Forbidden } | undefined {
  const path = realOf(signalboxPaths({ platform: process.platform, home: homedir(), env: process.env }).stateDir);
  if (path === undefined) return undefined;
  const { dev, ino } = statSync(path);
  return { path, identity: { dev, ino } };
}

/**
 * The real path of a folder that may be a root.
 * @param path absolute
 * @param options.allowHome the person said that the home folder itself is meant
 * @throws SignalboxError `SBX_FS_ROOT`
 */
export function checkedRoot(
  path: string,
  options: { readonly allowHome: boolean; readonly stateDir: string | undefined },
): {
  readonly real: string;
  readonly isHome: boolean;
} {
  const real = realOf(resolve(path));
  const stat = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
  if (real === undefined || stat?.isDirectory() !== true) throw refusedRoot(path, 'It is not a folder, or it does not exist.');
  if (real === parse(real).root) throw refusedRoot(path, 'It is the whole file system.');
  if (
    process.platform !== 'win32' &&
    SYSTEM.some((folder) => real === folder || real.startsWith(`${folder}/`)) &&
    !real.startsWith('/dev/shm/') &&
    // Where disks are put in.
    !/^\/run\/media\/[^/]+\/[^/]+/.test(real)
  ) {
    throw refusedRoot(path, 'It belongs to the operating system: devices, processes, sockets.');
  }
  let isHome = false;
  for (const home of [homedir(), userInfo().homedir].map(realOf)) {
    if (home === undefined || home === parse(home).root) continue;
    if (home === real) {
      if (!options.allowHome)
        throw refusedRoot(
          path,
          'It is the home folder, which holds keys and passwords; "allowHome": true gives it without its hidden files.',
        );
      isHome = true;
    }
    if (home.startsWith(real + sep)) throw refusedRoot(path, 'The home folder lies in it, which holds keys and passwords.');
  }
  const { stateDir } = options;
  if (stateDir !== undefined && (real === stateDir || real.startsWith(stateDir + sep))) {
    throw refusedRoot(path, 'It is the folder where Signalbox keeps its tokens and secrets.');
  }
  return { real, isHome };
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
