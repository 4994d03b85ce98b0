/** The three tools that stand for all of them at an endpoint with `"tools": "search"`: their list never changes. */
import { SignalboxError } from '../api/errors.ts';
import { toolFailure } from '../protocol/codes.ts';
import { isObject, type JsonObject } from '../protocol/message.ts';
import type { Catalog } from './catalog.ts';
import type { SearchAnswer, SearchHit, SearchRequest } from './search.ts';

/** Hits at most. */
const LIMIT = 50;
/** Characters of a description in a list of hits: enough to choose by, `describe_tool` has the rest. */
const DESCRIPTION_LENGTH = 400;

const HIT_SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Pass this to describe_tool and call_tool.' },
    title: { type: 'string' },
    server: { type: 'string' },
    description: { type: 'string', description: 'May be cut; describe_tool has all of it.' },
  },
  required: ['name', 'server'],
};

/** What `tools/list` answers. */
export const SEARCH_TOOLS: readonly JsonObject[] = [
  {
    name: 'find_tools',
    title: 'Find tools',
    description:
      'Search the tools of every connected server. Say in a few words what you want to do, for example "create a GitHub issue" or "read a file"; the best match comes first. Use this before call_tool whenever you do not know the exact name of a tool. Leave `query` empty to browse, best together with `server`.',
    inputSchema: {
      type: 'object',
      properties: {
        query: { type: 'string', description: 'What you want to do, in a few words. Names of things and actions work best.' },
        server: { type: 'string', description: 'Only tools of this server (the part of a tool name before `__`).' },
        limit: { type: 'integer', minimum: 1, maximum: LIMIT, default: 10, description: 'How many tools to return at most.' },
        offset: {
          type: 'integer',
          minimum: 0,
          default: 0,
          description: 'How many of the best matches to skip; take it from `nextOffset`.',
        },
      },
    },
    outputSchema: {
      type: 'object',
      properties: {
        tools: { type: 'array', items: HIT_SCHEMA, description: 'Best match first.' },
        total: { type: 'integer', description: 'How many tools match in all.' },
        nextOffset: { type: 'integer', description: 'Pass as `offset` to see more; absent when there are no more.' },
        servers: { type: 'array', items: { type: 'string' }, description: 'Every server you can filter by.' },
        unavailable: {
          type: 'array',
          items: { type: 'object', properties: { server: { type: 'string' }, reason: { type: 'string' } }, required: ['server', 'reason'] },
          description: 'Servers whose tools could not be read.',
        },
      },
      required: ['tools', 'total', 'servers'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: 'describe_tool',
    title: 'Describe a tool',
    description:
      'Read the complete definition of one tool: its description and the JSON Schema of its arguments. Do this before the first call_tool of a tool, so that the arguments are right.',
    inputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'Name of the tool exactly as find_tools returned it, for example `fs__read_file`.' },
      },
      required: ['name'],
    },
    outputSchema: {
      type: 'object',
      properties: {
        server: { type: 'string' },
        tool: { type: 'object', description: 'The definition: name, description, inputSchema, and more if the server says more.' },
      },
      required: ['server', 'tool'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: 'call_tool',
    title: 'Call a tool',
    description:
      'Run one tool and get its result, exactly as if you had called it directly. `name` is a name from find_tools; `arguments` must fit the inputSchema that describe_tool shows for it.',
    inputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'Name of the tool exactly as find_tools returned it.' },
        arguments: { type: 'object', description: "The tool's own arguments, by its inputSchema.", additionalProperties: true },
      },
      required: ['name'],
    },
    // What it does depends on the tool it calls: clients must expect the most.
    annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  },
];

const NAMES: ReadonlySet<unknown> = new Set(SEARCH_TOOLS.map(({ name }) => name));

/** Whether a tool is one of the three. */
export function isSearchTool(name: string): boolean {
  return NAMES.has(name);
}

