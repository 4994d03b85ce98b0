/** `signalbox demo`: what `npm start` runs; the three bundled servers on a folder, in the foreground. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DaemonStatus } from '../api/control.ts';
import { type Paths, signalboxPaths } from '../api/paths.ts';
import { shellLine } from '../wiring/claude-command.ts';
import { positionals } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { openControl, runningDaemon } from './connection.ts';
import { createDemo, demoConfig } from './demo/demo.ts';
import { existingFolder } from './target.ts';
import { toolsText } from './tools.ts';

/** `signalbox demo`. */
export const demoCommand: Command = {
  name: 'demo',
  summary: 'Try it: the bundled servers on a demo workspace or a folder of yours',
  usage: ['signalbox demo', 'signalbox demo --workspace DIR'],
  options: {
    workspace: { type: 'string', short: 'w', value: 'DIR', summary: 'a folder of yours, with your own configuration, instead of the demo' },
  },
  details: ['The demo runs on a state and a configuration of its own, beside your daemon and without touching it. Ctrl-C ends it.'],
  async run(context) {
    positionals('demo', context.args, []);
    const given = context.flags.text('workspace');
    if (given !== undefined) return serve(context, context.paths, existingFolder(context.cwd, given));
    // beside the state folder, not in it: the filesystem server never serves the folder of the tokens
    const root = `${context.paths.stateDir}-demo`;
    const paths = signalboxPaths({
      platform: process.platform,
      home: root,
      env: { SIGNALBOX_STATE_DIR: join(root, 'state'), SIGNALBOX_CONFIG_DIR: join(root, 'config') },
    });
    await mkdir(root, { recursive: true, mode: 0o700 });
    const demo = await createDemo(root);
    try {
      await mkdir(paths.configDir, { recursive: true, mode: 0o700 });
      await writeFile(paths.configFile, `${JSON.stringify(demoConfig(demo), null, 2)}\n`, { mode: 0o600 });
      return await serve(context, paths, undefined);
    } finally {
      await demo.close();
    }
  },
};

/** Milliseconds the servers are given to start before what there is is shown. */
const SETTLE_MS = 20_000;

async function serve(context: CommandContext, paths: Paths, workspace: string | undefined): Promise<number> {
  const { startDaemon } = await import('../main.ts');
  const daemon = await startDaemon({ paths });
  if (daemon === undefined) {
    context.note('A daemon runs there already.');
    await introduce(context, paths, workspace);
    return 0;
  }
  context.signal.addEventListener('abort', () => void daemon.stop(`${String(context.signal.reason)} received`));
  if (context.signal.aborted) await daemon.stop('interrupted');
  else await introduce(context, paths, workspace);
  await daemon.stopped;
  context.note('Stopped.');
  return 0;
}

/** Says what runs, what it can do, and what to type next. */
async function introduce(context: CommandContext, paths: Paths, workspace: string | undefined): Promise<void> {
  const client = await openControl(await runningDaemon(paths));
  try {
    const place = workspace === undefined ? {} : { workspace };
    if (workspace !== undefined) await client.call('workspace/open', { folder: workspace });
    const endpoint = await client.call('endpoint/describe', place);
    // Lists do not wait long for a server that was never met; here somebody wants to see all of them.
    await client.call('tools/list', place);
    let status = await client.call('status', {});
    for (const end = Date.now() + SETTLE_MS; Date.now() < end && !context.signal.aborted; status = await client.call('status', {})) {
      if (!status.servers.some(({ name, state }) => state === 'starting' && endpoint.servers.includes(name))) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const tools = await client.call('tools/list', place);
    const wire = wireLine(paths, workspace);
    context.result({ endpoint, tools: tools.tools, errors: tools.errors, wire, status }, () =>
      [
        headlineOf(status, workspace),
        `Endpoint  ${endpoint.url}\nServers   ${endpoint.servers.join(', ')}`,
        `Tools\n${indented(toolsText(tools, (context.stdout.columns ?? 120) - 2))}`,
        `Give them to Claude Code (it shows what it changes first with --preview):\n  ${wire}`,
        'Ctrl-C stops it.',
      ].join('\n\n'),
    );
  } finally {
    client.close();
  }
}

function headlineOf({ version, configFile }: DaemonStatus, workspace: string | undefined): string {
  return workspace === undefined
    ? `Signalbox ${version} runs on the demo workspace (${configFile}).`
    : `Signalbox ${version} runs on ${workspace}.`;
}

/** The command that wires Claude Code to exactly this daemon, through the launcher, as a shell reads it. */
function wireLine(paths: Paths, workspace: string | undefined): string {
  const wire = [paths.launcher, 'wire', 'claude-code'];
  if (workspace !== undefined) return shellLine(wire);
  return `SIGNALBOX_STATE_DIR=${shellLine([paths.stateDir])} SIGNALBOX_CONFIG_DIR=${shellLine([paths.configDir])} ${shellLine(wire)}`;
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
