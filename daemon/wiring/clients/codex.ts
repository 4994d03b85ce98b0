/** Codex: `config.toml` of `$CODEX_HOME` (`~/.codex`), `.codex/config.toml` of a trusted project. https://developers.openai.com/codex/mcp */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { WirableClient } from '../client.ts';
import { SERVER_KEY, type WiringEnvironment } from '../wiring.ts';

/** Codex. */
export const codex: WirableClient = {
  name: 'codex',
  title: 'Codex',
  scopes: ['user', 'project'],
  program: 'codex',
  next: 'Start a new Codex session to see its tools; `codex mcp list` shows the entry.',
  place: (scope, environment) => ({
    file: join(scope === 'project' ? join(realpathSync(environment.cwd), '.codex') : homeOf(environment), 'config.toml'),
    path: ['mcp_servers', SERVER_KEY],
    format: 'toml',
  }),
  entry: (launch) => ({ ...launch }),
  traces: (environment) => [homeOf(environment)],
};

function homeOf({ env, home }: WiringEnvironment): string {
  return env['CODEX_HOME'] ?? join(home, '.codex');
}
