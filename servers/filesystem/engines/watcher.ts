/** Changes beneath the roots, by chokidar. It looks things up by name, so every event is asked of the guard before anybody hears of it. */
import { dirname, relative, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Area, OpenRoot } from '../guard/area.ts';

/** One change. */
export interface Change {
  readonly type: 'created' | 'changed' | 'deleted';
  /** As the client may give it to a tool. */
  readonly path: string;
}

const EVENTS = { add: 'created', addDir: 'created', change: 'changed', unlink: 'deleted', unlinkDir: 'deleted' } as const;

/**
 * Watches a file or a folder.
 * @param path absolute, resolved
 * @param options.depth how many levels of folders; 0 the entries of the folder
 * @param heard is called for every change the client may know of
 */
export function watchPath(
  area: Area,
  root: OpenRoot,
  path: string,
  options: { readonly depth: number },
  heard: (change: Change) => void,
): { readonly ready: Promise<void>; close(): Promise<void> } {
  const below = (full: string): string => relative(root.path, full).split(sep).join('/');
  let listening = false;
  const watcher: FSWatcher = watch(path, {
    ignoreInitial: true,
    followSymlinks: false,
    depth: options.depth,
    // An editor that saves by writing another file and renaming it makes one change, not a deletion and a creation.
    atomic: true,
    ignorePermissionErrors: true,
    ignored: (full, stats) => full !== path && !area.visible(root, below(full), stats?.isFile() !== true),
  });
  watcher.on('all', (event, full) => {
    const type = EVENTS[event as keyof typeof EVENTS];
    // Links are told of even when they were there before.
    if (!listening || type === undefined || full === path || !isBeneath(area, root, type === 'deleted' ? dirname(full) : full, below))
      return;
    if (area.visible(root, below(full), false)) heard({ type, path: area.shown(root, below(full)) });
  });
  // A watcher that fails (no more watches) hears nothing: the person must know, the call goes on.
  watcher.on('error', (thrown) => process.stderr.write(`filesystem: watching failed: ${String(thrown)}\n`));
  const ready = new Promise<void>((done) =>
    watcher.once('ready', () => {
      listening = true;
      done();
    }),
  );
  return { ready, close: () => watcher.close() };
}

function isBeneath(area: Area, root: OpenRoot, full: string, below: (full: string) => string): boolean {
  try {
    area.rootOf(root).locate(below(full), { keepLink: true }).close();
    return true;
  } catch {
    // Led out meanwhile, or gone again: not ours to tell.
    return false;
  }
}
