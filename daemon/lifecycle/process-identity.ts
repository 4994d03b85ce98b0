/** Which process a pid means: pids are used again, a pid with its start time is not. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When the process started, in a form that only equals itself: two processes with one pid never have the same.
 *
 * @returns `undefined` when there is no such process; a zombie counts as none
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return linuxStart(pid);
  if (process.platform === 'win32') {
    return output('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', `(Get-Process -Id ${pid}).StartTime.Ticks`]);
  }
  const line = await output('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
  return line === undefined || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}

/** Ticks since boot and the boot itself: after a restart of the machine the ticks begin again. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the second field is the name in brackets and may hold anything; the third is the state, the 22nd the start
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (state === undefined || ticks === undefined || 'ZX'.includes(state)) return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
  } catch {
    return undefined; // no such process
  }
}

function output(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    // the C locale: the text is compared with what another run wrote
    execFile(command, [...args], { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' }, timeout: 5000, windowsHide: true }, (error, text) =>
      resolve(error !== null || text.trim() === '' ? undefined : text.trim()),
    );
  });
}
