/** Windsurf: `~/.codeium/windsurf/mcp_config.json`, for the user only. https://docs.windsurf.com/windsurf/cascade/mcp */
import { join } from 'node:path';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY } from '../wiring.ts';

/** Windsurf. */
export const windsurf: WirableClient = {
  name: 'windsurf',
  title: 'Windsurf',
  scopes: ['user'],
  program: 'windsurf',
  next: 'Press Refresh in the MCP settings of Cascade.',
  place: (_scope, { home }) => ({
    file: join(home, '.codeium', 'windsurf', 'mcp_config.json'),
    path: ['mcpServers', SERVER_KEY],
    format: 'json',
  }),
  entry: (launch) => ({ ...launch }),
  traces: ({ home }) => [join(home, '.codeium', 'windsurf')],
};
