/** The JSON-RPC 2.0 envelope as the router sees it: everything it does not understand stays in place. */
import { SignalboxError } from '../api/errors.ts';
import { isRawNumber, parseJson } from './json.ts';

/** A request id: what came is what goes back, type and value. */
export type RequestId = string | number;
/** Any JSON object. */
export type JsonObject = { [key: string]: unknown };

/** A request. */
export interface Request {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: JsonObject;
}
/** A notification. */
export interface Notification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}
/** The error member of a response. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}
/** What a request came to. */
export type Outcome = { readonly result: JsonObject } | { readonly error: RpcError };
/** A response; `id` is null only when the request's id could not be read. */
export type Response = { readonly jsonrpc: '2.0'; readonly id: RequestId | null } & Outcome;
/** Any message. */
export type Message = Request | Notification | Response;

/** The response to a request. The one way to make one: an outcome may be a class whose members are not its own (`RawOutcome`). */
export function response(id: RequestId | null, outcome: Outcome): Response {
  if ('error' in outcome) return { jsonrpc: '2.0', id, error: outcome.error };
  return Object.hasOwn(outcome, 'result') ? { jsonrpc: '2.0', id, result: outcome.result } : new OutcomeResponse(id, outcome);
}

/** A response that keeps its outcome as it came, so that a result nobody looks at is never parsed. Never spread it. */
export class OutcomeResponse {
  readonly jsonrpc = '2.0';
  readonly id: RequestId | null;
  readonly outcome: { readonly result: JsonObject };

  constructor(id: RequestId | null, outcome: { readonly result: JsonObject }) {
    this.id = id;
    this.outcome = outcome;
  }

  get result(): JsonObject {
    return this.outcome.result;
  }

  /** For `JSON.stringify`; what writes messages uses `encode` of frame.ts, which parses nothing. */
  toJSON(): Response {
    return { jsonrpc: this.jsonrpc, id: this.id, result: this.result };
  }
}

/** Whether a value is a JSON object (not null, not an array, not a number JavaScript cannot hold). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}
/** Whether a message is a request. */
export function isRequest(message: Message): message is Request {
  return 'method' in message && 'id' in message;
}
/** Whether a message is a notification. */
export function isNotification(message: Message): message is Notification {
  return 'method' in message && !('id' in message);
}
/**
 * Parses one frame and checks only the envelope (JSON-RPC 2.0 sections 4 and 5).
 * @throws SBX_MESSAGE_INVALID when it is not JSON or not one JSON-RPC message.
 */
export function parseMessage(text: string): Message {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw invalid(`not JSON: ${text.slice(0, 80)}`, cause);
  }
  return checkMessage(value);
}

/** Checks the envelope of a parsed value; see {@link parseMessage}. */
export function checkMessage(value: unknown): Message {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') throw invalid('not a JSON-RPC 2.0 object');
  const id = value['id'];
  const validId = typeof id === 'string' || typeof id === 'number';
  if ('method' in value) {
    if (typeof value['method'] !== 'string') throw invalid('method is not a string');
    if ('id' in value && !validId) throw invalid('a request id is a string or a number');
    if ('params' in value && !isObject(value['params'])) throw invalid('params is not an object');
    return value as unknown as Message;
  }
  if (!validId && id !== null && id !== undefined) throw invalid('a response id is a string, a number or null');
  if ('result' in value === 'error' in value) throw invalid('a response has either result or error');
  return value as unknown as Message;
}

function invalid(why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_MESSAGE_INVALID', 'A frame is not a valid JSON-RPC message.', {
    why,
    fix: 'Send one JSON-RPC 2.0 object per frame (2025-11-25 and 2026-07-28 have no batches).',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `_meta` of params or of a result, or undefined. */
export function metaOf(container: JsonObject | undefined): JsonObject | undefined {
  const meta = container?.['_meta'];
  return isObject(meta) ? meta : undefined;
}

/**
 * The id of a message of which only the edges are known: it stands before or after the one big member, with nothing but
 * `jsonrpc` and `method` between it and the brace. Undefined where that is not certain.
 */
export function idAtEdge(head: string, tail: string): RequestId | undefined {
  const id = '"id"\\s*:\\s*(-?\\d+|"(?:[^"\\\\]|\\\\.)*")';
  const small = '(?:"(?:jsonrpc|method)"\\s*:\\s*"[^"\\\\]*"\\s*,\\s*)*';
  const found =
    new RegExp(`^\\s*\\{\\s*${small}${id}\\s*,`).exec(head)?.[1] ??
    new RegExp(`[\\]}]\\s*,\\s*${small}${id}\\s*(?:,\\s*"(?:jsonrpc|method)"\\s*:\\s*"[^"\\\\]*"\\s*)*\\}\\s*$`).exec(tail)?.[1];
  return found === undefined ? undefined : (JSON.parse(found) as RequestId);
}
