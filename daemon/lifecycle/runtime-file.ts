/** Where the running daemon says how it is reached: `<state>/runtime.json`, 0600 (ARCHITECTURE section 2). */
import { readFileSync, rmSync } from 'node:fs';
import type { Paths } from '../api/paths.ts';
import { parseRuntimeFile, type RuntimeFile } from '../api/runtime.ts';
import { writePrivateFile } from './private-file.ts';

/** Publishes the daemon; call it only when the listener answers and the ownership is held. */
export function writeRuntimeFile(paths: Pick<Paths, 'runtimeFile'>, runtime: RuntimeFile): void {
  writePrivateFile(paths.runtimeFile, `${JSON.stringify(runtime, null, 2)}\n`);
}

/** Reads what the last daemon published; `undefined` when there is none or the file is not a runtime file. Proves nothing: see `locate`. */
export function readRuntimeFile(paths: Pick<Paths, 'runtimeFile'>): RuntimeFile | undefined {
  try {
    return parseRuntimeFile(readFileSync(paths.runtimeFile, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Removes the runtime file if it still names this daemon: a leaving daemon must not delete what its successor wrote.
 * Call it before the ownership is released, so that no successor can write in between.
 *
 * @returns whether it was removed
 */
export function removeRuntimeFile(paths: Pick<Paths, 'runtimeFile'>, self: Pick<RuntimeFile, 'pid' | 'controlToken'>): boolean {
  const current = readRuntimeFile(paths);
  if (current?.pid !== self.pid || current.controlToken !== self.controlToken) return false;
  rmSync(paths.runtimeFile, { force: true });
  return true;
}
