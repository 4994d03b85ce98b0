/** What a replayed server says of itself: as recorded, in words the client's era and revision understand. */
import { type Era, LEGACY_LATEST, LEGACY_VERSIONS, META, MODERN_VERSION, MODERN_VERSIONS } from '../../protocol/eras.ts';
import { isObject, type JsonObject, metaOf, type Outcome } from '../../protocol/message.ts';
import type { Exchange, Script } from './script.ts';

/** Requests every session begins with, or may send at any time. */
export const HANDSHAKE: ReadonlySet<string> = new Set(['initialize', 'server/discover', 'ping']);

/** The server as it was recorded. */
export interface ServerFace {
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions: string | undefined;
  /** The eras it was recorded in: a probe that was refused does not count. */
  readonly eras: ReadonlySet<Era>;
}

/** What the recording knows of its server. Without a handshake in it, what was asked says what the server can do. */
export function faceOf({ exchanges }: Script): ServerFace {
  const eras = new Set<Era>(
    exchanges.flatMap((exchange) => (HANDSHAKE.has(exchange.request.method) && resultOf(exchange) === undefined ? [] : [exchange.era])),
  );
  const shaken = (method: string): JsonObject | undefined => {
    const exchange = exchanges.find((candidate) => candidate.request.method === method && resultOf(candidate) !== undefined);
    return exchange && resultOf(exchange);
  };
  const found = shaken('initialize') ?? shaken('server/discover');
  const { capabilities, instructions, serverInfo } = found ?? {};
  const info = serverInfo ?? metaOf(found)?.[META.serverInfo];
  return {
    capabilities: isObject(capabilities) ? capabilities : capabilitiesOf(exchanges),
    serverInfo: isObject(info) ? info : { name: 'signalbox-replay', version: '1' },
    instructions: typeof instructions === 'string' ? instructions : undefined,
    eras,
  };
}

/** The result of an exchange, if it was answered with one. */
export function resultOf({ answer }: Exchange): JsonObject | undefined {
  const message = answer?.message;
  return message !== undefined && 'result' in message && isObject(message.result) ? message.result : undefined;
}

/**
 * The answer to `initialize` for the revision a client asks for: the recorded one, or an older one if the client asks for it.
 * @param recorded result of the recorded handshake
 */
export function initializeResult(face: ServerFace, recorded: JsonObject | undefined, asked: unknown): JsonObject {
  const { capabilities, serverInfo, instructions } = face;
  const revision = typeof recorded?.['protocolVersion'] === 'string' ? recorded['protocolVersion'] : LEGACY_LATEST;
  const protocolVersion = typeof asked === 'string' && LEGACY_VERSIONS.includes(asked) && asked < revision ? asked : revision;
  const made = { protocolVersion, capabilities, serverInfo, ...(instructions === undefined ? {} : { instructions }) };
  return recorded === undefined ? made : { ...recorded, protocolVersion };
}

/** The answer to `server/discover` of a server recorded in the legacy era. */
export function discoverResult({ capabilities, serverInfo, instructions }: ServerFace): JsonObject {
  return {
    resultType: 'complete',
    supportedVersions: [...MODERN_VERSIONS],
    capabilities,
    ...(instructions === undefined ? {} : { instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [META.serverInfo]: serverInfo },
  };
}

/** What a server that was not recorded in that era says to it. */
export function refusedEra(era: Era, method: string, requested: unknown): Outcome {
  if (era === 'modern') return { error: { code: -32601, message: `Method not found: ${method}` } };
  return {
    error: { code: -32022, message: 'Unsupported protocol version', data: { supported: [MODERN_VERSION], requested: requested ?? null } },
  };
}

function capabilitiesOf(exchanges: readonly Exchange[]): JsonObject {
  const methods = new Set(exchanges.map(({ request }) => request.method.split('/')[0]));
  const has = (area: string, capability: string, value: JsonObject): JsonObject => (methods.has(area) ? { [capability]: value } : {});
  return {
    ...has('tools', 'tools', { listChanged: true }),
    ...has('resources', 'resources', { listChanged: true, subscribe: true }),
    ...has('prompts', 'prompts', { listChanged: true }),
    ...has('completion', 'completions', {}),
    ...has('logging', 'logging', {}),
  };
}
