/** Claude Code: `.claude.json` for the scopes user and local, `.mcp.json` for project, through `claude mcp` where that is installed. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { addArguments, findClaude, listServers, removeArguments, runClaude, shellLine } from '../claude-command.ts';
import type { Place, WirableClient } from '../client.ts';
import { type Scope, SERVER_KEY, type WiringEnvironment } from '../wiring.ts';

/** Claude Code. */
export const claudeCode: WirableClient = {
  name: 'claude-code',
  title: 'Claude Code',
  scopes: ['user', 'local', 'project'],
  program: 'claude',
  next: 'Start a new Claude Code session to see its tools.',
  place: placeOf,
  entry: (launch) => ({ type: 'stdio', ...launch }),
  traces: ({ env, home }) => [env['CLAUDE_CONFIG_DIR'] ?? join(home, '.claude'), join(home, '.claude.json')],
  command: (scope, entry, environment) => {
    const claude = findClaude(environment);
    if (claude === undefined) return undefined;
    const add = addArguments(SERVER_KEY, entry, scope);
    const remove = removeArguments(SERVER_KEY, scope);
    return {
      // add-json refuses to replace an entry, so an older one of ours goes first.
      line: (replace) => (replace ? [remove, add] : [add]).map((words) => shellLine(['claude', ...words])).join(' && '),
      write: async (replace) => {
        if (replace) await runClaude(claude, remove, environment);
        await runClaude(claude, add, environment);
      },
      lookFor: `Look where it went with \`claude mcp get ${SERVER_KEY}\` and take it out with \`claude mcp remove ${SERVER_KEY}\`.`,
    };
  },
  removal: (scope) => `take it out with \`claude mcp remove ${SERVER_KEY} --scope ${scope}\``,
  ask: async (environment) => {
    const claude = findClaude(environment);
    if (claude === undefined) return undefined;
    const said = (await listServers(claude, environment)).split('\n').find((line) => line.startsWith(`${SERVER_KEY}:`));
    // `claude mcp list` exits with 0 whatever it found; the sign at the end of a line says it.
    return said === undefined ? { ok: false, said: 'It does not list Signalbox.' } : { ok: /[✔✓]/u.test(said), said: said.trim() };
  },
};

/** The file, and where in it our entry stands. */
function placeOf(scope: Scope, { env, cwd, home }: WiringEnvironment): Place {
  if (scope === 'project') return { file: join(realpathSync(cwd), '.mcp.json'), path: ['mcpServers', SERVER_KEY], format: 'json' };
  const moved = env['CLAUDE_CONFIG_DIR'];
  // Claude Code goes on using this older file where it exists.
  const legacy = join(moved ?? join(home, '.claude'), '.config.json');
  const file = existsSync(legacy) ? legacy : join(moved ?? home, '.claude.json');
  const path = scope === 'user' ? ['mcpServers', SERVER_KEY] : ['projects', projectOf(cwd), 'mcpServers', SERVER_KEY];
  return { file, path, format: 'json' };
}

/** The key of a project in `.claude.json`: the root of its git repository (for a worktree, of the main one), else the folder itself. */
function projectOf(cwd: string): string {
  const start = realpathSync(cwd);
  for (let folder = start; ; folder = dirname(folder)) {
    const git = join(folder, '.git');
    if (existsSync(git)) return statSync(git).isDirectory() ? folder : mainWorktree(folder, readFileSync(git, 'utf8'));
    if (dirname(folder) === folder) return start;
  }
}

/** A worktree's `.git` file says `gitdir: <main>/.git/worktrees/<name>`; a submodule's (`…/.git/modules/…`) is a repository of its own. */
function mainWorktree(folder: string, pointer: string): string {
  const gitdir = /^gitdir: (.+)$/m.exec(pointer)?.[1];
  const common = gitdir === undefined ? undefined : /^(.+)[/\\]\.git[/\\]worktrees[/\\][^/\\]+$/.exec(resolve(folder, gitdir))?.[1];
  return common !== undefined && existsSync(common) ? realpathSync(common) : folder;
}
