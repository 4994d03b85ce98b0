/** Watches the files a server is made of (`watch` in its entry). */
import { isAbsolute, join, matchesGlob, relative, resolve, sep } from 'node:path';
import { watch } from 'chokidar';

/** What watching needs. */
export interface SourceWatchOptions {
  /** Globs, relative to `cwd` or absolute; a plain path stands for itself and everything below it. */
  readonly globs: readonly string[];
  readonly cwd: string;
  /** Called after a change, when nothing has changed for a moment. */
  readonly onChange: () => void;
  /** Called when the system refuses to watch (too many watches). */
  readonly onFault: (error: unknown) => void;
}

/** Milliseconds of quiet after a change: a build writes many files. */
const QUIET_MS = 200;
/** Milliseconds after the first change at the latest: something may never be quiet. */
const LATEST_MS = 2000;
const GLOB = /[*?[\]{}()!]/;
/** Never a reason to restart, and too large to watch. */
const SKIPPED = /(?:^|[\\/])(?:node_modules|\.git)(?:[\\/]|$)/;

/** Sources being watched. */
export interface SourceWatch {
  /** Resolves when changes from now on are seen. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Watches until it is closed. */
export function watchSources({ globs, cwd, onChange, onFault }: SourceWatchOptions): SourceWatch {
  const wanted = globs.map((glob) => (isAbsolute(glob) ? glob : join(cwd, glob)));
  const matches = (path: string): boolean =>
    wanted.some((glob) => (GLOB.test(relative(cwd, glob)) ? matchesGlob(path, glob) : path === glob || path.startsWith(glob + sep)));
  let timer: NodeJS.Timeout | undefined;
  let since: number | undefined;
  const changed = (): void => {
    since = undefined;
    onChange();
  };
  // chokidar 4 and later know no globs: the folders before the first wildcard are watched and the rest matched here.
  const watcher = watch([...new Set(wanted.map(baseOf))], { ignoreInitial: true, ignored: (path) => SKIPPED.test(relative(cwd, path)) });
  watcher.on('all', (_event, path) => {
    if (!matches(resolve(cwd, path))) return;
    since ??= Date.now();
    clearTimeout(timer);
    timer = setTimeout(changed, Math.min(QUIET_MS, Math.max(0, since + LATEST_MS - Date.now()))).unref();
  });
  watcher.on('error', onFault);
  const ready = new Promise<void>((resolve) => {
    watcher.once('ready', () => resolve());
    watcher.once('error', () => resolve());
  });
  return {
    ready,
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}

/** The path before the first wildcard. */
export function baseOf(glob: string): string {
  const parts = glob.split(/[\\/]/);
  const wild = parts.findIndex((part) => GLOB.test(part));
  return wild === -1 ? glob : parts.slice(0, wild).join(sep) || sep;
}
