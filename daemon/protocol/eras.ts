/** The two eras of the protocol and what differs between them on the wire. Pure functions. */
import { RPC } from './codes.ts';
import { isObject, type JsonObject, metaOf, type Outcome, type Request } from './message.ts';
import { hasMember, isObjectMember, memberOf, withMembers } from './outcome.ts';

/** `legacy`: up to 2025-11-25, `initialize` and sessions. `modern`: 2026-07-28, stateless. */
export type Era = 'legacy' | 'modern';

/** Newest legacy revision. */
export const LEGACY_LATEST = '2025-11-25';
/** Legacy revisions we speak, newest first. */
export const LEGACY_VERSIONS: readonly string[] = [LEGACY_LATEST, '2025-06-18', '2025-03-26', '2024-11-05'];
/** Modern revisions we speak. */
export const MODERN_VERSION = '2026-07-28';
/** What `server/discover` and a version error name. */
export const MODERN_VERSIONS: readonly string[] = [MODERN_VERSION];

/** Reserved `_meta` keys of 2026-07-28 (basic, "_meta"). */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

const ENVELOPE_KEYS: readonly string[] = [META.version, META.clientInfo, META.clientCapabilities, META.logLevel];
/** Methods whose modern results carry `ttlMs` and `cacheScope` (2026-07-28, "Caching"). */
const CACHEABLE = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'server/discover',
]);

/** The era a request claims: modern when its `_meta` names a protocol version. */
export function eraOf(message: { readonly params?: JsonObject }): Era {
  return metaOf(message.params)?.[META.version] === undefined ? 'legacy' : 'modern';
}

/** The version a legacy `initialize` is answered with: the one asked for if we speak it, else our newest. */
export function negotiateLegacy(requested: unknown): string {
  return typeof requested === 'string' && LEGACY_VERSIONS.includes(requested) ? requested : LEGACY_LATEST;
}

/** Params without the modern envelope (modern client → legacy server); other `_meta` keys stay. */
export function withoutEnvelope(params: JsonObject | undefined): JsonObject | undefined {
  const meta = metaOf(params);
  if (params === undefined || meta === undefined) return params;
  const kept = Object.fromEntries(Object.entries(meta).filter(([key]) => !ENVELOPE_KEYS.includes(key)));
  const { _meta, ...rest } = params;
  return Object.keys(kept).length > 0 ? { ...rest, _meta: kept } : rest;
}

/** Params with the modern envelope (towards a modern server): version, our identity, the client's capabilities and log level. */
export function withEnvelope(
  params: JsonObject | undefined,
  identity: JsonObject,
  capabilities: JsonObject,
  logLevel?: string,
): JsonObject {
  const meta = { ...metaOf(params), [META.version]: MODERN_VERSION, [META.clientInfo]: identity, [META.clientCapabilities]: capabilities };
  return { ...params, _meta: logLevel === undefined ? meta : { ...meta, [META.logLevel]: logLevel } };
}

/** Fields only 2026-07-28 puts on a result. */
const MODERN_RESULT_FIELDS = ['resultType', 'ttlMs', 'cacheScope'];
/** What a server says of how we speak to it: our fault, and no business of the client. */
const BETWEEN_US: ReadonlySet<number> = new Set([RPC.headerMismatch, RPC.unsupportedVersion]);

