/** Looking into an outcome and changing its top level, whether it is parsed or still bytes. Pure. */
import { RawOutcome } from './frame.ts';
import { isObject, type JsonObject, type Outcome } from './message.ts';

/** Whether the result has this top-level member. */
export function hasMember(outcome: Outcome, key: string): boolean {
  if ('error' in outcome) return false;
  return outcome instanceof RawOutcome ? outcome.has(key) : Object.hasOwn(outcome.result, key);
}

/** One top-level member of the result; of raw results only this member is parsed. */
export function memberOf(outcome: Outcome, key: string): unknown {
  if ('error' in outcome) return undefined;
  return outcome instanceof RawOutcome ? outcome.member(key) : outcome.result[key];
}

/** Whether a top-level member of the result is an object. */
export function isObjectMember(outcome: Outcome, key: string): boolean {
  if ('error' in outcome) return false;
  return outcome instanceof RawOutcome ? outcome.isObject(key) : isObject(outcome.result[key]);
}

/** The result with members put in and others left out; errors stay as they are. */
export function withMembers(outcome: Outcome, add: JsonObject, drop: readonly string[] = []): Outcome {
  if ('error' in outcome) return outcome;
  if (outcome instanceof RawOutcome) return outcome.with(add, drop);
  const kept = drop.some((key) => Object.hasOwn(outcome.result, key))
    ? Object.fromEntries(Object.entries(outcome.result).filter(([key]) => !drop.includes(key)))
    : outcome.result;
  return { result: { ...kept, ...add } };
}
