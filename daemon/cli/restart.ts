/** `signalbox restart`. */
import { positionals } from './arguments.ts';
import type { Command } from './command.ts';
import { openControl, startedDaemon } from './connection.ts';
import { endpointsText } from './status.ts';
import { stopDaemon } from './stop.ts';

/** `signalbox restart`: the same port, tokens and configuration; clients on the bridge go on. */
export const restartCommand: Command = {
  name: 'restart',
  summary: 'Stop the daemon and start it again in the background',
  usage: ['signalbox restart'],
  options: {},
  async run(context) {
    positionals('restart', context.args, []);
    const before = await stopDaemon(context.paths);
    const elsewhere = before !== undefined && before.configFile !== context.paths.configFile ? before.configFile : undefined;
    const { runtime } = await startedDaemon(context.paths, elsewhere);
    const client = await openControl(runtime);
    const status = await client.call('status', {});
    client.close();
    context.result(
      { ...status, restarted: before !== undefined },
      () => `Started the daemon (pid ${status.pid}).\n\n${endpointsText(status)}`,
    );
    return 0;
  },
};
