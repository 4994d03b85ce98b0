import { homedir } from 'node:os';
import type { WiringEnvironment } from '../../wiring/wiring.ts';
import type { CommandContext } from '../command.ts';

/** What a wiring needs to know of the process. */
export function wiringEnvironment({ paths, env, cwd }: Pick<CommandContext, 'paths' | 'env' | 'cwd'>): WiringEnvironment {
  const home = process.platform === 'win32' ? env['USERPROFILE'] : env['HOME'];
  return { paths, env, cwd, platform: process.platform, home: home ?? homedir() };
}
