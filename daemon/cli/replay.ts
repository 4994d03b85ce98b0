/** `signalbox replay`: a recording plays either side. */
import { positionals, usageError } from './arguments.ts';
import type { Command } from './command.ts';
import { REPLAY_CLIENT_OPTIONS, replayAsClientCommand } from './replay-client.ts';
import { REPLAY_SERVER_OPTIONS, replayAsServer } from './replay-server.ts';

/** `signalbox replay`. */
export const replayCommand: Command = {
  name: 'replay',
  summary: 'Play a recording: as a server for any client, or as a client against a server',
  usage: [
    'signalbox replay RECORDING --as server [--server NAME] [--http [--port PORT]]',
    'signalbox replay RECORDING --as client [--against TARGET] [--server NAME] [--allow-writes] [--update]',
    'signalbox replay RECORDING --as client [--server NAME] [options] -- COMMAND [ARGUMENTS]',
  ],
  options: {
    as: { type: 'string', value: 'SIDE', summary: 'server or client: the side that is played' },
    server: { type: 'string', value: 'NAME', summary: 'what was said between the daemon and this server; default: what clients saw' },
    ...REPLAY_SERVER_OPTIONS,
    ...REPLAY_CLIENT_OPTIONS,
    ignore: {
      type: 'string',
      multiple: true,
      value: 'POINTER',
      summary: 'server: a place of the parameters that does not count, [METHOD:]/arguments/now; client: one of the answers, /result/…',
    },
  },
  details: [
    'RECORDING is an id, a name, or the path of an exported file.',
    'As a server it answers what was asked in the recording, in either era, on standard streams (for the `command` of a client) or at a URL. What was not recorded is answered with an error that shows the nearest recorded request; it is also said on standard error.',
    'As a client it says what the clients said, in the same order, to a live server, and compares the answers: exit code 1 when one is changed, missing or extra. Only what cannot write is sent (tools that say readOnlyHint, and lists) unless --allow-writes; ids, times and cursors do not count. docs/sessions.md says what else can be told to count or not.',
  ],
  examples: [
    'signalbox replay booking --as server',
    'signalbox replay .signalbox/recordings/booking.jsonl --as server --http --port 4711',
    'signalbox replay booking --as client --against server:booking',
    'signalbox replay .signalbox/recordings/booking.jsonl --as client --reporter junit --output replay.xml -- node server.js',
    'claude mcp add booking -- signalbox replay booking --as server --server booking',
  ],
  async run(context) {
    const side = context.flags.text('as');
    const [recording = ''] = positionals('replay', side === 'client' ? context.args.slice(0, 1) : context.args, ['a recording']);
    if (side === 'client') return replayAsClientCommand(context, recording, context.args.slice(1));
    if (side === 'server') return replayAsServer(context, recording);
    throw usageError(
      side === undefined ? '`signalbox replay` needs `--as`.' : `There is no \`--as ${side}\`.`,
      'A recording has two sides.',
      'Say `--as server` to answer clients, or `--as client` to ask a server.',
    );
  },
};
