/** `signalbox connect`: the stdio bridge that is wired into clients. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignalboxError } from '../api/errors.ts';
import { type Paths, signalboxPaths } from '../api/paths.ts';
import { positionals } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { openControl, startedDaemon } from './connection.ts';
import { existingFolder, untrustedNote } from './target.ts';

/** `signalbox connect`. */
export const connectCommand: Command = {
  name: 'connect',
  summary: 'Speak MCP over stdio: what clients run to reach the daemon',
  usage: ['signalbox connect [ENDPOINT] [--client NAME] [--workspace DIR] [--direct]'],
  options: {
    client: { type: 'string', value: 'NAME', summary: 'whose credential to use' },
    workspace: {
      type: 'string',
      short: 'w',
      value: 'DIR',
      summary: 'the workspace folder; unless told, CLAUDE_PROJECT_DIR or the working directory',
    },
    direct: { type: 'boolean', summary: 'serve here, without the background daemon' },
  },
  details: ['It starts the daemon if none runs and survives its restart. Standard output carries the protocol and nothing else.'],
  async run(context) {
    const [endpoint] = positionals('connect', context.args, ['an endpoint?']);
    return context.flags.on('direct') ? direct(context, endpoint) : bridge(context, context.paths, endpoint);
  },
};

async function bridge(context: CommandContext, paths: Paths, endpoint: string | undefined): Promise<number> {
  const { runBridge } = await import('../bridge.ts');
  const folder = existingFolder(context.cwd, context.flags.text('workspace') ?? context.env['CLAUDE_PROJECT_DIR'] ?? context.cwd);
  const client = context.flags.text('client') ?? 'bridge';
  const named = endpoint === undefined ? { client } : { client, endpoint };
  return runBridge({ input: context.stdin, output: context.stdout, target: () => bridgeTarget(context, paths, named, folder) });
}

/**
 * Finds the endpoint anew, as often as the bridge has lost it: the workspace's, or the user's own of the same name when the
 * workspace has none. Starts the daemon if none runs.
 */
async function bridgeTarget(
  context: CommandContext,
  paths: Paths,
  named: { client: string; endpoint?: string },
  folder: string,
): Promise<{ url: string; token: string }> {
  const control = await openControl((await startedDaemon(paths)).runtime);
  try {
    const { trust } = await control.call('workspace/open', { folder });
    if (trust === 'untrusted' || trust === 'changed') context.note(untrustedNote(folder));
    return await control.call('clients/token', { ...named, workspace: folder }).catch((error: unknown) => {
      if (error instanceof SignalboxError && error.code === 'SBX_ENDPOINT_UNKNOWN') return control.call('clients/token', named);
      throw error;
    });
  } finally {
    control.close();
  }
}

/** A daemon of its own in this process, on a state folder that goes away with it; trust and secrets stay the user's. */
async function direct(context: CommandContext, endpoint: string | undefined): Promise<number> {
  const stateDir = await mkdtemp(join(tmpdir(), 'signalbox-direct-'));
  const { configDir, secretsFile, trustFile } = context.paths;
  const own = signalboxPaths({
    platform: process.platform,
    home: stateDir,
    env: { SIGNALBOX_STATE_DIR: stateDir, SIGNALBOX_CONFIG_DIR: configDir },
  });
  const paths: Paths = { ...own, secretsFile, trustFile };
  try {
    const { startDaemon } = await import('../main.ts');
    const daemon = await startDaemon({ paths });
    try {
      return await bridge(context, paths, endpoint);
    } finally {
      await daemon?.stop('the client of `connect --direct` ended');
      await daemon?.stopped;
    }
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}
