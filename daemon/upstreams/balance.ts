/** Which of several equal connections gets the next call. Pure but for the turn of the round. */
import { createHash } from 'node:crypto';
import type { Balance } from '../api/config.ts';

/** What is known of a candidate. */
export interface Candidate {
  /** Stable number of the replica, from 0. */
  readonly index: number;
  /** Calls under way on it. */
  readonly busy: number;
}

/** Makes the function that chooses among candidates (at least one) for a principal. */
export function balancer<C extends Candidate>(balance: Balance): (candidates: readonly C[], principal: string) => C | undefined {
  let turn = 0;
  const next = (candidates: readonly C[]): C | undefined => {
    // The first whose number has not had its turn in this round: a replica that is missing costs the others nothing.
    const chosen = candidates.find(({ index }) => index >= turn) ?? candidates[0];
    turn = (chosen?.index ?? 0) + 1;
    return chosen;
  };
  if (balance === 'round-robin') return next;
  if (balance === 'sticky') return (candidates, principal) => highest(candidates, ({ index }) => weight(principal, index));
  return (candidates) => {
    const least = Math.min(...candidates.map(({ busy }) => busy));
    return next(candidates.filter(({ busy }) => busy === least));
  };
}

/** Rendezvous hashing: when a replica is lost only its own principals move, and they come back with it. */
function weight(principal: string, index: number): number {
  return createHash('sha1').update(`${index}\n${principal}`).digest().readUIntBE(0, 6);
}

function highest<T>(items: readonly T[], value: (item: T) => number): T | undefined {
  let best: { item: T; value: number } | undefined;
  for (const item of items) {
    const own = value(item);
    if (best === undefined || own > best.value) best = { item, value: own };
  }
  return best?.item;
}
