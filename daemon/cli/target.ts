/** Which endpoint a command is about. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { EndpointRef } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';
import type { CommandContext, Option } from './command.ts';

/** Flags of a command that talks to an endpoint. */
export const TARGET_OPTIONS: Readonly<Record<'endpoint' | 'workspace', Option>> = {
  endpoint: { type: 'string', short: 'e', value: 'NAME', summary: 'the endpoint; `default` unless told' },
  workspace: {
    type: 'string',
    short: 'w',
    value: 'DIR',
    summary: 'the workspace folder; unless told, the nearest folder above that has .signalbox/config.jsonc',
  },
};

/**
 * The real path of an existing folder.
 * @throws SBX_USAGE when it is none
 */
export function existingFolder(cwd: string, given: string): string {
  const folder = resolve(cwd, given);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new SignalboxError('SBX_USAGE', `There is no folder ${folder}.`, {
      why: 'It does not exist or is a file.',
      fix: 'Give an existing folder.',
    });
  return realpathSync(folder);
}

/** The workspace a command is about: `--workspace`, else the nearest folder from the working directory up with a workspace file. */
export function workspaceOf({ flags, cwd }: Pick<CommandContext, 'flags' | 'cwd'>): string | undefined {
  const given = flags.text('workspace');
  if (given !== undefined) return existingFolder(cwd, given);
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.signalbox', 'config.jsonc'))) return realpathSync(folder);
    if (dirname(folder) === folder) return undefined;
  }
}

/** The workspace as a part of request params. */
export function workspaceRef(context: Pick<CommandContext, 'flags' | 'cwd'>): { workspace?: string } {
  const workspace = workspaceOf(context);
  return workspace === undefined ? {} : { workspace };
}

/** The endpoint as a part of request params. */
export function endpointRef(context: Pick<CommandContext, 'flags' | 'cwd'>): EndpointRef {
  const endpoint = context.flags.text('endpoint');
  return { ...(endpoint === undefined ? {} : { endpoint }), ...workspaceRef(context) };
}
