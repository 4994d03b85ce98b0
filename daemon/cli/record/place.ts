/** What people call a recording: an id, a name, a file; and where a workspace keeps the exported ones. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CommandContext } from '../command.ts';

/** Folder of exported recordings in a workspace. */
const SHARED = join('.signalbox', 'recordings');

/**
 * What the daemon is asked for: the absolute path of a file that is there (as given, or `.signalbox/recordings/NAME.jsonl` of the workspace), or
 * else the word itself, an id or a name.
 */
export function recordingRef(context: Pick<CommandContext, 'cwd'>, given: string): string {
  const folder = sharedFolder(context);
  return [resolve(context.cwd, given), join(folder, given), join(folder, `${given}.jsonl`)].find((path) => existsSync(path)) ?? given;
}

/** The workspace's folder of exported recordings: the nearest folder above that has a `.signalbox`, else the working directory. */
export function sharedFolder({ cwd }: Pick<CommandContext, 'cwd'>): string {
  return join(workspaceFolder({ cwd }), SHARED);
}

/** The workspace a command is about. */
export function workspaceFolder({ cwd }: Pick<CommandContext, 'cwd'>): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.signalbox'))) return folder;
    if (dirname(folder) === folder) return cwd;
  }
}
