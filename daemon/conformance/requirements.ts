/** The testable statements of the specification, as data: 564 of them, for both eras. */
import type { Severity } from '../api/conformance.ts';
import type { Era } from '../protocol/eras.ts';
import list from './requirements.json' with { type: 'json' };

/** One testable statement. */
export interface Requirement {
  /** `L-…` for 2025-11-25, `M-…` for 2026-07-28; what follows is the stem, shared by both where both have the rule. */
  readonly id: string;
  readonly revision: string;
  readonly level: string;
  readonly area: string;
  readonly statement: string;
  /** Page of the specification's repository. */
  readonly spec_page: string;
  readonly applies: string;
  readonly testability: string;
}

/** Every requirement, in the order of the plan. */
export const REQUIREMENTS: readonly Requirement[] = list;

const byId = new Map(REQUIREMENTS.map((requirement) => [requirement.id, requirement]));

/** The requirement a stem (`RPC-VERSION`) stands for in an era; undefined when that revision has no such rule. */
export function requirementOf(stem: string, era: Era): Requirement | undefined {
  return byId.get(`${era === 'legacy' ? 'L' : 'M'}-${stem}`);
}

/** What breaking it means. */
export function severityOf({ level }: Requirement): Severity {
  return level.startsWith('MUST') ? 'error' : level.startsWith('SHOULD') ? 'warning' : 'note';
}

/** Where to read it: the page on the specification's site, or the schema in its repository. */
export function specificationUrl({ spec_page: page }: Requirement): string {
  return page.startsWith('docs/')
    ? `https://modelcontextprotocol.io/${page.replace(/^docs\//, '').replace(/(\/index)?\.mdx$/, '')}`
    : `https://github.com/modelcontextprotocol/modelcontextprotocol/blob/main/${page}`;
}
