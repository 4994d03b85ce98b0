/** What rules report to: which requirement was looked at, and whether it held. */

import type { Severity } from '../../api/conformance.ts';
import type { Era } from '../../protocol/eras.ts';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import { requirementOf, severityOf } from '../requirements.ts';

/** One broken requirement, as seen once. */
export interface Violation {
  /** Id of the requirement. */
  readonly id: string;
  readonly severity: Severity;
  readonly expected: string;
  readonly got: string;
}

/** Collects what was checked and what broke. */
export class Judge {
  readonly era: Era;
  readonly transport: 'stdio' | 'http';
  /** How often each requirement was looked at with something to look at. */
  readonly exercised: Map<string, number>;
  violations: Violation[] = [];

  constructor(era: Era, transport: 'stdio' | 'http', exercised: Map<string, number>) {
    this.era = era;
    this.transport = transport;
    this.exercised = exercised;
  }

  /**
   * States that a requirement was looked at.
   * @param stem id without the era's letter; a stem the revision (or the transport) does not have is ignored
   * @param got what came instead, for people
   * @param atMost caps the severity where the specification contradicts itself or good servers are known to differ
   * @returns `ok`
   */
  check(stem: string, ok: boolean, expected: string, got: string | (() => string), atMost?: Severity): boolean {
    const requirement = requirementOf(stem, this.era);
    if (requirement === undefined || (requirement.applies !== 'both' && requirement.applies !== this.transport)) return ok;
    this.exercised.set(requirement.id, (this.exercised.get(requirement.id) ?? 0) + 1);
    if (ok) return true;
    const severity = severityOf(requirement);
    this.violations.push({
      id: requirement.id,
      severity: atMost === undefined || RANK[severity] <= RANK[atMost] ? severity : atMost,
      expected,
      got: typeof got === 'string' ? got : got(),
    });
    return false;
  }
}

/** Severities by weight. */
export const RANK: Readonly<Record<Severity, number>> = { note: 0, warning: 1, error: 2 };

/** The gravest of several ways to break a rule. */
export function worst(violations: readonly Violation[]): Violation | undefined {
  return [...violations].sort((one, other) => RANK[other.severity] - RANK[one.severity])[0];
}

/** JSON, shortened for people. */
export function shown(value: unknown, length = 240): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value));
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** The member of an object that may be none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (Array.isArray(current) && typeof key === 'number') current = current[key];
    else if (isObject(current) && Object.hasOwn(current, key)) current = (current as JsonObject)[String(key)];
    else return undefined;
  }
  return current;
}

/** The items of a member that should be an array of objects. */
export function objectsAt(value: unknown, ...path: readonly (string | number)[]): readonly JsonObject[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list.filter(isObject) : [];
}
