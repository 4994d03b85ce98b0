/** Every child process of the daemon: started in a group of its own, recorded, guarded, ended with its whole group (ARCHITECTURE section 2). */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { SignalboxError } from '../api/errors.ts';
import { commandLine, resolveCommand } from './command.ts';
import { Guardian } from './guardian.ts';
import { writePrivateFile } from './private-file.ts';
import { endGroup, signalGroup } from './process-group.ts';
import { processStart } from './process-identity.ts';

/** What to start. */
export interface ChildSpec {
  /** A path or a name, looked up in `env.PATH`. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute folder. */
  readonly cwd: string;
  /** Two-way pipes beyond the standard three: fd 3, 4, … */
  readonly extraPipes?: number;
}
/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
/** A running child. Errors of its streams never crash the daemon; listen for `exited` instead. */
export interface ManagedChild {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** fd 3, 4, … of the child. */
  readonly pipes: readonly Duplex[];
  /** Settles when the process has ended; output it wrote may still be on its way in `stdout`. */
  readonly exited: Promise<ChildExit>;
  /** End of stdin, then SIGTERM to the group, then SIGKILL; settles when nothing of the group is left. Any number of calls. */
  end(): Promise<void>;
}
/** Patience, in milliseconds. */
export interface ChildPatience {
  /** From the end of stdin to SIGTERM. Default 2000. */
  readonly stdinMs: number;
  /** From SIGTERM to SIGKILL. Default 2000. */
  readonly termMs: number;
}

interface Entry {
  readonly managed: ManagedChild;
  /** Settles when the process has ended and the rest of its group has too. */
  readonly gone: Promise<void>;
}
interface ChildRecord {
  readonly pid: number;
  readonly start: string;
  readonly command: string;
}

/** Starts, records, guards and ends the children of one daemon. */
export class ChildRegistry {
  readonly #dir: string;
  readonly #patience: ChildPatience;
  readonly #guardian = new Guardian();
  readonly #children = new Map<number, Entry>();

  /** @param childrenDir `Paths.childrenDir`: one record per running child */
  constructor(childrenDir: string, patience: ChildPatience = { stdinMs: 2000, termMs: 2000 }) {
    this.#dir = childrenDir;
    this.#patience = patience;
  }

  /** Pids of the running children. */
  get pids(): readonly number[] {
    return [...this.#children.keys()];
  }

  /**
   * Starts a child.
   *
   * @throws SignalboxError `SBX_SERVER_COMMAND` when the command or the folder does not exist or cannot be run
   */
  spawn(spec: ChildSpec): ManagedChild {
    const child = start(spec);
    const { pid, stdin, stdout, stderr } = child;
    if (pid === undefined || stdin === null || stdout === null || stderr === null)
      throw notStarted(spec, 'The system refused to start it.');
    const pipes = child.stdio.slice(3).filter((stream) => stream instanceof Duplex);
    for (const stream of [stdin, stdout, stderr, ...pipes]) stream.on('error', () => {});
    this.#guardian.guard(pid);
    const exited = new Promise<ChildExit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    const recorded = this.#record(pid, spec.command);
    const gone = exited.then(async () => {
      // what the child started and left behind ends with it; on Windows nothing tells what that was once the child is gone
      if (process.platform !== 'win32') await endGroup(pid, this.#patience.termMs);
      this.#guardian.forget(pid);
      await recorded;
      rmSync(join(this.#dir, `${pid}.json`), { force: true });
      this.#children.delete(pid);
    });
    let ending: Promise<void> | undefined;
    const managed: ManagedChild = {
      pid,
      stdin,
      stdout,
      stderr,
      pipes,
      exited,
      end: () => {
        ending ??= this.#end(pid, stdin, exited, gone);
        return ending;
      },
    };
    this.#children.set(pid, { managed, gone });
    return managed;
  }

  /** Ends every child, then the guardian. */
  async close(): Promise<void> {
    await Promise.all([...this.#children.values()].map(({ managed }) => managed.end()));
    await this.#guardian.close();
  }

  /**
   * Ends what a killed daemon left: every recorded pid whose start time still matches, with its group. Only the owner may call it.
   *
   * @returns how many were ended
   */
  async reap(): Promise<number> {
    const ended = await Promise.all(
      recordsIn(this.#dir).map(async (file) => {
        const record = readRecord(file);
        if (record !== undefined && this.#children.has(record.pid)) return 0;
        const alive = record !== undefined && (await processStart(record.pid)) === record.start;
        if (alive) await endGroup(record.pid, this.#patience.termMs);
        rmSync(file, { force: true });
        return alive ? 1 : 0;
      }),
    );
    return ended.reduce<number>((sum, one) => sum + one, 0);
  }

  async #record(pid: number, command: string): Promise<void> {
    const start = await processStart(pid);
    if (start === undefined) return; // it ended already
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    writePrivateFile(join(this.#dir, `${pid}.json`), JSON.stringify({ pid, start, command } satisfies ChildRecord));
  }

  async #end(pid: number, stdin: Writable, exited: Promise<ChildExit>, gone: Promise<void>): Promise<void> {
    stdin.end();
    if (await within(exited, this.#patience.stdinMs)) return gone;
    if (process.platform === 'win32') await endGroup(pid, 0);
    else {
      signalGroup(pid, 'SIGTERM');
      if (!(await within(exited, this.#patience.termMs))) signalGroup(pid, 'SIGKILL');
    }
    return gone;
  }
}

function start(spec: ChildSpec): ChildProcess {
  if (statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw notStarted(spec, `The folder ${spec.cwd} does not exist.`);
  const file = resolveCommand(spec.command, spec.env, spec.cwd);
  const { command, args, windowsVerbatimArguments } = commandLine(file, spec.args, spec.env);
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...Array.from({ length: spec.extraPipes ?? 0 }, () => 'pipe' as const)];
  try {
    const child = spawn(command, [...args], {
      env: { ...spec.env },
      cwd: spec.cwd,
      stdio,
      detached: process.platform !== 'win32', // a session and a process group of its own
      windowsHide: true,
      windowsVerbatimArguments,
    });
    child.on('error', () => {}); // a failed start shows as a missing pid, which the caller reports
    return child;
  } catch (error) {
    throw notStarted(spec, error instanceof Error ? error.message : String(error));
  }
}

/** Whether the promise settled within the time. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

function recordsIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(dir, name));
  } catch {
    return []; // no folder: no child was ever started
  }
}

function readRecord(file: string): ChildRecord | undefined {
  try {
    const { pid, start, command } = JSON.parse(readFileSync(file, 'utf8')) as Partial<ChildRecord>;
    // pid 1 and below would be everybody
    if (typeof pid === 'number' && Number.isInteger(pid) && pid > 1 && typeof start === 'string')
      return { pid, start, command: command ?? '' };
  } catch {
    // damaged: it names nobody
  }
  return undefined;
}

function notStarted(spec: ChildSpec, why: string): SignalboxError {
  return new SignalboxError('SBX_SERVER_COMMAND', `The command "${spec.command}" could not be started.`, {
    why,
    fix: 'Correct "command", "args" or "cwd" of the server; `signalbox doctor` shows what was tried.',
  });
}
