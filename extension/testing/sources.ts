/** Calls when a server's source or its configuration changes. */
import { basename, dirname } from 'node:path';
import type * as VSCode from 'vscode';
import type { ServerPlace } from './place.ts';

/** Files are often written several at once; they are one change. In milliseconds. */
const SETTLING_MS = 300;

/** Watches what the entry says (`watch`), else the folder of its script; always the configuration. */
export function watchSources(vscode: typeof VSCode, places: readonly ServerPlace[], onChange: () => void): VSCode.Disposable {
  let settling: ReturnType<typeof setTimeout> | undefined;
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(onChange, SETTLING_MS);
  };
  const patterns = new Map<string, VSCode.RelativePattern>();
  for (const { file, folder, watch, sources } of places) {
    const add = (base: string, pattern: string): unknown =>
      patterns.set(`${base}/${pattern}`, new vscode.RelativePattern(vscode.Uri.file(base), pattern));
    add(dirname(file), basename(file));
    for (const glob of watch) add(folder, glob);
    if (watch.length === 0) for (const source of sources) add(dirname(source), '**/*');
  }
  const watchers = [...patterns.values()].map((pattern) => vscode.workspace.createFileSystemWatcher(pattern));
  for (const watcher of watchers) {
    watcher.onDidChange(changed);
    watcher.onDidCreate(changed);
    watcher.onDidDelete(changed);
  }
  return vscode.Disposable.from(...watchers, { dispose: () => clearTimeout(settling) });
}
