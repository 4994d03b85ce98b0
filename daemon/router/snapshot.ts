/** What one server offers, as it said it: every page of every list, nothing dropped but what cannot be a definition. */
import { type ErrorShape, SignalboxError } from '../api/errors.ts';
import { DAEMON_KEY, hopFault, hopsOf, withHop } from '../protocol/hops.ts';
import { isObject, type JsonObject } from '../protocol/message.ts';
import type { Connection } from '../upstreams/connection.ts';

/** The four lists of a server. */
export interface Lists {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly templates: readonly JsonObject[];
}
/** A list's name in a {@link Snapshot}. */
export type ListName = keyof Lists;
/** How long a list may be kept and by whom (2026-07-28, "Caching"). */
export interface Caching {
  readonly ttlMs: number;
  readonly cacheScope: 'public' | 'private';
}
/** A server as it described itself in one era. */
export interface Snapshot extends Lists {
  /** What the server said of its lists; a legacy server says nothing. */
  readonly caching: Readonly<Partial<Record<ListName, Caching>>>;
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions?: string;
}
/** One list as read. */
export interface ListReading {
  readonly items: readonly JsonObject[];
  readonly caching?: Caching;
  /** What was wrong with definitions that were left out. */
  readonly faults: readonly ErrorShape[];
}

export const ALL_LISTS: readonly ListName[] = ['tools', 'prompts', 'resources', 'templates'];
/** Nothing. */
export const EMPTY: Snapshot = { tools: [], prompts: [], resources: [], templates: [], caching: {}, capabilities: {}, serverInfo: {} };

const LISTS: Readonly<Record<ListName, { method: string; field: string; capability: string; identity: string }>> = {
  tools: { method: 'tools/list', field: 'tools', capability: 'tools', identity: 'name' },
  prompts: { method: 'prompts/list', field: 'prompts', capability: 'prompts', identity: 'name' },
  resources: { method: 'resources/list', field: 'resources', capability: 'resources', identity: 'uri' },
  templates: { method: 'resources/templates/list', field: 'resourceTemplates', capability: 'resources', identity: 'uriTemplate' },
};
/** Pages read at most: a cursor that never ends must not hold us for ever. */
const PAGE_LIMIT = 1000;
/** Levels of a definition: some thousand are enough to overflow the stack of whoever writes it as JSON, and with it the list of all servers. */
const DEPTH_LIMIT = 200;

/** Which lists a `list_changed` notification is about. */
export function listsOf(method: string): readonly ListName[] {
  if (method === 'notifications/tools/list_changed') return ['tools'];
  if (method === 'notifications/prompts/list_changed') return ['prompts'];
  if (method === 'notifications/resources/list_changed') return ['resources', 'templates'];
  return [];
}

/** Whether the server says when this list changes. A list it does not have never changes. */
export function announcesChanges(capabilities: JsonObject, list: ListName): boolean {
  const capability = capabilities[LISTS[list].capability];
  return capability === undefined || (isObject(capability) && capability['listChanged'] === true);
}

/**
 * Reads one list of a server to its end; empty when the server did not declare the capability.
 * @param own our daemon's id: a definition that came through us, or through too many daemons, is left out (SBX_FEDERATION_LOOP)
 * @throws what the request throws, or SBX_SERVER_PROTOCOL when the server answers with an error
 */
export async function readList(connection: Connection, list: ListName, server: string, own: string): Promise<ListReading> {
  const { method, field, capability } = LISTS[list];
  // Whatever type it is configured as: what says it is a daemon is one, and everything it lists has come through it.
  const daemon = connection.agreement.meta[DAEMON_KEY];
  const through = typeof daemon === 'string' ? (item: JsonObject) => withHop(item, daemon) : (item: JsonObject) => item;
  if (connection.capabilities[capability] === undefined) return { items: [], faults: [] };
  const items: JsonObject[] = [];
  const seen = new Set<unknown>();
  let caching: Caching | undefined;
  let cursor: unknown;
  for (let page = 0; page < PAGE_LIMIT; page++) {
    const outcome = await connection.request(method, cursor === undefined ? {} : { cursor });
    if ('error' in outcome) {
      // A server with resources but no templates often has no such method.
      if (list === 'templates') return { items: [], faults: [] };
      throw new SignalboxError('SBX_SERVER_PROTOCOL', `Server "${server}" refused ${method}.`, {
        why: outcome.error.message,
        fix: 'This is a fault of the server: it declared the capability.',
      });
    }
    const { result } = outcome;
    const found = result[field];
    if (Array.isArray(found)) items.push(...found.filter(isObject).map(through));
    caching = strictest(caching, result);
    const next = result['nextCursor'];
    if (next === undefined || next === null || next === '')
      return { ...sound(list, items, server, own), ...(caching === undefined ? {} : { caching }) };
    if (seen.has(next)) break;
    seen.add(next);
    cursor = next;
  }
  throw new SignalboxError('SBX_SERVER_PROTOCOL', `The pages of ${method} of server "${server}" do not end.`, {
    why: `It gave the same cursor twice, or more than ${PAGE_LIMIT} pages.`,
    fix: 'This is a fault of the server: the last page has no nextCursor.',
  });
}

/** The caching fields of pages together: the shortest life, private if one is. Undefined when a page has none. */
function strictest(before: Caching | undefined, { ttlMs, cacheScope }: JsonObject): Caching | undefined {
  if (typeof ttlMs !== 'number' || !(ttlMs >= 0)) return before === undefined ? undefined : { ttlMs: 0, cacheScope: 'private' };
  const scope = cacheScope === 'public' && before?.cacheScope !== 'private' ? 'public' : 'private';
  return { ttlMs: Math.min(before?.ttlMs ?? ttlMs, ttlMs), cacheScope: scope };
}

/** The definitions that have an identity of their own and did not come in a circle. */
function sound(list: ListName, items: readonly JsonObject[], server: string, own: string): ListReading {
  const { method, identity } = LISTS[list];
  const faults: ErrorShape[] = [];
  const seen = new Set<string>();
  const kept = items.filter((item) => {
    const value = item[identity];
    if (typeof value !== 'string' || value === '') {
      faults.push(leftOut(server, method, `One has no "${identity}".`));
      return false;
    }
    if (seen.has(value)) {
      faults.push(leftOut(server, method, `"${value.slice(0, 100)}" is there twice; the first counts.`));
      return false;
    }
    if (isDeep(item)) {
      faults.push(leftOut(server, method, `"${value.slice(0, 100)}" is nested more than ${DEPTH_LIMIT} levels deep.`));
      return false;
    }
    const fault = hopFault(hopsOf(item), own);
    if (fault !== undefined) {
      faults.push(fault.toJSON());
      return false;
    }
    seen.add(value);
    return true;
  });
  // A hundred definitions of one circle are one fault.
  return { items: kept, faults: [...new Map(faults.map((fault) => [`${fault.code} ${fault.cause}`, fault])).values()] };
}

function isDeep(definition: JsonObject): boolean {
  let level: readonly unknown[] = [definition];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_LIMIT) return true;
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
  return false;
}

function leftOut(server: string, method: string, why: string): ErrorShape {
  return new SignalboxError('SBX_SERVER_PROTOCOL', `A definition in ${method} of server "${server}" was left out.`, {
    why,
    fix: 'This is a fault of the server; its other definitions are not touched.',
  }).toJSON();
}
