/**
 * GitHub Copilot CLI: `mcp-config.json` of `$COPILOT_HOME` (`~/.copilot`), `.github/mcp.json` of a project. It reads a project's `.mcp.json` too, but there
 * Claude Code's entry stands. https://docs.github.com/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY, type WiringEnvironment } from '../wiring.ts';

/** GitHub Copilot CLI. */
export const copilot: WirableClient = {
  name: 'copilot',
  title: 'GitHub Copilot CLI',
  scopes: ['user', 'project'],
  program: 'copilot',
  next: 'Start a new `copilot` session to see its tools; `/mcp show` lists them.',
  place: (scope, environment) => ({
    file: scope === 'project' ? join(realpathSync(environment.cwd), '.github', 'mcp.json') : join(homeOf(environment), 'mcp-config.json'),
    path: ['mcpServers', SERVER_KEY],
    format: 'json',
  }),
  entry: (launch) => ({ type: 'local', ...launch, tools: ['*'] }),
  traces: (environment) => [homeOf(environment)],
};

function homeOf({ env, home }: WiringEnvironment): string {
  return env['COPILOT_HOME'] ?? join(home, '.copilot');
}
