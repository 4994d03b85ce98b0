/** Resources: the description itself, what each operation does, what became no tool and why, binary answers. */
import { type McpServer, type ReadResourceResult, ResourceNotFoundError } from '@modelcontextprotocol/server';
import { ResourceTemplate, ToolError } from '../../plugin/define.ts';
import type { Api } from '../api.ts';
import type { Operation } from '../description/operation.ts';
import { inputSchema } from './tool.ts';

/** Operations that are listed one by one; beyond, the template reaches them all the same. */
const LISTED = 200;

/** Registers the resources. @param current gives the API as it is now; undefined while there is none */
export function registerResources(server: McpServer, uri: string, current: () => Api | undefined): void {
  const api = (): Api => {
    const now = current();
    if (now === undefined)
      throw new ToolError('SBX_API_SPEC', 'There is no API.', { why: 'Its description cannot be read.', fix: 'Correct the file.' });
    return now;
  };
  const textResult = (address: URL, mimeType: string, text: string): ReadResourceResult => ({
    contents: [{ uri: address.href, mimeType, text: api().secrets.text(text) }],
  });
  if (api().description !== undefined) {
    const info = { title: 'The description of the API', mimeType: 'text/plain', description: 'The OpenAPI document as it was read.' };
    server.registerResource('description', `${uri}description`, info, (address) =>
      textResult(address, 'text/plain', api().description?.text ?? ''),
    );
  }
  const left = {
    title: 'Operations without a tool',
    mimeType: 'application/json',
    description: 'Each operation no tool was made of, and why.',
  };
  server.registerResource('omitted', `${uri}omitted`, left, (address) =>
    textResult(address, 'application/json', JSON.stringify(api().omitted, null, 1)),
  );
  const operations = new ResourceTemplate(`${uri}operations/{name}`, {
    list: () => ({
      resources: api()
        .operations.slice(0, LISTED)
        .map((each) => ({ uri: `${uri}operations/${each.tool}`, name: each.tool, title: each.title, mimeType: 'text/markdown' })),
    }),
    complete: {
      name: (value) =>
        api()
          .operations.map((each) => each.tool)
          .filter((name) => name.startsWith(value))
          .slice(0, 100),
    },
  });
  server.registerResource('operation', operations, { title: 'An operation', mimeType: 'text/markdown' }, (address, { name }) => {
    const operation = api().operations.find((each) => each.tool === name);
    if (operation === undefined)
      throw new ResourceNotFoundError(address.href, `There is no operation ${String(name)}: list the resources.`);
    return textResult(address, 'text/markdown', documentation(api(), operation));
  });
  const answers = new ResourceTemplate(`${uri}answers/{id}`, { list: undefined });
  server.registerResource('answer', answers, { title: 'A binary answer of an earlier call' }, (address, { id }) => {
    const kept = api().answers.get(String(id));
    if (kept === undefined)
      throw new ResourceNotFoundError(address.href, 'This answer is not kept any more, only the last few are: call the tool again.');
    return { contents: [{ uri: address.href, mimeType: kept.mimeType, blob: kept.bytes.toString('base64') }] };
  });
}

/** An operation in words. */
function documentation(api: Api, operation: Operation): string {
  const { $defs: _, ...response } = operation.response() ?? {};
  const lines = [
    `# ${operation.tool}`,
    '',
    operation.description,
    '',
    `* Request: \`${operation.method} ${operation.server ?? api.base.href.replace(/\/$/u, '')}${operation.path}\``,
    ...(operation.tags.length === 0 ? [] : [`* Tags: ${operation.tags.join(', ')}`]),
    ...(operation.deprecated ? ['* Deprecated.'] : []),
    '',
    '## Parameters',
    '',
    ...operation.parameters.map(
      (each) =>
        `* \`${each.property}\` (${each.in}${each.required ? ', required' : ''}): ${String(each.schema['description'] ?? each.schema['type'] ?? '')}`,
    ),
    ...(operation.body === undefined
      ? []
      : [`* \`${operation.body.property}\` (${operation.body.contentType}${operation.body.required ? ', required' : ''})`]),
    '',
    '## Schema of the arguments',
    '',
    '```json',
    JSON.stringify(inputSchema(operation, api.maxPages), null, 2),
    '```',
    ...(Object.keys(response).length === 0 ? [] : ['', '## Schema of the answer', '', '```json', JSON.stringify(response, null, 2), '```']),
  ];
  return lines.join('\n');
}
