/** The text of the launcher. Pure. */

/** What the launcher runs. All paths are absolute. */
export interface LauncherTarget {
  readonly node: string;
  /** Whether `node` is an Electron that must be told to be Node. */
  readonly electron: boolean;
  readonly cliEntry: string;
  /** Plain old JavaScript that finds a good Node when `node` is gone; absent in a source checkout. */
  readonly finder: string | undefined;
  readonly version: string;
  readonly build: string;
}

const MARK = 'signalbox-launcher';

/** The launcher's text for a platform: a POSIX `sh` script or a Windows batch file. */
export function launcherScript(target: LauncherTarget, platform: NodeJS.Platform): string {
  return platform === 'win32' ? batch(target) : shell(target);
}

/** What a launcher written by {@link launcherScript} says about itself; `undefined` when the text is not one. */
export function parseLauncherMark(text: string): { version: string; build: string; entry: string } | undefined {
  const json = new RegExp(`${MARK} (\\{.*\\})`).exec(text)?.[1];
  if (json === undefined) return undefined;
  try {
    const { version, build, entry } = JSON.parse(json) as Record<string, unknown>;
    if (typeof version === 'string' && typeof build === 'string' && typeof entry === 'string') return { version, build, entry };
  } catch {
    // somebody edited it: it is written anew
  }
  return undefined;
}

function mark({ version, build, cliEntry }: LauncherTarget): string {
  return `${MARK} ${JSON.stringify({ version, build, entry: cliEntry })}`;
}

function tooOld(missing: string): string {
  return `SBX_NODE_TOO_OLD: No Node that Signalbox can run on was found. Cause: ${missing} is gone and no "node" is on PATH. Fix: install Node 24.10 or newer, or open VS Code once so that the extension renews this file.`;
}

function shell(target: LauncherTarget): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const fallback = target.finder ?? target.cliEntry;
  return `#!/bin/sh
# Written by Signalbox, again at every update. Wire this file into clients; do not edit it.
# ${mark(target)}
node=${quote(target.node)}
if [ -x "$node" ]; then
${target.electron ? '  export ELECTRON_RUN_AS_NODE=1\n' : ''}  exec "$node" ${quote(target.cliEntry)} "$@"
fi
if command -v node >/dev/null 2>&1; then
  exec node ${quote(fallback)} "$@"
fi
echo ${quote(tooOld(target.node))} >&2
exit 2
`;
}

function batch(target: LauncherTarget): string {
  const quote = (text: string): string => `"${text.replaceAll('%', '%%')}"`;
  const fallback = target.finder ?? target.cliEntry;
  // no blocks in brackets: %ERRORLEVEL% would be read when the block is
  return [
    '@echo off',
    'rem Written by Signalbox, again at every update. Wire this file into clients; do not edit it.',
    `rem ${mark(target).replaceAll('%', '%%')}`,
    'setlocal',
    `if not exist ${quote(target.node)} goto other`,
    ...(target.electron ? ['set "ELECTRON_RUN_AS_NODE=1"'] : []),
    `${quote(target.node)} ${quote(target.cliEntry)} %*`,
    'exit /b %ERRORLEVEL%',
    ':other',
    'where /q node',
    'if errorlevel 1 goto none',
    `node ${quote(fallback)} %*`,
    'exit /b %ERRORLEVEL%',
    ':none',
    `echo ${tooOld(target.node)
      .replaceAll('%', '%%')
      .replace(/[<>&|^]/g, '^$&')} 1>&2`,
    'exit /b 2',
    '',
  ].join('\r\n');
}
