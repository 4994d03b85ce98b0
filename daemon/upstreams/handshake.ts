/** The beginning of a connection: `initialize` in the legacy era, `server/discover` in the modern one. */
import { SignalboxError } from '../api/errors.ts';
import { type Era, LEGACY_LATEST, LEGACY_VERSIONS, MODERN_VERSION } from '../protocol/eras.ts';
import { isObject, type JsonObject, metaOf, type Outcome } from '../protocol/message.ts';
import type { RequestOptions } from './request.ts';

/** Who we are towards servers. */
export interface Identity {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

/** What the handshake agreed on. */
export interface Agreement {
  readonly era: Era;
  /** Revision agreed on. */
  readonly revision: string;
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject;
  readonly instructions: string | undefined;
  /** `_meta` of the handshake's result. */
  readonly meta: JsonObject;
}

/** What a handshake needs to know. */
export interface HandshakeOptions {
  /** Name for errors. */
  readonly server: string;
  readonly identity: Identity;
  /** The era to shake hands in. */
  readonly era: Era;
  /** Client capabilities declared in a legacy `initialize`. */
  readonly capabilities?: JsonObject;
  /** Milliseconds a handshake may take. */
  readonly startTimeoutMs: number;
  /** Gives up a handshake that is under way. */
  readonly signal?: AbortSignal;
}

type Send = (method: string, params: JsonObject, options: RequestOptions) => Promise<Outcome>;

/** Thrown by {@link shakeHands} when the server answered that it does not speak the era asked for. */
export class EraRefused extends SignalboxError {}

/**
 * Shakes hands in the era asked for.
 * @throws EraRefused when the server answers but not in that era; SBX_SERVER_PROTOCOL when it answers nonsense; what `send` throws
 */
export async function shakeHands(options: HandshakeOptions, send: Send): Promise<Agreement> {
  const { startTimeoutMs, signal } = options;
  const how: RequestOptions = { timeoutMs: startTimeoutMs, ...(signal === undefined ? {} : { signal }) };
  return options.era === 'modern' ? discover(options, await send('server/discover', {}, how)) : initialize(options, send, how);
}

async function initialize(options: HandshakeOptions, send: Send, how: RequestOptions): Promise<Agreement> {
  const { capabilities, identity, server } = options;
  const params = { protocolVersion: LEGACY_LATEST, capabilities: capabilities ?? {}, clientInfo: { ...identity } };
  const outcome = await send('initialize', params, how);
  if ('error' in outcome) throw refused(EraRefused, server, outcome.error.message);
  const { protocolVersion } = outcome.result;
  if (typeof protocolVersion !== 'string' || !LEGACY_VERSIONS.includes(protocolVersion))
    throw refused(SignalboxError, server, `It answered with revision ${JSON.stringify(protocolVersion)}.`);
  return agreementOf('legacy', protocolVersion, outcome.result);
}

function discover({ server }: HandshakeOptions, outcome: Outcome): Agreement {
  if ('error' in outcome) throw refused(EraRefused, server, outcome.error.message);
  const { supportedVersions } = outcome.result;
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(MODERN_VERSION))
    throw refused(EraRefused, server, `It supports only ${JSON.stringify(supportedVersions)}.`);
  return agreementOf('modern', MODERN_VERSION, outcome.result);
}

function refused(kind: typeof SignalboxError, server: string, why: string): SignalboxError {
  return new kind('SBX_SERVER_PROTOCOL', `Server "${server}" and Signalbox found no common protocol revision.`, {
    why,
    fix: `Signalbox speaks ${[MODERN_VERSION, ...LEGACY_VERSIONS].join(', ')}; update the server.`,
  });
}

function agreementOf(era: Era, revision: string, result: JsonObject): Agreement {
  const { capabilities, serverInfo, instructions } = result;
  const meta = metaOf(result) ?? {};
  const info = serverInfo ?? meta['io.modelcontextprotocol/serverInfo'];
  return {
    era,
    revision,
    capabilities: isObject(capabilities) ? capabilities : {},
    serverInfo: isObject(info) ? info : {},
    instructions: typeof instructions === 'string' ? instructions : undefined,
    meta,
  };
}
