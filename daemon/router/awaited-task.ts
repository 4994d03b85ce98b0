/** A task that is begun for a client that knows no tasks, and waited for. */
import type { Origin } from '../api/sessions.ts';
import { bridgeOutcome, META } from '../protocol/eras.ts';
import { isObject, type JsonObject, type Outcome } from '../protocol/message.ts';
import { memberOf } from '../protocol/outcome.ts';
import type { Connection } from '../upstreams/connection.ts';
import type { Rounds } from './parking.ts';

/**
 * The result of a task (2025-11-25, "Tasks": `tasks/result` waits for the end).
 * @param begun what the call that began it was answered with; given back if it began none
 */
export async function taskResult(connection: Connection, begun: Outcome, { signal, onQuestion, current }: Rounds): Promise<Outcome> {
  const task = memberOf(begun, 'task');
  if (!isObject(task)) return begun;
  const taskId = task['taskId'];
  const origin = (): Origin | undefined => current().origin;
  const cancel = (): void => void connection.request('tasks/cancel', { taskId }, { origin }).catch(() => undefined); // nobody waits for it any more
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const outcome = await connection.request('tasks/result', { taskId }, { signal, onQuestion, origin, timeoutMs: 0 });
    return bridgeOutcome(outcome, 'tools/call', 'legacy', 'modern', identityOf(begun));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function identityOf(bridged: Outcome): JsonObject {
  const meta = memberOf(bridged, '_meta');
  const identity = isObject(meta) ? meta[META.serverInfo] : undefined;
  return isObject(identity) ? identity : {};
}
