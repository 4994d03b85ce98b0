/** Claude Desktop: `claude_desktop_config.json`, for the user only. https://modelcontextprotocol.io/docs/develop/connect-local-servers */
import { join } from 'node:path';
import { applicationData } from '../application-data.ts';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY } from '../wiring.ts';

/** Claude Desktop. */
export const claudeDesktop: WirableClient = {
  name: 'claude-desktop',
  title: 'Claude Desktop',
  scopes: ['user'],
  next: 'Quit Claude Desktop and start it again: it reads its configuration only then.',
  place: (_scope, environment) => ({
    file: join(applicationData(environment), 'Claude', 'claude_desktop_config.json'),
    path: ['mcpServers', SERVER_KEY],
    format: 'json',
  }),
  entry: (launch) => ({ ...launch }),
  traces: (environment) => [join(applicationData(environment), 'Claude')],
};
