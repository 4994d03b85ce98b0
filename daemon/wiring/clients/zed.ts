/** Zed: `context_servers` of the user's settings, or of `.zed/settings.json` of a project. https://zed.dev/docs/ai/mcp */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { applicationData } from '../application-data.ts';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY, type WiringEnvironment } from '../wiring.ts';

/** Zed. */
export const zed: WirableClient = {
  name: 'zed',
  title: 'Zed',
  scopes: ['user', 'project'],
  program: 'zed',
  next: 'Zed starts it at once; the dot beside it in the settings of the Agent Panel turns green.',
  place: (scope, environment) => ({
    file: join(scope === 'project' ? join(realpathSync(environment.cwd), '.zed') : settingsFolder(environment), 'settings.json'),
    path: ['context_servers', SERVER_KEY],
    format: 'jsonc',
  }),
  // Versions before 2026 take an entry without `source` for one of an extension.
  entry: (launch) => ({ source: 'custom', ...launch }),
  traces: (environment) => [settingsFolder(environment)],
};

/** On macOS Zed keeps its settings where Linux has them. */
function settingsFolder(environment: WiringEnvironment): string {
  if (environment.platform === 'win32') return join(applicationData(environment), 'Zed');
  return environment.platform === 'darwin' ? join(environment.home, '.config', 'zed') : join(applicationData(environment), 'zed');
}
