/** `signalbox tools`: the tools of an endpoint, as a client sees them. */
import type { ControlMethods } from '../api/control.ts';
import { positionals } from './arguments.ts';
import type { Command } from './command.ts';
import { headline, table } from './table.ts';
import { endpointRef, TARGET_OPTIONS } from './target.ts';

/** `signalbox tools`. */
export const toolsCommand: Command = {
  name: 'tools',
  summary: 'List the tools of an endpoint',
  usage: ['signalbox tools [--endpoint NAME] [--workspace DIR]'],
  options: TARGET_OPTIONS,
  details: ['A server that is down does not hide the others; its failure stands below the list.'],
  async run(context) {
    positionals('tools', context.args, []);
    const client = await context.connect();
    const answer = await client.call('tools/list', await endpointRef(context, client));
    context.result(answer, () => toolsText(answer, context.stdout.columns ?? 0));
    return 0;
  },
};

/** The tools with the first sentence of what they do, then the servers that could not be asked. */
export function toolsText({ tools, errors }: ControlMethods['tools/list']['result'], width = 0): string {
  const rows = tools.map(({ tool }) => [tool.name, headline(tool.description ?? tool.title)]);
  const failures = errors.map(({ server, code, message, fix }) => `${server}: ${code}: ${message}\n  fix: ${fix}`);
  return [rows.length === 0 ? 'No tools.' : table(rows, { width }), ...failures].join('\n\n');
}
