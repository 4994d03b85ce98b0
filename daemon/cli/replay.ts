/** `signalbox replay`: a recording plays either side. */
import { positionals, usageError } from './arguments.ts';
import type { Command } from './command.ts';
import { REPLAY_SERVER_OPTIONS, replayAsServer } from './replay-server.ts';

/** `signalbox replay`. */
export const replayCommand: Command = {
  name: 'replay',
  summary: 'Play a recording: as a server for any client, or as a client against a server',
  usage: ['signalbox replay RECORDING --as server [--server NAME] [--http [--port PORT]]'],
  options: {
    as: { type: 'string', value: 'SIDE', summary: 'server or client: the side that is played' },
    server: { type: 'string', value: 'NAME', summary: 'what was said between the daemon and this server; default: what clients saw' },
    ...REPLAY_SERVER_OPTIONS,
  },
  details: [
    'RECORDING is an id, a name, or the path of an exported file.',
    'As a server it answers what was asked in the recording, in either era, on standard streams (for the `command` of a client) or at a URL. What was not recorded is answered with an error that shows the nearest recorded request; it is also said on standard error.',
  ],
  examples: [
    'signalbox replay booking --as server',
    'signalbox replay .signalbox/recordings/booking.jsonl --as server --http --port 4711',
    'claude mcp add booking -- signalbox replay booking --as server --server booking',
  ],
  async run(context) {
    const [recording = ''] = positionals('replay', context.args, ['a recording']);
    const side = context.flags.text('as');
    if (side === 'server') return replayAsServer(context, recording);
    throw usageError(
      side === undefined ? '`signalbox replay` needs `--as`.' : `There is no \`--as ${side}\`.`,
      'A recording has two sides.',
      'Say `--as server` to answer clients, or `--as client` to ask a server.',
    );
  },
};
