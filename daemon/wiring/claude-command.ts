/** Claude Code's own command line, which edits its configuration under its own lock. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute, join, posix, win32 } from 'node:path';
import { SignalboxError } from '../api/errors.ts';
import type { Scope, WiringEnvironment } from './wiring.ts';

/** Milliseconds `claude mcp …` may take; it starts in a quarter of a second. */
const TIMEOUT_MS = 30_000;

/** Where `claude` is on PATH: an absolute path, or `undefined`. */
export function findClaude({ env, platform }: Pick<WiringEnvironment, 'env' | 'platform'>): string | undefined {
  const windows = platform === 'win32';
  // On Windows only the real program: an npm `.cmd` shim would need cmd.exe, whose quoting does not carry JSON safely.
  const name = windows ? 'claude.exe' : 'claude';
  const folders = (env['PATH'] ?? env['Path'] ?? '').split((windows ? win32 : posix).delimiter);
  return folders
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

/** Arguments of `claude` that add our entry. */
export function addArguments(name: string, entry: object, scope: Scope): readonly string[] {
  return ['mcp', 'add-json', name, JSON.stringify(entry), '--scope', scope];
}

/** Arguments of `claude` that take an entry out of one scope. */
export function removeArguments(name: string, scope: Scope): readonly string[] {
  return ['mcp', 'remove', name, '--scope', scope];
}

/** A command line a POSIX shell reads back as these words. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/** What `claude mcp list` prints: one line a server, after it has tried to connect to each. */
export function listServers(claude: string, environment: WiringEnvironment): Promise<string> {
  return runClaude(claude, ['mcp', 'list'], environment);
}

/**
 * Runs `claude` in the project's folder with the given environment; resolves to its standard output.
 * @throws SBX_WIRE_CLIENT when it fails, with what it said
 */
export async function runClaude(claude: string, args: readonly string[], { env, cwd }: WiringEnvironment): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const child = execFile(claude, args, { cwd, env: { ...env }, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(refused(args, `${stderr}${stdout}`.trim() || error.message, error));
    });
    child.stdin?.end();
  });
}

function refused(args: readonly string[], why: string, cause: unknown): SignalboxError {
  return new SignalboxError('SBX_WIRE_CLIENT', `\`claude ${args.slice(0, 2).join(' ')}\` failed.`, {
    why,
    fix: `Run \`${shellLine(['claude', ...args])}\` by hand to see the trouble, or update Claude Code.`,
    cause,
  });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
