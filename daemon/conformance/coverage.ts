/** What is checked and what is not: every requirement has a property or stands here with the reason why not. */
import type { Era } from '../protocol/eras.ts';
import { PROPERTIES } from './properties/properties.ts';
import type { Requirement } from './requirements.ts';

/** Looked at by the wire invariants, whatever property runs. */
const INVARIANTS: ReadonlySet<string> = new Set([
  'RPC-SCHEMA-NOTIF',
  'RPC-VERSION',
  'RPC-RESULT-XOR-ERROR',
  'RPC-NOTIF-NO-ID',
  'TOOL-LISTCHANGED-CAP',
  'ELI-32042-URL',
  'HTTP-GET-NO-RESPONSE',
  'HTTP-EVENT-ID-UNIQUE',
  'STD-STDERR-UTF8',
  'HTTP-SSE-RETRY',
  'AUTH-STDIO',
  'MRTR-KEYS',
]);

const REASONS: Readonly<Record<string, string>> = {
  manual: 'it cannot be decided from outside',
  auth: 'it needs to know what each principal may see, which no server tells',
};

/** Whether a property or a wire invariant looks at a requirement. */
export function isImplemented({ id }: Requirement): boolean {
  const era: Era = id.startsWith('L-') ? 'legacy' : 'modern';
  const stem = id.slice(2);
  return INVARIANTS.has(stem) || PROPERTIES.some(({ stems, eras }) => stems.includes(stem) && eras?.includes(era) !== false);
}

/** Why a requirement has no property yet; undefined when it has one. */
export function unimplementedReason(requirement: Requirement): string | undefined {
  if (isImplemented(requirement)) return undefined;
  return REASONS[requirement.testability] ?? 'no property yet';
}
