/** Runs one command line: finds the command, gives it what it needs, and turns what it throws into an exit code. */
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import type { ControlClient } from '../api/control-client.ts';
import { ERROR_CODES, type ErrorShape, errorShape } from '../api/errors.ts';
import type { Paths } from '../api/paths.ts';
import { findCommand, onlyArgument, type Parsed, parseCommand } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';
import { openControl, runningDaemon } from './connection.ts';
import { type CommandGroup, commandHelp, overview } from './help.ts';
import { harmless, harmlessJson } from './terminal.ts';

/** The process a command line runs in. */
export interface ProgramEnvironment extends Pick<CommandContext, 'stdin' | 'stdout' | 'stderr' | 'env' | 'cwd' | 'signal'> {
  readonly paths: Paths;
}

/**
 * Runs `words` (without `node` and the script) and returns the exit code. An error goes to standard error with its cause and fix,
 * or under `--json` to standard output as `{"error": {code, message, cause, fix}}`.
 */
export async function runProgram(
  groups: readonly CommandGroup[],
  words: readonly string[],
  environment: ProgramEnvironment,
): Promise<number> {
  const commands = groups.flatMap((group) => group.commands);
  let json = words.includes('--json');
  try {
    const [word, ...rest] = leading(words);
    if (word === undefined || word === 'help' || word === '--help' || word === '-h')
      return showHelp(groups, commands, rest, json, environment);
    const command = word === '--version' || word === '-v' ? findCommand(commands, 'version') : findCommand(commands, word);
    // what stands behind a raw command belongs to another program
    if (command.raw === true) json = false;
    const parsed: Parsed = command.raw === true ? rawArguments(rest) : parseCommand(command, rest);
    if (parsed.flags.on('help')) return showHelp(groups, commands, [command.name], json, environment);
    return await runCommand(command, parsed, json, environment);
  } catch (error) {
    const shape = errorShape(error);
    if (json) environment.stdout.write(`${harmlessJson(JSON.stringify({ error: shape }, null, 2))}\n`);
    else environment.stderr.write(`${harmless(errorText(shape))}\n`);
    return ERROR_CODES[shape.code];
  }
}

/** How an error reads: what happened, why, what to do next. */
export function errorText({ code, message, cause, fix }: ErrorShape): string {
  const indented = (value: string): string => value.replaceAll('\n', '\n       ');
  return `${code}: ${message}\n  why: ${indented(cause)}\n  fix: ${indented(fix)}`;
}

/** `signalbox --json status` is `signalbox status --json`. */
function leading(words: readonly string[]): readonly string[] {
  return words[0] === '--json' ? [...words.slice(1), '--json'] : words;
}

function rawArguments(words: readonly string[]): Parsed {
  const help = words.length > 0 && (words[0] === '--help' || words[0] === '-h');
  return { flags: { text: () => undefined, list: () => [], on: (name) => name === 'help' && help }, args: words };
}

function showHelp(
  groups: readonly CommandGroup[],
  commands: readonly Command[],
  rest: readonly string[],
  json: boolean,
  { stdout }: ProgramEnvironment,
): number {
  const topics = rest.filter((word) => !word.startsWith('-'));
  if (topics.length === 0) {
    const list = commands.map(({ name, summary, usage }) => ({ name, summary, usage }));
    stdout.write(json ? `${JSON.stringify({ commands: list }, null, 2)}\n` : `${overview(groups)}\n`);
    return 0;
  }
  const command = findCommand(commands, onlyArgument('help', topics, 'a command'));
  const { name, summary, usage, options } = command;
  stdout.write(json ? `${JSON.stringify({ name, summary, usage, options }, null, 2)}\n` : `${commandHelp(command)}\n`);
  return 0;
}

async function runCommand(command: Command, parsed: Parsed, json: boolean, environment: ProgramEnvironment): Promise<number> {
  const { stdin, stdout, stderr, paths } = environment;
  const clients: ControlClient[] = [];
  const hangUp = (): void => {
    for (const client of clients) client.close();
  };
  environment.signal.addEventListener('abort', hangUp);
  try {
    return await command.run({
      ...environment,
      ...parsed,
      json,
      result: (value, human) => {
        const shown = json ? harmlessJson(JSON.stringify(value, null, 2)) : typeof human === 'string' ? human : human();
        // a pipe gets a server's text as it is; a person's terminal obeys nobody but us
        if (shown !== '') stdout.write(`${stdout.isTTY === true ? harmless(shown) : shown}\n`);
      },
      note: (line) => void stderr.write(`${harmless(line)}\n`),
      confirm: (question) => confirm(question, environment),
      readInput: () => text(stdin),
      connect: async () => {
        const client = await openControl(await runningDaemon(paths));
        clients.push(client);
        return client;
      },
    });
  } finally {
    environment.signal.removeEventListener('abort', hangUp);
    hangUp();
  }
}

async function confirm(question: string, { stdin, stderr, signal }: ProgramEnvironment): Promise<boolean> {
  if (stdin.isTTY !== true) return false;
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${harmless(question)} [y/N] `, { signal })).trim());
  } catch {
    return false; // Ctrl-C or the end of input is a no
  } finally {
    lines.close();
  }
}
