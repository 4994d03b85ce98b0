/** Tasks take their own time (2025-11-25, "Tasks"): one that had ended when it was recorded is asked for until it has. */
import type { Response } from '../../protocol/message.ts';
import type { Fate } from './live-party.ts';

/** Milliseconds until a task is asked for again: at first, and at most. */
const POLL_MS = { first: 50, most: 1000 };

/**
 * The answer that tells the end of a task.
 * @param again asks for it once more
 * @returns undefined when it did not end in time, an error or a failure as it came
 */
export async function finalTask(
  first: Fate | undefined,
  again: () => Promise<Fate | undefined>,
  limitMs: number,
): Promise<Fate | undefined> {
  const end = performance.now() + limitMs;
  let fate = first;
  for (
    let wait = POLL_MS.first;
    fate !== undefined && 'message' in fate && 'result' in fate.message && !hasEnded(fate.message);
    wait *= 2
  ) {
    if (performance.now() > end) return undefined;
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait, POLL_MS.most)));
    fate = await again();
  }
  return fate;
}

/** Whether an answer about a task says that it has ended. */
export function hasEnded(answer: Response): boolean {
  const status = 'result' in answer ? answer.result['status'] : undefined;
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}
