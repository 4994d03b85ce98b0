/** What a check of the doctor says. */
import type { ErrorCode } from '../../api/errors.ts';

/** One thing that was looked at. */
export interface Finding {
  /** `warn`: it works, but not as you may think. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was looked at, one word. */
  readonly check: string;
  /** What was found. */
  readonly what: string;
  /** Section of docs/errors.md; only of trouble. */
  readonly code?: ErrorCode;
  readonly why?: string;
  readonly fix?: string;
  /** More for the curious, and for a bug report. */
  readonly detail?: unknown;
}

/** A finding without trouble. */
export function ok(check: string, what: string, detail?: unknown): Finding {
  return { status: 'ok', check, what, ...(detail === undefined ? {} : { detail }) };
}

/** Trouble: what, why, and what to do next. */
export function trouble(status: 'warn' | 'fail', check: string, code: ErrorCode, what: string, why: string, fix: string): Finding {
  return { status, check, code, what, why, fix };
}
