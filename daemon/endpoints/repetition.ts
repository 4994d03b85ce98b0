/** What the bridge may send again after the daemon was lost. */
import type { Request } from '../protocol/message.ts';

/** Methods that may run twice: they only read. Everything else that was under way is reported as interrupted. */
const REPEATABLE = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'logging/setLevel',
  'subscriptions/listen',
]);
/** Members of params that make a request part of a call under way, whatever its method (2026-07-28, "Multi round-trip requests"). */
const CONTINUATIONS = ['requestState', 'inputResponses'];

/** Whether a request may run twice: it only reads, and is no part of a call under way. */
export function isRepeatable({ method, params }: Request): boolean {
  return REPEATABLE.has(method) && !CONTINUATIONS.some((member) => params?.[member] !== undefined);
}
