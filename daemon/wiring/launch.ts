/** How a client starts the bridge. */
import type { Scope, WiringEnvironment } from './wiring.ts';

/** A command, its arguments, and what must be in its environment. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The bridge for one client. A project's file is shared and committed: nothing of this machine may be in it. */
export function launchOf(client: string, scope: Scope, { paths, env }: WiringEnvironment): Launch {
  const args = ['connect', '--client', client];
  if (scope === 'project') return { command: 'npx', args: ['mcp-signalbox', ...args] };
  // Folders moved by the environment: the bridge must find the daemon this command found, whatever the client's own environment is.
  const moved = ['SIGNALBOX_STATE_DIR', 'SIGNALBOX_CONFIG_DIR'].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { command: paths.launcher, args, ...(moved.length === 0 ? {} : { env: Object.fromEntries(moved) }) };
}
