/** What the command line of a replay as a client aims at, and the rules it gives. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ReplayRules, ReplayTarget } from '../../api/recordings.ts';
import { checkRules, mergedRules, RULES_FILE, readRules } from '../../sessions/compare/rules.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';

/**
 * The target.
 * @param words what stands behind the recording
 * @throws SBX_USAGE
 */
export function aimOf({ flags, cwd, env }: CommandContext, words: readonly string[]): ReplayTarget {
  const against = flags.text('against');
  const [command, ...args] = words;
  const workspace = flags.text('workspace');
  const place = workspace === undefined ? {} : { workspace: resolve(cwd, workspace) };
  if (against === undefined) {
    if (command === undefined) return { kind: 'endpoint', endpoint: 'default', ...place };
    const own = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
    return { kind: 'stdio', command, args, cwd, env: own };
  }
  const [, kind, inline] = /^(server|endpoint)(?::(.+))?$/.exec(against) ?? [];
  const name = inline ?? command;
  if (inline !== undefined || kind === undefined ? words.length > 0 : words.length !== 1)
    throw usageError(
      words.length === 0 ? `\`--against ${against}\` needs a name.` : `\`${words.join(' ')}\` is too much.`,
      'A replay has one target: what --against names, or a command behind `--`.',
      'Write `--against server:NAME`, `--against endpoint:NAME`, `--against URL`, or `-- COMMAND`.',
    );
  if (kind === 'server') return { kind, server: name ?? '', ...place };
  if (kind === 'endpoint') return { kind, endpoint: name ?? '', ...place };
  if (/^https?:\/\//.test(against)) return { kind: 'http', url: against, headers: headersOf(flags.list('header')) };
  return { kind: 'endpoint', endpoint: against, ...place };
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw usageError(`--header \`${line}\` is not a header.`, 'It has no colon.', 'Write it as `Name: value`.');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/**
 * The rules: those of the file, and those of the flags.
 * @throws SBX_REPLAY_RULES, SBX_USAGE
 */
export function rulesOf({ flags, cwd }: CommandContext): ReplayRules {
  const given = flags.text('rules');
  const file = given === undefined ? nearestRules(cwd) : resolve(cwd, given);
  const slower = {
    ...(flags.text('slower') === undefined ? {} : { factor: numberOf(flags.text('slower') ?? '', 'slower') }),
    ...(flags.text('slower-floor') === undefined ? {} : { floorMs: numberOf(flags.text('slower-floor') ?? '', 'slower-floor') }),
  };
  const notifications = flags.text('notifications');
  const own = checkRules(
    {
      ignore: flags.list('ignore'),
      volatile: flags.list('volatile'),
      exact: flags.list('exact'),
      allow: flags.list('allow'),
      slower,
      ...(notifications === undefined ? {} : { notifications }),
    },
    'the flags',
  );
  return file === undefined ? own : mergedRules(readRules(file), own);
}

/**
 * The rules with the variables of the environment in their `values`: what is sent needs them, what is compared does not.
 * @throws SBX_USAGE for a variable that is not set
 */
export function withValues(rules: ReplayRules, env: CommandContext['env']): ReplayRules {
  if (rules.values === undefined) return rules;
  const values = Object.entries(rules.values).map(([placeholder, value]) => [placeholder, expanded(value, env)]);
  return { ...rules, values: Object.fromEntries(values) as Record<string, string> };
}

/** A whole number of milliseconds, or a factor. @throws SBX_USAGE */
export function numberOf(text: string, flag: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value < 1e9) return value;
  throw usageError(`--${flag} \`${text}\` is no number.`, 'It must be one from 0 up.', `Give one, such as --${flag} 500.`);
}

function expanded(value: string, env: CommandContext['env']): string {
  return value.replaceAll(/\$\{env:([^}]+)\}/g, (_all, name: string) => {
    const found = env[name];
    if (found !== undefined) return found;
    throw usageError(`The variable ${name} of the environment is not set.`, '`values` of the rules names it.', `Set ${name}.`);
  });
}

function nearestRules(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, RULES_FILE))) return join(folder, RULES_FILE);
    if (dirname(folder) === folder) return undefined;
  }
}
