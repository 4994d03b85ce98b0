/** Ends a child together with everything it started. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/** Sends a signal to every process of the group; `false` when the group is empty. Signal 0 only asks. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch (error) {
    // EPERM: macOS says so when only zombies are left; nothing of ours could be signalled
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')) return false;
    throw error;
  }
}

/** SIGTERM to the group, SIGKILL when some of it is still there after `graceMs` milliseconds. On Windows `taskkill /T /F`. */
export async function endGroup(pgid: number, graceMs: number): Promise<void> {
  if (process.platform === 'win32') {
    await new Promise<void>((resolve) => {
      execFile('taskkill', ['/pid', String(pgid), '/T', '/F'], { windowsHide: true }, () => resolve());
    });
    return;
  }
  if (!signalGroup(pgid, 'SIGTERM')) return;
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline) {
    await delay(POLL_MS);
    if (!signalGroup(pgid, 0)) return;
  }
  signalGroup(pgid, 'SIGKILL');
}
