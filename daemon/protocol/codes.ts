/** JSON-RPC and MCP error codes, and the form our own failures take towards a client. */
import { type ErrorCode, errorShape, SignalboxError } from '../api/errors.ts';
import type { JsonObject, Outcome, RequestId, RpcError } from './message.ts';

/** JSON-RPC 2.0 section 5.1; MCP 2025-11-25 and 2026-07-28 `schema.ts`. */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** Legacy: resource not found. Modern uses invalidParams. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const;

/** One of our errors as a JSON-RPC error; the catalogue's code, cause and fix are in `data`. */
export function rpcError(thrown: unknown, code: number = RPC.internal): RpcError {
  const shape = errorShape(thrown);
  return { code, message: `${shape.message} ${shape.cause} ${shape.fix} (${shape.code})`, data: shape };
}

/**
 * One of our failures in a tools/call: an `isError` result, so that the model reads it and can act on it
 * (MCP tools, "Error handling": errors of execution belong in the result).
 */
export function toolFailure(thrown: unknown): Outcome {
  const shape = errorShape(thrown);
  const result: JsonObject = {
    content: [{ type: 'text', text: `${shape.code}: ${shape.message}\nCause: ${shape.cause}\nFix: ${shape.fix}` }],
    isError: true,
    _meta: { 'dev.signalbox/error': shape },
  };
  return { result };
}

/** Refusals of the envelope by JSON-RPC code: our code, and what to do about it. */
const REFUSALS: Readonly<Record<number, readonly [code: ErrorCode, message: string, fix: string]>> = {
  [RPC.headerMismatch]: [
    'SBX_HEADER_MISMATCH',
    'Headers and body do not agree.',
    'Mirror protocol version, method and name in the headers (2026-07-28).',
  ],
  [RPC.unsupportedVersion]: [
    'SBX_PROTOCOL_VERSION',
    'The protocol version is not supported.',
    'Use a revision of `data.supported`, or the legacy handshake with `initialize`.',
  ],
};

/**
 * A refusal of the envelope with our code, cause and fix beside what the specification puts into `data`.
 * @param why what is wrong with this request
 * @param data members the specification requires (`supported`, `requested`, …)
 */
export function refusal(code: number, why: string, data: JsonObject = {}): RpcError {
  const [ours, message, fix] = REFUSALS[code] ?? [
    'SBX_MESSAGE_INVALID',
    'The request is not valid.',
    'Correct the request and send it again.',
  ];
  const error = rpcError(new SignalboxError(ours, message, { why, fix }), code);
  return { ...error, data: { ...data, ...(error.data as JsonObject) } };
}

/** The answer to a request whose id a running request of the same session has (JSON-RPC 2.0 section 4: ids tell requests apart). */
export function idInUse(id: RequestId): RpcError {
  return refusal(RPC.invalidRequest, `Request id ${JSON.stringify(id)} is already in use by a request that is still running.`);
}
