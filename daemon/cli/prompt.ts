/** `signalbox prompt`: a prompt of an endpoint, filled in. */
import { positionals, usageError } from './arguments.ts';
import { contentText } from './call.ts';
import type { Command } from './command.ts';
import { jsonObject } from './json-object.ts';
import { headline, table } from './table.ts';
import { endpointRef, TARGET_OPTIONS } from './target.ts';

/** `signalbox prompt`. */
export const promptCommand: Command = {
  name: 'prompt',
  summary: 'Get a prompt; without a name, list them',
  usage: ['signalbox prompt [NAME] [--args JSON] [--endpoint NAME] [--workspace DIR]'],
  options: {
    args: { type: 'string', short: 'a', value: 'JSON', summary: 'its arguments as a JSON object of strings' },
    ...TARGET_OPTIONS,
  },
  async run(context) {
    const [name] = positionals('prompt', context.args, ['a name?']);
    const given = promptArguments(context.flags.text('args'));
    const client = await context.connect();
    if (name === undefined) {
      const answer = await client.call('prompts/list', await endpointRef(context, client));
      const rows = answer.prompts.map((prompt) => [String(prompt['name']), headline(String(prompt['description'] ?? ''))]);
      context.result(answer, () => (rows.length === 0 ? 'No prompts.' : table(rows)));
      return 0;
    }
    const result = await client.call('prompts/get', { name, arguments: given, ...(await endpointRef(context, client)) });
    const messages = Array.isArray(result['messages']) ? (result['messages'] as { role?: string; content?: unknown }[]) : [];
    context.result(result, () => messages.map(({ role, content }) => `${role}:\n${contentText([content])}`).join('\n\n'));
    return 0;
  },
};

function promptArguments(text: string | undefined): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(text === undefined ? {} : jsonObject('--args', text))) {
    if (typeof value !== 'string')
      throw usageError(`The argument \`${name}\` is not a string.`, 'The arguments of a prompt are strings.', `Write "${name}": "…".`);
    given[name] = value;
  }
  return given;
}
