/** The launcher wired into clients: a fixed path that always runs code that is still there (ARCHITECTURE section 2). */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Paths } from '../api/paths.ts';
import type { Installation } from './installation.ts';
import { type LauncherTarget, launcherScript, parseLauncherMark } from './launcher-script.ts';
import { ensurePrivateDir, writePrivateFile } from './private-file.ts';

/** What `installLauncher` works with; the running process unless told. */
export interface InstallOptions {
  readonly paths: Paths;
  readonly installation: Installation;
  /** Absolute path of a Node (or an Electron) that is new enough. */
  readonly node?: string;
  readonly electron?: boolean;
  readonly platform?: NodeJS.Platform;
}
/** What came of it. */
export interface InstalledLauncher {
  /** Absolute path to wire. */
  readonly launcher: string;
  /** The command line the launcher runs. */
  readonly cliEntry: string;
  /** Whether anything was written. */
  readonly changed: boolean;
}

const STALE_COPY_MS = 3_600_000;

/**
 * Writes `<state>/bin/signalbox`. When the running code is a packaged `dist`, it is first copied to `<state>/versions/<version>-<build>`,
 * because an extension's folder is deleted at every update; the copy before it is kept for what still runs it, older ones go.
 * An older version never replaces a newer one. Run it as often and as often at once as you like.
 */
export function installLauncher(options: InstallOptions): InstalledLauncher {
  const { paths, installation: from, node = process.execPath, platform = process.platform } = options;
  const electron = options.electron ?? process.versions['electron'] !== undefined;
  const versions = join(paths.stateDir, 'versions');
  ensurePrivateDir(paths.stateDir);
  const present = readText(paths.launcher);
  const mark = present === undefined ? undefined : parseLauncherMark(present);
  const keepNewer =
    from.kind === 'dist' &&
    mark !== undefined &&
    mark.build !== 'source' &&
    compareVersions(mark.version, from.version) > 0 &&
    existsSync(mark.entry);
  if (keepNewer) return { launcher: paths.launcher, cliEntry: mark.entry, changed: false };

  const root = from.kind === 'dist' ? copyVersion(from, versions) : from.root;
  const cliEntry = join(root, relative(from.root, from.cliEntry));
  const target: LauncherTarget = {
    node,
    electron,
    cliEntry,
    finder: from.kind === 'dist' ? join(root, 'signalbox.cjs') : undefined,
    version: from.version,
    build: from.build,
  };
  const script = launcherScript(target, platform);
  const changed = script !== present;
  if (changed) writePrivateFile(paths.launcher, script, 0o755);
  if (from.kind === 'dist') removeOldVersions(versions, root);
  return { launcher: paths.launcher, cliEntry, changed };
}

/** Copies `dist` beside the others and puts it in place in one step; returns the folder. */
function copyVersion(from: Installation, versions: string): string {
  if (dirname(from.root) === versions || from.root.startsWith(versions + sep)) return from.root; // this is a copy itself
  const target = join(versions, `${from.version}-${from.build}`.replace(/[^\w.+-]/g, '_'));
  if (existsSync(target)) return target; // it came here by rename: it is whole
  mkdirSync(versions, { recursive: true, mode: 0o700 });
  const temporary = join(versions, `.copy-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    cpSync(from.root, temporary, { recursive: true, dereference: true });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // else another process was faster, with the same build
  }
  return target;
}

/** Keeps the current copy and the newest other one; a copy somebody is still making is left alone. */
function removeOldVersions(versions: string, current: string): void {
  const others = readdirSync(versions)
    .map((name) => join(versions, name))
    .filter((folder) => folder !== current)
    .map((folder) => ({
      folder,
      copying: folder.startsWith(join(versions, '.copy-')),
      made: statSync(folder, { throwIfNoEntry: false })?.ctimeMs ?? 0,
    }));
  const whole = others.filter(({ copying }) => !copying).sort((a, b) => b.made - a.made);
  const abandoned = others.filter(({ copying, made }) => copying && Date.now() - made > STALE_COPY_MS);
  for (const { folder } of [...whole.slice(1), ...abandoned]) rmSync(folder, { recursive: true, force: true });
}

/** Negative, 0 or positive as `a` is older, equal or newer; a pre-release is older than its release. */
export function compareVersions(a: string, b: string): number {
  const split = (version: string): [number[], string] => {
    const [core = '', ...pre] = (version.split('+')[0] ?? '').split('-');
    return [core.split('.').map(Number), pre.join('-')];
  };
  const [[coreA, preA], [coreB, preB]] = [split(a), split(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (coreA[i] ?? 0) - (coreB[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (preA === preB) return 0;
  if (preA === '') return 1;
  if (preB === '') return -1;
  return preA.localeCompare(preB, 'en', { numeric: true });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
