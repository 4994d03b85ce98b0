/** What the daemon remembers over a restart. One interface, one embedded implementation (`daemon/state`), the seam for a shared store. */

/** What is kept, one table each; keys and values are documented where they are written. */
export type StateTable =
  /** Lists of a server as last read, by instance key and era. */
  | 'snapshots'
  /** What was learnt of a server: eras (dated), whether it asks its clients. By instance key. */
  | 'servers'
  /** Exposed name → server and own name, by endpoint path and kind. */
  | 'names'
  /** Hash of a tool definition an override was made for, by server and tool. */
  | 'definitions'
  /** Legacy HTTP sessions, by session id. */
  | 'sessions'
  /** Keys and the daemon's own id. */
  | 'keys'
  /** Parked calls of replay-safe tools, by park id. */
  | 'parked';

/** Small JSON values by table and key. Synchronous, durable when `set` returns. */
export interface StateStore {
  get<T>(table: StateTable, key: string): T | undefined;
  set(table: StateTable, key: string, value: unknown): void;
  delete(table: StateTable, key: string): void;
  /** Every entry of a table whose key begins with `prefix`, in key order. */
  entries<T>(table: StateTable, prefix?: string): readonly (readonly [key: string, value: T])[];
  close(): void;
}
