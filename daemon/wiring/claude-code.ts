/** Claude Code: `.claude.json` for the scopes user and local, `.mcp.json` for project, through `claude mcp` where that is installed. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SignalboxError } from '../api/errors.ts';
import { addArguments, findClaude, removeArguments, runClaude, shellLine } from './claude-command.ts';
import { unifiedDiff } from './diff.ts';
import { bytesOf, type JsonFile, type KeyPath, readJsonFile, replaceFile, textWith, valueAt } from './json-file.ts';
import { backupFile, digestOf, dropRecord, findRecord, keepRecord, type WiringRecord } from './record.ts';
import { undoWiring } from './undo.ts';
import { type Scope, SERVER_KEY, type Wiring, type WiringEnvironment, type WiringPlan, type WiringResult } from './wiring.ts';

const CLIENT = 'claude-code';

type Place = Pick<WiringRecord, 'client' | 'scope' | 'file' | 'path'>;
interface Situation {
  readonly place: Place;
  readonly json: JsonFile;
  readonly current: unknown;
  readonly record: WiringRecord | undefined;
}

/**
 * The wiring of Claude Code in one scope.
 * @param environment `cwd` is the project of the scopes local and project
 */
export function claudeCodeWiring(scope: Scope, environment: WiringEnvironment): Wiring {
  const entry = entryFor(scope, environment);

  function situation(): Situation {
    const place: Place = { client: CLIENT, scope, ...placeOf(scope, environment) };
    const json = readJsonFile(place.file);
    const current = valueAt(json, place.path);
    const record = findRecord(environment.paths, place);
    const ours = current === undefined || isDeepStrictEqual(current, record?.after) || isLaunchedByUs(current, environment);
    if (!ours && !isDeepStrictEqual(current, entry)) throw foreignEntry(place, scope);
    return { place, json, current, record };
  }

  function plan({ place, json, current }: Situation): WiringPlan {
    const { client, file } = place;
    if (isDeepStrictEqual(current, entry)) return { client, scope, file, method: 'none' };
    if (findClaude(environment) === undefined) {
      const diff = unifiedDiff(file, json.bytes === undefined ? undefined : json.text, textWith(json, place.path, entry));
      return { client, scope, file, method: 'file', diff };
    }
    const add = shellLine(['claude', ...addArguments(SERVER_KEY, entry, scope)]);
    // add-json refuses to replace an entry, so an older one of ours goes first.
    const command = current === undefined ? add : `${shellLine(['claude', ...removeArguments(SERVER_KEY, scope)])} && ${add}`;
    return { client, scope, file, method: 'command', command };
  }

  async function write(): Promise<WiringResult> {
    const { paths } = environment;
    const found = situation();
    const planned = plan(found);
    const { place, json, current, record } = found;
    if (planned.method === 'none') {
      // Our own launcher, but no record (the state folder was cleared): from now on it can be taken back.
      if (record === undefined && scope !== 'project') keepRecord(paths, recordOf(found, entry, true), json.bytes);
      return { ...planned, changed: false };
    }
    // First the record, then the change: whatever happens in between, undo knows what to do.
    const next = recordOf(found, entry, false);
    const claude = planned.method === 'command' ? findClaude(environment) : undefined;
    const text = textWith(json, place.path, entry);
    const alone = claude === undefined && (record === undefined || isLeftByUs(record, json));
    keepRecord(
      paths,
      alone ? { ...next, writtenDigest: digestOf(bytesOf(json, text)) } : next,
      record === undefined || current === undefined ? json.bytes : 'keep',
    );
    try {
      if (claude === undefined) replaceFile(json, bytesOf(json, text), scope === 'project' ? 0o666 & ~process.umask() : 0o600);
      else await writeThrough(claude, current !== undefined, place);
    } catch (thrown) {
      if (valueAt(readJsonFile(place.file), place.path) === undefined) dropRecord(paths, next);
      else if (record !== undefined) keepRecord(paths, record, 'keep');
      throw thrown;
    }
    return { ...planned, changed: true, ...(json.bytes === undefined ? {} : { backup: backupFile(paths, place) }) };
  }

  async function writeThrough(claude: string, replace: boolean, place: Place): Promise<void> {
    if (replace) await runClaude(claude, removeArguments(SERVER_KEY, scope), environment);
    await runClaude(claude, addArguments(SERVER_KEY, entry, scope), environment);
    if (!isDeepStrictEqual(valueAt(readJsonFile(place.file), place.path), entry)) {
      throw new SignalboxError('SBX_WIRE_CLIENT', `Claude Code did not write the entry where Signalbox looked for it.`, {
        why: `"${place.path.join('" / "')}" in ${place.file} is not what \`claude mcp add-json\` was given.`,
        fix: `Look where it went with \`claude mcp get ${SERVER_KEY}\` and take it out with \`claude mcp remove ${SERVER_KEY}\`.`,
      });
    }
  }

  return {
    preview: async () => plan(situation()),
    write,
    undo: async (options) => {
      const place: Place = { client: CLIENT, scope, ...placeOf(scope, environment) };
      const record = findRecord(environment.paths, place);
      if (record === undefined) {
        throw new SignalboxError('SBX_WIRE_NOTHING', `Claude Code is not wired in the ${scope} scope here.`, {
          why: `There is no record of Signalbox writing to ${place.file}.`,
          fix: 'Name the scope it was wired in with --scope, or run `signalbox unwire --all` to take back every wiring.',
        });
      }
      return undoWiring(environment.paths, record, options);
    },
  };
}

