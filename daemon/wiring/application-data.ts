/** Where programs keep a user's settings on each system. */
import { posix, win32 } from 'node:path';
import type { WiringEnvironment } from './wiring.ts';

/** The folder of per-user settings: `%APPDATA%`, `~/Library/Application Support`, or `$XDG_CONFIG_HOME`. */
export function applicationData({ platform, env, home }: WiringEnvironment): string {
  if (platform === 'win32') return env['APPDATA'] ?? win32.join(home, 'AppData', 'Roaming');
  return platform === 'darwin'
    ? posix.join(home, 'Library', 'Application Support')
    : (env['XDG_CONFIG_HOME'] ?? posix.join(home, '.config'));
}
