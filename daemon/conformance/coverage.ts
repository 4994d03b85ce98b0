/** What is not checked, and why: every requirement is either looked at by a property or listed here. */
import type { Requirement } from './requirements.ts';

/** Why a requirement has no property yet; undefined when it has one. */
export function unimplementedReason({ testability }: Requirement): string | undefined {
  return testability === 'manual' ? 'it cannot be decided from outside' : undefined;
}
