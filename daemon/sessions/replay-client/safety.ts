/** Which requests cannot write anything, and may therefore be sent to a live server without being asked for. */
import type { JsonObject } from '../../protocol/message.ts';
import { nameFits } from '../compare/rules.ts';

/** Requests that read, or change nothing but the connection they come on. */
const READS: ReadonlySet<string> = new Set([
  'initialize',
  'server/discover',
  'ping',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
  'subscriptions/listen',
  'tasks/list',
  'tasks/get',
  'tasks/result',
]);
/** About a task, which exists only if the call that made it was sent. */
const OF_A_TASK: ReadonlySet<string> = new Set(['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/update']);

/** What is known and allowed. */
export interface Permissions {
  readonly allowWrites: boolean;
  /** Names of tools, with `*`. */
  readonly allow: readonly string[];
  /** What the recording says of a tool; undefined when it says nothing. */
  recorded(tool: string): boolean | undefined;
  /** What the live server says of a tool; undefined when it lists none of that name. */
  live(tool: string): Promise<boolean | undefined>;
}

/** What to do with a request. */
export type Verdict = { readonly send: true } | { readonly send: false; readonly kind: 'skipped' | 'missing'; readonly why: string };

const SEND: Verdict = { send: true };
const skipped = (why: string): Verdict => ({ send: false, kind: 'skipped', why });

/** Decides. */
export async function verdictOn(method: string, params: JsonObject | undefined, permissions: Permissions): Promise<Verdict> {
  if (permissions.allowWrites || READS.has(method) || OF_A_TASK.has(method)) return SEND;
  if (method !== 'tools/call') return skipped(`It is not known whether ${method} writes.`);
  const tool = String(params?.['name']);
  if (permissions.allow.some((pattern) => nameFits(pattern, tool))) return SEND;
  const recorded = permissions.recorded(tool);
  if (recorded === false) return skipped('The tool did not say that it only reads (readOnlyHint).');
  const live = await permissions.live(tool);
  if (live === true) return SEND;
  if (live === false) return skipped('The tool does not say that it only reads (readOnlyHint).');
  if (recorded === true) return { send: false, kind: 'missing', why: 'The server lists no tool of that name any more; it was not called.' };
  return skipped('No list says that the tool only reads (readOnlyHint).');
}
