/** From a configured command to something that can be spawned (ARCHITECTURE section 2: Windows resolves `.cmd` shims explicitly). */
import { accessSync, constants, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import { SignalboxError } from '../api/errors.ts';

/** PATH of a machine nobody configured. */
export const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

type Env = Readonly<Record<string, string | undefined>>;

/** What `spawn` needs. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  /** Only for a Windows batch shim: the arguments are quoted already. */
  readonly windowsVerbatimArguments: boolean;
}

/**
 * Finds the executable a command names: a path (relative to `cwd`) or a name looked up in `env.PATH`.
 *
 * @param env the child's environment, not ours
 * @param cwd absolute folder the child starts in
 * @returns absolute path of an existing executable file
 * @throws SignalboxError `SBX_SERVER_COMMAND` when there is none
 */
export function resolveCommand(command: string, env: Env, cwd: string, platform: NodeJS.Platform = process.platform): string {
  const windows = platform === 'win32';
  const path = windows ? win32 : posix;
  const searched = variable(env, 'PATH', windows) ?? (windows ? '' : SYSTEM_PATH);
  const named = command.includes('/') || (windows && command.includes('\\'));
  const folders = named ? [cwd] : searched.split(path.delimiter).filter((folder) => folder !== '');
  const endings = windows ? windowsEndings(command, env) : [''];
  for (const folder of folders) {
    for (const ending of endings) {
      const file = path.resolve(cwd, folder, command + ending);
      if (isExecutable(file, windows)) return file;
    }
  }
  throw new SignalboxError('SBX_SERVER_COMMAND', `The command "${command}" was not found.`, {
    why: named
      ? `There is no executable file at ${path.resolve(cwd, command)}.`
      : `No folder of PATH has it: ${searched || '(PATH is empty)'}`,
    fix: named
      ? 'Correct the path in the server\'s "command", or make the file executable.'
      : 'Install it, or give its absolute path as "command". `signalbox doctor` shows the PATH servers get.',
  });
}

/**
 * How an executable found by {@link resolveCommand} is spawned: itself, or through `cmd.exe` when it is a Windows batch shim, which
 * Windows cannot start and whose arguments `cmd.exe` would otherwise interpret.
 */
export function commandLine(file: string, args: readonly string[], env: Env, platform: NodeJS.Platform = process.platform): CommandLine {
  if (platform !== 'win32' || !/\.(?:cmd|bat)$/i.test(file)) return { command: file, args, windowsVerbatimArguments: false };
  const line = [escapeMeta(file), ...args.map(escapeShimArgument)].join(' ');
  return {
    command: variable(env, 'COMSPEC', true) ?? 'cmd.exe',
    args: ['/d', '/s', '/c', `"${line}"`],
    windowsVerbatimArguments: true,
  };
}

function windowsEndings(command: string, env: Env): readonly string[] {
  const known = (variable(env, 'PATHEXT', true) ?? '.COM;.EXE;.BAT;.CMD').split(';').filter((ending) => ending !== '');
  // a bare `npx` beside `npx.cmd` is a shell script Windows cannot run: only a name that has its ending is taken as it is
  return known.some((ending) => command.toLowerCase().endsWith(ending.toLowerCase())) ? ['', ...known] : known;
}

function variable(env: Env, name: string, windows: boolean): string | undefined {
  if (!windows) return env[name];
  return Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}

function isExecutable(file: string, windows: boolean): boolean {
  try {
    if (!statSync(file).isFile()) return false;
    accessSync(file, windows ? constants.F_OK : constants.X_OK);
    return true;
  } catch {
    return false; // missing or not ours to run: the search goes on
  }
}

function escapeMeta(text: string): string {
  return text.replace(/[()\][%!^"`<>&|;, *?]/g, '^$&');
}

/** A shim hands its arguments to a second `cmd` evaluation (`%*`): quotes for the program, carets twice for the two evaluations. */
function escapeShimArgument(argument: string): string {
  const quoted = `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1')}"`;
  return escapeMeta(escapeMeta(quoted));
}
