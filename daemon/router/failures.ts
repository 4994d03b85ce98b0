/** Which JSON-RPC code a failure of our own has, and what the modern era no longer knows. */
import { SignalboxError } from '../api/errors.ts';
import { RPC } from '../protocol/codes.ts';

/** Methods that 2026-07-28 no longer has: a server of that era does not know them. */
export const LEGACY_ONLY: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/list',
  'tasks/result',
]);

/** The error for one of {@link LEGACY_ONLY}. */
export function legacyOnly(method: string): SignalboxError {
  return new SignalboxError('SBX_METHOD_UNKNOWN', `Method ${method} is not known.`, {
    why: 'The request is of revision 2026-07-28, which does not have it.',
    fix: 'Use what took its place in that revision, or an earlier one.',
  });
}

/** The JSON-RPC code of a failure of our own. */
export function codeOf(error: unknown): number {
  if (!(error instanceof SignalboxError)) return RPC.internal;
  if (error.code === 'SBX_METHOD_UNKNOWN') return RPC.methodNotFound;
  return INVALID_PARAMS.has(error.code) ? RPC.invalidParams : RPC.internal;
}

/** Codes that are the client's fault by the specification (unknown tool, prompt, resource, cursor, state): `-32602`, never a tool result. */
const INVALID_PARAMS: ReadonlySet<string> = new Set([
  'SBX_TOOL_UNKNOWN',
  'SBX_PROMPT_UNKNOWN',
  'SBX_RESOURCE_UNKNOWN',
  'SBX_CURSOR_INVALID',
  'SBX_TASK_UNKNOWN',
  'SBX_STATE_INVALID',
]);
