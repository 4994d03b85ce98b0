/** The help: a screenful for everything, a page for each command. */
import { COMMON_OPTIONS } from './arguments.ts';
import type { Command, Option } from './command.ts';
import { table } from './table.ts';

/** A titled group of commands, in the order they are read. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** What `signalbox` alone prints. */
export function overview(groups: readonly CommandGroup[]): string {
  const width = Math.max(...groups.flatMap(({ commands }) => commands.map(({ name }) => name.length)));
  const sections = groups.map(({ title, commands }) => {
    const rows = commands.map(({ name, summary }) => [name.padEnd(width), summary]);
    return `${title}\n${table(rows, { indent: 2 })}`;
  });
  return [
    'Signalbox: one endpoint for all your MCP servers.',
    'Usage: signalbox <command> [--json]',
    ...sections,
    'Start here: `signalbox demo`, or `signalbox up` and `signalbox wire claude-code`.\nMore: `signalbox help <command>`. Exit codes: 0 done, 1 the thing checked failed, 2 wrong usage or configuration, 3 no daemon.',
  ].join('\n\n');
}

/** What `signalbox help <command>` prints. */
export function commandHelp(command: Command): string {
  const options = { ...command.options, ...(command.raw === true ? {} : COMMON_OPTIONS) };
  const parts = [`${command.summary}.`, `Usage\n${command.usage.map((line) => `  ${line}`).join('\n')}`, ...(command.details ?? [])];
  if (Object.keys(options).length > 0)
    parts.push(
      `Flags\n${table(
        Object.entries(options).map(([name, option]) => [flagText(name, option), option.summary]),
        { indent: 2 },
      )}`,
    );
  if (command.examples !== undefined) parts.push(`Examples\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
  return parts.join('\n\n');
}

function flagText(name: string, { type, short, value, multiple }: Option): string {
  const long = `--${name}${type === 'string' ? ` ${value ?? 'VALUE'}` : ''}`;
  return `${short === undefined ? '' : `-${short}, `}${long}${multiple === true ? ' …' : ''}`;
}
