/** Which endpoint a command is about. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { EndpointRef } from '../api/control.ts';
import type { ControlClient } from '../api/control-client.ts';
import { SignalboxError } from '../api/errors.ts';
import type { CommandContext, Option } from './command.ts';

type Target = Pick<CommandContext, 'flags' | 'cwd' | 'note'>;

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

/** `--workspace` of a command that is about the user's own configuration unless told. */
export const WORKSPACE_OPTION: Option = {
  type: 'string',
  short: 'w',
  value: 'DIR',
  summary: "of this workspace folder, not the user's own",
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

/**
 * The workspace named by `--workspace`, opened in the daemon, as a part of request params; nothing when it is not given.
 * @throws SBX_USAGE when there is no such folder
 */
export async function workspaceRef(context: Target, client: ControlClient): Promise<{ workspace?: string }> {
  const given = context.flags.text('workspace');
  return given === undefined ? {} : opened(context, client, existingFolder(context.cwd, given));
}

/**
 * The endpoint a command talks to. Without `--workspace` it is one of the nearest workspace from the working directory up that has
 * a workspace file, else one of the user's own.
 */
export async function endpointRef(context: Target, client: ControlClient): Promise<EndpointRef> {
  const endpoint = context.flags.text('endpoint');
  const given = context.flags.text('workspace');
  const folder = given === undefined ? nearestWorkspace(context.cwd) : existingFolder(context.cwd, given);
  const workspace = folder === undefined ? {} : await opened(context, client, folder);
  return { ...(endpoint === undefined ? {} : { endpoint }), ...workspace };
}

async function opened({ note }: Target, client: ControlClient, folder: string): Promise<{ workspace: string }> {
  const { trust } = await client.call('workspace/open', { folder });
  if (trust === 'untrusted' || trust === 'changed') note(untrustedNote(folder));
  return { workspace: folder };
}

/** Says that a workspace file does nothing, and what to do. */
export function untrustedNote(folder: string): string {
  return `The workspace file of ${folder} is not trusted and does nothing: \`signalbox trust ${folder}\` shows it and asks.`;
}

function nearestWorkspace(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.signalbox', 'config.jsonc'))) return realpathSync(folder);
    if (dirname(folder) === folder) return undefined;
  }
}
