/** The traffic a command is about: its flags, and the query language. */
import { resolve } from 'node:path';
import type { TrafficQuery } from '../../api/sessions.ts';
import { parseTrafficQuery } from '../../api/traffic-query.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';

/**
 * Reads flags and words; a flag says more than a word.
 * @throws SBX_USAGE for a word that is not understood
 */
export function trafficQuery({ flags, cwd }: Pick<CommandContext, 'flags' | 'cwd'>, words: readonly string[]): TrafficQuery {
  // What the shell left in one piece stays one: a word with blanks is text to find.
  const text = words.map((word) => (/\s/.test(word) && !/^[a-z]+:/.test(word) ? JSON.stringify(word) : word)).join(' ');
  const { query, problems } = parseTrafficQuery(text);
  const [problem] = problems;
  if (problem !== undefined)
    throw usageError(`The query ${JSON.stringify(text)} is not understood.`, problem, 'Run `signalbox help sessions` for the keys.');
  const given = Object.fromEntries(
    ['session', 'client', 'endpoint', 'server', 'method', 'search'].flatMap((name) => {
      const value = flags.text(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const workspace = flags.text('workspace');
  return {
    ...query,
    ...given,
    ...(workspace === undefined ? {} : { workspace: resolve(cwd, workspace) }),
    ...(flags.on('errors') ? { errors: true } : {}),
    ...(flags.on('messages') ? { messages: true } : {}),
    ...(flags.on('reveal') ? { reveal: true } : {}),
  };
}

/**
 * A whole number of a flag.
 * @throws SBX_USAGE when it is none
 */
export function numberOf({ flags }: Pick<CommandContext, 'flags'>, name: string): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw usageError(`\`--${name} ${text}\` is not a number.`, 'It must be a whole number above 0.', `For example \`--${name} 100\`.`);
  return Number(text);
}
