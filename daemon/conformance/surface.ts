/** What a server has and declares, digested by area: two runs of a server that is being changed are compared by it. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../protocol/message.ts';

/** Members of the lists, and the areas of the properties that look at them. */
const AREAS: Readonly<Record<string, string>> = {
  tools: 'tools',
  resources: 'resources',
  resourceTemplates: 'resources',
  prompts: 'prompts',
};

/**
 * The digest of each area.
 * @param handshake result of `initialize` or `server/discover`
 * @param lists items by member
 * @returns `server` for the handshake, then an area for each list
 */
export function surfaceOf(handshake: JsonObject, lists: Readonly<Record<string, readonly JsonObject[]>>): Readonly<Record<string, string>> {
  const parts: Record<string, unknown[]> = { server: [handshake['capabilities'], handshake['serverInfo'], handshake['instructions']] };
  for (const [member, area] of Object.entries(AREAS)) parts[area] = [...(parts[area] ?? []), lists[member] ?? []];
  return Object.fromEntries(
    Object.entries(parts).map(([area, part]) => [area, createHash('sha256').update(JSON.stringify(part)).digest('hex').slice(0, 16)]),
  );
}
