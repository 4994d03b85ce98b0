/** Prompts people use: review a file, explain a tree, and plan a change. Each brings the content along. */
import type { GetPromptResult, McpServer } from '@modelcontextprotocol/server';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { fromJsonSchema } from '../plugin/define.ts';
import type { Audit } from './audit.ts';
import type { Area } from './guard/area.ts';
import { protocolError } from './resources.ts';
import { directoryTree } from './tools/listing.ts';
import { readText } from './tools/reading.ts';

const QUIET = { signal: new AbortController().signal, note: () => undefined, progress: () => undefined };

/** The names of the prompts. */
export const PROMPTS = ['review-file', 'explain-tree', 'change-safely'] as const;

/** Registers the prompts on one MCP instance. */
export function registerPrompts(server: McpServer, area: Area, maxFileBytes: number, audit: Audit): void {
  const path = { type: 'string' as const, description: 'Path of the file, relative to the first root or absolute.' };
  prompt(server, audit, {
    name: 'review-file',
    title: 'Review a file',
    description: 'Reviews a file: mistakes, risks, what is hard to understand, what a test is missing for.',
    args: { path, focus: { type: 'string', description: 'What to look at first, for example "concurrency".' } },
    required: ['path'],
    run: async ({ path: file, focus }) => {
      const { content, path: shown } = await readText(area, { path: file }, maxFileBytes, QUIET);
      const first = focus === undefined ? '' : ` Look first at: ${focus}.`;
      return `Review ${shown}. Name mistakes with their lines, from the gravest to the smallest, and how to correct each; then what is hard to understand; then what no test covers. Say so where nothing is wrong.${first}\n\n<file path="${shown}">\n${content}\n</file>`;
    },
  });
  prompt(server, audit, {
    name: 'explain-tree',
    title: 'Explain a folder',
    description: 'Explains what a folder holds and how its parts belong together.',
    args: { path: { type: 'string', description: 'Path of the folder.' } },
    required: ['path'],
    run: async ({ path: folder }) => {
      const answer = await directoryTree(area).run({ path: folder, depth: 6 }, QUIET);
      return `Explain what this folder holds: what it is for, where it is entered, how its parts depend on each other. Read the files you need with read_multiple_files before you answer.\n\n${folder}/\n${answer.text}`;
    },
  });
  prompt(server, audit, {
    name: 'change-safely',
    title: 'Change a file step by step',
    description: 'Makes a change to a file by exact edits, shown as a diff before anything is written.',
    args: { path, change: { type: 'string', description: 'What is to become different.' } },
    required: ['path', 'change'],
    run: async ({ path: file, change }) => {
      const { content, path: shown } = await readText(area, { path: file }, maxFileBytes, QUIET);
      return `Change ${shown}: ${change}\n\nUse edit_file with "dryRun": true first and show the diff; when it is right, the same edits without dryRun. Change nothing else.\n\n<file path="${shown}">\n${content}\n</file>`;
    },
  });
}

interface Definition {
  readonly name: (typeof PROMPTS)[number];
  readonly title: string;
  readonly description: string;
  readonly args: Readonly<Record<string, { readonly type: 'string'; readonly description: string }>>;
  readonly required: readonly string[];
  run(args: Readonly<Record<string, string | undefined>>): Promise<string>;
}

function prompt(server: McpServer, audit: Audit, { name, title, description, args, required, run }: Definition): void {
  const argsSchema = fromJsonSchema<Record<string, string>>({ type: 'object', properties: { ...args }, required });
  server.registerPrompt(name, { title, description, argsSchema }, async (given: Record<string, string>): Promise<GetPromptResult> => {
    const line = { tool: `prompts/get ${name}`, ...(given['path'] === undefined ? {} : { path: given['path'].slice(0, 1000) }) };
    const text = await run(given).catch((thrown: unknown) => {
      audit({ ...line, outcome: 'refused', code: thrown instanceof SignalboxError ? thrown.code : 'SBX_INTERNAL' });
      throw protocolError(given['path'] ?? '', thrown);
    });
    audit({ ...line, outcome: 'done' });
    return { description, messages: [{ role: 'user', content: { type: 'text', text } }] };
  });
}
