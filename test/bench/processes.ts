/** The processes of a run: started, measured from /proc, ended. Linux for the figures; elsewhere they are NaN. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { descendants } from '../fixtures/process-tree.ts';
import type { Job, Sample } from './load.ts';

const HERE = import.meta.dirname;
const children = new Set<ChildProcess>();

/** Ends with us whatever happens. */
function owned<T extends ChildProcess>(child: T): T {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Ends every process started here, and what they started; resolves when they are gone. */
export async function endAll(): Promise<void> {
  await Promise.all([...children].map(end));
}

/** Ends one process and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  const below = child.pid === undefined ? [] : descendants(child.pid);
  child.kill();
  const hard = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(hard);
  for (const { pid } of below) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {} // gone with its parent, as it should be
  }
}

/** A script of this folder that prints its port first. */
export async function serve(script: string, ...args: string[]): Promise<{ readonly port: number; readonly pid: number }> {
  const child = owned(spawn(process.execPath, [join(HERE, script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] }));
  for await (const line of createInterface({ input: child.stdout })) return { port: Number(line), pid: child.pid ?? 0 };
  throw new Error(`${script} ${args.join(' ')} ended before it listened`);
}

/** Any program; what it says is thrown away, for programs that say a lot. */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  return owned(spawn(command, args, { env, stdio: 'ignore' }));
}

/** The load generator. */
export class Generator {
  readonly #child = owned(fork(join(HERE, 'load.ts'), { execArgv: [] }));

  run(job: Job): Promise<Sample> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (answer: Sample | { error: string }) =>
        'error' in answer ? reject(new Error(answer.error)) : resolve(answer),
      );
      this.#child.send(job);
    });
  }
}

/** Waits until a process and everything below it have been quiet for a while: no new process, and hardly any CPU. */
export async function settled(pid: number): Promise<void> {
  const look = (): { readonly count: number; readonly cpu: number } => {
    const pids = [pid, ...descendants(pid).map((process) => process.pid)];
    return { count: pids.length, cpu: pids.reduce((sum, each) => sum + (cpuOf(each) || 0), 0) };
  };
  for (let before = look(), quiet = 0; quiet < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = look();
    quiet = now.count === before.count && now.cpu - before.cpu < 50 ? quiet + 1 : 0;
    before = now;
  }
}

/** Milliseconds of CPU a process has used so far, all its threads (`/proc/PID/task/<tid>/schedstat`, nanoseconds). */
export function cpuOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      const [spent] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      return sum + Number(spent) / 1e6;
    }, 0);
  } catch {
    return Number.NaN; // it ended, or there is no /proc
  }
}

/** Resident memory in MiB. */
export function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN; // it ended, or there is no /proc
  }
}

/** Resident memory in MiB of a process and everything below it, and how many processes these are. */
export function treeMemoryOf(pid: number): { readonly mib: number; readonly processes: number } {
  const pids = [pid, ...descendants(pid).map((process) => process.pid)];
  return { mib: pids.reduce((sum, each) => sum + (memoryOf(each) || 0), 0), processes: pids.length };
}
