/** From words to a command with its flags. */
import { parseArgs } from 'node:util';
import { SignalboxError } from '../api/errors.ts';
import { nearest } from '../config/suggestion.ts';
import type { Command, Flags, Option } from './command.ts';

/** Flags every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', summary: 'one JSON document on standard output' },
  help: { type: 'boolean', short: 'h', summary: 'show this help' },
};

/** A parsed command line. */
export interface Parsed {
  readonly flags: Flags;
  readonly args: readonly string[];
  /** `--` stood before the arguments: they are the command line of another program. */
  readonly terminated?: boolean;
}

/** A mistake in the command line, with what was probably meant. */
export function usageError(message: string, why: string, fix: string): SignalboxError {
  return new SignalboxError('SBX_USAGE', message, { why, fix });
}

/**
 * Finds the command a word names.
 * @throws SBX_USAGE with the nearest command
 */
export function findCommand(commands: readonly Command[], word: string): Command {
  const found = commands.find(({ name }) => name === word);
  if (found !== undefined) return found;
  const meant = nearest(
    word,
    commands.map(({ name }) => name),
  );
  throw usageError(
    `There is no command \`${word}\`.`,
    'Signalbox does not know this word.',
    meant === undefined ? 'Run `signalbox help` for the commands.' : `Did you mean \`signalbox ${meant}\`?`,
  );
}

/**
 * Reads the words after a command's name.
 * @throws SBX_USAGE for an unknown flag (with the nearest one), a missing value, a value for a boolean
 */
export function parseCommand(command: Command, words: readonly string[]): Parsed {
  const options = { ...COMMON_OPTIONS, ...command.options };
  const known: Record<string, { type: 'boolean' | 'string'; multiple: true; short?: string }> = {};
  for (const [name, { type, short }] of Object.entries(options))
    known[name] = { type, multiple: true, ...(short === undefined ? {} : { short }) };
  let parsed: { values: Record<string, (string | boolean)[] | undefined>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...words], options: known, allowPositionals: true, strict: true });
  } catch (error) {
    throw flagError(command, Object.keys(options), error);
  }
  const values = (name: string): (string | boolean)[] => parsed.values[name] ?? [];
  const texts = (name: string): string[] => values(name).filter((value) => typeof value === 'string');
  return {
    flags: { text: (name) => texts(name).at(-1), list: texts, on: (name) => values(name).length > 0 },
    args: parsed.positionals,
    terminated: words.indexOf('--') >= 0 && words.length - words.indexOf('--') - 1 === parsed.positionals.length,
  };
}

function flagError(command: Command, names: readonly string[], error: unknown): SignalboxError {
  const text = error instanceof Error ? error.message : String(error);
  // Node's words: "Unknown option '--foo'. To specify a positional argument …"
  const unknown = /Unknown option '-{1,2}([^' ]+)'/.exec(text)?.[1];
  const help = `Run \`signalbox help ${command.name}\`.`;
  if (unknown === undefined) return usageError(`Wrong use of \`signalbox ${command.name}\`.`, text.split('. ')[0] ?? text, help);
  const meant = nearest(unknown, names);
  return usageError(
    `\`signalbox ${command.name}\` has no flag \`--${unknown}\`.`,
    `It has ${names.map((name) => `--${name}`).join(', ')}.`,
    meant === undefined ? help : `Did you mean \`--${meant}\`?`,
  );
}

/**
 * The positional arguments of a command by name.
 * @param names what each stands for; one ending in `?` may be missing
 * @throws SBX_USAGE when one is missing or there are too many
 */
export function positionals(command: string, args: readonly string[], names: readonly string[]): readonly (string | undefined)[] {
  const required = names.filter((name) => !name.endsWith('?'));
  const missing = required[args.length];
  if (args.length < required.length && missing !== undefined)
    throw usageError(`\`signalbox ${command}\` needs ${missing}.`, 'It was not given.', `Run \`signalbox help ${command.split(' ')[0]}\`.`);
  const extra = args[names.length];
  if (extra !== undefined)
    throw usageError(
      `\`signalbox ${command}\` does not know what to do with \`${extra}\`.`,
      names.length === 0 ? 'It takes no arguments.' : `It takes ${names.map((name) => name.replace('?', '')).join(' and ')}.`,
      `Run \`signalbox help ${command.split(' ')[0]}\`.`,
    );
  return args;
}

/** The first positional argument. Throws as {@link positionals}. */
export function onlyArgument(command: string, args: readonly string[], name: string): string {
  return positionals(command, args, [name])[0] ?? '';
}

/**
 * Splits `list NAME` into the verb and the rest.
 * @param fallback verb when there is none; none means that one is needed
 * @throws SBX_USAGE with the nearest verb
 */
export function verbOf<V extends string>(
  command: string,
  args: readonly string[],
  verbs: readonly V[],
  fallback?: V,
): [verb: V, rest: readonly string[]] {
  const [word, ...rest] = args;
  if (word === undefined && fallback !== undefined) return [fallback, []];
  const verb = verbs.find((candidate) => candidate === word);
  if (verb !== undefined) return [verb, rest];
  const meant = word === undefined ? undefined : nearest(word, verbs);
  throw usageError(
    word === undefined ? `\`signalbox ${command}\` needs to know what to do.` : `\`signalbox ${command}\` cannot \`${word}\`.`,
    `It knows ${verbs.join(', ')}.`,
    meant === undefined ? `Run \`signalbox help ${command}\`.` : `Did you mean \`signalbox ${command} ${meant}\`?`,
  );
}