/** An upstream outcome as the client's era wants it. Same era: unchanged but for errors that are between us and the server. */
export function bridgeOutcome(outcome: Outcome, method: string, from: Era, to: Era, identity: JsonObject): Outcome {
  if ('error' in outcome) {
    const { code } = outcome.error;
    if (BETWEEN_US.has(code)) return { error: { ...outcome.error, code: RPC.internal } };
    return to === 'modern' && code === RPC.resourceNotFound ? { error: { ...outcome.error, code: RPC.invalidParams } } : outcome;
  }
  if (from === to) return outcome;
  if (to === 'legacy') {
    // What asks is not for the client: the router turns it into requests, and knows it by this member.
    if (memberOf(outcome, 'resultType') === 'input_required') return outcome;
    const plain = withMembers(outcome, {}, MODERN_RESULT_FIELDS);
    // Up to 2025-11-25 structured content is an object (SEP-2106 lifted that); the listed outputSchema is wrapped the same way.
    return hasMember(plain, 'structuredContent') && !isObjectMember(plain, 'structuredContent')
      ? withMembers(plain, { structuredContent: { [WRAPPED]: memberOf(plain, 'structuredContent') } })
      : plain;
  }
  const meta = memberOf(outcome, '_meta');
  return withMembers(outcome, {
    ...(hasMember(outcome, 'resultType') ? {} : { resultType: 'complete' }),
    ...(CACHEABLE.has(method) && !hasMember(outcome, 'ttlMs') ? { ttlMs: 0, cacheScope: 'private' } : {}),
    _meta: { [META.serverInfo]: identity, ...(isObject(meta) ? meta : {}) },
  });
}

/** Member a structured value that is no object is put into for legacy clients. */
const WRAPPED = 'result';

const dressed: Readonly<Record<Era, WeakMap<JsonObject, JsonObject>>> = { legacy: new WeakMap(), modern: new WeakMap() };

/**
 * A tool's definition as the era can read it: `execution` is legacy only, an output schema of anything but an object is modern only
 * (SEP-2106). Made once for each definition.
 */
export function dressedTool(era: Era, tool: JsonObject): JsonObject {
  const known = dressed[era].get(tool);
  if (known !== undefined) return known;
  const made = toolFor(era, tool);
  dressed[era].set(tool, made);
  return made;
}

function toolFor(era: Era, tool: JsonObject): JsonObject {
  if (era === 'modern') {
    if (!Object.hasOwn(tool, 'execution')) return tool;
    const { execution: _execution, ...rest } = tool;
    return rest;
  }
  const schema = tool['outputSchema'];
  if (schema === undefined || (isObject(schema) && schema['type'] === 'object')) return tool;
  const defs = isObject(schema) && schema['$defs'] !== undefined ? { $defs: schema['$defs'] } : {};
  return { ...tool, outputSchema: { type: 'object', properties: { [WRAPPED]: schema }, required: [WRAPPED], ...defs } };
}

/** A result of our own with what 2026-07-28 requires: `resultType`, our `serverInfo`, and for cacheable methods a lifetime of zero. */
export function modernResult(result: JsonObject, method: string, identity: JsonObject): JsonObject {
  return {
    resultType: 'complete',
    ...(CACHEABLE.has(method) ? { ttlMs: 0, cacheScope: 'private' } : {}),
    ...result,
    _meta: { [META.serverInfo]: identity, ...metaOf(result) },
  };
}

/** Header values must be visible ASCII; anything else travels as `=?base64?…?=` (2026-07-28, "Request headers"). */
export function headerValue(value: string): string {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?')
    ? value
    : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

const NAME_FIELDS: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** The headers a modern request needs on Streamable HTTP. */
export function modernHeaders(request: Request): Record<string, string> {
  const field = Object.hasOwn(NAME_FIELDS, request.method) ? NAME_FIELDS[request.method] : undefined;
  const name = field === undefined ? undefined : request.params?.[field];
  return {
    'mcp-protocol-version': MODERN_VERSION,
    'mcp-method': headerValue(request.method),
    ...(typeof name === 'string' ? { 'mcp-name': headerValue(name) } : {}),
  };
}

/** The decoded value of a header written by {@link headerValue}; undefined when the base64 form is broken. */
export function decodeHeader(value: string): string | undefined {
  const match = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value.trim());
  if (match === null) return value.trim().startsWith('=?base64?') ? undefined : value.trim();
  return Buffer.from(match[1] ?? '', 'base64').toString('utf8');
}

/** The value the `Mcp-Name` header must mirror, or undefined when the method has none. */
export function mirroredName(request: Request): string | undefined {
  const field = Object.hasOwn(NAME_FIELDS, request.method) ? NAME_FIELDS[request.method] : undefined;
  const value = field === undefined ? undefined : request.params?.[field];
  return typeof value === 'string' ? value : undefined;
}
