/** Cursor: `~/.cursor/mcp.json`, `.cursor/mcp.json` of a project. https://cursor.com/docs/context/mcp */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY } from '../wiring.ts';

/** Cursor. */
export const cursor: WirableClient = {
  name: 'cursor',
  title: 'Cursor',
  scopes: ['user', 'project'],
  program: 'cursor',
  next: 'Cursor asks once whether the new server may start: Settings, Tools & MCP.',
  place: (scope, { cwd, home }) => ({
    file: join(scope === 'project' ? realpathSync(cwd) : home, '.cursor', 'mcp.json'),
    path: ['mcpServers', SERVER_KEY],
    format: 'jsonc',
  }),
  entry: (launch) => ({ type: 'stdio', ...launch }),
  traces: ({ home }) => [join(home, '.cursor')],
};
