/** What every database engine offers. An engine is one folder beside this file; `engines/index.ts` names them. */
import type { Policy } from '../guard/policy.ts';

/** What a connection may do. `write`: rows, `admin`: rows and definitions. */
export type Access = 'read' | 'write' | 'admin';
/** A value a caller can bind. */
export type Bindable = string | number | bigint | boolean | null;
/** Values for the placeholders of a statement, by place or by name. */
export type Params = readonly Bindable[] | Readonly<Record<string, Bindable>>;

/** Bounds of one answer. */
export interface Limits {
  readonly maxRows: number;
  /** Bytes of the JSON form of the rows. */
  readonly maxBytes: number;
  /** Milliseconds a statement may run. */
  readonly timeoutMs: number;
  /** Statements of one connection that may run at once. */
  readonly concurrency: number;
  /** Statements that may wait; one more is refused. */
  readonly queue: number;
  /** Rows a write may change. */
  readonly maxAffected: number;
}

/** A statement with its values and bounds. */
export interface Ask {
  readonly sql: string;
  readonly params?: Params;
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Rows to pass over: how a cursor goes on. */
  readonly skip?: number;
  readonly signal?: AbortSignal;
}
/** A column of an answer; the type is the engine's own name for it. */
export interface Column {
  readonly name: string;
  readonly type: string | null;
}
/** Rows in column order, as JSON values that lose nothing (docs/database.md says how each type is written). */
export interface Answer {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly unknown[])[];
  /** `rows` as JSON, where the engine has it already. */
  readonly json?: string;
  /** Why there are more rows than the answer carries. */
  readonly truncated: false | 'rows' | 'bytes';
}
/** What a write did, or would have done when `commit` was false. */
export interface Written extends Answer {
  readonly affected: number;
}
/** A plan as text and in the engine's own structure. */
export interface Plan {
  readonly text: string;
  readonly plan: unknown;
}
/** Whether the guard lets a statement through, and the least access it needs when it does not. */
export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
  readonly needs?: Access;
}
/** A table or view in a list. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
  readonly type: 'table' | 'view' | 'materialized view' | 'foreign table' | 'virtual table';
  readonly rows?: number | null;
  readonly comment?: string | null;
}
/** A column as the database describes it. */
export interface ColumnInfo {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly default: string | null;
  readonly primaryKey: boolean;
  readonly comment?: string | null;
  readonly generated?: boolean;
}
/** A table or view in full. */
export interface Relation {
  readonly schema: string;
  readonly table: string;
  readonly type: string;
  readonly columns: readonly ColumnInfo[];
  readonly foreignKeys: readonly { columns: readonly string[]; schema: string; table: string; references: readonly string[] }[];
  readonly indexes: readonly { name: string; unique: boolean; columns: readonly string[] }[];
  readonly rowEstimate: number | null;
  readonly comment: string | null;
  readonly sql: string | null;
}
/** Whether a connection answers, and with what. */
export interface Health {
  readonly ok: boolean;
  readonly version?: string;
  readonly error?: string;
}

/** One named database behind its guard. Every method refuses with `SBX_DB_REFUSED` what the guard does not allow. */
export interface Database {
  readonly name: string;
  readonly engine: string;
  readonly access: Access;
  readonly policy: Policy;
  /** Runs one reading statement. @throws SignalboxError `SBX_DB_*` */
  query(ask: Ask): Promise<Answer>;
  /** Runs one writing statement in a transaction, kept only with `commit` and when no more than `maxAffected` rows changed. */
  write(ask: Ask & { readonly commit: boolean; readonly maxAffected: number; readonly expected?: number }): Promise<Written>;
  /** The plan of a reading statement; it is not run. */
  explain(ask: Ask): Promise<Plan>;
  validate(sql: string): Promise<Verdict>;
  schemas(signal?: AbortSignal): Promise<readonly { name: string; default: boolean }[]>;
  tables(schema?: string, signal?: AbortSignal): Promise<readonly TableName[]>;
  /** @throws SignalboxError `SBX_DB_SQL` when there is no such table, with the nearest name */
  describe(table: string, schema?: string, signal?: AbortSignal): Promise<Relation>;
  /** A name as this engine's SQL writes it. */
  quote(name: string): string;
  /** Something that changes when the schema does; undefined where the engine cannot tell. */
  schemaVersion(signal?: AbortSignal): Promise<string | undefined>;
  health(): Promise<Health>;
  close(): Promise<void>;
}