/** Our entry. A project's file is shared and committed: nothing of this machine may be in it. */
function entryFor(scope: Scope, { paths, env }: WiringEnvironment): object {
  const args = ['connect', '--client', CLIENT];
  if (scope === 'project') return { type: 'stdio', command: 'npx', args: ['mcp-signalbox', ...args] };
  // Folders moved by the environment: the bridge must find the daemon this command found, whatever Claude's own environment is.
  const moved = ['SIGNALBOX_STATE_DIR', 'SIGNALBOX_CONFIG_DIR'].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  return { type: 'stdio', command: paths.launcher, args, ...(moved.length === 0 ? {} : { env: Object.fromEntries(moved) }) };
}

/** The file, and where in it our entry stands. */
function placeOf(scope: Scope, { env, cwd, home }: WiringEnvironment): { file: string; path: KeyPath } {
  if (scope === 'project') return { file: join(realpathSync(cwd), '.mcp.json'), path: ['mcpServers', SERVER_KEY] };
  const moved = env['CLAUDE_CONFIG_DIR'];
  // Claude Code goes on using this older file where it exists.
  const legacy = join(moved ?? join(home, '.claude'), '.config.json');
  const file = existsSync(legacy) ? legacy : join(moved ?? home, '.claude.json');
  return { file, path: scope === 'user' ? ['mcpServers', SERVER_KEY] : ['projects', projectOf(cwd), 'mcpServers', SERVER_KEY] };
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

function isLaunchedByUs(value: unknown, { paths }: WiringEnvironment): boolean {
  return typeof value === 'object' && value !== null && (value as { command?: unknown }).command === paths.launcher;
}

function isLeftByUs(record: WiringRecord, json: JsonFile): boolean {
  return json.bytes !== undefined && record.writtenDigest === digestOf(json.bytes);
}

/** A new record; where one exists, what stood there before us stays what it was. */
function recordOf({ place, json, current, record }: Situation, after: object, adopted: boolean): WiringRecord {
  const base = { version: 1, ...place, after, wiredAt: new Date().toISOString() } as const;
  if (record !== undefined && current !== undefined) {
    const { created, createdFile } = record;
    return { ...base, ...('before' in record ? { before: record.before } : {}), created, createdFile };
  }
  const parents = place.path.slice(0, -1).map((_, index) => place.path.slice(0, index + 1));
  return {
    ...base,
    ...(current === undefined || adopted ? {} : { before: current }),
    created: parents.filter((path) => valueAt(json, path) === undefined),
    createdFile: json.bytes === undefined,
  };
}

function foreignEntry({ file, path }: Place, scope: Scope): SignalboxError {
  return new SignalboxError('SBX_WIRE_CONFLICT', `${file} already has a server named "${SERVER_KEY}" that Signalbox did not write.`, {
    why: `The entry at "${path.join('" / "')}" is somebody else's, or was edited by hand.`,
    fix: `If you do not need it, take it out with \`claude mcp remove ${SERVER_KEY} --scope ${scope}\`, then run the command again.`,
  });
}
