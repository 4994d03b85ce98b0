/** What an endpoint says of itself in `initialize` and `server/discover`. */
import type { Era } from '../protocol/eras.ts';
import { DAEMON_KEY } from '../protocol/hops.ts';
import { isObject, type JsonObject } from '../protocol/message.ts';
import type { Identity } from '../upstreams/handshake.ts';
import type { EndpointView } from './endpoint-view.ts';
import { tasksCapability } from './tasks.ts';

/** What every endpoint declares: lists are answered from what is known, so nothing has to be started to declare it. */
const CAPABILITIES: JsonObject = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

/**
 * Capabilities, identity and instructions; under a key of ours who stands behind the endpoint.
 * @param client name the client was wired with: it hears of the servers it can see
 */
export function about(view: EndpointView, era: Era, client: string, identity: Identity, daemonId: string): JsonObject {
  const { logging: _legacyOnly, ...modern } = CAPABILITIES;
  const { members } = view.catalog(client, era);
  const snapshots = members.map((member) => ({ alias: member.alias, ...member.snapshot(era) }));
  const declared = snapshots.map(({ capabilities }) => capabilities);
  const tasks = era === 'legacy' ? tasksCapability(declared) : undefined;
  return {
    capabilities: { ...(era === 'legacy' ? CAPABILITIES : modern), ...extensionsOf(declared), ...(tasks === undefined ? {} : { tasks }) },
    ...(era === 'legacy' ? { serverInfo: { ...identity } } : {}),
    instructions: view.instructions(client, era),
    _meta: {
      [DAEMON_KEY]: daemonId,
      'dev.signalbox/servers': Object.fromEntries(snapshots.map(({ alias, serverInfo }) => [alias, serverInfo])),
    },
  };
}

/** What servers can beyond the core passes on: the extensions of all of them together. */
function extensionsOf(capabilities: readonly JsonObject[]): JsonObject {
  const merged: Record<string, JsonObject> = {};
  for (const kind of ['extensions', 'experimental'] as const)
    for (const own of capabilities) if (isObject(own[kind])) merged[kind] = { ...own[kind], ...merged[kind] };
  return merged;
}
