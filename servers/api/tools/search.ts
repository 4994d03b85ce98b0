/** Three tools instead of a thousand: find an operation, read what it needs, call it. */

import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { JsonObject } from '../../plugin/define.ts';
import type { Api } from '../api.ts';
import { isReadOnly, type Operation } from '../description/operation.ts';
import { callOperation } from './call.ts';
import { type ApiTool, annotationsOf, checked, inputSchema } from './tool.ts';

const NAME = { type: 'string', minLength: 1, maxLength: 100, description: 'Name of the operation, as find_operations gives it.' };
const ARGUMENTS = { type: 'object', description: 'Its arguments; describe_operation has their schema.' };

/** The tools of search mode; the writing one only when there is something to write. */
export function searchTools(api: Api): readonly ApiTool[] {
  const byName = new Map(api.operations.map((operation) => [operation.tool, operation]));
  const find = (name: unknown): Operation => {
    const operation = byName.get(String(name)) ?? api.operations.find((each) => each.operationId === name);
    if (operation !== undefined) return operation;
    const near = ranked(api.operations, String(name))
      .slice(0, 5)
      .map((each) => each.tool);
    throw new SignalboxError('SBX_API_INPUT', `There is no operation ${JSON.stringify(String(name).slice(0, 100))}.`, {
      why: 'The name is not one of this API.',
      fix: near.length === 0 ? 'Search with find_operations.' : `Perhaps ${near.join(', ')}? Else search with find_operations.`,
    });
  };
  const inputs = new Map<Operation, JsonObject>();
  const inputOf = (operation: Operation): JsonObject => {
    const input = inputs.get(operation) ?? inputSchema(operation, api.maxPages);
    inputs.set(operation, input);
    return input;
  };
  const call = (reads: boolean): ApiTool => ({
    name: reads ? 'call_operation' : 'call_writing_operation',
    title: reads ? 'Call an operation that reads' : 'Call an operation that writes',
    description: `Calls one ${reads ? 'reading' : 'writing'} operation of ${api.title}, with arguments as describe_operation says.`,
    input: { type: 'object', additionalProperties: false, required: ['operation'], properties: { operation: NAME, arguments: ARGUMENTS } },
    output: {
      type: 'object',
      required: ['status', 'contentType', 'body', 'truncated'],
      properties: {
        status: { type: 'integer' },
        contentType: { type: 'string' },
        body: {},
        truncated: { type: 'boolean' },
        pages: { type: 'integer' },
        note: { type: 'string' },
      },
    },
    annotations: reads ? { readOnlyHint: true, openWorldHint: true } : { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
    run: (args, request) => {
      const operation = find(args['operation']);
      if (isReadOnly(operation.method) !== reads) {
        throw new SignalboxError('SBX_API_INPUT', `${operation.tool} ${reads ? 'writes' : 'reads'}.`, {
          why: `It is a ${operation.method}.`,
          fix: `Call it with ${reads ? 'call_writing_operation' : 'call_operation'}.`,
        });
      }
      const given = (args['arguments'] ?? {}) as JsonObject;
      checked(operation.tool, inputOf(operation), given);
      return callOperation(api, operation, given, request);
    },
  });
  return [
    findTool(api),
    describeTool(api, find),
    ...(api.operations.some((each) => isReadOnly(each.method)) ? [call(true)] : []),
    ...(api.operations.some((each) => !isReadOnly(each.method)) ? [call(false)] : []),
  ];
}

function findTool(api: Api): ApiTool {
  return {
    name: 'find_operations',
    title: 'Find operations',
    description: `Finds operations of ${api.title} (${api.operations.length}) by words of their name, path, tag or description.`,
    input: {
      type: 'object',
      additionalProperties: false,
      properties: {
        query: { type: 'string', maxLength: 300, description: 'Words, such as "list open issues". Empty: the tags and their sizes.' },
        limit: { type: 'integer', minimum: 1, maximum: 50, default: 10 },
      },
    },
    output: {
      type: 'object',
      required: ['operations'],
      properties: {
        operations: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              operation: { type: 'string' },
              method: { type: 'string' },
              path: { type: 'string' },
              summary: { type: 'string' },
            },
          },
        },
        tags: { type: 'object', additionalProperties: { type: 'integer' } },
      },
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: (args) => {
      const query = typeof args['query'] === 'string' ? args['query'].trim() : '';
      const found = query === '' ? [] : ranked(api.operations, query).slice(0, Number(args['limit'] ?? 10));
      const operations = found.map((each) => ({ operation: each.tool, method: each.method, path: each.path, summary: each.title }));
      const structuredContent = { operations, ...(found.length === 0 ? { tags: tagSizes(api.operations) } : {}) };
      return Promise.resolve({ content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent });
    },
  };
}

function describeTool(api: Api, find: (name: unknown) => Operation): ApiTool {
  return {
    name: 'describe_operation',
    title: 'Describe an operation',
    description: 'What one operation does, and the JSON Schema of its arguments.',
    input: { type: 'object', additionalProperties: false, required: ['operation'], properties: { operation: NAME } },
    output: {
      type: 'object',
      required: ['operation', 'input'],
      properties: {
        operation: { type: 'string' },
        description: { type: 'string' },
        callWith: { type: 'string' },
        input: { type: 'object' },
        annotations: { type: 'object' },
      },
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
    run: (args) => {
      const operation = find(args['operation']);
      const structuredContent = {
        operation: operation.tool,
        description: operation.description,
        callWith: isReadOnly(operation.method) ? 'call_operation' : 'call_writing_operation',
        input: inputSchema(operation, api.maxPages),
        annotations: annotationsOf(operation),
      };
      return Promise.resolve({ content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent });
    },
  };
}

/** Operations by how well they fit some words, best first. */
export function ranked(operations: readonly Operation[], query: string): readonly Operation[] {
  const words = tokens(query);
  const scored = operations.map((operation) => {
    const name = new Set(tokens(`${operation.tool} ${operation.operationId ?? ''}`));
    const summary = new Set(tokens(`${operation.title} ${operation.tags.join(' ')}`));
    const path = new Set(tokens(operation.path));
    const rest = new Set(tokens(operation.description));
    let score = 0;
    for (const word of words) score += name.has(word) ? 4 : summary.has(word) ? 3 : path.has(word) ? 2 : rest.has(word) ? 1 : 0;
    // Of two that fit alike, the one that says less besides.
    return { operation, score: score === 0 ? 0 : score - name.size * 0.05 - path.size * 0.02 };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score)
    .map(({ operation }) => operation);
}

function tokens(text: string): readonly string[] {
  const words = text
    .replace(/([a-z0-9])([A-Z])/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  return words
    .filter((word) => word.length > 1)
    .map((word) =>
      word.length > 3
        ? word.replace(/(?:ies|es|s)$/u, (end) => (end === 'ies' ? 'y' : end === 'es' && !/(?:[sxz]|ch|sh)es$/u.test(word) ? 'e' : ''))
        : word,
    );
}

function tagSizes(operations: readonly Operation[]): Readonly<Record<string, number>> {
  const sizes = new Map<string, number>();
  for (const operation of operations)
    for (const tag of operation.tags.length === 0 ? ['(none)'] : operation.tags) sizes.set(tag, (sizes.get(tag) ?? 0) + 1);
  return Object.fromEntries(sizes);
}
