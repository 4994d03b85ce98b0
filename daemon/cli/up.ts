/** `signalbox up`: starts the daemon, in the background or here. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Paths } from '../api/paths.ts';
import { locate } from '../lifecycle/locate.ts';
import { positionals, usageError } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { isTooOld, openControl, startedDaemon } from './connection.ts';
import { endpointsText, statusText } from './status.ts';
import { stopDaemon } from './stop.ts';
import { existingFolder, untrustedNote } from './target.ts';

/** `signalbox up`. */
export const upCommand: Command = {
  name: 'up',
  summary: 'Start the daemon and print its endpoints',
  usage: ['signalbox up [--workspace DIR] [--config F]', 'signalbox up --foreground'],
  options: {
    foreground: { type: 'boolean', short: 'f', summary: 'run it here until Ctrl-C instead of in the background' },
    config: { type: 'string', value: 'F', summary: "a configuration file instead of the user's own" },
    workspace: { type: 'string', short: 'w', value: 'DIR', summary: 'also open this workspace folder' },
  },
  async run(context) {
    positionals('up', context.args, []);
    const folder = context.flags.text('workspace');
    const workspace = folder === undefined ? undefined : existingFolder(context.cwd, folder);
    return context.flags.on('foreground') ? foreground(context, workspace) : background(context, workspace);
  },
};

/** `--config F` as an absolute path. Throws SBX_USAGE when there is no such file. */
function configOf({ flags, cwd }: CommandContext): string | undefined {
  const given = flags.text('config');
  if (given === undefined) return undefined;
  const file = resolve(cwd, given);
  if (!existsSync(file)) throw usageError(`There is no configuration file ${file}.`, 'It was named by --config.', 'Give an existing file.');
  return file;
}

async function background(context: CommandContext, workspace: string | undefined): Promise<number> {
  const config = configOf(context);
  await replaceTooOld(context);
  const { runtime, started } = await startedDaemon(context.paths, config);
  const client = await openControl(runtime);
  try {
    const opened = workspace === undefined ? undefined : await client.call('workspace/open', { folder: workspace });
    const status = await client.call('status', {});
    if (!started && config !== undefined && status.configFile !== config)
      context.note(`The running daemon uses ${status.configFile}; run \`signalbox stop\` first to change that.`);
    if (opened?.trust === 'untrusted' || opened?.trust === 'changed') context.note(untrustedNote(opened.folder));
    context.result({ ...status, started }, () =>
      [`The daemon ${started ? 'was started' : 'already runs'} (pid ${status.pid}).`, endpointsText(status)].join('\n\n'),
    );
    return 0;
  } finally {
    client.close();
  }
}

/** A daemon of an older version that this build cannot talk to ends, as with `signalbox restart`; what it ran goes on with the new one. */
async function replaceTooOld(context: CommandContext): Promise<void> {
  const location = await locate(context.paths);
  if (location.state !== 'running' || !isTooOld(location.runtime)) return;
  context.note(`The daemon that runs (${location.runtime.version}) is too old for this version and is replaced.`);
  await stopDaemon(context.paths);
}

async function foreground(context: CommandContext, workspace: string | undefined): Promise<number> {
  const config = configOf(context);
  const paths: Paths = config === undefined ? context.paths : { ...context.paths, configFile: config, configDir: dirname(config) };
  // only here: the other commands start faster without the daemon's code
  const { startDaemon } = await import('../main.ts');
  const daemon = await startDaemon({ paths });
  if (daemon === undefined) {
    // the loser of an election: whoever started it attaches to the winner
    context.note('Another process is the daemon already; `signalbox status` shows it.');
    return 0;
  }
  context.signal.addEventListener('abort', () => void daemon.stop(`${String(context.signal.reason)} received`));
  if (context.signal.aborted) void daemon.stop('interrupted');
  else if (workspace !== undefined) {
    const client = await context.connect();
    await client.call('workspace/open', { folder: workspace });
  }
  context.result(daemon.status(), () => `${statusText(daemon.status())}\n\nCtrl-C stops it.`);
  await daemon.stopped;
  return 0;
}
