/** JSON-RPC and MCP error codes, and the form our own failures take towards a client. */
import { errorShape } from '../api/errors.ts';
import type { JsonObject, Outcome, RpcError } from './message.ts';

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