/** What answering needs. */
export interface SearchParts {
  readonly catalog: Catalog;
  readonly search: (request: SearchRequest) => SearchAnswer;
  /** Servers whose lists could not be read. */
  readonly unavailable: readonly { readonly server: string; readonly error: { readonly code: string; readonly message: string } }[];
}
/** A result to answer with, or the call that is meant. */
export type SearchToolAnswer =
  | { readonly result: JsonObject }
  | { readonly forward: { readonly name: string; readonly arguments: JsonObject } };

/**
 * Answers a call of one of the three tools.
 * @param given arguments of the call; what is wrong with them is told in the result, so that the model can mend it
 */
export function answerSearchTool(parts: SearchParts, name: string, given: unknown): SearchToolAnswer {
  const args = given === undefined ? {} : given;
  try {
    if (!isObject(args)) throw wrong('arguments', 'an object');
    if (name === 'find_tools') return { result: structured(found(parts, args)) };
    const tool = args['name'];
    if (typeof tool !== 'string' || tool === '') throw wrong('name', 'the name of a tool');
    if (name === 'describe_tool') return { result: structured(described(parts, tool)) };
    const own = args['arguments'] ?? {};
    if (!isObject(own)) throw wrong('arguments.arguments', "an object with the tool's own arguments");
    return { forward: { name: tool, arguments: own } };
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    const failure = toolFailure(error);
    return { result: 'result' in failure ? failure.result : {} };
  }
}

function found({ catalog, search, unavailable }: SearchParts, args: JsonObject): JsonObject {
  const { query = '', server } = args;
  if (typeof query !== 'string') throw wrong('query', 'a string');
  if (server !== undefined && typeof server !== 'string') throw wrong('server', 'a string');
  const limit = whole(args['limit'] ?? 10, 'limit', 1, LIMIT);
  const offset = whole(args['offset'] ?? 0, 'offset', 0, Number.MAX_SAFE_INTEGER);
  const { hits, total } = search({ query, limit, offset, ...(server === undefined ? {} : { server }) });
  const next = offset + hits.length;
  return {
    tools: hits.map(summary),
    total,
    ...(next < total && hits.length > 0 ? { nextOffset: next } : {}),
    servers: catalog.members.map((member) => member.alias),
    ...(unavailable.length === 0
      ? {}
      : { unavailable: unavailable.map(({ server: of, error }) => ({ server: of, reason: `${error.code}: ${error.message}` })) }),
  };
}

function summary({ tool, server }: SearchHit): JsonObject {
  const { name, title, description } = tool;
  const short =
    typeof description === 'string' && description.length > DESCRIPTION_LENGTH
      ? `${description.slice(0, DESCRIPTION_LENGTH)}…`
      : description;
  return { name, ...(typeof title === 'string' ? { title } : {}), server, ...(typeof short === 'string' ? { description: short } : {}) };
}

function described({ catalog, search }: SearchParts, name: string): JsonObject {
  const route = catalog.toolRoutes.get(name);
  if (route?.definition !== undefined) return { server: route.member.alias, tool: route.definition };
  const near = search({ query: name.replace('__', ' '), limit: 3 }).hits.map(({ tool }) => `"${String(tool['name'])}"`);
  throw new SignalboxError('SBX_TOOL_UNKNOWN', `Tool "${name}" is not known.`, {
    why: near.length === 0 ? 'No server has a tool of this name.' : `No server has a tool of this name; near to it: ${near.join(', ')}.`,
    fix: 'Look for it with find_tools and use the name exactly as it is there.',
  });
}

function structured(content: JsonObject): JsonObject {
  return { content: [{ type: 'text', text: JSON.stringify(content) }], structuredContent: content };
}

function whole(value: unknown, field: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw wrong(field, `a whole number from ${least} to ${most}`);
  return value;
}

function wrong(field: string, wanted: string): SignalboxError {
  return new SignalboxError('SBX_USAGE', `\`${field}\` is not ${wanted}.`, {
    why: "It must fit the tool's inputSchema.",
    fix: 'Correct the arguments and call the tool again.',
  });
}
