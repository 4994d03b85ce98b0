/**
 * VS Code without the extension: `mcp.json` of the user profile, `.vscode/mcp.json` of a project. (The extension offers the endpoints by itself.)
 * https://code.visualstudio.com/docs/copilot/reference/mcp-configuration
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { applicationData } from '../application-data.ts';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY } from '../wiring.ts';

/** VS Code. */
export const vscode: WirableClient = {
  name: 'vscode',
  title: 'VS Code',
  scopes: ['user', 'project'],
  program: 'code',
  next: 'Run "MCP: List Servers" in VS Code and start it; windows with the Signalbox extension have it already.',
  place: (scope, environment) => ({
    file:
      scope === 'project'
        ? join(realpathSync(environment.cwd), '.vscode', 'mcp.json')
        : join(applicationData(environment), 'Code', 'User', 'mcp.json'),
    path: ['servers', SERVER_KEY],
    format: 'jsonc',
  }),
  entry: (launch) => ({ type: 'stdio', ...launch }),
  traces: (environment) => [join(applicationData(environment), 'Code', 'User')],
};
