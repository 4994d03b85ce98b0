/** Messages between the plugin and its engine process. */

/** A value SQLite can bind. */
export type Bindable = string | number | bigint | null;
/** One statement to run. */
export interface Question {
  readonly id: number;
  readonly sql: string;
  readonly params: readonly Bindable[] | Readonly<Record<string, Bindable>>;
  readonly maxRows: number;
  readonly maxBytes: number;
}
/** A row in column order; blobs and large integers in a JSON form. */
export type Row = readonly unknown[];
/** The rows of one statement. */
export interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** More rows were there than the caps let through. */
  readonly truncated: boolean;
}
/** The engine's answer. */
export type Answer =
  | { readonly id: number; readonly rows: Rows }
  | {
      readonly id: number;
      readonly error: { readonly code: string; readonly message: string; readonly why: string; readonly fix: string };
    };
