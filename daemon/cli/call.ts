/** `signalbox call`: one tool call through an endpoint. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { onlyArgument, usageError } from './arguments.ts';
import { watchedCall } from './call/watched.ts';
import type { Command, CommandContext } from './command.ts';
import { jsonObject } from './json-object.ts';
import { endpointRef, TARGET_OPTIONS } from './target.ts';

/** `signalbox call`. */
export const callCommand: Command = {
  name: 'call',
  summary: 'Call a tool and print its result',
  usage: ['signalbox call TOOL [--args JSON|@FILE|-] [--endpoint NAME] [--workspace DIR]'],
  options: {
    args: { type: 'string', short: 'a', value: 'JSON', summary: 'its arguments as a JSON object, @FILE, or - for standard input' },
    ...TARGET_OPTIONS,
  },
  details: [
    'Exit code 1 when the tool answers with an error. Progress goes to standard error; what the tool asks is asked at the terminal. Ctrl-C cancels the call.',
  ],
  examples: ['signalbox call fs__read_text_file --args \'{"path": "README.md"}\''],
  async run(context) {
    const name = onlyArgument('call', context.args, 'the name of a tool');
    const given = await argumentsOf(context);
    const client = await context.connect();
    const result = await watchedCall(context, client, { name, arguments: given, ...(await endpointRef(context, client)) });
    context.result(result, () => contentText(result['content'], result['structuredContent']));
    return result['isError'] === true ? 1 : 0;
  },
};

async function argumentsOf(context: CommandContext): Promise<Record<string, unknown>> {
  const given = context.flags.text('args');
  if (given === undefined) return {};
  if (given === '-') return jsonObject('--args', await context.readInput());
  if (!given.startsWith('@')) return jsonObject('--args', given);
  const file = resolve(context.cwd, given.slice(1));
  try {
    return jsonObject('--args', await readFile(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw usageError(`The arguments could not be read from ${file}.`, error.message, 'Give a file that exists.');
  }
}

/** Content blocks for a terminal: text as it is, anything else by its kind and size; structured content when there is nothing else. */
export function contentText(content: unknown, structured?: unknown): string {
  const blocks: unknown[] = Array.isArray(content) ? content : [];
  if (blocks.length === 0) return structured === undefined ? '' : JSON.stringify(structured, null, 2);
  return blocks.map(blockText).join('\n');
}

/** One block, resource content or prompt message. */
function blockText(block: unknown): string {
  const { type, text, resource, uri, data, blob, mimeType } = (typeof block === 'object' && block !== null ? block : {}) as Record<
    string,
    unknown
  >;
  if (typeof text === 'string') return text;
  if (resource !== undefined) return blockText(resource);
  const bytes = typeof data === 'string' ? data : blob;
  const size = typeof bytes === 'string' ? `, ${Buffer.byteLength(bytes, 'base64')} bytes` : '';
  const about = [type ?? 'resource', uri, mimeType].filter((part) => typeof part === 'string').join(' ');
  return `[${about}${size}; --json shows it]`;
}
