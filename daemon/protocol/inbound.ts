/** Which era a POST to Streamable HTTP belongs to, and whether its headers say what its body says. Pure; no schema walk. */
import { RPC } from './codes.ts';
import { decodeHeader, META, MODERN_VERSION, mirroredName } from './eras.ts';
import { isObject, isRequest, type JsonObject, type Message, metaOf, type Request } from './message.ts';

/** The headers that mirror the body (2026-07-28, "Request headers"), as they came. */
export interface MirroredHeaders {
  readonly version?: string | undefined;
  readonly method?: string | undefined;
  readonly name?: string | undefined;
}

/** Where a message goes. `refused` has the JSON-RPC code, why, and the members the specification puts into `data`. */
export type InboundRoute =
  | { readonly kind: 'legacy' }
  | { readonly kind: 'modern'; readonly revision: string }
  | { readonly kind: 'refused'; readonly code: number; readonly why: string; readonly data?: JsonObject };

const LEGACY: InboundRoute = { kind: 'legacy' };
const CURRENT: InboundRoute = { kind: 'modern', revision: MODERN_VERSION };
const LEVELS = new Set(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']);

/**
 * The era a message claims: the body decides, the headers must agree. The same rules as `classifyInboundRequest` of the SDK's server
 * package (a test compares the two), at a fiftieth of its cost: that one walks a schema for every message.
 */
export function inboundRoute(message: Message, headers: MirroredHeaders): InboundRoute {
  // Answers belong to the era that has server-to-client requests.
  if (!('method' in message)) return LEGACY;
  const { method, params } = message;
  const version = headers.version?.trim();
  const headerIsModern = version !== undefined && version >= MODERN_VERSION;
  const meta = metaOf(params);
  const claimed = meta !== undefined && META.version in meta;
  if (isRequest(message)) {
    if (method === 'initialize' && !(claimed && String(meta[META.version]) >= MODERN_VERSION && envelopeFault(meta) === undefined)) {
      return headerIsModern ? mismatch('initialize, the legacy handshake, came with a modern MCP-Protocol-Version header.') : LEGACY;
    }
    if (claimed) return claim(message, meta, version, headers);
    if (!headerIsModern) return LEGACY;
    const missing = meta === undefined ? ['_meta'] : [META.version, META.clientCapabilities].filter((key) => !(key in meta));
    return {
      kind: 'refused',
      code: RPC.invalidParams,
      why: `MCP-Protocol-Version names ${version}, but the body has no ${missing.join(', ')}.`,
      data: { envelope: { missing } },
    };
  }
  if (!claimed && !headerIsModern) return LEGACY;
  const revision = claimed ? meta[META.version] : version;
  if (typeof revision !== 'string') {
    const envelope = { key: META.version, problem: 'expected a protocol version string' };
    return { kind: 'refused', code: RPC.invalidParams, why: `_meta: ${envelope.key}: ${envelope.problem}.`, data: { envelope } };
  }
  return disagreement(revision, method, version, headers.method) ?? { kind: 'modern', revision };
}

function claim(request: Request, meta: JsonObject, version: string | undefined, headers: MirroredHeaders): InboundRoute {
  const envelope = envelopeFault(meta);
  if (envelope !== undefined)
    return { kind: 'refused', code: RPC.invalidParams, why: `_meta: ${envelope.key}: ${envelope.problem}.`, data: { envelope } };
  const revision = meta[META.version] as string;
  const fault = disagreement(revision, request.method, version, headers.method) ?? missingHeader(request, version, headers);
  return fault ?? (revision === MODERN_VERSION ? CURRENT : { kind: 'modern', revision });
}

/** The first thing wrong with the envelope of a modern request (2026-07-28, basic, "_meta"). */
function envelopeFault(meta: JsonObject): { readonly key: string; readonly problem: string } | undefined {
  if (!(META.clientCapabilities in meta)) return { key: META.clientCapabilities, problem: 'missing' };
  if (typeof meta[META.version] !== 'string') return { key: META.version, problem: 'expected a protocol version string' };
  if (!isObject(meta[META.clientCapabilities])) return { key: META.clientCapabilities, problem: 'expected an object' };
  const info = meta[META.clientInfo];
  if (info !== undefined && !(isObject(info) && typeof info['name'] === 'string' && typeof info['version'] === 'string'))
    return { key: META.clientInfo, problem: 'expected an object with name and version' };
  const level = meta[META.logLevel];
  if (level !== undefined && !(typeof level === 'string' && LEVELS.has(level)))
    return { key: META.logLevel, problem: 'expected a log level' };
  return undefined;
}

function disagreement(
  revision: string,
  method: string,
  version: string | undefined,
  methodHeader: string | undefined,
): InboundRoute | undefined {
  if (version !== undefined && version !== revision)
    return mismatch(`The body names protocol version ${revision}, MCP-Protocol-Version names ${version}.`);
  if (methodHeader !== undefined && methodHeader.trim() !== method)
    return mismatch(`The body names method ${method}, Mcp-Method names ${methodHeader}.`);
  return undefined;
}

/** What a modern request must carry (2026-07-28, "Request headers"). */
function missingHeader(request: Request, version: string | undefined, headers: MirroredHeaders): InboundRoute | undefined {
  if (version === undefined) return mismatch('MCP-Protocol-Version is missing.');
  if (headers.method === undefined) return mismatch('Mcp-Method is missing.');
  const name = mirroredName(request);
  if (name === undefined) return undefined;
  if (headers.name === undefined) return mismatch(`Mcp-Name is missing, the body says ${JSON.stringify(name)}.`);
  // Most names are plain: no decoding to see that.
  if (headers.name === name) return undefined;
  const decoded = decodeHeader(headers.name);
  if (decoded === name) return undefined;
  return mismatch(`Mcp-Name is ${JSON.stringify(decoded ?? headers.name)}, the body says ${JSON.stringify(name)}.`);
}

function mismatch(why: string): InboundRoute {
  return { kind: 'refused', code: RPC.headerMismatch, why };
}
