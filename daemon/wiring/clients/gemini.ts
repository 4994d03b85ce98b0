/**
 * Gemini CLI: `~/.gemini/settings.json`, `.gemini/settings.json` of a project. `gemini mcp add` loses entries in an untrusted folder, so the file is
 * written directly. https://geminicli.com/docs/tools/mcp-server/
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY, type WiringEnvironment } from '../wiring.ts';

/** Gemini CLI. */
export const gemini: WirableClient = {
  name: 'gemini',
  title: 'Gemini CLI',
  scopes: ['user', 'project'],
  program: 'gemini',
  next: 'Start a new Gemini CLI session to see its tools; `/mcp` lists them.',
  place: (scope, environment) => ({
    file: join(scope === 'project' ? realpathSync(environment.cwd) : homeOf(environment), '.gemini', 'settings.json'),
    path: ['mcpServers', SERVER_KEY],
    format: 'jsonc',
  }),
  entry: (launch) => ({ ...launch }),
  traces: (environment) => [join(homeOf(environment), '.gemini')],
};

function homeOf({ env, home }: WiringEnvironment): string {
  return env['GEMINI_CLI_HOME'] ?? home;
}
