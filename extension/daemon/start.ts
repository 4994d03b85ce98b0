/** Runs the packaged command line: the palette's verbs are the CLI's verbs, so there is one implementation of each. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ERROR_CODES, type ErrorShape, errorFromShape, SignalboxError } from '../../daemon/api/errors.ts';

/** Runs `signalbox <args> --json` and resolves to the parsed document it printed. Rejects with the SignalboxError it printed. */
export type Cli = (args: readonly string[], options?: { cwd?: string; input?: string }) => Promise<unknown>;

/**
 * The command line of this build, run on the Node that runs VS Code's extension host.
 *
 * @param root folder of the extension: `dist/cli.mjs` when packaged or built, `daemon/cli/main.ts` in a bare checkout
 * @param env environment of the CLI; the daemon gives its children their own
 */
export function packagedCli(root: string, env: NodeJS.ProcessEnv): Cli {
  return (args, options = {}) => {
    const built = join(root, 'dist', 'cli.mjs');
    const script = existsSync(built) ? built : join(root, 'daemon', 'cli', 'main.ts');
    // On the desktop process.execPath is Electron; this variable makes it a plain Node. A remote host's Node ignores it.
    const clean: NodeJS.ProcessEnv = { ...env, ELECTRON_RUN_AS_NODE: '1' };
    // Set by VS Code's debugger for the extension host: the daemon must not wait for a debugger.
    delete clean['NODE_OPTIONS'];
    delete clean['VSCODE_INSPECTOR_OPTIONS'];
    return run(process.execPath, [script, ...args, '--json'], { env: clean, cwd: options.cwd ?? homedir(), input: options.input ?? '' });
  };
}

function run(command: string, args: readonly string[], options: { env: NodeJS.ProcessEnv; cwd: string; input: string }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env, cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.on('error', (cause) => reject(startFailure(`${command} cannot be run: ${cause.message}`, cause)));
    // `exit`, not `close`: the daemon the CLI leaves behind may hold an inherited pipe open.
    child.on('exit', (code) => {
      setImmediate(() => {
        const document = parseDocument(stdout);
        // 1 means that what was checked failed: the document says how, unless it is an error.
        if (code === 0 || (code === 1 && document !== undefined && reportedError(document) === undefined)) resolve(document);
        else
          reject(
            reportedError(document) ?? reportedError(parseDocument(stderr)) ?? startFailure(stderr.trim() || `It exited with ${code}.`),
          );
      });
    });
    child.stdin.on('error', () => undefined); // the CLI may end without reading its input
    child.stdin.end(options.input);
  });
}

/** The JSON document of an output: all of it, or its last line when something else was printed before. */
export function parseDocument(output: string): unknown {
  const text = output.trim();
  for (const candidate of [text, text.slice(text.lastIndexOf('\n') + 1)]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // not JSON as a whole: try the last line
    }
  }
  return undefined;
}

/** The error a `--json` document reports, as `{code, message, cause, fix}` or inside `error`. */
export function reportedError(document: unknown): SignalboxError | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const shape = ('error' in document ? document.error : document) as Partial<ErrorShape> | null;
  return shape?.code !== undefined && shape.code in ERROR_CODES && shape.message !== undefined
    ? errorFromShape({ code: shape.code, message: shape.message, cause: shape.cause ?? '', fix: shape.fix ?? '' })
    : undefined;
}

function startFailure(why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_DAEMON_START', 'The Signalbox command line failed.', {
    why,
    fix: 'Run "Signalbox: Show Log" for details, or `signalbox doctor` in a terminal.',
    ...(cause === undefined ? {} : { cause }),
  });
}
