/** The environment of children: the same whoever started the daemon (ARCHITECTURE section 2). */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { SYSTEM_PATH } from './command.ts';

/** A process environment. */
export type Environment = Readonly<Record<string, string>>;

/** What the MCP SDK lets a stdio server inherit (`DEFAULT_INHERITED_ENV_VARS`), so that a server finds here what it finds elsewhere. */
const INHERITED: Readonly<Record<'posix' | 'windows', readonly string[]>> = {
  posix: ['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER'],
  windows: [
    'APPDATA',
    'COMSPEC',
    'HOMEDRIVE',
    'HOMEPATH',
    'LOCALAPPDATA',
    'PATH',
    'PATHEXT',
    'PROCESSOR_ARCHITECTURE',
    'PROGRAMDATA',
    'PROGRAMFILES',
    'PROGRAMFILES(X86)',
    'PROGRAMW6432',
    'SYSTEMDRIVE',
    'SYSTEMROOT',
    'TEMP',
    'USERNAME',
    'USERPROFILE',
    'WINDIR',
  ],
};

/** Where the daemon's own files are; passed on to the daemon, not to servers. */
const DAEMON_OWN = ['SIGNALBOX_STATE_DIR', 'SIGNALBOX_CONFIG_DIR', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'TMPDIR'];

type Source = Readonly<Record<string, string | undefined>>;

/** Keeps the SDK's allow-list of an environment; shell functions (`() {…`) never pass. */
export function allowedEnvironment(source: Source = process.env, platform: NodeJS.Platform = process.platform): Record<string, string> {
  const names = INHERITED[platform === 'win32' ? 'windows' : 'posix'];
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    // Windows names ignore case ("Path")
    const canonical = platform === 'win32' ? name.toUpperCase() : name;
    if (value !== undefined && !value.startsWith('()') && names.includes(canonical)) kept[canonical] = value;
  }
  return kept;
}

/** The environment a started daemon gets: the allow-list and what says where its files are. */
export function daemonEnvironment(source: Source = process.env): Record<string, string> {
  const environment = allowedEnvironment(source);
  for (const name of DAEMON_OWN) {
    const value = source[name];
    if (value !== undefined) environment[name] = value;
  }
  // under VS Code's Electron, process.execPath is Node only with this
  if (process.versions['electron'] !== undefined) environment['ELECTRON_RUN_AS_NODE'] = '1';
  return environment;
}

/** How the login shell is asked. */
export interface ShellQuestion {
  /** The shell; `$SHELL`, then the one in the user database unless told. */
  readonly shell?: string;
  /** Milliseconds before the shell is killed and the fallback used; 5000 unless told. */
  readonly timeoutMs?: number;
  /** HOME for the shell; the user's unless told. */
  readonly home?: string;
}

/**
 * Asks the login shell for PATH, as a terminal would have it. Never fails: a shell that hangs, fails or knows no `-lic` gives the fallback.
 *
 * @returns PATH and where it came from, for `doctor`
 */
export async function loginShellPath(question: ShellQuestion = {}): Promise<{ path: string; source: 'login-shell' | 'fallback' }> {
  const fallback = { path: process.env['PATH'] || SYSTEM_PATH, source: 'fallback' } as const;
  if (process.platform === 'win32') return fallback;
  const shell = question.shell ?? (process.env['SHELL'] || userInfo().shell);
  if (shell === null || shell === '') return fallback;
  const output = await shellOutput(shell, question.home ?? homedir(), question.timeoutMs ?? 5000);
  return output === undefined ? fallback : { path: output, source: 'login-shell' };
}

function shellOutput(shell: string, home: string, timeoutMs: number): Promise<string | undefined> {
  // profiles print greetings: only what stands between the markers counts
  const marker = `__sbx_${randomBytes(8).toString('hex')}__`;
  const between = new RegExp(`${marker}(.*?)${marker}`, 's');
  return new Promise((resolve) => {
    const child = spawn(shell, ['-lic', `printf '%s' '${marker}' "$PATH" '${marker}'`], {
      // a fixed PATH to start from and a dumb terminal: the answer must not depend on who started the daemon
      env: { ...allowedEnvironment(), HOME: home, SHELL: shell, PATH: SYSTEM_PATH, TERM: 'dumb', DISABLE_AUTO_UPDATE: 'true' },
      cwd: home,
      stdio: ['ignore', 'pipe', 'ignore'],
      // a session of its own: an interactive shell would take the terminal from whoever has it
      detached: true,
    });
    let output = '';
    let settled = false;
    const settle = (path: string | undefined): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      endGroup(child.pid);
      child.stdout.destroy();
      resolve(path === undefined || path === '' ? undefined : path);
    };
    const timer = setTimeout(() => settle(undefined), timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const path = between.exec(output)?.[1];
      if (path !== undefined) settle(path);
    });
    child.once('error', () => settle(undefined));
    child.once('close', () => settle(undefined));
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // the whole group is gone already
  }
}

/** Builds child environments; the login shell is asked once per daemon. */
export class ChildEnvironments {
  readonly #question: ShellQuestion;
  #path: Promise<{ path: string; source: 'login-shell' | 'fallback' }> | undefined;

  constructor(question: ShellQuestion = {}) {
    this.#question = question;
  }

  /** PATH as children get it, and where it came from. */
  path(): Promise<{ path: string; source: 'login-shell' | 'fallback' }> {
    this.#path ??= loginShellPath(this.#question);
    return this.#path;
  }

  /** The allow-list, PATH from the login shell, and the entry's own `env` over it. */
  async of(entry: Environment = {}): Promise<Record<string, string>> {
    const { path } = await this.path();
    const base = allowedEnvironment();
    if (process.platform !== 'win32') {
      const { username, shell } = userInfo();
      base['HOME'] ??= homedir();
      base['USER'] ??= username;
      base['LOGNAME'] ??= username;
      if (shell !== null && shell !== '') base['SHELL'] ??= shell;
    }
    return { ...base, PATH: path, ...entry };
  }
}
