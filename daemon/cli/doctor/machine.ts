/** The doctor's checks of the machine: Node, the state folder, the environment of children, the launcher, Claude Code. */
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Paths } from '../../api/paths.ts';
import type { ChildEnvironments } from '../../lifecycle/environment.ts';
import { parseLauncherMark } from '../../lifecycle/launcher-script.ts';
import { findClaude } from '../../wiring/claude-command.ts';
import { type Finding, ok, trouble } from './finding.ts';

const MINIMUM = [24, 10] as const;

/** The Node this runs on: 24.10 or newer, whose SQLite has an authorizer. */
export function nodeFinding(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return ok('node', `Node ${version} at ${process.execPath}`);
  const why = `Signalbox needs Node ${MINIMUM.join('.')} or newer for its SQLite guard.`;
  return trouble('fail', 'node', 'SBX_NODE_TOO_OLD', `Node ${version} is too old.`, why, 'Install Node 24 from https://nodejs.org.');
}

/** The state folder: a folder of ours that nobody else may enter. */
export function stateFinding({ stateDir }: Pick<Paths, 'stateDir'>): Finding {
  const stat = lstatSync(stateDir, { throwIfNoEntry: false });
  if (stat === undefined) return ok('state', `${stateDir} does not exist yet; the first start makes it`);
  const insecure = (what: string, why: string, fix: string): Finding => trouble('fail', 'state', 'SBX_STATE_INSECURE', what, why, fix);
  if (!stat.isDirectory()) return insecure(`${stateDir} is not a folder.`, 'A file or a link has its name.', 'Move it away.');
  if (process.platform === 'win32') return ok('state', stateDir);
  if (stat.uid !== userInfo().uid)
    return insecure(
      `${stateDir} belongs to somebody else.`,
      `Its owner is user ${stat.uid}.`,
      'Set SIGNALBOX_STATE_DIR to a folder of your own.',
    );
  if ((stat.mode & 0o077) !== 0)
    return insecure(
      `${stateDir} is open to other users.`,
      `Its mode is ${(stat.mode & 0o777).toString(8)}; it holds tokens and secrets.`,
      `chmod 700 ${stateDir}`,
    );
  return ok('state', `${stateDir} is yours alone`);
}

/** The environment every plugin and stdio server starts from. */
export async function environmentFinding(environments: ChildEnvironments): Promise<Finding> {
  const { path, source } = await environments.path();
  const environment = await environments.of();
  if (source === 'login-shell' || process.platform === 'win32') return ok('environment', `servers get PATH=${path}`, environment);
  return {
    ...trouble(
      'warn',
      'environment',
      'SBX_SERVER_COMMAND',
      `Servers get the PATH of whoever started the daemon: ${path}`,
      'The login shell did not tell its PATH (it hung, failed, or knows no -lic).',
      'Run `$SHELL -lic true` by hand to see why, or give commands as absolute paths.',
    ),
    detail: environment,
  };
}

/** The launcher that is wired into clients. */
export function launcherFinding({ launcher }: Pick<Paths, 'launcher'>): Finding {
  const broken = (status: 'warn' | 'fail', what: string, why: string): Finding =>
    trouble(status, 'launcher', 'SBX_LAUNCHER', what, why, 'Run `signalbox up`; it writes the launcher again.');
  if (!existsSync(launcher))
    return broken('warn', `There is no launcher at ${launcher}.`, 'The daemon has not been started yet, or somebody removed it.');
  const mark = parseLauncherMark(readFileSync(launcher, 'utf8'));
  if (mark === undefined)
    return broken('fail', `The launcher ${launcher} was not written by Signalbox.`, 'Somebody edited or replaced it.');
  if (!existsSync(mark.entry))
    return broken('fail', `The launcher ${launcher} runs something that is gone.`, `${mark.entry} does not exist any more.`);
  return ok('launcher', `${launcher} runs version ${mark.version}`);
}

/** Whether Claude Code's command line is there. */
export function claudeFinding(env: Readonly<Record<string, string | undefined>>): Finding {
  const claude = findClaude({ env, platform: process.platform });
  if (claude !== undefined) return ok('claude', `Claude Code at ${claude}`);
  return trouble(
    'warn',
    'claude',
    'SBX_WIRE_CLIENT',
    'Claude Code (`claude`) is not on PATH.',
    'It is not installed, or this shell does not see it.',
    'Install it with `npm install -g @anthropic-ai/claude-code`; without it `signalbox wire claude-code` edits the file itself.',
  );
}
