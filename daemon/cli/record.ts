/** `signalbox record`: write sessions to disk, look at them, share them. */
import { onlyArgument, positionals, verbOf } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { exportCommand, importCommand } from './record/export.ts';
import { recordingRef, workspaceFolder } from './record/place.ts';
import { compareCommand, listCommand, searchCommand, showCommand, statsCommand } from './record/read.ts';
import { recordingText } from './record/text.ts';

const VERBS = ['start', 'stop', 'list', 'show', 'search', 'stats', 'compare', 'export', 'import', 'remove'] as const;

/** `signalbox record`. */
export const recordCommand: Command = {
  name: 'record',
  summary: 'Record what clients and servers say, show, search, compare, export and import recordings',
  usage: [
    'signalbox record start [--name NAME] [--client C] [--endpoint E] [--server S] [--session ID] [--ring]',
    'signalbox record stop [RECORDING]',
    'signalbox record [list]',
    'signalbox record show RECORDING [--from N] [--limit N] [--messages]',
    'signalbox record search TEXT [RECORDING]',
    'signalbox record stats RECORDING',
    'signalbox record compare RECORDING OTHER',
    'signalbox record export RECORDING [--workspace | --to FILE] [--format jsonl|har|plain]',
    'signalbox record import FILE [--format jsonl|har|plain|inspector]',
    'signalbox record remove RECORDING',
  ],
  options: {
    endpoint: { type: 'string', short: 'e', value: 'NAME', summary: 'start: only what goes through this endpoint' },
    name: { type: 'string', value: 'NAME', summary: 'start, import: what to call it; export: name of the file' },
    client: { type: 'string', value: 'NAME', summary: 'start, show, search: only this client (`claude-code`)' },
    server: { type: 'string', value: 'NAME', summary: 'start, show, search, stats, compare: only this server' },
    session: { type: 'string', value: 'ID', summary: 'start, show, search: only this session' },
    ring: { type: 'boolean', summary: 'start: begin with what is still in memory' },
    method: { type: 'string', value: 'METHOD', summary: 'show, search: only this method' },
    errors: { type: 'boolean', summary: 'show, search: only what failed' },
    messages: { type: 'boolean', summary: 'show: the messages too' },
    from: { type: 'string', value: 'N', summary: 'show: from this message on' },
    limit: { type: 'string', value: 'N', summary: 'show, search: at most so many rows (200, 100)' },
    format: { type: 'string', value: 'FORMAT', summary: 'export: jsonl, har or plain; import: jsonl, har, plain or inspector' },
    workspace: {
      type: 'boolean',
      short: 'w',
      summary: "export: to .signalbox/recordings of this workspace, for its repository; start: only this workspace's endpoints",
    },
    to: { type: 'string', value: 'FILE', summary: 'export: to this file' },
    force: { type: 'boolean', summary: 'export: replace a file that is there' },
    yes: { type: 'boolean', short: 'y', summary: 'export: do not ask' },
  },
  details: [
    'Secrets are taken out before anything is written: headers, tokens, cookies, stored secrets, well-known shapes, and what `redaction` in the configuration names. docs/recording-format.md has the format.',
    '`search` and `compare` exit with 1 when nothing is found, or something differs.',
  ],
  examples: [
    'signalbox record start --name login --client claude-code --ring',
    'signalbox record stop login',
    'signalbox record show login --errors --messages',
    'signalbox record export login --workspace',
    'signalbox record import capture.har --name capture',
  ],
  async run(context) {
    const [verb, rest] = verbOf('record', context.args, VERBS, 'list');
    switch (verb) {
      case 'start':
        return start(context, rest);
      case 'stop':
        return stop(context, rest);
      case 'list':
        return listCommand(context, rest);
      case 'show':
        return showCommand(context, rest);
      case 'search':
        return searchCommand(context, rest);
      case 'stats':
        return statsCommand(context, rest);
      case 'compare':
        return compareCommand(context, rest);
      case 'export':
        return exportCommand(context, rest);
      case 'import':
        return importCommand(context, rest);
      case 'remove':
        return remove(context, rest);
    }
  },
};

async function start(context: CommandContext, rest: readonly string[]): Promise<number> {
  positionals('record start', rest, []);
  const { flags } = context;
  const client = await context.connect();
  const filter = Object.fromEntries(
    ['name', 'client', 'endpoint', 'server', 'session'].flatMap((name) => {
      const value = flags.text(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const workspace = flags.on('workspace') ? { workspace: workspaceFolder(context) } : {};
  if (workspace.workspace !== undefined) await client.call('workspace/open', { folder: workspace.workspace });
  const info = await client.call('record/start', {
    ...filter,
    ...workspace,
    ...(flags.on('ring') ? { ring: true } : {}),
  });
  context.result(info, () => `Recording ${recordingText(info)}\nStop it with \`signalbox record stop ${info.name ?? info.id}\`.`);
  return 0;
}

/** Without a name, the only one that is being written. */
async function stop(context: CommandContext, rest: readonly string[]): Promise<number> {
  const [given] = positionals('record stop', rest, ["the recording's id or name?"]);
  const client = await context.connect();
  const live = given === undefined ? (await client.call('record/list', {})).recordings.filter((recording) => recording.live) : [];
  const only = live.length === 1 ? live[0]?.id : undefined;
  const recording = given ?? only ?? onlyArgument('record stop', [], `the recording's id or name (${live.length} are being written)`);
  const info = await client.call('record/stop', { recording });
  context.result(info, () => recordingText(info));
  return 0;
}

async function remove(context: CommandContext, rest: readonly string[]): Promise<number> {
  const recording = onlyArgument('record remove', rest, "the recording's id or name");
  const client = await context.connect();
  const answer = await client.call('record/remove', { recording });
  context.result(answer, answer.removed ? `Removed ${recording}.` : `There is no recording ${recordingRef(context, recording)}.`);
  return answer.removed ? 0 : 1;
}
