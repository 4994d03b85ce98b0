/** What `signalbox conform` is aimed at and how, read from the command line. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConformanceSettings, Target, Tokens } from '../../api/conformance.ts';
import { CONFORMANCE_FILE, readConformanceFile } from '../../config/conformance-file.ts';
import type { RunJob } from '../../conformance/process/job.ts';
import { withTokens } from '../../conformance/tokens.ts';
import type { Era } from '../../protocol/eras.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';

/** A server of the configuration by its name, or a command or URL. */
export type Aim = { readonly kind: 'server'; readonly server: string } | { readonly kind: 'target'; readonly target: Target };

/** What stands behind the flags: a URL, a name of the configuration, or (behind `--`, or several words) a command. */
export function aimOf(context: CommandContext): Aim {
  const { args, cwd } = context;
  const [first, ...rest] = args;
  if (first === undefined)
    throw usageError(
      '`signalbox conform` needs a server.',
      'It was not given.',
      'Give the name of a configured server, a URL, or a command behind `--`.',
    );
  if (/^https?:\/\//.test(first))
    return { kind: 'target', target: tokened(context, { kind: 'http', url: first, headers: headersOf(context) }) };
  if (context.terminated !== true && rest.length === 0 && !/[\\/.\s]/.test(first)) return { kind: 'server', server: first };
  return { kind: 'target', target: { kind: 'stdio', command: first, args: rest, cwd } };
}

/** The settings file, with what the flags add. */
export function settingsOf(context: CommandContext): ConformanceSettings {
  const { flags, cwd, env } = context;
  const named = flags.text('settings');
  const file = named === undefined ? join(cwd, CONFORMANCE_FILE) : resolve(cwd, named);
  const settings = readConformanceFile(file, env, named === undefined ? 'nothing' : 'error');
  return { ...settings, allow: [...(settings.allow ?? []), ...flags.list('allow')] };
}

/** Everything about a run but its target and settings. */
export function planOf(context: CommandContext): Pick<RunJob, 'eras' | 'seed' | 'runs' | 'limitMs' | 'only'> {
  const only = context.flags.list('only');
  return {
    ...erasOf(context),
    seed: numberOf(context, 'seed', 42),
    runs: numberOf(context, 'runs', 20, 1),
    limitMs: limitOf(context),
    ...(only.length === 0 ? {} : { only }),
  };
}

/** Milliseconds a request may take. */
export function limitOf(context: CommandContext): number {
  return numberOf(context, 'timeout', 5000, 1);
}

/** The headers of `--header`. */
export function headersOf({ flags }: Pick<CommandContext, 'flags'>): Record<string, string> {
  return Object.fromEntries(
    flags.list('header').map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw usageError(`--header \`${line}\` is not a header.`, 'It has no colon.', 'Write it as `Name: value`.');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

const TOKEN_FLAGS: Readonly<Record<string, keyof Tokens>> = {
  token: 'valid',
  token2: 'second',
  'token-expired': 'expired',
  'token-other': 'otherAudience',
  'token-narrow': 'narrow',
};

/** The target with the tokens of the flags and, where these say nothing, of the settings. */
export function tokened(context: CommandContext, target: Target, settings: ConformanceSettings = {}): Target {
  const given = Object.entries(TOKEN_FLAGS).flatMap(([flag, name]) => {
    const value = context.flags.text(flag);
    return value === undefined ? [] : [[name, textOf(context.cwd, flag, value)] as const];
  });
  return withTokens(target, { ...settings.tokens, ...Object.fromEntries(given) });
}

/** `@FILE` is what the file holds: a token on the command line is in the list of processes and in the shell's history. */
function textOf(cwd: string, flag: string, value: string): string {
  if (!value.startsWith('@')) return value;
  try {
    return readFileSync(resolve(cwd, value.slice(1)), 'utf8').trim();
  } catch (error) {
    throw usageError(
      `--${flag} names a file that cannot be read.`,
      error instanceof Error ? error.message : String(error),
      'Give an existing file behind the @.',
    );
  }
}

function erasOf({ flags }: CommandContext): { eras?: readonly Era[] } {
  const era = flags.text('era') ?? 'auto';
  if (era === 'auto' || era === 'both') return {};
  if (era === 'legacy' || era === 'modern') return { eras: [era] };
  throw usageError(
    `There is no era \`${era}\`.`,
    'The eras are legacy (up to 2025-11-25) and modern (2026-07-28).',
    'Give legacy, modern or both.',
  );
}

function numberOf({ flags }: CommandContext, name: string, fallback: number, least = Number.NEGATIVE_INFINITY): number {
  const given = flags.text(name);
  if (given === undefined) return fallback;
  if (!/^-?\d{1,9}$/.test(given) || Number(given) < least)
    throw usageError(
      `--${name} \`${given}\` is not a whole number${least > 0 ? ' above zero' : ''}.`,
      'It must be one.',
      `Give one, such as --${name} ${fallback}.`,
    );
  return Number(given);
}
