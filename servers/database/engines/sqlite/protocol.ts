/** Messages between the plugin and the process that holds one SQLite database. */

import type { Masking, Policy } from '../../guard/policy.ts';
import type { Access, Column, Params } from '../engine.ts';

/** Layers that a test can switch off to show that the others hold alone. */
export interface SqliteLayers {
  /** The file is opened read-only. */
  readonly readOnly: boolean;
  /** `PRAGMA query_only`, defensive mode, no trusted schema. */
  readonly pragmas: boolean;
  readonly authorizer: boolean;
  /** NUL, surrogates, second statements. */
  readonly text: boolean;
}
/** The guard whole, as it always runs outside tests. */
export const ALL_SQLITE_LAYERS: SqliteLayers = { readOnly: true, pragmas: true, authorizer: true, text: true };

/** What the process is started with. */
export interface Start {
  readonly file: string | undefined;
  readonly seed?: string;
  readonly access: Access;
  readonly policy: Omit<Policy, 'columns'> & { readonly columns: readonly (readonly [string, Masking])[] };
  readonly layers: SqliteLayers;
}
/** One statement to run. */
export interface Question {
  readonly id: number;
  readonly job: 'query' | 'write' | 'check' | 'own';
  /** The access it is checked with; no more than that of the connection. */
  readonly access: Access;
  readonly sql: string;
  readonly params: Params;
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly skip: number;
  readonly commit?: boolean;
  readonly maxAffected?: number;
  readonly expected?: number;
}
/** The rows of one statement. */
export interface Rows {
  readonly columns: readonly Column[];
  /** The rows as JSON: a text passes between processes several times faster than what it says. */
  readonly json: string;
  readonly count: number;
  readonly truncated: false | 'rows' | 'bytes';
  readonly affected: number;
  readonly kind: string;
}
/** The answer to a question. */
export type Reply =
  | { readonly id: number; readonly rows: Rows }
  | {
      readonly id: number;
      readonly error: { readonly code: string; readonly message: string; readonly why: string; readonly fix: string };
    };
