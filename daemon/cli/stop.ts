/** `signalbox stop` and what `restart` shares with it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonStatus } from '../api/control.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { locate } from '../lifecycle/locate.ts';
import { positionals } from './arguments.ts';
import type { Command } from './command.ts';
import { openToStop, runningDaemon } from './connection.ts';

const GONE_WITHIN_MS = 15_000;
const POLL_MS = 25;

/** `signalbox stop`. */
export const stopCommand: Command = {
  name: 'stop',
  summary: 'Stop the daemon and every server it started',
  usage: ['signalbox stop'],
  options: {},
  async run(context) {
    positionals('stop', context.args, []);
    const stopped = await stopDaemon(context.paths);
    context.result({ stopped: stopped !== undefined, ...(stopped === undefined ? {} : { pid: stopped.pid }) }, () =>
      stopped === undefined ? 'The daemon was not running.' : `Stopped the daemon (pid ${stopped.pid}).`,
    );
    return 0;
  },
};

/**
 * Stops the daemon and waits until its process is gone, so that the next start meets nobody.
 * @returns its last status, or `undefined` when none ran
 * @throws SBX_IDENTITY when what has its port does not prove itself
 */
export async function stopDaemon(paths: Paths): Promise<DaemonStatus | undefined> {
  const { state } = await locate(paths);
  if (state === 'none' || state === 'stale') return undefined;
  const client = await openToStop(await runningDaemon(paths));
  const status = await client.call('status', {});
  const closed = new Promise<void>((resolve) => client.onClose(resolve));
  // the daemon may leave faster than it answers
  await client.call('daemon/stop', {}).catch((error: unknown) => {
    if (!(error instanceof SignalboxError && error.code === 'SBX_DAEMON_UNREACHABLE')) throw error;
  });
  await closed;
  const deadline = Date.now() + GONE_WITHIN_MS;
  while (isAlive(status.pid)) {
    if (Date.now() > deadline)
      throw new SignalboxError('SBX_INTERNAL', `The daemon (pid ${status.pid}) does not end.`, {
        why: `It closed its control channel but its process was still there after ${GONE_WITHIN_MS / 1000} s.`,
        fix: `End it yourself (\`kill ${status.pid}\`) and look into \`signalbox logs\`.`,
      });
    await delay(POLL_MS);
  }
  return status;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: gone; EPERM: the number belongs to somebody else by now
  }
}
