/** What one server offers, as it said it: every page of every list, nothing dropped. */

import { SignalboxError } from '../api/errors.ts';
import { isObject, type JsonObject } from '../protocol/message.ts';
import type { Connection } from '../upstreams/connection.ts';

/** The four lists of a server. */
export interface Snapshot {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly templates: readonly JsonObject[];
}
/** A list's name in a {@link Snapshot}. */
export type ListName = keyof Snapshot;

/** Nothing. */
export const EMPTY: Snapshot = { tools: [], prompts: [], resources: [], templates: [] };

const LISTS: Readonly<Record<ListName, { method: string; field: string; capability: string }>> = {
  tools: { method: 'tools/list', field: 'tools', capability: 'tools' },
  prompts: { method: 'prompts/list', field: 'prompts', capability: 'prompts' },
  resources: { method: 'resources/list', field: 'resources', capability: 'resources' },
  templates: { method: 'resources/templates/list', field: 'resourceTemplates', capability: 'resources' },
};
/** Pages read at most: a cursor that never ends must not hold us for ever. */
const PAGE_LIMIT = 1000;

/** Which lists a `list_changed` notification is about. */
export function listsOf(method: string): readonly ListName[] {
  if (method === 'notifications/tools/list_changed') return ['tools'];
  if (method === 'notifications/prompts/list_changed') return ['prompts'];
  if (method === 'notifications/resources/list_changed') return ['resources', 'templates'];
  return [];
}

/**
 * Reads one list of a server to its end; empty when the server did not declare the capability.
 * @throws what the request throws, or SBX_SERVER_PROTOCOL when the server answers with an error
 */
export async function readList(connection: Connection, list: ListName, server: string): Promise<readonly JsonObject[]> {
  const { method, field, capability } = LISTS[list];
  if (connection.capabilities[capability] === undefined) return [];
  const items: JsonObject[] = [];
  const seen = new Set<unknown>();
  let cursor: unknown;
  for (let page = 0; page < PAGE_LIMIT; page++) {
    const outcome = await connection.request(method, cursor === undefined ? {} : { cursor });
    if ('error' in outcome) {
      // A server with resources but no templates often has no such method.
      if (list === 'templates') return [];
      throw new SignalboxError('SBX_SERVER_PROTOCOL', `Server "${server}" refused ${method}.`, {
        why: outcome.error.message,
        fix: 'This is a fault of the server: it declared the capability.',
      });
    }
    const found = outcome.result[field];
    if (Array.isArray(found)) items.push(...found.filter(isObject));
    const next = outcome.result['nextCursor'];
    if (next === undefined || next === null || next === '') return items;
    if (seen.has(next)) break;
    seen.add(next);
    cursor = next;
  }
  throw new SignalboxError('SBX_SERVER_PROTOCOL', `The pages of ${method} of server "${server}" do not end.`, {
    why: `It gave the same cursor twice, or more than ${PAGE_LIMIT} pages.`,
    fix: 'This is a fault of the server: the last page has no nextCursor.',
  });
}
