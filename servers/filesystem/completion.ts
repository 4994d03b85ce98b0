/** Completion of paths in the resource templates. The arguments of prompts have none. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type McpServer, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { Follow } from './client-roots.ts';
import type { Area, Located, OpenRoot } from './guard/area.ts';
import { PROMPTS } from './prompts.ts';
import { templateOf } from './resources.ts';

const MAX_COMPLETIONS = 100;

/** Registers completion on one MCP instance; a prompt or a template that is not there is an error ("Completion", Error Handling). */
export function registerCompletion(server: McpServer, area: Area, follow?: Follow): void {
  const { server: low } = server;
  low.registerCapabilities({ completions: {} });
  low.setRequestHandler('completion/complete', async ({ params: { ref, argument } }, context) => {
    await follow?.(context);
    if (ref.type === 'ref/prompt') {
      if (!PROMPTS.some((name) => name === ref.name)) throw missing(`prompt ${ref.name}`);
      return { completion: { values: [] } };
    }
    const root = area.roots.find((candidate) => templateOf(candidate) === ref.uri);
    if (root === undefined) throw missing(`resource template ${ref.uri}`);
    const values = argument.name === 'path' ? complete(area, root, argument.value) : [];
    return { completion: { values: values.slice(0, MAX_COMPLETIONS), total: values.length, hasMore: values.length > MAX_COMPLETIONS } };
  });
}

function missing(what: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `params.ref: there is no ${what.slice(0, 200)}`);
}

function complete(area: Area, root: OpenRoot, value: string): string[] {
  const cut = value.lastIndexOf('/');
  const folder = value.slice(0, cut + 1);
  const beginning = value.slice(cut + 1).toLowerCase();
  let located: Located;
  try {
    located = area.locate(join(root.path, folder), 'read');
  } catch {
    // Half a path that leads nowhere has no completion.
    return [];
  }
  try {
    if (located.place.stat?.isDirectory() !== true) return [];
    const base = located.place.path === '' ? '' : `${located.place.path}/`;
    return readdirSync(located.place.ref, { withFileTypes: true })
      .filter(({ name }) => name.toLowerCase().startsWith(beginning))
      .filter((entry) => area.visible(located.root, base + entry.name, !entry.isFile()))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort();
  } finally {
    located.place.close();
  }
}
