/** Starts the daemon if none runs, and waits until it has proved itself (ARCHITECTURE section 2). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readSync, watch } from 'node:fs';
import { homedir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { SignalboxError } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import type { RuntimeFile } from '../api/runtime.ts';
import { daemonEnvironment } from './environment.ts';
import { locate } from './locate.ts';
import { ensurePrivateDir } from './private-file.ts';

/** What to run to be the daemon. It must exit 0 when it loses the election. */
export interface DaemonEntry {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the daemon's own minimal environment. */
  readonly env?: Readonly<Record<string, string>>;
}
/** What `ensureDaemon` needs. */
export interface EnsureOptions {
  readonly paths: Paths;
  readonly entry: DaemonEntry;
  /** Milliseconds until it gives up, 20 000 unless told. */
  readonly timeoutMs?: number;
  /** Milliseconds a slow owner is waited for before another contender is tried, 3000 unless told: the owner may have died unpublished. */
  readonly patienceMs?: number;
}

const POLL_MS = 100;
const TAIL_BYTES = 4096;

/**
 * Attaches to the running daemon or starts one. Any number of callers at once end with one daemon: the losers of the election exit
 * quietly and everybody attaches to the winner; an owner that has not published yet is waited for.
 *
 * @returns the proven daemon, and whether this call started a contender
 * @throws SignalboxError `SBX_DAEMON_START` when the contender failed (with the end of its log) or nobody published in time
 */
export async function ensureDaemon(options: EnsureOptions): Promise<{ runtime: RuntimeFile; started: boolean }> {
  const { paths, entry, timeoutMs = 20_000, patienceMs = 3000 } = options;
  const found = await locate(paths);
  if (found.state === 'running') return { runtime: found.runtime, started: false };
  ensurePrivateDir(paths.stateDir);
  const deadline = Date.now() + timeoutMs;
  let contender = startContender(paths, entry);
  const news = new Publications(paths.stateDir);
  try {
    for (;;) {
      const location = await locate(paths, Math.max(1, Math.min(2000, deadline - Date.now())));
      if (location.state === 'running') return { runtime: location.runtime, started: true };
      const outcome = contender.outcome();
      if (outcome !== undefined && outcome.failure !== undefined) {
        // it may have failed because another one is up by now
        const last = await locate(paths);
        if (last.state === 'running') return { runtime: last.runtime, started: true };
        throw startError(entry, outcome.failure, contender.log());
      }
      if (Date.now() >= deadline) {
        const who = outcome === undefined ? 'It was started' : 'Another process is the owner';
        throw startError(entry, `${who} but did not publish itself within ${timeoutMs} ms.`, contender.log());
      }
      if (outcome !== undefined && Date.now() - outcome.at > patienceMs) contender = startContender(paths, entry);
      await news.next(POLL_MS);
    }
  } finally {
    news.close();
  }
}

interface Contender {
  /** `undefined` while it runs; without `failure` it lost the election. */
  outcome(): { readonly at: number; readonly failure?: string } | undefined;
  /** What was logged since it started, the last 4 KiB. */
  log(): string;
}

function startContender(paths: Paths, entry: DaemonEntry): Contender {
  const log = openSync(paths.logFile, 'a', 0o600);
  const start = fstatSync(log).size;
  let outcome: { at: number; failure?: string } | undefined;
  let child: ChildProcess;
  try {
    child = spawn(entry.command, [...entry.args], {
      cwd: homedir(),
      env: { ...daemonEnvironment(), ...entry.env },
      stdio: ['ignore', log, log],
      detached: true,
      windowsHide: true,
    });
  } finally {
    closeSync(log);
  }
  child.once('error', (error) => {
    outcome = { at: Date.now(), failure: error.message };
  });
  child.once('exit', (code, signal) => {
    outcome = { at: Date.now(), ...(code === 0 ? {} : { failure: `It ended with ${signal ?? `code ${code}`}.` }) };
  });
  child.unref();
  return { outcome: () => outcome, log: () => tail(paths.logFile, start) };
}

/** Wakes when something in the state folder changes; the timer covers file systems that do not tell. */
class Publications {
  readonly #watcher: ReturnType<typeof watch> | undefined;

  constructor(folder: string) {
    try {
      this.#watcher = watch(folder, { persistent: false });
      this.#watcher.on('error', () => {});
    } catch {
      this.#watcher = undefined; // no watches left: the timer alone will do
    }
  }

  async next(timeoutMs: number): Promise<void> {
    const abort = new AbortController();
    const timer = delay(timeoutMs, undefined, { signal: abort.signal });
    const change = this.#watcher === undefined ? timer : once(this.#watcher, 'change', { signal: abort.signal });
    await Promise.race([timer, change]);
    abort.abort();
    await Promise.allSettled([timer, change]);
  }

  close(): void {
    this.#watcher?.close();
  }
}

function tail(file: string, start: number): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const end = fstatSync(fd).size;
      const from = Math.max(start, end - TAIL_BYTES);
      const buffer = Buffer.alloc(Math.max(0, end - from));
      const length = readSync(fd, buffer, 0, buffer.length, from);
      return buffer.toString('utf8', 0, length).trim();
    } finally {
      closeSync(fd);
    }
  } catch {
    return ''; // no log: the error says so by having no excerpt
  }
}

function startError(entry: DaemonEntry, why: string, log: string): SignalboxError {
  return new SignalboxError('SBX_DAEMON_START', 'The daemon could not be started.', {
    why: `${why} Command: ${[entry.command, ...entry.args].join(' ')}${log === '' ? '' : `\nEnd of its log:\n${log}`}`,
    fix: 'Run `signalbox up --foreground` to see it fail, or `signalbox doctor`.',
  });
}
