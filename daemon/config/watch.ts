import { dirname } from 'node:path';
import { watch } from 'chokidar';

/** Milliseconds of quiet after a change before the file is read: editors write in several steps. */
const QUIET = 60;

/** A file being watched. */
export interface FileWatch {
  close(): Promise<void>;
}

/**
 * Calls `changed` after the file was written, replaced, removed or first made, in a folder that may itself come later. Ready when it resolves.
 *
 * @param top folder that is there; the file is at most two levels below it
 * @param failed gets what the watcher cannot do (too many watches); the file is then read only at the next opening
 */
export async function watchFile(top: string, file: string, changed: () => void, failed: (error: unknown) => void): Promise<FileWatch> {
  const wanted = new Set([top, dirname(file), file]);
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(top, { ignored: (path) => !wanted.has(path), ignoreInitial: true, depth: 2, persistent: true });
  watcher.on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(changed, QUIET);
  });
  watcher.on('error', failed);
  await new Promise<void>((resolve) => {
    watcher.once('ready', () => resolve());
    watcher.once('error', () => resolve());
  });
  return {
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}
