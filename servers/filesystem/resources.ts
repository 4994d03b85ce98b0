/** Files as resources: `file:` URIs beneath the roots, listed in pages, read, and subscribed to. */

import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type McpServer, ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from '@modelcontextprotocol/server';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { Audit } from './audit.ts';
import type { Follow } from './client-roots.ts';
import { walk } from './engines/walk.ts';
import { pathOf } from './file-uri.ts';
import type { Area, Located, OpenRoot } from './guard/area.ts';
import { readContent } from './guard/content.ts';
import type { Subscriptions } from './subscriptions.ts';
import { assertFits } from './tools/define.ts';
import { startOf } from './tools/listing.ts';
import { mimeOf } from './tools/media.ts';

const PAGE = 500;

/** Registers the resource side on one MCP instance. */
export function registerResources(
  server: McpServer,
  area: Area,
  maxFileBytes: number,
  subscriptions: Subscriptions,
  audit: Audit,
  follow?: Follow,
): void {
  const { server: low } = server;
  low.registerCapabilities({ resources: { subscribe: true } });
  low.setRequestHandler('resources/list', async ({ params }, context) => {
    await follow?.(context);
    const start = asProtocol(() => startOf(params?.cursor));
    const { resources, more } = await page(area, start, context.mcpReq.signal);
    return { resources, ...(more ? { nextCursor: String(start + PAGE) } : {}) };
  });
  low.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: area.roots.map((root) => ({
      uriTemplate: templateOf(root),
      name: root.name ?? `files-${root.index}`,
      title: `Files in ${root.path}`,
      description: 'Any file beneath this root; the path can be completed.',
    })),
  }));
  low.setRequestHandler('resources/read', async ({ params: { uri } }, context) => {
    await follow?.(context);
    const line = { tool: 'resources/read', path: uri.slice(0, 1000) };
    try {
      const { located, contents } = read(area, uri, maxFileBytes);
      audit({ ...line, root: located.root.path, path: located.place.path, outcome: 'done' });
      return { contents: [contents] };
    } catch (thrown) {
      audit({ ...line, outcome: 'refused', code: thrown instanceof SignalboxError ? thrown.code : 'SBX_INTERNAL' });
      throw protocolError(uri, thrown);
    }
  });
  low.setRequestHandler('resources/subscribe', async ({ params: { uri } }, context) => {
    await follow?.(context);
    await subscriptions.add(server, uri).catch((thrown: unknown) => {
      throw protocolError(uri, thrown);
    });
    return {};
  });
  low.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    subscriptions.remove(server, uri);
    return {};
  });
}

/** The URI of a place. */
function uriOf(root: OpenRoot, path: string): string {
  return pathToFileURL(join(root.path, path)).href;
}

/** The template of every file beneath a root. */
export function templateOf(root: OpenRoot): string {
  return `${pathToFileURL(root.path).href}/{+path}`;
}

async function page(
  area: Area,
  start: number,
  signal: AbortSignal,
): Promise<{ resources: { uri: string; name: string; mimeType: string; size?: number }[]; more: boolean }> {
  const resources: { uri: string; name: string; mimeType: string }[] = [];
  let count = 0;
  for (const root of area.roots) {
    const located = area.locate(area.shown(root, ''), 'read');
    try {
      for (const { entry, path } of walk(area, located, { exclude: [], includeIgnored: false })) {
        if (!entry.isFile() || entry.name.includes('\ufffd')) continue;
        if (count++ < start) continue;
        if (resources.length === PAGE) return { resources, more: true };
        resources.push({ uri: uriOf(root, path), name: area.shown(root, path), mimeType: mimeOf(entry.name) });
        if (count % 1000 === 0) {
          await turn();
          signal.throwIfAborted();
        }
      }
    } finally {
      located.place.close();
    }
  }
  return { resources, more: false };
}

type Contents = { uri: string; mimeType: string; text: string } | { uri: string; mimeType: string; blob: string };

function read(area: Area, uri: string, maxFileBytes: number): { located: Located; contents: Contents } {
  const located = area.locate(pathOf(uri), 'read');
  try {
    area.checkLinks(located);
    const data = readContent(located.place, maxFileBytes);
    const mimeType = mimeOf(located.place.name, data);
    const isText = isUtf8(data) && !data.includes(0);
    const contents = isText ? { uri, mimeType, text: data.toString('utf8') } : { uri, mimeType, blob: data.toString('base64') };
    assertFits(located.shown, 'text' in contents ? contents.text : contents.blob, maxFileBytes);
    return { located, contents };
  } finally {
    located.place.close();
  }
}

function asProtocol<T>(run: () => T, uri = ''): T {
  try {
    return run();
  } catch (thrown) {
    throw protocolError(uri, thrown);
  }
}

/** In the protocol's words; our code, cause and fix stand in `data`. */
export function protocolError(uri: string, thrown: unknown): unknown {
  if (!(thrown instanceof SignalboxError)) return thrown;
  if (thrown.code === 'SBX_FS_NOT_FOUND') return new ResourceNotFoundError(uri);
  return new ProtocolError(
    ProtocolErrorCode.InvalidParams,
    `${thrown.code}: ${thrown.message} ${thrown.why} ${thrown.fix}`,
    thrown.toJSON(),
  );
}
