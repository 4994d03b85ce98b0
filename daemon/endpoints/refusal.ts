/** Refusals over HTTP: a status, and a JSON-RPC error that says why and what to do. */
import type { ServerResponse } from 'node:http';
import { SignalboxError } from '../api/errors.ts';
import { RPC, rpcError } from '../protocol/codes.ts';
import { type RequestId, type Response, type RpcError, response as responseTo } from '../protocol/message.ts';

/**
 * Answers a request with an error; does nothing but end the answer when it has begun.
 * @returns what was said, if anything
 */
export function refuseWith(response: ServerResponse, status: number, id: RequestId | null, error: RpcError): Response | undefined {
  if (response.headersSent) {
    response.end();
    return undefined;
  }
  const message = responseTo(id, { error });
  const body = JSON.stringify(message);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  return message;
}

/** How a request is refused whose session is not there (2025-11-25, "Session management": 404 makes the client begin anew). */
export function sessionFault(missing: boolean): { readonly status: number; readonly error: RpcError } {
  const error = new SignalboxError('SBX_SESSION_UNKNOWN', missing ? 'The request names no session.' : 'Session not found.', {
    why: missing
      ? 'Legacy requests after initialize carry Mcp-Session-Id.'
      : 'The session has ended, was not used for an hour, or belongs to another client.',
    fix: 'Send initialize again (2025-11-25, "Session management").',
  });
  return { status: missing ? 400 : 404, error: rpcError(error, missing ? RPC.invalidRequest : -32001) };
}

/** Refuses a request whose session is not there; see {@link sessionFault}. */
export function refuseSession(response: ServerResponse, id: RequestId | null, missing: boolean): Response | undefined {
  const { status, error } = sessionFault(missing);
  return refuseWith(response, status, id, error);
}

/** What a failure while a message was taken in is answered with. */
export function refuseMessage(response: ServerResponse, error: unknown): Response | undefined {
  const code = error instanceof SignalboxError ? error.code : undefined;
  const unreadable = code === 'SBX_MESSAGE_INVALID' && (error as SignalboxError).cause !== undefined;
  return refuseWith(
    response,
    code === 'SBX_MESSAGE_TOO_LARGE' ? 413 : 400,
    null,
    rpcError(error, unreadable ? RPC.parse : RPC.invalidRequest),
  );
}
